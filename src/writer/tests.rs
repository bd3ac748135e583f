//! The promises of the writer, with sinks that fail, block and write short.

#[cfg(feature = "png")]
mod encoder;
mod inline;
mod waiting;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use super::*;
use crate::proto::event::What;
use crate::record::RecordReader;
use crate::test_io::Tape;
use crate::{Error, Tag, proto};
use prost::Message;

const FOREVER: Duration = Duration::MAX;

/// Options with which only the test starts a write.
pub(super) fn patient() -> WriterOptions {
    WriterOptions::new().flush_interval(FOREVER)
}

pub(super) fn events(bytes: &[u8]) -> Vec<proto::Event> {
    let mut reader = RecordReader::new(bytes);
    let mut events = Vec::new();
    while let Some(payload) = reader.next_record().unwrap() {
        events.push(proto::Event::decode(payload).unwrap());
    }
    assert_eq!(reader.offset(), bytes.len() as u64, "a torn record");
    events
}

/// Tag, step and wall time of the records after the version record.
fn points(bytes: &[u8]) -> Vec<(String, i64, f64)> {
    events(bytes)
        .into_iter()
        .skip(1)
        .map(|event| match event.what {
            Some(What::Summary(summary)) => {
                (summary.value[0].tag.clone(), event.step, event.wall_time)
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

fn steps(bytes: &[u8]) -> Vec<i64> {
    events(bytes)
        .iter()
        .skip(1)
        .map(|event| event.step)
        .collect()
}

#[test]
fn batch_is_one_write_and_starts_with_the_version() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    for step in 0..3 {
        summary.scalar("loss", 0.5, step);
    }
    assert_eq!(tape.attempts(), 0, "nothing is due yet");
    summary.flush().unwrap();
    assert_eq!(tape.writes().len(), 1);
    assert_eq!(tape.flushes(), 1);
    let first = &events(&tape.bytes())[0];
    assert_eq!(first.what, Some(What::FileVersion("brain.Event:2".into())));
    let writer = &first.source_metadata.as_ref().unwrap().writer;
    assert_eq!(
        *writer,
        format!("summary-writer {}", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(steps(&tape.bytes()), [0, 1, 2]);
    summary.flush().unwrap();
    assert_eq!(tape.attempts(), 1, "nothing to write");
}

#[test]
fn record_is_written_after_the_flush_interval() {
    let tape = Tape::new();
    let options = WriterOptions::new().flush_interval(Duration::from_millis(1));
    let summary = options.to_sink(tape.clone()).unwrap();
    tape.await_attempts(1); // the version
    for step in 0..3 {
        let before = tape.attempts();
        summary.scalar("loss", 0.5, step);
        tape.await_attempts(before + 1);
    }
    assert_eq!(steps(&tape.bytes()), [0, 1, 2]);
}

#[test]
fn with_no_interval_each_call_is_written_before_it_returns() {
    let tape = Tape::new();
    let options = WriterOptions::new().flush_interval(Duration::ZERO);
    let summary = options.to_sink(tape.clone()).unwrap();
    for step in 0..20 {
        summary.scalar("loss", 0.5, step);
        assert_eq!(steps(&tape.bytes()).last(), Some(&step));
    }
}

#[test]
fn full_chunk_is_written_before_the_flush_interval() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    // 42 or 43 bytes each, so 7000 records are more than a chunk of 256 KiB.
    for step in 0..7000 {
        summary.scalar("loss", 0.5, step);
    }
    tape.await_attempts(1);
    let first = tape.writes()[0];
    assert!((200 << 10..=256 << 10).contains(&first), "{first}");
    summary.close().unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..7000));
}

#[test]
fn sink_that_fails_at_any_byte_and_recovers_gets_each_byte_once() {
    let whole = {
        let tape = Tape::new();
        log_three(&tape, || {});
        tape.bytes()
    };
    for stop in 0..whole.len() {
        for max_write in [1, 7, usize::MAX] {
            let tape = Tape::new().failing_after(stop).short(max_write);
            log_three(&tape, || tape.recover());
            assert_eq!(
                tape.bytes(),
                whole,
                "failed at byte {stop}, {max_write} at a time"
            );
        }
    }
}

/// Logs three records with a flush after each. Calls `recover` after a failure; then no byte may be missing.
fn log_three(tape: &Tape, recover: impl Fn()) {
    // The version record has the time of the call, which would differ.
    let summary = patient()
        .to_sink(SkipFirst {
            tape: tape.clone(),
            skip: version_bytes(),
        })
        .unwrap();
    let mut failed = 0;
    for step in 0..3 {
        summary.at(1.0).scalar("loss", 0.5, step);
        if summary.flush().is_err() {
            failed += 1;
            assert!(summary.stats().failure.is_some());
            recover();
            summary.flush().unwrap();
        }
        assert!(summary.stats().failure.is_none());
    }
    assert!(failed <= 1);
    let stats = summary.stats();
    assert_eq!((stats.accepted_count, stats.flushed_count), (3, 3));
    summary.close().unwrap();
}

fn version_bytes() -> usize {
    frame::version_frame(WallTime::from(SystemTime::now())).len()
}

/// Drops the first `skip` bytes.
struct SkipFirst {
    tape: Tape,
    skip: usize,
}

impl Write for SkipFirst {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        if skipped > 0 {
            return Ok(skipped);
        }
        self.tape.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.tape.flush()
    }
}

#[test]
fn failing_sink_keeps_nobody_waiting_and_loses_no_accepted_record() {
    let tape = Tape::new().failing_after(0);
    let summary = patient()
        .max_pending_bytes(10_000)
        .to_sink(tape.clone())
        .unwrap();
    assert!(summary.flush().is_err());
    for step in 0..1000 {
        summary.scalar("loss", 0.5, step); // would wait forever if it waited for room
    }
    let stats = summary.stats();
    assert!(stats.pending_bytes <= 10_000, "{stats:?}");
    assert!(stats.rejected_count > 0, "{stats:?}");
    assert_eq!(
        stats.accepted_count + stats.rejected_count,
        1000,
        "{stats:?}"
    );
    let error = summary.flush().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");

    tape.recover();
    summary.flush().unwrap();
    let accepted = i64::try_from(stats.accepted_count).unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..accepted));
    assert!(summary.stats().failure.is_none());
}

