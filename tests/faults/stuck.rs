//! Sinks that neither take nor refuse, that are slow, that take a little at a time, and whose calls are interrupted.

use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};
use summary_writer::{Error, SummaryWriter, WhenFull, WriterOptions};

use crate::read::{read, value_at};
use crate::scenario::Figure;
use crate::world::{mount_disk, must};

const SOON: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(30);
/// More than a pipe holds.
const MANY: i64 = 5000;

fn log(summary: &SummaryWriter, count: i64) {
    (0..count).for_each(|step| summary.scalar("loss", value_at(step), step));
}

/// A disk that is frozen, as one of a network's that is away.
pub(crate) fn frozen_disk(mut random: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let disk = mount_disk(dir.path());
    // Should this process be ended meanwhile, the disk would be frozen for ever, and whoever wrote to it.
    let script = format!("sleep 60; fsfreeze -u {disk:?}");
    let mut insurance = Command::new("sh");
    insurance.args(["-c", &script]).stdout(Stdio::null());
    let mut insurance = insurance.process_group(0).spawn().unwrap();
    let mut figure = Figure::default();
    for round in 0..4 {
        let mut run = 0;
        figure.tried += stuck(&mut random, |options| {
            run += 1;
            let logdir = disk.join(format!("run{round}.{run}"));
            let summary = options.create_file_writer(&logdir).unwrap();
            must("fsfreeze", &["-f"], &disk);
            let disk = disk.clone();
            Stuck {
                summary,
                release: Box::new(move || {
                    must("fsfreeze", &["-u"], &disk);
                    Box::new(move || steps(&logdir))
                }),
            }
        });
    }
    kill_process_group(Pid::from_child(&insurance), Signal::KILL).unwrap();
    insurance.wait().unwrap();
    must("umount", &[], &disk);
    figure
}

/// A pipe that nobody reads.
pub(crate) fn pipe(mut random: Rng) -> Figure {
    let mut figure = Figure::default();
    for _ in 0..4 {
        figure.tried += stuck(&mut random, |options| {
            let (reader, mut writer) = io::pipe().unwrap();
            // It takes that much and no more.
            let pages = vec![1; 1 << 16];
            let filled = writer.write(&pages).unwrap();
            Stuck {
                summary: options.to_sink(writer).unwrap(),
                release: Box::new(move || {
                    let reading = thread::spawn(move || gather(reader, filled, || ()));
                    Box::new(move || reading.join().unwrap())
                }),
            }
        });
    }
    figure
}

fn steps(logdir: &Path) -> Vec<i64> {
    read(logdir).all_steps().collect()
}

/// Reads a stream to its end, but for the first bytes, in small pieces with `pause` between; the steps in it.
fn gather(mut reader: impl Read, skip: usize, mut pause: impl FnMut()) -> Vec<i64> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Interrupted),
        }
        pause();
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tfevents"), &bytes[skip..]).unwrap();
    steps(dir.path())
}

type Steps = Box<dyn FnOnce() -> Vec<i64>>;

struct Stuck {
    summary: SummaryWriter,
    /// Lets the sink go on; what it gives waits for the end of what is written, and says what that is.
    release: Box<dyn FnOnce() -> Steps>,
}

