//! Programs that end in other ways than by closing what they log to.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{self, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use summary_writer::SummaryWriter;

use crate::child::{self, END, Habit, Reporting, Reports, Toll, wait_within};
use crate::read::{read, value_at};
use crate::scenario::Figure;

/// How a program ends, whether its last handle is dropped by that, and its exit code or minus its signal.
const ENDS: &[(&str, bool, i32)] = &[
    ("main returns", true, 0),
    ("a panic", true, 101),
    ("a panic in a thread", true, 0),
    ("a drop that logs while unwinding", true, 101),
    ("exit after a flush", true, 0),
    ("exit after closing", true, 0),
    ("exit", false, 0),
    ("main returns, with the writer in a static", false, 0),
    ("a panic, with the writer in a static", false, 101),
    ("a panic while unwinding", false, -6),
    ("abort", false, -6),
    ("terminated", false, -15),
];

static KEPT: OnceLock<SummaryWriter> = OnceLock::new();

pub(crate) fn run(mut random: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let mut figure = Figure::default();
    let mut worst = BTreeMap::new();
    for round in 0..4 {
        for (how, drops, want) in ENDS {
            let habit = [
                "as a training",
                "in bursts",
                "much at a time",
                "written through",
            ][round];
            let habit = Habit::named(habit);
            let logdir = dir.path().join(format!("{how} {round}"));
            let bursts = random.u64(1..100).to_string();
            let arguments = ["end", logdir.to_str().unwrap(), how, habit.name, &bursts];
            // What it says of its panics is no news.
            let mut program = Reporting::of(child::me(&arguments).stderr(Stdio::null()));
            if *how == "terminated" {
                thread::sleep(Duration::from_millis(random.u64(20..100)));
                kill_process(Pid::from_child(&program.process), Signal::TERM).unwrap();
            }
            let Some(status) = wait_within(&mut program.process, Duration::from_secs(60)) else {
                panic!("{how}: hangs");
            };
            let code = status.code().or(status.signal().map(|signal| -signal));
            assert_eq!(code, Some(*want), "{how}");
            let end = child::now();
            let reports = program.reports();
            let end = reports
                .iter()
                .find(|r| r.thread == END)
                .map_or(end, |r| r.time);
            let interval = if *drops {
                Duration::ZERO
            } else {
                habit.flush_interval
            };
            let toll = Toll::of(&reports, &read(&logdir), end, interval);
            figure.tried += 1;
            figure.lost += toll.broken();
            if toll.broken() > 0 {
                figure.note += &format!("BROKEN: {how}, {}: {toll:?}; ", habit.name);
            }
            let age: &mut Duration = worst.entry(*drops).or_default();
            *age = toll.age.max(*age);
        }
    }
    figure.note += &format!(
        "the last {:.1?} at the most where no handle is dropped, at an interval of 200 ms",
        worst[&false]
    );
    figure
}

/// Logs when it is dropped.
struct Last<'a>(&'a SummaryWriter, &'a Reports, bool);

impl Drop for Last<'_> {
    fn drop(&mut self) {
        self.0.scalar("loss/1", value_at(0), 0);
        self.1.say(1, 1);
        assert!(!self.2, "and once more");
    }
}

/// The role of a program that logs a while, and ends.
pub(crate) fn end(logdir: &Path, how: &str, habit: &str, bursts: u64) {
    let habit = Habit::named(habit);
    let summary = habit.open(logdir);
    let reports = Reports::new();
    child::beat(&reports, logdir, habit.flush_interval);
    let log = |summary: &SummaryWriter| habit.log(summary, &reports, 0, bursts);
    let say_end = || reports.say(END, 0);
    match how {
        "main returns" => log(&summary),
        "a panic" => {
            log(&summary);
            panic!("{how}");
        }
        "a panic in a thread" => {
            let clone = summary.clone();
            let thread = thread::spawn(move || {
                clone.scalar("loss/1", value_at(0), 0);
                panic!("of a thread");
            });
            log(&summary);
            thread.join().unwrap_err();
            reports.say(1, 1);
        }
        "a drop that logs while unwinding" => {
            let _last = Last(&summary, &reports, false);
            log(&summary);
            panic!("{how}");
        }
        "exit after a flush" => {
            log(&summary);
            summary.flush().unwrap();
            process::exit(0);
        }
        "exit after closing" => {
            log(&summary);
            summary.close().unwrap();
            process::exit(0);
        }
        "exit" => {
            log(&summary);
            say_end();
            process::exit(0);
        }
        "main returns, with the writer in a static" => {
            log(KEPT.get_or_init(|| summary));
            say_end();
        }
        "a panic, with the writer in a static" => {
            log(KEPT.get_or_init(|| summary));
            say_end();
            panic!("{how}");
        }
        "a panic while unwinding" => {
            let _last = Last(&summary, &reports, true);
            log(&summary);
            say_end();
            panic!("{how}");
        }
        "abort" => {
            log(&summary);
            say_end();
            process::abort();
        }
        "terminated" => habit.log(&summary, &reports, 0, u64::MAX),
        _ => panic!("{how}"),
    }
}
