//! Tensors and metadata for dashboards that have no method of their own.

use std::iter;

use super::{Tag, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataClass, DataType, TensorProto, TensorShapeProto};

/// Numbers or strings with a shape, for [`SummaryWriter::tensor`](crate::SummaryWriter::tensor).
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor(pub(crate) TensorProto);

impl Tensor {
    /// Creates a tensor of numbers. `elements` are in row-major order, the last dimension fastest; they are copied. An
    /// empty shape is a single number.
    ///
    /// ```
    /// use summary_writer::Tensor;
    ///
    /// let matrix = Tensor::new([2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert!(Tensor::new([2, 3], &[1.0f32]).is_err());
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the product of `shape` is not the number of `elements`.
    pub fn new<T: Element>(shape: impl AsRef<[usize]>, elements: &[T]) -> Result<Self> {
        check_shape(shape.as_ref(), elements.len())?;
        Ok(Self(tensor_proto(shape.as_ref(), elements)))
    }

    /// Creates a tensor of strings, which may be any bytes, in the same order as for [`new`](Self::new).
    ///
    /// # Errors
    /// [`Error::Invalid`] if the product of `shape` is not the number of `elements`.
    pub fn strings<T: AsRef<[u8]>>(
        shape: impl AsRef<[usize]>,
        elements: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let elements = elements.into_iter();
        let elements: Vec<Vec<u8>> = elements.map(|element| element.as_ref().to_vec()).collect();
        check_shape(shape.as_ref(), elements.len())?;
        Ok(Self(TensorProto {
            dtype: DataType::DtString.into(),
            tensor_shape: Some(shape_proto(shape.as_ref())),
            string_val: elements,
            ..Default::default()
        }))
    }
}

fn check_shape(shape: &[usize], count: usize) -> Result<()> {
    // A dimension of 0 makes the product 0, however large the others are.
    let product = if shape.contains(&0) {
        Some(0)
    } else {
        let mut sizes = shape.iter();
        sizes.try_fold(1, |product: usize, size| product.checked_mul(*size))
    };
    let fits_i64 = shape.iter().all(|size| i64::try_from(*size).is_ok());
    let problem = match product {
        Some(product) if fits_i64 && product == count => return Ok(()),
        Some(product) if fits_i64 => {
            format!("expected {product} elements for shape {shape:?}, got {count}")
        }
        _ => format!("shape {shape:?} is too large"),
    };
    Err(Error::invalid("tensor", problem))
}

fn shape_proto(shape: &[usize]) -> TensorShapeProto {
    let dim = shape.iter().map(|size| Dim {
        size: *size as i64,
        name: String::new(),
    });
    TensorShapeProto {
        dim: dim.collect(),
        unknown_rank: false,
    }
}

/// A tensor of numbers whose shape has been checked.
pub(super) fn tensor_proto<T: Element>(shape: &[usize], elements: &[T]) -> TensorProto {
    TensorProto {
        dtype: T::DATA_TYPE.into(),
        tensor_shape: Some(shape_proto(shape)),
        tensor_content: T::to_bytes(elements).into(),
        ..Default::default()
    }
}

/// A number that a [`Tensor`] holds: `f32`, `f64`, `bool`, and the integers of 8 to 64 bits; with the feature `half` also
/// `half::f16` and `half::bf16`.
pub trait Element: Copy + sealed::Sealed {}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
mod sealed {
    use crate::proto::DataType;

    pub trait Sealed: Sized {
        const DATA_TYPE: DataType;

        /// The elements in little-endian order.
        fn to_bytes(elements: &[Self]) -> Vec<u8>;
    }
}

macro_rules! elements {
    ($($number:ty, $data_type:ident;)*) => {$(
        impl Element for $number {}

        impl sealed::Sealed for $number {
            const DATA_TYPE: DataType = DataType::$data_type;

            fn to_bytes(elements: &[Self]) -> Vec<u8> {
                let mut content = vec![0; size_of_val(elements)];
                for (bytes, element) in iter::zip(content.as_chunks_mut().0, elements) {
                    *bytes = element.to_le_bytes();
                }
                content
            }
        }
    )*};
}

elements! {
    f32, DtFloat;
    f64, DtDouble;
    i8, DtInt8;
    i16, DtInt16;
    i32, DtInt32;
    i64, DtInt64;
    u8, DtUint8;
    u16, DtUint16;
    u32, DtUint32;
    u64, DtUint64;
}