/// Tries all that has to do with a sink that is stuck; how many things these are.
fn stuck(random: &mut Rng, mut open: impl FnMut(WriterOptions) -> Stuck) -> u64 {
    let millis = [1, 200][random.usize(..2)];
    let options = || WriterOptions::new().flush_interval(Duration::from_millis(millis));
    let timed_out = |summary: &SummaryWriter| {
        let outcome = summary.flush_timeout(SOON);
        assert!(
            matches!(outcome, Err(Error::TimedOut { .. })),
            "{outcome:?}"
        );
        assert!(summary.stats().failure.is_none(), "it has not refused");
    };

    // Who logs does not wait, who flushes only as long as it wants to, and nothing is lost.
    let Stuck { summary, release } = open(options());
    let count = random.i64(1..MANY);
    log(&summary, count);
    timed_out(&summary);
    let written = release();
    summary.flush_timeout(LIMIT).unwrap();
    summary.close().unwrap();
    assert!(written().into_iter().eq(0..count));

    // Full, it drops what is new if it is told to, and memory stays as it is.
    let bound = random.usize(1000..20_000);
    let bounded = || options().max_pending_bytes(bound);
    let Stuck { summary, release } = open(bounded().when_full(WhenFull::DropNew));
    let peak = peak_kib();
    log(&summary, 40 * MANY);
    assert!(peak_kib() - peak < 2 << 10, "the records have 8 MiB");
    timed_out(&summary);
    let stats = summary.stats();
    assert!(stats.pending_bytes <= bound as u64, "{stats:?}");
    assert!(stats.refused_count > 0, "{stats:?}");
    let written = release();
    summary.close().unwrap();
    let written = written();
    assert!(written.iter().copied().eq(0..written.len() as i64));
    assert_eq!(written.len() as u64, stats.accepted_count);

    // Full, it lets its callers wait, and they go on with the sink.
    let Stuck { summary, release } = open(bounded());
    let callers: Vec<JoinHandle<()>> = (0..2)
        .map(|_| {
            let summary = summary.clone();
            thread::spawn(move || log(&summary, MANY))
        })
        .collect();
    while summary.stats().pending_bytes + 60 < bound as u64 {
        thread::yield_now(); // a record has less than 60 bytes
    }
    timed_out(&summary);
    let stats = summary.stats();
    assert!(stats.pending_bytes <= bound as u64, "{stats:?}");
    assert!(callers.iter().all(|caller| !caller.is_finished()));
    let written = release();
    callers
        .into_iter()
        .for_each(|caller| caller.join().unwrap());
    assert_eq!(summary.stats().refused_count, 0);
    summary.close().unwrap();
    assert_eq!(written().len() as i64, 2 * MANY);

    // Closing waits; who logs then is not kept.
    let Stuck { summary, release } = open(options());
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
    let written = release();
    closing.join().unwrap().unwrap();
    drop(summary);
    assert!(written().starts_with(&(0..count).collect::<Vec<_>>()));
    4
}

/// The most memory that this process has had.
fn peak_kib() -> u64 {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse().unwrap()
}

/// Threads that log more than a slow reader takes: all of them wait now and then, and everything arrives.
pub(crate) fn slow(mut random: Rng) -> Figure {
    let mut figure = Figure::default();
    for _ in 0..3 {
        let (reader, writer) = io::pipe().unwrap();
        let mut pauses = random.fork();
        let reading = thread::spawn(move || {
            gather(reader, 0, || {
                thread::sleep(Duration::from_micros(pauses.u64(..1000)));
            })
        });
        let options = WriterOptions::new().max_pending_bytes(random.usize(10_000..100_000));
        let summary = options.to_sink(writer).unwrap();
        thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(|| log(&summary, MANY))));
        });
        summary.close().unwrap();
        figure.tried += 1;
        figure.lost += missing(reading, 4);
    }
    figure
}

/// How many records of so many threads are not there.
fn missing(reading: JoinHandle<Vec<i64>>, threads: i64) -> u64 {
    let there = reading.join().unwrap();
    u64::try_from(threads * MANY - there.len() as i64).unwrap()
}

