//! Logs what shows a person how well the network learns: histograms, pictures, curves and points. Each function prepares the
//! data, and calls the writer at its end.

use std::error::Error;

use summary_writer::custom_scalars::{Category, Layout, Margin};
use summary_writer::hparams::{Experiment, HParamInfo, MetricInfo};
use summary_writer::images::ConfusionMatrix;
use summary_writer::training::Weights;
use summary_writer::{Embedding, Image, Layer, Model, PrCurve, SummaryWriter, Text};

use crate::data::{CLASSES, Digits, PIXELS, SIDE};
use crate::net::{Evaluation, HIDDEN, Net};

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// Columns of the grids of images.
const COLUMNS: usize = 16;

/// Logs the charts of the Custom Scalars page, which combine several tags.
pub(crate) fn charts(experiment: &SummaryWriter) -> Result {
    let spread = Margin::new("recall/mean", "recall/lowest", "recall/highest");
    let category = Category::new("digits")?
        .multiline("loss and accuracy per epoch", ["epoch_(loss|accuracy)"])?
        .margin("recall of the classes", [spread])?;
    experiment.custom_scalars(Layout::new().category(category));
    Ok(())
}

/// Logs the columns of the HParams page.
pub(crate) fn table(experiment: &SummaryWriter) -> Result {
    let mut columns = Experiment::new();
    for name in ["learning_rate", "dropout", "epochs"] {
        columns = columns.hparam(HParamInfo::new(name)?);
    }
    for name in ["epoch_accuracy", "epoch_loss"] {
        columns = columns.metric(MetricInfo::new(name)?.group("validation"));
    }
    experiment.hparams_experiment(columns);
    Ok(())
}

/// Logs the layers of the network, for the Graphs page. `None` in a shape is the size of the batch.
pub(crate) fn model(experiment: &SummaryWriter) -> Result {
    let layers = [
        Layer::input_layer("pixels", [None, Some(PIXELS)]),
        Layer::new("hidden", "Dense")
            .param("activation", "relu")
            .weight("kernel", [PIXELS, HIDDEN])
            .weight("bias", [HIDDEN])
            .output_shape([None, Some(HIDDEN)]),
        Layer::new("dropout", "Dropout").output_shape([None, Some(HIDDEN)]),
        Layer::new("output", "Dense")
            .param("activation", "softmax")
            .weight("kernel", [HIDDEN, CLASSES])
            .weight("bias", [CLASSES])
            .output_shape([None, Some(CLASSES)]),
    ];
    experiment.model(&Model::new("digits", layers)?);
    Ok(())
}

/// Logs some of the training images.
pub(crate) fn samples(train: &SummaryWriter, training: &Digits) -> Result {
    let images = training.images().take(6 * COLUMNS).map(digit);
    let images = images.collect::<Result<Vec<_>>>()?;
    train.image("samples", Image::grid(&images, COLUMNS)?, 0);
    Ok(())
}

/// Logs the parameters, and the last gradients of the kernels.
pub(crate) fn parameters(weights: &mut Weights, net: &Net) {
    for (name, layer) in net.layers() {
        let shape = [layer.inputs, layer.outputs];
        weights.add(&format!("{name}/kernel"), &shape, &layer.weights.value);
        weights.add(&format!("{name}/bias"), &shape[1..], &layer.biases.value);
        weights.add(&format!("{name}/gradient"), &shape, &layer.weights.gradient);
    }
}

/// Logs the weights of each hidden unit as an image. White pixels activate the unit, black ones inhibit it.
pub(crate) fn filters(train: &SummaryWriter, net: &Net, epoch: u16) -> Result {
    let [(_, hidden), _] = net.layers();
    let weights = &hidden.weights.value;
    let largest = weights
        .iter()
        .fold(0.0f32, |largest, w| largest.max(w.abs()));
    let filters = (0..HIDDEN).map(|unit| {
        let of_unit = weights.iter().skip(unit).step_by(HIDDEN);
        let pixels: Vec<f32> = of_unit.map(|w| 0.5 + 0.5 * w / largest).collect();
        digit(&pixels)
    });
    let filters = filters.collect::<Result<Vec<_>>>()?;
    train.image("filters/hidden", Image::grid(&filters, COLUMNS)?, epoch);
    Ok(())
}

