//! The program `summary-writer` as a user calls it: its output, its exit codes, and that no file makes it panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use summary_writer::reader::find_runs;
use summary_writer::record::append_frame;
use summary_writer::tensor::Metadata;
use summary_writer::{Embedding, HParams, Mesh, PrCurve, SummaryWriter, Tag, Tensor};
use tempfile::TempDir;

/// Exit code, standard output and standard error.
#[derive(Debug)]
struct Answer(i32, String, String);

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_summary-writer"))
}

fn call<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Answer {
    let output = program().args(arguments).output().unwrap();
    let code = output.status.code().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let answer = Answer(code, text(output.stdout), text(output.stderr));
    // The exit code of a panic is 101.
    assert!(code <= 2, "{answer:?}");
    assert!(!answer.2.contains("panicked"), "{answer:?}");
    answer
}

/// `summary-writer NAME PATH OPTION..`
fn on(path: &Path, name: &str, options: &[&str]) -> Answer {
    let arguments = [OsStr::new(name), path.as_os_str()].into_iter();
    call(arguments.chain(options.iter().map(OsStr::new)))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns a version record and four records of the scalar `loss` (steps 7 to 10, value 0.25, wall time 1700000000.5), and
/// the offsets between them. A stock writer wrote the bytes of the first scalar.
fn small_file() -> (Vec<u8>, Vec<usize>) {
    let version = b"\x09\0\0\0\x40\xfc\x54\xd9\x41\x1a\x0dbrain.Event:2";
    let mut bytes = Vec::new();
    append_frame(version, &mut bytes);
    let mut edges = vec![0, bytes.len()];
    for step in 7..=10 {
        let mut event =
            *b"\x09\0\0\x20\x40\xfc\x54\xd9\x41\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\x80\x3e";
        event[10] = step;
        append_frame(&event, &mut bytes);
        edges.push(bytes.len());
    }
    (bytes, edges)
}

/// The scalars of [`small_file`] in CSV.
fn csv(steps: &[usize]) -> String {
    let rows = steps
        .iter()
        .map(|step| format!(".,loss,{step},1700000000.5,0.25\n"));
    "run,tag,step,wall_time,value\n".to_owned() + &rows.collect::<String>()
}

struct Logdir(TempDir);

impl Logdir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// Writes two runs, with scalars, a text, a histogram and numbers that are not finite.
fn log() -> Logdir {
    let logdir = Logdir::new();
    let summary = SummaryWriter::create_file_writer(logdir.path().join("train")).unwrap();
    let at = summary.at(1_700_000_000.5);
    for (step, loss) in [(0, 0.5), (10, f32::NAN), (20, f32::NEG_INFINITY), (30, 0.1)] {
        at.scalar("loss, \"x\"", loss, step);
    }
    at.scalar(Tag::new("lr").description("described"), 1e-7, -3);
    at.text("notes", "two\nlines", 1);
    at.histogram("weights", [1.0f32, 2.0, 2.0], 2);
    summary.run("child").unwrap().scalar("loss, \"x\"", 1.0, 5);
    summary.close().unwrap();
    logdir
}

#[test]
fn inspect_shows_runs_tags_kinds_points_and_steps() {
    let logdir = log();
    let Answer(code, out, err) = on(logdir.path(), "inspect", &[]);
    assert_eq!((code, &*err), (0, ""));
    let words: Vec<Vec<&str>> = out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(words[0][..4], ["run", "train:", "1", "file,"], "{out}");
    assert_eq!(words[1].join(" "), "tag kind points first step last step");
    assert_eq!(words[2], ["loss,", "\"x\"", "scalars", "4", "0", "30"]);
    assert_eq!(words[3], ["lr", "scalars", "1", "-3", "-3"]);
    assert_eq!(words[4], ["notes", "text", "1", "1", "1"]);
    assert_eq!(words[5], ["weights", "histograms", "1", "2", "2"]);
    assert_eq!(words[7][..2], ["run", "train/child:"], "{out}");

    let Answer(code, out, _) = on(logdir.path(), "inspect", &["--json"]);
    let runs = lines(&out);
    assert_eq!((code, runs.len()), (0, 2));
    assert_eq!(runs[0]["run"], "train");
    // The version record, four scalars, a described one, a text, a histogram.
    assert_eq!(runs[0]["records"], 8);
    let loss = json!({"tag": "loss, \"x\"", "kind": "scalars", "points": 4, "first_step": 0, "last_step": 30,
        "shown": 4});
    assert_eq!(runs[0]["tags"][0], loss);
    assert_eq!(runs[0]["files"][0]["damages"], json!([]));
    assert_eq!(runs[1]["tags"][0]["points"], 1);
}

/// `tests/stock/test_not_shown.py` compares these counts with those of stock TensorBoard.
#[test]
fn inspect_says_which_points_tensorboard_leaves_out() {
    let logdir = Logdir::new();
    let summary = SummaryWriter::create_file_writer(logdir.path()).unwrap();
    for step in (0..10).cycle().take(30) {
        summary.scalar("batches", 0.5, step);
        summary.text("texts", "x", step);
    }
    for step in [0, 1, 2, 3, 4, 2, 5] {
        summary.scalar("back", 0.5, step);
    }
    for step in [0, 1, 1, 1, 2] {
        summary.scalar("same", 0.5, step);
    }
    for step in (0..2000).chain(1500..3000) {
        summary.scalar("sampled", 0.5, step);
    }
    // The text replaces the last scalar, and is not a scalar.
    for step in 0..4 {
        summary.scalar("two kinds", 0.5, step);
    }
    summary.text("two kinds", "x", 3);
    for step in 0..3 {
        let number = Tensor::new([], &[0.1f64]).unwrap();
        summary.tensor("f64", number, Metadata::new("scalars"), step);
        summary.custom_scalars(summary_writer::custom_scalars::Layout::new());
    }
    summary.close().unwrap();

    let Answer(code, out, err) = on(logdir.path(), "inspect", &["--json"]);
    assert_eq!((code, &*err), (0, ""));
    let got: Vec<_> = lines(&out)[0]["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| {
            let note = tag["note"].as_str().unwrap_or_default().to_owned();
            (tag["tag"].clone(), tag["shown"].clone(), note)
        })
        .collect();
    let want = [
        (
            "back",
            json!(4),
            "steps go back: TensorBoard shows 4 of 7 points",
        ),
        (
            "batches",
            json!(10),
            "steps go back: TensorBoard shows 10 of 30 points",
        ),
        ("custom_scalars__config__", json!(null), ""),
        (
            "f64",
            json!(0),
            "not float32 of rank 0: the fast loader shows 0 of 3 points, --load_fast=false all",
        ),
        (
            "same",
            json!(3),
            "steps repeat: TensorBoard shows 3 of 5 points",
        ),
        // The steps from 0 to 2999, once each.
        (
            "sampled",
            json!(3000),
            "steps go back: TensorBoard shows a sample of 3000 of 3500 points",
        ),
        (
            "texts",
            json!(10),
            "steps go back: TensorBoard shows 10 of 30 points",
        ),
        (
            "two kinds",
            json!(3),
            "steps repeat: TensorBoard shows 3 of 4 points",
        ),
        (
            "two kinds",
            json!(0),
            "the tag is used for scalars, too: TensorBoard shows 0 of 1 points",
        ),
    ];
    assert_eq!(
        got,
        want.map(|(tag, shown, note)| (json!(tag), shown, note.to_owned()))
    );

    let Answer(_, out, _) = on(logdir.path(), "inspect", &[]);
    let row = out.lines().find(|line| line.contains("batches")).unwrap();
    assert!(
        row.ends_with("  9  steps go back: TensorBoard shows 10 of 30 points"),
        "{row}"
    );
    let Answer(code, out, _) = on(logdir.path(), "verify", &[]);
    let hint = "run .: TensorBoard leaves out points of 7 tags; `summary-writer inspect` shows which and why";
    assert_eq!((code, out.lines().last().unwrap()), (0, hint));
}

