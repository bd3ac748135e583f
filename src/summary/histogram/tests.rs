mod edges;
mod whole;

use std::cell::Cell;
use std::iter;

use prost::Message;

use super::*;
use crate::proto::summary::value::Value as Data;
use crate::proto::summary_metadata::PluginData;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataClass, DataType, SummaryMetadata, TensorProto, TensorShapeProto};

/// The least positive number.
const TINY: f64 = f64::from_bits(1);

fn with_buckets<T: Scalar>(values: &[T], buckets: usize) -> Vec<[f64; 3]> {
    Histogram::with_buckets(values, buckets).unwrap().rows
}

#[test]
fn a_bucket_has_its_left_edge_and_the_last_one_both() {
    let want = [[0.0, 2.0, 2.0], [2.0, 4.0, 3.0]];
    assert_eq!(with_buckets(&[4, 0, 1, 2, 3], 2), want);
    assert_eq!(with_buckets(&[0.0f32, 1.0, 2.0, 3.0, 4.0], 2), want);
    assert_eq!(with_buckets(&[0.0, 1.0, 2.0, 3.0, 4.0], 2), want);
    assert_eq!(with_buckets(&[0u8, 1, 2, 3, 4], 2), want);
    assert_eq!(with_buckets(&[0i128, 1, 2, 3, 4], 2), want);
    assert_eq!(with_buckets(&[0, 1, 2, 3, 4], 1), [[0.0, 4.0, 5.0]]);
    // 3 * 0.1 is 0.30000000000000004 in an f64, and 0.3 is below it.
    let rows = with_buckets(&[0.0, 0.3, 1.0], 10);
    assert_eq!(rows[2], [0.2, 0.1 * 3.0, 1.0]);
    assert_eq!(rows[3][2], 0.0);
}

#[test]
fn there_are_30_buckets_unless_said() {
    // From 0 to 60, of width 2; bucket i has 2i and 2i + 1, the last one 60, too.
    let values: Vec<u16> = (0..=60).collect();
    let want: Vec<[f64; 3]> = (0..30)
        .map(|i| f64::from(2 * i))
        .map(|left| [left, left + 2.0, if left == 58.0 { 3.0 } else { 2.0 }])
        .collect();
    assert_eq!(Histogram::from(&values).rows, want);
    assert_eq!(Histogram::from(&values[..]).rows, want);
    assert_eq!(Histogram::from(values).rows, want);
    assert_eq!(Histogram::from([false, true, true]).rows.len(), 30);
    assert_eq!(Histogram::from(&[1i8, -1]).rows.len(), 30);
}

#[test]
fn equal_values_are_in_one_bucket_and_none_in_none() {
    assert_eq!(
        Histogram::from([0.1f32; 7]).rows,
        [[f64::from(0.1f32), f64::from(0.1f32), 7.0]]
    );
    assert_eq!(Histogram::from([-3i64]).rows, [[-3.0, -3.0, 1.0]]);
    assert_eq!(
        Histogram::from([f64::MAX; 2]).rows,
        [[f64::MAX, f64::MAX, 2.0]]
    );
    assert_eq!(with_buckets(&[5u8; 3], 100), [[5.0, 5.0, 3.0]]);
    // The two zeros are equal, and the positive one shows.
    for zeros in [[0.0, -0.0], [-0.0, 0.0], [-0.0, -0.0]] {
        let rows = Histogram::from(zeros).rows;
        assert_eq!(rows, [[0.0, 0.0, 2.0]]);
        assert!(rows[0][0].is_sign_positive() && rows[0][1].is_sign_positive());
    }
    let none: [f32; 0] = [];
    assert_eq!(Histogram::from(none).rows, [[0.0; 3]; 0]);
    assert_eq!(Histogram::from_chunks([&none[..]; 3]).rows, [[0.0; 3]; 0]);
    assert_eq!(
        Histogram::from_chunks(iter::empty::<&[u8]>()).rows,
        [[0.0; 3]; 0]
    );
}

