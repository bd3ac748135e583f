//! `MetricsRecorder`: which tags and values a step logs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::path::Path;
use std::sync::Barrier;
use std::thread;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use summary_writer::integrations::MetricsRecorder;
use summary_writer::proto::Event;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::Value;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::{EventReader, SummaryWriter};

/// The values of each record, with its step.
fn records(logdir: &Path) -> Vec<(i64, Vec<Value>)> {
    let events = EventReader::open(logdir).unwrap().map(Result::unwrap);
    let values = |event: Event| match event.what {
        Some(What::Summary(summary)) => Some((event.step, summary.value)),
        _ => None,
    };
    events.filter_map(values).collect()
}

/// A value as `tag=number`, or a histogram as `tag=left..right:count,...`, without empty buckets.
fn shown(value: &Value) -> String {
    let tag = &value.tag;
    let data = match (value.scalar(), &value.value) {
        (Some(number), _) => number.to_string(),
        (None, Some(Data::Tensor(tensor))) => {
            let numbers = tensor.tensor_content.as_chunks().0;
            let numbers: Vec<_> = numbers.iter().copied().map(f64::from_le_bytes).collect();
            let rows: Vec<_> = numbers
                .as_chunks()
                .0
                .iter()
                .filter(|[_, _, count]| *count > 0.0)
                .map(|[left, right, count]| format!("{left}..{right}:{count}"))
                .collect();
            rows.join(",")
        }
        other => panic!("{other:?}"),
    };
    format!("{tag}={data}")
}

/// The records that a recorder logs during `work`, each as `step: value value`.
fn logged(work: impl FnOnce(&MetricsRecorder)) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let recorder = MetricsRecorder::new(summary);
    metrics::with_local_recorder(&recorder, || work(&recorder));
    drop(recorder);
    let record = |(step, values): (i64, Vec<Value>)| {
        let values: Vec<_> = values.iter().map(shown).collect();
        format!("{step}: {}", values.join(" "))
    };
    records(dir.path()).into_iter().map(record).collect()
}

#[test]
fn counters_and_gauges_of_a_step_are_one_record() {
    let records = logged(|recorder| {
        recorder.set_step(0);
        counter!("requests").increment(3);
        counter!("errors").absolute(5);
        gauge!("queue").set(2.5);
        let held = counter!("held");
        // It is not known before it is set, and must not be logged as 0.
        let late = gauge!("late");
        recorder.set_step(1u8);
        counter!("requests").increment(4);
        counter!("errors").absolute(4);
        gauge!("queue").increment(2);
        gauge!("queue").decrement(0.25);
        gauge!("nan").set(f64::NAN);
        held.increment(1 << 20);
        recorder.set_step(2i64);
        late.decrement(1.5);
        recorder.set_step(3usize);
    });
    let want = [
        "1: errors=5 held=0 requests=3 queue=2.5",
        "2: errors=5 held=1048576 requests=7 nan=NaN queue=4.25",
        "3: errors=5 held=1048576 requests=7 late=-1.5 nan=NaN queue=4.25",
    ];
    assert_eq!(records, want);
}

#[test]
fn labels_follow_the_name_in_sorted_order() {
    let records = logged(|recorder| {
        counter!("requests", "status" => "200", "method" => "GET").increment(1);
        counter!("requests", "method" => "GET", "status" => "200").increment(1);
        counter!("requests", "method" => "PUT", "status" => "/404").increment(1);
        counter!("requests").increment(5);
        gauge!("http.load", "core" => "").set(1);
        recorder.set_step(7);
    });
    let want = [
        "7: requests=5 requests/method=GET,status=200=2 requests/method=PUT,status=/404=1 \
                 http.load/core==1",
    ];
    assert_eq!(records, want);
}

