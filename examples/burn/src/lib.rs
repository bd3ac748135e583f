//! A TensorBoard logger for [burn](https://docs.rs/burn) 0.22.
//!
//! [`TensorBoardLogger`] is a metric logger for burn's learner. It also logs the hyperparameters, and its
//! [`watch`](TensorBoardLogger::watch) wraps the model, to log its layers and histograms of its parameters and gradients:
//!
//! ```ignore
//! let tensorboard = TensorBoardLogger::new("runs/digits")?.hparams(&config)?;
//! let model = tensorboard.watch(model, 5)?; // optional: histograms every 5 epochs
//! let result = SupervisedTraining::new("checkpoints", train, validation)
//!     .metrics((LossMetric::new(), AccuracyMetric::new()))
//!     .with_metric_logger(tensorboard)
//!     .num_epochs(20)
//!     .launch(Learner::new(model, optimizer, learning_rate));
//! let model = result.model.into_inner();
//! ```
//!
//! If you write the loop yourself, log the metrics with [`SummaryWriter::scalar`](summary_writer::SummaryWriter::scalar), and
//! the rest with [`layers`], [`log_parameters`] and [`log_gradients`]:
//!
//! ```
//! use burn::nn::LinearConfig;
//! use burn::optim::GradientsParams;
//! use burn::tensor::{Device, Tensor};
//! use summary_writer_burn::summary_writer::SummaryWriter;
//! use summary_writer_burn::{layers, log_gradients, log_parameters};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! let summary = SummaryWriter::create_file_writer(logdir)?;
//! let device = Device::flex().autodiff();
//! let model = LinearConfig::new(64, 10).init(&device);
//! summary.model(&layers("classifier", &model)?);
//! for step in 0..3 {
//!     let loss = model.forward(Tensor::<2>::ones([1, 64], &device)).powi_scalar(2).sum();
//!     let gradients = GradientsParams::from_grads(loss.backward(), &model);
//!     summary.scalar("loss", loss.into_scalar::<f32>(), step);
//!     log_parameters(&summary, &model, step);
//!     log_gradients(&summary, &model, &gradients, step);
//! }
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod logger;
mod module;
#[cfg(test)]
mod read_back;
mod watch;

pub use logger::TensorBoardLogger;
pub use module::{layers, log_gradients, log_parameters};
pub use summary_writer;
pub use watch::Watched;