#[test]
fn numbers_that_are_not_finite_are_counted_apart() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for (values, rows, non_finite) in [
        (
            &[nan, 1.0, -inf, 3.0, inf, inf, 2.0][..],
            &[[1.0, 2.0, 1.0], [2.0, 3.0, 2.0]][..],
            4,
        ),
        (
            &[1.0, 2.0, 3.0, nan],
            &[[1.0, 2.0, 1.0], [2.0, 3.0, 2.0]],
            1,
        ),
        (
            &[1.0, 2.0, 3.0, inf],
            &[[1.0, 2.0, 1.0], [2.0, 3.0, 2.0]],
            1,
        ),
        (
            &[-inf, 1.0, 2.0, 3.0],
            &[[1.0, 2.0, 1.0], [2.0, 3.0, 2.0]],
            1,
        ),
        (&[7.0, nan, 7.0], &[[7.0, 7.0, 2.0]], 1),
        (&[nan, nan], &[], 2),
        (&[inf], &[], 1),
        (&[-inf, inf], &[], 2),
    ] {
        let histogram = Histogram::with_buckets(values, 2).unwrap();
        assert_eq!(histogram.rows, rows, "{values:?}");
        assert_eq!(histogram.non_finite, non_finite, "{values:?}");
        let values = as_f32(values);
        assert_eq!(
            Histogram::with_buckets(&values, 2).unwrap(),
            histogram,
            "{values:?}"
        );
    }
    // Where the edges decide alone, too: the range is more than an f64 holds.
    let wide = Histogram::with_buckets(&[-1e308, nan, 1e308, inf, -inf], 2).unwrap();
    assert_eq!(wide.rows, [[-1e308, 0.0, 1.0], [0.0, 1e308, 1.0]]);
    assert_eq!(wide.non_finite, 3);
}

#[test]
fn the_least_numbers_have_buckets() {
    // An edge is the nearest multiple of the least number.
    let values = [0.0, TINY, 2.0 * TINY];
    assert_eq!(
        with_buckets(&values, 2),
        [[0.0, TINY, 1.0], [TINY, 2.0 * TINY, 2.0]]
    );
    // Edge i is i / 15 times the least: 0 up to edge 7, 1 up to edge 22. Of equal edges the last one counts.
    let rows = with_buckets(&values, 30);
    for (i, row) in rows.iter().enumerate() {
        let want = match i {
            7 => [0.0, TINY, 1.0],
            22 => [TINY, 2.0 * TINY, 1.0],
            29 => [2.0 * TINY, 2.0 * TINY, 1.0],
            0..7 => [0.0; 3],
            8..22 => [TINY, TINY, 0.0],
            _ => [2.0 * TINY, 2.0 * TINY, 0.0],
        };
        assert_eq!(*row, want, "{i}");
    }
    // The least f32 are normal numbers as f64.
    let tiny = f32::from_bits(1);
    let unit = f64::from(tiny);
    let want = [[-unit, 0.5 * unit, 2.0], [0.5 * unit, 2.0 * unit, 1.0]];
    assert_eq!(with_buckets(&[-tiny, 0.0, 2.0 * tiny], 2), want);
}

#[test]
fn the_largest_numbers_have_buckets() {
    let want = [
        [-1e308, -5e307, 1.0],
        [-5e307, 0.0, 0.0],
        [0.0, 5e307, 1.0],
        [5e307, 1e308, 1.0],
    ];
    assert_eq!(with_buckets(&[-1e308, 0.0, 1e308], 4), want);
    let (min, max) = (f64::MIN, f64::MAX);
    assert_eq!(with_buckets(&[min, max], 1), [[min, max, 2.0]]);
    assert_eq!(
        with_buckets(&[max, min, 0.0], 2),
        [[min, 0.0, 1.0], [0.0, max, 2.0]]
    );
    let rows = with_buckets(&[min, max], 4096);
    assert_eq!((rows[0][0], rows[4095][1]), (min, max));
    assert!(rows.iter().all(|[left, right, _]| left < right));
    let (min, max) = (f32::MIN, f32::MAX);
    let want = [[f64::from(min), 0.0, 1.0], [0.0, f64::from(max), 2.0]];
    assert_eq!(with_buckets(&[min, max, 0.0], 2), want);
}

