//! Scalars, histograms and images from tensors of candle.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

#[path = "common/read_back.rs"]
mod read_back;

use std::error::Error as _;

use candle_core::{DType, Device, Tensor, Var};
use read_back::{Picture, Row, picture, rows, tensors};
use summary_writer::integrations::candle;
use summary_writer::{Histogram, Image};

const TYPES: [DType; 10] = [
    DType::U8,
    DType::U32,
    DType::I16,
    DType::I32,
    DType::I64,
    DType::BF16,
    DType::F16,
    DType::F32,
    DType::F64,
    DType::F8E4M3,
];

fn tensor(numbers: &[f64], shape: &[usize]) -> Tensor {
    Tensor::from_slice(numbers, shape, &Device::Cpu).unwrap()
}

/// Returns a tensor of the bytes 0, 1, 2 and so on.
fn bytes(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let samples: Vec<u8> = (0..).take(count).collect();
    Tensor::from_vec(samples, shape, &Device::Cpu).unwrap()
}

fn histogram(tensor: &Tensor) -> Vec<Row> {
    let histogram = Histogram::try_from(tensor).unwrap();
    let [(_, tensor)] = &tensors(|summary| summary.histogram("h", histogram, 0))[..] else {
        panic!("one value");
    };
    rows(tensor)
}

/// Returns the lowest number, the highest number and the count.
fn span(tensor: &Tensor) -> (f64, f64, f64) {
    let rows = histogram(tensor);
    let count = rows.iter().map(|row| row[2]).sum();
    (rows[0][0], rows[rows.len() - 1][1], count)
}

fn image(image: Image) -> Picture {
    let [(_, tensor)] = &tensors(|summary| summary.image("i", image, 0))[..] else {
        panic!("one value");
    };
    picture(tensor)
}

fn image_of(tensor: &Tensor) -> Picture {
    image(Image::try_from(tensor).unwrap())
}

#[test]
fn scalar_is_the_only_element_of_any_type_and_rank() {
    for dtype in TYPES {
        let seven = tensor(&[7.0], &[]).to_dtype(dtype).unwrap();
        assert_eq!(candle::scalar(&seven).unwrap(), 7.0, "{dtype:?}");
    }
    assert_eq!(candle::scalar(&tensor(&[-0.1], &[1, 1])).unwrap(), -0.1);
    assert!(candle::scalar(&tensor(&[f64::NAN], &[1])).unwrap().is_nan());
    // An f32 cannot store 2^53 + 2.
    let large = Tensor::new(9_007_199_254_740_994_i64, &Device::Cpu).unwrap();
    assert_eq!(candle::scalar(&large).unwrap(), 9_007_199_254_740_994.0);
    // An element of a larger tensor, which is not the first in memory.
    let many = tensor(&[1.0, 2.0, 3.0, 4.0], &[2, 2]);
    let last = many.narrow(0, 1, 1).unwrap().narrow(1, 1, 1).unwrap();
    assert_eq!(candle::scalar(&last).unwrap(), 4.0);
    let loss = Var::from_tensor(&many).unwrap().sum_all().unwrap();
    assert_eq!(candle::scalar(&loss).unwrap(), 10.0);
    for (shape, count) in [(&[2, 3][..], 6), (&[0], 0)] {
        let error = candle::scalar(&tensor(&vec![0.0; count], shape)).unwrap_err();
        let want = format!(
            "scalar tensor: expected one element, as `mean_all()` makes it, got shape {shape:?}"
        );
        assert_eq!(error.to_string(), want);
    }
}

/// The rows of equal values: the last bucket has them all.
fn equal(value: f64, count: f64) -> Vec<Row> {
    let mut rows = vec![[value, value, 0.0]; 30];
    rows[29][2] = count;
    rows
}

#[test]
fn histogram_counts_elements_of_any_type() {
    // From 0 to 30 in 30 buckets of width 1: 0 in the first, 16 twice in number 16, 30 in the last.
    let want: Vec<Row> = (0..30)
        .map(|i| {
            let count = match i {
                0 | 29 => 1.0,
                16 => 2.0,
                _ => 0.0,
            };
            [f64::from(i), f64::from(i) + 1.0, count]
        })
        .collect();
    for dtype in TYPES {
        let given = tensor(&[0.0, 30.0, 16.0, 16.0], &[2, 2]);
        let given = given.to_dtype(dtype).unwrap();
        assert_eq!(histogram(&given), want, "{dtype:?}");
    }
    let variable = Var::from_tensor(&tensor(&[2.5], &[])).unwrap();
    assert_eq!(histogram(variable.as_tensor()), equal(2.5, 1.0));
    assert_eq!(histogram(&tensor(&[], &[0, 3])), [[0.0; 3]; 30]);
    let wide = Tensor::new(&[i64::MIN, -1], &Device::Cpu).unwrap();
    assert_eq!(span(&wide), (-9_223_372_036_854_775_808.0, -1.0, 2.0));
}

