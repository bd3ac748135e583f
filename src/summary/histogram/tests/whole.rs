//! Whole numbers, which are counted each for itself.

use std::iter;

use super::*;

/// Whole numbers from `low` to `low + span`, both of which are there.
fn whole(random: &mut fastrand::Rng, len: usize, low: i64, span: u64) -> Vec<i64> {
    iter::repeat_with(|| low + random.u64(..=span) as i64)
        .take(len)
        .chain([low, low + span as i64])
        .collect()
}

#[test]
fn whole_numbers_are_where_the_edges_say() {
    let mut random = fastrand::Rng::with_seed(48);
    for _ in 0..600 {
        let buckets = [1, 2, 7, 30, 30, 100, 256, 257, 4096][random.usize(..9)];
        let len = [1, 30, 62, 63, 300][random.usize(..5)];
        // Around 256 different ones; and around powers of two up to where not every whole number is a float.
        let span = [1, 2, 30, 90, random.u64(1..255), 255, 256, 1000][random.usize(..8)];
        let far = 1i64 << [0, 7, 22, 23, 24, 25, 51, 52, 53, 54][random.usize(..10)];
        let low = random.i64(-2..=2) * far + random.i64(-300..300);
        let numbers = whole(&mut random, len, low, span);
        check(&numbers, buckets);
        let numbers: Vec<f64> = numbers.iter().map(|number| *number as f64).collect();
        check(&numbers, buckets);
        let numbers: Vec<f32> = numbers.iter().map(|number| *number as f32).collect();
        check(&numbers, buckets);
        let numbers: Vec<i8> = numbers.iter().map(|number| *number as i8).collect();
        check(&numbers, buckets);
    }
}

#[test]
fn whole_numbers_too_large_to_be_shifted_are_where_the_edges_say() {
    // Even ones above -2^25. They would be shifted by more than 2^25, where every fourth number is an f32; likewise 2^54 in an
    // f64.
    for i in 1..100 {
        let numbers: Vec<i64> = (0..60).map(|step| 2 * step - 2 * i).collect();
        let of: Vec<f32> = numbers
            .iter()
            .map(|number| (number - (1 << 25) + 200) as f32)
            .collect();
        check(&of, 30);
        let of: Vec<f64> = numbers
            .iter()
            .map(|number| (number - (1 << 54) + 200) as f64)
            .collect();
        check(&of, 30);
    }
}

#[test]
fn the_two_zeros_are_one_whole_number() {
    let rows = with_buckets(&[-2.0f32, -0.0, 0.0, -0.0, 2.0], 2);
    assert_eq!(rows, [[-2.0, 0.0, 1.0], [0.0, 2.0, 4.0]]);
    let rows = with_buckets(&[-0.0, 1.0, -0.0, 0.0], 2);
    assert_eq!(rows, [[0.0, 0.5, 3.0], [0.5, 1.0, 1.0]]);
}

#[test]
fn one_value_that_is_no_whole_number_is_where_the_edges_say() {
    let mut random = fastrand::Rng::with_seed(49);
    for _ in 0..600 {
        let buckets = [1, 2, 30, 256, 4096][random.usize(..5)];
        let low = random.i64(-100..=0);
        let span = random.u64(1..256);
        let mut values: Vec<f64> = whole(&mut random, 300, low, span)
            .into_iter()
            .map(|number| number as f64)
            .collect();
        let number = (low + random.u64(1..=span) as i64) as f64;
        // What is told from a whole number only before anything is added to it, too.
        let odd = match random.u8(..5) {
            0 => number - random.f64(),
            1 => number.next_down(),
            2 => f64::from((number as f32).next_down()),
            3 => -TINY,
            _ => -f64::from(f32::from_bits(1)),
        };
        let i = random.usize(..300);
        if odd >= low as f64 {
            values[i] = odd;
        }
        check(&values, buckets);
        let mut values = as_f32(&values);
        check(&values, buckets);
        values[i] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][random.usize(..3)];
        check(&values, buckets);
    }
}

#[test]
fn whole_numbers_are_counted_beyond_a_full_table() {
    // 2^16 - 1 in one place, and many more than that; and one that is found to be no whole number after all those.
    let mut values = vec![3.0f32; 300_000];
    values.extend([0.0, 4.0]);
    let rows = with_buckets(&values, 4);
    let want = [
        [0.0, 1.0, 1.0],
        [1.0, 2.0, 0.0],
        [2.0, 3.0, 0.0],
        [3.0, 4.0, 300_001.0],
    ];
    assert_eq!(rows, want);
    values.push(2.5);
    let rows = with_buckets(&values, 4);
    let want = [want[0], want[1], [2.0, 3.0, 1.0], want[3]];
    assert_eq!(rows, want);
}
