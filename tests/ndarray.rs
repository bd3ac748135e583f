//! Histograms, images and embeddings from arrays of the crate `ndarray`.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

#[path = "common/read_back.rs"]
mod read_back;

use ndarray::{Array, Array2, ArrayD, Axis, arr0, array, s};
use read_back::{Picture, Row, picture, rows, tensors};
use summary_writer::{Embedding, Error, Histogram, Image};

fn histogram(values: impl Into<Histogram>) -> Vec<Row> {
    let [(_, tensor)] = &tensors(|summary| summary.histogram("h", values, 0))[..] else {
        panic!("one value");
    };
    rows(tensor)
}

fn image(image: Result<Image, Error>) -> Picture {
    let [(_, tensor)] = &tensors(|summary| summary.image("i", image.unwrap(), 0))[..] else {
        panic!("one value");
    };
    picture(tensor)
}

/// The rows of equal values: the last bucket has them all.
fn equal(value: f64, count: f64) -> Vec<Row> {
    let mut rows = vec![[value, value, 0.0]; 30];
    rows[29][2] = count;
    rows
}

#[test]
fn histogram_counts_arrays_of_any_shape_and_type() {
    // From 0 to 30 in 30 buckets of width 1: 0 in the first, 15 twice in number 15, 30 in the last.
    let counts = [(0, 1.0), (15, 2.0), (29, 1.0)];
    let want: Vec<Row> = (0..30)
        .map(|i| {
            let count = counts.iter().find(|(bucket, _)| *bucket == i);
            let left = f64::from(i);
            [left, left + 1.0, count.map_or(0.0, |(_, count)| *count)]
        })
        .collect();
    assert_eq!(histogram(array![0.0f32, 30.0, 15.0, 15.0]), want);
    assert_eq!(histogram(&array![[0.0f64, 30.0], [15.0, 15.0]]), want);
    assert_eq!(histogram(&array![[[0u8, 30, 15, 15]]]), want);
    assert_eq!(histogram(array![0i64, 30, 15, 15].view()), want);
    assert_eq!(histogram(array![0u16, 30, 15, 15].into_dyn()), want);
    assert_eq!(histogram(array![[0i32, 30], [15, 15]].into_shared()), want);
    assert_eq!(histogram(arr0(2.5f32)), equal(2.5, 1.0));
    assert_eq!(histogram(Array2::<f32>::zeros((0, 3))), [[0.0; 3]; 30]);
    assert_eq!(histogram(array![true, true]), equal(1.0, 2.0));
}

#[test]
fn histogram_of_a_view_counts_only_the_view() {
    // The numbers 0 to 11 in three rows of four.
    let all = Array::from_shape_fn((3, 4), |(row, column)| (4 * row + column) as f32);
    let ends_and_count = |rows: Vec<Row>| {
        let (first, last) = (rows[0], rows[rows.len() - 1]);
        let count: f64 = rows.iter().map(|row| row[2]).sum();
        (first[0], last[1], first[2], last[2], count)
    };
    let of = |values: ndarray::ArrayViewD<'_, f32>| ends_and_count(histogram(&values));
    // The columns in the middle, whose rows are not contiguous: 1, 2, 5, 6, 9, 10.
    assert_eq!(
        of(all.slice(s![.., 1..3]).into_dyn()),
        (1.0, 10.0, 1.0, 1.0, 6.0)
    );
    // The same with rows and columns exchanged, and backwards.
    assert_eq!(
        of(all.slice(s![.., 1..3]).reversed_axes().into_dyn()),
        (1.0, 10.0, 1.0, 1.0, 6.0)
    );
    assert_eq!(
        of(all.slice(s![..;-1, 1..3;-1]).into_dyn()),
        (1.0, 10.0, 1.0, 1.0, 6.0)
    );
    // One column: 3, 7, 11. Every second row and column: 0, 2, 8, 10.
    assert_eq!(of(all.column(3).into_dyn()), (3.0, 11.0, 1.0, 1.0, 3.0));
    assert_eq!(
        of(all.slice(s![..;2, ..;2]).into_dyn()),
        (0.0, 10.0, 1.0, 1.0, 4.0)
    );
    // Contiguous memory, in another order.
    assert_eq!(of(all.t().into_dyn()), (0.0, 11.0, 1.0, 1.0, 12.0));
    assert_eq!(
        of(all.slice(s![..;-1, ..]).into_dyn()),
        (0.0, 11.0, 1.0, 1.0, 12.0)
    );
    // One row, seen five times: 0 to 3.
    let row = all.row(0);
    let repeated = row.broadcast((5, 4)).unwrap();
    assert_eq!(of(repeated.into_dyn()), (0.0, 3.0, 5.0, 5.0, 20.0));
    // An empty view.
    assert_eq!(histogram(all.slice(s![1..1, 1..3])), [[0.0; 3]; 30]);
}

#[test]
fn image_has_the_pixels_in_either_channel_order() {
    let gray = array![[1u8, 2, 3], [4, 5, 6]];
    let want = (3, 2, 1, 8, vec![1, 2, 3, 4, 5, 6]);
    assert_eq!(image(Image::from_hwc(&gray)), want);
    assert_eq!(image(Image::from_chw(&gray)), want);
    assert_eq!(
        image(Image::from_hwc(&gray.slice(s![.., .., ndarray::NewAxis]))),
        want
    );
    assert_eq!(
        image(Image::from_chw(&gray.view().insert_axis(Axis(0)))),
        want
    );
    // With interleaved channels, sample number i is i.
    for channels in 2..=4 {
        let count = 2 * 3 * channels;
        let samples: Vec<u8> = (0..).take(count).collect();
        let last = Array::from_shape_vec((2, 3, channels), samples.clone()).unwrap();
        let first = last.view().permuted_axes([2, 0, 1]);
        let want = (3, 2, channels, 8, samples);
        assert_eq!(image(Image::from_hwc(&last)), want);
        assert_eq!(image(Image::from_hwc(&last.to_owned().into_dyn())), want);
        // A view in another order, and an array with this order in memory.
        assert_eq!(image(Image::from_chw(&first)), want);
        assert_eq!(image(Image::from_chw(&first.as_standard_layout())), want);
    }
    // Upside down.
    let want = (3, 2, 1, 8, vec![4, 5, 6, 1, 2, 3]);
    assert_eq!(image(Image::from_hwc(&gray.slice(s![..;-1, ..]))), want);
}

