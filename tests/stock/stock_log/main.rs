//! Writes the logs for the tests against stock TensorBoard.
//!
//! | command | log |
//! |---|---|
//! | `stock_log write DIR` | one run for each property |
//! | `stock_log grow DIR` | one point for each line `RUN STEP` of standard input, flushed at once |
//! | `stock_log experiment DIR` | a few runs with an explicit experiment |
//! | `stock_log sweep DIR` | 100 trials with hyperparameters, which are visited in turn |
//! | `stock_log not_shown DIR` | two logs that TensorBoard does not show as they were logged |
//! | `stock_log resume DIR STEP` | a run that resumes at a step |
//! | `stock_log training DIR EPOCH` | a training that resumes at an epoch |
//! | `stock_log seeds DIR RUNS STEPS` | many runs with the same tags |
//! | `stock_log uneven DIR` | runs whose steps and tags differ |
//! | `stock_log statistics DIR TAG JOIN` | none: prints the statistics of the runs as `f64` |
//! | `stock_log rank DIR STEPS MILLISECONDS` | one process of several, with a pause after each step |
//!
//! The values come from formulas. The tests compute them again in Python. Each kind of data has its own module here, and its
//! own test file.

mod audio;
mod custom_scalars;
mod drawn_images;
mod embeddings;
mod graphs;
mod histograms;
mod hparams;
mod image_files;
#[cfg(feature = "png")]
mod images;
mod meshes;
mod not_shown;
mod pr_curves;
mod ranks;
mod sweep;
mod training;

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead};
use std::path::Path;

use half::{bf16, f16};
use summary_writer::proto::DataClass;
use summary_writer::tensor::{Element, Metadata};
use summary_writer::{HParams, SummaryWriter, Tag, Tensor, Text, WriterOptions, proto};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The wall time of step 0.
const START: f64 = 1_700_000_000.5;

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", logdir] => write(Path::new(logdir)),
        ["not_shown", logdir] => not_shown::write(Path::new(logdir)),
        ["grow", logdir, max_file_bytes] => grow(Path::new(logdir), max_file_bytes.parse()?),
        ["experiment", logdir] => hparams::write_experiment(Path::new(logdir)),
        ["sweep", logdir] => sweep::write(Path::new(logdir)),
        ["resume", logdir, step] => resume(Path::new(logdir), step.parse()?),
        ["training", logdir, epoch] => training::write(Path::new(logdir), epoch.parse()?),
        ["seeds", logdir, runs, steps] => {
            ranks::write_seeds(Path::new(logdir), runs.parse()?, steps.parse()?)
        }
        ["uneven", logdir] => ranks::write_uneven(Path::new(logdir)),
        ["statistics", logdir, tag, join] => ranks::print_statistics(Path::new(logdir), tag, join),
        ["rank", logdir, steps, pause] => {
            ranks::run(Path::new(logdir), steps.parse()?, pause.parse()?)
        }
        _ => Err(
            "usage: stock_log write|not_shown|experiment|sweep|uneven DIR, stock_log resume|training DIR STEP, stock_log grow DIR BYTES, stock_log seeds DIR RUNS STEPS, stock_log statistics DIR TAG inner|outer, or stock_log rank DIR STEPS MILLISECONDS"
                .into(),
        ),
    }
}

fn write(logdir: &Path) -> Result {
    let root = SummaryWriter::create_file_writer(logdir)?;
    plain(&root.run("plain")?);
    types(&root.run("types")?);
    steps(&root.run("steps")?);
    tags(&root.run("tags")?);
    descriptions(&root.run("descriptions")?)?;
    text(&root.run("text")?);
    runs(&root)?;
    numbers(&root.run("numbers")?);
    together(&root.run("together")?);
    scopes(&root.run("scopes")?);
    tensors(&root.run("tensors")?)?;
    images::write(&root.run("images")?)?;
    audio::write(&root.run("audio")?)?;
    drawn_images::write(&root.run("drawn images")?)?;
    image_files::write(&root.run("image files")?)?;
    pr_curves::write(&root.run("pr_curves")?)?;
    meshes::write(&root.run("meshes")?)?;
    histograms::write(&root.run("histograms")?)?;
    graphs::write(&root)?;
    events(&root.run("events")?);
    custom_scalars::write(&root.run("custom scalars")?)?;
    embeddings::write(logdir, &root.run("embeddings")?)?;
    hparams::write(&root)?;
    twins(&logdir.join("twins"))?;
    root.close()?;
    Ok(())
}

