//! A process that logs until its end comes, and tells its parent through a pipe what it had accepted, and when.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use summary_writer::{SummaryWriter, WriterOptions};

use crate::read::{Found, value_at};

/// The thread that a beat of the control is said to be of, and the end.
pub(crate) const CONTROL: u64 = u64::MAX;
pub(crate) const END: u64 = u64::MAX - 1;

/// How a child logs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    pub(crate) name: &'static str,
    pub(crate) flush_interval: Duration,
    pub(crate) threads: u64,
    /// Records between two pauses.
    pub(crate) burst: u64,
    pub(crate) pause: Duration,
    /// Texts of up to so many bytes among the scalars, images where there are any.
    pub(crate) text_bytes: usize,
}

const MILLI: Duration = Duration::from_millis(1);

pub(crate) const HABITS: &[Habit] = &[
    habit("as a training", 200, 1, 1),
    habit("in bursts", 200, 1, 200),
    habit("in threads", 50, 4, 10),
    Habit {
        text_bytes: 300_000,
        ..habit("much at a time", 50, 1, 2)
    },
    habit("written through", 0, 1, 50),
    Habit {
        text_bytes: 5000,
        ..habit("written through, in threads", 0, 4, 5)
    },
];

const fn habit(name: &'static str, flush_millis: u64, threads: u64, burst: u64) -> Habit {
    Habit {
        name,
        flush_interval: Duration::from_millis(flush_millis),
        threads,
        burst,
        pause: MILLI,
        text_bytes: 0,
    }
}

impl Habit {
    pub(crate) fn named(name: &str) -> Self {
        *HABITS.iter().find(|habit| habit.name == name).unwrap()
    }

    pub(crate) fn open(&self, logdir: &Path) -> SummaryWriter {
        let options = WriterOptions::new().flush_interval(self.flush_interval);
        options.create_file_writer(logdir).unwrap()
    }

    /// Logs as one of the threads, bursts without end or as many as are asked for, and reports after each.
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
                    summary.image("pixels", pixels(&mut random), step);
                }
                summary.scalar(&loss, value_at(step), step);
                step += 1;
            }
            reports.say(thread, u64::try_from(step).unwrap());
            thread::sleep(self.pause);
        }
    }
}

/// Noise, for it is the most work.
#[cfg(feature = "png")]
fn pixels(random: &mut fastrand::Rng) -> summary_writer::Image {
    let pixels: Vec<u8> = (0..16 * 16).map(|_| random.u8(..)).collect();
    summary_writer::Image::gray8(16, 16, &pixels).unwrap()
}

/// The role of a child that is killed, some time.
pub(crate) fn logger(logdir: &Path, habit: &str) {
    let habit = Habit::named(habit);
    let summary = habit.open(logdir);
    let reports = Reports::new();
    beat(&reports, logdir, habit.flush_interval);
    thread::scope(|scope| {
        for thread in 0..habit.threads {
            let (summary, reports) = (&summary, &reports);
            scope.spawn(move || habit.log(summary, reports, thread, u64::MAX));
        }
    });
}

/// Does by hand what the writer's thread has to do, wait and write, so that what the machine adds to that is known.
pub(crate) fn beat(reports: &Reports, logdir: &Path, interval: Duration) {
    let (reports, mut file) = (reports.clone(), File::create(logdir.join("beats")).unwrap());
    reports.say(CONTROL, 0);
    if !interval.is_zero() {
        thread::spawn(move || {
            for beat in 1.. {
                thread::sleep(interval);
                file.write_all(b"beat").unwrap();
                reports.say(CONTROL, beat);
            }
        });
    }
}

pub(crate) fn now() -> Duration {
    // The clock is one for all processes.
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(
        now.tv_sec.try_into().unwrap(),
        now.tv_nsec.try_into().unwrap(),
    )
}

/// The pipe to the parent: thread, records that it has had accepted, and the time.
#[derive(Debug)]
pub(crate) struct Reports(File);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) thread: u64,
    pub(crate) count: u64,
    pub(crate) time: Duration,
}

impl Reports {
    pub(crate) fn new() -> Self {
        Self(File::from(
            io::stdout().as_fd().try_clone_to_owned().unwrap(),
        ))
    }

    /// One write, of less than a pipe takes in one piece. A parent that is gone ends this process.
    pub(crate) fn say(&self, thread: u64, count: u64) {
        let nanos = u64::try_from(now().as_nanos()).unwrap();
        let mut report = [0; 24];
        for (bytes, number) in report.chunks_exact_mut(8).zip([thread, count, nanos]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        if (&self.0).write_all(&report).is_err() {
            std::process::exit(9);
        }
    }
}

impl Clone for Reports {
    fn clone(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }
}

/// A child with a pipe that is read until its end.
pub(crate) struct Reporting {
    pub(crate) process: Child,
    reports: JoinHandle<Vec<u8>>,
}

impl Reporting {
    pub(crate) fn spawn(arguments: &[&str]) -> Self {
        Self::of(&mut me(arguments))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = process.stdout.take().unwrap();
        let reports = thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).unwrap();
            bytes
        });
        Self { process, reports }
    }

    pub(crate) fn reports(self) -> Vec<Report> {
        let bytes = self.reports.join().unwrap();
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        bytes
            .chunks_exact(24)
            .map(|report| Report {
                thread: number(&report[..8]),
                count: number(&report[8..16]),
                time: Duration::from_nanos(number(&report[16..])),
            })
            .collect()
    }
}

/// This program in another role.
pub(crate) fn me(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("as").args(arguments);
    command
}

/// How a process ended; `None` if it was not within so long, and is killed now.
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

/// What the end of a process has cost it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Toll {
    /// Records that it was told were accepted, and that are in no file.
    pub(crate) missing: u64,
    /// How long before the end the oldest of them was accepted, at the most.
    pub(crate) age: Duration,
    /// How long it may be: the flush interval, and what the machine was late by.
    pub(crate) allowed: Duration,
}

impl Toll {
    /// Compares what was reported with what is there: of each thread the first records, none left out.
    pub(crate) fn of(reports: &[Report], found: &Found, end: Duration, interval: Duration) -> Self {
        let steps = found.by_tag();
        let mut toll = Self::default();
        let mut beats = vec![];
        for thread in 0..64 {
            let own = || reports.iter().filter(|report| report.thread == thread);
            let there = steps.get(&*format!("loss/{thread}"));
            let there = there.map_or(0, |steps| {
                let count = i64::try_from(steps.len()).unwrap();
                assert!(steps.iter().copied().eq(0..count), "a record is left out");
                u64::try_from(count).unwrap()
            });
            let reported = own().map(|report| report.count).max().unwrap_or(0);
            toll.missing += reported.saturating_sub(there);
            // It was accepted before it was reported, but not much.
            if let Some(oldest) = own().find(|report| report.count > there) {
                toll.age = toll.age.max(end.saturating_sub(oldest.time));
            }
        }
        if !interval.is_zero() {
            beats.extend(
                reports
                    .iter()
                    .filter(|r| r.thread == CONTROL)
                    .map(|r| r.time),
            );
            beats.push(end);
            let longest = beats
                .windows(2)
                .map(|pair| pair[1].saturating_sub(pair[0]))
                .max();
            let late = longest.unwrap_or_default().saturating_sub(interval);
            toll.allowed = interval + 2 * late + Duration::from_millis(100);
        }
        toll
    }

    /// Records that were lost against the promise.
    pub(crate) fn broken(&self) -> u64 {
        if self.missing > 0 && self.age >= self.allowed {
            self.missing
        } else {
            0
        }
    }
}
