//! Calls that wait for the sink, and what ends the wait.

use super::*;

/// Returns a full writer whose sink is stuck, and a caller that waits for room.
fn with_a_waiting_caller(tape: &Tape) -> (SummaryWriter, thread::JoinHandle<()>) {
    let options = patient().max_pending_bytes(1000);
    let summary = options.to_sink(tape.clone()).unwrap();
    let handle = summary.clone();
    let caller = thread::spawn(move || {
        for step in 0..100 {
            handle.scalar("loss", 0.5, step); // 42 bytes each, more than there is room for
        }
    });
    // The worker writes the first batch only because a caller waits for room.
    tape.await_caller();
    (summary, caller)
}

#[test]
fn flush_timeout_returns_while_the_sink_is_stuck_and_loses_nothing() {
    let tape = Tape::new().gated();
    let summary = patient().to_sink(tape.clone()).unwrap();
    for (step, timeout) in (0..).zip([Duration::ZERO, Duration::from_millis(20)]) {
        summary.scalar("loss", 0.5, step);
        let error = summary.flush_timeout(timeout).unwrap_err();
        let Error::TimedOut { pending_bytes } = error else {
            panic!("{error:?}");
        };
        assert_eq!(pending_bytes, summary.stats().pending_bytes);
        assert!(summary.stats().failure.is_none(), "the sink has not failed");
    }
    tape.open();
    summary.flush_timeout(Duration::MAX).unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 1]);
    summary.flush_timeout(Duration::ZERO).unwrap(); // nothing to wait for
}

#[test]
fn close_timeout_returns_while_the_sink_is_stuck_and_its_thread_continues() {
    for has_other_handle in [false, true] {
        let tape = Tape::new().gated();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.scalar("loss", 0.5, 0);
        let other = has_other_handle.then(|| summary.clone());
        let error = summary.close_timeout(Duration::from_millis(20));
        assert!(matches!(error, Err(Error::TimedOut { .. })), "{error:?}");
        // The sink is stuck until all handles are dropped.
        if let Some(other) = other {
            other.scalar("loss", 0.5, 1);
            assert_eq!(other.stats().ignored_count, 1);
            let error = other.clone().close_timeout(Duration::ZERO);
            assert!(matches!(error, Err(Error::TimedOut { .. })), "{error:?}");
            drop(other);
        }
        tape.open();
        while steps(&tape.bytes()) != [0] {
            thread::yield_now();
        }
    }
}

#[test]
fn close_timeout_closes_a_sink_that_works() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 0);
    summary.close_timeout(FOREVER).unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn flush_timeout_does_not_wait_for_a_failing_sink() {
    let tape = Tape::new().failing_after(0);
    let summary = patient().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 0);
    let error = summary.flush_timeout(FOREVER).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    tape.recover();
    summary.flush_timeout(FOREVER).unwrap();
    summary.clone().close().unwrap();
    summary.flush_timeout(Duration::ZERO).unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn flush_timeout_starts_the_writing() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 0);
    summary.flush_timeout(Duration::ZERO).ok(); // it may be fast enough
    tape.await_attempts(1);
    summary.flush().unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn failing_sink_ends_the_wait_for_room() {
    let tape = Tape::new().gated().failing_after(0);
    let (summary, caller) = with_a_waiting_caller(&tape);
    assert!(!caller.is_finished());
    tape.permit(1);
    caller.join().unwrap();
    let stats = summary.stats();
    assert!(stats.rejected_count > 0, "{stats:?}");
    assert_eq!(
        stats.accepted_count + stats.rejected_count,
        100,
        "{stats:?}"
    );
    tape.recover();
    tape.open();
    summary.flush().unwrap();
    let accepted = i64::try_from(stats.accepted_count).unwrap();
    assert!(
        steps(&tape.bytes()).into_iter().eq(0..accepted),
        "the first ones, without a gap"
    );
}

#[test]
fn close_ends_the_wait_for_room() {
    let tape = Tape::new().gated();
    let (summary, caller) = with_a_waiting_caller(&tape);
    let closer = {
        let summary = summary.clone();
        thread::spawn(move || summary.close())
    };
    caller.join().unwrap(); // while the sink is still stuck
    tape.open();
    closer.join().unwrap().unwrap();
    let stats = summary.stats();
    assert_eq!(stats.accepted_count + stats.ignored_count, 100, "{stats:?}");
    let accepted = i64::try_from(stats.accepted_count).unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..accepted));
}

#[test]
fn failing_sink_ends_the_wait_for_a_write() {
    let tape = Tape::new().gated().failing_after(0);
    let options = WriterOptions::new().flush_interval(Duration::ZERO);
    let summary = options.to_sink(tape.clone()).unwrap();
    let caller = {
        let summary = summary.clone();
        thread::spawn(move || (0..10).for_each(|step| summary.scalar("loss", 0.5, step)))
    };
    tape.await_caller();
    tape.permit(1);
    caller.join().unwrap(); // nine of the calls return while the sink is stuck again
    tape.recover();
    tape.open();
    summary.close().unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..10));
}

/// A sink that logs to another writer.
struct Reporting(SummaryWriter);

impl Write for Reporting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.text("report", "text ".repeat(100), 0);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn worker_never_waits_for_another_writer() {
    for interval in [FOREVER, Duration::ZERO] {
        let tape = Tape::new().gated();
        let options = WriterOptions::new()
            .flush_interval(interval)
            .max_pending_bytes(1000);
        let stuck = options.to_sink(tape.clone()).unwrap();
        let summary = patient().to_sink(Reporting(stuck.clone())).unwrap();
        let flushed = (0..10).map(|step| {
            summary.scalar("loss", 0.5, step);
            summary.flush_timeout(Duration::from_secs(10))
        });
        let flushed: Vec<_> = flushed.collect();
        let stats = stuck.stats();
        tape.open();
        assert!(flushed.iter().all(Result::is_ok), "{flushed:?}");
        // Each write has logged a text of 500 bytes, and only one text had room after the version.
        assert!(stats.rejected_count >= 9, "{interval:?}: {stats:?}");
        assert!(stats.accepted_count + stats.rejected_count >= 10);
    }
}
