//! Histograms: how many values are in each bucket.

mod count;
#[cfg(test)]
mod tests;

use std::iter;

use super::check::{check_each, check_len, check_range};
use super::tensor::tensor_proto;
use super::{Scalar, Tag, described_scalar, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto::DataClass;
use crate::proto::summary::Value;

/// The default of the stock writers. The histograms dashboard always draws 30 buckets.
pub(crate) const DEFAULT_BUCKETS: usize = 30;
const MAX_BUCKETS: usize = 4096;

/// How values are distributed: how many of them are in each bucket.
///
/// [`SummaryWriter::histogram`](crate::SummaryWriter::histogram) makes one from any slice of numbers. Use the constructors
/// here for another number of buckets, for values that are not in one slice, and for values that the program has counted
/// itself.
///
/// The buckets are those of stock `tf.summary.histogram`. They have equal widths and reach from the lowest to the highest
/// value. A bucket contains its left edge but not its right edge; the last one contains both. A value within a rounding
/// error of an edge may be counted in either of the two buckets. If all values are equal, no bucket
/// has a width, and all values are in the last one. If there are no values, all edges and counts are 0.
///
/// Edges are `f64`, so an integer beyond 2^53 counts as the nearest `f64`. Counts are exact up to 2^53. NaN and the
/// infinities are in no bucket; they are counted separately.
///
/// The dashboards may not draw a range above 1e304 completely. It depends on the browser.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The edges are finite and in order, the counts finite and not negative.
    rows: Vec<Row>,
    non_finite: u64,
}

/// Left edge, right edge, count.
type Row = [f64; 3];

impl Histogram {
    /// Counts `values` in 30 buckets, as the stock writers do.
    pub fn new<T: Scalar>(values: &[T]) -> Self {
        Self::from_chunks([values])
    }

    /// Counts `values` in `buckets` buckets, 1 to 4,096.
    ///
    /// More buckets make the percentiles of the distributions dashboard more precise. They do not change the histograms
    /// dashboard, which always draws 30.
    ///
    /// ```
    /// use summary_writer::Histogram;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let lengths = [3, 14, 15, 92, 65, 35];
    /// summary.histogram("lengths", Histogram::with_buckets(&lengths, 100)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if `buckets` is 0 or more than 4,096.
    pub fn with_buckets<T: Scalar>(values: &[T], buckets: usize) -> Result<Self> {
        Self::from_chunks_with_buckets([values], buckets)
    }

    /// Counts values that are not in one slice, in 30 buckets. The chunks are iterated over twice, and no value is copied.
    ///
    /// ```
    /// use std::slice;
    /// use summary_writer::Histogram;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let layers = [vec![0.5f32, -0.25], vec![0.125]];
    /// let all = layers.iter().map(Vec::as_slice);
    /// summary.histogram("weights", Histogram::from_chunks(all), 0);
    ///
    /// // Values that are not next to each other: each is a chunk of its own.
    /// let pixels = [255u8, 0, 0, 128, 0, 0];
    /// let red = pixels.iter().step_by(3).map(slice::from_ref);
    /// summary.histogram("red", Histogram::from_chunks(red), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_chunks<'a, T, I>(chunks: I) -> Self
    where
        T: Scalar + 'a,
        I: IntoIterator<Item = &'a [T], IntoIter: Clone>,
    {
        count::count(chunks.into_iter(), DEFAULT_BUCKETS)
    }

    /// Counts values that are not in one slice, in `buckets` buckets, 1 to 4,096.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `buckets` is 0 or more than 4,096.
    pub fn from_chunks_with_buckets<'a, T, I>(chunks: I, buckets: usize) -> Result<Self>
    where
        T: Scalar + 'a,
        I: IntoIterator<Item = &'a [T], IntoIter: Clone>,
    {
        check_range("buckets", buckets, 1..=MAX_BUCKETS)?;
        Ok(count::count(chunks.into_iter(), buckets))
    }

