//! Problems of calls that return nothing are logged through the crate `log`, once for each cause.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{Level, Log, Metadata, Record};
use summary_writer::custom_scalars::Layout;
use summary_writer::{
    Audio, Graph, HParams, Layer, Mesh, Model, SummaryWriter, Tag, Tensor, WhenFull, WriterOptions,
};

struct Reports(Mutex<Vec<(Level, String)>>);

static REPORTS: Reports = Reports(Mutex::new(Vec::new()));

impl Log for Reports {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let report = (record.level(), record.args().to_string());
        self.0.lock().unwrap().push(report);
    }

    fn flush(&self) {}
}

impl Reports {
    /// Returns the messages since the last call.
    fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[derive(Clone, Default)]
struct Disk {
    fails: Arc<AtomicBool>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A message about the run in `dir`.
fn named(dir: &Path, report: &str) -> String {
    format!("\"{}\": {report}", dir.display())
}

fn options() -> WriterOptions {
    WriterOptions::new().flush_interval(Duration::from_secs(3600))
}

/// One test, because a process has one logger.
#[test]
fn each_cause_is_reported_once() {
    log::set_logger(&REPORTS).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let dir = tempfile::tempdir().unwrap();
    let summary = options().create_file_writer(dir.path()).unwrap();
    for step in 0..10u64 {
        summary.scalar(format!("large/{step}"), 0.5, u64::MAX - step);
        summary.at(f64::NAN).scalar("late", 0.5, step);
    }
    let large = Mesh::new(&vec![[0.0; 3]; 218_454]).unwrap();
    summary.mesh("cloud", large.clone(), 0);
    summary.mesh("cloud", large, 1);
    assert_eq!(summary.stats().oversized_mesh_count, 2);
    assert_eq!(
        summary.stats().accepted_count,
        22,
        "the meshes are written nevertheless"
    );
    let layers = [Layer::new("x", "Dense")];
    let model = Model::new("m", layers).unwrap();
    for _ in 0..3 {
        summary.model(&model);
    }
    summary.graph(&Graph::from_graph_def(b"\x0a\x03\x0a\x01x").unwrap());
    assert_eq!(summary.stats().rejected_graph_count, 3);
    assert_eq!(summary.stats().accepted_count, 24, "a graph and a model");
    summary.clone().close().unwrap();
    for step in 0..10 {
        summary.scalar("loss", 0.5, step);
    }
    let want = [
        (
            Level::Warn,
            "tag \"large/0\": a step must be in the range of i64, so the nearest i64 is written",
        ),
        (
            Level::Warn,
            "tag \"late\": a wall time must be finite, so the time of the call is written",
        ),
        (
            Level::Warn,
            "stock TensorBoard may fail to show a mesh of this size: it draws faces of the first 65535 vertices, and serves \
             100 steps of 2.5 MiB; the mesh is written nevertheless",
        ),
        (
            Level::Warn,
            "a second graph of a run is not written, because the loaders would show different ones",
        ),
        (
            Level::Error,
            "the summary writer is closed: later calls are ignored",
        ),
    ];
    let want = want.map(|(level, report)| (level, named(dir.path(), report)));
    assert_eq!(REPORTS.take(), want);

    let disk = Disk::default();
    disk.fails.store(true, Ordering::Relaxed);
    let summary = options()
        .max_pending_bytes(1000)
        .when_full(WhenFull::DropNew)
        .to_sink(disk.clone())
        .unwrap();
    for step in 0..100 {
        summary.scalar("loss", 0.5, step);
        if step % 10 == 0 {
            assert!(summary.flush().is_err());
        }
    }
    disk.fails.store(false, Ordering::Relaxed);
    summary.flush().unwrap();
    disk.fails.store(true, Ordering::Relaxed);
    summary.scalar("loss", 0.5, 100);
    drop(summary);
    let failure = "could not write: no storage space";
    assert_eq!(
        REPORTS.take(),
        [
            (
                Level::Error,
                format!("{failure}; the data is kept and will be tried again")
            ),
            (
                Level::Error,
                "new records are rejected until earlier ones are written, because more than max_pending_bytes, 1000, would wait"
                    .into()
            ),
            (
                Level::Warn,
                "the sink of the summary writer works again; the data that was kept is being written".into()
            ),
            (
                Level::Error,
                format!("{failure}; the summary writer is closed, records lost: 1 (42 bytes)")
            ),
        ]
    );

    // A file fails if its directory was deleted and cannot be created again. Windows may keep it while its file is open.
    #[cfg(unix)]
    reports_of_a_failing_file();

    let dir = tempfile::tempdir().unwrap();
    let summary = options().create_file_writer(dir.path()).unwrap();
    for lr in 1..10 {
        summary.hparams(HParams::new().set("lr", lr));
    }
    summary.close().unwrap();
    let want = named(
        dir.path(),
        "hyperparameters are logged again in one run: stock TensorBoard keeps the first",
    );
    assert_eq!(REPORTS.take(), [(Level::Warn, want)]);

    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let options = options().resume(0);
        let summary = options.create_file_writer(dir.path()).unwrap();
        summary.hparams(HParams::new().set("lr", 0.5));
        summary.close().unwrap();
    }
    assert_eq!(REPORTS.take(), [], "a resumed program logs them again");

