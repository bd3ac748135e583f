//! The cost of `image()`. The time of the call is compared with a copy of the pixels. The time until the image is in the file
//! is compared with the crate `png` alone.
//!
//! Run it with `cargo bench --bench image`. The images resemble photographs: smooth, with the noise of a sensor.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program that prints for its user"
)]
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a program has no public items"
)]

mod support;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use summary_writer::{EventReader, Image, SummaryWriter, WriterOptions};
use support::{Cost, compare, measure};

const ROUNDS: usize = 15;
/// The size of the pixels of all images in one round.
const ROUND_BYTES: usize = 32 << 20;

fn main() {
    println!(
        "image(), medians of {ROUNDS} rounds, alternating with the floor; microseconds per image"
    );
    println!(
        "\n                  copy     caller   ratio |     png      whole   ratio | PNG bytes of pixel bytes"
    );
    for (width, height, channels) in [(28, 28, 1), (256, 256, 3), (1024, 1024, 3)] {
        let pixels = photograph(width, height, channels);
        let image = || match channels {
            1 => Image::gray8(width, height, &pixels).unwrap(),
            _ => Image::rgb8(width, height, &pixels).unwrap(),
        };
        let count = ROUND_BYTES / pixels.len();
        let us = |secs: f64| secs * 1e6 / count as f64;

        let caller = compare(ROUNDS, || copies(count, &pixels), || caller(count, image));
        let mut bytes = 0;
        let whole = compare(
            ROUNDS,
            || {
                measure(|| {
                    bytes = (0..count)
                        .map(|_| png(width, height, channels, &pixels).len())
                        .sum()
                })
            },
            || whole(count, image),
        );
        println!(
            "{:12} {:9.1} {:10.1} {:7.2} | {:7.1} {:10.1} {:7.2} | {} of {}",
            format!("{width} x {height} x {channels}"),
            us(caller.floor),
            us(caller.ours),
            caller.wall_ratio,
            us(whole.floor),
            us(whole.ours),
            whole.wall_ratio,
            bytes / count,
            pixels.len(),
        );
    }
}

/// The floor of the call: copies the pixels, and keeps all copies, as the writer does.
fn copies(count: usize, pixels: &[u8]) -> Cost {
    let mut kept = Vec::with_capacity(count);
    measure(|| (0..count).for_each(|_| kept.push(pixels.to_vec())))
}

/// Measures the calls alone. The sink blocks the worker at the first record.
fn caller(count: usize, image: impl Fn() -> Image) -> Cost {
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().unwrap();
    let summary = WriterOptions::new()
        .max_pending_bytes(usize::MAX)
        .to_sink(Gated(Arc::clone(&gate)))
        .unwrap();
    let cost = measure(|| (0..count).for_each(|step| summary.image("input", image(), step)));
    drop(held);
    summary.close().unwrap();
    cost
}

/// A sink that blocks while another thread holds the lock.
struct Gated(Arc<Mutex<()>>);

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(self.0.lock().unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Measures the time from the first call until the file is closed.
fn whole(count: usize, image: impl Fn() -> Image) -> Cost {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let cost = measure(|| {
        (0..count).for_each(|step| summary.image("input", image(), step));
        summary.close().unwrap();
    });
    let events = EventReader::open(dir.path()).unwrap().map(Result::unwrap);
    assert_eq!(events.count(), count + 1);
    cost
}

/// The floor of the whole time: the same encoder, into memory.
fn png(width: u32, height: u32, channels: usize, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(match channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    file
}

fn photograph(width: u32, height: u32, channels: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                let (x, y, c) = (f64::from(x), f64::from(y), channel as f64);
                let light = (x * 0.021 + c).sin() * (y * 0.017 - c).cos() * 90.0 + 128.0;
                pixels.push((light + random.f64() * 8.0 - 4.0) as u8);
            }
        }
    }
    pixels
}
