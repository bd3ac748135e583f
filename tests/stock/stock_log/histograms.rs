//! Histograms of roughly normally distributed numbers at several steps, and of unusual numbers.

use std::{iter, slice};

use summary_writer::{Histogram, SummaryWriter, Tag};

use crate::{Result, START};

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the test computes the same"
)]
pub(crate) fn write(run: &SummaryWriter) -> Result {
    // The sum of three roughly uniform numbers is roughly normal. The range grows with the step.
    let draw = |i: u32, step: u32| {
        let even = |factor| f64::from(i * factor % 1009) / 1009.0 - 0.5;
        (even(37) + even(101) + even(443)) * f64::from(step + 1)
    };
    let tag = Tag::new("layer/weights").description("*all* weights");
    for step in 0..5 {
        let weights: Vec<f64> = (0..2000).map(|i| draw(i, step)).collect();
        run.at(START + f64::from(step))
            .histogram(&tag, &weights, step);
        let weights: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
        run.at(START).histogram("layer/f32", &weights[..], step);
        let halves: Vec<_> = weights.iter().map(|w| half::f16::from_f32(*w)).collect();
        run.at(START).histogram("layer/f16", &halves, step);
        let brains: Vec<_> = weights.iter().map(|w| half::bf16::from_f32(*w)).collect();
        run.at(START).histogram("layer/bf16", &brains, step);
        let bytes: Vec<u8> = weights
            .iter()
            .map(|weight| (*weight * 20.0 + 100.0) as u8)
            .collect();
        run.at(START).histogram("layer/u8", &bytes, step);
        let fine = Histogram::with_buckets(&weights, 100)?;
        run.at(START).histogram("layer/fine", fine, step);
        let columns = weights.iter().skip(1).step_by(2).map(slice::from_ref);
        run.at(START)
            .histogram("layer/every second", Histogram::from_chunks(columns), step);
    }

    let odd = run.scope("odd");
    let odd = odd.at(START);
    let none: [f32; 0] = [];
    odd.histogram("equal", [0.25f32; 7], 0);
    odd.histogram("one", [3], 0);
    odd.histogram("none", none, 0);
    odd.histogram("only NaN", [f32::NAN; 3], 0);
    for step in 0..3_u8 {
        // Step 1 has three numbers that are not finite.
        let numbers = match step {
            1 => [f64::NAN, 1.0, f64::INFINITY, 2.0, f64::NEG_INFINITY],
            _ => [0.0, 1.0, 1.5, 2.0, f64::from(step)],
        };
        odd.histogram(Tag::new("diverging").display_name("D"), numbers, step);
    }
    odd.histogram("least", [0.0, 5e-324, 1e-323], 0);
    odd.histogram("least f32", [-1e-45f32, 0.0, 3e-45], 0);
    odd.histogram("largest f32", [f32::MIN, 0.0, f32::MAX], 0);
    let ones = [1.0f32; 4096];
    let many = iter::repeat_n(&ones[..], 4096).chain([&[0.0, 1.0][..]]);
    odd.histogram("many", Histogram::from_chunks(many), 0);
    let least = 1_i64 << 53;
    odd.histogram("beyond 2^53", [least, least + 1, least + 60], 0);
    odd.histogram("outlier", [0.0, 0.5, 1.0, 1e9], 0);
    odd.histogram("bools", [true, false, true], 0);
    let counted = Histogram::from_buckets(&[-1.0, 0.0, 0.0, 2.5], &[1.5, 0.0, 4.0])?;
    odd.histogram("counted", counted, 0);
    let empty = Histogram::from_buckets(&[0, 1, 2], &[0, 0])?;
    odd.histogram("counted nothing", empty, 0);

    // The pages compute with `f64`, which some of these ranges exceed. An area needs two steps.
    let width = run.scope("width");
    for step in 0..2 {
        let width = width.at(START + f64::from(step));
        width.histogram("±1e308", [-1e308, 0.0, 1e308], step);
        width.histogram("1e308", [0.0, 5e307, 1e308], step);
        width.histogram("3e305", [0.0, 1.5e305, 3e305], step);
        width.histogram("1e-310", [0.0, 5e-311, 1e-310], step);
    }
    Ok(())
}
