//! Shapes of tensors.

use crate::proto::TensorShapeProto;
use crate::proto::tensor_shape_proto::Dim;

/// The shape of a tensor. Its dimensions need not all be known.
///
/// It is made from an array, a slice or a `Vec` of `usize`, or of `Option<usize>` with `None` for an unknown dimension, as
/// the batch often is.
///
/// ```
/// use summary_writer::graph::Shape;
///
/// let image = Shape::from([28, 28, 1]);
/// let batch = Shape::from([None, Some(28), Some(28), Some(1)]); // shown as ?×28×28×1
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Shape(pub(super) TensorShapeProto);

impl Shape {
    /// Creates the shape of a single number, which has no dimensions.
    pub fn scalar() -> Self {
        Self::from_dims([])
    }

    /// Creates a shape with an unknown number of dimensions. The page writes nothing at its edges.
    pub fn unknown() -> Self {
        Self(TensorShapeProto {
            unknown_rank: true,
            ..Default::default()
        })
    }

    pub(super) fn from_dims(dims: impl IntoIterator<Item = Dim>) -> Self {
        Self(TensorShapeProto {
            dim: dims.into_iter().collect(),
            unknown_rank: false,
        })
    }

    /// The number of elements of a tensor, if it is known and fits into a `u64`.
    pub(super) fn element_count(&self) -> Option<u64> {
        if self.0.unknown_rank {
            return None;
        }
        let mut sizes = self.0.dim.iter().map(|dim| u64::try_from(dim.size).ok());
        sizes.try_fold(1, |count: u64, size| count.checked_mul(size?))
    }
}

fn dim(size: Option<usize>) -> Dim {
    Dim {
        // No tensor has more than `i64::MAX` elements.
        size: size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX)),
        name: String::new(),
    }
}

macro_rules! shapes {
    ($($sizes:ty $(, $count:ident)?;)*) => {$(
        impl$(<const $count: usize>)? From<$sizes> for Shape {
            fn from(sizes: $sizes) -> Self {
                Self::from_dims(sizes.iter().map(|&size| dim(size.into())))
            }
        }
    )*};
}

shapes! {
    [usize; N], N;
    [Option<usize>; N], N;
    &[usize; N], N;
    &[Option<usize>; N], N;
    &[usize];
    &[Option<usize>];
    Vec<usize>;
    Vec<Option<usize>>;
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Self {
        shape.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_come_from_arrays_slices_and_vectors() {
        let sizes = |shape: Shape| {
            let dims = shape.0.dim.iter().map(|dim| dim.size);
            dims.collect::<Vec<_>>()
        };
        assert_eq!(sizes([2, 3].into()), [2, 3]);
        assert_eq!(sizes(vec![2usize, 3].into()), [2, 3]);
        assert_eq!(sizes([None, Some(7)].into()), [-1, 7]);
        assert_eq!(sizes([None, Some(0)][..].into()), [-1, 0]);
        assert_eq!(sizes(Shape::scalar()), [0; 0]);
        let max = i64::try_from(usize::MAX).unwrap_or(i64::MAX);
        assert_eq!(sizes([usize::MAX].into()), [max]);
        assert!(Shape::unknown().0.unknown_rank);
    }

    #[test]
    fn element_count_is_known_if_all_dimensions_are() {
        for (shape, want) in [
            (Shape::scalar(), Some(1)),
            ([784, 128].into(), Some(100_352)),
            ([3, 0].into(), Some(0)),
            ([None, Some(3)].into(), None),
            (Shape::unknown(), None),
            ([usize::MAX; 3].into(), None),
        ] {
            assert_eq!(shape.element_count(), want, "{shape:?}");
        }
    }
}
