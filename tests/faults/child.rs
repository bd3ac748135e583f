//! A process that logs until something ends it. Through a pipe, it reports which records were accepted, and when.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use summary_writer::{SummaryWriter, WriterOptions};

use crate::read::{Contents, value_at};

/// Thread numbers of other reports: those of the timer, and that of the end of the process.
pub(crate) const TIMER: u64 = u64::MAX;
pub(crate) const END: u64 = u64::MAX - 1;

const MILLI: Duration = Duration::from_millis(1);

/// How a process logs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) flush_interval: Duration,
    pub(crate) threads: u64,
    /// The number of records between two pauses of a millisecond.
    pub(crate) burst: u64,
    /// One record in ten is a text of up to this many bytes, followed by an image.
    pub(crate) text_bytes: usize,
    /// The width and height of the images.
    #[cfg_attr(
        not(feature = "png"),
        allow(dead_code, reason = "images need the feature")
    )]
    pub(crate) image_side: u32,
}

pub(crate) const WORKLOADS: &[Workload] = &[
    workload("in bursts", 200, 1, 200, 0, 0),
    workload("in threads", 50, 4, 10, 0, 0),
    workload("large records", 50, 1, 2, 300_000, 16),
    workload("no interval", 0, 4, 5, 5000, 16),
    // Images come faster than they are encoded, so many are pending when the process is killed.
    workload("pending images", 200, 2, 10, 100, 256),
];

const fn workload(
    name: &'static str,
    flush_millis: u64,
    threads: u64,
    burst: u64,
    text_bytes: usize,
    image_side: u32,
) -> Workload {
    Workload {
        name,
        flush_interval: Duration::from_millis(flush_millis),
        threads,
        burst,
        text_bytes,
        image_side,
    }
}

impl Workload {
    pub(crate) fn named(name: &str) -> Self {
        *WORKLOADS.iter().find(|w| w.name == name).unwrap()
    }

    pub(crate) fn open(&self, logdir: &Path) -> SummaryWriter {
        let options = WriterOptions::new().flush_interval(self.flush_interval);
        options.create_file_writer(logdir).unwrap()
    }

    /// Logs bursts on one of the threads, and reports after each burst.
    pub(crate) fn log(&self, summary: &SummaryWriter, reports: &Reports, thread: u64, bursts: u64) {
        let (loss, notes) = (format!("loss/{thread}"), format!("notes/{thread}"));
        let text = "x".repeat(self.text_bytes);
        let mut random = fastrand::Rng::with_seed(thread);
        let mut step = 0;
        for _ in 0..bursts {
            for _ in 0..self.burst {
                if self.text_bytes > 0 && random.u8(..10) == 0 {
                    let text = &text[..random.usize(..self.text_bytes)];
                    summary.text(&notes, text, step);
                    #[cfg(feature = "png")]
                    summary.image("noise", noise(self.image_side, &mut random), step);
                }
                summary.scalar(&loss, value_at(step), step);
                step += 1;
            }
            reports.send(thread, u64::try_from(step).unwrap());
            thread::sleep(MILLI);
        }
    }
}

#[cfg(feature = "png")]
fn noise(side: u32, random: &mut fastrand::Rng) -> summary_writer::Image {
    let mut pixels = vec![0; (side * side) as usize];
    random.fill(&mut pixels);
    summary_writer::Image::gray8(side, side, pixels).unwrap()
}

/// The role of a process that the scenario kills.
pub(crate) fn log_until_killed(logdir: &Path, workload: &str) {
    let workload = Workload::named(workload);
    let summary = workload.open(logdir);
    let reports = Reports::new();
    start_timer(&reports, logdir, workload.flush_interval);
    thread::scope(|scope| {
        for thread in 0..workload.threads {
            let (summary, reports) = (&summary, &reports);
            scope.spawn(move || workload.log(summary, reports, thread, u64::MAX));
        }
    });
}

/// Starts a thread that waits and writes like the worker of a writer. Its reports tell the parent how much the machine delays
/// such a thread.
pub(crate) fn start_timer(reports: &Reports, logdir: &Path, interval: Duration) {
    let (reports, mut file) = (reports.clone(), File::create(logdir.join("timer")).unwrap());
    reports.send(TIMER, 0);
    if !interval.is_zero() {
        thread::spawn(move || {
            for tick in 1.. {
                thread::sleep(interval);
                file.write_all(b"tick").unwrap();
                reports.send(TIMER, tick);
            }
        });
    }
}

