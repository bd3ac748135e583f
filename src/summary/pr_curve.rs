//! Labels and predictions to a precision-recall curve.

use prost::Message;

use super::tensor::Tensor;
use super::{Tag, tensor_value};
use crate::error::{Error, Result};
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::{DataClass, PrCurvePluginData};

/// As the stock writers have it: steps of half a percent.
const DEFAULT_THRESHOLDS: usize = 201;
/// More than a screen has points, many times over.
const MAX_THRESHOLDS: usize = 1 << 16;
/// Some 300 MiB of curves.
const MAX_CLASSES: usize = 1 << 16;
/// Instead of a division by zero, as the stock writers have it.
const MIN_COUNT: f64 = 1e-7;
/// 2^62. The dashboard adds two counts in an `i64`: of a larger one it makes a negative number, and for one that is infinite
/// as an `f32` it serves no curve at all.
const MAX_COUNT: f64 = (1_u64 << 62) as f64;

/// Precision and recall of a binary classifier at evenly spaced thresholds from 0 to 1.
///
/// An example is predicted positive at a threshold if its prediction is not below it. The counts are those of the stock
/// package: a prediction `p` counts up to threshold number `floor(p * (n - 1))`, worked out in its own precision; precision
/// is `tp / (tp + fp)`, recall `tp / (tp + fn)`, and 0 where nothing was counted.
///
/// The dashboard shows whole counts, and leaves out the thresholds above the highest prediction. Let the weights be of the
/// size of counts.
#[derive(Clone, Debug, PartialEq)]
pub struct PrCurve {
    thresholds: u32,
    /// Six rows: true positives, false positives, true negatives, false negatives, precision, recall.
    rows: Tensor,
}

impl PrCurve {
    /// The curve of `predictions`, each the probability that its example is positive, 0 to 1, at 201 thresholds, as
    /// many as the stock writers have.
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
    pub fn new(labels: &[bool], predictions: &[impl Prediction]) -> Result<Self> {
        Self::with_thresholds(labels, predictions, DEFAULT_THRESHOLDS)
    }

    /// As [`new`](Self::new), at `thresholds` thresholds.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Invalid`] if there are fewer than 2 thresholds, or more than 65,536.
    pub fn with_thresholds(
        labels: &[bool],
        predictions: &[impl Prediction],
        thresholds: usize,
    ) -> Result<Self> {
        same_len("predictions", predictions.len(), labels.len())?;
        check_probabilities("predictions", predictions)?;
        let examples = labels.iter().zip(predictions);
        Self::count(
            examples.map(|(label, prediction)| (*label, *prediction, 1.0)),
            thresholds,
        )
    }

    /// As [`with_thresholds`](Self::with_thresholds), where each example counts `weights` times.
    ///
    /// # Errors
    /// As [`with_thresholds`](Self::with_thresholds); [`Error::Invalid`] if a weight is negative or not finite, or
    /// their sum is above 2<sup>62</sup>.
    pub fn weighted(
        labels: &[bool],
        predictions: &[impl Prediction],
        weights: &[f32],
        thresholds: usize,
    ) -> Result<Self> {
        same_len("predictions", predictions.len(), labels.len())?;
        same_len("weights", weights.len(), labels.len())?;
        if let Some(i) = weights
            .iter()
            .position(|weight| !(0.0..=f32::MAX).contains(weight))
        {
            let problem = format!(
                "number {i} is {}, a finite one of 0 or more fits",
                weights[i]
            );
            return Err(Error::invalid("weights", problem));
        }
        let sum: f64 = weights.iter().copied().map(f64::from).sum();
        if sum > MAX_COUNT {
            let problem = format!("their sum is {sum:?}, one up to 2^62 fits");
            return Err(Error::invalid("weights", problem));
        }
        check_probabilities("predictions", predictions)?;
        let examples = labels.iter().zip(predictions).zip(weights);
        Self::count(
            examples.map(|((label, prediction), weight)| (*label, *prediction, (*weight).into())),
            thresholds,
        )
    }

    /// One curve for each class, which takes that class for positive and all others for negative.
    ///
    /// `labels` has the class of each example; `probabilities` has `classes` numbers for each, example by example. Of no
    /// examples the curves are those of [`new`](Self::new), of zeros.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the lengths do not fit, there are more than 65,536 classes, a label is no class, or a
    /// probability is not between 0 and 1.
    pub fn one_vs_rest(
        labels: &[usize],
        probabilities: &[impl Prediction],
        classes: usize,
    ) -> Result<Vec<Self>> {
        if classes > MAX_CLASSES {
            let problem = format!("{classes} are given, up to {MAX_CLASSES} fit");
            return Err(Error::invalid("classes", problem));
        }
        let needed = labels.len().checked_mul(classes);
        if needed != Some(probabilities.len()) {
            let (given, examples) = (probabilities.len(), labels.len());
            let problem = format!("{given} are given, {classes} for each of {examples} labels fit");
            return Err(Error::invalid("probabilities", problem));
        }
        if let Some(i) = labels.iter().position(|label| *label >= classes) {
            let problem = format!("number {i} is {}, one below {classes} fits", labels[i]);
            return Err(Error::invalid("labels", problem));
        }
        check_probabilities("probabilities", probabilities)?;
        (0..classes)
            .map(|class| {
                let of_class = probabilities.iter().skip(class).step_by(classes);
                let examples = labels.iter().zip(of_class);
                Self::count(
                    examples.map(|(label, probability)| (*label == class, *probability, 1.0)),
                    DEFAULT_THRESHOLDS,
                )
            })
            .collect()
    }

