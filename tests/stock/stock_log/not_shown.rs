//! Two logs that TensorBoard does not show as they were logged. The log `main` has steps that go back, more points than
//! TensorBoard keeps, and forms that one of its loaders does not read. The log `unusual` has tags and runs with names that the
//! fast loader cannot serve, a mesh that changes its form, and a hyperparameter with numbers and text.

use std::path::Path;

use summary_writer::custom_scalars::{Category, Layout, Margin};
use summary_writer::graph::{NodeStats, RunMetadata};
use summary_writer::hparams::HParamValue;
use summary_writer::mesh::{Material, Scene};
use summary_writer::proto::DataClass;
use summary_writer::tensor::Metadata;
use summary_writer::{
    Audio, Embedding, HParams, Histogram, Image, Layer, Mesh, Model, PrCurve, SummaryWriter, Tag,
    Tensor,
};

use crate::{Result, START};

const NAMES: [&str; 9] = [
    "plain",
    "spaces and ünïcode",
    "marks '<>&?#%+=,;:|`~!@$^*()[]{}",
    "quote\"",
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "delete\u{7f}",
    "control\u{85}",
];

pub(crate) fn write(parent: &Path) -> Result {
    main(&parent.join("main"))?;
    unusual(&parent.join("unusual"))
}

fn main(logdir: &Path) -> Result {
    let root = SummaryWriter::create_file_writer(logdir)?;
    root.hparams(HParams::new().set("lr", 0.5));
    root.scalar("loss", 0.5, 0);
    steps(&root.run("steps")?)?;
    many(&root.run("many")?)?;
    odd(&root.run("odd")?)?;
    root.close()?;
    Ok(())
}

fn steps(run: &SummaryWriter) -> Result {
    for step in (0..10).cycle().take(30) {
        run.scalar("epochs", step, step);
    }
    for step in [0, 1, 2, 3, 4, 2, 5] {
        run.scalar("back", step, step);
    }
    for step in [0, 1, 1, 1, 2] {
        run.scalar("same", step, step);
    }
    for _ in 0..5 {
        run.scalar("no step", 1, 0);
    }
    for step in (0..2).cycle().take(6) {
        all_kinds(run, step)?;
    }
    for step in 0..4 {
        run.scalar("two kinds", step, step);
    }
    run.text("two kinds", "x", 3);
    Ok(())
}

/// More points of each kind than either loader keeps by default.
fn many(run: &SummaryWriter) -> Result {
    for step in 0..1010 {
        run.scalar("scalar", step, step);
    }
    for step in 0..510 {
        run.histogram("histogram", Histogram::with_buckets(&[0.0, 1.0], 2)?, step);
    }
    for step in 0..110 {
        all_kinds_but_histograms(run, step)?;
    }
    Ok(())
}

fn all_kinds(run: &SummaryWriter, step: i32) -> Result {
    run.histogram("histogram", Histogram::with_buckets(&[0.0, 1.0], 2)?, step);
    all_kinds_but_histograms(run, step)
}

fn all_kinds_but_histograms(run: &SummaryWriter, step: i32) -> Result {
    run.image("image", Image::gray8(1, 1, [0])?, step);
    run.audio("audio", Audio::mono_i16(8000, [0])?, step);
    run.text("text", "x", step);
    let curve = PrCurve::with_thresholds(&[true, false], &[1.0, 0.0], 2)?;
    run.pr_curve("curve", curve, step);
    run.mesh(
        "mesh",
        Mesh::new(&[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])?,
        step,
    );
    Ok(())
}

