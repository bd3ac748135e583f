//! Trains two classifiers on 1,797 handwritten digits, and logs them to two TensorBoard runs: `baseline`, and `dropout`, which
//! drops a fifth of the hidden units in each step. With `--sweep`, it trains a grid of hyperparameters instead.
//!
//! The function `train` logs the numbers. The module `inspect` logs the data and the network.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints for its user"
)]

mod data;
mod inspect;
mod net;
mod options;
mod progress;
mod view;

use std::error::Error;
use std::f32::consts::PI;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use fastrand::Rng;
use summary_writer::training::UpdateFreq;
use summary_writer::{HParams, SummaryWriter, Text, TrainingLogger, unique_logdir};

use crate::data::{CLASSES, Digits, PIXELS};
use crate::net::{HIDDEN, Net, Score};
use crate::options::Options;
use crate::progress::Progress;

const SEED: u64 = 7;
const BATCH: usize = 32;
const TRAINING_PERCENT: usize = 80;

/// The settings that differ from training to training.
struct Trial {
    name: String,
    learning_rate: f32,
    dropout: f32,
}

impl Trial {
    /// Returns the two trials to compare, or the grid of a sweep.
    fn all(sweep: bool) -> Vec<Self> {
        let trial = |name: String, learning_rate, dropout| Self {
            name,
            learning_rate,
            dropout,
        };
        if !sweep {
            let names = [("baseline", 0.0), ("dropout", 0.2)];
            return names
                .map(|(name, dropout)| trial(name.into(), 5e-3, dropout))
                .into();
        }
        let rates = [1e-3, 5e-3, 2e-2];
        let grid = rates
            .iter()
            .flat_map(|&rate| [0.0, 0.2, 0.5].map(|dropout| (rate, dropout)));
        grid.map(|(rate, dropout)| trial(format!("rate {rate}, dropout {dropout}"), rate, dropout))
            .collect()
    }
}

/// Trains one network for `epochs`. Logs the configuration to the run in `logdir`, and the numbers to its child runs `train`
/// and `validation`. TensorBoard shows each tag in one chart, with a curve for each run.
fn train(
    logdir: &Path,
    trial: &Trial,
    epochs: u16,
    training: &Digits,
    held_out: &Digits,
) -> Result<(), Box<dyn Error>> {
    let experiment = SummaryWriter::create_file_writer(logdir)?;
    experiment.text("config", config(trial, epochs, training, held_out), 0);
    let hparams = HParams::new()
        .set("learning_rate", trial.learning_rate)
        .set("dropout", trial.dropout)
        .set("epochs", epochs);
    experiment.hparams(hparams);
    inspect::table(&experiment)?;
    inspect::charts(&experiment)?;
    inspect::model(&experiment)?;

    let mut logger = TrainingLogger::with_writer(&experiment)
        .update_freq(UpdateFreq::Batch)
        .histogram_freq(1)
        .write_steps_per_second(true);
    logger.on_train_begin()?;
    inspect::samples(&logger.train()?, training)?;

    // The network has its own generator, so that all trials see the same batches although dropout draws random numbers.
    let mut rng = Rng::with_seed(SEED);
    let mut net = Net::new(trial.dropout, rng.fork());
    let steps = usize::from(epochs) * training.len().div_ceil(BATCH);
    let progress = Progress::new(&trial.name, epochs, steps)?;

    let mut step = 0;
    for epoch in 0..epochs {
        let mut score = Score::default();
        let mut rate = trial.learning_rate;
        for batch in training.batches(BATCH, &mut rng) {
            rate = trial.learning_rate * cosine(step, steps);
            let of_batch = net.train(&batch, rate);
            logger.on_batch_end([
                ("loss", of_batch.loss()),
                ("accuracy", of_batch.accuracy()),
                ("learning_rate", rate),
            ]);
            score += of_batch;
            step += 1;
            progress.batch();
        }
        let evaluation = net.evaluate(held_out);
        logger.on_epoch_end(
            epoch,
            [
                ("loss", score.loss()),
                ("accuracy", score.accuracy()),
                ("learning_rate", rate),
                ("val_loss", evaluation.score.loss()),
                ("val_accuracy", evaluation.score.accuracy()),
            ],
        );
        logger.weights(epoch, |weights| inspect::parameters(weights, &net));
        inspect::filters(&logger.train()?, &net, epoch)?;
        inspect::classes(&logger.validation()?, held_out, &evaluation, epoch)?;
        if epoch + 1 == epochs {
            inspect::outcome(&logger.validation()?, held_out, &evaluation, epoch)?;
        }
        progress.epoch(epoch, score, evaluation.score);
    }

    logger.on_train_end()?;
    // Dropping a writer closes it, too, but cannot return an error.
    experiment.close()?;
    Ok(())
}

/// Returns the factor of the learning rate at a step. It falls from 1 to almost 0 along half a cosine.
fn cosine(step: usize, steps: usize) -> f32 {
    0.5 * (1.0 + (PI * step as f32 / steps as f32).cos())
}

fn config(trial: &Trial, epochs: u16, training: &Digits, held_out: &Digits) -> Text {
    let setting = |name: &str, value: &dyn Display| [name.to_owned(), value.to_string()];
    let network = format!("{PIXELS} → {HIDDEN} ReLU → {CLASSES} softmax");
    let optimiser = format!(
        "Adam, learning rate {}, cosine decay to 0",
        trial.learning_rate
    );
    let (images, held_out) = (training.len(), held_out.len());
    let rows = [
        setting("network", &network),
        setting("dropout after the hidden layer", &trial.dropout),
        setting("optimiser", &optimiser),
        setting("epochs", &epochs),
        setting("batch size", &BATCH),
        setting("images for training", &images),
        setting("images for validation", &held_out),
        setting("seed", &SEED),
    ];
    Text::table(["setting", "value"], rows)
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    // Without --logdir, TensorBoard should show the parent directory, which has the runs of all invocations.
    let (logdir, watched) = match options.logdir {
        Some(dir) => (dir.clone(), dir),
        None => (unique_logdir("logs/digits")?, PathBuf::from("logs/digits")),
    };
    let digits = Digits::load()?;
    let (training, held_out) = digits.split(TRAINING_PERCENT, &mut Rng::with_seed(SEED));
    let trials = Trial::all(options.sweep);
    for trial in &trials {
        let logdir = logdir.join(&trial.name);
        train(&logdir, trial, options.epochs, &training, &held_out)?;
    }

    let (wrote, view) = (logdir.display(), watched.display());
    println!(
        "Wrote {} trainings, with three runs each, to {wrote}.",
        trials.len()
    );
    println!("Look at them: tensorboard --logdir {view}  (--view starts it)");
    if options.view {
        view::serve(&watched)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error message does not include its source, so print the whole chain.
            let mut message = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                message = format!("{message}: {cause}");
                source = cause.source();
            }
            eprintln!("digits: {message}");
            ExitCode::FAILURE
        }
    }
}
