//! `TracingLayer`: which events and spans it logs, at which step, with which tag.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::fmt;
use std::path::Path;
use std::thread;
use std::time::Instant;

use summary_writer::integrations::TracingLayer;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::{EventReader, SummaryWriter};
use tracing::{Span, field, info, info_span, trace};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::prelude::*;

/// The records of a run, as `step: tag=number tag="text"`.
fn records(logdir: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for event in EventReader::open(logdir).unwrap() {
        let event = event.unwrap();
        let Some(What::Summary(summary)) = event.what else {
            continue;
        };
        let mut line = format!("{}:", event.step);
        for value in summary.value {
            line += &match (value.scalar(), &value.value) {
                (Some(number), _) => format!(" {}={number}", value.tag),
                (None, Some(Data::Tensor(tensor))) => {
                    let text = str::from_utf8(&tensor.string_val[0]).unwrap();
                    format!(" {}={text:?}", value.tag)
                }
                other => panic!("{other:?}"),
            };
        }
        lines.push(line);
    }
    lines
}

/// The records that `work` logs through a layer with the options of `set`.
fn logged(set: impl Fn(TracingLayer) -> TracingLayer, work: impl FnOnce()) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let layer = set(TracingLayer::new(summary));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, work);
    records(dir.path())
}

fn defaults(layer: TracingLayer) -> TracingLayer {
    layer
}

/// Leaves out durations, whose values are unknown.
fn without_durations(mut records: Vec<String>) -> Vec<String> {
    records.retain(|record| !record.contains("duration/"));
    records
}

#[test]
fn numbers_of_an_event_are_scalars_in_one_record() {
    let records = logged(defaults, || {
        let step = 7usize;
        info!(step, loss = 0.25, accuracy = 0.5f32);
        info!(
            small = -3i8,
            step = 8u8,
            large = -(1i128 << 20),
            larger = 1u128 << 21,
            count = 1u64 << 22,
            is_best = true,
            is_last = false,
            missing = None::<f64>,
            there = Some(1.5),
            deep.name = f64::INFINITY,
        );
    });
    let want = [
        "7: loss=0.25 accuracy=0.5",
        "8: small=-3 large=-1048576 larger=2097152 count=4194304 is_best=1 is_last=0 there=1.5 deep.name=inf",
    ];
    assert_eq!(records, want);
}

#[test]
fn message_and_other_fields_are_a_text_with_target_and_line() {
    struct Shown;
    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("as shown")
        }
    }
    let mut lines = Vec::new();
    let records = logged(defaults, || {
        lines.push(line!() + 1);
        info!(step = 1, loss = 0.5, "epoch {} *done*", 1);
        lines.push(line!() + 1);
        info!(target: "other", step = 1, path = "a b.bin", size = ?[1, 2], shown = %Shown, "saved");
        info!(name: "checkpoint", step = 1, path = "c.bin");
        info!(name: "checkpoint", step = 2, message = "plain");
        info!(step = 3);
    });
    let want = [
        "1: loss=0.5".into(),
        format!("1: log/tracing:{}=\"epoch 1 *done*\"", lines[0]),
        format!(
            "1: log/other:{}=\"saved path=a b.bin size=[1, 2] shown=as shown\"",
            lines[1]
        ),
        "1: log/checkpoint=\"path=c.bin\"".into(),
        "2: log/checkpoint=\"plain\"".into(),
    ];
    assert_eq!(records, want);
}

#[test]
fn event_has_its_own_step_or_that_of_the_innermost_span() {
    let records = logged(defaults, || {
        info!(none = 1);
        let outside = info_span!("outside", step = 40);
        let epoch = info_span!("epoch", step = 3, lr = 0.5).entered();
        info!(inherited = 1);
        info!(step = 5, own = 1);
        info!(step = None::<u64>, empty = 1);
        info!(parent: &outside, parent = 1);
        info!(parent: None, root = 1);
        {
            let _plain = info_span!("plain").entered();
            info!(through = 1);
            let batch = info_span!("batch", step = field::Empty).entered();
            info!(before = 1);
            batch.record("step", 4);
            info!(after = 1);
            batch.record("step", 6);
            info!(changed = 1);
        }
        info!(again = 1);
        drop(epoch);
        info!(none = 1);
    });
    let want = [
        "3: inherited=1",
        "5: own=1",
        "3: empty=1",
        "40: parent=1",
        "3: through=1",
        "3: before=1",
        "4: after=1",
        "6: changed=1",
        "3: again=1",
    ];
    assert_eq!(without_durations(records), want);
}

#[test]
fn step_is_an_integer_of_any_type() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let layer = TracingLayer::new(summary.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info!(step = -1i8, a = 1);
        info!(step = i64::MIN, b = 1);
        info!(step = 3.0, c = 1);
        info!(step = u64::MAX, d = 1);
        info!(step = u128::MAX, e = 1);
        info!(step = i128::MIN, f = 1);
        info!(step = -1e300, g = 1);
        let span = info_span!("epoch", step = 9);
        let _span = span.entered();
        // These steps are not integers, so the events are not logged, not even at the step of the span.
        info!(step = 2.5, no = 1);
        info!(step = f64::NAN, no = 1);
        info!(step = f64::INFINITY, no = 1);
        info!(step = true, no = 1);
        info!(step = "7", no = 1);
        info!(step = %7, no = 1);
        // A span without a step is skipped.
        let _inner = info_span!("batch", step = "first").entered();
        info!(h = 1);
    });
    let want = [
        "-1: a=1",
        "-9223372036854775808: b=1",
        "3: c=1",
        "9223372036854775807: d=1",
        "9223372036854775807: e=1",
        "-9223372036854775808: f=1",
        "-9223372036854775808: g=1",
        "9: h=1",
    ];
    summary.flush().unwrap();
    assert_eq!(without_durations(records(dir.path())), want);
    assert_eq!(summary.stats().saturated_step_count, 4);
}

