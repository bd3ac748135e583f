//! Compares scalars with lines of loggers that are known for speed, in one table. The loggers do another job: they write text
//! for people.
//!
//! All of them log the same tag, value and step. If a queue is full, each of them waits, so none drops a record. A process can
//! start most loggers only once, so each measurement has a process of its own.

use std::env;
use std::fs::{self, File};
use std::hint;
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use peers::child;
use summary_writer::{EventReader, SummaryWriter};
use ticklog::FileSink;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

use crate::Result;
use crate::python::{Python, succeed};
use crate::table::{digits, machine, median, span, thousands, version};

const NAMES: [&str; 3] = ["summary-writer", "ticklog", "tracing-appender"];
const HEADINGS: [&str; 9] = [
    "time per call",
    "loop, × ours",
    "loop, CPU time",
    "burst, p50",
    "burst, p99.9",
    "out of order",
    "lost at a kill, 5,000 records per second",
    "lost at a kill, in a loop",
    "bytes per record",
];
const ROUNDS: u32 = 5;
const CALLS: u32 = 1_000_000;
/// As the authors of quill measure: the mean of a few calls in a row, so that the clock costs little, and then a pause.
const BURST: u32 = 20;
const BURSTS: u32 = 2_000;
const PAUSE: Duration = Duration::from_millis(2);
/// Two threads log so many records in turn.
const TURNS: u32 = 100_000;
/// The time between two records of a program that is killed.
const PACE: Duration = Duration::from_micros(200);
const LOG: &str = "log.txt";

/// A logger, used as its documentation shows.
trait Logger: Sync {
    fn open(dir: &Path) -> Result<Self>
    where
        Self: Sized;
    fn log(&self, tag: &str, value: f32, step: u32);
    /// Returns when the operating system has all data.
    fn close(self) -> Result<()>;
}

impl Logger for SummaryWriter {
    fn open(dir: &Path) -> Result<Self> {
        Ok(Self::create_file_writer(dir)?)
    }

    #[inline]
    fn log(&self, tag: &str, value: f32, step: u32) {
        self.scalar(tag, value, step);
    }

    fn close(self) -> Result<()> {
        Ok(Self::close(self)?)
    }
}

struct Ticklog(ticklog::Guard);

impl Logger for Ticklog {
    fn open(dir: &Path) -> Result<Self> {
        let guard = ticklog::configure! {
            sink: FileSink::new(dir.join(LOG))?,
            backpressure: ticklog::Backpressure::Block,
            format: "{timestamp} {level} {message}",
        }?;
        Ok(Self(guard))
    }

    #[inline]
    fn log(&self, tag: &str, value: f32, step: u32) {
        crate::ticklog_info(tag, value, step);
    }

    fn close(self) -> Result<()> {
        drop(self.0);
        Ok(())
    }
}

struct TracingAppender(WorkerGuard);

impl Logger for TracingAppender {
    fn open(dir: &Path) -> Result<Self> {
        // Its thread flushes the buffer whenever its queue is empty.
        let file = BufWriter::with_capacity(64 << 10, File::create(dir.join(LOG))?);
        let (writer, guard) = NonBlockingBuilder::default().lossy(false).finish(file);
        tracing_subscriber::fmt()
            .with_writer(writer)
            .with_target(false)
            .init();
        Ok(Self(guard))
    }

    #[inline]
    fn log(&self, tag: &str, value: f32, step: u32) {
        tracing::info!("{tag} {value} {step}");
    }

    fn close(self) -> Result<()> {
        drop(self.0);
        Ok(())
    }
}

/// Does the work `how` in this process, and prints the figures.
pub fn log(name: &str, how: &str, count: u32, dir: &Path) -> Result<()> {
    let figures = match name {
        "summary-writer" => work::<SummaryWriter>(how, count, dir),
        "ticklog" => work::<Ticklog>(how, count, dir),
        _ => work::<TracingAppender>(how, count, dir),
    }?;
    for figure in figures {
        println!("{figure}");
    }
    Ok(())
}

