//! A disk is full. Later, it gets room again, little by little.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use summary_writer::{Error, SummaryWriter, WhenFull, WriterOptions};

use crate::campaign::{Tally, rounds};
use crate::environment::must;
use crate::read::{read, value_at};

const TIMEOUT: Duration = Duration::from_secs(60);

/// Fills a file system in memory with a file. Truncating this file makes room.
pub(crate) fn disk(mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..rounds(4, 20) {
        let bytes = 4096 * random.u64(16..80);
        let size = format!("size={bytes}");
        must("mount", &["-t", "tmpfs", "-o", &size, "none"], dir.path());
        let ballast = dir.path().join("ballast");
        fill_up(&ballast);
        opening_fails_and_leaves_nothing(&dir.path().join("a/b"), io::ErrorKind::StorageFull);

        let file = OpenOptions::new().write(true).open(&ballast).unwrap();
        let mut pages = bytes / 4096 - 4; // room for the directory and the first record
        file.set_len(4096 * pages).unwrap();
        let mut draws = random.fork();
        log_while_full(&dir.path().join("run"), &mut random, &mut tally, || {
            pages = draws.u64(..=pages);
            file.set_len(4096 * pages).unwrap();
            if pages < 8 {
                file.set_len(0).unwrap();
                must("mount", &["-o", "remount,size=64M"], dir.path());
            }
            pages < 8
        });
        drop(file);
        must("umount", &[], dir.path());
    }
    tally
}

/// Limits the size of files at a random byte, and raises the limit step by step.
pub(crate) fn limit(mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    let maximum = getrlimit(Resource::Fsize).maximum;
    let set = |current| setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
    for _ in 0..rounds(4, 20) {
        let dir = tempfile::tempdir().unwrap();
        set(Some(random.u64(..60))); // less than the first record
        opening_fails_and_leaves_nothing(&dir.path().join("a/b"), io::ErrorKind::FileTooLarge);

        let mut bytes = random.u64(200..200_000);
        set(Some(bytes));
        let mut draws = random.fork();
        log_while_full(&dir.path().join("run"), &mut random, &mut tally, || {
            bytes += draws.u64(1..100_000);
            let is_last = draws.u8(..4) == 0;
            set(if is_last { maximum } else { Some(bytes) });
            is_last
        });
    }
    tally
}

fn fill_up(path: &Path) {
    let mut file = File::create(path).unwrap();
    let error = loop {
        if let Err(error) = file.write_all(&[1; 4096]) {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

fn opening_fails_and_leaves_nothing(logdir: &Path, wanted: io::ErrorKind) {
    let error = SummaryWriter::create_file_writer(logdir).unwrap_err();
    let Error::Io { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(source.kind(), wanted, "{error:?}");
    assert!(!logdir.parent().unwrap().exists());
}

struct Log {
    summary: SummaryWriter,
    step: i64,
    accepted: Vec<i64>,
    text: String,
}

impl Log {
    fn add(&mut self, count: usize) {
        for _ in 0..count {
            let before = self.summary.stats().accepted_count;
            match self.step % 3 {
                0 => self.summary.text("notes", &self.text, self.step),
                _ => self.summary.scalar("loss", value_at(self.step), self.step),
            }
            if self.summary.stats().accepted_count > before {
                self.accepted.push(self.step);
            }
            self.step += 1;
        }
    }

    /// Returns the number of records in the file, which must be the first ones that were accepted.
    fn written(&self, logdir: &Path) -> usize {
        let steps = read(logdir).steps;
        assert!(self.accepted.starts_with(&steps), "{steps:?}");
        steps.len()
    }
}

/// Logs until the disk is full and a little longer. Repeats this until `make_room` returns true, which means that there is room
/// for everything. In one case of four, it closes the writer while the disk is full.
fn log_while_full(
    logdir: &Path,
    random: &mut Rng,
    tally: &mut Tally,
    mut make_room: impl FnMut() -> bool,
) {
    let millis = [0, 1, 200][random.usize(..3)];
    let options = WriterOptions::new()
        .flush_interval(Duration::from_millis(millis))
        .max_pending_bytes([10_000, 64 << 20][random.usize(..2)])
        .when_full([WhenFull::Block, WhenFull::DropNew][random.usize(..2)]);
    let mut log = Log {
        summary: options.create_file_writer(logdir).unwrap(),
        step: 0,
        accepted: Vec::new(),
        text: "x".repeat(random.usize(..3000)),
    };
    let closes_early = random.u8(..4) == 0;
    loop {
        while log.summary.stats().failure.is_none() {
            log.add(20);
            log.summary.flush_timeout(TIMEOUT).ok(); // fails as soon as the disk is full
            assert!(log.step < 1_000_000, "the disk is not full");
        }
        tally.tried += 1;
        log.add(random.usize(..500));
        let error = log.summary.flush_timeout(TIMEOUT).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        log.written(logdir);
        if closes_early {
            let error = log.summary.clone().close().unwrap_err();
            assert!(matches!(error, Error::Io { .. }), "{error:?}");
            let flushed = log.summary.stats().flushed_count;
            assert!(log.written(logdir) as u64 >= flushed);
            return;
        }
        let is_last = make_room();
        let outcome = log.summary.flush_timeout(TIMEOUT);
        if is_last {
            outcome.unwrap();
            break;
        }
    }
    log.add(100);
    let accepted = log.accepted.len() as u64;
    assert_eq!(log.summary.stats().accepted_count, accepted);
    log.summary.clone().close().unwrap();
    tally.lost += accepted - log.written(logdir) as u64;
}