#[test]
fn writer_tries_a_failing_sink_again() {
    let tape = Tape::new().failing_after(0);
    let summary = patient().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 0);
    assert!(summary.flush().is_err());
    tape.recover();
    tape.await_attempts(2);
    summary.flush().unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn full_queue_blocks_until_there_is_room() {
    let tape = Tape::new().gated();
    let summary = patient()
        .max_pending_bytes(1000)
        .to_sink(tape.clone())
        .unwrap();
    let caller = {
        let summary = summary.clone();
        thread::spawn(move || {
            for step in 0..1000 {
                summary.scalar("loss", 0.5, step);
            }
        })
    };
    for _ in 0..5 {
        tape.await_caller();
        assert!(summary.stats().pending_bytes <= 1000);
        assert!(!caller.is_finished());
        tape.permit(1);
    }
    tape.open();
    caller.join().unwrap();
    summary.flush().unwrap();
    assert_eq!(summary.stats().rejected_count, 0);
    assert!(steps(&tape.bytes()).into_iter().eq(0..1000));
}

#[test]
fn all_callers_of_a_full_queue_get_their_turn() {
    let tape = Tape::new();
    let summary = patient()
        .max_pending_bytes(200)
        .to_sink(tape.clone())
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|step| summary.scalar("loss", 0.5, step)));
        }
    });
    summary.close().unwrap();
    assert_eq!(steps(&tape.bytes()).len(), 2000);
}

#[test]
fn small_records_cannot_keep_a_large_one_waiting_forever() {
    let summary = WriterOptions::new()
        .max_pending_bytes(1 << 20)
        .to_sink(Tape::new())
        .unwrap();
    let done = AtomicBool::new(false);
    let is_done = || done.load(Ordering::Relaxed);
    let interrupted = thread::scope(|scope| {
        let small = [(), ()].map(|()| {
            scope.spawn(|| {
                let logged = (0..2_000_000).take_while(|_| !is_done());
                logged
                    .inspect(|step| summary.scalar("loss", 0.5, *step))
                    .count()
                    < 2_000_000
            })
        });
        while summary.stats().accepted_count < 1000 {
            thread::yield_now();
        }
        summary.text("notes", "x".repeat(2 << 20), 0);
        done.store(true, Ordering::Relaxed);
        small.map(|thread| thread.join().unwrap())
    });
    assert_eq!(
        interrupted, [true; 2],
        "the large record waited until the other threads were done"
    );
}