#[cfg(feature = "half")]
elements! {
    half::f16, DtHalf;
    half::bf16, DtBfloat16;
}

impl Element for bool {}

impl sealed::Sealed for bool {
    const DATA_TYPE: DataType = DataType::DtBool;

    fn to_bytes(elements: &[Self]) -> Vec<u8> {
        elements.iter().map(|element| u8::from(*element)).collect()
    }
}

/// Which dashboard shows a [`Tensor`], and how the loaders store it.
///
/// ```
/// use summary_writer::tensor::Metadata;
/// use summary_writer::proto::DataClass;
///
/// let metadata = Metadata::new("my_dashboard").content(b"version 1").data_class(DataClass::BlobSequence);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Metadata {
    plugin_data: PluginData,
    data_class: DataClass,
}

impl Metadata {
    /// Creates metadata for the dashboard of a plugin.
    pub fn new(plugin_name: impl Into<String>) -> Self {
        Self {
            plugin_data: plugin(plugin_name),
            data_class: DataClass::Tensor,
        }
    }

    /// Sets the bytes for the plugin. Default: none, which is what most plugins expect.
    pub fn content(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.plugin_data.content = content.into();
        self
    }

    /// Sets how the loaders store the values. Default: [`DataClass::Tensor`], because without a data class the loaders drop
    /// the values of plugins that are not part of stock TensorBoard.
    pub fn data_class(mut self, data_class: DataClass) -> Self {
        self.data_class = data_class;
        self
    }
}

impl Metadata {
    /// Fails if stock TensorBoard would not show the tensor on the page of a stock plugin.
    pub(crate) fn check(&self, tensor: &Tensor) -> Result<(), String> {
        let tensor = &tensor.0;
        let shape = tensor.tensor_shape.as_ref();
        let shape: Vec<i64> = shape.map_or_else(Vec::new, |shape| {
            shape.dim.iter().map(|dim| dim.size).collect()
        });
        let is_string = tensor.dtype() == DataType::DtString;
        let is_f32 = tensor.dtype() == DataType::DtFloat;
        let (class, expected, is_fit) = match &*self.plugin_data.plugin_name {
            "scalars" => (
                DataClass::Scalar,
                "one f32 of shape []",
                is_f32 && shape.is_empty(),
            ),
            "histograms" => (
                DataClass::Tensor,
                "f32 or f64 of shape [buckets, 3]",
                (is_f32 || tensor.dtype() == DataType::DtDouble) && matches!(shape[..], [_, 3]),
            ),
            "pr_curves" => (
                DataClass::Tensor,
                "f32 of shape [6, thresholds]",
                is_f32 && matches!(shape[..], [6, _]),
            ),
            "text" => (
                DataClass::Tensor,
                "strings of at most two dimensions",
                is_string && shape.len() <= 2,
            ),
            "images" => (
                DataClass::BlobSequence,
                "strings of shape [2 + images]",
                is_string && matches!(shape[..], [count] if count >= 2),
            ),
            "audio" => (
                DataClass::BlobSequence,
                "strings of shape [clips]",
                is_string && shape.len() == 1,
            ),
            _ => return Ok(()),
        };
        let plugin = &self.plugin_data.plugin_name;
        if !is_fit {
            let got = tensor.dtype();
            return Err(format!(
                "expected {expected} for the plugin {plugin:?}, got {got:?} of shape {shape:?}"
            ));
        }
        // The loaders replace an unknown class by the right one.
        if ![class, DataClass::Unknown].contains(&self.data_class) {
            let got = self.data_class;
            return Err(format!(
                "expected the data class {class:?} for the plugin {plugin:?}, got {got:?}"
            ));
        }
        if plugin == "text"
            && let Some(i) = tensor
                .string_val
                .iter()
                .position(|text| str::from_utf8(text).is_err())
        {
            return Err(format!(
                "expected UTF-8 for the plugin \"text\", got other bytes in string {i}"
            ));
        }
        Ok(())
    }
}

