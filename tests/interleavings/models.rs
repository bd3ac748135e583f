//! Runs callers, the worker and the encoder of a queue in every possible order of their locks, waits and wakes, with the model checker
//! `loom`. A deadlock, a missed wake, or a record that is lost, torn or late fails the test.
//!
//! Each test limits how often a thread is interrupted where it could have continued; waiting is not an interruption. The limit
//! is 2 in the short form, or 1 with two encoders. `INTERLEAVINGS=long`, which `tests/all.sh` sets, raises it to 3 in the smaller
//! models. Each test prints how many orders it ran.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]
#![allow(clippy::print_stdout, reason = "the test prints how much it tried")]
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the included files of the crate have more than the models need"
)]

#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/platform.rs"]
mod platform;
#[path = "../../src/report.rs"]
mod report;
mod writer;

/// Replaces `src/record`. No sink of the models is recreated in the middle of a record.
mod record {
    pub(crate) fn seal(_frames: &mut [u8]) {}

    pub(crate) fn frame_start(_frames: &[u8], _at: usize) -> usize {
        unreachable!("no file of the models is deleted")
    }
}

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::sync::Mutex;
use loom::thread::{self, JoinHandle};
use report::Reporter;
use writer::{Limits, Queue, Sink, Stats, WhenFull};

/// The bytes before all records.
const VERSION: &[u8] = b"version";

/// The clock never starts a write, so a missed wake is found.
const NO_CLOCK: Limits = Limits {
    flush_interval: Duration::MAX,
    max_pending_bytes: 1 << 20,
    when_full: WhenFull::Block,
    writes_encoded_at_once: true,
    encoder_threads: 1,
};

/// The time between two batches may be over at any moment.
const CLOCK: Limits = Limits {
    flush_interval: Duration::from_millis(200),
    ..NO_CLOCK
};

/// Runs `body` in every order with up to `interruptions` interruptions of its threads, or up to 2 in the short form.
fn check(name: &str, interruptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let is_long = env::var("INTERLEAVINGS").is_ok_and(|form| form == "long");
    let interruptions = if is_long {
        interruptions
    } else {
        interruptions.min(2)
    };
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

/// Creates a queue and the worker that writes it to `sink`.
fn start(limits: Limits, sink: &Sink) -> (Arc<Queue>, JoinHandle<Option<Sink>>) {
    let queue = Arc::new(Queue::new(
        limits,
        Arc::default(),
        Reporter::default(),
        VERSION,
    ));
    let (served, sink) = (Arc::clone(&queue), sink.clone());
    let worker = thread::spawn(move || writer::work(&served, sink));
    (queue, worker)
}

/// A caller that logs its records, `a0`, `a1` and so on.
fn caller(queue: &Arc<Queue>, name: u8, records: u8) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    thread::spawn(move || (0..records).for_each(|i| queue.push(&[name, b'0' + i])))
}

fn join<const N: usize>(callers: [JoinHandle<()>; N]) {
    for caller in callers {
        caller.join().unwrap();
    }
}

/// Returns the records after the version record, in the order of the file. All must be whole.
fn records(sink: &Sink) -> Vec<String> {
    let bytes = sink.bytes();
    let records = bytes.strip_prefix(VERSION).unwrap();
    let text = std::str::from_utf8(records).unwrap();
    assert_eq!(text.len() % 2, 0, "a torn record: {text}");
    (0..text.len() / 2)
        .map(|i| text[2 * i..2 * i + 2].to_owned())
        .collect()
}

/// Checks that the records of a caller are the first ones that it logged, in order and once each. Returns their number.
fn in_order(records: &[String], name: char) -> usize {
    let own = records.iter().filter(|record| record.starts_with(name));
    own.enumerate()
        .map(|(i, record)| assert_eq!(*record, format!("{name}{i}")))
        .count()
}

fn all_is_written(stats: &Stats, records: u64) {
    let counts = (stats.accepted_count, stats.flushed_count);
    assert_eq!(counts, (records, records));
    assert_eq!((stats.pending_bytes, stats.rejected_count), (0, 0));
    assert!(stats.failure.is_none());
}