    /// A curve of counts that the program has made itself, at thresholds that rise evenly from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the lengths differ, do not fit as thresholds, or a count is negative, not a number, or
    /// above 2<sup>62</sup>.
    pub fn from_counts(
        true_positives: &[f64],
        false_positives: &[f64],
        true_negatives: &[f64],
        false_negatives: &[f64],
    ) -> Result<Self> {
        let len = true_positives.len();
        check_thresholds(len)?;
        for (what, counts) in [
            ("true positives", true_positives),
            ("false positives", false_positives),
            ("true negatives", true_negatives),
            ("false negatives", false_negatives),
        ] {
            same_len(what, counts.len(), len)?;
            if let Some(i) = counts
                .iter()
                .position(|count| !(0.0..=MAX_COUNT).contains(count))
            {
                let problem = format!("number {i} is {:?}, one from 0 to 2^62 fits", counts[i]);
                return Err(Error::invalid(what, problem));
            }
        }
        Self::of(
            true_positives,
            false_positives,
            true_negatives,
            false_negatives,
        )
    }

    /// Of examples of a label, a checked prediction and a weight.
    fn count(
        examples: impl Iterator<Item = (bool, impl Prediction, f64)>,
        thresholds: usize,
    ) -> Result<Self> {
        check_thresholds(thresholds)?;
        let len = thresholds;
        let (mut true_positives, mut false_positives) = (vec![0.0; len], vec![0.0; len]);
        for (label, prediction, weight) in examples {
            let counts = if label {
                &mut true_positives
            } else {
                &mut false_positives
            };
            counts[prediction.threshold(len)] += weight;
        }
        // What counts at a threshold counts at all below.
        for counts in [&mut true_positives, &mut false_positives] {
            for i in (1..len).rev() {
                counts[i - 1] += counts[i];
            }
        }
        let rest = |counts: &[f64]| {
            counts
                .iter()
                .map(|count| counts[0] - count)
                .collect::<Vec<_>>()
        };
        let (false_negatives, true_negatives) = (rest(&true_positives), rest(&false_positives));
        Self::of(
            &true_positives,
            &false_positives,
            &true_negatives,
            &false_negatives,
        )
    }

    fn of(
        true_positives: &[f64],
        false_positives: &[f64],
        true_negatives: &[f64],
        false_negatives: &[f64],
    ) -> Result<Self> {
        let share = |others: &[f64]| {
            let pairs = true_positives.iter().zip(others);
            pairs
                .map(|(hits, others)| hits / (hits + others).max(MIN_COUNT))
                .collect::<Vec<_>>()
        };
        let (precision, recall) = (share(false_positives), share(false_negatives));
        let rows = [
            true_positives,
            false_positives,
            true_negatives,
            false_negatives,
            &precision,
            &recall,
        ];
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the dashboard has no more precision"
        )]
        let rows: Vec<f32> = rows
            .concat()
            .into_iter()
            .map(|number| number as f32)
            .collect();
        let thresholds = check_thresholds(true_positives.len())?;
        let rows = Tensor::new([6, true_positives.len()], &rows)?;
        Ok(Self { thresholds, rows })
    }
}

fn check_thresholds(thresholds: usize) -> Result<u32> {
    match u32::try_from(thresholds) {
        Ok(fitting) if (2..=MAX_THRESHOLDS).contains(&thresholds) => Ok(fitting),
        _ => {
            let problem = format!("{thresholds} are given, from 2 to {MAX_THRESHOLDS} fit");
            Err(Error::invalid("thresholds", problem))
        }
    }
}

fn check_probabilities(what: &'static str, numbers: &[impl Prediction]) -> Result<()> {
    match numbers.iter().position(|number| !number.is_probability()) {
        None => Ok(()),
        Some(i) => {
            let given = numbers[i];
            let problem = format!("number {i} is {given:?}, a probability from 0 to 1 fits");
            Err(Error::invalid(what, problem))
        }
    }
}

fn same_len(what: &'static str, given: usize, wanted: usize) -> Result<()> {
    if given == wanted {
        return Ok(());
    }
    Err(Error::invalid(
        what,
        format!("{given} are given, {wanted} fit"),
    ))
}

/// A probability: `f32` or `f64`.
pub trait Prediction: Copy + std::fmt::Debug + sealed::Sealed {}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
mod sealed {
    pub trait Sealed {
        fn is_probability(&self) -> bool;
        /// The highest of `len` thresholds that a probability is not below.
        fn threshold(&self, len: usize) -> usize;
    }
}

