//! A program with logging threads forks: the children have writers of their own, and the parent's files stay whole.

use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use fork::{Fork, fork, waitpid_nohang};
use summary_writer::{Error, SummaryWriter, WriterOptions};

use crate::read::{read, value_at};
use crate::scenario::Figure;

const FORKS: u64 = 60;
const RECORDS: i64 = 200;

pub(crate) fn run(mut random: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("parent");
    let options = WriterOptions::new().flush_interval(Duration::from_millis(1));
    let summary = options.create_file_writer(&logdir).unwrap();
    let done = AtomicBool::new(false);
    let counts: Vec<i64> = thread::scope(|scope| {
        let loggers: Vec<_> = (0..4)
            .map(|thread| {
                let (summary, done) = (&summary, &done);
                scope.spawn(move || {
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
                })
            })
            .collect();
        for i in 0..FORKS {
            thread::sleep(Duration::from_micros(random.u64(..3000)));
            // Every other child writes beside its parent, by mistake.
            let own = match i % 2 {
                0 => dir.path().join(format!("child{i}")),
                _ => logdir.clone(),
            };
            let pid = match fork().unwrap() {
                Fork::Child => {
                    let child = AssertUnwindSafe(|| child(&summary, &own, i));
                    process::exit(i32::from(!panic::catch_unwind(child).unwrap_or(false)));
                }
                Fork::Parent(pid) => pid,
            };
            let start = Instant::now();
            let status = loop {
                if let Some(status) = waitpid_nohang(pid).unwrap() {
                    break status;
                }
                assert!(start.elapsed() < Duration::from_secs(60), "{pid} hangs");
                thread::sleep(Duration::from_millis(1));
            };
            assert_eq!(status, 0, "fork {i}");
        }
        done.store(true, Ordering::Relaxed);
        loggers
            .into_iter()
            .map(|logger| logger.join().unwrap())
            .collect()
    });
    summary.close().unwrap();

    let mut lost = 0;
    let mut total = 0;
    let mut check = |steps: Option<&Vec<i64>>, count: i64| {
        let there = steps.map_or(0, |steps| {
            let there = i64::try_from(steps.len()).unwrap();
            assert!(steps.iter().copied().eq(0..there), "{steps:?}");
            there
        });
        assert!(there <= count);
        lost += u64::try_from(count - there).unwrap();
        total += there;
    };
    let found = read(&logdir);
    assert_eq!(found.torn_files, 0);
    let by_tag = found.by_tag();
    for (thread, count) in counts.iter().enumerate() {
        check(by_tag.get(&*format!("loss/{thread}")), *count);
    }
    for i in 0..FORKS {
        let tag = format!("child{i}");
        match i % 2 {
            0 => check(read(&dir.path().join(&tag)).by_tag().get(&*tag), RECORDS),
            _ => check(by_tag.get(&*tag), RECORDS),
        }
    }
    Figure {
        tried: FORKS,
        lost,
        note: format!("{total} records of 4 threads and the children read"),
    }
}

/// What a child does with its parent's writer, and with its own; true if all is as promised.
fn child(parent: &SummaryWriter, own: &std::path::Path, i: u64) -> bool {
    parent.scalar("not here", value_at(0), 0);
    let is_refused = matches!(parent.flush_timeout(Duration::MAX), Err(Error::Closed));
    let summary = SummaryWriter::create_file_writer(own).unwrap();
    for step in 0..RECORDS {
        summary.scalar(format!("child{i}"), value_at(step), step);
    }
    summary.close().unwrap();
    is_refused
}