#[test]
fn close_after_two_callers_writes_all_records() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(
            &format!("a close after two callers, by {clock}"),
            3,
            move || {
                let sink = Sink::new();
                let (queue, worker) = start(limits, &sink);
                let callers = [caller(&queue, b'a', 2), caller(&queue, b'b', 2)];
                join(callers);
                queue.close(b"", Duration::MAX).unwrap();
                worker.join().unwrap();
                let records = records(&sink);
                assert_eq!((in_order(&records, 'a'), in_order(&records, 'b')), (2, 2));
                all_is_written(&queue.stats(), 4);
            },
        );
    }
}

#[test]
fn records_after_a_close_are_ignored_and_counted() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(
            &format!("a close during two callers, by {clock}"),
            3,
            move || {
                let sink = Sink::new();
                let (queue, worker) = start(limits, &sink);
                let callers = [caller(&queue, b'a', 2), caller(&queue, b'b', 1)];
                queue.close(b"", Duration::MAX).unwrap();
                // All accepted records are written now. Later calls change nothing.
                let records = records(&sink);
                let written = in_order(&records, 'a') + in_order(&records, 'b');
                join(callers);
                worker.join().unwrap();
                let stats = queue.stats();
                all_is_written(&stats, written as u64);
                assert_eq!(stats.accepted_count + stats.ignored_count, 3);
            },
        );
    }
}

#[test]
fn flush_returns_with_all_earlier_records_written() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(&format!("two flushes, by {clock}"), 3, move || {
            let sink = Sink::new();
            let (queue, worker) = start(limits, &sink);
            let other = {
                let (queue, sink) = (Arc::clone(&queue), sink.clone());
                thread::spawn(move || {
                    queue.push(b"b0");
                    queue.flush(Duration::MAX).unwrap();
                    assert_eq!(in_order(&records(&sink), 'b'), 1);
                })
            };
            queue.push(b"a0");
            queue.push(b"a1");
            queue.flush(Duration::MAX).unwrap();
            assert_eq!(in_order(&records(&sink), 'a'), 2);
            other.join().unwrap();
            queue.close(b"", Duration::MAX).unwrap();
            worker.join().unwrap();
            all_is_written(&queue.stats(), 3);
        });
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
        let (queue, worker) = start(limits, &sink);
        let other = caller(&queue, b'b', 1);
        for i in 0..2 {
            queue.push(&[b'a', b'0' + i]);
            assert_eq!(in_order(&records(&sink), 'a'), usize::from(i) + 1);
        }
        other.join().unwrap();
        queue.close(b"", Duration::MAX).unwrap();
        worker.join().unwrap();
        all_is_written(&queue.stats(), 3);
    });
}

#[test]
fn recovering_sink_gets_each_byte_once() {
    check("a sink that fails and writes short", 2, || {
        // Writes at most the version and three bytes of records, fails twice, writes a byte, fails, writes a byte, and then
        // writes everything.
        let sink = Sink::scripted([Some(10), None, None, Some(1), None, Some(1)]);
        let (queue, worker) = start(CLOCK, &sink);
        let callers = [caller(&queue, b'a', 1), caller(&queue, b'b', 1)];
        // At most one flush returns each of the three failures, and nothing is lost.
        let rejected = (0..4)
            .take_while(|_| queue.flush(Duration::MAX).is_err())
            .count();
        assert!(rejected <= 3, "flush fails after the sink has recovered");
        join(callers);
        let rejected = (rejected..4)
            .take_while(|_| queue.flush(Duration::MAX).is_err())
            .count();
        assert!(rejected <= 3, "flush fails after the sink has recovered");
        queue.close(b"", Duration::MAX).unwrap();
        worker.join().unwrap();
        let records = records(&sink);
        assert_eq!((in_order(&records, 'a'), in_order(&records, 'b')), (1, 1));
        all_is_written(&queue.stats(), 2);
    });
}

