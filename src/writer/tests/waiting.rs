//! Who waits for a sink, and what lets them go.

use super::*;

/// A full writer whose sink is stuck, and a caller that has been waiting for room since before this returns.
fn with_a_waiting_caller(tape: &Tape) -> (SummaryWriter, thread::JoinHandle<()>) {
    let options = patient().max_pending_bytes(1000);
    let summary = options.to_sink(tape.clone()).unwrap();
    let handle = summary.clone();
    let caller = thread::spawn(move || {
        for step in 0..100 {
            handle.scalar("loss", 0.5, step); // 42 bytes each: more than fit
        }
    });
    // The worker holds the first batch, so somebody waits for room, for nothing else ends its lingering.
    tape.await_caller();
    (summary, caller)
}

#[test]
fn a_flush_with_a_limit_gives_up_on_a_stuck_sink_and_loses_nothing() {
    let tape = Tape::new().gated();
    let summary = patient().to_sink(tape.clone()).unwrap();
    for (step, timeout) in (0..).zip([Duration::ZERO, Duration::from_millis(20)]) {
        summary.scalar("loss", 0.5, step);
        let error = summary.flush_timeout(timeout).unwrap_err();
        let Error::TimedOut { pending_bytes } = error else {
            panic!("{error:?}");
        };
        assert_eq!(pending_bytes, summary.stats().pending_bytes);
        assert!(summary.stats().failure.is_none(), "nothing was refused");
    }
    tape.open();
    summary.flush_timeout(Duration::MAX).unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 1]);
    summary.flush_timeout(Duration::ZERO).unwrap(); // nothing to wait for
}

#[test]
fn a_flush_with_a_limit_does_not_wait_for_a_sink_that_fails() {
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
fn a_flush_with_a_limit_starts_the_writing() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 0);
    summary.flush_timeout(Duration::ZERO).ok(); // it may be fast enough
    tape.await_attempts(1);
    summary.flush().unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn who_waits_for_room_is_let_go_by_a_sink_that_fails() {
    let tape = Tape::new().gated().failing_after(0);
    let (summary, caller) = with_a_waiting_caller(&tape);
    assert!(!caller.is_finished());
    tape.permit(1);
    caller.join().unwrap();
    let stats = summary.stats();
    assert!(stats.refused_count > 0, "{stats:?}");
    assert_eq!(stats.accepted_count + stats.refused_count, 100, "{stats:?}");
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
fn who_waits_for_room_is_let_go_by_closing() {
    let tape = Tape::new().gated();
    let (summary, caller) = with_a_waiting_caller(&tape);
    let closer = {
        let summary = summary.clone();
        thread::spawn(move || summary.close())
    };
    caller.join().unwrap(); // while the sink is stuck still
    tape.open();
    closer.join().unwrap().unwrap();
    let stats = summary.stats();
    assert_eq!(stats.accepted_count + stats.ignored_count, 100, "{stats:?}");
    let accepted = i64::try_from(stats.accepted_count).unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..accepted));
}

#[test]
fn who_writes_through_is_let_go_by_a_sink_that_fails() {
    let tape = Tape::new().gated().failing_after(0);
    let options = WriterOptions::new().flush_interval(Duration::ZERO);
    let summary = options.to_sink(tape.clone()).unwrap();
    let caller = {
        let summary = summary.clone();
        thread::spawn(move || (0..10).for_each(|step| summary.scalar("loss", 0.5, step)))
    };
    tape.await_caller();
    tape.permit(1);
    caller.join().unwrap(); // nine of them while it is stuck again
    tape.recover();
    tape.open();
    summary.close().unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..10));
}

/// A sink that logs, as one that reports what it does may.
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
fn a_worker_waits_for_no_other_writer() {
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
        // Each write has reported, and no more than one report of 500 bytes found room beside the version.
        assert!(stats.refused_count >= 9, "{interval:?}: {stats:?}");
        assert!(stats.accepted_count + stats.refused_count >= 10);
    }
}