macro_rules! predictions {
    ($($float:ty)*) => {$(
        impl Prediction for $float {}
        impl sealed::Sealed for $float {
            fn is_probability(&self) -> bool {
                (0.0..=1.0).contains(self)
            }

            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is between 0 and 1"
            )]
            fn threshold(&self, len: usize) -> usize {
                let last = len - 1;
                ((*self * last as $float) as usize).min(last)
            }
        }
    )*};
}

predictions!(f32 f64);

pub(crate) fn pr_curve(prefix: &str, tag: &Tag<'_>, curve: PrCurve) -> Value {
    let content = PrCurvePluginData {
        version: 0,
        num_thresholds: curve.thresholds,
    };
    let plugin_data = PluginData {
        plugin_name: "pr_curves".into(),
        content: content.encode_to_vec(),
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
    fn counts_at_each_threshold_what_is_not_below_it() {
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
    fn weights_count_an_example_as_often() {
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
    fn each_class_is_set_against_the_rest() {
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
    fn counts_of_the_programs_own_are_taken_as_they_are() {
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
    fn nothing_counted_has_no_nan() {
        let curve = PrCurve::new(&[], &[0.0f32; 0]).unwrap();
        assert_eq!(rows(&curve), [[0.0; 201]; 6]);
    }

    #[test]
    fn what_makes_no_curve_is_refused_by_name() {
        let nan = f32::NAN;
        for (got, want) in [
            (
                PrCurve::new(&[true], &[0.5f32, 0.5]),
                "predictions: 2 are given, 1 fit",
            ),
            (
                PrCurve::new(&[true, true], &[0.5, nan]),
                "predictions: number 1 is NaN, a probability from 0 to 1 fits",
            ),
            (
                PrCurve::new(&[true], &[1.5f64]),
                "predictions: number 0 is 1.5, a probability from 0 to 1 fits",
            ),
            (
                PrCurve::with_thresholds(&[true], &[0.5f64], 1),
                "thresholds: 1 are given, from 2 to 65536 fit",
            ),
            (
                PrCurve::with_thresholds(&[true], &[0.5f64], usize::MAX),
                "thresholds: 18446744073709551615 are given, from 2 to 65536 fit",
            ),
            (
                PrCurve::weighted(&[true], &[0.5f64], &[], 201),
                "weights: 0 are given, 1 fit",
            ),
            (
                PrCurve::weighted(&[true], &[0.5f64], &[-1.0], 201),
                "weights: number 0 is -1, a finite one of 0 or more fits",
            ),
            (
                // f32::MAX is 2^128 - 2^104, each of the two alone above 2^62.
                PrCurve::weighted(&[true; 2], &[0.5f32, 0.6], &[f32::MAX; 2], 3),
                "weights: their sum is 6.805646932770577e38, one up to 2^62 fits",
            ),
            (
                PrCurve::from_counts(&[1.0; 2], &[1.0; 2], &[1.0; 2], &[1.0; 3]),
                "false negatives: 3 are given, 2 fit",
            ),
            (
                PrCurve::from_counts(&[1.0; 2], &[1.0, f64::INFINITY], &[1.0; 2], &[1.0; 2]),
                "false positives: number 1 is inf, one from 0 to 2^62 fits",
            ),
            (
                PrCurve::from_counts(&[1e39, 1.0], &[1.0, 0.0], &[0.0, 1.0], &[0.0, 2.0]),
                "true positives: number 0 is 1e39, one from 0 to 2^62 fits",
            ),
            (
                PrCurve::from_counts(&[1.0; 2], &[1.0; 2], &[1.0, 5e18], &[1.0; 2]),
                "true negatives: number 1 is 5e18, one from 0 to 2^62 fits",
            ),
            (
                PrCurve::from_counts(&[1.0], &[1.0], &[1.0], &[1.0]),
                "thresholds: 1 are given, from 2 to 65536 fit",
            ),
            (
                PrCurve::from_counts(&[], &[], &[], &[]),
                "thresholds: 0 are given, from 2 to 65536 fit",
            ),
        ] {
            assert_eq!(got.unwrap_err().to_string(), want);
        }
        for (labels, probabilities, classes, want) in [
            (
                &[0, 1][..],
                &[0.5; 3][..],
                2,
                "probabilities: 3 are given, 2 for each of 2 labels fit",
            ),
            (
                &[0, 1],
                &[0.5, 0.5, 1.0, f32::NAN],
                2,
                "probabilities: number 3 is NaN, a probability from 0 to 1 fits",
            ),
            (
                &[0, 1],
                &[0.5, 0.5, -0.25, 1.5],
                2,
                "probabilities: number 2 is -0.25, a probability from 0 to 1 fits",
            ),
            (
                &[1, 2],
                &[0.5; 4],
                2,
                "labels: number 1 is 2, one below 2 fits",
            ),
            (
                &[],
                &[],
                usize::MAX,
                "classes: 18446744073709551615 are given, up to 65536 fit",
            ),
        ] {
            let error = PrCurve::one_vs_rest(labels, probabilities, classes).unwrap_err();
            assert_eq!(error.to_string(), want);
        }
    }
}