#[test]
fn histogram_has_the_values_since_the_last_step() {
    let records = logged(|recorder| {
        let times = histogram!("times");
        recorder.set_step(0);
        times.record(0.25);
        histogram!("times").record_many(0.25, 9);
        recorder.set_step(1);
        recorder.set_step(2);
        // 0 to 63 in buckets of width 1. The last one includes its right edge.
        (0..64).for_each(|value| times.record(f64::from(value)));
        times.record(f64::NAN);
        times.record(f64::NEG_INFINITY);
        gauge!("load").set(1);
        recorder.set_step(3);
        times.record(f64::INFINITY);
        recorder.set_step(4);
    });
    let mut buckets: Vec<_> = (0..62).map(|i| format!("{i}..{}:1", i + 1)).collect();
    buckets.push("62..63:2".into());
    let want = [
        "1: times=0.25..0.25:10".into(),
        "3: load=1".into(),
        format!("3: times={} times/non_finite=2", buckets.join(",")),
        "4: load=1".into(),
        "4: times= times/non_finite=1".into(),
    ];
    assert_eq!(records, want);
}

#[test]
fn all_series_of_a_metric_have_its_description() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let recorder = MetricsRecorder::new(summary.scope("server"));
    metrics::with_local_recorder(&recorder, || {
        describe_counter!("requests", "those *answered*");
        counter!("requests", "method" => "GET").increment(1);
        counter!("requests", "method" => "PUT").increment(1);
        gauge!("load").set(0.5);
        gauge!("plain").set(0.5);
        describe_gauge!("load", Unit::Percent, "of all cores");
        describe_histogram!("times", Unit::Seconds, "");
        histogram!("times").record(1);
        recorder.set_step(1);
    });
    summary.close().unwrap();
    let values = records(dir.path())
        .into_iter()
        .flat_map(|(_, values)| values);
    let described: Vec<_> = values
        .map(|value| {
            let metadata = value.metadata.clone().unwrap_or_default();
            (shown(&value), metadata.summary_description)
        })
        .collect();
    let want = [
        ("server/requests/method=GET=1", "those *answered*"),
        ("server/requests/method=PUT=1", "those *answered*"),
        ("server/load=0.5", "of all cores (percent)"),
        ("server/plain=0.5", ""),
        ("server/times=1..1:1", "seconds"),
    ];
    let want = want.map(|(shown, description)| (shown.to_owned(), description.to_owned()));
    assert_eq!(described, want);
}

#[test]
fn each_value_of_several_threads_is_in_exactly_one_step() {
    const THREADS: usize = 4;
    const VALUES: usize = 10_000;
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let recorder = MetricsRecorder::new(summary);
    let start = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        let work = || {
            start.wait();
            metrics::with_local_recorder(&recorder, || {
                for i in 0..VALUES {
                    counter!("values").increment(1);
                    histogram!("sizes").record(u32::try_from(i).unwrap());
                }
            });
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        start.wait();
        (0..100).for_each(|step| recorder.set_step(step));
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        recorder.set_step(100);
    });
    drop(recorder);
    let mut last_sum = 0.0;
    let mut count = 0.0;
    for (_, values) in records(dir.path()) {
        for value in values {
            match (value.scalar(), &value.value) {
                (Some(sum), _) => {
                    assert!(sum >= last_sum, "{sum} after {last_sum}");
                    last_sum = sum;
                }
                (None, Some(Data::Tensor(tensor))) => {
                    let numbers = tensor.tensor_content.as_chunks().0;
                    let counts = numbers.iter().skip(2).step_by(3);
                    count += counts.map(|count| f64::from_le_bytes(*count)).sum::<f64>();
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(last_sum, 40_000.0);
    assert_eq!(count, 40_000.0);
}

#[test]
fn values_of_skipped_steps_are_in_the_next_logged_step() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let recorder = MetricsRecorder::new(summary.record_every(10));
    metrics::with_local_recorder(&recorder, || {
        for step in 0..=20 {
            histogram!("time").record(0.5);
            recorder.set_step(step);
        }
    });
    drop(recorder);
    summary.close().unwrap();
    let records = records(dir.path()).into_iter();
    let got: Vec<_> = records
        .map(|(step, values)| (step, shown(&values[0])))
        .collect();
    let want = [(0, 1), (10, 10), (20, 10)];
    assert_eq!(
        got,
        want.map(|(step, count)| (step, format!("time=0.5..0.5:{count}")))
    );
}