/// Logs how well the network classifies the validation images, for each class.
pub(crate) fn classes(
    validation: &SummaryWriter,
    digits: &Digits,
    evaluation: &Evaluation,
    epoch: u16,
) -> Result {
    validation.histogram("activations/hidden", &evaluation.hidden, epoch);

    let curves = PrCurve::one_vs_rest(&digits.labels, &evaluation.probabilities, CLASSES)?;
    for (class, curve) in curves.into_iter().enumerate() {
        validation.pr_curve(format!("digit/{class}"), curve, epoch);
    }

    let predicted = evaluation.predicted();
    let matrix = ConfusionMatrix::from_labels(&names(), &digits.labels, &predicted)?;
    validation.image("confusion/picture", matrix.to_image()?, epoch);

    let recalls: Vec<f32> = (0..CLASSES)
        .map(|class| {
            let of_class = digits
                .labels
                .iter()
                .zip(&predicted)
                .filter(|(truth, _)| **truth == class);
            let (right, all) = of_class.fold((0.0, 0.0), |(right, all), (truth, predicted)| {
                (
                    right + f32::from(u8::from(truth == predicted)),
                    all + 1.0f32,
                )
            });
            right / all.max(1.0)
        })
        .collect();
    let mean = recalls.iter().sum::<f32>() / CLASSES as f32;
    let lowest = recalls.iter().copied().fold(f32::MAX, f32::min);
    let highest = recalls.iter().copied().fold(0.0, f32::max);
    let recalls = [
        ("recall/mean", mean),
        ("recall/lowest", lowest),
        ("recall/highest", highest),
    ];
    validation.scalars(epoch, recalls);
    Ok(())
}

/// Logs the misclassified images, and an embedding of all images by the hidden layer.
pub(crate) fn outcome(
    validation: &SummaryWriter,
    digits: &Digits,
    evaluation: &Evaluation,
    epoch: u16,
) -> Result {
    let predicted = evaluation.predicted();
    let matrix = ConfusionMatrix::from_labels(&names(), &digits.labels, &predicted)?;
    validation.text("confusion/table", matrix.to_markdown(), epoch);

    let is_wrong = |&i: &usize| predicted[i] != digits.labels[i];
    let wrong: Vec<usize> = (0..digits.len()).filter(is_wrong).collect();
    if !wrong.is_empty() {
        let images = digits
            .select(&wrong)
            .images()
            .map(digit)
            .collect::<Result<Vec<_>>>()?;
        validation.image(
            "misclassified/images",
            Image::grid(&images, COLUMNS.min(images.len()))?,
            epoch,
        );
        let rows = wrong.iter().enumerate().map(|(place, &i)| {
            let probability = evaluation.probabilities[i * CLASSES + predicted[i]];
            let (truth, predicted) = (digits.labels[i].to_string(), predicted[i].to_string());
            [
                (place + 1).to_string(),
                truth,
                predicted,
                format!("{:.0} %", 100.0 * probability),
            ]
        });
        let table = Text::table(["image", "digit", "predicted", "probability"], rows);
        validation.text("misclassified/table", table, epoch);
    }

    let thumbnails = digits.images().map(digit).collect::<Result<Vec<_>>>()?;
    let labels = digits.labels.iter().zip(&predicted);
    let rows = labels.map(|(digit, predicted)| [digit.to_string(), predicted.to_string()]);
    let embedding = Embedding::new("hidden layer", &evaluation.hidden, HIDDEN)?
        .columns(["digit", "predicted"], rows)?
        .thumbnails(thumbnails)?;
    validation.embedding(embedding, epoch)?;
    Ok(())
}

fn digit(pixels: &[f32]) -> Result<Image> {
    debug_assert_eq!(pixels.len(), PIXELS);
    Ok(Image::gray_f32(SIDE, SIDE, pixels)?)
}

fn names() -> Vec<String> {
    (0..CLASSES).map(|class| class.to_string()).collect()
}
