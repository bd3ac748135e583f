//! The default writer and the step of a thread, handles that log less than they are told, and to more than one run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::cell::Cell;
use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use summary_writer::graph::{GraphBuilder, Op};
use summary_writer::proto::event::What;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::{
    Audio, CurrentStep, Embedding, Error, EventReader, HParams, Mesh, SummaryWriter, WriterOptions,
    default_writer, set_step,
};

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

/// One of each kind that has no files beside the event file.
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
fn the_innermost_writer_is_the_default_and_of_its_thread_alone() {
    let dir = tempfile::tempdir().unwrap();
    let [outer, inner] = ["outer", "inner"].map(|name| dir.path().join(name));
    {
        assert!(default_writer().is_none());
        let summary = SummaryWriter::create_file_writer(&outer).unwrap();
        let first = summary.as_default();
        summary_writer::scalar("before", 1, 0);
        let second = SummaryWriter::create_file_writer(&inner)
            .unwrap()
            .as_default();
        summary_writer::scalars(0, [("inside", 2)]);
        // In the other order than they came.
        drop(first);
        summary_writer::text("still inside", "text", 0);
        thread::spawn(|| {
            assert!(default_writer().is_none());
            summary_writer::scalar("of another thread", 1, 0);
        })
        .join()
        .unwrap();
        let inherited = default_writer().unwrap();
        thread::spawn(move || {
            let _guard = inherited.as_default();
            summary_writer::histogram("of a thread that was told", [0.5], 0);
        })
        .join()
        .unwrap();
        drop(second);
        assert!(default_writer().is_none());
        summary_writer::scalar("after", 1, 0);
    }
    assert_eq!(tags(&outer), ["before"]);
    let want = ["inside", "still inside", "of a thread that was told"];
    assert_eq!(
        tags(&inner),
        want,
        "and the file is closed with its last guard"
    );
}

#[test]
fn what_logs_may_change_the_default_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let [outer, inner] = ["outer", "inner"].map(|name| dir.path().join(name));
    let summary = SummaryWriter::create_file_writer(&outer).unwrap();
    let guard = summary.as_default();
    let other = SummaryWriter::create_file_writer(&inner).unwrap();
    let values = iter::once_with(|| {
        let _guard = other.as_default();
        summary_writer::scalar("within", 1, 0);
        ("around", 2)
    });
    summary_writer::scalars(0, values);
    drop((guard, other));
    summary.close().unwrap();
    assert_eq!(tags(&outer), ["around"]);
    assert_eq!(tags(&inner), ["within"]);
}

#[test]
fn a_guard_that_a_thread_leaks_costs_nothing_that_was_logged() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().to_owned();
    thread::spawn(move || {
        thread_local! {
            static KEPT: Cell<Option<summary_writer::DefaultGuard>> = const { Cell::new(None) };
        }
        let summary = SummaryWriter::create_file_writer(run).unwrap();
        KEPT.set(Some(summary.as_default()));
        summary_writer::scalar("kept", 1, 0);
    })
    .join()
    .unwrap();
    assert_eq!(tags(dir.path()), ["kept"]);
}

