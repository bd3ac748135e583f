//! Trains a classifier of handwritten digits with burn. `tensorboard.rs` logs the metrics of burn.

#[allow(dead_code, reason = "this example uses only a part of it")]
#[path = "../../digits/data.rs"]
mod data;
mod model;
mod progress;
mod tensorboard;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataset::InMemDataset;
use burn::optim::AdamConfig;
use burn::optim::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::tensor::Device;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::metric::{AccuracyMetric, LearningRateMetric, LossMetric};
use burn::train::{
    Learner, LearningResult, MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining,
};
use summary_writer::{SummaryWriter, unique_logdir};

use crate::data::Digits;
use crate::model::{Digit, DigitBatcher, Network, Watch};
use crate::progress::Progress;
use crate::tensorboard::TensorBoardLogger;

const SEED: u64 = 7;
const BATCH: usize = 32;
const EPOCHS: usize = 20;
const LEARNING_RATE: f64 = 5e-3;
const TRAINING_PERCENT: usize = 80;

fn dataset(digits: &Digits) -> InMemDataset<Digit> {
    let images = digits.images().map(<[f32]>::to_vec);
    InMemDataset::new(images.zip(digits.labels.iter().copied()).collect())
}

fn run() -> Result<(), Box<dyn Error>> {
    let logdir = unique_logdir("logs/burn")?;
    let summary = SummaryWriter::create_file_writer(&logdir)?;

    let rng = &mut fastrand::Rng::with_seed(SEED);
    let (training, held_out) = Digits::load()?.split(TRAINING_PERCENT, rng);
    let batches = training.len().div_ceil(BATCH);
    let loader = || DataLoaderBuilder::new(DigitBatcher).batch_size(BATCH);

    let device = Device::flex();
    device.seed(SEED);
    // Logs histograms once per epoch.
    let watch = Watch::new(summary.run("train")?, batches);
    let network = Network::new(watch, &device.autodiff());
    summary.text("network", format!("```\n{network}\n```"), 0);
    let rate = CosineAnnealingLrSchedulerConfig::new(LEARNING_RATE, EPOCHS * batches).init()?;
    let learner = Learner::new(network, AdamConfig::new().init(), rate);

    let stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: 3 },
    );
    // Burn installs a logger that writes to a file in this directory. The warnings of the writer go there, too.
    let LearningResult { error, .. } = SupervisedTraining::new(
        &logdir,
        loader().shuffle(SEED).build(dataset(&training)),
        loader().build(dataset(&held_out)),
    )
    .metrics((LossMetric::new(), AccuracyMetric::new()))
    .metric_train_numeric(LearningRateMetric::new())
    .with_metric_logger(TensorBoardLogger::new(&summary)?)
    .renderer(Box::new(Progress::default()))
    .early_stopping(stopping)
    .num_epochs(EPOCHS)
    .launch(learner);
    if let Some(error) = error {
        return Err(error.into());
    }

    // Dropping the writer closes it, too, but cannot return an error.
    summary.close()?;
    println!(
        "Wrote a training, with three runs, to {}.",
        logdir.display()
    );
    println!("Look at it: tensorboard --logdir logs/burn");
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error message does not include its source, so print the whole chain.
            let mut message = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                message = format!("{message}: {cause}");
                source = cause.source();
            }
            eprintln!("burn-digits: {message}");
            ExitCode::FAILURE
        }
    }
}
