//! The default writer and the step of a thread, and handles that log only some steps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::cell::Cell;
use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use summary_writer::current::{CurrentStep, default_writer, set_step};
use summary_writer::graph::{GraphBuilder, Op};
use summary_writer::proto::event::What;
use summary_writer::{Audio, Embedding, EventReader, HParams, Mesh, SummaryWriter, WriterOptions};

/// Tag and step of each value, in the order of the file.
fn logged(run: &Path) -> Vec<(String, i64)> {
    let mut logged = Vec::new();
    for event in EventReader::open(run).unwrap().map(Result::unwrap) {
        match event.what {
            Some(What::Summary(summary)) => {
                logged.extend(
                    summary
                        .value
                        .into_iter()
                        .map(|value| (value.tag, event.step)),
                );
            }
            Some(What::GraphDef(_)) => logged.push(("the graph".into(), event.step)),
            _ => {}
        }
    }
    logged
}

fn tags(run: &Path) -> Vec<String> {
    logged(run).into_iter().map(|(tag, _)| tag).collect()
}

/// Logs one of each kind that needs only the event file.
fn log_all(summary: &SummaryWriter) {
    summary.scalar("scalar", 0.5, 0);
    summary.scalars(0, [("scalars", 0.5)]);
    summary.histogram("histogram", [0.5], 0);
    summary.text("text", "text", 0);
    #[cfg(feature = "png")]
    summary.image("image", summary_writer::Image::gray8(1, 1, [0]).unwrap(), 0);
    summary.audio("audio", Audio::mono_f32(8000, [0.0; 8]).unwrap(), 0);
    summary.mesh("mesh", Mesh::new(&[[0.0; 3]]).unwrap(), 0);
    summary.hparams(HParams::new().set("lr", 0.5));
    let mut graph = GraphBuilder::new();
    graph.node("pixels", Op::new("Placeholder"));
    summary.graph(&graph.build().unwrap());
}

#[test]
fn innermost_writer_is_the_default_of_its_thread() {
    let dir = tempfile::tempdir().unwrap();
    let [outer, inner] = ["outer", "inner"].map(|name| dir.path().join(name));
    {
        assert!(default_writer().is_none());
        let summary = SummaryWriter::create_file_writer(&outer).unwrap();
        let first = summary.as_default();
        summary_writer::current::scalar("before", 1, 0);
        let second = SummaryWriter::create_file_writer(&inner)
            .unwrap()
            .as_default();
        summary_writer::current::scalars(0, [("inside", 2)]);
        // Guards may be dropped in any order.
        drop(first);
        summary_writer::current::text("still inside", "text", 0);
        thread::spawn(|| {
            assert!(default_writer().is_none());
            summary_writer::current::scalar("of another thread", 1, 0);
        })
        .join()
        .unwrap();
        let inherited = default_writer().unwrap();
        thread::spawn(move || {
            let _guard = inherited.as_default();
            summary_writer::current::histogram("of a thread with an inherited writer", [0.5], 0);
        })
        .join()
        .unwrap();
        drop(second);
        assert!(default_writer().is_none());
        summary_writer::current::scalar("after", 1, 0);
    }
    assert_eq!(tags(&outer), ["before"]);
    let want = [
        "inside",
        "still inside",
        "of a thread with an inherited writer",
    ];
    assert_eq!(tags(&inner), want, "the last guard closes the file");
}

#[test]
fn default_writer_may_change_during_a_call() {
    let dir = tempfile::tempdir().unwrap();
    let [outer, inner] = ["outer", "inner"].map(|name| dir.path().join(name));
    let summary = SummaryWriter::create_file_writer(&outer).unwrap();
    let guard = summary.as_default();
    let other = SummaryWriter::create_file_writer(&inner).unwrap();
    let values = iter::once_with(|| {
        let _guard = other.as_default();
        summary_writer::current::scalar("within", 1, 0);
        ("around", 2)
    });
    summary_writer::current::scalars(0, values);
    drop((guard, other));
    summary.close().unwrap();
    assert_eq!(tags(&outer), ["around"]);
    assert_eq!(tags(&inner), ["within"]);
}

#[test]
fn guard_that_outlives_its_thread_loses_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().to_owned();
    thread::spawn(move || {
        thread_local! {
            static KEPT: Cell<Option<summary_writer::current::DefaultGuard>> = const { Cell::new(None) };
        }
        let summary = SummaryWriter::create_file_writer(run).unwrap();
        KEPT.set(Some(summary.as_default()));
        summary_writer::current::scalar("kept", 1, 0);
    })
    .join()
    .unwrap();
    assert_eq!(tags(dir.path()), ["kept"]);
}