#[test]
fn the_current_step_is_that_of_the_thread() {
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
    assert_eq!(summary_writer::step(), i64::MAX);
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
fn a_disabled_writer_takes_all_and_has_nothing() {
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
    // Its arguments are not even looked at.
    let values = iter::repeat_with(|| -> (&str, f32) { panic!("it is asked for values") });
    summary.scalars(0, values);
    let clips = iter::repeat_with(|| -> Audio { panic!("it is asked for clips") });
    summary.audios("clips", clips, 0);
    let stats = summary.stats();
    assert_eq!(
        (
            stats.accepted_count,
            stats.ignored_count,
            stats.refused_count
        ),
        (0, 0, 0)
    );
    assert!(stats.failure.is_none());
    summary.clone().close().unwrap();
    summary.close().unwrap();
}

#[test]
fn a_sparse_handle_logs_the_steps_that_it_says() {
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
    // The runs below have the conditions, too.
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
fn a_condition_is_asked_at_each_call() {
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
        "and no session was ended"
    );
}

#[test]
fn a_tee_logs_to_all_its_runs() {
    let dir = tempfile::tempdir().unwrap();
    let paths = ["a", "b", "c"].map(|name| dir.path().join(name));
    let [a, b, c] = paths
        .clone()
        .map(|path| SummaryWriter::create_file_writer(path).unwrap());
    b.scalar("of b alone", 1, 0);
    // One that logs nothing, one that is there already: both change nothing.
    let tee = a
        .tee(&b.scope("does not matter").record_every(0))
        .tee(&c.tee(&a))
        .tee(&SummaryWriter::disabled())
        .tee(&b)
        .at(7.0);
    log_all(&tee);
    tee.run("below").unwrap().scalar("below", 1, 0);
    let points = Embedding::new("points", &[0.5f32, 1.5], 1).unwrap();
    tee.embedding(points, 0).unwrap();
    tee.flush().unwrap();
    let flushed = [&a, &b, &c].map(|summary| summary.stats().flushed_count);
    let count = flushed[0];
    assert_eq!(flushed, [count, count + 1, count]);
    assert_eq!(tee.stats().flushed_count, count);
    tee.close().unwrap();
    assert!(b.stats().accepted_count > 0);
    b.scalar("after", 1, 0);
    assert_eq!(b.stats().ignored_count, 1, "it is closed");

    let [first, second, third] = paths.clone().map(|path| tags(&path));
    assert_eq!(first.iter().filter(|tag| **tag == "the graph").count(), 1);
    assert_eq!(first.last().unwrap(), "_hparams_/session_end_info");
    assert_eq!(second[0], "of b alone");
    assert_eq!(second[1..], first);
    assert_eq!(third, first);
    for path in paths {
        assert_eq!(tags(&path.join("below")), ["below"]);
        assert!(path.join("projector_config.pbtxt").exists());
    }
}

#[test]
fn a_tee_says_what_went_wrong_with_any() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] =
        ["a", "b"].map(|name| SummaryWriter::create_file_writer(dir.path().join(name)).unwrap());
    let tee = a.tee(&b);
    b.close().unwrap();
    assert!(matches!(tee.run("below"), Err(Error::Closed)));
    tee.scalar("loss", 1, 0);
    tee.close().unwrap();
    assert_eq!(tags(&dir.path().join("a")), ["loss"]);
}

#[test]
fn a_tee_counts_in_all_its_runs() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] =
        ["a", "b"].map(|name| SummaryWriter::create_file_writer(dir.path().join(name)).unwrap());
    let tee = a.tee(&b);
    tee.scalar("loss", 0.5, u64::MAX);
    tee.at(f64::NAN).scalar("accuracy", 0.5, 0);
    let clip = || Audio::mono_f32(8000, [0.0; 8]).unwrap();
    // Of `b` alone: three clips first, so that the one of both gets two empty ones there and none in `a`.
    b.audios("clips", [clip(), clip(), clip()], 0);
    tee.audios("clips", [clip()], 1);
    for summary in [&a, &b] {
        let stats = summary.stats();
        assert_eq!(
            (stats.saturated_step_count, stats.replaced_wall_time_count),
            (1, 1)
        );
    }
    tee.close().unwrap();
    let clips = |name: &str| {
        let mut counts = Vec::new();
        for event in EventReader::open(dir.path().join(name))
            .unwrap()
            .map(Result::unwrap)
        {
            if let Some(What::Summary(summary)) = event.what
                && let Some(Data::Tensor(tensor)) = &summary.value[0].value
                && summary.value[0].tag == "clips"
            {
                let shape = tensor.tensor_shape.as_ref().unwrap();
                counts.push((event.step, shape.dim[0].size));
            }
        }
        counts
    };
    assert_eq!(clips("a"), [(1, 1)]);
    assert_eq!(clips("b"), [(0, 3), (1, 3)]);
}

#[test]
fn a_condition_is_asked_once_for_a_session() {
    let dir = tempfile::tempdir().unwrap();
    let asked = AtomicBool::new(false);
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let once = summary.record_if(move |_| !asked.swap(true, Ordering::Relaxed));
    once.hparams(HParams::new().set("lr", 0.5));
    drop(once);
    summary.close().unwrap();
    let want = ["_hparams_/session_start_info", "_hparams_/session_end_info"];
    assert_eq!(tags(dir.path()), want);
}

#[test]
fn a_current_step_beyond_its_range_is_counted_where_it_is_written() {
    let summary = WriterOptions::new().to_sink(std::io::sink()).unwrap();
    set_step(u64::MAX);
    assert_eq!(summary_writer::step(), i64::MAX);
    summary.scalar("loss", 0.5, CurrentStep);
    assert_eq!(summary.stats().saturated_step_count, 1);
}
