//! The size of a tensor in each of its dimensions, as far as it is known.

use crate::proto::TensorShapeProto;
use crate::proto::tensor_shape_proto::Dim;

/// The shape of a tensor, which need not be known in every dimension.
///
/// It is made from an array, a slice or a `Vec` of `usize`, or of `Option<usize>` where a dimension is open, as the batch
/// often is.
///
/// ```
/// use summary_writer::graph::Shape;
///
/// let image = Shape::from([28, 28, 1]);
/// let batch = Shape::from([None, Some(28), Some(28), Some(1)]); // shows as ?×28×28×1
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Shape(pub(super) TensorShapeProto);

impl Shape {
    /// The shape of a single number, without dimensions.
    pub fn scalar() -> Self {
        Self(TensorShapeProto::default())
    }

    /// A shape of which not even the number of dimensions is known. An edge with it has no label.
    pub fn unknown() -> Self {
        Self(TensorShapeProto {
            unknown_rank: true,
            ..Default::default()
        })
    }

    fn of(sizes: impl IntoIterator<Item = Option<usize>>) -> Self {
        let dim = |size: Option<usize>| Dim {
            // No tensor has a size that does not fit.
            size: size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX)),
            name: String::new(),
        };
        Self(TensorShapeProto {
            dim: sizes.into_iter().map(dim).collect(),
            unknown_rank: false,
        })
    }

    /// How many elements a tensor of the shape has, if that is known and a number.
    pub(super) fn element_count(&self) -> Option<u64> {
        if self.0.unknown_rank {
            return None;
        }
        let mut sizes = self.0.dim.iter().map(|dim| u64::try_from(dim.size).ok());
        sizes.try_fold(1, |count: u64, size| count.checked_mul(size?))
    }
}

macro_rules! shapes {
    ($($sizes:ty $(, $count:ident)?;)*) => {$(
        impl$(<const $count: usize>)? From<$sizes> for Shape {
            fn from(sizes: $sizes) -> Self {
                Self::of(sizes.iter().map(|&size| size.into()))
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
    fn sizes_come_from_whatever_holds_them() {
        let sizes = |shape: Shape| {
            let dims = shape.0.dim.iter().map(|dim| dim.size);
            dims.collect::<Vec<_>>()
        };
        assert_eq!(sizes([2, 3].into()), [2, 3]);
        assert_eq!(sizes(vec![2usize, 3].into()), [2, 3]);
        assert_eq!(sizes([None, Some(7)].into()), [-1, 7]);
        assert_eq!(sizes([None, Some(0)][..].into()), [-1, 0]);
        assert_eq!(sizes(Shape::scalar()), [0; 0]);
        assert_eq!(sizes([usize::MAX].into()), [i64::MAX]);
        assert!(Shape::unknown().0.unknown_rank);
    }

    #[test]
    fn elements_are_counted_where_that_can_be_done() {
        for (shape, want) in [
            (Shape::scalar(), Some(1)),
            ([784, 128].into(), Some(100_352)),
            ([3, 0].into(), Some(0)),
            ([None, Some(3)].into(), None),
            (Shape::unknown(), None),
            ([1 << 40, 1 << 40].into(), None),
        ] {
            assert_eq!(shape.element_count(), want, "{shape:?}");
        }
    }
}