#[test]
fn histogram_of_a_view_counts_only_the_view() {
    // The numbers 0 to 11 in three rows of four, in each type that is read directly, and in one that is converted.
    for dtype in [
        DType::U8,
        DType::U32,
        DType::I64,
        DType::F32,
        DType::F64,
        DType::BF16,
    ] {
        let all = bytes(&[3, 4]).to_dtype(dtype).unwrap();
        // The last two rows, which are contiguous but not at the start of the memory.
        assert_eq!(span(&all.narrow(0, 1, 2).unwrap()), (4.0, 11.0, 8.0));
        // The two columns in the middle, 1, 2, 5, 6, 9, 10, also with rows and columns exchanged.
        let middle = all.narrow(1, 1, 2).unwrap();
        assert_eq!(span(&middle), (1.0, 10.0, 6.0));
        assert_eq!(span(&middle.t().unwrap()), (1.0, 10.0, 6.0));
        // One row, seen five times.
        let row = all.get(0).unwrap();
        assert_eq!(span(&row.broadcast_as((5, 4)).unwrap()), (0.0, 3.0, 20.0));
    }
}

#[test]
fn variables_and_their_gradients_have_histograms() {
    let weights = Var::from_tensor(&tensor(&[1.0, -2.0, 4.0], &[3])).unwrap();
    let unused = Var::from_tensor(&tensor(&[0.5], &[])).unwrap();
    let vars = [("hidden.weight", &weights), ("unused", &unused)];
    let gradients = weights.sqr().unwrap().sum_all().unwrap();
    let gradients = gradients.backward().unwrap();
    let logged = tensors(|summary| {
        candle::log_vars(summary, vars, 0).unwrap();
        candle::log_grads(summary, vars, &gradients, 0).unwrap();
        candle::log_vars(&summary.record_if(|_| false), vars, 0).unwrap();
    });
    let ends = |tensor| {
        let rows = rows(tensor);
        (rows[0][0], rows[rows.len() - 1][1])
    };
    let got: Vec<_> = logged
        .iter()
        .map(|(tag, tensor)| (tag.as_str(), ends(tensor)))
        .collect();
    // The gradient of the sum of squares is twice the weight. The other variable has none.
    let want = [
        ("parameters/hidden.weight", (-2.0, 4.0)),
        ("parameters/unused", (0.5, 0.5)),
        ("gradients/hidden.weight", (-4.0, 8.0)),
    ];
    assert_eq!(got, want);
}

#[test]
fn image_tensor_has_channels_first() {
    let gray = (3, 2, 1, 8, vec![0, 1, 2, 3, 4, 5]);
    assert_eq!(image_of(&bytes(&[2, 3])), gray);
    assert_eq!(image_of(&bytes(&[1, 2, 3])), gray);
    // Three channels of 6 samples each. The first pixel has the first sample of each channel.
    let want = (
        3,
        2,
        3,
        8,
        vec![0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 16, 5, 11, 17],
    );
    assert_eq!(image_of(&bytes(&[3, 2, 3])), want);
    let want = (2, 1, 2, 8, vec![0, 2, 1, 3]);
    assert_eq!(image_of(&bytes(&[2, 1, 2])), want);
    let want = (1, 1, 4, 8, vec![0, 1, 2, 3]);
    assert_eq!(image_of(&bytes(&[4, 1, 1])), want);
    // A tensor with channels last in memory, and a part of a larger tensor.
    let last = bytes(&[2, 3, 3]).permute((2, 0, 1)).unwrap();
    let want = (3, 2, 3, 8, (0..18).collect());
    assert_eq!(image_of(&last), want);
    let corner = bytes(&[3, 4])
        .narrow(0, 1, 2)
        .unwrap()
        .narrow(1, 2, 2)
        .unwrap();
    assert_eq!(image_of(&corner), (2, 2, 1, 8, vec![6, 7, 10, 11]));
}

