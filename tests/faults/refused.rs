//! A directory that is deleted underfoot, and files that refuse what is written to them, for a while or for good.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use summary_writer::{Error, SummaryWriter, WriterOptions};

use crate::read::{read, value_at};
use crate::scenario::Figure;
use crate::world::{mount_disk, must};

const LIMIT: Duration = Duration::from_secs(30);

fn options(random: &mut Rng) -> WriterOptions {
    let millis = [0, 1, 200][random.usize(..3)];
    WriterOptions::new().flush_interval(Duration::from_millis(millis))
}

/// Flushes until the disk takes it all.
fn settle(summary: &SummaryWriter) {
    for _ in 0..1000 {
        match summary.flush_timeout(LIMIT) {
            Ok(()) => return,
            Err(error) => assert!(matches!(error, Error::Io { .. }), "{error:?}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("{:?}", summary.stats());
}

fn refusal(summary: &SummaryWriter) -> io::ErrorKind {
    match summary.flush_timeout(LIMIT) {
        Err(Error::Io { source, .. }) => source.kind(),
        other => panic!("{other:?}"),
    }
}

/// A thread logs on and on; of what it logs once a deletion has returned, all is there.
pub(crate) fn deleted(mut random: Rng) -> Figure {
    let mut figure = Figure::default();
    for _ in 0..6 {
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
                    // The writer may make it again, meanwhile.
                    assert!(error.kind() != io::ErrorKind::PermissionDenied, "{error}");
                }
                // The call at that moment may have been accepted before.
                let first = accepted.load(Ordering::Acquire) + 1;
                while accepted.load(Ordering::Acquire) < first + random.i64(1..100) {
                    thread::yield_now();
                }
                let end = accepted.load(Ordering::Acquire);
                settle(&summary);
                let found = read(&logdir);
                let steps: Vec<i64> = found.all_steps().filter(|step| *step < end).collect();
                assert!(steps.is_sorted_by(|a, b| a + 1 == *b), "{steps:?}");
                let from = steps.first().copied().unwrap_or(end);
                figure.lost += u64::try_from((from - first).max(0)).unwrap();
                figure.tried += 1;
            }
            drop(stop);
        });
        summary.close().unwrap();
    }
    figure
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Logs, makes the disk refuse, logs on, makes it take again, each many times; with `restart`, what was there is gone then.
fn on_and_off(
    random: &mut Rng,
    logdir: &Path,
    restart: bool,
    refuse: impl Fn(&SummaryWriter),
    relent: impl Fn(&SummaryWriter),
) -> Figure {
    let mut figure = Figure::default();
    let summary = options(random).create_file_writer(logdir).unwrap();
    let (mut first, mut step) = (0, 0);
    let mut log = |count: i64| {
        for _ in 0..count {
            summary.scalar("loss", value_at(step), step);
            step += 1;
        }
        step
    };
    for _ in 0..10 {
        let before = log(random.i64(0..300));
        settle(&summary);
        if restart {
            first = before;
        }
        refuse(&summary);
        log(1 + random.i64(0..300));
        assert_eq!(refusal(&summary), io::ErrorKind::PermissionDenied);
        log(random.i64(0..300));
        assert_eq!(refusal(&summary), io::ErrorKind::PermissionDenied);
        relent(&summary);
        let end = log(random.i64(0..300));
        settle(&summary);
        let found: Vec<i64> = read(logdir).all_steps().collect();
        let missing = (first..end).filter(|step| !found.contains(step)).count();
        figure.lost += u64::try_from(missing).unwrap();
        assert!(
            missing > 0 || found.iter().copied().eq(first..end),
            "{found:?}"
        );
        figure.tried += 1;
    }
    summary.close().unwrap();
    figure
}

/// The directory is deleted, and the one above does not let it be made again.
pub(crate) fn locked(mut random: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let mode = |mode| fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
    let logdir = dir.path().join("run");
    let figure = on_and_off(
        &mut random,
        &logdir,
        true,
        |_| {
            fs::remove_dir_all(&logdir).unwrap();
            mode(0o555);
        },
        |_| mode(0o755),
    );
    mode(0o555);
    let error = SummaryWriter::create_file_writer(dir.path().join("new/run")).unwrap_err();
    mode(0o755);
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert!(!dir.path().join("new").exists());
    figure
}

/// The file system refuses what is written to the open file, and takes it again.
pub(crate) fn immutable(mut random: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let disk = mount_disk(dir.path());
    let chattr = |flag: &str, summary: &SummaryWriter| {
        must("chattr", &[flag], &summary.path().unwrap());
    };
    let figure = on_and_off(
        &mut random,
        &disk.join("run"),
        false,
        |summary| chattr("+i", summary),
        |summary| chattr("-i", summary),
    );
    must("umount", &[], &disk);
    figure
}

/// The file system finds itself damaged and goes read-only, as by `errors=remount-ro`: for good, so nobody is kept waiting,
/// and what was written can be read.
pub(crate) fn read_only(mut random: Rng) -> Figure {
    let mut figure = Figure::default();
    for _ in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let disk = mount_disk(dir.path());
        let logdir = disk.join("run");
        let summary = options(&mut random).create_file_writer(&logdir).unwrap();
        let count = random.i64(1..1000);
        (0..count).for_each(|step| summary.scalar("loss", value_at(step), step));
        settle(&summary);
        // It says that it could not, and it did.
        let remount = Command::new("mount")
            .args(["-o", "remount,abort"])
            .arg(&disk)
            .output();
        remount.unwrap();
        let probe = fs::write(disk.join("probe"), "").unwrap_err();
        assert_eq!(probe.kind(), io::ErrorKind::ReadOnlyFilesystem);
        (count..2 * count).for_each(|step| summary.scalar("loss", value_at(step), step));
        assert_eq!(refusal(&summary), io::ErrorKind::ReadOnlyFilesystem);
        let stats = summary.stats();
        assert!(summary.close().is_err());
        assert_eq!(
            (stats.accepted_count, stats.refused_count),
            (2 * count.unsigned_abs(), 0)
        );
        let found = read(&logdir);
        figure.lost += u64::from(!found.all_steps().eq(0..count));
        figure.tried += 1;
        must("umount", &[], &disk);
    }
    figure
}
