use std::cell::Cell;
use std::fmt::Debug;
use std::iter;
use std::slice;

use prost::Message;

use super::*;

/// The smallest positive number.
const TINY: f64 = f64::from_bits(1);

/// NaN, the infinities, and the largest finite numbers.
const ODD: [f64; 5] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
];

fn with_buckets<T: Scalar>(values: &[T], buckets: usize) -> Vec<Row> {
    Histogram::with_buckets(values, buckets).unwrap().rows
}

fn as_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

/// Compares a histogram with the formula in `f64`. A value within a rounding error of an edge may be in either bucket.
fn check<T: Scalar + Debug>(values: &[T], buckets: usize) {
    let histogram = Histogram::with_buckets(values, buckets).unwrap();
    let rows = &histogram.rows;
    let finite: Vec<f64> = to_f64(values)
        .into_iter()
        .filter(|value| value.is_finite())
        .collect();
    assert_eq!(histogram.non_finite, (values.len() - finite.len()) as u64);
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low >= high {
        let value = if low > high { 0.0 } else { low };
        assert_eq!(*rows, equal(value, finite.len() as f64, buckets));
        return;
    }

    assert_eq!(rows.len(), buckets);
    assert_eq!((rows[0][0], rows[buckets - 1][1]), (low, high));
    for (i, pair) in rows.windows(2).enumerate() {
        assert_eq!(pair[0][1], pair[1][0], "there is a gap");
        // Weighted ends, which do not overflow.
        let share = (i + 1) as f64 / buckets as f64;
        let want = low * (1.0 - share) + high * share;
        let error = (low.abs().max(high.abs()) * 1e-15).max(2.0 * TINY);
        let edge = pair[0][1];
        assert!((edge - want).abs() <= error, "edge {edge}, want {want}");
    }
    assert!(rows.iter().all(|row| row[0] <= row[1]));

    // So that neither the range overflows nor the width loses digits.
    let factor = match high - low {
        f64::INFINITY => 0.25,
        range if range < 1e-200 => 2f64.powi(200),
        _ => 1.0,
    };
    let width = (high * factor - low * factor) / buckets as f64;
    // An f32 has 24 bits, and a position up to 30 takes 5 of them. An f64 has 53 bits.
    let error = if T::FITS_F32 { 1e-5 } else { 1e-11 };
    // How many values are in each bucket if each is as far to the right, or to the left, as the error allows.
    let counts = |error: f64| {
        let mut counts = vec![0.0; buckets];
        for value in &finite {
            let position = (value * factor - low * factor) / width + error;
            counts[(position as usize).min(buckets - 1)] += 1.0;
        }
        counts
    };
    let (mut counted, mut least, mut most) = (0.0, 0.0, 0.0);
    for (i, (right, left)) in iter::zip(counts(error), counts(-error)).enumerate() {
        counted += rows[i][2];
        least += right;
        most += left;
        assert!(
            least <= counted && counted <= most,
            "{counted} values are up to bucket {i}, want {least} to {most}: {rows:?} {values:?}"
        );
    }
    assert_eq!(counted, finite.len() as f64);
}

#[test]
fn a_bucket_contains_its_left_edge_and_the_last_one_both_edges() {
    let want = [[0.0, 2.0, 2.0], [2.0, 4.0, 3.0]];
    assert_eq!(with_buckets(&[4, 0, 1, 2, 3], 2), want);
    assert_eq!(with_buckets(&[0.0f32, 1.0, 2.0, 3.0, 4.0], 2), want);
    assert_eq!(with_buckets(&[0.0, 1.0, 2.0, 3.0, 4.0], 2), want);
    assert_eq!(with_buckets(&[0u8, 1, 2, 3, 4], 2), want);
    assert_eq!(with_buckets(&[0i128, 1, 2, 3, 4], 2), want);
    assert_eq!(with_buckets(&[&0, &1, &2, &3, &4], 2), want);
    assert_eq!(with_buckets(&[0, 1, 2, 3, 4], 1), [[0.0, 4.0, 5.0]]);
}