#[test]
fn no_call_waits_for_a_broken_sink() {
    for (clock, limits) in [("wakes", NO_CLOCK), ("the clock", CLOCK)] {
        check(&format!("a broken sink, by {clock}"), 3, move || {
            let (queue, worker) = start(limits, &Sink::broken());
            let other = caller(&queue, b'a', 1);
            queue.flush(Duration::MAX).unwrap_err();
            queue.close(b"", Duration::MAX).unwrap_err();
            other.join().unwrap();
            worker.join().unwrap();
            let stats = queue.stats();
            assert_eq!(stats.flushed_count, 0);
            assert_eq!(stats.accepted_count + stats.ignored_count, 1);
            assert!(stats.failure.is_some());
        });
    }
}

/// Has room for one record after the version, and for no second record.
const NARROW: Limits = Limits {
    max_pending_bytes: 3,
    ..NO_CLOCK
};

#[test]
fn callers_that_wait_for_room_get_it() {
    check("two callers that wait for room", 2, || {
        let sink = Sink::new();
        let (queue, worker) = start(NARROW, &sink);
        let callers = [caller(&queue, b'a', 2), caller(&queue, b'b', 1)];
        join(callers);
        queue.close(b"", Duration::MAX).unwrap();
        worker.join().unwrap();
        let records = records(&sink);
        assert_eq!((in_order(&records, 'a'), in_order(&records, 'b')), (2, 1));
        all_is_written(&queue.stats(), 3);
    });
}

#[test]
fn broken_sink_or_close_ends_the_wait_for_room() {
    check("no room and a broken sink", 2, || {
        let (queue, worker) = start(NARROW, &Sink::broken());
        let callers = [caller(&queue, b'a', 1), caller(&queue, b'b', 1)];
        queue.close(b"", Duration::MAX).unwrap_err();
        join(callers);
        worker.join().unwrap();
        let stats = queue.stats();
        let counted = stats.accepted_count + stats.rejected_count + stats.ignored_count;
        assert_eq!((counted, stats.flushed_count), (2, 0));
    });
}

#[test]
fn records_without_room_are_rejected_and_counted() {
    let limits = Limits {
        when_full: WhenFull::DropNew,
        ..NARROW
    };
    check("two callers that do not wait for room", 3, move || {
        let sink = Sink::new();
        let (queue, worker) = start(limits, &sink);
        let callers = [caller(&queue, b'a', 2), caller(&queue, b'b', 1)];
        join(callers);
        queue.close(b"", Duration::MAX).unwrap();
        worker.join().unwrap();
        let stats = queue.stats();
        assert_eq!(stats.flushed_count, stats.accepted_count);
        assert_eq!(stats.accepted_count + stats.rejected_count, 3);
        assert_eq!(records(&sink).len() as u64, stats.accepted_count);
    });
}

/// The encoders of a queue, which start when records are pushed.
#[derive(Default)]
struct Encoders(Mutex<Vec<JoinHandle<()>>>);

impl Encoders {
    fn push(&self, queue: &Arc<Queue>, frame: &'static [u8]) {
        push_deferred_and_start(queue, frame, || {
            let queue = Arc::clone(queue);
            let encoder = thread::spawn(move || writer::encode(&queue));
            self.0.lock().unwrap().push(encoder);
        });
    }

    fn join(&self) {
        for encoder in self.0.lock().unwrap().drain(..) {
            encoder.join().unwrap();
        }
    }
}

/// Pushes a record. One that has an `x` cannot be encoded.
fn push_deferred_and_start(queue: &Queue, frame: &'static [u8], start_encoder: impl FnOnce()) {
    let make_frame = move |buffer: &mut Vec<u8>| {
        buffer.extend_from_slice(frame);
        match frame.contains(&b'x') {
            true => Err(error::Error::Closed),
            false => Ok(()),
        }
    };
    queue.push_deferred(2, make_frame, start_encoder);
}

/// Two encoders.
const TWO: Limits = Limits {
    encoder_threads: 2,
    ..NO_CLOCK
};