fn work<L: Logger>(how: &str, count: u32, dir: &Path) -> Result<Vec<u128>> {
    let logger = L::open(dir)?;
    let tag = hint::black_box("loss");
    let log = |step: u32| logger.log(tag, 1.0 / step as f32, step);
    log(1); // It allocates the queue of this thread.
    let (wall, cpu) = (Instant::now(), child::cpu_time());
    match how {
        "loop" => {
            (2..=count).for_each(log);
            logger.close()?;
            let cpu = child::cpu_time().saturating_sub(cpu);
            return Ok(vec![wall.elapsed().as_nanos(), cpu.as_nanos()]);
        }
        "bursts" => {
            let bursts = (2..=count).step_by(BURST as usize).map(|first| {
                wait_until(Instant::now() + PAUSE);
                let start = Instant::now();
                (first..first + BURST).for_each(log);
                start.elapsed() / BURST
            });
            return Ok(child::quantiles(bursts.collect()));
        }
        "turns" => take_turns(log, count),
        "kill" => {
            for step in 2..=count {
                wait_until(wall + PACE * step);
                log(step);
            }
            child::kill();
        }
        _ => {
            (2..=count).for_each(log);
            child::kill();
        }
    }
    logger.close()?;
    Ok(Vec::new())
}

/// Two threads log the steps in turn, each after the call of the other one has returned.
fn take_turns(log: impl Fn(u32) + Sync, count: u32) {
    let next = AtomicU32::new(2);
    let take_part = |remainder| {
        loop {
            let step = next.load(Ordering::Acquire);
            if step > count {
                break;
            }
            if step % 2 == remainder {
                log(step);
                next.store(step + 1, Ordering::Release);
            } else {
                thread::yield_now();
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| take_part(0));
        take_part(1);
    });
}

fn wait_until(time: Instant) {
    while Instant::now() < time {
        hint::spin_loop();
    }
}

/// The figures of a logger, one for each round. Times are in nanoseconds.
#[derive(Default)]
struct Row {
    walls: Vec<f64>,
    cpus: Vec<f64>,
    medians: Vec<f64>,
    p999s: Vec<f64>,
    late: Vec<usize>,
    lost: Vec<usize>,
    lost_in_loop: Vec<usize>,
    bytes: f64,
}

pub fn bench() -> Result<()> {
    let mut rows: [Row; NAMES.len()] = Default::default();
    let mut free = Vec::new();
    for round in 0..ROUNDS {
        free.push(crate::free_share());
        for (name, row) in NAMES.into_iter().zip(&mut rows) {
            eprintln!("round {} of {ROUNDS}: {name}", round + 1);
            row.measure(name, round)?;
        }
    }
    let free = median(free.into_iter());
    println!("{}\n", machine(&Python::default(), free));
    println!("| {} |", HEADINGS.join(" | "));
    println!("|{}", "---|".repeat(HEADINGS.len()));
    for (name, row) in NAMES.iter().zip(&rows) {
        row.print(name, &rows[0]);
    }
    println!(
        "
- Medians of {ROUNDS} rounds, in which the loggers alternate. If a queue is full, the call waits.
- Loop: {} calls until the logger is closed, divided by their number. CPU time includes all threads.
- Burst: the mean of {BURST} calls in a row, after a pause of {} ms.
- Out of order: records that are in the file after a later one, of {} that two threads log in turn.
- Lost at a kill: the most records that are missing in the file, of {ROUNDS} programs that end with SIGKILL.",
        thousands(CALLS.into()),
        PAUSE.as_millis(),
        thousands(TURNS.into()),
    );
    Ok(())
}

