//! Shows the `tracing` events and the `metrics` of a service in TensorBoard. The service answers requests, and trains its model
//! in the background.
//!
//!     cargo run --example observed --features metrics,tracing [LOGDIR]
//!     tensorboard --logdir LOGDIR
//!
//! The default of `LOGDIR` is `logs/observed`. Each start writes a new run there.

#![allow(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use clap::Parser;
use metrics::{Unit, counter, describe_gauge, describe_histogram, gauge, histogram};
use summary_writer::integrations::{MetricsRecorder, TracingLayer};
use summary_writer::{SummaryWriter, unique_logdir};
use tracing::level_filters::LevelFilter;
use tracing::{debug, info, info_span};
use tracing_subscriber::prelude::*;

const STEPS: u32 = 60;
const BATCH: usize = 64;
/// The samples that may wait for the training.
const WAITING: usize = 100;
const LEARNING_RATE: f64 = 0.1;

fn main() -> Result<(), Box<dyn Error>> {
    let logdir = Options::parse().logdir;
    let summary = SummaryWriter::create_file_writer(unique_logdir(&logdir)?)?;
    // The global subscriber and recorder are never dropped, and each holds a handle of the writer. So close it explicitly.
    let layer = TracingLayer::new(summary.clone()).with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).init();
    let recorder = MetricsRecorder::new(summary.clone());
    metrics::set_global_recorder(recorder.clone())?;

    describe_gauge!("slope", "of the model that answers");
    describe_histogram!("latency", Unit::Seconds, "of *one* request");
    let model = RwLock::default();
    let (sender, samples) = sync_channel(WAITING);
    thread::scope(|threads| {
        threads.spawn(|| train(&model, samples, &recorder));
        serve(&model, &sender);
    });
    summary.close()?;
    println!("Look at it: tensorboard --logdir {}", logdir.display());
    Ok(())
}

/// Train a model in the background of a service, and log both for TensorBoard.
#[derive(Parser)]
#[command(name = "observed")]
struct Options {
    /// Write a new run below this directory
    #[arg(default_value = "logs/observed")]
    logdir: PathBuf,
}

/// Predicts `slope * x + offset`. The truth is `2 x + 1`, and noise.
#[derive(Clone, Copy, Default)]
struct Model {
    slope: f64,
    offset: f64,
    /// The training steps so far.
    version: u32,
}

impl Model {
    fn predict(&self, x: f64) -> f64 {
        self.slope * x + self.offset
    }
}

struct Sample {
    x: f64,
    y: f64,
}

/// Answers requests until the training has ended. The service has no steps: it counts, and the training logs the counts.
fn serve(model: &RwLock<Model>, samples: &SyncSender<Sample>) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut version = 0;
    loop {
        let start = Instant::now();
        let model = *model.read().unwrap_or_else(PoisonError::into_inner);
        if model.version / 20 > version / 20 {
            // A text. An event outside of the spans of the training has its own step.
            info!(step = model.version, "new model: slope {:.2}", model.slope);
        }
        version = model.version;
        let x = 2.0 * random.f64() - 1.0;
        let answer = model.predict(x);
        counter!("requests", "route" => "predict").increment(1);
        histogram!("latency").record(start.elapsed().as_secs_f64());

        // The user tells the truth later.
        let y = 2.0 * x + 1.0 + 0.1 * (random.f64() - 0.5);
        histogram!("error").record((answer - y).abs());
        // The filter drops this level.
        debug!(x, answer, "a request");
        if samples.send(Sample { x, y }).is_err() {
            return;
        }
    }
}

/// Learns from what the service has seen.
fn train(model: &RwLock<Model>, samples: Receiver<Sample>, recorder: &MetricsRecorder) {
    for step in 0..STEPS {
        // Logs the scalar `duration/train`, and sets the step of all events inside.
        let _span = info_span!("train", step).entered();
        let mut next = *model.read().unwrap_or_else(PoisonError::into_inner);
        let (mut loss, mut slope, mut offset) = (0.0, 0.0, 0.0);
        for sample in samples.iter().take(BATCH) {
            let error = next.predict(sample.x) - sample.y;
            loss += error * error / BATCH as f64;
            slope += 2.0 * error * sample.x / BATCH as f64;
            offset += 2.0 * error / BATCH as f64;
        }
        next.slope -= LEARNING_RATE * slope;
        next.offset -= LEARNING_RATE * offset;
        next.version += 1;
        *model.write().unwrap_or_else(PoisonError::into_inner) = next;
        // The scalars `loss` and `gradient` in one record.
        info!(loss, gradient = slope.hypot(offset));
        gauge!("slope").set(next.slope);
        // Logs what was counted since the last step.
        recorder.set_step(step);
    }
}
