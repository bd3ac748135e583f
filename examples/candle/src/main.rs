//! Trains a classifier of handwritten digits with candle. Logs the loss and the accuracy of training and validation, and
//! histograms of parameters and gradients.

// The data of the example `digits`.
#[allow(dead_code, reason = "this example uses only a part of it")]
#[path = "../../digits/data.rs"]
mod data;

use std::error::Error;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::loss::cross_entropy;
use candle_nn::{Activation, AdamW, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use fastrand::Rng;
use summary_writer::integrations::candle;
use summary_writer::{HParams, Image, SummaryWriter, unique_logdir};

use crate::data::{CLASSES, Digits, PIXELS, SIDE};

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

const SEED: u64 = 7;
const TRAINING_PERCENT: usize = 80;
const EPOCHS: u32 = 20;
const BATCH: usize = 32;
const HIDDEN: usize = 64;
const LEARNING_RATE: f64 = 5e-3;
/// The columns of the grid of images.
const COLUMNS: usize = 16;

fn main() -> Result {
    let device = Device::Cpu;
    let mut rng = Rng::with_seed(SEED);
    let (training, held_out) = Digits::load()?.split(TRAINING_PERCENT, &mut rng);

    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let network = candle_nn::seq()
        .add(candle_nn::linear(PIXELS, HIDDEN, builder.pp("hidden"))?)
        .add(Activation::Relu)
        .add(candle_nn::linear(HIDDEN, CLASSES, builder.pp("output"))?);
    let parameters = ParamsAdamW {
        lr: LEARNING_RATE,
        ..ParamsAdamW::default()
    };
    let mut optimizer = AdamW::new(variables.all_vars(), parameters)?;

    let logdir = unique_logdir("logs/candle")?;
    let experiment = SummaryWriter::create_file_writer(&logdir)?;
    let train = experiment.run("train")?;
    let validation = experiment.run("validation")?;
    let hparams = HParams::new()
        .set("learning_rate", LEARNING_RATE)
        .set("batch_size", BATCH as f64)
        .set("hidden_units", HIDDEN as f64)
        .set("epochs", EPOCHS);
    experiment.hparams(hparams);

    let (all_pixels, all_labels) = tensors(&training, &device)?;
    let (held_out_pixels, held_out_labels) = tensors(&held_out, &device)?;
    let side = SIDE as usize;
    let images = all_pixels
        .narrow(0, 0, 6 * COLUMNS)?
        .reshape(((), 1, side, side))?;
    train.image(
        "samples",
        Image::grid(candle::images(&images)?, COLUMNS)?,
        0,
    );

    let mut step = 0;
    let mut last_accuracy = 0.0;
    for epoch in 1..=EPOCHS {
        for batch in training.batches(BATCH, &mut rng) {
            let (pixels, labels) = tensors(&batch, &device)?;
            let loss = cross_entropy(&network.forward(&pixels)?, &labels)?;
            optimizer.backward_step(&loss)?;
            train.scalar("loss/batch", candle::scalar(&loss)?, step);
            step += 1;
        }

        let (loss, accuracy) = evaluate(&network, &all_pixels, &all_labels)?;
        train.scalar("loss/epoch", candle::scalar(&loss)?, epoch);
        train.scalar("accuracy/epoch", candle::scalar(&accuracy)?, epoch);
        let named = variables.data().lock().map_err(|error| error.to_string())?;
        candle::log_vars(&train, named.iter(), epoch)?;
        candle::log_grads(&train, named.iter(), &loss.backward()?, epoch)?;
        drop(named);

        let (loss, accuracy) = evaluate(&network, &held_out_pixels, &held_out_labels)?;
        last_accuracy = candle::scalar(&accuracy)?;
        validation.scalar("loss/epoch", candle::scalar(&loss)?, epoch);
        validation.scalar("accuracy/epoch", last_accuracy, epoch);
    }

    // Dropping a writer closes it, too, but cannot return an error.
    train.close()?;
    validation.close()?;
    experiment.close()?;
    println!(
        "Classifies {:.1} % of the validation digits correctly.",
        100.0 * last_accuracy
    );
    println!("Look at the training: tensorboard --logdir logs/candle");
    Ok(())
}

/// Returns pixels `[images, PIXELS]` and labels `[images]`.
fn tensors(digits: &Digits, device: &Device) -> Result<(Tensor, Tensor)> {
    let labels = digits.labels.iter().map(|label| *label as u32);
    Ok((
        Tensor::from_slice(&digits.pixels, (digits.len(), PIXELS), device)?,
        Tensor::from_iter(labels, device)?,
    ))
}

/// Returns the loss and the accuracy.
fn evaluate(network: &impl Module, pixels: &Tensor, labels: &Tensor) -> Result<(Tensor, Tensor)> {
    let logits = network.forward(pixels)?;
    let right = logits.argmax(D::Minus1)?.eq(labels)?;
    let accuracy = right.to_dtype(DType::F32)?.mean_all()?;
    Ok((cross_entropy(&logits, labels)?, accuracy))
}
