//! The arrays of the crate `ndarray` to histograms.

use std::slice;

use ::ndarray::{ArrayBase, Axis, Data, Dimension};

use super::Histogram;
use crate::summary::Scalar;

/// Of all numbers of an array or a view, of any shape and layout. Nothing is copied.
///
/// ```
/// use ndarray::{Array2, s};
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let weights = Array2::<f32>::zeros((64, 10));
/// summary.histogram("weights", &weights, 0);
/// summary.histogram("weights/of 0", weights.column(0), 0);
/// summary.histogram("weights/of odd", weights.slice(s![.., 1..;2]), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<T: Scalar, S: Data<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Histogram {
    fn from(values: &ArrayBase<S, D>) -> Self {
        if let Some(values) = values.as_slice_memory_order() {
            return Self::new(values);
        }
        match unit_axis(values) {
            // Of stride 1, so that each lane is a slice.
            Some(axis) => {
                let lanes = values.lanes(axis).into_iter();
                Self::from_chunks(lanes.filter_map(|lane| lane.to_slice()))
            }
            None => Self::from_chunks(values.iter().map(slice::from_ref)),
        }
    }
}

/// As from a reference.
impl<T: Scalar, S: Data<Elem = T>, D: Dimension> From<ArrayBase<S, D>> for Histogram {
    fn from(values: ArrayBase<S, D>) -> Self {
        Self::from(&values)
    }
}

/// The axis along which numbers stand side by side, if there is one.
fn unit_axis<T, S: Data<Elem = T>, D: Dimension>(values: &ArrayBase<S, D>) -> Option<Axis> {
    let mut axes = (0..values.ndim()).map(Axis);
    axes.find(|axis| values.len_of(*axis) > 1 && values.stride_of(*axis) == 1)
}
