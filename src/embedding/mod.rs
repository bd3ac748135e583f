//! Embeddings for the projector dashboard, which reads them from files next to the event file.

mod config;
mod files;
mod metadata;
#[cfg(feature = "object-store")]
mod store;

#[cfg(feature = "png")]
use std::borrow::Borrow;
use std::fmt::Display;

use crate::error::{Error, Result};
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::Scalar;

pub(crate) use files::{CONFIG, names, remove_steps, write};
#[cfg(feature = "object-store")]
pub(crate) use store::write_to_store;

/// The dashboard does not list embeddings with fewer points.
const MIN_POINTS: usize = 2;

/// Points for [`SummaryWriter::embedding`](crate::SummaryWriter::embedding): a tag, one vector for each point, and
/// optional labels and thumbnails. The projector draws them in two or three dimensions, by PCA, t-SNE or UMAP.
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
    /// All numbers, point by point. They are finite.
    vectors: Vec<f32>,
    /// The length of each vector: at least 1, and a divisor of `vectors.len()`.
    dimensions: usize,
    /// The content of the metadata file.
    metadata: Option<String>,
    /// A PNG file with all thumbnails.
    sprite: Option<Vec<u8>>,
    /// Width and height of one thumbnail in pixels.
    thumbnail_size: (usize, usize),
}

impl Embedding {
    /// Creates an embedding from `vectors`, which has `dimensions` numbers for each point, point by point.
    ///
    /// The dashboard keeps numbers as `f32` and shows the first 100,000 points. It needs at least three dimensions, so
    /// shorter vectors are written with zeros at the end, which changes no distance.
    ///
    /// ```
    /// use summary_writer::Embedding;
    ///
    /// let two_points = Embedding::new("words/weights", &[0.5f32, -1.0, 2.0, 0.0, 1.0, 3.5], 3)?;
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if `dimensions` is 0 or does not divide the number of values, if there are fewer than two points,
    /// which the dashboard does not list, or if a number is not finite as an `f32`, because the dashboard fails on it.
    pub fn new<T: Scalar>(
        tag: impl Into<String>,
        vectors: &[T],
        dimensions: usize,
    ) -> Result<Self> {
        if dimensions == 0 || !vectors.len().is_multiple_of(dimensions) {
            let len = vectors.len();
            let problem = format!(
                "expected at least 1 and a divisor of the number of values, got {dimensions} for {len} values"
            );
            return Err(Error::invalid("dimensions", problem));
        }
        Self::from_rows(tag, vectors.chunks_exact(dimensions))
    }

    /// Creates an embedding from one slice, array or `Vec` for each point.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are fewer than two rows, if rows are empty or differ in length, or if a number is not
    /// finite as an `f32`.
    pub fn from_rows<T: Scalar, Row: AsRef<[T]>>(
        tag: impl Into<String>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<Self> {
        let invalid = |problem| Err(Error::invalid("vectors", problem));
        let mut vectors = Vec::new();
        let mut dimensions = 0;
        for (i, row) in rows.into_iter().enumerate() {
            let row = row.as_ref();
            if i == 0 {
                dimensions = row.len();
            }
            if row.is_empty() || row.len() != dimensions {
                let len = row.len();
                return invalid(format!(
                    "expected equal lengths of at least 1, got {dimensions} in row 0 and {len} in row {i}"
                ));
            }
            vectors.extend(row.iter().map(|number| number.to_f32()));
            let numbers = &vectors[i * dimensions..];
            if let Some(k) = numbers.iter().position(|number| !number.is_finite()) {
                let number = numbers[k];
                return invalid(format!(
                    "expected finite numbers as f32, got {number} at index {k} of row {i}"
                ));
            }
        }
        let count = vectors.len().checked_div(dimensions).unwrap_or(0);
        if count < MIN_POINTS {
            return invalid(format!(
                "expected at least {MIN_POINTS} points, because the projector does not list fewer, got {count}"
            ));
        }
        Ok(Self {
            tag: tag.into(),
            vectors,
            dimensions,
            metadata: None,
            sprite: None,
            thumbnail_size: (0, 0),
        })
    }

    /// Adds a label for each point, in the order of the points. Replaces earlier labels and columns.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is not one label for each point, if a label has a tab or a line break, which separate
    /// the cells of the file, or if it is blank, because the dashboard skips blank lines and shifts the labels after them.
    pub fn labels(mut self, labels: impl IntoIterator<Item: Display>) -> Result<Self> {
        self.metadata = Some(metadata::labels(self.point_count(), labels)?);
        Ok(self)
    }

    /// Adds several labels for each point: the names of the columns, and a row of cells for each point. The user of the
    /// dashboard chooses the column to label, colour and search by. Replaces earlier labels and columns.
    ///
    /// The file has no place for the name of a single column; the dashboard shows it as `label`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no columns, if a name is blank or comes twice, if there is not one row for each point
    /// and one cell for each column, if all cells of a row are blank, or if a name or a cell has a tab or a line break.
    pub fn columns<Row>(
        mut self,
        names: impl IntoIterator<Item: Display>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<Self>
    where
        Row: IntoIterator<Item: Display>,
    {
        self.metadata = Some(metadata::columns(self.point_count(), names, rows)?);
        Ok(self)
    }

    /// Adds a picture for each point, in the order of the points and all of one size. The dashboard draws them as squares in
    /// place of the points. 16-bit samples are rounded to 8 bits. Needs the feature `png`, which is a default.
    ///
    /// The pictures are copied into one image with as many rows as columns and at most 8,192 pixels on a side, which holds
    /// 85,264 pictures of 28 × 28 pixels, or 256 of 512 × 512. More or larger pictures are scaled down.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is not one picture for each point, if their sizes differ, or if one is an encoded file
    /// or an animation.
    #[cfg(feature = "png")]
    pub fn thumbnails(mut self, images: impl IntoIterator<Item: Borrow<Image>>) -> Result<Self> {
        let points = self.point_count();
        // One more than needed shows that there are too many.
        let images: Vec<_> = images.into_iter().take(points.saturating_add(1)).collect();
        metadata::check_count("thumbnails", images.len(), points)?;
        let images: Vec<&Image> = images.iter().map(Borrow::borrow).collect();
        let (sprite, size) = Image::sprite(&images)?;
        self.sprite = Some(sprite.encode()?);
        self.thumbnail_size = size;
        Ok(self)
    }

    pub(crate) fn full_tag(&self, prefix: &str) -> String {
        [prefix, &self.tag].concat()
    }

    fn point_count(&self) -> usize {
        self.vectors.len() / self.dimensions
    }
}

#[cfg(test)]
mod tests;
