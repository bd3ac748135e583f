//! The arrays of the crate `ndarray` to points.

use ::ndarray::{ArrayBase, Data, Ix2};

use super::{Coordinate, Embedding};
use crate::error::Result;

impl Embedding {
    /// As [`new`](Self::new), of an array or a view that has a row for each point. Any layout in memory fits.
    ///
    /// ```
    /// use ndarray::{Array2, s};
    /// use summary_writer::Embedding;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let activations = Array2::<f32>::ones((500, 64));
    /// summary.embedding(Embedding::from_array("hidden", &activations)?, 0)?;
    /// summary.embedding(Embedding::from_array("first", &activations.slice(s![..100, ..]))?, 0)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_array<T: Coordinate>(
        tag: impl Into<String>,
        points: &ArrayBase<impl Data<Elem = T>, Ix2>,
    ) -> Result<Self> {
        let dimensions = points.ncols();
        match points.as_slice() {
            Some(vectors) => Self::new(tag, vectors, dimensions),
            None => {
                let vectors: Vec<T> = points.iter().copied().collect();
                Self::new(tag, &vectors, dimensions)
            }
        }
    }
}
