//! The callers' side of a writer and its thread, in every order in which they can meet: by the model checker `loom`, which
//! runs a program again and again, once for each order of its locks, waits and wakes. A deadlock, a lost wake or a record
//! that is lost, torn or late in any of them fails the test.
//!
//! "Every" is up to a bound on how often a thread is interrupted where it could have gone on, given with each model; that
//! it waits is no interruption. Each prints how many orders it has run.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]
#![allow(clippy::print_stdout, reason = "it says how much it has tried")]
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the files of the crate that it includes have more than a model needs"
)]

#[path = "../../src/error.rs"]
mod error;
mod writer;

/// `src/record` of the model, where no sink is replaced in the middle of a record.
mod record {
    pub(crate) fn seal(_frames: &mut [u8]) {}

    pub(crate) fn frame_start(_frames: &[u8], _at: usize) -> usize {
        unreachable!("no sink of the model is gone")
    }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::thread::{self, JoinHandle};
use writer::{Limits, RunName, Sink, Stats, Tray, WhenFull};

/// What stands before all records.
const VERSION: &[u8] = b"version";

/// Nothing is written by the clock: what is needed is done by a wake, or never.
const NO_CLOCK: Limits = Limits {
    flush_interval: Duration::MAX,
    max_pending_bytes: 1 << 20,
    when_full: WhenFull::Block,
};

/// The time between two batches may be over at any moment.
const CLOCK: Limits = Limits {
    flush_interval: Duration::from_millis(200),
    ..NO_CLOCK
};

/// Runs `body` in every order, up to so many interruptions of each.
fn check(name: &str, interruptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(interruptions);
    model.max_branches = 10_000;
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    let orders = orders.load(Ordering::Relaxed);
    println!("{name}: {orders} orders, up to {interruptions} interruptions");
    assert!(orders > 1, "{name}: one order is no model");
}

/// A tray and the thread that brings it to `sink`.
fn start(limits: Limits, sink: &Sink) -> (Arc<Tray>, JoinHandle<()>) {
    let tray = Arc::new(Tray::new(limits, RunName::default(), VERSION));
    let (served, sink) = (Arc::clone(&tray), sink.clone());
    let worker = thread::spawn(move || writer::work(&served, sink));
    (tray, worker)
}

/// A caller that logs its records, `a0`, `a1` and so on.
fn caller(tray: &Arc<Tray>, name: u8, records: u8) -> JoinHandle<()> {
    let tray = Arc::clone(tray);
    thread::spawn(move || (0..records).for_each(|i| tray.accept(&[name, b'0' + i])))
}

fn join<const N: usize>(callers: [JoinHandle<()>; N]) {
    for caller in callers {
        caller.join().unwrap();
    }
}

/// The records behind the version, whole and in their order in the file.
fn records(sink: &Sink) -> Vec<String> {
    let bytes = sink.bytes();
    let records = bytes.strip_prefix(VERSION).unwrap();
    let text = std::str::from_utf8(records).unwrap();
    assert_eq!(text.len() % 2, 0, "a torn record: {text}");
    (0..text.len() / 2)
        .map(|i| text[2 * i..2 * i + 2].to_owned())
        .collect()
}

/// The records of one caller are a prefix of what it logged, in order, each once; how many there are.
fn in_order(records: &[String], name: char) -> usize {
    let own = records.iter().filter(|record| record.starts_with(name));
    own.enumerate()
        .map(|(i, record)| assert_eq!(*record, format!("{name}{i}")))
        .count()
}

fn all_is_written(stats: &Stats, records: u64) {
    let counts = (stats.accepted_count, stats.flushed_count);
    assert_eq!(counts, (records, records));
    assert_eq!((stats.pending_bytes, stats.refused_count), (0, 0));
    assert!(stats.failure.is_none());
}

#[test]
fn two_callers_and_a_close_when_they_are_done() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(
            &format!("a close behind two callers, by {clock}"),
            3,
            move || {
                let sink = Sink::new();
                let (tray, worker) = start(limits, &sink);
                let callers = [caller(&tray, b'a', 2), caller(&tray, b'b', 2)];
                join(callers);
                tray.close(b"").unwrap();
                worker.join().unwrap();
                let records = records(&sink);
                assert_eq!((in_order(&records, 'a'), in_order(&records, 'b')), (2, 2));
                all_is_written(&tray.stats(), 4);
            },
        );
    }
}

#[test]
fn what_a_close_overtakes_is_ignored_and_counted() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(
            &format!("a close among two callers, by {clock}"),
            3,
            move || {
                let sink = Sink::new();
                let (tray, worker) = start(limits, &sink);
                let callers = [caller(&tray, b'a', 2), caller(&tray, b'b', 1)];
                tray.close(b"").unwrap();
                // What was accepted is there now, whatever the callers still do.
                let records = records(&sink);
                let written = in_order(&records, 'a') + in_order(&records, 'b');
                join(callers);
                worker.join().unwrap();
                let stats = tray.stats();
                all_is_written(&stats, written as u64);
                assert_eq!(stats.accepted_count + stats.ignored_count, 3);
            },
        );
    }
}

#[test]
fn a_flush_returns_with_all_that_came_before() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(
            &format!("a flush beside another, by {clock}"),
            3,
            move || {
                let sink = Sink::new();
                let (tray, worker) = start(limits, &sink);
                let other = {
                    let (tray, sink) = (Arc::clone(&tray), sink.clone());
                    thread::spawn(move || {
                        tray.accept(b"b0");
                        writer::flush(&tray).unwrap();
                        assert_eq!(in_order(&records(&sink), 'b'), 1);
                    })
                };
                tray.accept(b"a0");
                tray.accept(b"a1");
                writer::flush(&tray).unwrap();
                assert_eq!(in_order(&records(&sink), 'a'), 2);
                other.join().unwrap();
                tray.close(b"").unwrap();
                worker.join().unwrap();
                all_is_written(&tray.stats(), 3);
            },
        );
    }
}

