//! Writers without a thread.

use super::*;

fn unthreaded() -> WriterOptions {
    WriterOptions::new().unthreaded()
}

#[test]
fn record_is_written_when_its_call_returns() {
    let tape = Tape::new();
    let summary = unthreaded().to_sink(tape.clone()).unwrap();
    for step in 0..3 {
        summary.scalar("loss", 0.5, step);
        assert_eq!(steps(&tape.bytes()), (0..=step).collect::<Vec<_>>());
    }
    summary.scalar("a".repeat(100_000), 0.5, 3);
    #[cfg(feature = "png")]
    summary.image("input", crate::Image::gray8(9, 7, [3; 63]).unwrap(), 4);
    let written = steps(&tape.bytes()).len() as u64;
    assert_eq!(written, if cfg!(feature = "png") { 5 } else { 4 });
    assert_eq!(summary.stats().flushed_count, written);
    summary.close().unwrap();
    assert_eq!(tape.threads(), [thread::current().id()]);
}

#[test]
fn data_of_a_failed_write_is_kept_and_written_once() {
    let tape = Tape::new().failing_after(70).short(9);
    let summary = unthreaded().to_sink(tape.clone()).unwrap();
    for step in 0..5 {
        summary.scalar("loss", 0.5, step);
    }
    let stats = summary.stats();
    assert!(
        stats.failure.is_some() && stats.pending_bytes > 0,
        "{stats:?}"
    );
    assert!(summary.flush().is_err());
    tape.recover();
    summary.flush().unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 1, 2, 3, 4]);
    assert!(summary.stats().failure.is_none());
    summary.close().unwrap();
}

#[test]
fn full_queue_rejects_records_and_accepts_them_again() {
    let tape = Tape::new().failing_after(0);
    let options = unthreaded().max_pending_bytes(200);
    let summary = options.to_sink(tape.clone()).unwrap();
    (0..10).for_each(|step| summary.scalar("loss", 0.5, step));
    let rejected = summary.stats().rejected_count;
    assert!(rejected > 0);
    tape.recover();
    (10..20).for_each(|step| summary.scalar("loss", 0.5, step));
    summary.clone().close().unwrap();
    let stats = summary.stats();
    assert_eq!(stats.rejected_count, rejected);
    assert_eq!(stats.flushed_count, stats.accepted_count);
}

#[test]
fn close_on_a_failing_sink_returns_an_error() {
    let tape = Tape::new().failing_after(50);
    let summary = unthreaded().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 0);
    assert!(summary.clone().close().is_err());
    // What was lost stays lost, although the sink works again.
    tape.recover();
    let attempts = tape.attempts();
    assert!(summary.clone().close().is_err() && summary.flush().is_err());
    assert_eq!(tape.attempts(), attempts);
    summary.scalar("loss", 0.5, 1);
    assert_eq!(summary.stats().ignored_count, 1);
    assert!(summary.close().is_err());
}

#[test]
fn panic_of_the_sink_does_not_reach_the_caller() {
    let summary = unthreaded().to_sink(Tape::new().panicking()).unwrap();
    summary.scalar("loss", 0.5, 0);
    assert!(summary.close().is_err());
}

#[test]
fn call_waits_for_the_write_of_another_thread_instead_of_being_rejected() {
    let tape = Tape::new().gated();
    let summary = unthreaded()
        .max_pending_bytes(100)
        .to_sink(tape.clone())
        .unwrap();
    let tag = "a".repeat(80);
    thread::scope(|scope| {
        scope.spawn(|| summary.scalar(&tag, 0.5, 0));
        tape.await_caller();
        let second = scope.spawn(|| summary.scalar(&tag, 0.5, 1));
        tape.open();
        second.join().unwrap();
    });
    assert_eq!(summary.stats().rejected_count, 0);
    assert_eq!(steps(&tape.bytes()), [0, 1]);
}

/// A sink that logs to another writer on the thread that writes.
struct Echo(SummaryWriter);

impl Write for Echo {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.scalar("bytes", bytes.len() as u64, 0);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn record_that_a_worker_of_another_writer_logs_is_written() {
    let tape = Tape::new();
    let echo = unthreaded().stderr(false).to_sink(tape.clone()).unwrap();
    let summary = patient().to_sink(Echo(echo)).unwrap();
    summary.scalar("loss", 0.5, 0);
    summary.close().unwrap(); // drops the other writer on the worker's thread
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn many_threads_write_all_their_records() {
    let tape = Tape::new();
    let summary = unthreaded().stderr(false).to_sink(tape.clone()).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|step| summary.scalar("loss", 0.5, step)));
        }
    });
    assert_eq!(steps(&tape.bytes()).len(), 400);
}

#[test]
fn run_directory_and_child_runs_have_their_files() {
    let dir = tempfile::tempdir().unwrap();
    let summary = unthreaded().create_file_writer(dir.path()).unwrap();
    for i in 0..100 {
        let run = summary.run(format!("{}", i % 50)).unwrap();
        run.scalar("loss", 0.5, i / 50);
        let bytes = std::fs::read(run.path().unwrap()).unwrap();
        assert_eq!(steps(&bytes), (0..=i / 50).collect::<Vec<_>>());
    }
    let root = summary.path().unwrap();
    summary.close().unwrap();
    assert!(!root.exists(), "it had no data");
}