#[test]
fn there_are_30_buckets_by_default() {
    // From 0 to 60, of width 2: bucket i has 2i and 2i + 1, and the last one also 60.
    let values: Vec<u16> = (0..=60).collect();
    let want: Vec<Row> = (0..30)
        .map(|i| f64::from(2 * i))
        .map(|left| [left, left + 2.0, if left == 58.0 { 3.0 } else { 2.0 }])
        .collect();
    assert_eq!(Histogram::from(&values).rows, want);
    assert_eq!(Histogram::from(&values[..]).rows, want);
    assert_eq!(Histogram::from(values).rows, want);
    assert_eq!(Histogram::from([false, true, true]).rows.len(), 30);
    assert_eq!(Histogram::from(&[1i8, -1]).rows.len(), 30);
}

/// The rows that `tf.summary.histogram` writes for equal values: all buckets have no width, and the last has the values.
fn equal(value: f64, count: f64, buckets: usize) -> Vec<Row> {
    let mut rows = vec![[value, value, 0.0]; buckets];
    rows[buckets - 1][2] = count;
    rows
}

#[test]
fn equal_values_and_no_values_have_the_buckets_of_the_stock_writer() {
    let value = f64::from(0.1f32);
    assert_eq!(Histogram::from([0.1f32; 7]).rows, equal(value, 7.0, 30));
    assert_eq!(Histogram::from([-3i64]).rows, equal(-3.0, 1.0, 30));
    let max = f64::MAX;
    assert_eq!(Histogram::from([max; 2]).rows, equal(max, 2.0, 30));
    assert_eq!(with_buckets(&[5u8; 3], 100), equal(5.0, 3.0, 100));
    assert_eq!(with_buckets(&[5u8; 3], 1), equal(5.0, 3.0, 1));
    // The two zeros are equal, and the positive one is written.
    for zeros in [[0.0, -0.0], [-0.0, 0.0], [-0.0, -0.0]] {
        let rows = Histogram::from(zeros).rows;
        assert_eq!(rows, equal(0.0, 2.0, 30));
        assert!(
            rows.as_flattened()
                .iter()
                .all(|number| number.is_sign_positive())
        );
    }
    let none: [f32; 0] = [];
    let zeros = [[0.0; 3]; 30];
    assert_eq!(Histogram::from(none).rows, zeros);
    assert_eq!(Histogram::from_chunks([&none[..]; 3]).rows, zeros);
    let no_chunks = iter::empty::<&[u8]>();
    assert_eq!(Histogram::from_chunks(no_chunks).rows, zeros);
}

#[test]
fn values_that_are_not_finite_are_counted_separately() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let two = &[[1.0, 2.0, 1.0], [2.0, 3.0, 2.0]][..];
    let none = &[[0.0; 3]; 2];
    for (values, rows, non_finite) in [
        (&[nan, 1.0, -inf, 3.0, inf, inf, 2.0][..], two, 4),
        (&[1.0, 2.0, 3.0, nan], two, 1),
        (&[1.0, 2.0, 3.0, inf], two, 1),
        (&[-inf, 1.0, 2.0, 3.0], two, 1),
        (&[7.0, nan, 7.0], &[[7.0, 7.0, 0.0], [7.0, 7.0, 2.0]], 1),
        (&[nan, nan], none, 2),
        (&[inf], none, 1),
        (&[-inf, inf], none, 2),
    ] {
        let histogram = Histogram::with_buckets(values, 2).unwrap();
        assert_eq!(histogram.rows, rows, "{values:?}");
        assert_eq!(histogram.non_finite, non_finite, "{values:?}");
        let of_f32 = Histogram::with_buckets(&as_f32(values), 2).unwrap();
        assert_eq!(of_f32, histogram, "{values:?}");
    }
    // NaN has many bit patterns.
    for bits in [0x7fff_ffff, 0xffff_ffff, 0x7fc0_0000, 0xffc0_0001] {
        let histogram = Histogram::new(&[1.0, f32::from_bits(bits), 2.0]);
        assert_eq!(histogram.non_finite, 1, "{bits:#x}");
    }
    // The range is more than an f64 represents.
    let wide = Histogram::with_buckets(&[-1e308, nan, 1e308, inf, -inf], 2).unwrap();
    assert_eq!(wide.rows, [[-1e308, 0.0, 1.0], [0.0, 1e308, 1.0]]);
    assert_eq!(wide.non_finite, 3);
}