/// Logs as many points as TensorBoard shows of a tag, each with its own wall time.
fn plain(run: &SummaryWriter) {
    for step in 0..1000 {
        let n = f64::from(step);
        run.at(START + 0.25 * n).scalar("loss", 0.1 * n, step);
    }
}

/// Logs numbers of all types. TensorBoard shows them as `f32`.
fn types(run: &SummaryWriter) {
    run.scalar("f32", f32::MIN_POSITIVE, 0);
    run.scalar("f32 subnormal", f32::from_bits(1), 0);
    run.scalar("f64", std::f64::consts::PI, 0);
    run.scalar("f64 too large", 1e300, 0);
    run.scalar("f64 too small", 1e-300, 0);
    run.scalar("i64", (1_i64 << 24) + 3, 0);
    run.scalar("i64 lowest", i64::MIN, 0);
    run.scalar("u64 highest", u64::MAX, 0);
    run.scalar("u8", 255_u8, 0);
    run.scalar("i8", -128_i8, 0);
    run.scalar("bool", false, 0);
    run.scalar("bool", true, 1);
    // These types cannot store 0.1 exactly.
    run.scalar("f16", half::f16::from_f64(0.1), 0);
    run.scalar("bf16", half::bf16::from_f64(0.1), 0);
}

fn steps(run: &SummaryWriter) {
    run.scalar("i64", 1.0, -5_i64);
    run.scalar("i64", 2.0, 0_i64);
    run.scalar("i64", 3.0, (1_i64 << 53) + 1);
    run.scalar("i64", 4.0, i64::MAX);
    run.scalar("u64", 1.0, 7_u64);
    run.scalar("u64", 2.0, u64::MAX);
    run.scalar("usize", 1.0, 7_usize);
}

/// Logs tags that other writers refuse, change or cannot write.
fn tags(run: &SummaryWriter) {
    let long = "x".repeat(1 << 20);
    let tags = [
        "with spaces",
        " ",
        "a/b/c",
        "/leading",
        "trailing/",
        "double//slash",
        "Größe/Δ損失",
        "🦀",
        "\"double\" and 'single'",
        "?a=b&c#d%20%+e",
        "<b>markup</b> {{braces}}",
        "back\\slash",
        "tab\tand\nnewline",
        "nul\0byte",
        "",
        &long,
    ];
    for (value, tag) in (0_u8..).zip(tags) {
        run.scalar(tag, value, 1);
        run.scalar(tag, value, 2);
    }
}

fn descriptions(run: &SummaryWriter) -> Result {
    let loss = Tag::new("loss")
        .description("**mean** over the batch")
        .display_name("Mean loss");
    for step in 0..3 {
        run.scalar(loss.clone(), 0.5 * f64::from(step), step);
    }
    let table = Tensor::strings([1], ["cell"])?;
    run.tensor(
        Tag::new("described/tensor").description("a *table*"),
        table,
        Metadata::new("text").data_class(DataClass::Tensor),
        0,
    );
    // For comparison, a tag without a description.
    run.scalar("plain", 1.0, 0);
    Ok(())
}

const RAW_TEXTS: [&str; 5] = [
    "__init__.py 2*3*4 a_b_c\nsecond line\n    # indented\n\n\n- after *blank* lines",
    "<b>&amp;</b> [link](http://a.b) \\_ | a |\n|---|\n",
    "```rust\nlet x = 1;\n```\n~~~",
    "\n\n  größer\n\n",
    "",
];

