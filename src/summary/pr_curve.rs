//! Precision-recall curves of binary classifiers.

use std::fmt::Debug;
use std::iter;

use prost::Message;

use super::check::{check_each, check_len, check_range};
use super::tensor::Tensor;
use super::{Scalar, Tag, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::{DataClass, PrCurvePluginData};

/// The default of the stock writers: steps of half a percent.
const DEFAULT_THRESHOLDS: usize = 201;
/// Many times the points of a screen.
const MAX_THRESHOLDS: usize = 1 << 16;
/// About 300 MiB of curves.
const MAX_CLASSES: usize = 1 << 16;
/// The stock writers divide by this number instead of 0.
const MIN_COUNT: f64 = 1e-7;
/// 2^62. The dashboard adds two counts in an `i64`, which would overflow. For a count that is infinite as an `f32` it shows
/// no curve at all.
const MAX_COUNT: f64 = (1_u64 << 62) as f64;

/// Precision and recall of a binary classifier at evenly spaced thresholds from 0 to 1.
///
/// An example is predicted positive at a threshold if its prediction is at least the threshold. The counts are those of the
/// stock package: a prediction `p` counts up to threshold number `floor(p * (n - 1))`, computed in the precision of
/// `p`: in `f32` if that type represents all numbers of the type of `p` exactly, otherwise in `f64`.
/// Precision is `tp / (tp + fp)`, recall is `tp / (tp + fn)`, and both are 0 where nothing is counted.
///
/// The dashboard shows whole counts, so choose weights of about 1 or more. It leaves out the thresholds above the highest
/// prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct PrCurve {
    thresholds: u32,
    /// Six rows: true positives, false positives, true negatives, false negatives, precision, recall.
    rows: Tensor,
}

impl PrCurve {
    /// Creates a curve from `predictions`, each the probability that its example is positive: a float, or a decision as `bool`.
    /// The curve has 201 thresholds, as many as those of the stock writers.
    ///
    /// ```
    /// use summary_writer::PrCurve;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let labels = [true, false, true, true];
    /// let predictions = [0.9, 0.2, 0.4, 0.7];
    /// summary.pr_curve("is_cat", PrCurve::new(&labels, &predictions)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the lengths differ, or a prediction is not between 0 and 1.
    pub fn new(labels: &[bool], predictions: &[impl Scalar]) -> Result<Self> {
        Self::with_thresholds(labels, predictions, DEFAULT_THRESHOLDS)
    }

    /// Creates a curve with `thresholds` thresholds, 2 to 65,536.
    ///
    /// # Errors
    /// As for [`new`](Self::new); [`Error::Invalid`] if there are fewer than 2 thresholds, or more than 65,536.
    pub fn with_thresholds(
        labels: &[bool],
        predictions: &[impl Scalar],
        thresholds: usize,
    ) -> Result<Self> {
        check_len(
            "predictions",
            predictions.len(),
            labels.len(),
            "one per label",
        )?;
        check_probabilities("predictions", predictions)?;
        let examples = iter::zip(labels, predictions);
        Self::count(
            examples.map(|(label, prediction)| (*label, *prediction, 1.0)),
            thresholds,
        )
    }

    /// Creates a curve with `thresholds` thresholds. Each example counts as often as its weight says.
    ///
    /// # Errors
    /// As for [`with_thresholds`](Self::with_thresholds); [`Error::Invalid`] if a weight is negative or not finite, or if the
    /// sum of the weights is above 2<sup>62</sup>.
    pub fn weighted(
        labels: &[bool],
        predictions: &[impl Scalar],
        weights: &[f32],
        thresholds: usize,
    ) -> Result<Self> {
        check_len(
            "predictions",
            predictions.len(),
            labels.len(),
            "one per label",
        )?;
        check_len("weights", weights.len(), labels.len(), "one per label")?;
        check_each(
            "weights",
            weights,
            "a finite number of at least 0",
            |weight| (0.0..=f32::MAX).contains(&weight),
        )?;
        let sum: f64 = weights.iter().copied().map(f64::from).sum();
        if sum > MAX_COUNT {
            let problem = format!("expected a sum of at most 2^62, got {sum:?}");
            return Err(Error::invalid("weights", problem));
        }
        check_probabilities("predictions", predictions)?;
        let examples = iter::zip(iter::zip(labels, predictions), weights);
        Self::count(
            examples.map(|((label, prediction), weight)| (*label, *prediction, (*weight).into())),
            thresholds,
        )
    }

