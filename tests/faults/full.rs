//! A disk without room, that gets some later, and a little at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use summary_writer::{Error, SummaryWriter, WhenFull, WriterOptions};

use crate::read::{read, value_at};
use crate::scenario::Figure;
use crate::world::must;

const ROUNDS: u64 = 20;
const LIMIT: Duration = Duration::from_secs(30);

/// File systems in memory, filled up by a file that is cut then.
pub(crate) fn disk(mut random: Rng) -> Figure {
    let mut figure = Figure::default();
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..ROUNDS {
        let bytes = 4096 * random.u64(16..80);
        let size = format!("size={bytes}");
        must("mount", &["-t", "tmpfs", "-o", &size, "none"], dir.path());
        let ballast = dir.path().join("ballast");
        fill_up(&ballast);
        nothing_is_left_by_opening(&dir.path().join("a/b"), io::ErrorKind::StorageFull);

        let file = OpenOptions::new().write(true).open(&ballast).unwrap();
        let mut left = bytes / 4096 - 4; // room for the directory and the first record
        file.set_len(4096 * left).unwrap();
        let mut draws = random.fork();
        fill(&dir.path().join("run"), &mut random, &mut figure, || {
            left = draws.u64(..=left);
            file.set_len(4096 * left).unwrap();
            if left < 8 {
                file.set_len(0).unwrap();
                must("mount", &["-o", "remount,size=64M"], dir.path());
            }
            left < 8
        });
        drop(file);
        must("umount", &[], dir.path());
    }
    figure
}

/// A limit for the size of a file, at any byte, that is raised.
pub(crate) fn limit(mut random: Rng) -> Figure {
    let mut figure = Figure::default();
    let highest = getrlimit(Resource::Fsize).maximum;
    let set = |current| {
        let maximum = highest;
        setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
    };
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        set(Some(random.u64(..60))); // less than the first record
        nothing_is_left_by_opening(&dir.path().join("a/b"), io::ErrorKind::FileTooLarge);

        let mut bytes = random.u64(200..200_000);
        set(Some(bytes));
        let mut draws = random.fork();
        fill(&dir.path().join("run"), &mut random, &mut figure, || {
            bytes += draws.u64(1..100_000);
            let is_last = draws.u8(..4) == 0;
            set(if is_last { highest } else { Some(bytes) });
            is_last
        });
    }
    figure
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

fn nothing_is_left_by_opening(logdir: &Path, want: io::ErrorKind) {
    let error = SummaryWriter::create_file_writer(logdir).unwrap_err();
    let Error::Io { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(source.kind(), want, "{error:?}");
    assert!(!logdir.parent().unwrap().exists());
}

struct Log {
    summary: SummaryWriter,
    step: i64,
    accepted: Vec<i64>,
    text: String,
}

impl Log {
    fn one(&mut self) {
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

    /// What is in the file is readable, and it is the first of what was accepted: how many.
    fn there(&self, logdir: &Path) -> usize {
        let found = read(logdir);
        let steps: Vec<i64> = found.all_steps().collect();
        assert!(self.accepted.starts_with(&steps), "{steps:?}");
        steps.len()
    }
}

/// Logs until the disk is full, and on; gives it more room, until `more_room` says that this was the last time. Or gives
/// up, one time of four.
fn fill(logdir: &Path, random: &mut Rng, figure: &mut Figure, mut more_room: impl FnMut() -> bool) {
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
    let gives_up = random.u8(..4) == 0;
    loop {
        while log.summary.stats().failure.is_none() {
            (0..20).for_each(|_| log.one());
            log.summary.flush_timeout(LIMIT).ok();
            assert!(log.step < 1_000_000, "the disk is not full");
        }
        figure.tried += 1;
        (0..random.usize(..500)).for_each(|_| log.one());
        let error = log.summary.flush_timeout(LIMIT).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        log.there(logdir);
        if gives_up {
            return give_up(log, logdir);
        }
        let is_last = more_room();
        let outcome = log.summary.flush_timeout(LIMIT);
        if is_last {
            outcome.unwrap();
            break;
        }
    }
    (0..100).for_each(|_| log.one());
    let stats = log.summary.stats();
    assert_eq!(
        stats.accepted_count,
        u64::try_from(log.accepted.len()).unwrap()
    );
    log.summary.clone().close().unwrap();
    let missing = log.accepted.len() - log.there(logdir);
    figure.lost += u64::try_from(missing).unwrap();
}

/// Closes while the disk is full: it says so, and what it counts as written is there.
fn give_up(log: Log, logdir: &Path) {
    let error = log.summary.clone().close().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    let flushed = usize::try_from(log.summary.stats().flushed_count).unwrap();
    assert!(log.there(logdir) >= flushed);
}