/// Returns the time of a clock that all processes share.
pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(
        now.tv_sec.try_into().unwrap(),
        now.tv_nsec.try_into().unwrap(),
    )
}

/// The pipe to the parent.
#[derive(Debug)]
pub(crate) struct Reports(File);

/// A thread, the number of its accepted records, and the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) thread: u64,
    pub(crate) count: u64,
    pub(crate) time: Duration,
}

impl Reports {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout().as_fd().try_clone_to_owned();
        Self(File::from(stdout.unwrap()))
    }

    /// Sends a report in one write, which a pipe does not split.
    pub(crate) fn send(&self, thread: u64, count: u64) {
        let nanos = u64::try_from(now().as_nanos()).unwrap();
        let mut report = [0; 24];
        for (bytes, number) in report.chunks_exact_mut(8).zip([thread, count, nanos]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        if (&self.0).write_all(&report).is_err() {
            std::process::exit(9); // the parent has ended
        }
    }
}

impl Clone for Reports {
    fn clone(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }
}

/// A process whose reports are read until it ends.
pub(crate) struct Reporting {
    pub(crate) process: Child,
    first: Receiver<()>,
    reports: JoinHandle<Vec<u8>>,
}

impl Reporting {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = process.stdout.take().unwrap();
        let (sender, first) = mpsc::channel();
        let reports = thread::spawn(move || {
            let mut bytes = vec![0; 24];
            if stdout.read_exact(&mut bytes).is_err() {
                return Vec::new();
            }
            sender.send(()).ok(); // fails if no one waits for it
            stdout.read_to_end(&mut bytes).unwrap();
            bytes
        });
        Self {
            process,
            first,
            reports,
        }
    }

    /// Returns when the process has opened its writer.
    pub(crate) fn wait_until_open(&self) {
        self.first.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    pub(crate) fn reports(self) -> Vec<Report> {
        let bytes = self.reports.join().unwrap();
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        let reports = bytes.chunks_exact(24);
        reports
            .map(|report| Report {
                thread: number(&report[..8]),
                count: number(&report[8..16]),
                time: Duration::from_nanos(number(&report[16..])),
            })
            .collect()
    }
}

/// Returns a command that runs this program in another role.
pub(crate) fn program_as(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("as").args(arguments);
    command
}

/// Waits for the end of a process. Kills it and returns `None` if that takes longer than `limit`.
pub(crate) fn wait_within(process: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = process.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(2 * MILLI);
    }
    process.kill().unwrap();
    None
}

/// The records that a process lost when it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loss {
    /// The number of records that were accepted but are in no file.
    pub(crate) missing: u64,
    /// The age of the oldest of them when the process ended.
    pub(crate) age: Duration,
    /// The allowed age: the flush interval, and the delay of the machine.
    pub(crate) allowed: Duration,
}

impl Loss {
    /// Compares the reports with the files, which must have the first records of each thread, without a gap.
    pub(crate) fn measure(
        reports: &[Report],
        contents: &Contents,
        end: Duration,
        interval: Duration,
    ) -> Self {
        let mut loss = Self::default();
        for thread in 0..WORKLOADS.iter().map(|w| w.threads).max().unwrap() {
            let written = u64::try_from(contents.count(&format!("loss/{thread}"))).unwrap();
            let own = || reports.iter().filter(|report| report.thread == thread);
            let accepted = own().map(|report| report.count).max().unwrap_or(0);
            loss.missing += accepted.saturating_sub(written);
            if let Some(oldest) = own().find(|report| report.count > written) {
                loss.age = loss.age.max(end.saturating_sub(oldest.time));
            }
        }
        if !interval.is_zero() {
            let ticks = reports.iter().filter(|report| report.thread == TIMER);
            let mut times: Vec<Duration> = ticks.map(|report| report.time).collect();
            times.push(end);
            let gaps = times.windows(2).map(|two| two[1].saturating_sub(two[0]));
            let late = gaps.max().unwrap_or_default().saturating_sub(interval);
            loss.allowed = interval + 2 * late + 500 * MILLI; // a busy machine also delays the writer itself
        }
        loss
    }

    /// The number of records that were lost although they were old enough.
    pub(crate) fn broken(&self) -> u64 {
        if self.age >= self.allowed {
            self.missing
        } else {
            0
        }
    }
}