    /// Takes counts that the program has made itself. Bucket `i` reaches from `edges[i]` to `edges[i + 1]`. A count may be a
    /// fraction, as for weighted values.
    ///
    /// ```
    /// use summary_writer::Histogram;
    ///
    /// let ages = Histogram::from_buckets(&[0, 18, 65, 120], &[12, 57, 31])?;
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] unless there is one edge more than counts, if an edge is lower than the one before it, or if an edge or
    /// a count is not finite, or if a count is negative.
    #[doc(alias = "add_histogram_raw")]
    pub fn from_buckets<E: Scalar, C: Scalar>(edges: &[E], counts: &[C]) -> Result<Self> {
        let edges = to_f64(edges);
        let counts = to_f64(counts);
        check_len(
            "edges",
            edges.len(),
            counts.len() + 1,
            "one more than counts",
        )?;
        check_each("edges", &edges, "a finite number", f64::is_finite)?;
        if let Some(pair) = edges.windows(2).find(|pair| pair[0] > pair[1]) {
            let problem = format!(
                "expected edges that do not decrease, got {} after {}",
                pair[1], pair[0]
            );
            return Err(Error::invalid("edges", problem));
        }
        check_each(
            "counts",
            &counts,
            "a finite number of at least 0",
            |count| (0.0..=f64::MAX).contains(&count),
        )?;
        let rows = iter::zip(edges.windows(2), counts)
            .map(|(edges, count)| [edges[0], edges[1], count])
            .collect();
        Ok(Self::from_rows(rows, 0))
    }

    /// Takes rows that are valid, and the number of values that are in none of them.
    pub(crate) fn from_rows(rows: Vec<Row>, non_finite: u64) -> Self {
        Self { rows, non_finite }
    }

    /// Takes the only row, or none, and puts empty rows before it, so that there are as many as the stock writers have.
    pub(crate) fn without_range(row: Option<Row>, buckets: usize, non_finite: u64) -> Self {
        let row = row.unwrap_or_default();
        let mut rows = vec![[row[0], row[1], 0.0]; buckets];
        if let Some(last) = rows.last_mut() {
            *last = row;
        }
        Self::from_rows(rows, non_finite)
    }

    #[cfg(all(test, feature = "metrics"))]
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

fn to_f64<T: Scalar>(numbers: &[T]) -> Vec<f64> {
    numbers.iter().map(|number| number.to_f64()).collect()
}

impl<T: Scalar> From<&[T]> for Histogram {
    fn from(values: &[T]) -> Self {
        Self::new(values)
    }
}

impl<T: Scalar> From<&Vec<T>> for Histogram {
    fn from(values: &Vec<T>) -> Self {
        Self::new(values)
    }
}

impl<T: Scalar> From<Vec<T>> for Histogram {
    fn from(values: Vec<T>) -> Self {
        Self::new(&values)
    }
}

impl<T: Scalar, const N: usize> From<&[T; N]> for Histogram {
    fn from(values: &[T; N]) -> Self {
        Self::new(values)
    }
}

impl<T: Scalar, const N: usize> From<[T; N]> for Histogram {
    fn from(values: [T; N]) -> Self {
        Self::new(&values)
    }
}

/// The value of the histograms dashboard: a tensor of rows.
pub(crate) fn histogram(prefix: &str, tag: &Tag<'_>, histogram: &Histogram) -> Value {
    let rows = &histogram.rows;
    let tensor = tensor_proto(&[rows.len(), 3], rows.as_flattened());
    tensor_value(prefix, tag, plugin("histograms"), DataClass::Tensor, tensor)
}

/// A scalar with the number of values that a histogram leaves out, if there are any.
pub(crate) fn non_finite(prefix: &str, tag: &Tag<'_>, histogram: &Histogram) -> Option<Value> {
    if histogram.non_finite == 0 {
        return None;
    }
    let suffixed = |name: &str| format!("{name}/non_finite");
    let mut scalar_tag = Tag::new(suffixed(&tag.name))
        .description("How many values were NaN or infinite: the histogram leaves them out.");
    if !tag.display_name.is_empty() {
        scalar_tag = scalar_tag.display_name(suffixed(&tag.display_name));
    }
    Some(described_scalar(
        prefix,
        &scalar_tag,
        histogram.non_finite.to_f32(),
    ))
}
