//! Runs the programs in the docs of `coming_from`: those of other crates, and the same programs with this crate.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use summary_writer::EventReader;
use summary_writer::proto::event::What;
use summary_writer::reader::find_runs;

/// A run, a tag, a step and the bits of a scalar, or none for other kinds of data.
type Point = (String, String, i64, Option<u32>);

fn points(logdir: &Path) -> BTreeSet<Point> {
    let mut points = BTreeSet::new();
    for run in find_runs(logdir).unwrap() {
        for event in EventReader::open(logdir.join(&run.name)).unwrap() {
            let event = event.unwrap();
            let Some(What::Summary(summary)) = event.what else {
                continue;
            };
            points.extend(summary.value.into_iter().map(|value| {
                let bits = value.scalar().map(f32::to_bits);
                (run.name.clone(), value.tag, event.step, bits)
            }));
        }
    }
    points
}

/// Builds and runs an example of this package, and returns what it logged.
fn run(example: &str) -> BTreeSet<Point> {
    let dir = tempfile::tempdir().unwrap();
    // One white pixel.
    let mut png = Vec::new();
    image::GrayImage::from_pixel(1, 1, image::Luma([255]))
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    fs::write(dir.path().join("pixels.png"), png).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "run",
        "--quiet",
        "--features",
        "tboard",
        "--example",
        example,
    ]);
    cargo.args([
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    // The directory of this program, without `debug/deps`.
    let target = env::current_exe().unwrap();
    cargo
        .arg("--target-dir")
        .arg(target.ancestors().nth(3).unwrap());
    if env::var_os("PROTOC").is_none() {
        cargo.env("PROTOC", protoc_bin_vendored::protoc_bin_path().unwrap());
    }
    assert!(
        cargo.current_dir(dir.path()).status().unwrap().success(),
        "{example}"
    );
    points(&dir.path().join("runs/digits"))
}

#[test]
fn programs_of_other_crates_and_their_ports_log_the_same() {
    // 100 scalars, 10 histograms and 10 images, and in tensorboard-rs 100 scalars in two more runs.
    for (peer, count) in [("tensorboard_rs", 320), ("tboard", 120)] {
        let before = run(&format!("{peer}_before"));
        assert_eq!(before.len(), count, "{peer}");
        assert_eq!(run(&format!("{peer}_after")), before, "{peer}");
    }
}
