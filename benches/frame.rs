//! Compares `append_frame` with a floor: a hand-written loop that makes the same bytes, with the checksum instruction of the
//! processor.
//!
//! Run it with `cargo bench --bench frame`. The payload of a scalar has 26 bytes, of a histogram some hundreds, of an image
//! 100 KiB.

#![allow(clippy::print_stdout, reason = "a program that prints for its user")]
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a program has no public items"
)]

mod support;

use std::hint::black_box;

use summary_writer::record::append_frame;
use support::{compare, crc, measure};

const ROUNDS: usize = 25;
const BYTES_A_ROUND: usize = 64 << 20;

fn main() {
    println!("append_frame, medians of {ROUNDS} rounds, alternating with the floor");
    println!("\n  payload     floor GB/s  ours GB/s  wall ratio   CPU ratio");
    for (name, len) in [("26 B", 26), ("4 KiB", 4 << 10), ("1 MiB", 1 << 20)] {
        let payload = vec![0xa5; len];
        let frames = BYTES_A_ROUND / (len + 16);
        let (mut floor, mut ours) = (Vec::new(), Vec::new());
        let result = compare(
            ROUNDS,
            || {
                measure(|| {
                    crc::with_instruction(|| {
                        each_frame(frames, len, &mut floor, |out| {
                            append_by_hand(black_box(&payload), out);
                        });
                    });
                })
            },
            || {
                measure(|| {
                    each_frame(frames, len, &mut ours, |out| {
                        append_frame(black_box(&payload), out)
                    })
                })
            },
        );
        assert!(floor == ours, "{name}: the floor makes different bytes");
        let rate = |secs: f64| (frames * len) as f64 / secs / 1e9;
        println!(
            "{name:>9} {:14.2} {:10.2} {:11.2} {:11.2}",
            rate(result.floor),
            rate(result.ours),
            result.wall_ratio,
            result.cpu_ratio
        );
    }
}

/// Appends `frames` frames to a buffer that is cleared whenever it reaches 1 MiB.
fn each_frame(frames: usize, len: usize, out: &mut Vec<u8>, append: impl Fn(&mut Vec<u8>)) {
    out.clear();
    for _ in 0..frames {
        if out.len() + len > 1 << 20 {
            out.clear();
        }
        append(out);
    }
}

#[inline(always)]
fn append_by_hand(payload: &[u8], out: &mut Vec<u8>) {
    let len = (payload.len() as u64).to_le_bytes();
    out.extend_from_slice(&len);
    out.extend_from_slice(&crc::masked(&len).to_le_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc::masked(payload).to_le_bytes());
}
