//! Sinks that hang, and sinks that write a few bytes at a time.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process_group};
use summary_writer::{Error, SummaryWriter, WhenFull, WriterOptions};

use crate::campaign::{Tally, rounds};
use crate::environment::{mount_disk, must};
use crate::read::{read, value_at};

const TIMEOUT: Duration = Duration::from_secs(60);
/// More records than a pipe holds.
const MANY: i64 = 5000;

fn log(summary: &SummaryWriter, count: i64) {
    (0..count).for_each(|step| summary.scalar("loss", value_at(step), step));
}

/// A frozen disk, which hangs like a network disk whose server is gone.
pub(crate) fn frozen_disk(mut random: Rng) -> Tally {
    let dir = tempfile::tempdir().unwrap();
    let disk = mount_disk(dir.path());
    // If this process is killed, this command thaws the disk. Otherwise every process that wrote to it would hang forever.
    let script = format!("sleep 200; fsfreeze -u {disk:?}");
    let mut thaw = Command::new("sh");
    thaw.args(["-c", &script]).stdout(Stdio::null());
    let mut thaw = thaw.process_group(0).spawn().unwrap();
    let mut tally = Tally::default();
    for round in 0..rounds(1, 4) {
        let mut run = 0;
        tally.tried += check_stuck_sink(&mut random, |options| {
            run += 1;
            let logdir = disk.join(format!("run{round}.{run}"));
            let summary = options.create_file_writer(&logdir).unwrap();
            must("fsfreeze", &["-f"], &disk);
            let disk = disk.clone();
            let release = Box::new(move || -> Steps {
                must("fsfreeze", &["-u"], &disk);
                Box::new(move || read(&logdir).steps)
            });
            Stuck { summary, release }
        });
    }
    kill_process_group(Pid::from_child(&thaw), Signal::KILL).unwrap();
    thaw.wait().unwrap();
    must("umount", &[], &disk);
    tally
}

/// A pipe without a reading process.
pub(crate) fn pipe(mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..rounds(1, 4) {
        tally.tried += check_stuck_sink(&mut random, |options| {
            let (reader, mut writer) = io::pipe().unwrap();
            let filled = writer.write(&[1; 1 << 16]).unwrap();
            let summary = options.to_sink(writer).unwrap();
            let release = Box::new(move || -> Steps {
                let reading = thread::spawn(move || steps_of_stream(reader, filled));
                Box::new(move || reading.join().unwrap())
            });
            Stuck { summary, release }
        });
    }
    tally
}

/// Reads a stream to its end and returns the steps in it, without its first `skip` bytes.
fn steps_of_stream(mut reader: impl Read, skip: usize) -> Vec<i64> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    steps_of(&bytes[skip..])
}

fn steps_of(file: &[u8]) -> Vec<i64> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tfevents"), file).unwrap();
    read(dir.path()).steps
}

/// Waits until the writer is closed, and returns the steps that were written.
type Steps = Box<dyn FnOnce() -> Vec<i64>>;

/// A writer whose sink hangs until `release` is called.
struct Stuck {
    summary: SummaryWriter,
    release: Box<dyn FnOnce() -> Steps>,
}

fn flush_times_out(summary: &SummaryWriter) {
    let outcome = summary.flush_timeout(Duration::from_millis(50));
    assert!(
        matches!(outcome, Err(Error::TimedOut { .. })),
        "{outcome:?}"
    );
    assert!(
        summary.stats().failure.is_none(),
        "a sink that hangs has not failed"
    );
}

/// Checks how calls behave when a sink hangs. Returns the number of checks.
fn check_stuck_sink(random: &mut Rng, mut open: impl FnMut(WriterOptions) -> Stuck) -> u64 {
    let millis = [1, 200][random.usize(..2)];
    let options = || WriterOptions::new().flush_interval(Duration::from_millis(millis));
    let bound = random.usize(1000..20_000);
    let count = random.i64(1..MANY);
    logging_does_not_wait(open(options()), count);
    new_records_are_dropped(
        open(
            options()
                .max_pending_bytes(bound)
                .when_full(WhenFull::DropNew),
        ),
        bound,
    );
    callers_wait_for_room(open(options().max_pending_bytes(bound)), bound);
    closing_waits(open(options()), count);
    4
}