impl Row {
    fn measure(&mut self, name: &str, round: u32) -> Result<()> {
        let once = run(name, "loop", CALLS)?.complete()?;
        let &[wall, cpu] = &once.figures[..] else {
            return Err(format!("unexpected answer: {:?}", once.figures).into());
        };
        self.walls.push(wall / f64::from(CALLS));
        self.cpus.push(cpu / f64::from(CALLS));
        self.bytes = once.bytes as f64 / f64::from(CALLS);

        let once = run(name, "bursts", BURSTS * BURST)?;
        let &[median, p999, _] = &once.figures[..] else {
            return Err(format!("unexpected answer: {:?}", once.figures).into());
        };
        self.medians.push(median);
        self.p999s.push(p999);

        self.late
            .push(late_count(&run(name, "turns", TURNS)?.complete()?.steps));

        // At different times, because this crate writes every 200 ms.
        let lost = |how, count: u32| -> Result<usize> {
            let once = run(name, how, count + count / 7 * round)?;
            Ok(once.count - once.steps.len())
        };
        self.lost.push(lost("kill", 2_000)?);
        self.lost_in_loop.push(lost("kill-in-loop", 200_000)?);
        Ok(())
    }

    fn print(&self, name: &str, ours: &Self) {
        let time = |figures: &[f64]| span(median(figures.iter().copied()) / 1e9);
        let most = |counts: &[usize]| thousands(counts.iter().max().map_or(0, |&most| most as u64));
        // One ratio per round: if the machine is slow for a while, it is slow for all.
        let ratios = self.walls.iter().zip(&ours.walls);
        let ratio = median(ratios.map(|(theirs, ours)| theirs / ours));
        let cells = [
            format!("`{name}` {}", version(name)),
            format!("{}, {} ×", time(&self.walls), digits(ratio)),
            time(&self.cpus),
            time(&self.medians),
            time(&self.p999s),
            most(&self.late),
            most(&self.lost),
            most(&self.lost_in_loop),
            format!("{:.0}", self.bytes),
        ];
        println!("| {} |", cells.join(" | "));
    }
}

/// The figures and the file of a process.
struct Once {
    count: usize,
    figures: Vec<f64>,
    /// The steps of the complete records.
    steps: Vec<i64>,
    bytes: u64,
}

/// Runs the work in a process of its own, and reads the file.
fn run(name: &str, how: &str, count: u32) -> Result<Once> {
    let dir = tempfile::tempdir()?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["log", name, how, &count.to_string()]);
    command.arg(dir.path());
    let figures = match how.starts_with("kill") {
        true => {
            command.status()?;
            Vec::new()
        }
        false => {
            let figures = succeed(&mut command)?;
            let figures = figures.lines().map(str::parse);
            figures.collect::<std::result::Result<_, _>>()?
        }
    };
    let mut bytes = 0;
    for entry in fs::read_dir(dir.path())? {
        bytes += entry?.metadata()?.len();
    }
    Ok(Once {
        count: count as usize,
        figures,
        steps: steps(dir.path())?,
        bytes,
    })
}

impl Once {
    /// Returns an error if records are missing although the logger was closed.
    fn complete(self) -> Result<Self> {
        match self.steps.len() == self.count {
            true => Ok(self),
            false => Err(format!("{} of {} records", self.steps.len(), self.count).into()),
        }
    }
}

fn steps(dir: &Path) -> Result<Vec<i64>> {
    let Ok(text) = fs::read_to_string(dir.join(LOG)) else {
        let steps = EventReader::open(dir)?.map(|event| Ok(event?.step));
        // Step 0 is the version record.
        return steps.filter(|step| !matches!(step, Ok(0))).collect();
    };
    // The last line of a killed program may be incomplete.
    let lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let steps = lines.map(|line| Ok(line.trim_end().rsplit(' ').next().unwrap_or("").parse()?));
    steps.collect()
}

/// Counts the steps after a later one.
fn late_count(steps: &[i64]) -> usize {
    let mut latest = 0;
    let is_late = |step: &&i64| {
        latest = latest.max(**step);
        **step < latest
    };
    steps.iter().filter(is_late).count()
}
