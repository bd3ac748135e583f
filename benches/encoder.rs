//! The time until a scalar is in the file while an animation is encoded. The animation is logged first, and its encoding
//! takes about a second: 32 frames of noise, 256 × 256 pixels each.
//!
//! Run it with `cargo bench --bench encoder`, and without optimization with `cargo bench --bench encoder --profile dev`. The
//! goal is at most two flush intervals, because scalars must not wait for the encoder.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints for its user"
)]
#![allow(missing_docs, reason = "a program has no public items")]

use std::thread;
use std::time::{Duration, Instant};

use summary_writer::proto::event::What;
use summary_writer::{EventReader, Image, SummaryWriter};

const ROUNDS: usize = 5;
const SIDE: u32 = 256;
const FRAMES: usize = 32;

fn main() {
    println!("milliseconds after the call, with the default flush interval of 200 ms\n");
    println!("   scalar in the file    animation encoded and flushed");
    for seed in 0..ROUNDS {
        let (scalar, animation) = round(seed as u64);
        println!("{:21.0} {:32.0}", millis(scalar), millis(animation));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn round(seed: u64) -> (Duration, Duration) {
    let mut random = fastrand::Rng::with_seed(seed);
    let frames = (0..FRAMES).map(|_| {
        let mut pixels = vec![0; (SIDE * SIDE * 3) as usize];
        random.fill(&mut pixels);
        Image::rgb8(SIDE, SIDE, pixels).unwrap()
    });
    let animation = Image::animation(frames, 10).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let mut reader = EventReader::open(dir.path()).unwrap();
    let start = Instant::now();
    summary.image("noise", animation, 0);
    summary.scalar("loss", 0.5, 0);
    let scalar = loop {
        let is_scalar =
            |what: What| matches!(what, What::Summary(summary) if summary.value[0].tag == "loss");
        let event = reader.next().transpose().unwrap();
        if event.and_then(|event| event.what).is_some_and(is_scalar) {
            break start.elapsed();
        }
        thread::sleep(Duration::from_millis(1));
    };
    summary.flush().unwrap();
    (scalar, start.elapsed())
}
