//! A model that logs its own parameters and gradients during a training.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams};
use burn::tensor::Device;
use burn::train::{InferenceStep, TrainOutput, TrainStep};
use summary_writer::SummaryWriter;

use crate::logger::TRAIN_RUN;
use crate::module::{log_gradients, log_parameters};

/// A model that logs histograms while burn's learner trains it. [`TensorBoardLogger::watch`] makes it.
///
/// Every `every` epochs, it logs the gradients of the first batch of the epoch, and the parameters at the end of the epoch,
/// both with the number of the epoch as the step. The end of an epoch is the first step of its validation.
///
/// It is the same module as the model inside: the names of the parameters, the records and the checkpoints do not change.
///
/// [`TensorBoardLogger::watch`]: crate::TensorBoardLogger::watch
#[derive(Clone, Debug)]
pub struct Watched<M> {
    model: M,
    /// Shared, because burn clones the model in each step.
    watch: Arc<Watch>,
}

struct Watch {
    summary: SummaryWriter,
    every: usize,
    /// The number of the current epoch, counted from 1.
    epoch: AtomicUsize,
    is_training: AtomicBool,
}

impl<M: Module> Watched<M> {
    /// Logs the parameters before the first epoch. `epochs` are already done.
    pub(crate) fn new(model: M, summary: &SummaryWriter, every: usize, epochs: usize) -> Self {
        let watch = Watch {
            summary: summary.clone(),
            every,
            epoch: AtomicUsize::new(epochs),
            is_training: AtomicBool::new(false),
        };
        // The learner loads a checkpoint later, so that these are not yet its parameters.
        if every > 0 && epochs == 0 {
            watch.log(|train| log_parameters(train, &model, 0));
        }
        Self {
            model,
            watch: Arc::new(watch),
        }
    }

    /// Returns the model.
    pub fn inner(&self) -> &M {
        &self.model
    }

    /// Returns the model.
    pub fn into_inner(self) -> M {
        self.model
    }

    fn map_model(self, map: impl FnOnce(M) -> M) -> Self {
        Self {
            model: map(self.model),
            watch: self.watch,
        }
    }
}

impl Watch {
    /// Returns the epoch if this is its first batch, and the epoch is logged.
    fn epoch_begins(&self) -> Option<usize> {
        if self.is_training.swap(true, Ordering::Relaxed) {
            return None;
        }
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed) + 1;
        epoch.is_multiple_of(self.every).then_some(epoch)
    }

    /// Returns the epoch if its training has just ended, and the epoch is logged.
    fn epoch_ends(&self) -> Option<usize> {
        let has_ended = self.is_training.swap(false, Ordering::Relaxed);
        let epoch = self.epoch.load(Ordering::Relaxed);
        (has_ended && epoch.is_multiple_of(self.every)).then_some(epoch)
    }

    fn log(&self, log: impl FnOnce(&SummaryWriter)) {
        match self.summary.run(TRAIN_RUN) {
            Ok(train) => log(&train),
            Err(error) => log::error!("cannot log histograms to the run {TRAIN_RUN:?}: {error}"),
        }
    }
}

/// Burn prints this with the model.
impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "histograms every {} epochs", self.every)
    }
}

impl<M: fmt::Display> fmt::Display for Watched<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.model.fmt(f)
    }
}

impl<M: TrainStep + Module> TrainStep for Watched<M> {
    type Input = M::Input;
    type Output = M::Output;

    fn step(&self, input: M::Input) -> TrainOutput<M::Output> {
        self.model.step(input)
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        if let Some(epoch) = self.watch.epoch_begins() {
            self.watch
                .log(|train| log_gradients(train, &self.model, &gradients, epoch));
        }
        self.map_model(|model| model.optimize(optimizer, rate, gradients))
    }

    /// Each device has its own gradients, so they are not logged.
    fn optimize_multi(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: MultiGradientsParams,
    ) -> Self {
        self.watch.epoch_begins();
        self.map_model(|model| model.optimize_multi(optimizer, rate, gradients))
    }
}

impl<M: InferenceStep + Module> InferenceStep for Watched<M> {
    type Input = M::Input;
    type Output = M::Output;

    fn step(&self, input: M::Input) -> M::Output {
        if let Some(epoch) = self.watch.epoch_ends() {
            self.watch
                .log(|train| log_parameters(train, &self.model, epoch));
        }
        self.model.step(input)
    }
}