#[test]
fn counts_are_exact_beyond_the_precision_of_f32() {
    // 2^24 and 2^24 + 1 are the same f32. 4,096 times 4,096 ones and 3 more, and two zeros.
    let ones = [1.0f32; 4096];
    let chunks = iter::repeat_n(&ones[..], 4096).chain([&[0.0, 1.0, 1.0, 1.0, 0.0][..]]);
    let rows = Histogram::from_chunks_with_buckets(chunks, 2).unwrap().rows;
    assert_eq!(rows, [[0.0, 0.5, 2.0], [0.5, 1.0, 16_777_219.0]]);
    let chunks = iter::repeat_n(&ones[..], 4096).chain([&[1.0][..]]);
    assert_eq!(
        Histogram::from_chunks(chunks).rows,
        [[1.0, 1.0, 16_777_217.0]]
    );
}

#[test]
fn an_integer_beyond_2_to_the_53_counts_as_the_nearest_f64() {
    // Between 2^53 and 2^54 the even ones are f64, and 2^53 + 1 becomes 2^53; so does the edge in the middle.
    let least = 1i64 << 53;
    let edge = least as f64;
    let want = [[edge, edge, 0.0], [edge, edge + 2.0, 3.0]];
    assert_eq!(with_buckets(&[least, least + 1, least + 2], 2), want);
    // u64::MAX is 2^64 - 1, and 2^64 is the nearest.
    let high = 2f64.powi(64);
    assert_eq!(
        with_buckets(&[0, u64::MAX], 2),
        [[0.0, high / 2.0, 1.0], [high / 2.0, high, 1.0]]
    );
    let (low, high) = (-(2f64.powi(127)), 2f64.powi(127));
    assert_eq!(
        with_buckets(&[i128::MIN, i128::MAX], 2),
        [[low, 0.0, 1.0], [0.0, high, 1.0]]
    );
    assert_eq!(
        Histogram::from([u128::MAX]).rows,
        [[2f64.powi(128), 2f64.powi(128), 1.0]]
    );
}

/// What is not finite, and the ends of what is.
const ODD: [f64; 5] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
];

fn as_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

/// The slow, obvious loop: the last of the buckets whose left edge a value is not below.
fn check<T: Scalar + std::fmt::Debug>(values: &[T], buckets: usize) {
    let histogram = Histogram::with_buckets(values, buckets).unwrap();
    let rows = &histogram.rows;
    let finite: Vec<f64> = to_f64(values)
        .into_iter()
        .filter(|value| value.is_finite())
        .collect();
    assert_eq!(histogram.non_finite, (values.len() - finite.len()) as u64);
    let (low, high) = finite
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    if low >= high {
        let want: &[[f64; 3]] = &[[low, high, finite.len() as f64]];
        assert_eq!(rows, &want[..usize::from(low == high)]);
        return;
    }
    assert_eq!(rows.len(), buckets);
    assert_eq!((rows[0][0], rows[buckets - 1][1]), (low, high));
    for (i, pair) in rows.windows(2).enumerate() {
        assert_eq!(pair[0][1], pair[1][0], "no gap");
        // Weighted ends, which do not overflow.
        let share = (i + 1) as f64 / buckets as f64;
        let even = low * (1.0 - share) + high * share;
        let error = (low.abs().max(high.abs()) * 1e-15).max(2.0 * TINY);
        assert!(
            (pair[0][1] - even).abs() <= error,
            "edge {} of {low} to {high}",
            i + 1
        );
    }
    let mut counts = vec![0; buckets];
    for value in finite {
        let mut bucket = 0;
        while bucket + 1 < buckets && rows[bucket + 1][0] <= value {
            bucket += 1;
        }
        counts[bucket] += 1;
    }
    for (i, (row, count)) in rows.iter().zip(counts).enumerate() {
        assert!(row[0] <= row[1], "bucket {i}: {row:?}");
        assert_eq!(
            row[2],
            f64::from(count),
            "bucket {i}: {row:?} of {values:?}"
        );
    }
}

