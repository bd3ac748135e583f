//! A program that logs forks: the calls of the child are ignored and never block, and the file of the parent stays intact.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fork::{Fork, fork, waitpid_nohang};
use log::{LevelFilter, Log, Metadata, Record};
use summary_writer::proto::Event;
use summary_writer::proto::event::What;
use summary_writer::{Audio, Embedding, Error, EventReader, HParams, SummaryWriter, WriterOptions};

/// A logger that holds a lock while it logs, as most do.
struct Logger(Mutex<()>);

static LOGGER: Logger = Logger(Mutex::new(()));

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &Record<'_>) {
        drop(self.0.lock().unwrap());
    }

    fn flush(&self) {}
}

/// Logs like a child that does not handle the fork. Returns whether all calls behave as documented.
fn child_is_ignored(summary: SummaryWriter) -> bool {
    log_images(&summary);
    log_audio(&summary, 1_000_000);
    for step in 1_000_000..1_020_000 {
        summary.scalar("child", 0.5, step);
    }
    // The writer reports these in its own process.
    summary.at(f64::NAN).scalar("child", 0.5, u64::MAX);
    summary.hparams(HParams::new().set("lr", 0.5));
    let has_no_flush = matches!(summary.flush(), Err(Error::Closed));
    let stats = summary.stats();
    let is_counted = stats.ignored_count > 0 && matches!(stats.failure, Some(Error::Closed));
    let has_no_runs = matches!(summary.run("child"), Err(Error::Closed));
    let points = Embedding::new("child", &[0.5f32, 0.25], 1).unwrap();
    let has_no_embeddings = matches!(summary.embedding(points, 0), Err(Error::Closed));
    drop(summary.clone());
    let has_no_path = summary.path().is_none();
    has_no_flush
        && has_no_runs
        && has_no_embeddings
        && has_no_path
        && is_counted
        && matches!(summary.close(), Err(Error::Closed))
}

/// Logs enough images that the buffers of their pixels are reused.
#[cfg(feature = "png")]
fn log_images(summary: &SummaryWriter) {
    for step in 0..100 {
        let image = summary_writer::Image::rgb8(80, 80, [7; 80 * 80 * 3]).unwrap();
        summary.image("image", image, step);
    }
}

#[cfg(not(feature = "png"))]
fn log_images(_: &SummaryWriter) {}

fn log_audio(summary: &SummaryWriter, step: i64) {
    summary.audio("audio", Audio::mono_i16(8000, [0]).unwrap(), step);
}

fn install_logger() {
    log::set_logger(&LOGGER).ok(); // Another test may have installed it.
    log::set_max_level(LevelFilter::Trace);
}

/// Forks while the lock of the logger is held. The child logs and exits. Returns its exit status, or fails after a minute.
fn status_of_child(summary: &SummaryWriter) -> i32 {
    let held = LOGGER.0.lock().unwrap();
    let pid = match fork().unwrap() {
        Fork::Child => {
            // A panic would unwind into a test that waits for threads that do not exist in the child.
            let child = AssertUnwindSafe(|| child_is_ignored(summary.clone()));
            process::exit(i32::from(!panic::catch_unwind(child).unwrap_or(false)))
        }
        Fork::Parent(pid) => pid,
    };
    drop(held);
    let start = Instant::now();
    // On a busy machine, a child needed 85 seconds for 0.1 seconds of work.
    while start.elapsed() < Duration::from_secs(600) {
        if let Some(status) = waitpid_nohang(pid).unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("the child {pid} hangs");
}

#[test]
fn calls_of_a_child_are_ignored_in_every_state_of_the_worker() {
    install_logger();
    for (name, interval) in [
        ("idle", Duration::from_millis(1)),
        ("batching", Duration::from_secs(3600)),
        ("writing through", Duration::ZERO),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let summary = WriterOptions::new()
            .flush_interval(interval)
            .max_pending_bytes(500_000) // the child also reaches this limit
            .create_file_writer(dir.path())
            .unwrap();
        summary.hparams(HParams::new().set("lr", 0.5));
        summary.scalar("parent", 0.5, 1);
        log_images(&summary);
        if name == "idle" {
            summary.flush().unwrap();
        }
        assert_eq!(status_of_child(&summary), 0, "{name}");
        summary.scalar("parent", 0.5, 2);
        summary.close().unwrap();
        let is_image = |event: &Event| matches!(&event.what, Some(What::Summary(summary)) if summary.value[0].tag == "image");
        let events = EventReader::open(dir.path()).unwrap().map(Result::unwrap);
        let (images, others): (Vec<_>, Vec<_>) = events.partition(is_image);
        assert_eq!(images.len(), if cfg!(feature = "png") { 100 } else { 0 });
        let steps: Vec<_> = others.iter().map(|event| event.step).collect();
        // The version, the hyperparameters, two scalars, and the end of the session.
        assert_eq!(steps, [0, 0, 1, 2, 0], "{name}");
    }
}

/// Ends the threads even if the test fails, because they would fill the disk.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn fork_while_other_threads_log_never_hangs() {
    install_logger();
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let unthreaded = WriterOptions::new().unthreaded().to_sink(io::sink());
    let unthreaded = unthreaded.unwrap();
    let done = AtomicBool::new(false);
    let logged = thread::scope(|scope| {
        // This thread holds the locks for opening runs.
        scope.spawn(|| {
            (0..)
                .take_while(|_| !done.load(Ordering::Relaxed))
                .for_each(|i| drop(summary.run(format!("run{i}")).map(SummaryWriter::close)))
        });
        // This thread holds the lock for the memory of images.
        scope.spawn(|| {
            let closed = SummaryWriter::disabled();
            while !done.load(Ordering::Relaxed) {
                log_images(&closed);
                thread::yield_now();
            }
        });
        // This thread holds the locks for audio clips and of a writer without threads.
        scope.spawn(|| {
            (0..)
                .take_while(|_| !done.load(Ordering::Relaxed))
                .for_each(|step| log_audio(&unthreaded, step));
        });
        let logger = scope.spawn(|| {
            (1i64..)
                .take_while(|_| !done.load(Ordering::Relaxed))
                .inspect(|step| summary.scalar("parent", 0.5, *step))
                .last()
        });
        let stop = Stop(&done);
        for i in 0..4 {
            assert_eq!(status_of_child(&summary), 0, "fork {i}");
            assert_eq!(status_of_child(&unthreaded), 0, "fork {i}, unthreaded");
        }
        drop(stop);
        logger.join().unwrap().unwrap()
    });
    summary.close().unwrap();
    let steps = EventReader::open(dir.path())
        .unwrap()
        .map(|event| event.unwrap().step);
    assert!(steps.eq(0..=logged));
}