    /// Creates one curve for each class, which takes that class as positive and all others as negative.
    ///
    /// `labels` has the class of each example; `probabilities` has `classes` numbers for each, example by example. Without
    /// examples the curves are zero.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the lengths do not match, if there are more than 65,536 classes, if a label is not below
    /// `classes`, or if a probability is not between 0 and 1.
    pub fn one_vs_rest(
        labels: &[usize],
        probabilities: &[impl Scalar],
        classes: usize,
    ) -> Result<Vec<Self>> {
        check_range("classes", classes, 0..=MAX_CLASSES)?;
        // On overflow no slice is as long.
        let wanted = labels.len().saturating_mul(classes);
        check_len(
            "probabilities",
            probabilities.len(),
            wanted,
            "one per label and class",
        )?;
        check_each(
            "labels",
            labels,
            &format!("a class below {classes}"),
            |label| label < classes,
        )?;
        check_probabilities("probabilities", probabilities)?;
        (0..classes)
            .map(|class| {
                let of_class = probabilities.iter().skip(class).step_by(classes);
                let examples = iter::zip(labels, of_class);
                Self::count(
                    examples.map(|(label, probability)| (*label == class, *probability, 1.0)),
                    DEFAULT_THRESHOLDS,
                )
            })
            .collect()
    }

    /// Takes counts that the program has made itself, at thresholds that rise evenly from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the lengths differ, if there are fewer than 2 counts or more than 65,536, or if a count is
    /// negative, not a number, or above 2<sup>62</sup>.
    #[doc(alias = "add_pr_curve_raw")]
    pub fn from_counts(
        true_positives: &[f64],
        false_positives: &[f64],
        true_negatives: &[f64],
        false_negatives: &[f64],
    ) -> Result<Self> {
        check_thresholds(true_positives.len())?;
        for (what, counts) in [
            ("true positives", true_positives),
            ("false positives", false_positives),
            ("true negatives", true_negatives),
            ("false negatives", false_negatives),
        ] {
            check_len(
                what,
                counts.len(),
                true_positives.len(),
                "one per threshold",
            )?;
            check_each(what, counts, "0 to 2^62", |count| {
                (0.0..=MAX_COUNT).contains(&count)
            })?;
        }
        Self::from_checked_counts([
            true_positives,
            false_positives,
            true_negatives,
            false_negatives,
        ])
    }

    /// Counts examples: the label, a probability, and a weight.
    fn count(
        examples: impl Iterator<Item = (bool, impl Scalar, f64)>,
        thresholds: usize,
    ) -> Result<Self> {
        check_thresholds(thresholds)?;
        let mut true_positives = vec![0.0; thresholds];
        let mut false_positives = vec![0.0; thresholds];
        for (label, prediction, weight) in examples {
            let counts = if label {
                &mut true_positives
            } else {
                &mut false_positives
            };
            counts[threshold(prediction, thresholds)] += weight;
        }
        // An example that is predicted positive at a threshold is so at all lower ones.
        for counts in [&mut true_positives, &mut false_positives] {
            for i in (1..thresholds).rev() {
                counts[i - 1] += counts[i];
            }
        }
        let negatives = |positives: &[f64]| -> Vec<f64> {
            positives.iter().map(|count| positives[0] - count).collect()
        };
        Self::from_checked_counts([
            &true_positives,
            &false_positives,
            &negatives(&false_positives),
            &negatives(&true_positives),
        ])
    }

    /// Takes true positives, false positives, true negatives and false negatives.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the dashboard has no more precision"
    )]
    fn from_checked_counts(counts: [&[f64]; 4]) -> Result<Self> {
        let [true_positives, false_positives, _, false_negatives] = counts;
        let share = |others: &[f64]| -> Vec<f64> {
            iter::zip(true_positives, others)
                .map(|(hits, others)| hits / (hits + others).max(MIN_COUNT))
                .collect()
        };
        let (precision, recall) = (share(false_positives), share(false_negatives));
        let numbers = counts
            .into_iter()
            .chain([&precision[..], &recall])
            .flatten();
        let rows: Vec<f32> = numbers.map(|number| *number as f32).collect();
        Ok(Self {
            thresholds: true_positives.len() as u32,
            rows: Tensor::new([6, true_positives.len()], &rows)?,
        })
    }
}