#[test]
fn a_programs_own_counts_are_kept() {
    let histogram = Histogram::from_buckets(&[-1.5, 0.0, 0.0, 2.0], &[0.5, 0.0, 3.0]).unwrap();
    assert_eq!(
        histogram.rows,
        [[-1.5, 0.0, 0.5], [0.0, 0.0, 0.0], [0.0, 2.0, 3.0]]
    );
    let histogram = Histogram::from_buckets(&[0, 18, 65], &[1u64 << 24, (1 << 24) + 1]).unwrap();
    assert_eq!(
        histogram.rows,
        [[0.0, 18.0, 16_777_216.0], [18.0, 65.0, 16_777_217.0]]
    );
    let none: [u8; 0] = [];
    assert_eq!(
        Histogram::from_buckets(&[1.0], &none).unwrap().rows,
        [[0.0; 3]; 0]
    );
}

#[test]
fn what_is_no_histogram_is_refused_with_what_fits() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for (result, want) in [
        (
            Histogram::with_buckets(&[1.0], 0),
            "buckets: 0 are given, from 1 to 4096 fit",
        ),
        (
            Histogram::from_chunks_with_buckets([&[1u8][..]], 4097),
            "buckets: 4097 are given, from 1 to 4096 fit",
        ),
        (
            Histogram::from_buckets(&[0.0, 1.0], &[1, 2]),
            "edges: 2 are given, one more than the 2 counts fit",
        ),
        (
            Histogram::from_buckets::<f32, f32>(&[], &[]),
            "edges: 0 are given, one more than the 0 counts fit",
        ),
        (
            Histogram::from_buckets(&[0.0, nan], &[1]),
            "edges: number 1 is NaN, a finite one fits",
        ),
        (
            Histogram::from_buckets(&[-inf, 0.0], &[1]),
            "edges: number 0 is -inf, a finite one fits",
        ),
        (
            Histogram::from_buckets(&[0.0, 2.0, 1.0], &[1, 1]),
            "edges: number 2 is 1, 2 or more fits",
        ),
        (
            Histogram::from_buckets(&[0.0, 1.0], &[-1]),
            "counts: number 0 is -1, a finite one of 0 or more fits",
        ),
        (
            Histogram::from_buckets(&[0.0, 1.0, 2.0], &[0.0, inf]),
            "counts: number 1 is inf, a finite one of 0 or more fits",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), want);
    }
}

fn encoded(prefix: &str, tag: &Tag<'_>, histogram: &Histogram) -> Vec<u8> {
    let value = HistogramValue::new(prefix, tag, histogram);
    let mut bytes = Vec::new();
    value.append_to(&mut bytes);
    assert_eq!(value.encoded_len(), bytes.len());
    bytes
}

#[test]
fn a_histogram_is_a_tensor_of_rows() {
    let made = Histogram::from_buckets(&[0.0, 0.5], &[2]).unwrap();
    let tag = Tag::new("w").description("d");
    // Summary.Value, assembled by hand from the wire format; 0.5 is 0x3fe << 52 and 2.0 is 0x400 << 52.
    let want = [
        &b"\x0a\x07scope/w"[..],                        // tag
        b"\x42\x26\x08\x02\x12\x08",                    // tensor: DT_DOUBLE, shape
        b"\x12\x02\x08\x01\x12\x02\x08\x03",            // of 1 and 3
        b"\x22\x18\0\0\0\0\0\0\0\0",                    // tensor_content: left
        b"\0\0\0\0\0\0\xe0\x3f\0\0\0\0\0\0\0\x40",      // right, count
        b"\x4a\x13\x0a\x0c\x0a\x0ahistograms\x1a\x01d", // metadata: plugin_data, summary_description
        b"\x20\x02",                                    // data_class: DATA_CLASS_TENSOR
    ]
    .concat();
    assert_eq!(encoded("scope/", &tag, &made), want);
    assert_eq!(non_finite("scope/", &tag, &made), None);

    let none: [f32; 0] = [];
    // No rows: a dimension of 0 has no bytes, and the content none either.
    let want = b"\x0a\x01w\x42\x0a\x08\x02\x12\x06\x12\0\x12\x02\x08\x03\
        \x4a\x10\x0a\x0c\x0a\x0ahistograms\x20\x02";
    assert_eq!(encoded("", &Tag::new("w"), &none.into()), want);
}

