//! Prints the figures as a Markdown table.

use std::fs;
use std::process::Command;
use std::thread;

use crate::peer::Peer;
use crate::python::Python;

pub struct Row {
    pub peer: Peer,
    /// One cell for each kind of work.
    pub cells: Vec<Cell>,
    /// The median, the 99.9th percentile and the maximum, in nanoseconds.
    pub latency: Result<Vec<u64>, String>,
    pub memory: Option<u64>,
    pub memory_calls: u32,
    /// How many events were read back and checked.
    pub events: u64,
}

pub enum Cell {
    Measured {
        /// The number of calls in a round.
        count: u32,
        /// The seconds of each round: wall time and CPU time.
        costs: Vec<(f64, f64)>,
        picture_bytes: Option<usize>,
        /// The error of a picture whose width and height differ, if it has one.
        sides: Option<String>,
    },
    /// The reason.
    Refused(String),
}

const HEADINGS: [&str; 10] = [
    "wall / CPU time per call, × ours",
    "scalar, 1 tag",
    "scalar, 100 tags",
    "scalar, latency of a call: p50, p99.9, max",
    "scalar, memory",
    "histogram of 1,000",
    "histogram of 1,000,000",
    "image 28 × 28 gray",
    "image 256 × 256 RGB",
    "events checked",
];

impl Row {
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            cells: Vec::new(),
            latency: Err(String::new()),
            memory: None,
            memory_calls: 0,
            events: 0,
        }
    }

    /// Replaces the last cell by the reason of a failure.
    pub fn refuse(&mut self, reason: String) {
        self.cells.pop();
        self.cells.push(Cell::Refused(reason));
    }
}

impl Cell {
    /// Returns the median CPU seconds per call.
    pub fn cpu(&self) -> Option<f64> {
        match self {
            Self::Measured { count, costs, .. } => {
                Some(median(costs.iter().map(|cost| cost.1)) / f64::from(*count))
            }
            Self::Refused(_) => None,
        }
    }

    /// Returns the wall seconds per call of each round.
    fn walls(&self) -> Vec<f64> {
        match self {
            Self::Measured { count, costs, .. } => {
                let count = f64::from(*count);
                costs.iter().map(|cost| cost.0 / count).collect()
            }
            Self::Refused(_) => Vec::new(),
        }
    }

    fn text(&self, ours: &Self) -> String {
        let (picture_bytes, sides) = match self {
            Self::Refused(reason) => return reason.clone(),
            Self::Measured {
                picture_bytes,
                sides,
                ..
            } => (picture_bytes, sides),
        };
        let walls = self.walls();
        let wall = median(walls.iter().copied());
        let cpu = self.cpu().unwrap_or_default();
        let (unit, scale) = unit(wall);
        let mut text = format!("{} / {} {unit}", digits(wall * scale), digits(cpu * scale));
        let ours = ours.walls();
        if ours != walls {
            // One ratio per round: if the machine is slow for a while, it is slow for both.
            let ratio = median(walls.iter().zip(&ours).map(|(theirs, ours)| theirs / ours));
            text += &format!(", {} ×", digits(ratio));
        }
        if let Some(bytes) = picture_bytes {
            text += &format!("; {} B", thousands(*bytes as u64));
        }
        if let Some(reason) = sides {
            text += &format!("; {reason}");
        }
        text
    }
}

pub fn print(rows: &[Row]) {
    println!("| {} |", HEADINGS.join(" | "));
    println!("|{}", "---|".repeat(HEADINGS.len()));
    for row in rows {
        let mut texts: Vec<String> = row
            .cells
            .iter()
            .zip(&rows[0].cells)
            .map(|(cell, ours)| cell.text(ours))
            .collect();
        let latency = match &row.latency {
            Ok(figures) => {
                let figures: Vec<String> =
                    figures.iter().map(|&ns| span(ns as f64 / 1e9)).collect();
                figures.join(", ")
            }
            Err(reason) => reason.clone(),
        };
        let memory = match row.memory {
            Some(bytes) => format!(
                "{} MiB in {}",
                digits(bytes as f64 / f64::from(1 << 20)),
                thousands(row.memory_calls.into())
            ),
            None => "not measured".into(),
        };
        texts.splice(2..2, [latency, memory]);
        texts.insert(0, row.peer.title.clone());
        texts.push(thousands(row.events));
        println!("| {} |", texts.join(" | "));
    }
}

pub fn print_notes(clock: &[u128], read_by_tfrecord: usize) {
    println!(
        "- Medians of several rounds, in which the writers alternate. Time is measured from the first call until the writer is closed; CPU time includes all threads. × is the ratio of wall times."
    );
    println!("- Each writer is used as its documentation shows, unless its name says otherwise.");
    println!(
        "- Latency: single calls with one tag, without pauses. Reading the clock takes {} ns of it.",
        clock[0]
    );
    println!(
        "- Memory: how much the process grew at its peak, for this number of scalars without pauses."
    );
    println!(
        "- Histograms have the default buckets of each writer: 30 in summary-writer, and 1,549 limits in tfrecord, tensorboardX and PyTorch."
    );
    println!(
        "- Events checked: the files were read back, and the checksums, tags, steps and data were compared. The reader of tfrecord also accepts {} records of summary-writer.",
        thousands(read_by_tfrecord as u64)
    );
}

/// Returns a sentence with the date and the machine. `free` is the share of the cores that other programs left free.
pub fn machine(python: &Python, free: f64) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        info.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().to_owned())
    };
    let model = field("model name").unwrap_or_else(|| format!("{} CPU", std::env::consts::ARCH));
    let is_virtual = field("flags").is_some_and(|flags| flags.contains(" hypervisor"));
    let cores = thread::available_parallelism().map_or(1, |count| count.get());
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let rustc = rustc.unwrap_or_default();
    let rustc = rustc.split_whitespace().take(2).collect::<Vec<_>>();
    let python = python
        .version("python")
        .map(|version| format!(", Python {version}"));
    format!(
        "{}; {cores} cores of {} {model}, {:.0} % free, {}; {}{}.",
        jiff::Timestamp::now().strftime("%-d %B %Y"),
        if is_virtual { "a virtual" } else { "one" },
        free * 100.0,
        std::env::consts::OS,
        rustc.join(" "),
        python.unwrap_or_default(),
    )
}

/// Returns the version of a package in the lock file.
pub fn version(package: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
    entry
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(version, _)| version)
}

pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

pub fn span(seconds: f64) -> String {
    let (unit, scale) = unit(seconds);
    format!("{} {unit}", digits(seconds * scale))
}

fn unit(seconds: f64) -> (&'static str, f64) {
    match seconds {
        ..1e-6 => ("ns", 1e9),
        ..1e-3 => ("µs", 1e6),
        ..1.0 => ("ms", 1e3),
        _ => ("s", 1.0),
    }
}

pub fn digits(figure: f64) -> String {
    match figure {
        ..10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// Formats a number with commas.
pub fn thousands(number: u64) -> String {
    match number {
        ..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}