#[test]
fn flush_waits_for_the_encoder() {
    for (name, limits, interruptions) in [
        ("by wakes", NO_CLOCK, 2),
        ("by the clock", CLOCK, 2),
        ("with two encoders", TWO, 1),
    ] {
        check(
            &format!("a flush of deferred records, {name}"),
            interruptions,
            move || {
                let sink = Sink::new();
                let (queue, worker) = start(limits, &sink);
                let encoders = Encoders::default();
                encoders.push(&queue, b"d0");
                // A record that cannot be encoded does not affect the others.
                encoders.push(&queue, b"xx");
                queue.push(b"a0");
                encoders.push(&queue, b"d1");
                queue.flush(Duration::MAX).unwrap();
                let written = records(&sink);
                assert_eq!((in_order(&written, 'a'), in_order(&written, 'd')), (1, 2));
                queue.close(b"", Duration::MAX).unwrap();
                worker.join().unwrap();
                encoders.join();
                let stats = queue.stats();
                assert_eq!((stats.accepted_count, stats.flushed_count), (4, 3));
                assert_eq!((stats.rejected_count, stats.pending_bytes), (1, 0));
            },
        );
    }
}

#[test]
fn callers_encode_if_there_is_no_encoder() {
    check("two callers that encode", 3, || {
        let sink = Sink::new();
        let (queue, worker) = start(NO_CLOCK, &sink);
        let push = |queue: &Queue, frame| {
            push_deferred_and_start(queue, frame, || writer::encode_without_thread(queue));
        };
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, b"b0"))
        };
        push(&queue, b"a0");
        push(&queue, b"a1");
        queue.flush(Duration::MAX).unwrap();
        assert_eq!(in_order(&records(&sink), 'a'), 2);
        other.join().unwrap();
        queue.close(b"", Duration::MAX).unwrap();
        worker.join().unwrap();
        assert_eq!(in_order(&records(&sink), 'b'), 1);
        all_is_written(&queue.stats(), 3);
    });
}

#[test]
fn close_writes_what_the_encoder_has_left() {
    for (name, limits, interruptions) in [("one encoder", NO_CLOCK, 2), ("two encoders", TWO, 1)] {
        check(
            &format!("a close with deferred records and {name}"),
            interruptions,
            move || {
                let sink = Sink::new();
                let (queue, worker) = start(limits, &sink);
                let encoders = Encoders::default();
                let other = caller(&queue, b'a', 1);
                encoders.push(&queue, b"d0");
                encoders.push(&queue, b"d1");
                queue.close(b"", Duration::MAX).unwrap();
                assert_eq!(in_order(&records(&sink), 'd'), 2);
                other.join().unwrap();
                worker.join().unwrap();
                encoders.join();
                let stats = queue.stats();
                assert_eq!(stats.accepted_count + stats.ignored_count, 3);
                all_is_written(&stats, stats.accepted_count);
            },
        );
    }
}

#[test]
fn deferred_records_that_wait_for_room_get_it() {
    check("deferred records that wait for room", 2, || {
        let sink = Sink::new();
        let (queue, worker) = start(NARROW, &sink);
        let encoders = Encoders::default();
        encoders.push(&queue, b"d0");
        queue.push(b"a0");
        encoders.push(&queue, b"d1");
        queue.close(b"", Duration::MAX).unwrap();
        worker.join().unwrap();
        encoders.join();
        let records = records(&sink);
        assert_eq!((in_order(&records, 'a'), in_order(&records, 'd')), (1, 2));
        all_is_written(&queue.stats(), 3);
    });
}

#[test]
fn no_deferred_record_waits_for_a_broken_sink() {
    check("a broken sink and deferred records", 3, || {
        let (queue, worker) = start(NO_CLOCK, &Sink::broken());
        let encoders = Encoders::default();
        encoders.push(&queue, b"d0");
        queue.flush(Duration::MAX).unwrap_err();
        queue.close(b"", Duration::MAX).unwrap_err();
        worker.join().unwrap();
        encoders.join();
        let stats = queue.stats();
        assert_eq!((stats.accepted_count, stats.flushed_count), (1, 0));
    });
}

/// A run whose worker starts again when the run is used after it was suspended, as `src/writer/run.rs` does it.
struct Run {
    queue: Arc<Queue>,
    worker: Mutex<Option<JoinHandle<Option<Sink>>>>,
    encoders: Encoders,
}

