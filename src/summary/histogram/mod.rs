//! Numbers to a histogram: how many of them are in each bucket.

mod blocks;
mod count;
mod edges;
mod float;
mod place;
mod tables;
mod value;
mod whole;

use std::iter;

pub(in crate::summary) use blocks::Block;
pub(in crate::summary) use float::Float;
use place::MANY;

pub(crate) use value::HistogramValue;

use super::{Scalar, Tag, described_scalar};
use crate::error::{Error, Result};
use crate::proto::summary::Value;

/// As the stock writers have it, and as many as the dashboard draws of whatever number there is.
const DEFAULT_BUCKETS: usize = 30;

/// How numbers are distributed: how many are in each bucket.
///
/// [`SummaryWriter::histogram`](crate::SummaryWriter::histogram) makes one of any slice of numbers. The constructors here
/// are for another number of buckets, for values that are not in one slice, and for what a program has counted itself.
///
/// The buckets of values have equal widths, the first from the lowest value, the last to the highest. A bucket has what is
/// on its left edge and not on its right one, the last has both. Equal values have one bucket, of no width, and no values
/// have none; both are drawn. Edges are `f64`, and values are compared as such: an integer beyond 2^53 counts as the
/// nearest. Counts are exact, up to 2^53. NaN and the infinities have no bucket, and are counted apart.
///
/// The pages work with `f64`, too. What is wider than 1e308 has its buckets and no picture; the distributions dashboard
/// draws nothing, or a part, from a bucket of more than 1e304 on. What is narrower than 1e-306 is drawn, perhaps without
/// numbers at its axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// All finite, the edges in order, the counts not negative.
    rows: Vec<Row>,
    non_finite: u64,
}

/// Left edge, right edge, count.
type Row = [f64; 3];

impl Histogram {
    /// Of `values`, in 30 buckets: as many as the stock writers make, and as the dashboard draws.
    pub fn new<T: Scalar>(values: &[T]) -> Self {
        Self::from_chunks([values])
    }

    /// Of `values`, in `buckets` buckets, 1 to 4,096.
    ///
    /// The dashboard draws 30 of whatever number there is; more of them make the percentiles of the distributions dashboard sharper.
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
    /// [`Error::Invalid`] if there are no buckets, or more than 4,096.
    pub fn with_buckets<T: Scalar>(values: &[T], buckets: usize) -> Result<Self> {
        Self::from_chunks_with_buckets([values], buckets)
    }

    /// Of values that are not in one slice, in 30 buckets. Nothing is copied; the chunks are gone through twice.
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
    /// // Values with others between them: each is a chunk of its own.
    /// let pixels = [255u8, 0, 0, 128, 0, 0];
    /// let red = pixels.iter().step_by(3).map(slice::from_ref);
    /// summary.histogram("red", Histogram::from_chunks(red), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_chunks<'a, T, I>(chunks: I) -> Self
    where
        T: Scalar,
        I: IntoIterator<Item = &'a [T]>,
        I::IntoIter: Clone,
    {
        count::count(chunks.into_iter(), DEFAULT_BUCKETS)
    }

    /// As [`from_chunks`](Self::from_chunks), in `buckets` buckets, 1 to 4,096.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no buckets, or more than 4,096.
    pub fn from_chunks_with_buckets<'a, T, I>(chunks: I, buckets: usize) -> Result<Self>
    where
        T: Scalar,
        I: IntoIterator<Item = &'a [T]>,
        I::IntoIter: Clone,
    {
        if !(1..=MANY).contains(&buckets) {
            let problem = format!("{buckets} are given, from 1 to {MANY} fit");
            return Err(Error::invalid("buckets", problem));
        }
        Ok(count::count(chunks.into_iter(), buckets))
    }

    /// Of counts that the program has made itself. Bucket `i` is from `edges[i]` to `edges[i + 1]`; its count may be a
    /// fraction, as of weighted values.
    ///
    /// ```
    /// use summary_writer::Histogram;
    ///
    /// let ages = Histogram::from_buckets(&[0, 18, 65, 120], &[12, 57, 31])?;
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is not one edge more than there are counts, if an edge is not finite or below the one
    /// before it, or if a count is negative or not finite.
    pub fn from_buckets<E: Scalar, C: Scalar>(edges: &[E], counts: &[C]) -> Result<Self> {
        let edges = to_f64(edges);
        let counts = to_f64(counts);
        if edges.len() != counts.len() + 1 {
            let (edges, counts) = (edges.len(), counts.len());
            let problem = format!("{edges} are given, one more than the {counts} counts fit");
            return Err(Error::invalid("edges", problem));
        }
        if let Some(i) = edges.iter().position(|edge| !edge.is_finite()) {
            let problem = format!("number {i} is {}, a finite one fits", edges[i]);
            return Err(Error::invalid("edges", problem));
        }
        if let Some(i) = edges.windows(2).position(|pair| pair[0] > pair[1]) {
            let problem = format!(
                "number {} is {}, {} or more fits",
                i + 1,
                edges[i + 1],
                edges[i]
            );
            return Err(Error::invalid("edges", problem));
        }
        if let Some(i) = counts
            .iter()
            .position(|count| !(0.0..=f64::MAX).contains(count))
        {
            let problem = format!(
                "number {i} is {}, a finite one of 0 or more fits",
                counts[i]
            );
            return Err(Error::invalid("counts", problem));
        }
        let rows = iter::zip(edges.windows(2), counts)
            .map(|(edges, count)| [edges[0], edges[1], count])
            .collect();
        Ok(Self {
            rows,
            non_finite: 0,
        })
    }

    /// Of rows that are as they must be, and the number of values that have none.
    #[cfg(feature = "metrics")]
    pub(crate) fn from_rows(rows: Vec<Row>, non_finite: u64) -> Self {
        Self { rows, non_finite }
    }

    #[cfg(all(test, feature = "metrics"))]
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

fn to_f64<T: Scalar>(numbers: &[T]) -> Vec<f64> {
    numbers.iter().map(|number| number.exact().into()).collect()
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

/// The number of values that a histogram leaves out, if there are any.
pub(crate) fn non_finite(prefix: &str, tag: &Tag<'_>, histogram: &Histogram) -> Option<Value> {
    (histogram.non_finite > 0).then(|| {
        let of_tag = |name: &str| format!("{name}/non_finite");
        let mut beside = Tag::new(of_tag(&tag.name))
            .description("How many values were NaN or infinite: the histogram leaves them out.");
        if !tag.display_name.is_empty() {
            beside = beside.display_name(of_tag(&tag.display_name));
        }
        described_scalar(prefix, &beside, histogram.non_finite.to_f32())
    })
}

#[cfg(test)]
mod tests;