#[test]
fn random_histograms_have_the_bytes_that_prost_encodes() {
    let mut random = fastrand::Rng::with_seed(46);
    for case in 0..3000 {
        let mut below = |most: &[usize]| {
            let most = most[random.usize(..most.len())];
            random.usize(..most)
        };
        let mut text = || "é".repeat(below(&[1, 3, 70, 9_000]));
        let (prefix, name) = (text(), text());
        let tag = Tag::new(&name).description(text()).display_name(text());
        let buckets = below(&[1, 2, 31, 200, 4097]);
        let mut number = || f64::from_bits(random.u64(..));
        let made = Histogram {
            rows: (0..buckets)
                .map(|_| [number(), number(), number()])
                .collect(),
            non_finite: 0,
        };
        let dim = [buckets, 3].map(|size| Dim {
            size: size as i64,
            name: String::new(),
        });
        let want = Value {
            tag: format!("{prefix}{name}"),
            metadata: Some(SummaryMetadata {
                plugin_data: Some(PluginData {
                    plugin_name: "histograms".into(),
                    content: Vec::new(),
                }),
                display_name: tag.display_name.to_string(),
                summary_description: tag.description.to_string(),
                data_class: DataClass::Tensor.into(),
            }),
            value: Some(Data::Tensor(Box::new(TensorProto {
                dtype: DataType::DtDouble.into(),
                tensor_shape: Some(TensorShapeProto {
                    dim: dim.into(),
                    unknown_rank: false,
                }),
                tensor_content: made
                    .rows
                    .iter()
                    .flatten()
                    .flat_map(|number| number.to_le_bytes())
                    .collect(),
                ..Default::default()
            }))),
        }
        .encode_to_vec();
        assert!(encoded(&prefix, &tag, &made) == want, "case {case}");
    }
}

#[test]
fn what_is_left_out_is_a_scalar_beside() {
    let tag = Tag::new("w").description("weights").display_name("Weights");
    let made = Histogram::from([1.0, f32::NAN, f32::INFINITY]);
    let scalar = non_finite("scope/", &tag, &made).unwrap();
    assert_eq!(scalar.tag, "scope/w/non_finite");
    assert_eq!(scalar.scalar(), Some(2.0));
    let metadata = scalar.metadata.unwrap();
    assert_eq!(metadata.display_name, "Weights/non_finite");
    assert_eq!(
        metadata.summary_description,
        "How many values were NaN or infinite: the histogram leaves them out."
    );
    let scalar = non_finite("", &Tag::new("w"), &[f64::NAN].into());
    assert_eq!(scalar.unwrap().metadata.unwrap().display_name, "");
}

#[cfg(feature = "half")]
#[test]
fn halves_are_numbers_too() {
    use half::{bf16, f16};

    let mut random = fastrand::Rng::with_seed(45);
    for _ in 0..100 {
        let halves: Vec<f16> = (0..300).map(|_| f16::from_bits(random.u16(..))).collect();
        check(&halves, 30);
        let halves: Vec<bf16> = (0..300).map(|_| bf16::from_bits(random.u16(..))).collect();
        check(&halves, 30);
        // Most of those have a NaN among them.
        let (one, other) = (random.u16(..), random.u16(..));
        for bits in [[one, other], [one, one ^ 1]] {
            check(&bits.map(f16::from_bits), 30);
            check(&bits.map(bf16::from_bits), 30);
        }
    }
    for [low, high] in [
        [-1.5, -0.5],
        [-1.5, 0.5],
        [0.5, 1.5],
        [-0.0, 1.5],
        [-1.5, 0.0],
    ] {
        for values in [[low, high], [high, low]] {
            let rows = with_buckets(&values.map(f16::from_f64), 1);
            assert_eq!(rows, [[low, high, 2.0]]);
            let rows = with_buckets(&values.map(bf16::from_f64), 1);
            assert_eq!(rows, [[low, high, 2.0]]);
        }
    }
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    for odd in [nan, -nan, inf, -inf] {
        let halves = [1.0, odd, 2.0].map(bf16::from_f32);
        let histogram = Histogram::with_buckets(&halves, 1).unwrap();
        assert_eq!(histogram.rows, [[1.0, 2.0, 2.0]]);
        assert_eq!(histogram.non_finite, 1);
    }
    assert_eq!(Histogram::from([f16::MAX]).rows, [[65504.0, 65504.0, 1.0]]);
    assert_eq!(Histogram::from([bf16::NAN; 2]).non_finite, 2);
}