fn text(run: &SummaryWriter) {
    let report = "# Größe\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nlet x = 1 < 2;\n```\n\n**bold** <script>alert(1)</script>";
    run.at(START).text("report", report, 0);
    run.at(START + 1.0).text("report", "second", 1);
    run.text("a tag/with spaces", "x", 0);
    let rows = [
        ["a|b", "two\nlines"],
        ["`x|y`", "*z*"],
        [r"a\|b", r"a\\|b"],
        ["`u", "v`"],
    ];
    run.text("made/table", Text::table(["left", "right"], rows), 0);

    for (step, raw) in (0..).zip(RAW_TEXTS) {
        run.text("made/raw", Text::preformatted(raw), step);
    }

    // All cells of up to four of these letters. Each one appears twice in a row, so that the second could close what the first
    // leaves open.
    let mut cells = vec![String::new()];
    for start in 0..1 + 4 + 16 + 64 {
        for letter in ["a", "`", "\\", "|"] {
            cells.push(cells[start].clone() + letter);
        }
    }
    let rows = cells.iter().map(|cell| [cell, cell, "end"]);
    run.text("made/odd table", Text::table(["", "", ""], rows), 0);
}

/// Logs to nested runs, with unusual names.
fn runs(root: &SummaryWriter) -> Result {
    root.at(START).scalar("where", 0.0, 0);
    let validation = root.run("validation")?;
    validation.at(START).scalar("where", 1.0, 0);
    validation.run("fold 1")?.at(START).scalar("where", 2.0, 0);
    root.run("Läufe & more, 50 %")?
        .at(START)
        .scalar("where", 3.0, 0);
    Ok(())
}

fn numbers(run: &SummaryWriter) {
    let values = [
        f32::NAN,
        1.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -0.0,
        f32::MAX,
    ];
    for (step, value) in (0..).zip(values) {
        run.scalar("odd", value, step);
    }
}

/// Logs several values in one event. The first one has a description.
fn together(run: &SummaryWriter) {
    let names: Vec<String> = (0..10).map(|k| format!("metric/{k}")).collect();
    for step in 0..5_i32 {
        let values = (0..).zip(&names).map(|(k, name)| {
            let tag = Tag::new(name);
            let tag = if k == 0 {
                tag.description("the first of *ten*")
            } else {
                tag
            };
            (tag, step * 10 + k)
        });
        run.at(START + f64::from(step)).scalars(step, values);
    }
}

fn scopes(run: &SummaryWriter) {
    let encoder = run.scope("encoder");
    encoder.scalar("loss", 1.0, 0);
    encoder.scope("layer 1").scalar("loss", 2.0, 0);
    encoder.scalars(0, [("a", 3.0), ("b", 4.0)]);
    encoder.text("notes", "scoped", 0);
    run.scalar("loss", 5.0, 0);
}

/// Logs data for other dashboards with the generic method for values.
fn tensors(run: &SummaryWriter) -> Result {
    let table = Tensor::strings([2, 2], ["left", "right", "1", "2"])?;
    run.tensor(
        "table",
        table,
        Metadata::new("text").data_class(DataClass::Tensor),
        0,
    );

    let buckets = [-1.0, 0.0, 3.0, 0.0, 1.0, 4.0, 1.0, 2.0, 5.0]; // rows of left, right, count
    let histogram = Metadata::new("histograms").data_class(DataClass::Tensor);
    run.at(START)
        .tensor("weights", Tensor::new([3, 3], &buckets)?, histogram, 0);

    // The content is AudioPluginData { encoding: WAV }.
    let audio = Metadata::new("audio")
        .content(b"\x10\x0b")
        .data_class(DataClass::BlobSequence);
    run.tensor("clip", Tensor::strings([1], [&b"RIFF"[..]])?, audio, 0);

    elements(
        run,
        "f32",
        [f32::MIN, f32::MAX, 1.0, -0.0, f32::MIN_POSITIVE],
    )?;
    elements(
        run,
        "f64",
        [f64::MIN, f64::MAX, 1.0, -0.0, f64::MIN_POSITIVE],
    )?;
    let [one, zero] = [f16::ONE, f16::NEG_ZERO];
    elements(
        run,
        "f16",
        [f16::MIN, f16::MAX, one, zero, f16::MIN_POSITIVE],
    )?;
    let [one, zero] = [bf16::ONE, bf16::NEG_ZERO];
    elements(
        run,
        "bf16",
        [bf16::MIN, bf16::MAX, one, zero, bf16::MIN_POSITIVE],
    )?;
    elements(run, "i8", [i8::MIN, i8::MAX, 1, 0, 99])?;
    elements(run, "i16", [i16::MIN, i16::MAX, 1, 0, 99])?;
    elements(run, "i32", [i32::MIN, i32::MAX, 1, 0, 99])?;
    elements(run, "i64", [i64::MIN, i64::MAX, 1, 0, 99])?;
    elements(run, "u8", [u8::MIN, u8::MAX, 1, 0, 99])?;
    elements(run, "u16", [u16::MIN, u16::MAX, 1, 0, 99])?;
    elements(run, "u32", [u32::MIN, u32::MAX, 1, 0, 99])?;
    elements(run, "u64", [u64::MIN, u64::MAX, 1, 0, 99])?;
    elements(run, "bool", [false, true, true, false, true])
}