#[test]
fn full_queue_rejects_new_records_with_drop_new() {
    let tape = Tape::new().gated();
    let options = patient()
        .max_pending_bytes(1000)
        .when_full(WhenFull::DropNew);
    let summary = options.to_sink(tape.clone()).unwrap();
    for step in 0..1000 {
        summary.scalar("loss", 0.5, step);
    }
    let stats = summary.stats();
    assert!(
        stats.pending_bytes <= 1000 && stats.rejected_count > 900,
        "{stats:?}"
    );
    tape.open();
    summary.flush().unwrap();
    let accepted = i64::try_from(stats.accepted_count).unwrap();
    assert!(
        steps(&tape.bytes()).into_iter().eq(0..accepted),
        "the first ones, without a gap"
    );
}

#[test]
fn record_above_the_bound_is_accepted_when_nothing_else_waits() {
    let tape = Tape::new();
    let summary = patient()
        .max_pending_bytes(100)
        .to_sink(tape.clone())
        .unwrap();
    summary.flush().unwrap(); // the version
    let long = "x".repeat(1 << 20);
    for step in 0..3 {
        summary.text("notes", &long, step);
        summary.scalar("loss", 0.5, step);
    }
    summary.close().unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 0, 1, 1, 2, 2]);
}

#[test]
fn close_affects_all_handles_and_repeats_its_result() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let other = summary.clone();
    summary.scalar("loss", 0.5, 0);
    summary.close().unwrap();
    other.scalar("loss", 0.5, 1);
    other.scalar("loss", 0.5, 2);
    assert_eq!(other.stats().ignored_count, 2);
    other.flush().unwrap();
    assert!(matches!(other.run("child"), Err(Error::Closed)));
    other.close().unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn close_on_a_dead_sink_returns_an_error() {
    let tape = Tape::new().failing_after(0);
    let summary = patient().to_sink(tape).unwrap();
    let other = summary.clone();
    summary.scalar("loss", 0.5, 0);
    assert!(matches!(summary.close(), Err(Error::Io { .. })));
    let stats = other.stats();
    assert_eq!((stats.accepted_count, stats.flushed_count), (1, 0));
    assert!(matches!(other.flush(), Err(Error::Io { .. })));
    assert!(matches!(other.close(), Err(Error::Io { .. })));
}

#[test]
fn close_makes_a_last_attempt_after_the_current_one() {
    let tape = Tape::new().gated().failing_after(0);
    let summary = patient().to_sink(tape.clone()).unwrap();
    let other = summary.clone();
    summary.scalar("loss", 0.5, 0);
    summary.flush_timeout(Duration::ZERO).unwrap_err(); // begins the first attempt
    tape.await_caller();
    let closing = thread::spawn(move || summary.close());
    // An open stream returns another error for a child run.
    while !matches!(other.run("below"), Err(Error::Closed)) {
        thread::yield_now();
    }
    tape.permit(1);
    while other.stats().failure.is_none() {
        thread::yield_now();
    }
    tape.recover();
    tape.open();
    closing.join().unwrap().unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn panic_of_the_sink_keeps_nobody_waiting() {
    let summary = patient().to_sink(Tape::new().panicking()).unwrap();
    summary.scalar("loss", 0.5, 0);
    let error = summary.flush().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    summary.scalar("loss", 0.5, 1);
    assert_eq!(summary.stats().ignored_count, 1);
    assert!(summary.close().is_err());
}

#[test]
fn sink_is_dropped_before_close_returns() {
    /// Calls `close` on another thread while it is dropped.
    struct Sink(mpsc::Receiver<SummaryWriter>, mpsc::Sender<Result<()>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Drop for Sink {
        fn drop(&mut self) {
            let summary = self.0.recv().unwrap();
            let close = thread::spawn(move || summary.close_timeout(Duration::ZERO));
            self.1.send(close.join().unwrap()).unwrap();
        }
    }

    let (handle, to_sink) = mpsc::channel();
    let (closed, outcome) = mpsc::channel();
    let summary = patient().to_sink(Sink(to_sink, closed)).unwrap();
    handle.send(summary.clone()).unwrap();
    summary.close().unwrap();
    let error = outcome.try_recv().unwrap().unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
}

#[test]
fn panic_that_drops_the_last_handle_writes_what_is_left() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let thread = thread::spawn(move || {
        summary.scalar("loss", 0.5, 0);
        let clone = summary.clone();
        drop(summary);
        clone.scalar("loss", 0.5, 1);
        panic!("the program's own");
    });
    assert!(thread.join().is_err());
    assert_eq!(steps(&tape.bytes()), [0, 1]);
}

#[test]
fn records_of_each_thread_keep_their_order() {
    let tape = Tape::new().short(10_000);
    let summary = WriterOptions::new()
        .max_pending_bytes(50_000)
        .to_sink(tape.clone())
        .unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let summary = summary.scope(format!("thread{thread}"));
            scope.spawn(move || (0..2000).for_each(|step| summary.scalar("loss", 0.5, step)));
        }
    });
    summary.close().unwrap();
    let points = points(&tape.bytes());
    assert_eq!(points.len(), 16_000);
    for thread in 0..8 {
        let tag = format!("thread{thread}/loss");
        let steps = points
            .iter()
            .filter(|point| point.0 == tag)
            .map(|point| point.1);
        assert!(steps.eq(0..2000), "{tag}");
    }
}