    let dir = tempfile::tempdir().unwrap();
    for (first, level, want) in [
        (0, Level::Info, ""),
        (3, Level::Info, ""), // nothing to remove
        (
            2,
            Level::Info,
            "the records from step 2 on were removed, because the run continues at step 2",
        ),
        (
            0,
            Level::Warn,
            "all records were removed, from step 0 on, because the run continues at step 0; if a checkpoint was \
                          not found, do not resume",
        ),
    ] {
        let summary = options()
            .resume(first)
            .create_file_writer(dir.path())
            .unwrap();
        let want = (!want.is_empty()).then(|| (level, named(dir.path(), want)));
        assert_eq!(REPORTS.take(), Vec::from_iter(want), "resume({first})");
        (first..3).for_each(|step| summary.scalar("loss", 0.5, step));
        summary.close().unwrap();
    }

    let dir = tempfile::tempdir().unwrap();
    let summary = options().create_file_writer(dir.path()).unwrap();
    let clip = || Audio::mono_i16(8000, [0]).unwrap();
    for (step, count) in (0..).zip([2, 1, 2, 3, 3, 5]) {
        summary.audios("speech", (0..count).map(|_| clip()), step);
    }
    summary.flush().unwrap();
    assert_eq!(summary.stats().uneven_audio_count, 2);
    summary.close().unwrap(); // the report may come after `flush` has returned
    let want = named(
        dir.path(),
        "audio \"speech\" has 3 clips at a step, but 2 at an earlier one: TensorBoard will fail to show clip 3",
    );
    assert_eq!(REPORTS.take(), [(Level::Warn, want)]);

    let summary = options().to_sink(Disk::default()).unwrap();
    for step in 0..3 {
        let latin1 = Tensor::strings([1], [b"Gr\xf6\xdfe"]).unwrap();
        let metadata = summary_writer::tensor::Metadata::new("text");
        summary.scope("eval").tensor("note", latin1, metadata, step);
    }
    assert_eq!(summary.stats().unfit_tensor_count, 3);
    let want =
        "tag \"eval/note\": expected UTF-8 for the plugin \"text\", got other bytes in string 0";
    assert_eq!(REPORTS.take(), [(Level::Warn, want.to_owned())]);

    #[cfg(feature = "image")]
    {
        let summary = options().to_sink(Disk::default()).unwrap();
        for width in [0, 1] {
            let empty = image::RgbImage::new(width, 0);
            summary.scope("eval").image("empty", empty, 0);
        }
        summary.close().unwrap();
        let want = "image: tag \"eval/empty\": expected sides of 1 to 2147483647 pixels, got 0 x 0; the record is rejected";
        assert_eq!(REPORTS.take(), [(Level::Error, want.to_owned())]);
    }

    #[cfg(feature = "png")]
    {
        use summary_writer::Image;

        for step in 0..3 {
            let bytes = Image::gray_f32(2, 1, &[0.0f32, 255.0]).unwrap();
            summary.image("mask", Image::grid([bytes], 1).unwrap(), step);
            let nan = Image::gray_f32(1, 1, &[f64::NAN]).unwrap();
            summary.image("diverged", nan, step);
            let fine = Image::gray_f32(2, 1, &[f32::NAN, 1.5]).unwrap();
            summary.image("fine", fine, step);
        }
        assert_eq!(summary.stats().doubtful_image_count, 6);
        let want = [
            "tag \"mask\": image: expected samples of 0 to 1, got 255; all above 1 is white, so divide samples of 0 to 255 by 255",
            "tag \"diverged\": image: all samples are NaN, which is shown as black",
        ];
        let want = want.map(|report| (Level::Warn, report.to_owned()));
        assert_eq!(REPORTS.take(), want);
    }
    drop(summary);

