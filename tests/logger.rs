//! A logger that writes all messages with a summary writer, and may hold a lock meanwhile. The writer reports problems to this
//! logger, and neither may wait for the other. The test is alone in its process, because a process has one logger.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use log::{Log, Metadata, Record};
use summary_writer::{EventReader, SummaryWriter, WriterOptions};

struct Logger(Mutex<Option<SummaryWriter>>);

static LOGGER: Logger = Logger(Mutex::new(None));

/// The logger keeps its lock while it logs, and logs to a child run.
static OPENS_RUN: AtomicBool = AtomicBool::new(false);
/// The logger keeps its lock while it logs.
static KEEPS_LOCK: AtomicBool = AtomicBool::new(false);

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let root = self.0.lock().unwrap();
        if let Some(root) = &*root
            && OPENS_RUN.load(Ordering::Relaxed)
        {
            let run = root.run("log").unwrap();
            return run.text("log", record.args().to_string(), 0);
        }
        if let Some(summary) = &*root
            && KEEPS_LOCK.load(Ordering::Relaxed)
        {
            // The worker reports that these steps repeat.
            return (0..3).for_each(|_| summary.text("log", record.args().to_string(), 0));
        }
        let summary = root.clone();
        drop(root);
        if let Some(summary) = summary {
            summary.text("log", record.args().to_string(), 0);
            let _is_not_waited_for = summary.flush();
        }
    }

    fn flush(&self) {}
}

/// Runs `work`, which must end within a minute.
fn bounded(name: &str, work: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        work();
        sender.send(()).unwrap();
    });
    let ended = receiver.recv_timeout(Duration::from_secs(60));
    assert!(ended.is_ok() || thread.is_finished(), "{name} hangs");
    thread.join().unwrap();
}

/// A disk that is full until the flag is set.
#[derive(Clone, Default)]
struct Disk(Arc<AtomicBool>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.load(Ordering::Relaxed) {
            true => Ok(bytes.len()),
            false => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn writer_can_log_the_messages_of_its_own_worker() {
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    bounded("a deleted directory, and a flush interval of 0", || {
        // Windows may keep a directory while a file in it is open.
        if cfg!(windows) {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let logdir = dir.path().join("run");
        let options = WriterOptions::new().flush_interval(Duration::ZERO);
        let summary = options.create_file_writer(&logdir).unwrap();
        *LOGGER.0.lock().unwrap() = Some(summary.clone());
        fs::remove_dir_all(&logdir).unwrap();
        summary.scalar("loss", 0.5, 0);
        while summary.stats().accepted_count < 2 {
            thread::yield_now(); // the report comes from another thread
        }
        *LOGGER.0.lock().unwrap() = None;
        summary.close().unwrap();
        assert_eq!(
            EventReader::open(&logdir).unwrap().count(),
            3,
            "version, scalar, report"
        );
    });

    bounded("a disk that was full, and a full writer", || {
        let disk = Disk::default();
        let options = WriterOptions::new().max_pending_bytes(10_000);
        let summary = options.to_sink(disk.clone()).unwrap();
        *LOGGER.0.lock().unwrap() = Some(summary.clone());
        assert!(summary.flush().is_err());
        (0..1000).for_each(|step| summary.scalar("loss", 0.5, step));
        disk.0.store(true, Ordering::Relaxed);
        summary.flush().unwrap();
        *LOGGER.0.lock().unwrap() = None;
        summary.close().unwrap();
    });

    bounded(
        "runs that are suspended, and a logger that opens a run",
        || {
            let dir = tempfile::tempdir().unwrap();
            let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
            drop(summary.run("log").unwrap());
            *LOGGER.0.lock().unwrap() = Some(summary.clone());
            OPENS_RUN.store(true, Ordering::Relaxed);
            for i in 0..300 {
                // The worker reports that the step repeats, also while it is suspended.
                let run = summary.run(format!("trial {}", i % 100)).unwrap();
                run.scalar("loss", 0.5, 0);
                drop(run);
                if i % 50 == 0 {
                    log::warn!("message {i}");
                }
            }
            // Its lock is free while the last reports come.
            OPENS_RUN.store(false, Ordering::Relaxed);
            *LOGGER.0.lock().unwrap() = None;
            summary.close().unwrap();
            let events = EventReader::open(dir.path().join("log")).unwrap();
            assert!(events.count() > 50, "the trials have reports");
        },
    );

    bounded(
        "reports of runs that open, and a logger that opens a run",
        || {
            let dir = tempfile::tempdir().unwrap();
            // An event file of another process is reported.
            let file = dir
                .path()
                .join("a")
                .join("events.out.tfevents.0000000001.host.1.0");
            fs::create_dir(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
            let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
            drop(summary.run("log").unwrap());
            *LOGGER.0.lock().unwrap() = Some(summary.clone());
            OPENS_RUN.store(true, Ordering::Relaxed);
            drop(summary.run("a").unwrap());
            OPENS_RUN.store(false, Ordering::Relaxed);
            *LOGGER.0.lock().unwrap() = None;
            summary.close().unwrap();
            let events = EventReader::open(dir.path().join("log")).unwrap();
            assert_eq!(events.count(), 2, "version, report");
        },
    );

    let immediate = || WriterOptions::new().flush_interval(Duration::ZERO);
    let small = || WriterOptions::new().max_pending_bytes(100);
    for (name, options) in [
        ("a flush interval of 0", immediate()),
        ("a small bound", small()),
    ] {
        let name = format!("{name}, and a logger that keeps its lock");
        bounded(&name, move || {
            let summary = options.to_sink(io::sink()).unwrap();
            *LOGGER.0.lock().unwrap() = Some(summary.clone());
            KEEPS_LOCK.store(true, Ordering::Relaxed);
            let other = thread::spawn(|| (0..100).for_each(|i| log::warn!("message {i}")));
            for i in 0..80 {
                let tag = format!("loss {i}");
                (0..2).for_each(|_| summary.scalar(&tag, 0.5, 0));
            }
            other.join().unwrap();
            KEEPS_LOCK.store(false, Ordering::Relaxed);
            *LOGGER.0.lock().unwrap() = None;
            summary.close().unwrap();
        });
    }
}
