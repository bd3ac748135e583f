//! Writes an example of everything that stock TensorBoard shows: `cargo run --release --example gallery -- DIR`. All data comes
//! from formulas. Each kind has its own function, to copy from.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program that prints for its user, and draws pictures from formulas"
)]

mod network;
mod pictures;
mod shapes;
mod sounds;

use std::error::Error;
use std::f32::consts::TAU;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fastrand::Rng;
use summary_writer::custom_scalars::{Category, Layout, Margin};
use summary_writer::tensor::Metadata;
use summary_writer::{
    Embedding, HParams, Histogram, PrCurve, SummaryWriter, Tag, Tensor, Text, unique_logdir,
};

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

const STEPS: u16 = 20;

/// Write an example of everything that stock TensorBoard shows.
#[derive(Parser)]
#[command(name = "gallery")]
struct Options {
    /// Write the runs below this directory [default: a new directory in logs/gallery]
    logdir: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error message does not include its source, so print the whole chain.
            eprintln!("gallery: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result {
    let logdir = match Options::parse().logdir {
        Some(dir) => dir,
        None => unique_logdir("logs/gallery")?,
    };
    let summary = SummaryWriter::create_file_writer(logdir.join("gallery"))?;
    charts(&summary)?;
    network::log(&summary)?;
    for step in 0..STEPS {
        let progress = f32::from(step) / f32::from(STEPS - 1);
        scalars(&summary, progress, step);
        histograms(&summary, progress, step)?;
        pr_curve(&summary, progress, step)?;
        texts(&summary, progress, step);
        tensor(&summary, progress, step)?;
        pictures::log(&summary, progress, step)?;
        sounds::log(&summary, progress, step)?;
        shapes::log(&summary, progress, step)?;
        embedding(&summary, progress, step)?;
        network::costs(&summary, progress, step);
    }
    summary.close()?;

    for (trial, (lr, optimizer)) in (1..).zip([(0.1, "sgd"), (0.01, "adam"), (0.001, "adam")]) {
        let trial = SummaryWriter::create_file_writer(logdir.join(format!("trial {trial}")))?;
        hparams(&trial, lr, optimizer);
        trial.close()?;
    }
    println!("Look at it: tensorboard --logdir {}", logdir.display());
    Ok(())
}

/// Scalars and Time Series pages. Tags with the same part before the `/` are a group. The description of a tag appears when
/// the user clicks an icon.
fn scalars(summary: &SummaryWriter, progress: f32, step: u16) {
    let wave = |phase: f32| (TAU * (progress + phase)).sin();
    summary.scalar("waves/sine", wave(0.0), step);
    summary.scalars(
        step,
        [
            ("waves/cosine", wave(0.25)),
            ("waves/damped", wave(0.0) / (1.0 + 4.0 * progress)),
        ],
    );
    let decay = Tag::new("decay")
        .description("`exp(-4 t)`, and a **margin** around it on the Custom Scalars page");
    let mean = (-4.0 * progress).exp();
    summary.scalar(&decay, mean, step);
    summary.scalars(
        step,
        [("decay/lower", 0.8 * mean), ("decay/upper", 1.2 * mean)],
    );
}

/// Custom Scalars page: several tags in one chart, and a line with a band.
fn charts(summary: &SummaryWriter) -> Result {
    let margin = Margin::new("decay", "decay/lower", "decay/upper");
    let category = Category::new("gallery")?
        .multiline("all waves", ["waves/.*"])?
        .margin("decay", [margin])?;
    summary.custom_scalars(Layout::new().category(category));
    Ok(())
}

/// Histograms and Distributions pages: a normal distribution that moves and widens, and a histogram from counts.
fn histograms(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    let mut rng = Rng::with_seed(1);
    let mut normal = |mean: f32, deviation: f32| {
        // The sum of twelve uniform numbers has a variance of 1.
        let sum: f32 = (0..12).map(|_| rng.f32()).sum();
        mean + deviation * (sum - 6.0)
    };
    let values: Vec<f32> = (0..2000)
        .map(|_| normal(2.0 * progress, 0.5 + progress))
        .collect();
    summary.histogram("wandering", &values, step);

    let edges = [0.0, 1.0, 2.0, 4.0, 8.0];
    let counts = [8, 4, 2, 1].map(|count| count + u64::from(step));
    summary.histogram("counted", Histogram::from_buckets(&edges, &counts)?, step);
    Ok(())
}

/// Text page: Markdown, and a table.
fn texts(summary: &SummaryWriter, progress: f32, step: u16) {
    if !step.is_multiple_of(5) {
        return;
    }
    let notes = format!(
        "# Step {step}\n\nEverything on these pages was made by *arithmetic*: no data, no training.\n\n\
         ```\nsummary.text(\"notes\", markdown, {step});\n```\n"
    );
    summary.text("notes", notes, step);
    let rows = [
        ["progress".to_owned(), format!("{:.0} %", 100.0 * progress)],
        ["seed".to_owned(), "1".to_owned()],
    ];
    summary.text("table", Text::table(["name", "value"], rows), step);
}

/// A tensor with the name of its dashboard, for data without its own method. Here the Text page shows a tensor of strings as a
/// table.
fn tensor(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    if !step.is_multiple_of(5) {
        return Ok(());
    }
    let cells = (0..9).map(|i| format!("{:.2}", progress * i as f32));
    let strings = Tensor::strings([3, 3], cells.collect::<Vec<_>>().as_slice())?;
    summary.tensor("tensor", strings, Metadata::new("text"), step);
    Ok(())
}

/// PR Curves page: a classifier that improves.
fn pr_curve(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    let mut rng = Rng::with_seed(2);
    let (labels, predictions): (Vec<bool>, Vec<f32>) = (0..500)
        .map(|_| {
            let label = rng.bool();
            let evidence = if label { progress } else { -progress };
            (
                label,
                1.0 / (1.0 + (-3.0 * (evidence + rng.f32() - 0.5)).exp()),
            )
        })
        .unzip();
    summary.pr_curve(
        "better and better",
        PrCurve::new(&labels, &predictions)?,
        step,
    );
    Ok(())
}

/// HParams page: one run for each trial. The metrics are ordinary scalars.
fn hparams(trial: &SummaryWriter, lr: f64, optimizer: &str) {
    trial.hparams(
        HParams::new()
            .set("lr", lr)
            .set("optimizer", optimizer)
            .set("nesterov", lr > 0.05),
    );
    for step in 0..STEPS {
        let loss = (1.0 - 5.0 * (lr * (0.1 - lr)).abs()) / f64::from(step + 1);
        trial.scalar("loss", loss, step);
        trial.scalar("accuracy", 1.0 - loss, step);
    }
}

/// Projector page: five clusters of points in eight dimensions, which move apart. Each point has a label and a thumbnail.
fn embedding(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    if !step.is_multiple_of(9) {
        return Ok(());
    }
    let mut rng = Rng::with_seed(3);
    let (mut vectors, mut labels, mut thumbnails) = (Vec::new(), Vec::new(), Vec::new());
    for point in 0..200 {
        let cluster = point % 5;
        for dimension in 0..8 {
            let is_center = dimension % 5 == cluster;
            let center = if is_center { 3.0 * progress } else { 0.0 };
            vectors.push(center + rng.f32());
        }
        labels.push(format!("cluster {cluster}"));
        thumbnails.push(pictures::swatch(cluster as f32 / 5.0)?);
    }
    let embedding = Embedding::new("clusters", &vectors, 8)?
        .labels(&labels)?
        .thumbnails(&thumbnails)?;
    summary.embedding(embedding, step)?;
    Ok(())
}
