//! The network, and its training and validation steps for burn.

use burn::config::Config;
use burn::data::dataloader::batcher::Batcher;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::data::{CLASSES, PIXELS};

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

#[derive(Config, Debug)]
pub(crate) struct NetworkConfig {
    #[config(default = 64)]
    hidden_units: usize,
}

impl NetworkConfig {
    pub(crate) fn init(&self, device: &Device) -> Network {
        Network {
            hidden: LinearConfig::new(PIXELS, self.hidden_units).init(device),
            output: LinearConfig::new(self.hidden_units, CLASSES).init(device),
        }
    }
}

/// One hidden layer.
#[derive(Module, Debug)]
pub(crate) struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
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
}

impl InferenceStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch)
    }
}
