//! `TracingLayer` as the global subscriber, with `tracing-log` as the logger: a warning of the writer causes no endless loop.
//! The test is alone in its process, because a process has one subscriber and one logger.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use summary_writer::integrations::TracingLayer;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::{EventReader, SummaryWriter};
use tracing::{Event, Subscriber, info, info_span, warn};
use tracing_log::LogTracer;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

/// A layer that counts the events.
struct Count;

static EVENTS: AtomicU64 = AtomicU64::new(0);

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        EVENTS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Emits an event while it is formatted.
struct Emitter;

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        warn!(step = 1, not_logged = 1);
        f.write_str("an emitter")
    }
}

#[test]
fn warnings_of_the_writer_are_logged_once() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let layer = TracingLayer::new(summary.clone());
    LogTracer::init().unwrap();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Count).with(layer))
        .unwrap();
    let event_count = || EVENTS.swap(0, Ordering::Relaxed);

    let epoch = info_span!("epoch", step = 5).entered();
    log::info!(target: "some::module", "of the crate log");
    assert_eq!(event_count(), 1);
    info!(name: "talk", emitter = ?Emitter);
    assert_eq!(event_count(), 2);
    // The writer warns: first while the layer logs, then while the program does.
    info!(step = u64::MAX, too_large = 1);
    assert_eq!(event_count(), 2);
    summary.at(f64::NAN).scalar("now", 1.0, 6);
    assert_eq!(event_count(), 1);
    info!(step = 0.5, not_logged = 1);
    assert_eq!(event_count(), 2);
    info!(step = 0.5, not_logged = 1);
    assert_eq!(event_count(), 1);

    summary.flush().unwrap();
    let mut found = Vec::new();
    for event in EventReader::open(dir.path()).unwrap() {
        let event = event.unwrap();
        let Some(What::Summary(summary)) = event.what else {
            continue;
        };
        for value in summary.value {
            let (tag, _line) = value.tag.split_once(':').unwrap_or((&value.tag, ""));
            let text = match &value.value {
                Some(Data::Tensor(tensor)) => String::from_utf8_lossy(&tensor.string_val[0]).into(),
                _ => String::new(),
            };
            found.push((event.step, tag.to_owned(), text));
        }
    }
    let report = format!(
        "{:?}: tag \"now\": a wall time must be finite, so the time of the call is written",
        dir.path()
    );
    let want = [
        (5, "log/some", "of the crate log"),
        (5, "log/talk", "emitter=an emitter"),
        (i64::MAX, "too_large", ""),
        (5, "log/summary_writer", &report),
        (6, "now", ""),
    ];
    let want = want.map(|(step, tag, text)| (step, tag.to_owned(), text.to_owned()));
    assert_eq!(found, want);

    // A closed writer warns about each call.
    summary.close().unwrap();
    event_count();
    info!(ignored = 1);
    info!(ignored = 1);
    drop(epoch);
    assert_eq!(event_count(), 3);
}
