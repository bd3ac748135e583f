//! Values on the edges of buckets and beside them.

use std::iter;
use std::slice;

use super::*;

/// Values that are hard to place: on the edges and beside them, of all sizes, clustered, with ties.
fn hard(random: &mut fastrand::Rng, buckets: usize) -> Vec<f64> {
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
            let i = random.usize(..len);
            values[i] = ODD[random.usize(..ODD.len())];
        }
    }
    values
}

#[test]
fn every_value_is_where_the_edges_say() {
    let mut random = fastrand::Rng::with_seed(42);
    for _ in 0..1500 {
        let buckets = [1, 2, 3, 7, 30, 30, 64, 256, 257, 4096][random.usize(..10)];
        let values = hard(&mut random, buckets);
        check(&values, buckets);
        // In an f32 the same become others: on and beside the edges in its own precision.
        let values: Vec<f32> = values
            .iter()
            .map(|value| *value as f32)
            .map(|value| [value.next_down(), value, value.next_up()][random.usize(..3)])
            .collect();
        check(&values, buckets);
        let integers: Vec<i64> = values.iter().map(|value| *value as i64).collect();
        check(&integers, buckets);
        let bytes: Vec<u8> = integers.iter().map(|value| *value as u8).collect();
        check(&bytes, buckets);
    }
}

#[test]
fn every_f32_beside_an_edge_is_where_the_edges_say() {
    let mut random = fastrand::Rng::with_seed(43);
    for i in 0..200 {
        let buckets = if i % 2 == 0 {
            random.usize(1..=128)
        } else {
            random.usize(122..=128)
        };
        // Of many ends those whose number of buckets per one, as an f32, is most wrong.
        let wrong = |(low, high): &(f32, f32)| {
            let per_one = buckets as f64 / (f64::from(*high) - f64::from(*low));
            (f64::from(per_one as f32) / per_one - 1.0).abs()
        };
        let (low, high) = iter::repeat_with(|| {
            let low = random.f32() - 0.5;
            (
                low,
                low + (random.f32() + 0.5) * 2f32.powi(random.i32(-10..10)),
            )
        })
        .take(100)
        .max_by(|ends, others| wrong(ends).total_cmp(&wrong(others)))
        .unwrap();
        let rows = with_buckets(&[low, high], buckets);
        let mut values = vec![high; 64];
        for _ in 0..60 {
            let mut value = rows[random.usize(..buckets)][0] as f32;
            for _ in 0..random.u8(..5) {
                value = if random.bool() {
                    value.next_up()
                } else {
                    value.next_down()
                };
            }
            // In a block of its own, for where many values are near an edge the edges decide for all.
            values.push(value.clamp(low, high));
            values.extend([low; 63]);
        }
        check(&values, buckets);
    }
}

#[test]
fn every_f64_beside_an_edge_is_where_the_edges_say() {
    let mut random = fastrand::Rng::with_seed(47);
    for _ in 0..400 {
        let buckets = [1 + random.usize(..256), 4096][random.usize(..2)];
        // Up to 2^44 times as far from zero as from each other: 9 bits are left to tell them apart.
        let low = (random.f64() - 0.5) * 2f64.powi(random.i32(0..45));
        let high = low + random.f64() + 0.5;
        let rows = with_buckets(&[low, high], buckets);
        let mut values = vec![high; 64];
        for _ in 0..60 {
            let mut value = rows[random.usize(..buckets)][0];
            for _ in 0..random.u8(..5) {
                value = if random.bool() {
                    value.next_up()
                } else {
                    value.next_down()
                };
            }
            values.push(value.clamp(low, high));
            values.extend([low; 63]);
        }
        if random.bool() {
            values[random.usize(..64)] = f64::NEG_INFINITY;
        }
        check(&values, buckets);
    }
}

#[test]
fn values_beside_edges_are_where_the_edges_say_however_many_there_are() {
    let mut random = fastrand::Rng::with_seed(50);
    for _ in 0..1000 {
        let low = random.f64() - 0.5;
        let high = low + random.f64() + 0.5;
        let (low, high) = (f64::from(low as f32), f64::from(high as f32));
        let rows = with_buckets(&[low, high], 30);
        let mut values: Vec<f64> = (0..64)
            .map(|_| low + (high - low) * (random.usize(..30) as f64 + 0.5) / 30.0)
            .collect();
        for _ in 0..[1, 1, 2, 3, 10, 64][random.usize(..6)] {
            let edge = rows[random.usize(1..30)][0];
            values[random.usize(..64)] = [edge, edge.next_down()][random.usize(..2)];
        }
        values.extend([low, high]);
        check(&values, 30);
        // Of an edge between two of them, both.
        let values: Vec<f32> = values
            .iter()
            .map(|value| *value as f32)
            .map(|value| [value.next_down(), value][random.usize(..2)])
            .map(|value| value.clamp(low as f32, high as f32))
            .collect();
        check(&values, 30);
    }
}

#[test]
fn steps_that_meet_edges_again_and_again_are_where_the_edges_say() {
    let mut random = fastrand::Rng::with_seed(51);
    for _ in 0..300 {
        let buckets = [7, 30, 100, 128, 129, 300][random.usize(..6)];
        let step = [0.1, 0.25, 1.0 / 3.0, 0.01][random.usize(..4)];
        let steps = [3, 30, 90, 600][random.usize(..4)];
        // Many near edges, few, and none, in one block after the other.
        let mut values = Vec::new();
        for i in 0..20 {
            for _ in 0..random.usize(..100) {
                let between = if i % 2 == 0 { 0.0 } else { random.f64() };
                let number = f64::from(random.u32(..steps)) + between;
                values.push(number * step);
            }
        }
        values.extend([0.0, f64::from(steps) * step]);
        check(&values, buckets);
        let values = as_f32(&values);
        check(&values, buckets);
    }
}

#[test]
fn the_end_of_a_block_counts_once() {
    let mut random = fastrand::Rng::with_seed(52);
    for len in 1..200 {
        // Edges are met in all of it.
        let values: Vec<f32> = (0..len)
            .map(|_| f32::from(random.u8(..=30)) / 10.0)
            .collect();
        for buckets in [10, 30, 300] {
            check(&values, buckets);
        }
        let numbers: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
        check(&numbers, 30);
    }
}

#[test]
fn chunks_make_no_difference() {
    let mut random = fastrand::Rng::with_seed(44);
    for _ in 0..200 {
        let values = hard(&mut random, 30);
        let whole = Histogram::new(&values);
        let mut chunks = Vec::new();
        let mut rest = &values[..];
        while !rest.is_empty() {
            let (chunk, more) = rest.split_at(random.usize(..=rest.len().min(150)));
            chunks.push(chunk);
            rest = more;
        }
        assert_eq!(Histogram::from_chunks(chunks), whole);
        assert_eq!(
            Histogram::from_chunks(values.iter().map(slice::from_ref)),
            whole
        );
        let with_others: Vec<f64> = values
            .iter()
            .flat_map(|value| [*value, 1e9, -1e9])
            .collect();
        let strided = with_others.iter().step_by(3).map(slice::from_ref);
        assert_eq!(
            Histogram::from_chunks_with_buckets(strided, 30).unwrap(),
            whole
        );
    }
}