#[test]
fn white_is_1_in_floats_and_255_in_bytes() {
    // Halves and quarters are exact in all types. A quarter is 63.75 of 255, and a half 127.5, which is rounded up.
    for dtype in [
        DType::F8E4M3,
        DType::BF16,
        DType::F16,
        DType::F32,
        DType::F64,
    ] {
        let given = tensor(&[0.0, 0.25, 0.5, 1.0, -3.0, 7.0], &[2, 3]);
        let given = given.to_dtype(dtype).unwrap();
        let want = (3, 2, 1, 8, vec![0, 64, 128, 255, 0, 255]);
        assert_eq!(image_of(&given), want, "{dtype:?}");
    }
    for dtype in [DType::U32, DType::I16, DType::I32, DType::I64] {
        let given = bytes(&[2, 3]).to_dtype(dtype).unwrap();
        let error = Image::try_from(&given).unwrap_err();
        let want = format!(
            "image tensor: expected U8 from 0 to 255 or floats from 0 to 1, got {dtype:?}; `to_dtype` converts"
        );
        assert_eq!(error.to_string(), want);
    }
}

#[test]
fn errors_of_candle_are_returned() {
    // Candle stores numbers of four bits but cannot convert them.
    let packed = Tensor::from_raw_buffer(&[0x12], DType::F4, &[1], &Device::Cpu).unwrap();
    for error in [
        candle::scalar(&packed).unwrap_err(),
        Histogram::try_from(&packed).unwrap_err(),
        Image::try_from(&packed.reshape((1, 1)).unwrap()).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "could not read a tensor");
        let source = error.source().unwrap().to_string();
        assert!(source.contains("F4"), "{source}");
    }
}

#[test]
fn batch_gives_its_images() {
    let images = candle::images(&bytes(&[2, 3, 1, 2])).unwrap();
    let pictures: Vec<_> = images.into_iter().map(image).collect();
    let want = [
        (2, 1, 3, 8, vec![0, 2, 4, 1, 3, 5]),
        (2, 1, 3, 8, vec![6, 8, 10, 7, 9, 11]),
    ];
    assert_eq!(pictures, want);
    assert_eq!(candle::images(&bytes(&[0, 3, 8, 8])).unwrap(), []);
}

#[test]
fn heat_map_has_the_values_of_a_tensor_of_two_dimensions() {
    let values = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 9.0], &[2, 3]);
    let want = Image::heat_map(3, 2, &[1u8, 2, 3, 4, 5, 9]).unwrap();
    assert_eq!(candle::heat_map(&values).unwrap(), want);
    let turned = values.t().unwrap().contiguous().unwrap();
    assert_eq!(candle::heat_map(&turned.t().unwrap()).unwrap(), want);
    let error = candle::heat_map(&values.unsqueeze(0).unwrap()).unwrap_err();
    let want = "heat map tensor: expected shape [height, width], got [1, 2, 3]";
    assert_eq!(error.to_string(), want);
}

#[test]
fn wrong_image_shapes_are_errors_with_a_hint() {
    for shape in [&[5, 6, 3][..], &[2, 3, 4, 5], &[0, 6, 7], &[]] {
        let error = Image::try_from(&bytes(shape)).unwrap_err();
        let want = format!(
            "image tensor: expected shape [height, width] or [channels, height, width] with 1 to 4 channels, got \
             {shape:?}; `permute((2, 0, 1))` moves channels to the front, `candle::images` takes a batch"
        );
        assert_eq!(error.to_string(), want);
    }
    for shape in [&[2, 5, 6, 3][..], &[3, 5, 6], &[5, 6]] {
        let error = candle::images(&bytes(shape)).unwrap_err();
        let want = format!(
            "image batch: expected shape [count, channels, height, width] with 1 to 4 channels, got {shape:?}; \
             `permute((0, 3, 1, 2))` moves channels to the front, `unsqueeze(1)` adds the channel of gray images"
        );
        assert_eq!(error.to_string(), want);
    }
    for error in [
        Image::try_from(&bytes(&[3, 0, 7])).unwrap_err(),
        candle::images(&bytes(&[1, 3, 0, 7])).unwrap_err(),
    ] {
        assert!(error.to_string().contains("height"), "{error}");
    }
}
