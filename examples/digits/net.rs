//! A neural network with one hidden layer, with a hand-written gradient and the optimizer Adam.
//!
//! Matrices are flat and row-major: a batch of `n` rows of width `w` is a slice of `n * w` values.

use std::ops::AddAssign;

use fastrand::Rng;

use crate::data::{CLASSES, Digits, PIXELS};

/// Units of the hidden layer.
pub(crate) const HIDDEN: usize = 128;

/// The loss and the accuracy on some images.
#[derive(Clone, Copy, Default)]
pub(crate) struct Score {
    loss_sum: f32,
    correct: usize,
    images: usize,
}

impl Score {
    /// Returns the mean cross-entropy, in nats.
    pub(crate) fn loss(&self) -> f32 {
        self.loss_sum / self.images as f32
    }

    /// Returns the share of correctly classified images, from 0 to 1.
    pub(crate) fn accuracy(&self) -> f32 {
        self.correct as f32 / self.images as f32
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.images += other.images;
    }
}

/// The output of the network for some images.
pub(crate) struct Evaluation {
    pub(crate) score: Score,
    /// The activations of the hidden layer. The shape is (images, `HIDDEN`).
    pub(crate) hidden: Vec<f32>,
    /// The shape is (images, `CLASSES`). Each row has the sum 1.
    pub(crate) probabilities: Vec<f32>,
}

impl Evaluation {
    /// Returns the most probable class of each image.
    pub(crate) fn predicted(&self) -> Vec<usize> {
        let most = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]));
        let rows = self.probabilities.chunks_exact(CLASSES);
        rows.filter_map(most).collect()
    }
}

/// 64 pixels → 128 ReLU → dropout → 10 softmax.
pub(crate) struct Net {
    hidden: Dense,
    output: Dense,
    dropout: f32,
    rng: Rng,
    steps: i32,
}

impl Net {
    /// Creates a network with random weights. `dropout` is the share of hidden units that a training step drops, from 0 to
    /// below 1.
    pub(crate) fn new(dropout: f32, mut rng: Rng) -> Self {
        Self {
            hidden: Dense::new(PIXELS, HIDDEN, &mut rng),
            output: Dense::new(HIDDEN, CLASSES, &mut rng),
            dropout,
            rng,
            steps: 0,
        }
    }

    /// Trains one step of Adam on the mean loss of `batch`. Returns the score before the step.
    pub(crate) fn train(&mut self, batch: &Digits, learning_rate: f32) -> Score {
        // ReLU and inverted dropout multiply a unit by 0 or by a constant. So one mask does both, forward and backward.
        let kept = 1.0 / (1.0 - self.dropout);
        let mut hidden = self.hidden.forward(&batch.pixels);
        let mask: Vec<f32> = hidden
            .iter()
            .map(|&x| x > 0.0 && self.rng.f32() >= self.dropout)
            .map(|active| if active { kept } else { 0.0 })
            .collect();
        multiply(&mut hidden, &mask);
        let mut output = self.output.forward(&hidden);
        let score = softmax(&mut output, &batch.labels);

        // The gradient of cross-entropy after softmax is the probability minus the truth.
        let mut gradient = output;
        for (row, &label) in gradient.chunks_exact_mut(CLASSES).zip(&batch.labels) {
            row[label] -= 1.0;
            row.iter_mut().for_each(|g| *g /= batch.len() as f32);
        }
        let mut hidden_gradient = self.output.backward(&hidden, &gradient);
        multiply(&mut hidden_gradient, &mask);
        self.output.learn(&hidden, &gradient);
        self.hidden.learn(&batch.pixels, &hidden_gradient);

        self.steps += 1;
        for layer in [&mut self.hidden, &mut self.output] {
            layer.weights.descend(learning_rate, self.steps);
            layer.biases.descend(learning_rate, self.steps);
        }
        score
    }

    /// Returns the output for `digits`, without dropout and without training.
    pub(crate) fn evaluate(&self, digits: &Digits) -> Evaluation {
        let mut hidden = self.hidden.forward(&digits.pixels);
        hidden.iter_mut().for_each(|x| *x = x.max(0.0));
        let mut probabilities = self.output.forward(&hidden);
        let score = softmax(&mut probabilities, &digits.labels);
        Evaluation {
            score,
            hidden,
            probabilities,
        }
    }

    /// Returns the layers and their names, in order.
    pub(crate) fn layers(&self) -> [(&'static str, &Dense); 2] {
        [("hidden", &self.hidden), ("output", &self.output)]
    }
}

/// A fully connected layer: `output = input · weights + biases`.
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// The shape is (inputs, outputs). So the inner loops read neighbouring values, and the compiler can use SIMD.
    pub(crate) weights: Parameter,
    pub(crate) biases: Parameter,
}