#[test]
fn closed_span_with_a_step_logs_its_duration() {
    let begin = Instant::now();
    let records = logged(defaults, || {
        let epoch = info_span!("epoch", step = 3);
        epoch.in_scope(|| {
            info_span!("plain").in_scope(|| {});
            let late = info_span!("late", step = field::Empty);
            late.in_scope(|| {});
            late.record("step", 4u64);
            let never = info_span!("never", step = field::Empty);
            never.in_scope(|| {});
        });
        let not_entered = info_span!("not_entered", step = 3);
        drop(not_entered);
        let clone = epoch.clone();
        drop(epoch);
        info!(step = 3, not_closed = 1);
        thread::scope(|scope| {
            scope.spawn(|| clone.in_scope(|| {}));
        });
        drop(clone);
        info!(step = 3, closed = 1);
    });
    let most = begin.elapsed().as_secs_f64();
    let (heads, seconds): (Vec<_>, Vec<f64>) = records
        .iter()
        .map(|record| {
            let (head, number) = record.split_once('=').unwrap();
            (head, number.parse::<f64>().unwrap())
        })
        .unzip();
    let want = [
        "4: duration/late",
        "3: not_closed",
        "3: duration/epoch",
        "3: closed",
    ];
    assert_eq!(heads, want);
    for duration in [seconds[0], seconds[2]] {
        assert!((0.0..=most).contains(&duration), "{duration} of {most} s");
    }
}

#[test]
fn step_field_is_configurable() {
    let set = |layer: TracingLayer| layer.step_field("epoch");
    let records = logged(set, || {
        info!(epoch = 3, step = 17, loss = 0.5);
        info!(step = 4, loss = 0.5);
        let _span = info_span!("validation", epoch = 5).entered();
        info!(loss = 0.25);
    });
    assert_eq!(
        without_durations(records),
        ["3: step=17 loss=0.5", "5: loss=0.25"]
    );
}

#[test]
fn tags_can_start_with_span_names() {
    let set = |layer: TracingLayer| layer.span_prefix(true);
    let records = logged(set, || {
        info!(step = 1, loss = 0.5);
        let _epoch = info_span!("epoch", step = 2).entered();
        let batch = info_span!("batch", step = 3).entered();
        info!(name: "saved", loss = 0.5, "x");
        drop(batch);
        info!(loss = 0.25);
    });
    let heads: Vec<_> = records
        .iter()
        .map(|record| record.split('=').next().unwrap())
        .collect();
    let want = [
        "1: loss",
        "3: epoch/batch/loss",
        "3: epoch/batch/log/saved",
        "3: epoch/duration/batch",
        "2: epoch/loss",
        "2: duration/epoch",
    ];
    assert_eq!(heads, want);
}

#[test]
fn filter_applies_to_its_layer_alone() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let of_run = |name: &str| TracingLayer::new(summary.run(name).unwrap());
    let targets = Targets::new()
        .with_default(LevelFilter::OFF)
        .with_target("mine", LevelFilter::INFO);
    let subscriber = Registry::default()
        .with(of_run("all"))
        .with(of_run("epochs").step_field("epoch"))
        .with(of_run("mine").with_filter(targets))
        .with(of_run("events").with_filter(filter_fn(|metadata| metadata.is_event())));
    tracing::subscriber::with_default(subscriber, || {
        let _mine = info_span!(target: "mine", "mine", step = 1, epoch = 100).entered();
        let _other = info_span!(target: "other", "other", step = 2).entered();
        info!(target: "mine", a = 1);
        trace!(target: "mine", b = 1);
        info!(target: "other", c = 1);
        info!(target: "other", step = 3, d = 1);
    });
    summary.close().unwrap();
    let of_run = |name: &str| without_durations(records(&dir.path().join(name)));
    assert_eq!(of_run("all"), ["2: a=1", "2: b=1", "2: c=1", "3: d=1"]);
    let epochs = ["100: a=1", "100: b=1", "100: c=1", "100: step=3 d=1"];
    assert_eq!(of_run("epochs"), epochs);
    assert_eq!(of_run("mine"), ["1: a=1"]);
    assert_eq!(of_run("events"), ["3: d=1"]);
}

#[test]
fn events_of_a_thread_belong_to_the_spans_entered_there() {
    let records = logged(defaults, || {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let _here = info_span!("here", step = 1).entered();
        let span = Span::current();
        let in_thread = |work: &(dyn Fn() + std::marker::Sync)| {
            thread::scope(|scope| {
                scope.spawn(|| tracing::dispatcher::with_default(&dispatch, work));
            });
        };
        in_thread(&|| info!(outside = 1));
        in_thread(&|| span.in_scope(|| info!(inside = 1)));
    });
    assert_eq!(without_durations(records), ["1: inside=1"]);
}