    let summary = options().to_sink(Disk::default()).unwrap();
    for step in [0, 1, 1, 1, 0, 1, 0] {
        summary.scalar("loss", 0.5, step);
    }
    summary.text("loss", "is *low*", 2);
    summary.text("loss", "is *high*", 3);
    for step in 0..3 {
        summary.custom_scalars(Layout::new());
        summary.scalar(Tag::new("fine").description("of *one* kind"), 0.5, 2 * step);
        summary.scalar("fine", 0.5, 2 * step + 1);
    }
    summary.flush().unwrap();
    let stats = summary.stats();
    assert_eq!(
        [
            stats.repeated_tag_count,
            stats.backward_tag_count,
            stats.mixed_tag_count
        ],
        [1, 1, 1],
        "the counts include everything that was flushed"
    );
    summary.close().unwrap();
    let problems = [
        "step 1 comes twice, so TensorBoard may show only one of the points",
        "step 0 comes after 1, so TensorBoard may drop the points from step 0 on",
        "it is used for text after scalars, but TensorBoard shows one kind of a tag",
    ];
    let want = problems.map(|problem| (Level::Warn, format!("tag \"loss\": {problem}")));
    assert_eq!(REPORTS.take(), want);

    let dir = tempfile::tempdir().unwrap();
    let summary = options().create_file_writer(dir.path()).unwrap();
    let run = summary.run("validation").unwrap();
    run.scalar("loss", 0.5, 3);
    run.scalar("loss", 0.5, 3);
    summary.close().unwrap();
    run.close().unwrap();
    let want = named(
        &dir.path().join("validation"),
        &format!("tag \"loss\": {}", problems[0].replace('1', "3")),
    );
    assert_eq!(REPORTS.take(), [(Level::Warn, want)]);

    let dir = tempfile::tempdir().unwrap();
    let summary = options().create_file_writer(dir.path()).unwrap();
    for i in 0..1000 {
        summary.scalar((i / 2).to_string(), 0.5, 0);
    }
    summary.close().unwrap();
    let reports = REPORTS.take();
    assert_eq!(reports.len(), 101, "500 tags with a repeated step");
    assert_eq!(
        reports[100].1,
        named(
            dir.path(),
            "later warnings about tags are only counted, in `stats()`"
        )
    );

    let dir = tempfile::tempdir().unwrap();
    let writers = [(); 2].map(|()| options().create_file_writer(dir.path()).unwrap());
    for step in 0..3 {
        for summary in &writers {
            summary.scalar("loss", 0.5, step);
            summary.flush().unwrap();
        }
    }
    let paths = writers.each_ref().map(|summary| summary.path().unwrap());
    let others = writers.each_ref().map(SummaryWriter::clone);
    for summary in writers {
        summary.close().unwrap();
    }
    let counts = others.map(|other| other.stats().other_writer_count);
    assert_eq!(counts, [1, 1]);
    // Each file has grown since the other writer first looked.
    let mut want = paths.each_ref().map(|other| {
        let (dir, other) = (dir.path().display(), other.file_name().unwrap());
        format!(
            "\"{dir}\": the directory has another writer, of {other:?}: stock TensorBoard does not show all points then; give each writer \
             a directory of its own"
        )
    });
    want.sort();
    let mut reports = REPORTS.take();
    reports.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(reports, want.map(|report| (Level::Warn, report)));

    #[cfg(unix)]
    for opens_a_run in [false, true] {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("run");
        let summary = options().create_file_writer(&dir).unwrap();
        fs::rename(&dir, parent.path().join("renamed")).unwrap();
        if opens_a_run {
            summary.run("first").unwrap().close().unwrap();
            summary.run("second").unwrap().close().unwrap();
        }
        summary.scalar("loss", 0.5, 0);
        summary.close().unwrap();
        let want = named(
            &dir,
            "the directory was moved or deleted: a moved event file is still written, but runs that are opened later are \
             created at the old path",
        );
        assert_eq!(REPORTS.take(), [(Level::Warn, want)]);
    }

    // Without a problem nothing is logged, even if the run has a file of an earlier writer.
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    summary.scalar("loss", 0.5, 0);
    summary.close().unwrap();
    assert_eq!(REPORTS.take(), []);
}

#[cfg(unix)]
fn reports_of_a_failing_file() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("run");
    let summary = options()
        .max_pending_bytes(1000)
        .when_full(WhenFull::DropNew)
        .create_file_writer(&dir)
        .unwrap();
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "in the way").unwrap();
    for step in 0..100 {
        summary.scalar("loss", 0.5, step);
    }
    summary.flush().unwrap_err();
    fs::remove_file(&dir).unwrap();
    summary.flush().unwrap();
    summary.close().unwrap(); // the worker may report after `flush` has returned
    let reports = REPORTS.take();
    let want = [
        named(
            &dir,
            "new records are rejected until earlier ones are written, because more than max_pending_bytes, 1000, would wait",
        ),
        named(
            &dir,
            "the sink of the summary writer works again; the data that was kept is being written",
        ),
    ];
    for report in want {
        assert!(
            reports.iter().any(|(_, message)| *message == report),
            "{reports:?}"
        );
    }
}
