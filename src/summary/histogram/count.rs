//! Counts values in buckets by the formula of stock `tf.summary.histogram`: `width = (high - low) / buckets` and
//! `index = min(floor((value - low) / width), buckets - 1)`.
//!
//! There are two passes: the first finds the lowest and the highest value, the second counts.

#![allow(clippy::cast_possible_truncation, reason = "the casts round")]

use std::array;
use std::iter;
use std::ops::Neg;

use super::{DEFAULT_BUCKETS, Histogram, Row};
use crate::summary::Scalar;

/// Counts the values of all `chunks`. `buckets` must be at least 1.
pub(super) fn count<'a, T: Scalar + 'a>(
    chunks: impl Iterator<Item = &'a [T]> + Clone,
    buckets: usize,
) -> Histogram {
    let (low, high) = finite_ends(chunks.clone());
    if low > high {
        let values = chunks.map(|chunk| chunk.len() as u64).sum();
        return Histogram::without_range(None, buckets, values);
    }
    // Equal values are counted in one bucket of no width.
    let bucket_count = buckets;
    let buckets = if low < high { buckets } else { 1 };
    // A power of two. All numbers are divided by it, because the range may be too large for an `f64`, or so small that the
    // width would lose digits.
    let unit = match high - low {
        f64::INFINITY => 2.0,
        range if 0.0 < range && range < 1e-290 => 1.0 / (1_u128 << 100) as f64,
        _ => 1.0,
    };
    let start = low / unit;
    let width = (high / unit - start) / buckets as f64;
    let edge = |i| (start + width * f64::from(i)) * unit;
    let numbers = (0..).take(buckets);
    let mut rows: Vec<Row> = numbers.map(|i: i32| [edge(i), edge(i + 1), 0.0]).collect();
    rows[buckets - 1][1] = high;

    let non_finite = if buckets > DEFAULT_BUCKETS || !(1e-30..=1e37).contains(&(high - low)) {
        let position = |value| (value * (1.0 / unit) - start) / width;
        count_one_by_one(chunks, position, &mut rows)
    } else if T::FITS_F32 {
        let (low, per_width) = (low as f32, (1.0 / width) as f32);
        let slot = |value: T| slot_f32((value.to_f32() - low) * per_width);
        count_many_at_once(chunks, slot, &mut rows)
    } else {
        let per_width = 1.0 / width;
        let slot = |value: T| slot_f64((value.to_f64() - low) * per_width);
        count_many_at_once(chunks, slot, &mut rows)
    };
    match rows[..] {
        [row] => Histogram::without_range(Some(row), bucket_count, non_finite),
        _ => Histogram::from_rows(rows, non_finite),
    }
}

/// Adds the values to the rows at their positions. Returns how many values are not finite.
fn count_one_by_one<'a, T: Scalar + 'a>(
    chunks: impl Iterator<Item = &'a [T]>,
    position: impl Fn(f64) -> f64,
    rows: &mut [Row],
) -> u64 {
    let last = rows.len() - 1;
    let mut non_finite = 0;
    for value in chunks.flatten().map(|value| value.to_f64()) {
        if value.is_finite() {
            // The cast rounds down, and makes 0 of the NaN of equal values.
            rows[last.min(position(value) as usize)][2] += 1.0;
        } else {
            non_finite += 1;
        }
    }
    non_finite
}

const SLOTS: usize = 64;

