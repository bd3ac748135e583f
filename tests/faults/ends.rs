//! Programs that end without closing their writer.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{self, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use summary_writer::SummaryWriter;

use crate::campaign::{Tally, rounds};
use crate::child::{self, END, Loss, Reporting, Reports, WORKLOADS, Workload, wait_within};
use crate::read::{read, value_at};

/// How a program ends, whether that drops its last handle, and its exit code or minus its signal.
const ENDS: &[(&str, bool, i32)] = &[
    ("main returns", true, 0),
    ("a panic", true, 101),
    ("a panic in a thread", true, 0),
    ("exit after a flush", true, 0),
    ("exit", false, 0),
    ("main returns, with the writer in a static", false, 0),
    ("abort", false, -6),
    ("terminated", false, -15),
];

static KEPT: OnceLock<SummaryWriter> = OnceLock::new();

pub(crate) fn run(mut random: Rng) -> Tally {
    let dir = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    let mut oldest = Duration::ZERO;
    for round in 0..rounds(1, 6) {
        for (how, drops, wanted) in ENDS {
            let workload = &WORKLOADS[random.usize(..WORKLOADS.len())];
            let logdir = dir.path().join(format!("{how} {round}"));
            let bursts = random.u64(1..100).to_string();
            let arguments = ["end", logdir.to_str().unwrap(), how, workload.name, &bursts];
            let mut program = Reporting::spawn(child::program_as(&arguments).stderr(Stdio::null()));
            if *how == "terminated" {
                program.wait_until_open();
                thread::sleep(Duration::from_millis(random.u64(..100)));
                kill_process(Pid::from_child(&program.process), Signal::TERM).unwrap();
            }
            let status = wait_within(&mut program.process, Duration::from_secs(60));
            let status = status.unwrap_or_else(|| panic!("{how}: the program hangs"));
            let code = status.code().or(status.signal().map(|signal| -signal));
            assert_eq!(code, Some(*wanted), "{how}");

            let ended = child::now();
            let reports = program.reports();
            let end = reports.iter().find(|report| report.thread == END);
            let end = end.map_or(ended, |report| report.time);
            // A program that drops its last handle loses nothing.
            let interval = if *drops {
                Duration::ZERO
            } else {
                workload.flush_interval
            };
            let loss = Loss::measure(&reports, &read(&logdir), end, interval);
            tally.tried += 1;
            tally.lost += loss.broken();
            if loss.broken() > 0 {
                tally.note += &format!("BROKEN {how}, {}: {loss:?}; ", workload.name);
            }
            oldest = oldest.max(loss.age);
        }
    }
    tally.note += &format!("at most the last {oldest:.1?} where no handle is dropped");
    tally
}

/// The role of a program that logs for a while and then ends.
pub(crate) fn end(logdir: &Path, how: &str, workload: &str, bursts: u64) {
    let workload = Workload::named(workload);
    let summary = workload.open(logdir);
    let reports = Reports::new();
    child::start_timer(&reports, logdir, workload.flush_interval);
    let log = |summary: &SummaryWriter| workload.log(summary, &reports, 0, bursts);
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
            reports.send(1, 1);
        }
        "exit after a flush" => {
            log(&summary);
            summary.flush().unwrap();
            process::exit(0);
        }
        "exit" => {
            log(&summary);
            reports.send(END, 0);
            process::exit(0);
        }
        "main returns, with the writer in a static" => {
            log(KEPT.get_or_init(|| summary));
            reports.send(END, 0);
        }
        "abort" => {
            log(&summary);
            reports.send(END, 0);
            process::abort();
        }
        "terminated" => workload.log(&summary, &reports, 0, u64::MAX),
        _ => panic!("{how}"),
    }
}
