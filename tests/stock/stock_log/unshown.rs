//! Data that TensorBoard shows differently or not at all: tags and runs with names that its fast loader cannot serve, a mesh
//! that changes its form, and a hyperparameter with numbers and text.

use std::path::Path;

use summary_writer::graph::{NodeStats, RunMetadata};
use summary_writer::{
    Audio, HParamValue, HParams, Layer, Material, Mesh, Model, Scene, SummaryWriter,
};

use super::Result;

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

/// For each name, logs an image, a sound, run metadata and a number with this tag to the run `tags`. Also logs the same data
/// and a model to a run with this name.
pub(super) fn write(logdir: &Path) -> Result {
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