fn odd(run: &SummaryWriter) -> Result {
    run.hparams(HParams::new().set("lr", 0.5));
    run.scalar("loss", 0.5, 0);
    for step in 0..3 {
        let scalars = || Metadata::new("scalars").data_class(DataClass::Scalar);
        run.tensor("f64", Tensor::new([], &[0.1])?, scalars(), step);
        run.tensor("i64", Tensor::new([], &[7i64])?, scalars(), step);
        run.tensor(
            "f32 of rank 1",
            Tensor::new([1], &[0.5f32])?,
            scalars(),
            step,
        );
        run.tensor(
            "of no plugin",
            Tensor::new([], &[0.5f32])?,
            Metadata::new("mine"),
            step,
        );
    }
    run.scalar("described late", 1, 0);
    run.scalar(Tag::new("described late").description("too late"), 1, 1);
    run.at(0.0).scalar("1970", 1, 0);
    run.text("html", "<i>x</i>", 0);
    for (step, clips) in (0..).zip([1, 2]) {
        let clips = vec![Audio::mono_i16(8000, [0])?; clips];
        run.at(START).audios("uneven", clips, step);
    }
    // Seen from the front and from behind.
    let corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    for (tag, face) in [("front", [0, 1, 2]), ("back", [0, 2, 1])] {
        run.mesh(tag, Mesh::new(&corners)?.faces(&[face])?, 0);
    }
    // A triangle of the last vertices. All others are in one point.
    for (tag, before) in [("small index", 60_000), ("large index", 65_536)] {
        let vertices = [vec![[0.0; 3]; before], corners.to_vec()].concat();
        let first = u32::try_from(before)?;
        let face = [first, first + 1, first + 2];
        run.mesh(tag, Mesh::new(&vertices)?.faces(&[face])?, 0);
    }
    // The projector uses the name of the run in a URL.
    let embedding = Embedding::new("points", &[0.0, 1.0, 2.0], 1)?;
    run.run("a&b")?.embedding(embedding.clone(), 0)?;
    run.embedding(embedding, 0)?;
    for step in 0..4 {
        run.scalars(step, [("value", 1), ("even/value", 1)]);
        run.scalars(step, [("even/lower", 0), ("even/upper", 2)]);
        run.scalars(step + 4, [("lower", 0), ("upper", 2)]);
    }
    let even = Margin::new("even/value", "even/lower", "even/upper");
    let charts = Category::new("bands")?
        .margin("even", [even])?
        .margin("uneven", [Margin::new("value", "lower", "upper")])?;
    run.custom_scalars(Layout::new().category(charts));
    Ok(())
}

/// For each name, logs an image, a sound, run metadata and a number with this tag to the run `tags`. Also logs the same data
/// and a model to a run with this name.
fn unusual(logdir: &Path) -> Result {
    let root = SummaryWriter::create_file_writer(logdir)?;
    let tags = root.run("tags")?;
    for name in NAMES {
        log(&tags, name)?;
        let run = root.run(format!("runs/{name}"))?;
        log(&run, "tag")?;
        run.model(&Model::new("m", [Layer::new("dense", "Dense")])?);
    }
    changing_mesh(&root.run("mesh")?)?;
    for (run, clip) in [("text", HParamValue::from("none")), ("number", 1.5.into())] {
        let run = root.run(format!("hparams/{run}"))?;
        run.hparams(HParams::new().set("clip", clip));
    }
    root.close()?;
    Ok(())
}

fn log(summary: &SummaryWriter, tag: &str) -> Result {
    #[cfg(feature = "png")]
    let image = summary_writer::Image::gray8(1, 1, [7])?;
    #[cfg(feature = "png")]
    summary.image(format!("{tag}/image"), image, 0);
    summary.audio(format!("{tag}/audio"), Audio::mono_i16(8000, [1])?, 0);
    let metadata = RunMetadata::new().node(NodeStats::new("dense"));
    summary.run_metadata(format!("{tag}/nodes"), &metadata, 0);
    summary.scalar(format!("{tag}/scalar"), 0.5, 0);
    Ok(())
}

/// The second step has colours, another scene and another batch size than the first.
fn changing_mesh(summary: &SummaryWriter) -> Result {
    let triangle = || Mesh::new(&[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    summary.mesh("triangle", triangle()?, 0);
    let scene = Scene::new().material(Material::new().point_size(0.5))?;
    let pair = Mesh::batch([triangle()?, triangle()?])?;
    let pair = pair.colors(&[[255, 0, 0]; 3])?.scene(&scene);
    summary.mesh("triangle", pair, 1);
    assert_eq!(summary.stats().changed_mesh_count, 1);
    Ok(())
}