#[test]
fn a_batch_has_an_image_for_each_entry() {
    let samples: Vec<u8> = (0..2 * 3 * 5 * 4).collect();
    let first = Array::from_shape_vec((2, 3, 5, 4), samples).unwrap();
    let want: Vec<Image> = [0, 1]
        .map(|i| Image::from_chw(&first.index_axis(Axis(0), i)).unwrap())
        .into();
    assert_eq!(Image::from_nchw(&first).unwrap(), want);
    assert_eq!(Image::from_nchw(&first.clone().into_dyn()).unwrap(), want);
    let last = first.view().permuted_axes([0, 2, 3, 1]);
    assert_eq!(Image::from_nhwc(&last).unwrap(), want);
    let slice = first.as_slice().unwrap();
    assert_eq!(Image::batch_nchw([2, 3, 5, 4], slice).unwrap(), want);
    let error = Image::from_nchw(&first.index_axis(Axis(0), 0)).unwrap_err();
    let want = "image batch: expected shape [count, channels, height, width], got [3, 5, 4]";
    assert_eq!(error.to_string(), want);
}

#[test]
fn sample_type_determines_the_range() {
    // 0.5 is 127.5 of 255 and is rounded up. Numbers outside of 0 to 1 are clamped, and NaN becomes 0.
    let floats = array![[0.0, 0.2, 0.5], [1.0, -3.0, 7.0], [f32::NAN, 0.4, 0.6]];
    let want = (3, 3, 1, 8, vec![0, 51, 128, 255, 0, 255, 0, 102, 153]);
    assert_eq!(image(Image::from_hwc(&floats)), want);
    assert_eq!(image(Image::from_hwc(&floats.mapv(f64::from))), want);
    let words = array![[0x0102u16, 0xfffe]];
    let want = (2, 1, 1, 16, vec![1, 2, 0xff, 0xfe]);
    assert_eq!(image(Image::from_hwc(&words)), want);
}

#[test]
fn wrong_image_shapes_are_errors_with_a_hint() {
    let zeros = |shape: &[usize]| ArrayD::<f32>::zeros(shape);
    for shape in [&[3, 28, 30][..], &[8, 28, 30, 3], &[28, 30, 0], &[784], &[]] {
        let error = Image::from_hwc(&zeros(shape)).unwrap_err();
        let want = format!(
            "image array: expected shape [height, width] or [height, width, channels] with 1 to 4 channels, got \
             {shape:?}; `from_chw` takes channels first, `from_nchw` and `from_nhwc` take a batch"
        );
        assert_eq!(error.to_string(), want);
    }
    for shape in [&[28, 30, 3][..], &[7, 28, 30]] {
        let error = Image::from_chw(&zeros(shape)).unwrap_err();
        let want = format!(
            "image array: expected shape [height, width] or [channels, height, width] with 1 to 4 channels, got \
             {shape:?}; `from_hwc` takes channels last, `from_nchw` and `from_nhwc` take a batch"
        );
        assert_eq!(error.to_string(), want);
    }
    for (result, want) in [
        (Image::from_hwc(&zeros(&[0, 30, 3])), "height"),
        (Image::from_chw(&zeros(&[3, 28, 0])), "width"),
        #[cfg(target_pointer_width = "64")]
        (Image::from_chw(&zeros(&[0, 1 << 40])), "width"),
    ] {
        let error = result.unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn heat_map_has_the_values_of_any_layout() {
    let values = array![[1.0f64, 2.0, 3.0], [4.0, 5.0, 9.0]];
    let want = Image::heat_map(3, 2, &[1u8, 2, 3, 4, 5, 9]).unwrap();
    assert_eq!(Image::heat_map_from_array(&values).unwrap(), want);
    let turned = values.t().to_owned();
    assert_eq!(Image::heat_map_from_array(&turned.t()).unwrap(), want);
}

#[test]
fn rows_of_an_array_are_points() {
    let points = array![[0.5f32, 1.0, 1.5], [2.0, 2.5, 3.0]];
    let want = Embedding::new("p", &[0.5f32, 1.0, 1.5, 2.0, 2.5, 3.0], 3).unwrap();
    assert_eq!(Embedding::from_array("p", &points).unwrap(), want);
    let turned = points.t().to_owned();
    assert_eq!(Embedding::from_array("p", &turned.t()).unwrap(), want);
    let want = Embedding::new("p", &[1.0f64, 2.5], 1).unwrap();
    let column = points.mapv(f64::from);
    let column = column.slice(s![.., 1..2]);
    assert_eq!(Embedding::from_array("p", &column).unwrap(), want);
    for (shape, want) in [
        (
            (3, 0),
            "dimensions: expected at least 1 and a divisor of the number of values, got 0 for 0 values",
        ),
        (
            (1, 3),
            "vectors: expected at least 2 points, because the projector does not list fewer, got 1",
        ),
    ] {
        let error = Embedding::from_array("p", &Array2::<f32>::zeros(shape)).unwrap_err();
        assert_eq!(error.to_string(), want);
    }
}