#[test]
fn without_an_interval_a_call_returns_with_its_record_written() {
    let limits = Limits {
        flush_interval: Duration::ZERO,
        ..NO_CLOCK
    };
    check("two callers without an interval", 2, move || {
        let sink = Sink::new();
        let (tray, worker) = start(limits, &sink);
        let other = caller(&tray, b'b', 1);
        for i in 0..2 {
            tray.accept(&[b'a', b'0' + i]);
            assert_eq!(in_order(&records(&sink), 'a'), usize::from(i) + 1);
        }
        other.join().unwrap();
        tray.close(b"").unwrap();
        worker.join().unwrap();
        all_is_written(&tray.stats(), 3);
    });
}

#[test]
fn a_sink_that_recovers_gets_each_byte_once() {
    check("a sink that refuses and takes parts", 2, || {
        // The version and three bytes of records at the most, two refusals, a byte, another refusal, a byte, then all.
        let sink = Sink::scripted([Some(10), None, None, Some(1), None, Some(1)]);
        let (tray, worker) = start(CLOCK, &sink);
        let callers = [caller(&tray, b'a', 1), caller(&tray, b'b', 1)];
        // Each of the three refusals is told to one flush at the most, and nothing is lost by that.
        let refused = (0..4).take_while(|_| writer::flush(&tray).is_err()).count();
        assert!(refused <= 3, "flush fails after the sink has recovered");
        join(callers);
        let refused = (refused..4)
            .take_while(|_| writer::flush(&tray).is_err())
            .count();
        assert!(refused <= 3, "flush fails after the sink has recovered");
        tray.close(b"").unwrap();
        worker.join().unwrap();
        let records = records(&sink);
        assert_eq!((in_order(&records, 'a'), in_order(&records, 'b')), (1, 1));
        all_is_written(&tray.stats(), 2);
    });
}

#[test]
fn a_sink_that_is_broken_keeps_nobody_waiting() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(&format!("a broken sink, by {clock}"), 3, move || {
            let (tray, worker) = start(limits, &Sink::broken());
            let other = caller(&tray, b'a', 1);
            writer::flush(&tray).unwrap_err();
            tray.close(b"").unwrap_err();
            other.join().unwrap();
            worker.join().unwrap();
            let stats = tray.stats();
            assert_eq!(stats.flushed_count, 0);
            assert_eq!(stats.accepted_count + stats.ignored_count, 1);
            assert!(stats.failure.is_some());
        });
    }
}

/// Room for one record beside the version, and for none beside another.
const NARROW: Limits = Limits {
    max_pending_bytes: 3,
    ..NO_CLOCK
};

#[test]
fn who_waits_for_room_gets_it() {
    check("two callers that wait for room", 2, || {
        let sink = Sink::new();
        let (tray, worker) = start(NARROW, &sink);
        let callers = [caller(&tray, b'a', 2), caller(&tray, b'b', 1)];
        join(callers);
        tray.close(b"").unwrap();
        worker.join().unwrap();
        let records = records(&sink);
        assert_eq!((in_order(&records, 'a'), in_order(&records, 'b')), (2, 1));
        all_is_written(&tray.stats(), 3);
    });
}

#[test]
fn who_waits_for_room_is_let_go_by_a_refusal_or_a_close() {
    check("no room before a broken sink", 2, || {
        let (tray, worker) = start(NARROW, &Sink::broken());
        let callers = [caller(&tray, b'a', 1), caller(&tray, b'b', 1)];
        tray.close(b"").unwrap_err();
        join(callers);
        worker.join().unwrap();
        let stats = tray.stats();
        let counted = stats.accepted_count + stats.refused_count + stats.ignored_count;
        assert_eq!((counted, stats.flushed_count), (2, 0));
    });
}

#[test]
fn who_does_not_wait_for_room_is_refused_and_counted() {
    let limits = Limits {
        when_full: WhenFull::DropNew,
        ..NARROW
    };
    check("two callers that do not wait for room", 3, move || {
        let sink = Sink::new();
        let (tray, worker) = start(limits, &sink);
        let callers = [caller(&tray, b'a', 2), caller(&tray, b'b', 1)];
        join(callers);
        tray.close(b"").unwrap();
        worker.join().unwrap();
        let stats = tray.stats();
        assert_eq!(stats.flushed_count, stats.accepted_count);
        assert_eq!(stats.accepted_count + stats.refused_count, 3);
        assert_eq!(records(&sink).len() as u64, stats.accepted_count);
    });
}

#[test]
fn a_record_whose_frame_the_worker_makes_has_its_place() {
    check("a deferred record among others", 3, || {
        let sink = Sink::new();
        let (tray, worker) = start(NO_CLOCK, &sink);
        let other = caller(&tray, b'b', 1);
        tray.accept(b"a0");
        tray.defer(100, |frames| {
            frames.extend_from_slice(b"a1");
            Ok(())
        });
        // One that cannot be made costs no other.
        tray.defer(100, |_| Err(error::Error::Closed));
        tray.accept(b"a2");
        writer::flush(&tray).unwrap();
        assert_eq!(in_order(&records(&sink), 'a'), 3);
        other.join().unwrap();
        tray.close(b"").unwrap();
        worker.join().unwrap();
        let stats = tray.stats();
        assert_eq!((stats.accepted_count, stats.flushed_count), (4, 4));
        assert_eq!((stats.refused_count, stats.pending_bytes), (1, 0));
    });
}
