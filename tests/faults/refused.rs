//! A directory is deleted while a writer uses it. Files refuse writes, temporarily or permanently.

use std::fs;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use summary_writer::{Error, SummaryWriter, WriterOptions};

use crate::campaign::{Tally, rounds};
use crate::environment::{mount_disk, must};
use crate::read::{read, value_at};

const TIMEOUT: Duration = Duration::from_secs(60);

fn options(random: &mut Rng) -> WriterOptions {
    let millis = [0, 1, 200][random.usize(..3)];
    WriterOptions::new().flush_interval(Duration::from_millis(millis))
}

/// Flushes until everything is written.
fn flush_until_written(summary: &SummaryWriter) {
    for _ in 0..1000 {
        match summary.flush_timeout(TIMEOUT) {
            Ok(()) => return,
            Err(error) => assert!(matches!(error, Error::Io { .. }), "{error:?}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("{:?}", summary.stats());
}

fn flush_error(summary: &SummaryWriter) -> io::ErrorKind {
    match summary.flush_timeout(TIMEOUT) {
        Err(Error::Io { source, .. }) => source.kind(),
        other => panic!("{other:?}"),
    }
}

/// Sets a flag on drop, so that the threads that watch it end even if the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A thread logs while the directory is deleted. Everything that it logs after a deletion is written.
pub(crate) fn deleted(mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..rounds(1, 6) {
        let dir = tempfile::tempdir().unwrap();
        let logdir = dir.path().join("logs/run");
        let summary = options(&mut random).create_file_writer(&logdir).unwrap();
        let (done, accepted) = (AtomicBool::new(false), AtomicI64::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let step = accepted.load(Ordering::Relaxed);
                    summary.scalar("loss", value_at(step), step);
                    accepted.store(step + 1, Ordering::Release);
                    if step % 10 == 0 {
                        thread::sleep(Duration::from_micros(500));
                    }
                }
            });
            let stop = Stop(&done);
            for _ in 0..15 {
                thread::sleep(Duration::from_micros(random.u64(..3000)));
                while let Err(error) = fs::remove_dir_all(&logdir) {
                    // The writer may create the directory again during the deletion.
                    assert!(error.kind() != io::ErrorKind::PermissionDenied, "{error}");
                }
                // A call that ran during the deletion may have been accepted before it.
                let first = accepted.load(Ordering::Acquire) + 1;
                while accepted.load(Ordering::Acquire) < first + random.i64(1..100) {
                    thread::yield_now();
                }
                let end = accepted.load(Ordering::Acquire);
                flush_until_written(&summary);
                let steps = read(&logdir).steps;
                assert!(steps.is_sorted_by(|a, b| a + 1 == *b), "{steps:?}");
                let begin = steps.first().map_or(end, |step| end.min(*step));
                tally.lost += u64::try_from((begin - first).max(0)).unwrap();
                tally.tried += 1;
            }
            drop(stop);
        });
        summary.close().unwrap();
    }
    tally
}

/// A file refuses writes and accepts them again, several times.
pub(crate) fn immutable(mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    let dir = tempfile::tempdir().unwrap();
    let disk = mount_disk(dir.path());
    let logdir = disk.join("run");
    let summary = options(&mut random).create_file_writer(&logdir).unwrap();
    let chattr = |flag: &str| must("chattr", &[flag], &summary.path().unwrap());
    let mut step = 0;
    let mut log = |count: i64| {
        (step..step + count).for_each(|step| summary.scalar("loss", value_at(step), step));
        step += count;
        step
    };
    for _ in 0..rounds(3, 10) {
        log(random.i64(0..300));
        flush_until_written(&summary);
        chattr("+i");
        for _ in 0..2 {
            log(random.i64(1..300));
            assert_eq!(flush_error(&summary), io::ErrorKind::PermissionDenied);
        }
        chattr("-i");
        let accepted = log(random.i64(0..300));
        flush_until_written(&summary);
        tally.lost += (accepted - read(&logdir).count("loss")).unsigned_abs();
        tally.tried += 1;
    }
    summary.close().unwrap();
    must("umount", &[], &disk);
    tally
}

/// The kernel makes a damaged file system read-only permanently. No call waits for it, and the written records can be read.
pub(crate) fn read_only(mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..rounds(1, 4) {
        let dir = tempfile::tempdir().unwrap();
        let disk = mount_disk(dir.path());
        let logdir = disk.join("run");
        let summary = options(&mut random).create_file_writer(&logdir).unwrap();
        let count = random.i64(1..1000);
        (0..count).for_each(|step| summary.scalar("loss", value_at(step), step));
        flush_until_written(&summary);
        // The command prints an error, although it succeeds.
        let mut remount = Command::new("mount");
        remount.args(["-o", "remount,abort"]).arg(&disk);
        remount.output().unwrap();
        let probe = fs::write(disk.join("probe"), "").unwrap_err();
        assert_eq!(probe.kind(), io::ErrorKind::ReadOnlyFilesystem);

        (count..2 * count).for_each(|step| summary.scalar("loss", value_at(step), step));
        assert_eq!(flush_error(&summary), io::ErrorKind::ReadOnlyFilesystem);
        let stats = summary.stats();
        let accepted = 2 * count.unsigned_abs();
        assert_eq!((stats.accepted_count, stats.rejected_count), (accepted, 0));
        summary.close().unwrap_err();
        tally.lost += (count - read(&logdir).count("loss")).unsigned_abs();
        tally.tried += 1;
        must("umount", &[], &disk);
    }
    tally
}