/// Logs a matrix of five numbers and again the first one, for a dashboard that does not exist.
fn elements<T: Element>(run: &SummaryWriter, name: &str, numbers: [T; 5]) -> Result {
    let [a, b, c, d, e] = numbers;
    let matrix = Tensor::new([2, 3], &[a, b, c, d, e, a])?;
    let tag = format!("elements/{name}");
    run.tensor(tag, matrix, Metadata::new("elements"), 0);
    Ok(())
}

/// Logs events with the generic method: a graph, and a scalar in the form of TensorFlow 1.
fn events(run: &SummaryWriter) {
    use proto::event::What;
    let event = |step, what| proto::Event {
        wall_time: START,
        step,
        what: Some(what),
        ..Default::default()
    };

    // GraphDef { node { name: "a" op: "Const" } node { name: "b" op: "Relu" input: "a" } }
    let graph = b"\x0a\x0a\x0a\x01a\x12\x05Const\x0a\x0c\x0a\x01b\x12\x04Relu\x1a\x01a";
    run.event(event(0, What::GraphDef(graph.to_vec())));

    let value = proto::summary::Value {
        tag: "loss".into(),
        value: Some(proto::summary::value::Value::SimpleValue(0.25)),
        ..Default::default()
    };
    run.event(event(
        7,
        What::Summary(proto::Summary { value: vec![value] }),
    ));
}

/// Logs with two open writers to one directory.
fn twins(directory: &Path) -> Result {
    let first = SummaryWriter::create_file_writer(directory)?;
    let second = SummaryWriter::create_file_writer(directory)?;
    for step in 0..10 {
        first.scalar("first", step, step);
        second.scalar("second", -step, step);
    }
    second.close()?;
    first.close()?;
    Ok(())
}

/// Logs ten steps from `first` on. The values show which program logged them. Only the first program logs
/// hyperparameters and the tag `warmup`.
fn resume(logdir: &Path, first: i32) -> Result {
    let summary = WriterOptions::new()
        .resume(first)
        .create_file_writer(logdir)?;
    if first == 0 {
        summary.hparams(HParams::new().set("lr", 0.5));
    }
    for step in first..first + 10 {
        summary.scalar("loss", 100 * first + step, step);
        if first == 0 {
            summary.scalar("warmup", step, step);
        }
    }
    summary.close()?;
    Ok(())
}

fn grow(logdir: &Path, max_file_bytes: u64) -> Result {
    let options = WriterOptions::new().max_file_bytes(max_file_bytes);
    let root = options.create_file_writer(logdir)?;
    let mut runs = HashMap::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (name, step) = line
            .split_once(' ')
            .ok_or_else(|| format!("expected the line: RUN STEP, got {line:?}"))?;
        let step: i64 = step.parse()?;
        if !runs.contains_key(name) {
            runs.insert(name.to_owned(), root.run(name)?);
        }
        runs[name].scalar("loss", step * 3, step);
        runs[name].flush()?;
    }
    root.close()?;
    Ok(())
}