#[test]
fn call_that_returned_before_another_began_comes_first() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let (ping, pong) = (mpsc::channel(), mpsc::channel());
    let other = {
        let (summary, ping, pong) = (summary.clone(), ping.1, pong.0);
        thread::spawn(move || {
            for step in ping {
                summary.scalar("loss", 0.5, step);
                pong.send(step + 1).unwrap();
            }
        })
    };
    for step in (0..200).step_by(2) {
        summary.scalar("loss", 0.5, step);
        ping.0.send(step + 1).unwrap();
        assert_eq!(pong.1.recv(), Ok(step + 2));
    }
    drop(ping.0);
    other.join().unwrap();
    summary.close().unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..200));
}

#[test]
fn scope_and_wall_time_belong_to_the_handle() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let layer = summary.scope("encoder/").scope("").scope("/");
    let layer = layer.scope("//layer1//").at(1.5);
    layer.scalar("loss", 0.5, 1);
    layer.scalar(Tag::new("loss").description("x"), 0.5, 2);
    layer.scalars(3, [("loss", 0.5), ("x", 0.25)]);
    layer.text("notes", "x", 4);
    summary.at(2.5).scalar("loss", 0.5, 5);
    summary.close().unwrap();
    let want = [
        ("encoder/layer1/loss".to_owned(), 1, 1.5),
        ("encoder/layer1/loss".to_owned(), 2, 1.5),
        ("encoder/layer1/loss".to_owned(), 3, 1.5),
        ("encoder/layer1/notes".to_owned(), 4, 1.5),
        ("loss".to_owned(), 5, 2.5),
    ];
    assert_eq!(points(&tape.bytes()), want);
}

#[test]
fn unusual_tags_are_written_unchanged() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let long = "x".repeat(1 << 20);
    let tags = ["", "a\0b\nc", "//", "größe/✓", &long];
    // Around these sizes, a frame no longer fits on the stack, and a length takes one more byte.
    let sizes: Vec<String> = (100..260).map(|bytes| "t".repeat(bytes)).collect();
    let tags: Vec<&str> = tags
        .into_iter()
        .chain(sizes.iter().map(String::as_str))
        .collect();
    for tag in &tags {
        summary.scalar(*tag, 0.5, 7);
    }
    summary.close().unwrap();
    let points = points(&tape.bytes());
    assert!(points.iter().map(|point| point.0.as_str()).eq(tags));
}

#[test]
fn invalid_step_or_wall_time_is_replaced_and_counted() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, u64::MAX);
    summary.text("notes", "x", i128::MIN);
    summary.at(f64::NAN).scalar("loss", 0.5, 0);
    summary.event(proto::Event {
        wall_time: f64::INFINITY,
        what: Some(What::Summary(proto::Summary {
            value: vec![proto::summary::Value {
                tag: "raw".into(),
                ..Default::default()
            }],
        })),
        ..Default::default()
    });
    let stats = summary.stats();
    assert_eq!(
        (stats.saturated_step_count, stats.replaced_wall_time_count),
        (2, 2)
    );
    summary.close().unwrap();
    let points = points(&tape.bytes());
    assert_eq!([points[0].1, points[1].1], [i64::MAX, i64::MIN]);
    assert!(points.iter().all(|point| point.2 > 1.7e9), "{points:?}");
}

#[test]
fn event_keeps_its_own_wall_time_unless_the_handle_has_one() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let event = proto::Event {
        wall_time: 3.5,
        step: 1,
        ..Default::default()
    };
    summary.event(event.clone());
    summary.at(4.5).event(event);
    summary.close().unwrap();
    let times: Vec<_> = events(&tape.bytes())
        .iter()
        .skip(1)
        .map(|event| event.wall_time)
        .collect();
    assert_eq!(times, [3.5, 4.5]);
}

