//! The network, and its training and validation steps for burn.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::batcher::Batcher;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use summary_writer::SummaryWriter;

use crate::data::{CLASSES, PIXELS};
use crate::tensorboard;

const HIDDEN: usize = 64;

/// An image and the digit that it shows.
pub(crate) type Digit = (Vec<f32>, usize);

/// Images, shape (batch, `PIXELS`), and the digits that they show, shape (batch,).
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    images: Tensor<2>,
    labels: Tensor<1, Int>,
}

pub(crate) struct DigitBatcher;

impl Batcher<Digit, Batch> for DigitBatcher {
    fn batch(&self, digits: Vec<Digit>, device: &Device) -> Batch {
        let size = digits.len();
        let labels: Vec<i64> = digits.iter().map(|&(_, label)| label as i64).collect();
        let pixels: Vec<f32> = digits.into_iter().flat_map(|(pixels, _)| pixels).collect();
        Batch {
            images: Tensor::from_data(TensorData::new(pixels, [size, PIXELS]), device),
            labels: Tensor::from_data(TensorData::new(labels, [size]), device),
        }
    }
}

/// One hidden layer.
#[derive(Module, Debug)]
pub(crate) struct Network {
    hidden: Linear,
    output: Linear,
    #[module(skip)]
    watch: Watch,
}

/// Says where the parameters of a network are logged, and how often.
#[derive(Clone)]
pub(crate) struct Watch {
    train: SummaryWriter,
    /// The number of batches between two records.
    every: usize,
    /// Shared, because burn clones the module in each step.
    batches: Arc<AtomicUsize>,
}

impl Watch {
    pub(crate) fn new(train: SummaryWriter, every: usize) -> Self {
        Self {
            train,
            every,
            batches: Arc::default(),
        }
    }
}

/// Burn prints this with the network.
impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "histograms every {} batches", self.every)
    }
}

impl Network {
    pub(crate) fn new(watch: Watch, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(PIXELS, HIDDEN).init(device),
            output: LinearConfig::new(HIDDEN, CLASSES).init(device),
            watch,
        }
    }

    fn classify(&self, batch: Batch) -> ClassificationOutput {
        let logits = self.output.forward(relu(self.hidden.forward(batch.images)));
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let step = self.watch.batches.fetch_add(1, Ordering::Relaxed);
        if step.is_multiple_of(self.watch.every) {
            tensorboard::log_module(&self.watch.train, &self, &gradients, step);
        }
        optimizer.step(rate, self, gradients)
    }
}

impl InferenceStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch)
    }
}