#[test]
fn the_smallest_numbers_have_buckets() {
    // An edge is the nearest multiple of the smallest number.
    let values = [0.0, TINY, 2.0 * TINY];
    let rows = with_buckets(&values, 2);
    assert_eq!(rows, [[0.0, TINY, 1.0], [TINY, 2.0 * TINY, 2.0]]);
    check(&values, 30);
    check(&values, 4096);
    // The smallest f32 are normal numbers as f64.
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
    let rows = with_buckets(&[max, min, 0.0], 2);
    assert_eq!(rows, [[min, 0.0, 1.0], [0.0, max, 2.0]]);
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
    let rows = Histogram::from_chunks(chunks).rows;
    assert_eq!(rows, equal(1.0, 16_777_217.0, 30));
}

#[test]
fn an_integer_beyond_2_to_the_53_counts_as_the_nearest_f64() {
    // Between 2^53 and 2^54 an f64 represents only even integers, so 2^53 + 1 becomes 2^53. So does the edge in the middle.
    let least = 1i64 << 53;
    let rows = with_buckets(&[least, least + 1, least + 2], 2);
    let edge = least as f64;
    assert_eq!(rows, [[edge, edge, 2.0], [edge, edge + 2.0, 1.0]]);
    // u64::MAX is 2^64 - 1, and 2^64 is the nearest.
    let high = 2f64.powi(64);
    let want = [[0.0, high / 2.0, 1.0], [high / 2.0, high, 1.0]];
    assert_eq!(with_buckets(&[0, u64::MAX], 2), want);
    let (low, high) = (-(2f64.powi(127)), 2f64.powi(127));
    let want = [[low, 0.0, 1.0], [0.0, high, 1.0]];
    assert_eq!(with_buckets(&[i128::MIN, i128::MAX], 2), want);
    let high = 2f64.powi(128);
    assert_eq!(Histogram::from([u128::MAX]).rows, equal(high, 1.0, 30));
}

/// Values of all sizes, on edges and next to them, clustered, and with ties.
fn random_values(random: &mut fastrand::Rng, buckets: usize) -> Vec<f64> {
    let len = [1, 2, 3, 63, 64, 65, 200, 1000][random.usize(..8)];
    let size = 2f64.powi(random.i32(-1080..1024));
    let low = (random.f64() - 0.5) * size;
    let span = match random.u8(..4) {
        0 => random.f64() * size,
        1 => low.abs() * 2f64.powi(-random.i32(0..53)),
        2 => low.abs() * f64::EPSILON * random.f64() * 100.0,
        _ => size,
    };
    let which = random.u8(..7);
    let mut values: Vec<f64> = (0..len)
        .map(|_| match which {
            0 => low + span * random.f64(),
            1 => low + span * random.usize(..=buckets) as f64 / buckets as f64,
            2 => {
                let edge = low + span / buckets as f64 * random.usize(..=buckets) as f64;
                [edge.next_down(), edge, edge.next_up()][random.usize(..3)]
            }
            3 => f64::from_bits(random.u64(..)),
            4 => low + span * random.f64().powi(20),
            5 => random.u8(..40).into(),
            _ => (low + span * random.f64()).max(0.0),
        })
        .collect();
    if random.u8(..4) == 0 {
        for _ in 0..random.usize(..4) {
            values[random.usize(..len)] = ODD[random.usize(..ODD.len())];
        }
    }
    values
}

