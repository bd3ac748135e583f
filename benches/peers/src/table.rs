//! Figures to the table, which is Markdown.

use std::fs;
use std::process::Command;
use std::thread;

use crate::peer::Peer;
use crate::python::Python;

pub struct Row {
    pub peer: Peer,
    /// One for each kind of work.
    pub cells: Vec<Cell>,
    /// Median, 999th of a thousand and longest, in nanoseconds.
    pub latency: Result<Vec<u64>, String>,
    pub memory: Option<u64>,
    pub memory_calls: u32,
    /// Read back and checked.
    pub events: u64,
}

pub enum Cell {
    Measured {
        /// Calls in a round.
        count: u32,
        /// Seconds a round, on the wall and in all threads.
        costs: Vec<(f64, f64)>,
        picture_bytes: Option<usize>,
        /// What is wrong with a picture whose sides differ.
        sides: Option<String>,
    },
    /// In words.
    Refused(String),
}

const HEADINGS: [&str; 10] = [
    "wall / CPU a call, × ours",
    "scalar, 1 tag",
    "scalar, 100 tags",
    "its caller: p50, p99.9, max",
    "its memory",
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

    /// Says why, in the place of the last cell.
    pub fn refuse(&mut self, reason: String) {
        self.cells.pop();
        self.cells.push(Cell::Refused(reason));
    }
}

impl Cell {
    /// Seconds of all threads a call.
    pub fn cpu(&self) -> Option<f64> {
        match self {
            Self::Measured { count, costs, .. } => {
                Some(median(costs.iter().map(|cost| cost.1)) / f64::from(*count))
            }
            Self::Refused(_) => None,
        }
    }

    /// Seconds on the wall a call, of each round.
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
            // A machine that is slow for a while is slow for both.
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
            None => "not known here".into(),
        };
        texts.splice(2..2, [latency, memory]);
        texts.insert(0, row.peer.title.clone());
        texts.push(thousands(row.events));
        println!("| {} |", texts.join(" | "));
    }
}

pub fn print_notes(clock: &[u128], read_by_tfrecord: usize) {
    println!(
        "- From the open writer until it is closed, in all threads. × is wall time beside ours. Medians of rounds in turn."
    );
    println!("- As the documentation shows it, unless the name says more.");
    println!(
        "- p50, p99.9, max: how long the caller of `scalar` waits, one tag, as fast as it goes; {} ns of it are the clock's.",
        clock[0]
    );
    println!(
        "- Memory: by how much the process grew at its peak, in so many scalars as fast as they go."
    );
    println!(
        "- Histograms have 30 buckets here, and those of TensorFlow's 1,549 limits in tfrecord, tensorboardX and PyTorch: each writer's own default."
    );
    println!(
        "- Events checked: read back from the files with their checksums, tags, steps and data. tfrecord's reader finds {} records of summary-writer sound, too.",
        thousands(read_by_tfrecord as u64)
    );
}

/// The date and the machine, in words; `free` is what others left of it.
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

/// Of a package, by the lock file.
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

fn span(seconds: f64) -> String {
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

fn digits(figure: f64) -> String {
    match figure {
        ..10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// With commas.
fn thousands(number: u64) -> String {
    match number {
        ..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}