fn logging_does_not_wait(Stuck { summary, release }: Stuck, count: i64) {
    log(&summary, count);
    flush_times_out(&summary);
    let steps = release();
    summary.flush_timeout(TIMEOUT).unwrap();
    summary.close().unwrap();
    assert!(steps().into_iter().eq(0..count));
}

fn new_records_are_dropped(Stuck { summary, release }: Stuck, bound: usize) {
    log(&summary, 4 * MANY);
    flush_times_out(&summary);
    let stats = summary.stats();
    assert!(stats.pending_bytes <= bound as u64, "{stats:?}");
    assert!(stats.rejected_count > 0, "{stats:?}");
    let steps = release();
    summary.close().unwrap();
    let steps = steps();
    assert_eq!(steps.len() as u64, stats.accepted_count);
    assert!(steps.iter().copied().eq(0..steps.len() as i64));
}

fn callers_wait_for_room(Stuck { summary, release }: Stuck, bound: usize) {
    let callers = [(); 2].map(|()| {
        let summary = summary.clone();
        thread::spawn(move || log(&summary, MANY))
    });
    // A record has less than 60 bytes.
    while summary.stats().pending_bytes + 60 < bound as u64 {
        thread::yield_now();
    }
    flush_times_out(&summary);
    let stats = summary.stats();
    assert!(stats.pending_bytes <= bound as u64, "{stats:?}");
    assert!(callers.iter().all(|caller| !caller.is_finished()));
    let steps = release();
    for caller in callers {
        caller.join().unwrap();
    }
    assert_eq!(summary.stats().rejected_count, 0);
    summary.close().unwrap();
    assert_eq!(steps().len() as i64, 2 * MANY);
}

fn closing_waits(Stuck { summary, release }: Stuck, count: i64) {
    log(&summary, count);
    let closing = {
        let summary = summary.clone();
        thread::spawn(move || summary.close())
    };
    while summary.stats().ignored_count == 0 {
        summary.scalar("late", value_at(0), 0);
        thread::sleep(Duration::from_millis(1));
    }
    assert!(!closing.is_finished());
    let steps = release();
    closing.join().unwrap().unwrap();
    drop(summary);
    assert!(steps().starts_with(&(0..count).collect::<Vec<_>>()));
}

/// A sink that writes a part of the data, is interrupted by a signal, or fails for a moment.
struct Unreliable {
    taken: Vec<u8>,
    random: Rng,
    /// Receives all bytes when the sink is dropped.
    done: std::sync::mpsc::Sender<Vec<u8>>,
}

impl Write for Unreliable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.random.u8(..10) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            1 | 2 => Err(io::ErrorKind::Interrupted.into()),
            _ => {
                let count = self.random.usize(1..=bytes.len());
                self.taken.extend_from_slice(&bytes[..count]);
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Unreliable {
    fn drop(&mut self) {
        self.done.send(std::mem::take(&mut self.taken)).ok(); // the test may have failed
    }
}

pub(crate) fn short_writes(mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..rounds(10, 40) {
        let (done, bytes) = std::sync::mpsc::channel();
        let sink = Unreliable {
            taken: Vec::new(),
            random: random.fork(),
            done,
        };
        let options = WriterOptions::new().flush_interval(Duration::from_millis(1));
        let summary = options.to_sink(sink).unwrap();
        log(&summary, MANY);
        while summary.flush_timeout(TIMEOUT).is_err() {}
        summary.close().unwrap();
        let steps = steps_of(&bytes.recv_timeout(TIMEOUT).unwrap());
        assert!(steps.is_sorted_by(|a, b| a < b), "{steps:?}");
        tally.lost += MANY as u64 - steps.len() as u64;
        tally.tried += 1;
    }
    tally
}
