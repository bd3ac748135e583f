//! Trains a classifier of handwritten digits with burn, and logs everything that `summary-writer-burn` has.
//!
//!     cargo run --release --example digits [LOGDIR]
//!     tensorboard --logdir LOGDIR
//!
//! The default of `LOGDIR` is `logs/burn`. Each start writes a new training there.

#[allow(dead_code, reason = "this example uses only a part of it")]
#[path = "../../../digits/data.rs"]
mod data;
mod model;
mod progress;

use std::env;
use std::error::Error;
use std::path::PathBuf;

use burn::config::Config;
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
use summary_writer_burn::TensorBoardLogger;
use summary_writer_burn::summary_writer::unique_logdir;

use crate::data::Digits;
use crate::model::{Digit, DigitBatcher, NetworkConfig};
use crate::progress::Progress;

const TRAINING_PERCENT: usize = 80;

/// The hyperparameters. The HParams page shows a column for each, such as `network.hidden_units`.
#[derive(Config, Debug)]
struct TrainingConfig {
    network: NetworkConfig,
    optimizer: AdamConfig,
    #[config(default = 20)]
    epochs: usize,
    #[config(default = 32)]
    batch: usize,
    #[config(default = 5e-3)]
    learning_rate: f64,
    #[config(default = 7)]
    seed: u64,
}

fn dataset(digits: &Digits) -> InMemDataset<Digit> {
    let images = digits.images().map(<[f32]>::to_vec);
    InMemDataset::new(images.zip(digits.labels.iter().copied()).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let logs = env::args_os().nth(1);
    let logs = logs.map_or_else(|| PathBuf::from("logs/burn"), PathBuf::from);
    let logdir = unique_logdir(&logs)?;
    let config = TrainingConfig::new(NetworkConfig::new(), AdamConfig::new());

    let rng = &mut fastrand::Rng::with_seed(config.seed);
    let (training, held_out) = Digits::load()?.split(TRAINING_PERCENT, rng);
    let batches = training.len().div_ceil(config.batch);
    let loader = || DataLoaderBuilder::new(DigitBatcher).batch_size(config.batch);

    let device = Device::flex();
    device.seed(config.seed);
    let tensorboard = TensorBoardLogger::new(&logdir)?.hparams(&config)?;
    // Histograms after every second epoch.
    let network = tensorboard.watch(config.network.init(&device.autodiff()), 2)?;
    let summary = tensorboard.summary();

    let rate = CosineAnnealingLrSchedulerConfig::new(config.learning_rate, config.epochs * batches);
    let learner = Learner::new(network, config.optimizer.init(), rate.init()?);
    let stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: 3 },
    );
    // Burn writes its own log, and the warnings of the writer, to `experiment.log` in this directory.
    let LearningResult { error, .. } = SupervisedTraining::new(
        &logdir,
        loader().shuffle(config.seed).build(dataset(&training)),
        loader().build(dataset(&held_out)),
    )
    .metrics((LossMetric::new(), AccuracyMetric::new()))
    .metric_train_numeric(LearningRateMetric::new())
    .with_metric_logger(tensorboard)
    .renderer(Box::new(Progress::default()))
    .early_stopping(stopping)
    .num_epochs(config.epochs)
    .launch(learner);
    if let Some(error) = error {
        return Err(error.into());
    }

    // Dropping the writer closes it, too, but cannot return an error.
    summary.close()?;
    println!("Look at it: tensorboard --logdir {}", logs.display());
    Ok(())
}
