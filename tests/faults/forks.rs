//! A program with logging threads forks. The children create their own writers, and the files of the parent stay intact.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use fork::{Fork, fork, waitpid_nohang};
use summary_writer::{Error, SummaryWriter, WriterOptions};

use crate::campaign::{Tally, rounds};
use crate::read::{read, value_at};

const RECORDS: i64 = 200;

pub(crate) fn run(mut random: Rng) -> Tally {
    let forks = rounds(10, 60);
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("parent");
    let options = WriterOptions::new().flush_interval(Duration::from_millis(1));
    let summary = options.create_file_writer(&logdir).unwrap();
    let done = AtomicBool::new(false);
    let log = |thread| {
        let tag = format!("loss/{thread}");
        let mut step = 0;
        while !done.load(Ordering::Relaxed) {
            summary.scalar(&tag, value_at(step), step);
            step += 1;
            if step % 100 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        step
    };
    let accepted: Vec<i64> = thread::scope(|scope| {
        let log = &log;
        let start = |thread| scope.spawn(move || log(thread));
        let loggers: Vec<_> = (0..4).map(start).collect();
        for i in 0..forks {
            thread::sleep(Duration::from_micros(random.u64(..3000)));
            // Every second child writes to the run of its parent, as if by mistake.
            let run = match i % 2 {
                0 => dir.path().join(format!("child{i}")),
                _ => logdir.clone(),
            };
            assert_eq!(status_of_child(&summary, &run, i), 0, "fork {i}");
        }
        done.store(true, Ordering::Relaxed);
        let counts = loggers.into_iter().map(|logger| logger.join().unwrap());
        counts.collect()
    });
    summary.close().unwrap();

    let parent = read(&logdir);
    assert_eq!(parent.torn_files, 0);
    let mut missing = 0;
    for (thread, count) in accepted.iter().enumerate() {
        missing += count - parent.count(&format!("loss/{thread}"));
    }
    for i in 0..forks {
        let tag = format!("child{i}");
        missing += RECORDS
            - match i % 2 {
                0 => read(&dir.path().join(&tag)).count(&tag),
                _ => parent.count(&tag),
            };
    }
    Tally {
        tried: forks,
        lost: missing.unsigned_abs(),
        note: format!("{} records in the parent's run", parent.steps.len()),
    }
}

fn status_of_child(parent: &SummaryWriter, run: &Path, i: u64) -> i32 {
    let pid = match fork().unwrap() {
        Fork::Child => {
            let child = AssertUnwindSafe(|| child(parent, run, i));
            process::exit(i32::from(!panic::catch_unwind(child).unwrap_or(false)));
        }
        Fork::Parent(pid) => pid,
    };
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if let Some(status) = waitpid_nohang(pid).unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the child {pid} hangs");
}

/// Uses the writer of the parent, which must refuse, and a new writer. Returns whether the writer of the parent refused.
fn child(parent: &SummaryWriter, run: &Path, i: u64) -> bool {
    parent.scalar("not here", value_at(0), 0);
    let is_refused = matches!(parent.flush_timeout(Duration::MAX), Err(Error::Closed));
    let summary = SummaryWriter::create_file_writer(run).unwrap();
    for step in 0..RECORDS {
        summary.scalar(format!("child{i}"), value_at(step), step);
    }
    summary.close().unwrap();
    is_refused
}