#[test]
fn inspect_lists_embeddings() {
    let logdir = Logdir::new();
    let summary = SummaryWriter::create_file_writer(logdir.path().join("run")).unwrap();
    for step in [3, 20] {
        let embedding = Embedding::new("hidden: \u{e9}\"", &[1.0, 2.0], 1).unwrap();
        summary.embedding(embedding, step).unwrap();
    }
    summary.close().unwrap();
    let config = logdir.path().join("run/projector_config.pbtxt");
    let other = "embeddings { tensor_name: 'word2vec' tensor_path: 'x.tsv' }\n";
    fs::write(&config, fs::read_to_string(&config).unwrap() + other).unwrap();
    let Answer(code, out, _) = on(logdir.path(), "inspect", &["--json"]);
    let tags = &lines(&out)[0]["tags"];
    let entry = |tag, points, first, last| json!({"tag": tag, "kind": "projector", "points": points, "first_step": first, "last_step": last});
    let want = json!([
        entry("hidden: \u{e9}\"", 2, 3, 20),
        entry("word2vec", 1, 0, 0)
    ]);
    assert_eq!((code, tags), (0, &want));
    let names = find_runs(logdir.path()).unwrap()[0].embeddings().unwrap();
    assert_eq!(
        names,
        [
            "hidden: \u{e9}\":00003",
            "hidden: \u{e9}\":00020",
            "word2vec"
        ]
    );

    fs::write(&config, "embeddings {").unwrap();
    let Answer(code, _, err) = on(logdir.path(), "inspect", &[]);
    assert_eq!(code, 1);
    assert!(
        err.contains("projector_config.pbtxt\": it is not in protobuf's text format"),
        "{err}"
    );
}