/// Passes on what it is given, and counts what came of it.
struct Counting<W> {
    sink: W,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    short: AtomicU64,
    refused: AtomicU64,
    interrupted: AtomicU64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = self.sink.write(bytes);
        let count = match &outcome {
            Ok(count) if *count < bytes.len() => &self.counts.short,
            Ok(_) => return outcome,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => &self.counts.interrupted,
            Err(_) => &self.counts.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// A socket that takes what it has room for, and else refuses: no call ever waits.
pub(crate) fn short_writes(mut random: Rng) -> Figure {
    let counts = Arc::new(Counts::default());
    let mut figure = Figure::default();
    for _ in 0..10 {
        let (reader, sink) = UnixStream::pair().unwrap();
        sink.set_nonblocking(true).unwrap();
        let mut pauses = random.fork();
        let reading = thread::spawn(move || {
            gather(reader, 0, || {
                thread::sleep(Duration::from_micros(pauses.u64(..300)));
            })
        });
        let counts = Arc::clone(&counts);
        let summary = WriterOptions::new()
            .to_sink(Counting { sink, counts })
            .unwrap();
        log(&summary, 2 * MANY);
        while summary.flush_timeout(LIMIT).is_err() {
            thread::sleep(Duration::from_millis(1)); // or it would be tried again five seconds later
        }
        summary.close().unwrap();
        figure.lost += missing(reading, 2);
    }
    let short = counts.short.load(Ordering::Relaxed);
    let refused = counts.refused.load(Ordering::Relaxed);
    assert!(short > 0 && refused > 0, "{short} short, {refused} refused");
    figure.tried = short + refused;
    figure.note = format!("{short} short writes, {refused} refused ones");
    figure
}

/// A signal, whose handler does nothing, ends the call that the writer's thread is in.
pub(crate) fn interrupted(mut random: Rng) -> Figure {
    handle_signals();
    let counts = Arc::new(Counts::default());
    let mut figure = Figure::default();
    let done = Arc::new(AtomicBool::new(false));
    let signals = {
        let done = Arc::clone(&done);
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                writers().into_iter().for_each(|pid| {
                    kill_process(pid, Signal::USR1).ok(); // it may have ended
                });
                thread::sleep(Duration::from_micros(100));
            }
        })
    };
    for _ in 0..5 {
        let (reader, sink): (PipeReader, PipeWriter) = io::pipe().unwrap();
        let mut pauses = random.fork();
        let reading = thread::spawn(move || {
            gather(reader, 0, || {
                thread::sleep(Duration::from_micros(pauses.u64(..1000)));
            })
        });
        let counts = Arc::clone(&counts);
        let options = WriterOptions::new().flush_interval(Duration::from_millis(1));
        let summary = options.to_sink(Counting { sink, counts }).unwrap();
        log(&summary, 2 * MANY);
        summary.close().unwrap();
        figure.lost += missing(reading, 2);
    }
    done.store(true, Ordering::Relaxed);
    signals.join().unwrap();
    let short = counts.short.load(Ordering::Relaxed);
    let interrupted = counts.interrupted.load(Ordering::Relaxed);
    assert_eq!(counts.refused.load(Ordering::Relaxed), 0);
    assert!(interrupted > 0, "{interrupted} interrupted, {short} short");
    figure.tried = interrupted + short;
    figure.note = format!("{interrupted} interrupted before the first byte, {short} behind it");
    figure
}

extern "C" fn do_nothing(_: libc::c_int) {}

#[allow(
    unsafe_code,
    reason = "a handler that lets calls be interrupted has no safe form anywhere"
)]
fn handle_signals() {
    let handler: extern "C" fn(libc::c_int) = do_nothing;
    // SAFETY: zero bytes are an action without flags, so without the one that has calls restarted; its handler does nothing.
    let outcome = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut())
    };
    assert_eq!(outcome, 0);
}

/// The threads of writers, where they can be told from others; else this process.
fn writers() -> Vec<Pid> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return vec![getpid()];
    };
    let is_writer = |path: &Path| {
        let mut name = String::new();
        let file = File::open(path.join("comm"));
        file.and_then(|mut file| file.read_to_string(&mut name))
            .is_ok()
            && name == "summary-writer\n"
    };
    tasks
        .map(|task| task.unwrap().path())
        .filter(|path| is_writer(path))
        .filter_map(|path| Pid::from_raw(path.file_name()?.to_str()?.parse().ok()?))
        .collect()
}