impl Dense {
    fn new(inputs: usize, outputs: usize, rng: &mut Rng) -> Self {
        // He's uniform initialisation keeps the variance of the signal after a ReLU.
        let limit = (6.0 / inputs as f32).sqrt();
        let weights = (0..inputs * outputs).map(|_| (2.0 * rng.f32() - 1.0) * limit);
        Self {
            inputs,
            outputs,
            weights: Parameter::new(weights.collect()),
            biases: Parameter::new(vec![0.0; outputs]),
        }
    }

    /// Returns the output, with the shape (n, outputs), for an input of the shape (n, inputs).
    fn forward(&self, input: &[f32]) -> Vec<f32> {
        let mut output = self.biases.value.repeat(input.len() / self.inputs);
        let rows = output.chunks_exact_mut(self.outputs);
        for (output, input) in rows.zip(input.chunks_exact(self.inputs)) {
            let weights = self.weights.value.chunks_exact(self.outputs);
            for (&x, weights) in input.iter().zip(weights) {
                add_scaled(output, x, weights);
            }
        }
        output
    }

    /// Sets the gradients of weights and biases to those of a batch.
    fn learn(&mut self, input: &[f32], output_gradient: &[f32]) {
        self.weights.gradient.fill(0.0);
        self.biases.gradient.fill(0.0);
        let rows = output_gradient.chunks_exact(self.outputs);
        for (gradient, input) in rows.zip(input.chunks_exact(self.inputs)) {
            let weights = self.weights.gradient.chunks_exact_mut(self.outputs);
            for (&x, weights) in input.iter().zip(weights) {
                add_scaled(weights, x, gradient);
            }
            add_scaled(&mut self.biases.gradient, 1.0, gradient);
        }
    }

    /// Returns the gradient at the input, with the shape (n, inputs). `output_gradient` has the shape (n, outputs).
    fn backward(&self, input: &[f32], output_gradient: &[f32]) -> Vec<f32> {
        let mut input_gradient = Vec::with_capacity(input.len());
        for gradient in output_gradient.chunks_exact(self.outputs) {
            for weights in self.weights.value.chunks_exact(self.outputs) {
                input_gradient.push(weights.iter().zip(gradient).map(|(w, g)| w * g).sum());
            }
        }
        input_gradient
    }
}

/// Trainable values with the state of Adam. All fields have the same length.
pub(crate) struct Parameter {
    pub(crate) value: Vec<f32>,
    /// The gradient of the last batch.
    pub(crate) gradient: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Parameter {
    fn new(value: Vec<f32>) -> Self {
        let zeros = vec![0.0; value.len()];
        Self {
            value,
            gradient: zeros.clone(),
            mean: zeros.clone(),
            square: zeros,
        }
    }

    /// Does a step of Adam (Kingma and Ba, 2015) with its usual constants. `step` counts from 1.
    fn descend(&mut self, learning_rate: f32, step: i32) {
        const BETA_1: f32 = 0.9;
        const BETA_2: f32 = 0.999;
        // The means start at zero. These factors correct the bias of the first steps.
        let unbias_1 = 1.0 / (1.0 - BETA_1.powi(step));
        let unbias_2 = 1.0 / (1.0 - BETA_2.powi(step));
        let moments = self.mean.iter_mut().zip(&mut self.square);
        let values = self.value.iter_mut().zip(&self.gradient);
        for ((value, gradient), (mean, square)) in values.zip(moments) {
            *mean += (1.0 - BETA_1) * (gradient - *mean);
            *square += (1.0 - BETA_2) * (gradient * gradient - *square);
            *value -= learning_rate * *mean * unbias_1 / ((*square * unbias_2).sqrt() + 1e-8);
        }
    }
}

/// Turns each row of logits into probabilities and scores them.
fn softmax(logits: &mut [f32], labels: &[usize]) -> Score {
    let mut score = Score::default();
    for (row, &label) in logits.chunks_exact_mut(CLASSES).zip(labels) {
        // Subtracting the maximum avoids an overflow of `exp`.
        let max = row.iter().copied().fold(f32::MIN, f32::max);
        score.correct += usize::from(row[label] == max);
        row.iter_mut().for_each(|x| *x = (*x - max).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= sum);
        score.loss_sum -= row[label].max(f32::MIN_POSITIVE).ln();
        score.images += 1;
    }
    score
}

fn add_scaled(to: &mut [f32], scale: f32, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

fn multiply(values: &mut [f32], by: &[f32]) {
    for (value, by) in values.iter_mut().zip(by) {
        *value *= by;
    }
}