#[test]
fn iterator_of_values_may_log() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let values = (0..3).map(|i| {
        summary.text("inner", "x", i);
        ("outer", i)
    });
    summary.scalars(9, values);
    summary.scalars(10, [("never", 0.0); 0]);
    summary.close().unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 1, 2, 9]);
}

#[test]
fn thread_may_log_while_its_locals_are_destroyed() {
    struct Last(SummaryWriter);

    impl Drop for Last {
        fn drop(&mut self) {
            self.0.scalar("loss", 0.5, 2);
            self.0.text("notes", "x", 3);
        }
    }

    thread_local! {
        static LAST: std::cell::OnceCell<Last> = const { std::cell::OnceCell::new() };
    }

    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let of_thread = summary.clone();
    let thread = thread::spawn(move || {
        LAST.with(|last| {
            last.get_or_init(|| Last(of_thread.clone()))
                .0
                .scalar("loss", 0.5, 0)
        });
        of_thread.text("notes", "x", 1); // the buffer of this call is destroyed first
    });
    thread.join().unwrap();
    summary.close().unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 1, 2, 3]);
}

#[test]
fn stream_has_no_path_and_no_child_runs() {
    let summary = patient().to_sink(Tape::new()).unwrap();
    assert_eq!((summary.path(), summary.logdir()), (None, None));
    assert!(matches!(summary.run("child"), Err(Error::Invalid { .. })));
}

#[test]
fn debug_form_shows_path_and_prefix() {
    let summary = patient().to_sink(Tape::new()).unwrap();
    summary.scalar("loss", 0.5, 0);
    let debug = format!("{:?}", summary.scope("encoder"));
    assert_eq!(
        debug,
        r#"SummaryWriter { path: None, prefix: "encoder/", .. }"#
    );
}

#[test]
fn runs_of_a_writer_share_the_bound() {
    let dir = tempfile::tempdir().unwrap();
    let root = WriterOptions::new()
        .flush_interval(Duration::from_secs(3600))
        .max_pending_bytes(4096)
        .when_full(WhenFull::DropNew)
        .create_file_writer(dir.path())
        .unwrap();
    let (full, other) = (root.run("full").unwrap(), root.run("other").unwrap());
    // A frame has 42 bytes: 16 around the payload, 9 of time, 2 of step, 4 of lengths, 6 of tag and 5 of value.
    (1..=97).for_each(|step| full.scalar("loss", 0.5, step));
    assert_eq!(full.stats().pending_bytes, 97 * 42);

    other.scalar("loss", 0.5, 1); // nothing else waits in this run
    other.scalar("loss", 0.5, 2);
    let stats = other.stats();
    assert_eq!((stats.accepted_count, stats.rejected_count), (1, 1));

    full.flush().unwrap();
    (3..=90).for_each(|step| other.scalar("loss", 0.5, step));
    assert_eq!(other.stats().accepted_count, 89);
    root.close().unwrap();
}

#[test]
fn clock_of_the_options_gives_all_records_their_time() {
    let tape = Tape::new();
    let summary = WriterOptions::new()
        .clock(|| 1234.5)
        .to_sink(tape.clone())
        .unwrap();
    summary.hparams(crate::HParams::new().set("lr", 0.1));
    summary.scalar("loss", 0.5, 1);
    summary.at(7.0).scalar("loss", 0.5, 2);
    summary.close().unwrap(); // writes the end of the session
    let bytes = tape.bytes();
    let times: Vec<f64> = events(&bytes).iter().map(|event| event.wall_time).collect();
    // The version, the hyperparameters, two scalars and the end of the session.
    assert_eq!(times, [1234.5, 1234.5, 1234.5, 7.0, 1234.5]);

    let tape = Tape::new();
    let broken_clock = WriterOptions::new().clock(|| f64::NAN);
    let summary = broken_clock.to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 1);
    summary.close().unwrap();
    assert!(
        events(&tape.bytes())[1].wall_time > 1.7e9,
        "the time of the system"
    );
}

#[test]
fn child_run_is_closed_although_another_call_uses_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    root.run("child").unwrap().scalar("loss", 0.5, 0);
    // A flush on another thread keeps the child runs like this.
    let used = root.run.child("child").unwrap();
    root.close().unwrap();
    assert!(used.queue.has_ended());
}