/// Everything is that of the model, so that the wrapper does not appear in the paths of the parameters.
impl<M: Module> Module for Watched<M> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.model.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.map_model(|model| model.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.map_model(|model| model.to_device(device))
    }

    fn train(self) -> Self {
        self.map_model(M::train)
    }

    fn valid(&self) -> Self {
        Self {
            model: self.model.valid(),
            watch: self.watch.clone(),
        }
    }

    fn materialize(self) -> Self {
        self.map_model(M::materialize)
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        self.model.visit(visitor);
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        self.map_model(|model| model.map(mapper))
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::SgdConfig;
    use burn::tensor::Tensor;
    use burn::train::RegressionOutput;

    use super::*;
    use crate::TensorBoardLogger;
    use crate::read_back::values;

    #[derive(Module, Debug)]
    struct Line {
        linear: Linear,
    }

    impl Line {
        fn output(&self, input: Tensor<2>) -> RegressionOutput {
            let output = self.linear.forward(input.clone());
            let loss = (output.clone() - input.clone()).powi_scalar(2).mean();
            RegressionOutput::new(loss, output, input)
        }
    }

    impl TrainStep for Line {
        type Input = Tensor<2>;
        type Output = RegressionOutput;

        fn step(&self, input: Tensor<2>) -> TrainOutput<RegressionOutput> {
            let output = self.output(input);
            TrainOutput::new(self, output.loss.backward(), output)
        }
    }

    impl InferenceStep for Line {
        type Input = Tensor<2>;
        type Output = RegressionOutput;

        fn step(&self, input: Tensor<2>) -> RegressionOutput {
            self.output(input)
        }
    }

    /// Trains epochs of two batches, as the learner does, and returns the tags and steps of the histograms.
    fn train(every: usize, done: usize, epochs: usize) -> Vec<(String, i64)> {
        let dir = tempfile::tempdir().unwrap();
        let device = Device::flex().autodiff();
        let linear = LinearConfig::new(1, 1).with_bias(false).init(&device);
        let logger = TensorBoardLogger::new(dir.path())
            .unwrap()
            .resume(done, 2 * done);
        let mut model = logger.watch(Line { linear }, every).unwrap();
        let mut optimizer = SgdConfig::new().init();
        for _ in 0..epochs {
            for _ in 0..2 {
                let output = TrainStep::step(&model, Tensor::ones([2, 1], &device));
                model = model.optimize(&mut optimizer, 0.1.into(), output.grads);
            }
            let valid = model.valid();
            for _ in 0..2 {
                InferenceStep::step(&valid, Tensor::ones([2, 1], &Device::flex()));
            }
        }
        logger.summary().close().unwrap();
        let values = values(&dir.path().join("train"));
        values
            .into_iter()
            .map(|(step, value)| (value.tag, step))
            .collect()
    }

    #[test]
    fn histograms_are_logged_at_every_nth_epoch() {
        let steps = |each: &[(&str, i64)]| -> Vec<(String, i64)> {
            let tag = |kind| format!("{kind}/linear.weight");
            each.iter().map(|&(kind, step)| (tag(kind), step)).collect()
        };
        let want = steps(&[
            ("parameters", 0),
            ("gradients", 2),
            ("parameters", 2),
            ("gradients", 4),
            ("parameters", 4),
        ]);
        assert_eq!(train(2, 0, 5), want);
        // A resumed training logs neither parameters before its first epoch nor the epochs before it.
        let want = steps(&[("gradients", 4), ("parameters", 4)]);
        assert_eq!(train(2, 3, 2), want);
        assert_eq!(train(0, 0, 2), []);
    }

    #[test]
    fn record_of_the_model_loads_into_the_watched_model_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let device = Device::flex();
        let line = |bias| Line {
            linear: LinearConfig::new(2, 3).with_bias(bias).init(&device),
        };
        let logger = TensorBoardLogger::new(dir.path()).unwrap();
        let (first, second) = (line(true), line(true));
        let want = first.linear.weight.val().into_data();
        let watched = logger.watch(second, 1).unwrap();
        let watched = watched.load_record(first.into_record());
        assert_eq!(watched.num_params(), 9);
        let third = line(true).load_record(watched.into_record());
        assert_eq!(third.linear.weight.val().into_data(), want);
    }
}
