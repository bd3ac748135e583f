//! Points and what is known of them to the files of the projector dashboard, which stand beside an event file.

mod config;
mod files;
#[cfg(feature = "ndarray")]
mod ndarray;
mod table;

#[cfg(feature = "png")]
use std::borrow::Borrow;
use std::fmt::{Debug, Display};

use crate::error::{Error, Result};
#[cfg(feature = "png")]
use crate::summary::Image;

pub(crate) use files::write;

/// The dashboard lists no fewer.
const MIN_POINTS: usize = 2;

/// Points for [`SummaryWriter::embedding`](crate::SummaryWriter::embedding): a tag, a vector for each, and what the
/// projector shows at them. It draws them in two or three dimensions, by PCA, t-SNE or UMAP.
///
/// ```
/// use summary_writer::Embedding;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let activations = [[0.1, 0.9, 0.3], [0.8, 0.2, 0.1]];
/// let embedding = Embedding::from_rows("hidden layer", activations)?
///     .columns(["label", "split"], [["cat", "train"], ["dog", "test"]])?;
/// summary.embedding(embedding, 0)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Embedding {
    tag: String,
    /// Point by point, all finite.
    vectors: Vec<f32>,
    /// 1 or more, and a divisor of `vectors.len()`.
    dimensions: usize,
    /// The lines of the metadata file, if there is to be one.
    metadata: Option<String>,
    #[cfg(feature = "png")]
    thumbnails: Option<Thumbnails>,
}

#[cfg(feature = "png")]
#[derive(Clone, Debug, PartialEq)]
struct Thumbnails {
    sprite: Image,
    /// Of each, in pixels.
    width: u32,
    height: u32,
}

impl Embedding {
    /// Points of `dimensions` numbers each, which stand in `vectors` point by point. They are copied.
    ///
    /// The dashboard keeps `f32`, and shows the first 100,000 points. It has no view of one or two dimensions alone: such
    /// vectors are written with zeros behind, which change no distance. Any text is a tag, as elsewhere.
    ///
    /// ```
    /// use summary_writer::Embedding;
    ///
    /// let two_points = Embedding::new("words/weights", &[0.5f32, -1.0, 2.0, 0.0, 1.0, 3.5], 3)?;
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are fewer than two points, which the dashboard does not list, if `dimensions` is 0 or does
    /// not divide the length of `vectors`, or if a number is not finite as an `f32`, at which the dashboard fails.
    pub fn new<T: Coordinate>(
        tag: impl Into<String>,
        vectors: &[T],
        dimensions: usize,
    ) -> Result<Self> {
        if dimensions == 0 {
            let problem = "0 are given, 1 or more fit";
            return Err(Error::invalid("dimensions", problem));
        }
        if !vectors.len().is_multiple_of(dimensions) {
            let len = vectors.len();
            let problem = format!("{len} numbers are given, a multiple of {dimensions} fits");
            return Err(Error::invalid("vectors", problem));
        }
        Self::of(tag, vectors.chunks_exact(dimensions))
    }