#[test]
fn random_values_are_in_the_buckets_of_the_formula() {
    let mut random = fastrand::Rng::with_seed(42);
    for _ in 0..600 {
        let buckets = [1, 2, 3, 7, 29, 30, 30, 30, 31, 64, 300][random.usize(..11)];
        let values = random_values(&mut random, buckets);
        check(&values, buckets);
        let values = as_f32(&values);
        check(&values, buckets);
        let integers: Vec<i64> = values.iter().map(|value| *value as i64).collect();
        check(&integers, buckets);
        let bytes: Vec<u8> = integers.iter().map(|value| *value as u8).collect();
        check(&bytes, buckets);
    }
    check(&random_values(&mut random, 4096), 4096);
}

#[test]
fn chunks_make_no_difference() {
    let mut random = fastrand::Rng::with_seed(44);
    for _ in 0..200 {
        let values = random_values(&mut random, 30);
        let whole = Histogram::new(&values);
        let mut chunks = Vec::new();
        let mut rest = &values[..];
        while !rest.is_empty() {
            let (chunk, more) = rest.split_at(random.usize(..=rest.len().min(150)));
            chunks.push(chunk);
            rest = more;
        }
        assert_eq!(Histogram::from_chunks(chunks), whole);
        let single = values.iter().map(slice::from_ref);
        assert_eq!(Histogram::from_chunks(single), whole);
    }
}

#[test]
fn counts_of_the_program_are_kept() {
    let histogram = Histogram::from_buckets(&[-1.5, 0.0, 0.0, 2.0], &[0.5, 0.0, 3.0]).unwrap();
    let want = [[-1.5, 0.0, 0.5], [0.0, 0.0, 0.0], [0.0, 2.0, 3.0]];
    assert_eq!(histogram.rows, want);
    let histogram = Histogram::from_buckets(&[0, 18, 65], &[1u64 << 24, (1 << 24) + 1]).unwrap();
    let want = [[0.0, 18.0, 16_777_216.0], [18.0, 65.0, 16_777_217.0]];
    assert_eq!(histogram.rows, want);
    let none: [u8; 0] = [];
    let histogram = Histogram::from_buckets(&[1.0], &none).unwrap();
    assert_eq!(histogram.rows, [[0.0; 3]; 0]);
}

#[test]
fn an_invalid_histogram_is_rejected_with_the_reason() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for (result, want) in [
        (
            Histogram::with_buckets(&[1.0], 0),
            "buckets: expected 1 to 4096, got 0",
        ),
        (
            Histogram::from_chunks_with_buckets([&[1u8][..]], 4097),
            "buckets: expected 1 to 4096, got 4097",
        ),
        (
            Histogram::from_buckets(&[0.0, 1.0], &[1, 2]),
            "edges: expected 3, one more than counts, got 2",
        ),
        (
            Histogram::from_buckets::<f32, f32>(&[], &[]),
            "edges: expected 1, one more than counts, got 0",
        ),
        (
            Histogram::from_buckets(&[0.0, nan], &[1]),
            "edges: expected a finite number, got NaN at index 1",
        ),
        (
            Histogram::from_buckets(&[-inf, 0.0], &[1]),
            "edges: expected a finite number, got -inf at index 0",
        ),
        (
            Histogram::from_buckets(&[0.0, 2.0, 1.0], &[1, 1]),
            "edges: expected edges that do not decrease, got 1 after 2",
        ),
        (
            Histogram::from_buckets(&[0.0, 1.0], &[-1]),
            "counts: expected a finite number of at least 0, got -1.0 at index 0",
        ),
        (
            Histogram::from_buckets(&[0.0, 1.0, 2.0], &[0.0, inf]),
            "counts: expected a finite number of at least 0, got inf at index 1",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), want);
    }
}