/// Chunks of which the first clones have others.
struct Changing<'a, T> {
    chunks: &'a [&'a [T]],
    of_clones: &'a [&'a [T]],
    clones: Cell<usize>,
}

impl<T> Clone for Changing<'_, T> {
    fn clone(&self) -> Self {
        let left = self.clones.get().checked_sub(1);
        self.clones.set(left.unwrap_or_default());
        Self {
            chunks: left.map_or(self.chunks, |_| self.of_clones),
            of_clones: self.of_clones,
            clones: Cell::default(),
        }
    }
}

impl<'a, T> Iterator for Changing<'a, T> {
    type Item = &'a [T];

    fn next(&mut self) -> Option<Self::Item> {
        self.chunks.split_off_first().copied()
    }
}

/// Lets only the first passes see `first`, which is in order but for what is not finite.
fn check_that_change<T: Scalar>(first: &[T], mut later: &[T], buckets: usize) {
    let later = [0, 1, 63, 64, 65, 300].map(|len| later.split_off(..len).unwrap());
    for passes in 1..=2 {
        let changing = Changing {
            chunks: &later,
            of_clones: &[first],
            clones: Cell::new(passes),
        };
        let histogram = Histogram::from_chunks_with_buckets(changing, buckets).unwrap();
        let rows = &histogram.rows;
        assert!(rows.iter().all(|row| row[0] <= row[1] && row[2] >= 0.0));
        let mut values = to_f64(first);
        if passes == 1 && values.iter().any(|value| !value.is_finite()) {
            continue; // The second pass finds the ends.
        }
        values.retain(|value| value.is_finite());
        let ends = (values[0], values[values.len() - 1]);
        assert_eq!((rows[0][0], rows[rows.len() - 1][1]), ends);
    }
}

#[test]
fn chunks_that_change_are_no_reason_to_panic() {
    let mut random = fastrand::Rng::with_seed(53);
    // Whole numbers, others, some that are near edges, many such, and what only the edges place; from the lowest to the highest.
    for (low, step) in [
        (0.0, 1.0),
        (0.1, 0.003),
        (1e12, 0.25),
        (1e14, 0.25),
        (-1e308, 3e306),
    ] {
        let finite: Vec<f64> = (0..50).map(|i| low + step * f64::from(i)).collect();
        for round in 0..200 {
            let not_finite = &ODD[..random.usize(..4)];
            let first = [&finite[..], not_finite].concat();
            let buckets = [1, 3, 30, 128, 129, 4096][random.usize(..6)];
            let later: Vec<f64> = (0..493)
                .map(|_| match round % 4 {
                    3 => low + step * 40.0,
                    _ if random.u8(..50) == 0 => ODD[random.usize(..5)],
                    0 => low + step * f64::from(random.i32(-500..500)),
                    1 => low + step * (random.f64() - 0.5) * 100.0,
                    _ => ODD[random.usize(..5)],
                })
                .collect();
            check_that_change(&first, &later, buckets);
            let (first, later) = (as_f32(&first), as_f32(&later));
            if first[..50].iter().all(|value| value.is_finite()) {
                check_that_change(&first, &later, buckets);
            }
        }
    }
}