/// Does the same for at most 30 rows and an ordinary range, in a form that the compiler vectorizes. `slot` finds the slot of
/// a value, as [`slot_f32`] does.
fn count_many_at_once<'a, T: Scalar + 'a>(
    chunks: impl Iterator<Item = &'a [T]>,
    slot: impl Fn(T) -> u32,
    rows: &mut [Row],
) -> u64 {
    // Neighbours are counted in different tables, because adding to a count waits for the last change to it.
    let mut tables = [[0_u64; SLOTS]; 4];
    for chunk in chunks {
        let (blocks, rest) = chunk.as_chunks::<128>();
        for block in blocks {
            let mut slots = [0; 128];
            for (to, value) in iter::zip(&mut slots, block) {
                *to = slot(*value);
            }
            for group in slots.as_chunks::<4>().0 {
                for (table, slot) in iter::zip(&mut tables, group) {
                    table[*slot as usize % SLOTS] += 1;
                }
            }
        }
        for value in rest {
            tables[0][slot(*value) as usize % SLOTS] += 1;
        }
    }
    let counts: [u64; SLOTS] = array::from_fn(|i| tables.iter().map(|table| table[i]).sum());
    for (row, count) in iter::zip(rows.iter_mut(), &counts[1..]) {
        row[2] = *count as f64;
    }
    // The highest value is on the right edge of the last bucket.
    let buckets = rows.len();
    rows[buckets - 1][2] += counts[buckets + 1] as f64;
    counts[0] + counts[buckets + 2..].iter().sum::<u64>()
}

/// Returns a number whose last six bits are `1 + floor(position)` for a position from 0 to 30, 0 for an infinity, and at least
/// 32 for NaN.
///
/// In a float between 64 and 128, the first six bits of the fraction are the integer part less 64. A cast to an integer
/// would be plainer, but the compiler does not vectorize it.
fn slot_f32(position: f32) -> u32 {
    (position + 65.0).to_bits() >> (f32::MANTISSA_DIGITS - 1 - 6)
}

fn slot_f64(position: f64) -> u32 {
    ((position + 65.0).to_bits() >> (f64::MANTISSA_DIGITS - 1 - 6)) as u32
}

/// Returns the lowest and the highest finite value; infinity and its negative if there are none.
fn finite_ends<'a, T: Scalar + 'a>(chunks: impl Iterator<Item = &'a [T]> + Clone) -> (f64, f64) {
    let [mut low, mut high] = if T::FITS_F32 {
        ends(chunks.clone(), T::to_f32, f32::INFINITY).map(f64::from)
    } else {
        ends(chunks.clone(), T::to_f64, f64::INFINITY)
    };
    if low == f64::NEG_INFINITY || high == f64::INFINITY {
        let finite = |value: T| Some(value.to_f64()).filter(|value| value.is_finite());
        let or_nan = |value| finite(value).unwrap_or(f64::NAN);
        [low, high] = ends(chunks, or_nan, f64::INFINITY);
    }
    // A negative zero becomes positive.
    (low + 0.0, high + 0.0)
}

/// Returns the lowest and the highest value that is not NaN; `infinity` and its negative if there are none.
fn ends<'a, T: Copy + 'a, F: Copy + PartialOrd + Neg<Output = F>>(
    chunks: impl Iterator<Item = &'a [T]>,
    to_float: impl Fn(T) -> F,
    infinity: F,
) -> [F; 2] {
    const LANES: usize = 8;
    // Both ignore a `value` that is NaN.
    let lower = |low, value| if value < low { value } else { low };
    let higher = |high, value| if value > high { value } else { high };
    let (mut low, mut high) = (infinity, -infinity);
    for chunk in chunks {
        let (groups, rest) = chunk.as_chunks::<LANES>();
        let start = ([low; LANES], [high; LANES]);
        // New arrays, because the compiler does not vectorize a loop that changes arrays in place.
        let (lows, highs) = groups.iter().fold(start, |(lows, highs), group| {
            let values = group.map(&to_float);
            (
                array::from_fn(|i| lower(lows[i], values[i])),
                array::from_fn(|i| higher(highs[i], values[i])),
            )
        });
        let rest = || rest.iter().map(|value| to_float(*value));
        low = lows.into_iter().chain(rest()).fold(low, lower);
        high = highs.into_iter().chain(rest()).fold(high, higher);
    }
    [low, high]
}