#[test]
fn current_step_belongs_to_its_thread() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    summary.scalar("loss", 1, CurrentStep);
    set_step(7u8);
    summary.scalar("loss", 1, CurrentStep);
    summary.text("text", "text", CurrentStep);
    let other = summary.clone();
    thread::spawn(move || other.scalar("loss of another thread", 1, CurrentStep))
        .join()
        .unwrap();
    set_step(u64::MAX);
    assert_eq!(summary_writer::current::step(), i64::MAX);
    summary.close().unwrap();
    let logged = logged(dir.path());
    let want = [
        ("loss", 0),
        ("loss", 7),
        ("text", 7),
        ("loss of another thread", 0),
    ];
    assert_eq!(logged, want.map(|(tag, step)| (tag.to_owned(), step)));
}

#[test]
fn disabled_writer_accepts_every_call_and_writes_nothing() {
    let summary = SummaryWriter::disabled();
    for handle in [
        summary.clone(),
        summary.scope("scope").at(7.0),
        summary.run("child").unwrap(),
        summary.record_every(1),
    ] {
        assert!(!handle.is_recording(0));
        log_all(&handle);
        let points = Embedding::new("points", &[0.5f32, 1.5], 1).unwrap();
        handle.embedding(points, 0).unwrap();
        handle.flush().unwrap();
        assert_eq!(handle.path(), None);
    }
    // Its arguments are not evaluated.
    let values = iter::repeat_with(|| -> (&str, f32) { panic!("the values are evaluated") });
    summary.scalars(0, values);
    let clips = iter::repeat_with(|| -> Audio { panic!("the clips are evaluated") });
    summary.audios("clips", clips, 0);
    let stats = summary.stats();
    assert_eq!(
        (
            stats.accepted_count,
            stats.ignored_count,
            stats.rejected_count
        ),
        (0, 0, 0)
    );
    assert!(stats.failure.is_none());
    summary.clone().close().unwrap();
    summary.close().unwrap();
}

#[test]
fn sparse_handle_logs_multiples_of_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let every = summary.record_every(3);
    let both = every.record_if(|step| step >= 4).scope("both");
    let never = summary.record_every(0);
    for step in -3..8 {
        every.scalar("every", 1, step);
        both.histogram("late", [0.5], step);
        never.scalar("never", 1, step);
        assert_eq!(every.is_recording(step), [-3, 0, 3, 6].contains(&step));
    }
    // Child runs have the same conditions.
    let child = every.run("child").unwrap();
    (0..5).for_each(|step| child.scalar("every", 1, step));
    summary.close().unwrap();
    let want = [
        ("every", -3),
        ("every", 0),
        ("every", 3),
        ("every", 6),
        ("both/late", 6),
    ];
    assert_eq!(
        logged(dir.path()),
        want.map(|(tag, step)| (tag.to_owned(), step))
    );
    let want = [("every", 0), ("every", 3)];
    let of_child = logged(&dir.path().join("child"));
    assert_eq!(of_child, want.map(|(tag, step)| (tag.to_owned(), step)));
}

#[test]
fn condition_is_called_for_each_call() {
    let dir = tempfile::tempdir().unwrap();
    let on = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&on);
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let handle = summary.record_if(move |_| asked.load(Ordering::Relaxed));
    log_all(&handle);
    on.store(true, Ordering::Relaxed);
    handle.scalar("loss", 1, 5);
    drop(handle);
    summary.close().unwrap();
    assert_eq!(
        logged(dir.path()),
        [("loss".to_owned(), 5)],
        "no session was ended"
    );
}

#[test]
fn condition_is_called_once_for_each_record() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let once = || {
        let is_called = AtomicBool::new(false);
        summary.record_if(move |_| !is_called.swap(true, Ordering::Relaxed))
    };
    let mut graph = GraphBuilder::new();
    graph.node("pixels", Op::new("Placeholder"));
    once().graph(&graph.build().unwrap());
    once().hparams(HParams::new().set("lr", 0.5));
    summary.close().unwrap();
    let want = [
        "the graph",
        "_hparams_/session_start_info",
        "_hparams_/session_end_info",
    ];
    assert_eq!(tags(dir.path()), want);
}

#[test]
fn current_step_out_of_range_is_counted_by_the_writer() {
    let summary = WriterOptions::new().to_sink(std::io::sink()).unwrap();
    set_step(u64::MAX);
    assert_eq!(summary_writer::current::step(), i64::MAX);
    summary.scalar("loss", 0.5, CurrentStep);
    assert_eq!(summary.stats().saturated_step_count, 1);
}