#[test]
fn export_takes_ranges_of_steps_and_patterns_of_names() {
    let logdir = log();
    for (options, want) in [
        (
            &["--step", "10..20"][..],
            &["loss, \"x\" 10", "loss, \"x\" 20"][..],
        ),
        (&["--step=..-1"], &["lr -3"]),
        (
            &["--tag", "l*", "--step", "..0"],
            &["loss, \"x\" 0", "lr -3"],
        ),
        (&["--run", "train/*", "--tag", "loss*"], &["loss, \"x\" 5"]),
        (&["--tag", "lr", "--step", "100.."], &[]),
    ] {
        let Answer(code, out, _) = on(logdir.path(), "export", options);
        let rows = csv::Reader::from_reader(out.as_bytes()).into_records();
        let rows: Vec<_> = rows
            .map(|row| row.unwrap())
            .map(|row| format!("{} {}", &row[1], &row[2]))
            .collect();
        assert_eq!(
            (code, &*rows),
            (
                0,
                &want.iter().map(|row| row.to_string()).collect::<Vec<_>>()[..]
            ),
            "{options:?}"
        );
    }
    let Answer(code, _, err) = on(logdir.path(), "export", &["--step", "7"]);
    assert_eq!(code, 2);
    assert!(err.contains("expected FROM..TO"), "{err}");
}

#[test]
fn file_of_another_kind_is_named() {
    let logdir = Logdir::new();
    for (name, bytes, want) in [
        (
            "Cargo.toml",
            &b"[package]\nname = \"x\"\n"[..],
            "not an event file\n",
        ),
        (
            "tfevents.gz",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03abc",
            "it begins like a gzip file",
        ),
        (
            "x.png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "it begins like a PNG image",
        ),
        (
            "x.npz",
            b"PK\x03\x04\x14\0\0\0\0\0\0\0\0",
            "it begins like a zip archive",
        ),
        (
            "x.onnx",
            b"\x08\x0a\x12\x07pytorch\x1a\x03",
            "it begins like an ONNX model",
        ),
    ] {
        let path = logdir.write(name, bytes);
        for command in ["inspect", "verify"] {
            let Answer(code, out, _) = on(&path, command, &[]);
            assert_eq!(code, 1, "{out}");
            assert!(
                out.contains("not an event file") && out.contains(want),
                "{out}"
            );
            assert!(!out.contains("damage"), "{out}");
        }
        let Answer(_, _, err) = on(&path, "export", &[]);
        assert!(err.contains("not an event file"), "{err}");
        let error = summary_writer::EventReader::open(&path)
            .unwrap()
            .next()
            .unwrap()
            .unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("the file may not be an event file"),
            "{error}"
        );
    }
}

/// Root may list every directory, so as root the program runs as another user.
#[cfg(unix)]
#[test]
fn directory_that_cannot_be_listed_is_skipped() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let logdir = Logdir::new();
    let (bytes, _) = small_file();
    logdir.write("run/tfevents", &bytes);
    logdir.write("lost+found/tfevents", &bytes);
    let allow =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let lost = logdir.path().join("lost+found");
    allow(&lost, 0o000);
    allow(logdir.path(), 0o755);
    // Other users may lack access to the build directory.
    let copy = logdir.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_summary-writer"), &copy).unwrap();
    allow(&copy, 0o755);
    for name in ["inspect", "verify", "export"] {
        let mut command = Command::new(&copy);
        command.arg(name).arg(logdir.path());
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let output = command.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{err}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("run"));
        let want = format!("summary-writer: could not list {lost:?}: Permission denied");
        assert!(err.starts_with(&want), "{err}");
    }
    allow(&lost, 0o755);
}