    /// As [`new`](Self::new), of a slice, an array or a `Vec` for each point.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are fewer than two rows, if the first row is empty or another one has another length, or
    /// if a number is not finite as an `f32`.
    pub fn from_rows<T: Coordinate, Row: AsRef<[T]>>(
        tag: impl Into<String>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<Self> {
        Self::of(tag, rows)
    }

    fn of<T: Coordinate, Row: AsRef<[T]>>(
        tag: impl Into<String>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<Self> {
        let invalid = |problem| Err(Error::invalid("vectors", problem));
        let (mut vectors, mut dimensions) = (Vec::new(), 0);
        for (i, row) in rows.into_iter().enumerate() {
            let row = row.as_ref();
            if i == 0 {
                dimensions = row.len();
            }
            if row.is_empty() {
                return invalid(format!("row {i} is empty, 1 number or more fits"));
            }
            if row.len() != dimensions {
                let len = row.len();
                return invalid(format!(
                    "row {i} has {len} numbers, {dimensions} as in row 0 fit"
                ));
            }
            for (k, number) in row.iter().enumerate() {
                let coordinate = number.to_f32();
                if !coordinate.is_finite() {
                    return invalid(format!(
                        "number {k} of row {i} is {number:?}, one that is finite as an f32 fits"
                    ));
                }
                vectors.push(coordinate);
            }
        }
        let points = vectors.len().checked_div(dimensions).unwrap_or(0);
        if points < MIN_POINTS {
            return invalid(format!(
                "{points} are given, {MIN_POINTS} or more fit: the projector lists no fewer"
            ));
        }
        Ok(Self {
            tag: tag.into(),
            vectors,
            dimensions,
            metadata: None,
            #[cfg(feature = "png")]
            thumbnails: None,
        })
    }

    /// A label for each point, in their order: what can be displayed, on one line. It takes the place of earlier labels
    /// and columns.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are not as many as points, or if one has a tab or a line break, which part the fields
    /// and lines of the file, or is blank: the dashboard leaves out such lines, and moves the labels behind them up.
    pub fn labels(mut self, labels: impl IntoIterator<Item: Display>) -> Result<Self> {
        self.metadata = Some(table::labels(self.point_count(), labels)?);
        Ok(self)
    }

    /// Several labels for each point: a row of cells each, in the order of the points, below the names of the columns. The
    /// dashboard lets its user choose which one to label, colour and search by. A cell may be blank, if not all in its row
    /// are. It takes the place of earlier labels and columns.
    ///
    /// The name of a single column has no place in the file: such a one shows as `label`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no column, or a blank name, or one twice; if there are not as many rows as points, or
    /// a row has not as many cells as there are columns, or is blank; if a name or a cell has a tab or a line break.
    pub fn columns<Row>(
        mut self,
        names: impl IntoIterator<Item: Display>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<Self>
    where
        Row: IntoIterator<Item: Display>,
    {
        self.metadata = Some(table::columns(self.point_count(), names, rows)?);
        Ok(self)
    }

    /// A picture for each point, in their order and all of one size; the dashboard draws them, as squares, in place of the
    /// points. What has 16 bits is rounded to 8.
    ///
    /// They are copied into one sprite, a picture of as many rows as columns and of at most 8,192 pixels a side, for which
    /// small ones fit best: 85,000 and more of 28 x 28.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are not as many as points, if their sizes differ, if they do not fit into the sprite,
    /// or if one is an encoded file or an animation, whose pixels are not known.
    #[cfg(feature = "png")]
    pub fn thumbnails(mut self, images: impl IntoIterator<Item: Borrow<Image>>) -> Result<Self> {
        let points = self.point_count();
        let images: Vec<_> = images.into_iter().take(points.saturating_add(1)).collect();
        table::check_count("thumbnails", images.len(), points)?;
        let images: Vec<&Image> = images.iter().map(Borrow::borrow).collect();
        self.thumbnails = images
            .first()
            .map(|first| {
                Ok(Thumbnails {
                    sprite: Image::sprite(&images)?,
                    width: first.width(),
                    height: first.height(),
                })
            })
            .transpose()?;
        Ok(self)
    }

    fn point_count(&self) -> usize {
        self.vectors.len() / self.dimensions
    }
}

/// A number of a vector: `f32` or `f64`.
pub trait Coordinate: Copy + Debug + sealed::Sealed {}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
mod sealed {
    pub trait Sealed {
        fn to_f32(self) -> f32;
    }
}

impl Coordinate for f32 {}
impl sealed::Sealed for f32 {
    fn to_f32(self) -> f32 {
        self
    }
}

impl Coordinate for f64 {}
impl sealed::Sealed for f64 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the dashboard has no more precision, and what becomes infinite is refused"
    )]
    fn to_f32(self) -> f32 {
        self as f32
    }
}

#[cfg(test)]
mod tests;
