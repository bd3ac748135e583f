//! Arrays of the crate `ndarray` as histograms, images and points.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

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

#[test]
fn a_histogram_counts_the_numbers_of_any_shape_and_type() {
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
    assert_eq!(histogram(arr0(2.5f32)), [[2.5, 2.5, 1.0]]);
    assert_eq!(histogram(Array2::<f32>::zeros((0, 3))), [[0.0; 3]; 0]);
    assert_eq!(histogram(array![true, true]), [[1.0, 1.0, 2.0]]);
}

#[test]
fn a_histogram_of_a_view_counts_what_the_view_shows() {
    // The numbers 0 to 11 in three rows of four.
    let all = Array::from_shape_fn((3, 4), |(row, column)| (4 * row + column) as f32);
    let ends_and_count = |rows: Vec<Row>| {
        let (first, last) = (rows[0], rows[rows.len() - 1]);
        let count: f64 = rows.iter().map(|row| row[2]).sum();
        (first[0], last[1], first[2], last[2], count)
    };
    let of = |values: ndarray::ArrayViewD<'_, f32>| ends_and_count(histogram(&values));
    // Rows that stand apart: 1, 2, 5, 6, 9, 10.
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
    // One column: 3, 7, 11; and each second of both: 0, 2, 8, 10.
    assert_eq!(of(all.column(3).into_dyn()), (3.0, 11.0, 1.0, 1.0, 3.0));
    assert_eq!(
        of(all.slice(s![..;2, ..;2]).into_dyn()),
        (0.0, 10.0, 1.0, 1.0, 4.0)
    );
    // Contiguous, but not from the first to the last in memory.
    assert_eq!(of(all.t().into_dyn()), (0.0, 11.0, 1.0, 1.0, 12.0));
    assert_eq!(
        of(all.slice(s![..;-1, ..]).into_dyn()),
        (0.0, 11.0, 1.0, 1.0, 12.0)
    );
    // One row, seen five times: 0 to 3.
    let row = all.row(0);
    let repeated = row.broadcast((5, 4)).unwrap();
    assert_eq!(of(repeated.into_dyn()), (0.0, 3.0, 5.0, 5.0, 20.0));
    // Nothing of it.
    assert_eq!(histogram(all.slice(s![1..1, 1..3])), [[0.0; 3]; 0]);
}

#[test]
fn an_image_has_the_pixels_of_the_array_in_either_order() {
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
    // Sample number i of pixels that stand side by side is i.
    for channels in 2..=4 {
        let count = 2 * 3 * channels;
        let samples: Vec<u8> = (0..).take(count).collect();
        let last = Array::from_shape_vec((2, 3, channels), samples.clone()).unwrap();
        let first = last.view().permuted_axes([2, 0, 1]);
        let want = (3, 2, channels, 8, samples);
        assert_eq!(image(Image::from_hwc(&last)), want);
        assert_eq!(image(Image::from_hwc(&last.to_owned().into_dyn())), want);
        // Once a view in another order, once an array that has this order in memory.
        assert_eq!(image(Image::from_chw(&first)), want);
        assert_eq!(image(Image::from_chw(&first.as_standard_layout())), want);
    }
    // Upside down.
    let want = (3, 2, 1, 8, vec![4, 5, 6, 1, 2, 3]);
    assert_eq!(image(Image::from_hwc(&gray.slice(s![..;-1, ..]))), want);
}

#[test]
fn samples_are_taken_by_their_type() {
    // 0.5 is 127.5 of 255, which is rounded up; what is outside of 0 to 1 shows as the nearer of the two, and NaN as 0.
    let floats = array![[0.0, 0.2, 0.5], [1.0, -3.0, 7.0], [f32::NAN, 0.4, 0.6]];
    let want = (3, 3, 1, 8, vec![0, 51, 128, 255, 0, 255, 0, 102, 153]);
    assert_eq!(image(Image::from_hwc(&floats)), want);
    assert_eq!(image(Image::from_hwc(&floats.mapv(f64::from))), want);
    let words = array![[0x0102u16, 0xfffe]];
    let want = (2, 1, 1, 16, vec![1, 2, 0xff, 0xfe]);
    assert_eq!(image(Image::from_hwc(&words)), want);
}

#[test]
fn a_shape_that_is_no_image_is_refused_with_what_to_do() {
    let of = |shape: &[usize]| ArrayD::<f32>::zeros(shape);
    let fits = |axes: &str| format!("[height, width] or {axes} with 1 to 4 channels fits");
    let (last, first) = (
        fits("[height, width, channels]"),
        fits("[channels, height, width]"),
    );
    for (result, want) in [
        (
            Image::from_hwc(&of(&[3, 28, 30])),
            format!("shape [3, 28, 30] is given, {last}; `from_chw` takes channels first"),
        ),
        (
            Image::from_chw(&of(&[28, 30, 3])),
            format!("shape [28, 30, 3] is given, {first}; `from_hwc` takes channels last"),
        ),
        (
            Image::from_hwc(&of(&[8, 28, 30, 3])),
            format!(
                "shape [8, 28, 30, 3] is given, {last}; of a batch, give each of its `outer_iter()`"
            ),
        ),
        (
            Image::from_chw(&of(&[7, 28, 30])),
            format!("shape [7, 28, 30] is given, {first}"),
        ),
        (
            Image::from_hwc(&of(&[28, 30, 0])),
            format!("shape [28, 30, 0] is given, {last}"),
        ),
        (
            Image::from_hwc(&of(&[784])),
            format!("shape [784] is given, {last}"),
        ),
        (
            Image::from_hwc(&of(&[])),
            format!("shape [] is given, {last}"),
        ),
        (
            Image::from_hwc(&of(&[0, 30, 3])),
            "shape [0, 30, 3] is given, sides of 1 to 2147483647 pixels fit".into(),
        ),
        (
            Image::from_chw(&of(&[3, 28, 0])),
            "shape [3, 28, 0] is given, sides of 1 to 2147483647 pixels fit".into(),
        ),
        (
            Image::from_chw(&of(&[0, 1 << 40])),
            "shape [0, 1099511627776] is given, sides of 1 to 2147483647 pixels fit".into(),
        ),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }));
        assert_eq!(error.to_string(), format!("image array: {want}"));
    }
}

#[test]
fn points_are_the_rows_of_an_array() {
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
        ((3, 0), "dimensions: 0 are given, 1 or more fit"),
        (
            (1, 3),
            "vectors: 1 are given, 2 or more fit: the projector lists no fewer",
        ),
    ] {
        let error = Embedding::from_array("p", &Array2::<f32>::zeros(shape)).unwrap_err();
        assert_eq!(error.to_string(), want);
    }
}