fn check_thresholds(thresholds: usize) -> Result<()> {
    check_range("thresholds", thresholds, 2..=MAX_THRESHOLDS)
}

fn check_probabilities<P: Scalar>(what: &'static str, numbers: &[P]) -> Result<()> {
    match numbers
        .iter()
        .position(|number| !(0.0..=1.0).contains(&number.to_f64()))
    {
        None => Ok(()),
        Some(i) => {
            let number = numbers[i];
            let got: &dyn Debug = if P::FITS_F32 {
                &number.to_f32()
            } else {
                &number.to_f64()
            };
            let problem = format!("expected 0 to 1, got {got:?} at index {i}");
            Err(Error::invalid(what, problem))
        }
    }
}

/// Returns the highest of `count` thresholds at which a probability is predicted positive.
#[allow(
    clippy::cast_possible_truncation,
    reason = "it is between 0 and `last`"
)]
fn threshold<P: Scalar>(probability: P, count: usize) -> usize {
    let last = count - 1;
    let position = if P::FITS_F32 {
        f64::from(probability.to_f32() * last as f32)
    } else {
        probability.to_f64() * last as f64
    };
    last.min(position as usize)
}

pub(crate) fn pr_curve(prefix: &str, tag: &Tag<'_>, curve: PrCurve) -> Value {
    let content = PrCurvePluginData {
        version: 0,
        num_thresholds: curve.thresholds,
    };
    let plugin_data = PluginData {
        content: content.encode_to_vec(),
        ..plugin("pr_curves")
    };
    tensor_value(prefix, tag, plugin_data, DataClass::Tensor, curve.rows.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The six rows.
    fn rows(curve: &PrCurve) -> Vec<Vec<f32>> {
        let (numbers, _) = curve.rows.0.tensor_content.as_chunks();
        let numbers: Vec<f32> = numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        numbers
            .chunks(curve.thresholds as usize)
            .map(<[f32]>::to_vec)
            .collect()
    }

    #[test]
    fn a_prediction_counts_at_thresholds_up_to_it() {
        // Thresholds 0, 0.5, 1. Positives at 0.9 (up to 0.5) and 0.2 (up to 0); negatives at 0.5 and 1 (up to 1).
        let curve = PrCurve::with_thresholds(&[true, true, false, false], &[0.9, 0.2, 0.5, 1.0], 3)
            .unwrap();
        let want: [&[f32]; 6] = [
            &[2.0, 1.0, 0.0],
            &[2.0, 2.0, 1.0],
            &[0.0, 0.0, 1.0],
            &[0.0, 1.0, 2.0],
            &[0.5, 1.0 / 3.0, 0.0],
            &[1.0, 0.5, 0.0],
        ];
        assert_eq!(rows(&curve), want);
    }

    #[test]
    fn an_example_counts_as_often_as_its_weight_says() {
        let curve = PrCurve::weighted(
            &[true, false, true],
            &[1.0f32, 1.0, 0.0],
            &[3.0, 0.5, 2.0],
            2,
        )
        .unwrap();
        let want: [&[f32]; 6] = [
            &[5.0, 3.0],
            &[0.5, 0.5],
            &[0.0, 0.0],
            &[0.0, 2.0],
            &[5.0 / 5.5, 3.0 / 3.5],
            &[1.0, 0.6],
        ];
        assert_eq!(rows(&curve), want);
    }

    #[test]
    fn one_vs_rest_takes_one_class_as_positive() {
        // 0.75 counts up to threshold 150 of 200, 0.125 up to 25; 0.25 up to 50, 0.5 up to 100; 0 at 0, 0.375 up to 75.
        let probabilities = [0.75, 0.25, 0.0, 0.125, 0.5, 0.375];
        let curves = PrCurve::one_vs_rest(&[0, 1], &probabilities, 3).unwrap();
        // For each row, the last threshold of each stretch and its number.
        let want: [[&[(usize, f32)]; 6]; 3] = [
            // The positive is the first example.
            [
                &[(150, 1.0), (200, 0.0)],
                &[(25, 1.0), (200, 0.0)],
                &[(25, 0.0), (200, 1.0)],
                &[(150, 0.0), (200, 1.0)],
                &[(25, 0.5), (150, 1.0), (200, 0.0)],
                &[(150, 1.0), (200, 0.0)],
            ],
            // The positive is the second one.
            [
                &[(100, 1.0), (200, 0.0)],
                &[(50, 1.0), (200, 0.0)],
                &[(50, 0.0), (200, 1.0)],
                &[(100, 0.0), (200, 1.0)],
                &[(50, 0.5), (100, 1.0), (200, 0.0)],
                &[(100, 1.0), (200, 0.0)],
            ],
            // Both are negative.
            [
                &[(200, 0.0)],
                &[(0, 2.0), (75, 1.0), (200, 0.0)],
                &[(0, 0.0), (75, 1.0), (200, 2.0)],
                &[(200, 0.0)],
                &[(200, 0.0)],
                &[(200, 0.0)],
            ],
        ];
        assert_eq!(curves.len(), 3);
        for (class, (curve, want)) in curves.iter().zip(want).enumerate() {
            for (i, (row, stretches)) in rows(curve).iter().zip(want).enumerate() {
                let mut want = Vec::new();
                for (last, number) in stretches {
                    want.resize(last + 1, *number);
                }
                assert_eq!(*row, want, "row {i} of class {class}");
            }
        }
    }

    #[test]
    fn classes_without_examples_have_curves_of_zeros() {
        let curves = PrCurve::one_vs_rest(&[], &[0.0f32; 0], 3).unwrap();
        let rows: Vec<_> = curves.iter().map(rows).collect();
        assert_eq!(rows, vec![vec![vec![0.0; 201]; 6]; 3]);
        assert_eq!(PrCurve::one_vs_rest(&[], &[0.0f32; 0], 0).unwrap(), []);
    }

    #[test]
    fn predictions_may_be_decisions() {
        let labels = [true, false, true];
        let want = PrCurve::new(&labels, &[1.0, 1.0, 0.0]).unwrap();
        assert_eq!(PrCurve::new(&labels, &[true, true, false]).unwrap(), want);
        assert_eq!(PrCurve::new(&labels, &[1u8, 1, 0]).unwrap(), want);
        let error = PrCurve::new(&labels, &[1u8, 2, 0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "predictions: expected 0 to 1, got 2.0 at index 1"
        );
    }

    #[cfg(feature = "half")]
    #[test]
    fn predictions_may_have_16_bits() {
        use half::{bf16, f16};

        // Both types hold these numbers exactly.
        let (labels, predictions) = ([true, false, true], [0.75f32, 0.25, 0.0]);
        let want = PrCurve::with_thresholds(&labels, &predictions, 5).unwrap();
        let small = predictions.map(f16::from_f32);
        assert_eq!(PrCurve::with_thresholds(&labels, &small, 5).unwrap(), want);
        let small = predictions.map(bf16::from_f32);
        assert_eq!(PrCurve::with_thresholds(&labels, &small, 5).unwrap(), want);
    }

    #[test]
    fn counts_of_the_program_are_kept() {
        let curve =
            PrCurve::from_counts(&[3.0, 1.0], &[1.0, 0.0], &[0.0, 1.0], &[0.0, 2.0]).unwrap();
        assert_eq!(rows(&curve)[4..], [[0.75, 1.0], [1.0, 1.0 / 3.0]]);
        assert_eq!(rows(&curve)[3], [0.0, 2.0]);
    }

    #[test]
    fn the_largest_counts_are_kept() {
        let most = 2.0f64.powi(62);
        let curve = PrCurve::from_counts(&[most; 2], &[most; 2], &[0.0; 2], &[most; 2]).unwrap();
        let most = 2.0f32.powi(62);
        let want = [
            [most; 2], [most; 2], [0.0; 2], [most; 2], [0.5; 2], [0.5; 2],
        ];
        assert_eq!(rows(&curve), want);
        let weights = [most / 2.0, most / 4.0, most / 4.0];
        let curve = PrCurve::weighted(&[true, false, true], &[1.0f32; 3], &weights, 2).unwrap();
        assert_eq!(rows(&curve)[..2], [[most * 0.75; 2], [most * 0.25; 2]]);
    }

    #[test]
    fn a_curve_without_examples_has_no_nan() {
        let curve = PrCurve::new(&[], &[0.0f32; 0]).unwrap();
        assert_eq!(rows(&curve), [[0.0; 201]; 6]);
    }

    #[test]
    fn an_invalid_curve_is_rejected_with_the_reason() {
        let nan = f32::NAN;
        for (got, want) in [
            (
                PrCurve::new(&[true], &[0.5f32, 0.5]),
                "predictions: expected 1, one per label, got 2",
            ),
            (
                PrCurve::new(&[true, true], &[0.5, nan]),
                "predictions: expected 0 to 1, got NaN at index 1",
            ),
            (
                PrCurve::new(&[true], &[1.5f64]),
                "predictions: expected 0 to 1, got 1.5 at index 0",
            ),
            (
                PrCurve::with_thresholds(&[true], &[0.5f64], 1),
                "thresholds: expected 2 to 65536, got 1",
            ),
            (
                PrCurve::with_thresholds(&[true], &[0.5f64], 65_537),
                "thresholds: expected 2 to 65536, got 65537",
            ),
            (
                PrCurve::weighted(&[true], &[0.5f64], &[], 201),
                "weights: expected 1, one per label, got 0",
            ),
            (
                PrCurve::weighted(&[true], &[0.5f64], &[-1.0], 201),
                "weights: expected a finite number of at least 0, got -1.0 at index 0",
            ),
            (
                // f32::MAX is 2^128 - 2^104.
                PrCurve::weighted(&[true; 2], &[0.5f32, 0.6], &[f32::MAX; 2], 3),
                "weights: expected a sum of at most 2^62, got 6.805646932770577e38",
            ),
            (
                PrCurve::from_counts(&[1.0; 2], &[1.0; 2], &[1.0; 2], &[1.0; 3]),
                "false negatives: expected 2, one per threshold, got 3",
            ),
            (
                PrCurve::from_counts(&[1.0; 2], &[1.0, f64::INFINITY], &[1.0; 2], &[1.0; 2]),
                "false positives: expected 0 to 2^62, got inf at index 1",
            ),
            (
                PrCurve::from_counts(&[1e39, 1.0], &[1.0, 0.0], &[0.0, 1.0], &[0.0, 2.0]),
                "true positives: expected 0 to 2^62, got 1e39 at index 0",
            ),
            (
                PrCurve::from_counts(&[1.0; 2], &[1.0; 2], &[1.0, 5e18], &[1.0; 2]),
                "true negatives: expected 0 to 2^62, got 5e18 at index 1",
            ),
            (
                PrCurve::from_counts(&[1.0], &[1.0], &[1.0], &[1.0]),
                "thresholds: expected 2 to 65536, got 1",
            ),
            (
                PrCurve::from_counts(&[], &[], &[], &[]),
                "thresholds: expected 2 to 65536, got 0",
            ),
        ] {
            assert_eq!(got.unwrap_err().to_string(), want);
        }
        for (labels, probabilities, classes, want) in [
            (
                &[0, 1][..],
                &[0.5; 3][..],
                2,
                "probabilities: expected 4, one per label and class, got 3",
            ),
            (
                &[0, 1],
                &[0.5, 0.5, 1.0, f32::NAN],
                2,
                "probabilities: expected 0 to 1, got NaN at index 3",
            ),
            (
                &[0, 1],
                &[0.5, 0.5, -0.25, 1.5],
                2,
                "probabilities: expected 0 to 1, got -0.25 at index 2",
            ),
            (
                &[1, 2],
                &[0.5; 4],
                2,
                "labels: expected a class below 2, got 2 at index 1",
            ),
            (&[], &[], 65_537, "classes: expected 0 to 65536, got 65537"),
        ] {
            let error = PrCurve::one_vs_rest(labels, probabilities, classes).unwrap_err();
            assert_eq!(error.to_string(), want);
        }
    }
}
