//! The statistics of one step.

/// The statistics of a scalar at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Point {
    /// The step.
    pub step: i64,
    /// The latest wall time of the step in all runs, in seconds since 1970.
    pub wall_time: f64,
    /// The number of runs with a value that is not NaN. If it is 0, all statistics are NaN.
    pub count: usize,
    /// The arithmetic mean.
    pub mean: f64,
    /// The standard deviation of a sample: the divisor is `count - 1`. NaN if `count` is below 2.
    pub std: f64,
    /// The lowest value.
    pub min: f64,
    /// The highest value.
    pub max: f64,
    /// The middle value, or the mean of the middle two.
    pub median: f64,
}

impl Point {
    /// Computes the statistics. Changes the order of `values`, and removes NaN.
    pub(super) fn new(step: i64, wall_time: f64, values: &mut Vec<f64>) -> Self {
        values.retain(|value| !value.is_nan());
        let mean = mean(values);
        Self {
            step,
            wall_time,
            count: values.len(),
            mean,
            std: deviation(values, mean),
            min: values.iter().copied().fold(f64::NAN, f64::min),
            max: values.iter().copied().fold(f64::NAN, f64::max),
            median: median(values),
        }
    }
}

/// NaN if there are no values.
fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if !mean.is_finite() {
        return mean;
    }
    // The sum of the differences is the rounding error of the first sum.
    mean + values.iter().map(|value| value - mean).sum::<f64>() / count
}

/// The second pass over the values, because the difference of the sums of squares would lose most digits.
fn deviation(values: &[f64], mean: f64) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (squares.sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

fn median(values: &mut [f64]) -> f64 {
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    if values.is_empty() {
        return f64::NAN;
    }
    let (lower, high, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let high = *high;
    if is_odd {
        return high;
    }
    let low = lower.iter().copied().max_by(f64::total_cmp);
    low.map_or(high, |low| (low + high) / 2.0)
}