#[test]
fn the_value_is_a_tensor_of_rows() {
    let of_one = Histogram::from_buckets(&[0.0, 0.5], &[2]).unwrap();
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
    assert_eq!(histogram("scope/", &tag, &of_one).encode_to_vec(), want);
    assert_eq!(non_finite("scope/", &tag, &of_one), None);

    let none: [u8; 0] = [];
    let none = Histogram::from_buckets(&[1.0], &none).unwrap();
    // Without rows a dimension of 0 has no bytes, and there is no content.
    let want = b"\x0a\x01w\x42\x0a\x08\x02\x12\x06\x12\0\x12\x02\x08\x03\
        \x4a\x10\x0a\x0c\x0a\x0ahistograms\x20\x02";
    let got = histogram("", &Tag::new("w"), &none);
    assert_eq!(got.encode_to_vec(), want);
}

#[test]
fn a_scalar_says_how_many_values_are_left_out() {
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
fn halves_are_counted_too() {
    use half::{bf16, f16};

    let mut random = fastrand::Rng::with_seed(45);
    for _ in 0..100 {
        let halves: Vec<f16> = (0..300).map(|_| f16::from_bits(random.u16(..))).collect();
        check(&halves, 30);
        let halves: Vec<bf16> = (0..300).map(|_| bf16::from_bits(random.u16(..))).collect();
        check(&halves, 30);
    }
    for values in [[-1.5, 0.5], [0.5, -1.5]] {
        let want = [[-1.5, 0.5, 2.0]];
        assert_eq!(with_buckets(&values.map(f16::from_f64), 1), want);
        assert_eq!(with_buckets(&values.map(bf16::from_f64), 1), want);
    }
    for odd in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let histogram = Histogram::new(&[1.0, odd, 1.0].map(bf16::from_f32));
        assert_eq!(histogram.rows, equal(1.0, 2.0, 30));
        assert_eq!(histogram.non_finite, 1);
    }
    assert_eq!(Histogram::from([f16::MAX]).rows, equal(65504.0, 1.0, 30));
}

/// Chunks that are others in the first passes.
struct Changing<'a, T> {
    chunks: &'a [&'a [T]],
    first_chunks: &'a [&'a [T]],
    passes: Cell<usize>,
}

impl<T> Clone for Changing<'_, T> {
    fn clone(&self) -> Self {
        let left = self.passes.get().checked_sub(1);
        self.passes.set(left.unwrap_or_default());
        Self {
            chunks: left.map_or(self.chunks, |_| self.first_chunks),
            first_chunks: self.first_chunks,
            passes: Cell::default(),
        }
    }
}

impl<'a, T> Iterator for Changing<'a, T> {
    type Item = &'a [T];

    fn next(&mut self) -> Option<Self::Item> {
        self.chunks.split_off_first().copied()
    }
}

#[test]
fn chunks_that_change_between_the_passes_do_not_panic() {
    fn count<T: Scalar>(first: &[T], later: &[T], passes: usize) {
        for buckets in [1, 30, 4096] {
            let changing = Changing {
                chunks: &[later],
                first_chunks: &[first],
                passes: Cell::new(passes),
            };
            let histogram = Histogram::from_chunks_with_buckets(changing, buckets).unwrap();
            let rows = &histogram.rows;
            assert!(rows.iter().all(|row| row[0] <= row[1] && row[2] >= 0.0));
        }
    }

    let mut later: Vec<f64> = (-100..100).map(|i| f64::from(i) * 0.7).collect();
    later.extend(ODD);
    for first in [&[0.0, 1.0][..], &[3.0], &[], &[-1e308, 1e308], &ODD] {
        for passes in 0..3 {
            count(first, &later, passes);
            count(&as_f32(first), &as_f32(&later), passes);
        }
    }
}