impl Run {
    fn start(sink: &Sink) -> Arc<Self> {
        let (queue, worker) = start(NO_CLOCK, sink);
        Arc::new(Self {
            queue,
            worker: Mutex::new(Some(worker)),
            encoders: Encoders::default(),
        })
    }

    fn resume(&self) {
        let mut worker = self.worker.lock().unwrap();
        if self.queue.is_suspended() {
            let sink = worker.take().unwrap().join().unwrap().unwrap();
            self.queue.resume();
            let queue = Arc::clone(&self.queue);
            *worker = Some(thread::spawn(move || writer::work(&queue, sink)));
        }
    }

    /// Uses the run with a new handle.
    fn visit(&self, log: impl FnOnce(&Self)) {
        self.queue.add_handle();
        self.resume();
        log(self);
        self.queue.remove_handle();
    }

    fn close(&self, last: &[u8]) {
        self.queue.begin_close(last).unwrap();
        self.resume();
        self.queue.await_end(Duration::MAX).unwrap();
        let worker = self.worker.lock().unwrap().take();
        assert!(worker.unwrap().join().unwrap().is_none());
        self.encoders.join();
    }
}

/// Suspends a run while another thread uses it. The clock never ends a wait, so a missed wake is found.
fn check_suspension(
    name: &str,
    interruptions: usize,
    log: fn(&Run, u8),
    want: &'static [&'static str],
) {
    check(name, interruptions, move || {
        let sink = Sink::new();
        let run = Run::start(&sink);
        let other = {
            let run = Arc::clone(&run);
            thread::spawn(move || run.visit(|run| log(run, 0)))
        };
        run.queue.suspend(Duration::MAX);
        other.join().unwrap();
        run.visit(|run| log(run, 1));
        run.close(b"end");
        let text = String::from_utf8(sink.bytes()).unwrap();
        // Deferred records may be encoded after the close has accepted its record.
        let records = text.replacen("end", "", 1);
        assert!(want.contains(&&*records), "{records}");
        all_is_written(&run.queue.stats(), 3);
    });
}

#[test]
fn run_that_is_suspended_while_it_is_used_keeps_all_records() {
    let push = |run: &Run, i| run.queue.push(&[b'a', b'0' + i]);
    check_suspension("a suspension", 3, push, &["versiona0a1"]);
}

#[test]
fn run_that_is_suspended_keeps_deferred_records() {
    // The model checker has five threads, which is too few for a second encoder after the suspension.
    let push = |run: &Run, i| match i {
        0 => run.encoders.push(&run.queue, b"a0"),
        _ => run.queue.push(b"a1"),
    };
    let want = &["versiona0a1", "versiona1a0"];
    check_suspension("a suspension with deferred records", 2, push, want);
}

#[test]
fn close_during_a_suspension_ends_the_run() {
    for (name, last) in [("without", ""), ("with", "end")] {
        let name = format!("a close {name} a last record during a suspension");
        check(&name, 3, move || {
            let sink = Sink::new();
            let run = Run::start(&sink);
            run.visit(|run| run.queue.push(b"a0"));
            let closer = {
                let run = Arc::clone(&run);
                thread::spawn(move || run.close(last.as_bytes()))
            };
            run.queue.suspend(Duration::MAX);
            closer.join().unwrap();
            let text = String::from_utf8(sink.bytes()).unwrap();
            assert_eq!(text, format!("versiona0{last}"));
            all_is_written(&run.queue.stats(), 1 + u64::from(!last.is_empty()));
        });
    }
}

#[test]
fn broken_sink_ends_the_wait_for_a_suspension() {
    check("a suspension with a broken sink", 3, || {
        let (queue, worker) = start(NO_CLOCK, &Sink::broken());
        queue.push(b"a0");
        assert!(!queue.suspend(Duration::MAX));
        queue.add_handle();
        queue.push(b"a1");
        queue.close(b"", Duration::MAX).unwrap_err();
        assert!(worker.join().unwrap().is_none());
        let stats = queue.stats();
        assert_eq!((stats.accepted_count, stats.flushed_count), (2, 0));
    });
}