pub(crate) fn plugin_tensor(
    prefix: &str,
    tag: &Tag<'_>,
    tensor: Tensor,
    metadata: Metadata,
) -> Value {
    tensor_value(
        prefix,
        tag,
        metadata.plugin_data,
        metadata.data_class,
        tensor.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_little_endian() {
        let tensor = Tensor::new([2, 1], &[1i16, -2]).unwrap().0;
        assert_eq!(tensor.dtype(), DataType::DtInt16);
        assert_eq!(tensor.tensor_content[..], [1, 0, 0xfe, 0xff]);
        let dims = tensor.tensor_shape.unwrap().dim;
        let sizes: Vec<_> = dims.iter().map(|dim| dim.size).collect();
        assert_eq!(sizes, [2, 1]);
        assert_eq!(Tensor::new([], &[true]).unwrap().0.tensor_content[..], [1]);
    }

    #[test]
    fn a_shape_of_another_size_is_rejected_with_both_numbers() {
        let max = usize::MAX;
        for (shape, given, want) in [
            (
                &[2, 3][..],
                5,
                "expected 6 elements for shape [2, 3], got 5",
            ),
            (&[], 0, "expected 1 elements for shape [], got 0"),
            (&[0, 3], 1, "expected 0 elements for shape [0, 3], got 1"),
            (
                &[max, max],
                1,
                &format!("shape [{max}, {max}] is too large"),
            ),
            #[cfg(target_pointer_width = "64")]
            (&[max, 0], 0, &format!("shape [{max}, 0] is too large")),
        ] {
            let error = Tensor::new(shape, &vec![0u8; given]).unwrap_err();
            assert_eq!(error.to_string(), format!("tensor: {want}"));
            let error = Tensor::strings(shape, vec![""; given]).unwrap_err();
            assert_eq!(error.to_string(), format!("tensor: {want}"));
        }
        assert!(Tensor::new([0, 7], &[0f32; 0]).is_ok());
    }

    #[test]
    fn a_tensor_that_a_stock_page_does_not_show_is_found() {
        let number = || Tensor::new([], &[1.0f32]).unwrap();
        let strings = |shape: &[usize], text: &[u8]| {
            Tensor::strings(shape, vec![text; shape.iter().product()]).unwrap()
        };
        let scalars = || Metadata::new("scalars").data_class(DataClass::Scalar);
        let images = || Metadata::new("images").data_class(DataClass::BlobSequence);
        for (metadata, tensor, want) in [
            (scalars(), number(), Ok(())),
            (
                Metadata::new("scalars"),
                number(),
                Err("expected the data class Scalar for the plugin \"scalars\", got Tensor"),
            ),
            (
                scalars(),
                Tensor::new([1], &[1.0]).unwrap(),
                Err(
                    "expected one f32 of shape [] for the plugin \"scalars\", got DtDouble of shape [1]",
                ),
            ),
            (Metadata::new("text"), strings(&[2, 1], b"a"), Ok(())),
            (
                Metadata::new("text"),
                strings(&[2], b"\xff"),
                Err("expected UTF-8 for the plugin \"text\", got other bytes in string 0"),
            ),
            (
                Metadata::new("histograms"),
                Tensor::new([1, 2], &[1, 2]).unwrap(),
                Err(
                    "expected f32 or f64 of shape [buckets, 3] for the plugin \"histograms\", got DtInt32 of shape [1, 2]",
                ),
            ),
            (images(), strings(&[3], b"8"), Ok(())),
            (
                images(),
                strings(&[1], b"8"),
                Err(
                    "expected strings of shape [2 + images] for the plugin \"images\", got DtString of shape [1]",
                ),
            ),
            (Metadata::new("mine"), strings(&[1], b"\xff"), Ok(())),
        ] {
            assert_eq!(metadata.check(&tensor), want.map_err(str::to_owned));
        }
    }

    #[cfg(feature = "half")]
    #[test]
    fn halves_are_two_bytes() {
        use half::{bf16, f16};

        // 1.5 has the exponent 0 and the highest bit of the mantissa: 15 << 10 | 1 << 9, and 127 << 7 | 1 << 6.
        let tensor = Tensor::new([1], &[f16::from_f32(1.5)]).unwrap().0;
        assert_eq!(tensor.dtype(), DataType::DtHalf);
        assert_eq!(tensor.tensor_content[..], [0x00, 0x3e]);
        let tensor = Tensor::new([1], &[bf16::from_f32(1.5)]).unwrap().0;
        assert_eq!(tensor.dtype(), DataType::DtBfloat16);
        assert_eq!(tensor.tensor_content[..], [0xc0, 0x3f]);
    }
}