#[test]
fn export_writes_all_points_also_with_numbers_that_are_not_finite() {
    let logdir = log();
    let Answer(code, out, err) = on(logdir.path(), "export", &["--run", "train"]);
    let want = "run,tag,step,wall_time,value\n\
        train,\"loss, \"\"x\"\"\",0,1700000000.5,0.5\n\
        train,\"loss, \"\"x\"\"\",10,1700000000.5,NaN\n\
        train,\"loss, \"\"x\"\"\",20,1700000000.5,-Infinity\n\
        train,\"loss, \"\"x\"\"\",30,1700000000.5,0.1\n\
        train,lr,-3,1700000000.5,1e-7\n";
    assert_eq!((code, &*out), (0, want));
    assert!(
        err.contains("left out: 1 of histograms, 1 of text"),
        "{err}"
    );

    let Answer(code, out, err) = on(logdir.path(), "export", &["--format", "jsonl"]);
    assert_eq!((code, &*err), (0, ""));
    let values = lines(&out);
    assert_eq!(values.len(), 8);
    let nan = json!({"run": "train", "tag": "loss, \"x\"", "kind": "scalars", "step": 10,
        "wall_time": 1_700_000_000.5, "value": "NaN"});
    assert_eq!(values[1], nan);
    assert_eq!(values[2]["value"], "-Infinity");
    assert_eq!(values[5]["value"], "two\nlines");
    // 30 buckets from the lowest to the highest; the last one has both its edges.
    let buckets = values[6]["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 30);
    assert_eq!((&buckets[0][0], &buckets[0][2]), (&json!(1.0), &json!(1.0)));
    assert_eq!(
        (&buckets[29][1], &buckets[29][2]),
        (&json!(2.0), &json!(2.0))
    );

    let options = ["--tag", "lr", "--tag", "none", "--format", "jsonl"];
    let Answer(code, out, err) = on(logdir.path(), "export", &options);
    assert_eq!(
        (code, lines(&out).len()),
        (2, 1),
        "the existing tag is exported"
    );
    assert!(err.contains("there is no tag \"none\""), "{err}");
    let Answer(code, out, err) = on(logdir.path(), "export", &["--run", "no"]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("there is no run \"no\""), "{err}");
}

/// Returns the lines of an export without the fields that all kinds have.
fn contents(path: &Path) -> Vec<(String, String, Value)> {
    let Answer(code, out, err) = on(path, "export", &["--format", "jsonl"]);
    assert_eq!((code, &*err), (0, ""));
    let content = |mut line: Value| {
        let fields = line.as_object_mut().unwrap();
        let mut text = |name| fields.remove(name).unwrap().as_str().unwrap().to_owned();
        assert_eq!(text("run"), ".");
        let (tag, kind) = (text("tag"), text("kind"));
        assert!(fields.remove("step").unwrap().is_i64());
        assert!(fields.remove("wall_time").unwrap().is_f64());
        (tag, kind, line)
    };
    lines(&out).into_iter().map(content).collect()
}

#[test]
fn export_shows_small_data_in_full_and_the_size_of_large_data() {
    let logdir = Logdir::new();
    let summary = SummaryWriter::create_file_writer(logdir.path()).unwrap();
    let hparams = HParams::new().set("rate", 0.1).set("optimizer", "adam");
    summary.hparams(hparams.set("nesterov", true));
    let curve = PrCurve::with_thresholds(&[true, false], &[1.0, 0.0], 2).unwrap();
    summary.pr_curve("curve", curve, 1);
    let corners = [[0.0, 0.0, 0.5], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let mesh = Mesh::new(&corners).unwrap().faces(&[[0, 1, 2]]).unwrap();
    summary.mesh("mesh", mesh, 1);
    let tensor = Tensor::new([2, 1], &[1i32, 2]).unwrap();
    summary.tensor("tensor", tensor, Metadata::new("my_plugin"), 1);
    summary.close().unwrap();

    let got = contents(logdir.path());
    let want = [
        (
            "_hparams_/session_start_info",
            "hparams",
            json!({"hparams": {"rate": 0.1, "optimizer": "adam", "nesterov": true}}),
        ),
        (
            "curve",
            "pr_curves",
            // The thresholds are 0, which both samples reach, and 1, which only the positive one reaches.
            json!({
                "true_positives": [1.0, 1.0], "false_positives": [1.0, 0.0],
                "true_negatives": [0.0, 1.0], "false_negatives": [0.0, 0.0],
                "precision": [0.5, 1.0], "recall": [1.0, 1.0],
            }),
        ),
        (
            "mesh_VERTEX",
            "mesh",
            json!({"part": "VERTEX", "meshes": 1, "rows": 3}),
        ),
        (
            "mesh_FACE",
            "mesh",
            json!({"part": "FACE", "meshes": 1, "rows": 1}),
        ),
        (
            "tensor",
            "my_plugin",
            // The type: 2 bytes; the shape: 2 and twice 2 + 2; the numbers: 2 and twice 4.
            json!({"dtype": "DT_INT32", "shape": [2, 1], "bytes": 22}),
        ),
        (
            "_hparams_/session_end_info",
            "hparams",
            json!({"status": "STATUS_SUCCESS"}),
        ),
    ];
    let want = want.map(|(tag, kind, content)| (tag.to_owned(), kind.to_owned(), content));
    assert_eq!(got, want);
}

/// `tests/golden.rs` has the same values and sizes, from the loader of tensorboard 2.21.0.
#[test]
fn export_shows_the_values_of_other_writers() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden");
    let two = json!({"width": 2, "height": 2, "images": 2, "bytes": 79 + 79});
    let mesh = json!({"part": "COLOR", "meshes": 1, "rows": 3});
    // Four values 5.0. The file has the buckets [5, 4.636, 0] and [4.636, 5.0998, 4].
    let constant = json!({"buckets": [[5.0, 5.0, 4.0]]});
    // `numpy.histogram([0, 1, 2, 3, 3, 10], [0, 2, 4, 6, 8, 10])`
    let bins = [
        [0.0, 2.0, 2.0],
        [2.0, 4.0, 3.0],
        [4.0, 6.0, 0.0],
        [6.0, 8.0, 0.0],
        [8.0, 10.0, 1.0],
    ];
    for (file, tag, kind, want) in [
        (
            "tensorflow2",
            "x/f64scalar",
            "scalars",
            json!({"value": 0.1}),
        ),
        ("tensorflow2", "x/i32scalar", "scalars", json!({"value": 7})),
        ("torch", "dpnew", "scalars", json!({"value": 1.0 / 3.0})),
        ("torch", "h/constant", "histograms", constant.clone()),
        ("tensorboardX-kinds", "h/constant", "histograms", constant),
        (
            "tensorboardX-kinds",
            "h/bins",
            "histograms",
            json!({"buckets": bins}),
        ),
        (
            "tensorflow2",
            "t/plain",
            "text",
            json!({"value": "hello *0* é漢"}),
        ),
        (
            "tensorflow2",
            "t/matrix",
            "text",
            json!({"value": ["a", "b", "c", "d"]}),
        ),
        (
            "flax",
            "_hparams_/session_start_info",
            "hparams",
            json!({"hparams": {"lr": 0.1, "o": "adam"}}),
        ),
        ("tensorflow2", "i/two", "images", two),
        (
            "tensorflow2",
            "a/mono",
            "audio",
            json!({"clips": 1, "bytes": 204}),
        ),
        ("tensorflow2", "m/cloud_COLOR", "mesh", mesh),
        ("tensorflow2", "", "graphs", json!({"bytes": 2106})),
        // Its type: 2 bytes; its shape: 2 + 2 + 2; its numbers: 2 + 16. It names no plugin.
        (
            "flax",
            "ten",
            "unknown",
            json!({"dtype": "DT_DOUBLE", "shape": [2], "bytes": 26}),
        ),
    ] {
        let lines = contents(&dir.join(format!("{file}.tfevents")));
        let (_, got_kind, content) = lines.iter().find(|line| line.0 == tag).unwrap();
        assert_eq!((&**got_kind, content), (kind, &want), "{file}: {tag}");
    }
}

#[test]
fn flipped_bit_costs_one_record_and_a_cut_costs_all_later_ones() {
    let logdir = Logdir::new();
    let (bytes, edges) = small_file();
    let steps = [7, 8, 9, 10];
    for at in 0..bytes.len() {
        let hit = edges.iter().rposition(|&edge| edge <= at).unwrap();
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let path = logdir.write("tfevents", &flipped);
        let Answer(code, out, _) = on(&path, "verify", &["--json"]);
        let report = &lines(&out)[0];
        let kind = if at - edges[hit] < 12 {
            "length"
        } else {
            "payload"
        };
        let damage = json!([{"offset": edges[hit], "bytes": edges[hit + 1] - edges[hit],
            "kind": kind, "records_after": 4 - hit}]);
        assert_eq!((code, &report["damages"]), (1, &damage), "byte {at}");
        assert_eq!(report["records"], 4, "byte {at}");
        let left: Vec<_> = (0..4).filter(|i| i + 1 != hit).map(|i| steps[i]).collect();
        let Answer(code, out, _) = on(&path, "export", &[]);
        assert_eq!((code, out), (1, csv(&left)), "byte {at}");

        let path = logdir.write("tfevents", &bytes[..at]);
        let Answer(code, out, _) = on(&path, "verify", &["--json"]);
        let report = &lines(&out)[0];
        assert_eq!((code, &report["damages"]), (0, &json!([])), "cut at {at}");
        assert_eq!(report["records"], hit, "cut at {at}");
        assert_eq!(report["unfinished_bytes"], at - edges[hit], "cut at {at}");
        let Answer(code, out, _) = on(&path, "export", &[]);
        let want = csv(&steps[..hit.saturating_sub(1)]);
        assert_eq!((code, out), (0, want), "cut at {at}");
    }
}

#[test]
fn verify_shows_offset_and_kind_of_damage_and_the_records_after_it() {
    let logdir = Logdir::new();
    let (mut bytes, _) = small_file();
    // The version record has 40 bytes, the others 42.
    bytes[40] ^= 1;
    bytes.truncate(bytes.len() - 1);
    let path = logdir.write("tfevents", &bytes);
    let Answer(code, out, err) = on(logdir.path(), "verify", &[]);
    let want = format!(
        "{}: 3 sound records, 1 damage of 42 bytes
  byte 40: the length of a record is damaged, 42 bytes, 2 records follow
  41 bytes of an unfinished record at the end\n",
        path.display()
    );
    assert_eq!((code, out, &*err), (1, want, ""));
    let Answer(code, out, _) = on(logdir.path(), "inspect", &[]);
    assert_eq!(code, 1);
    assert!(out.contains("byte 40: the length of a record is"), "{out}");
}

#[test]
fn repair_changes_the_original_only_with_in_place() {
    let logdir = Logdir::new();
    let (sound, edges) = small_file();
    let mut damaged = sound.clone();
    damaged[edges[2]] ^= 1;
    let want = [&sound[..edges[2]], &sound[edges[3]..]].concat();
    let a = logdir.write("logs/a/tfevents", &damaged);
    let b = logdir.write("logs/b/tfevents", &sound);
    let foreign = logdir.write("logs/tfevents.gz", b"\x1f\x8b\x08 is something else");
    let logs = logdir.path().join("logs");
    let new = logdir.path().join("new");
    let to = ["--to", new.to_str().unwrap()];

    let Answer(code, out, err) = on(&logs, "repair", &to);
    assert_eq!((code, &*err), (0, ""));
    assert!(
        out.contains("copied, 4 records kept, 42 bytes left out"),
        "{out}"
    );
    assert_eq!(fs::read(new.join("a/tfevents")).unwrap(), want);
    assert_eq!(fs::read(new.join("b/tfevents")).unwrap(), sound);
    let is_unchanged = || fs::read(&a).unwrap() == damaged && fs::read(&b).unwrap() == sound;
    assert!(is_unchanged());
    let Answer(code, _, err) = on(&logs, "repair", &to);
    assert_eq!(code, 2);
    assert!(err.contains("could not create"), "{err}");

    for options in [&[][..], &["--force"], &["--to", "x", "--in-place"]] {
        assert_eq!(on(&logs, "repair", options).0, 2);
    }
    let Answer(code, out, _) = on(&logs, "repair", &["--in-place"]);
    assert_eq!(code, 1);
    assert!(out.contains("it changed in the last minute"), "{out}");
    assert!(is_unchanged());

    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let file = File::options().write(true).open(&a).unwrap();
    file.set_modified(long_ago).unwrap();
    let Answer(code, out, _) = on(&logs, "repair", &["--in-place"]);
    assert_eq!(code, 1, "the file without a sound record is unchanged");
    assert!(
        out.contains("repaired, 4 records kept, 42 bytes left"),
        "{out}"
    );
    assert!(
        out.contains("unchanged: not an event file; it begins like a gzip file"),
        "{out}"
    );
    assert_eq!(fs::read(&a).unwrap(), want);
    assert_eq!(fs::read(&foreign).unwrap().len(), 21);

    fs::remove_file(foreign).unwrap();
    let torn = logdir.write("logs/c/tfevents", &sound[..sound.len() - 1]);
    let Answer(code, ..) = on(&logs, "repair", &["--in-place", "--force"]);
    assert_eq!(code, 0);
    assert_eq!(fs::read(torn).unwrap(), sound[..edges[4]]);
    assert_eq!(on(&logs, "verify", &[]).0, 0);
}

#[test]
fn failures_and_wrong_arguments_have_exit_code_two() {
    let logdir = Logdir::new();
    logdir.write("notes.txt", b"no event file");
    let none = logdir.path().join("none");
    for name in ["inspect", "verify", "export"] {
        let Answer(code, out, err) = on(logdir.path(), name, &[]);
        assert_eq!((code, &*out), (2, ""), "{name}");
        assert!(err.contains("there are no event files in"), "{err}");
        let Answer(code, _, err) = on(&none, name, &[]);
        assert_eq!(code, 2, "{name}");
        assert!(err.starts_with("summary-writer: could not open"), "{err}");
    }
    let Answer(code, _, err) = call(["frobnicate"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("unrecognized subcommand 'frobnicate'"),
        "{err}"
    );
    let Answer(code, out, err) = call([""; 0]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("Usage: summary-writer <COMMAND>"), "{err}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let Answer(code, out, err) = call(["--help"]);
    assert_eq!((code, &*err), (0, ""));
    for text in ["inspect", "verify", "repair", "export", "Exit codes:"] {
        assert!(out.contains(text), "{out}");
    }
    for (name, options) in [
        ("inspect", &["--json"][..]),
        ("verify", &["--json"]),
        ("repair", &["--to <NEW>", "--in-place", "--force"]),
        (
            "export",
            &[
                "--format <FORMAT>",
                "--run <PATTERN>",
                "--tag <PATTERN>",
                "--step <FROM..TO>",
            ],
        ),
    ] {
        let Answer(code, out, _) = call([name, "--help"]);
        assert_eq!(code, 0);
        for text in options.iter().chain(&["Examples:"]) {
            assert!(out.contains(text), "{out}");
        }
    }
    let version = format!("summary-writer {}\n", env!("CARGO_PKG_VERSION"));
    let Answer(code, out, _) = call(["--version"]);
    assert_eq!((code, out), (0, version));
}

/// Reading the memory of a process at address 0 fails, even for root.
#[cfg(target_os = "linux")]
#[test]
fn unreadable_file_does_not_stop_the_others() {
    let logdir = Logdir::new();
    let (bytes, _) = small_file();
    logdir.write("b/tfevents", &bytes);
    fs::create_dir(logdir.path().join("a")).unwrap();
    let link = logdir.path().join("a/tfevents");
    std::os::unix::fs::symlink("/proc/self/mem", link).unwrap();
    for (name, rows) in [("inspect", 5), ("verify", 1), ("export", 5)] {
        let Answer(code, out, err) = on(logdir.path(), name, &[]);
        assert_eq!(code, 2, "{name}");
        assert!(err.contains("could not read"), "{err}");
        assert_eq!(out.lines().count(), rows, "{out}");
    }
}

#[test]
fn closed_pipe_is_not_an_error() {
    let logdir = Logdir::new();
    let (bytes, _) = small_file();
    logdir.write("tfevents", &bytes.repeat(20_000));
    for options in [&[][..], &["--format", "jsonl"]] {
        let mut child = program()
            .arg("export")
            .arg(logdir.path())
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
}

#[test]
fn no_file_makes_the_program_panic() {
    let logdir = Logdir::new();
    let mut random = fastrand::Rng::with_seed(2026);
    let (sound, _) = small_file();
    for case in 0..150 {
        let mut bytes = match case % 3 {
            0 => (0..random.usize(..2000)).map(|_| random.u8(..)).collect(),
            1 => vec![0; random.usize(..200)],
            _ => sound.clone(),
        };
        if case % 3 == 1 {
            // A sound record with random bytes, which may be an event.
            let noise: Vec<u8> = (0..random.usize(..60)).map(|_| random.u8(..64)).collect();
            append_frame(&noise, &mut bytes);
        }
        for _ in 0..random.usize(..4) {
            if !bytes.is_empty() {
                let at = random.usize(..bytes.len());
                match random.u8(..3) {
                    0 => bytes[at] = random.u8(..),
                    1 => drop(bytes.drain(at..(at + random.usize(..40)).min(bytes.len()))),
                    _ => bytes.insert(at, random.u8(..)),
                }
            }
        }
        let path = logdir.write("tfevents", &bytes);
        for name in ["inspect", "verify"] {
            on(&path, name, &[]);
        }
        on(&path, "export", &["--format", "jsonl"]);
        let code = on(&path, "repair", &["--in-place", "--force"]).0;
        let after = on(&path, "verify", &[]).0;
        assert!(code == 1 || after == 0, "case {case}");
    }
}

#[test]
fn reduce_writes_one_run_for_the_runs_that_match() {
    let logdir = Logdir::new();
    for (run, value) in [("seed-1", 1.0), ("seed-2", 2.0), ("other", 9.0)] {
        let summary = SummaryWriter::create_file_writer(logdir.path().join(run)).unwrap();
        summary.scalar("loss", value, 0);
        summary.scalar("lr", 0.5, 0);
        if run == "seed-1" {
            summary.scalar("loss", value, 1);
        }
        summary.close().unwrap();
    }
    let out = logdir.path().join("out");
    let options = [
        "--run",
        "seed-*",
        "--tag",
        "loss",
        "--out",
        out.to_str().unwrap(),
    ];
    let Answer(code, text, err) = on(logdir.path(), "reduce", &options);
    let reduced = out.join("reduced");
    assert_eq!(
        (code, text),
        (
            0,
            format!("2 runs, 1 tag, 1 point: {}\n", reduced.display())
        )
    );
    assert!(
        err.contains("1 step that not all runs have is left out"),
        "{err}"
    );
    let Answer(_, text, _) = on(&out, "export", &[]);
    let values: Vec<_> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .map(|cells| [cells[1], cells[2], cells[4]].join(" "))
        .collect();
    // The standard deviation of 1 and 2 is the root of 1/2.
    for want in [
        "loss 0 1.5",
        "loss/count 0 2.0",
        "loss/std 0 0.70710677",
        "loss/mean+std 0 2.2071068",
    ] {
        assert!(
            values.iter().any(|value| value == want),
            "{want}: {values:?}"
        );
    }
    assert_eq!(values.len(), 8);

    let Answer(code, _, err) = on(logdir.path(), "reduce", &options);
    assert_eq!(code, 2);
    assert!(
        err.contains("without the results of another reduction"),
        "{err}"
    );
    let options = ["--run", "none", "--out", out.to_str().unwrap()];
    let Answer(code, _, err) = on(logdir.path(), "reduce", &options);
    assert_eq!(code, 2);
    assert!(
        err.contains("runs: expected event files that match"),
        "{err}"
    );
}

#[test]
fn reduce_follows_runs_until_they_stop_growing() {
    let logdir = Logdir::new();
    let summary = SummaryWriter::create_file_writer(logdir.path().join("run")).unwrap();
    summary.scalar("loss", 0.25, 0);
    summary.close().unwrap();
    let out = logdir.path().join("out");
    let options = [
        "--out",
        out.to_str().unwrap(),
        "--follow",
        "--patience",
        "0.2",
    ];
    let Answer(code, text, err) = on(logdir.path(), "reduce", &options);
    assert_eq!((code, &*text), (0, ""));
    assert!(
        err.contains("the run \"run\" has not grown for 0.2 s"),
        "{err}"
    );
    let Answer(_, text, _) = on(&out, "export", &["--tag", "loss"]);
    assert!(text.contains("reduced,loss,0,"), "{text}");
}
