//! The cost of `image()` for images in a row. The time of a call is compared with a copy of the pixels into memory that was used
//! before. The time until the file is closed, and the CPU time of all threads, are compared with the crate `png` alone. At the end
//! the same images are logged with two encoder threads.
//!
//! Run it with `cargo bench --bench image`. The images differ. They resemble photographs: smooth, with the noise of a sensor.

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

use std::hint;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use summary_writer::{EventReader, Image, WriterOptions};
use support::{Cost, compare, measure, measure_thread, median};

const ROUNDS: usize = 9;
/// The size of the images that wait for the encoder without making a call wait: three quarters of the default of
/// `max_pending_bytes`.
const ROOM_BYTES: usize = 48 << 20;

fn main() {
    println!("Images in a row, medians of {ROUNDS} rounds. Times are microseconds per image.");
    let all = [(28, 1, 1000), (256, 3, 200), (1024, 3, 100)].map(Images::new);
    println!("\nThe call, as long as no call waits for room. CPU: of the calling thread\n");
    println!(
        "                   count  warm copy   the call  ratio   CPU of both   ratio   first round"
    );
    all.iter().for_each(report_calls);
    println!("\nUntil the file is closed. CPU: of all threads\n");
    println!(
        "                   count  png alone      whole  ratio   CPU ratio   per second   PNG bytes"
    );
    all.iter().for_each(report_whole);
    println!("\nImages per second, with one encoder thread and with two\n");
    println!("                   idle program                  one thread computes");
    println!("                       one        two  ratio        one        two  ratio");
    all.iter().for_each(report_two_encoders);
}

fn report_calls(images: &Images) {
    let count = images.quick_count();
    let mut buffers = vec![Vec::new(); count];
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let copy = measure_thread(|| images.copy(&mut buffers));
        rounds.push((copy, images.log(1, 0..count).0));
    }
    // The first round uses new memory.
    let first = rounds.remove(0).1;
    let us = |secs: f64| secs * 1e6 / count as f64;
    let wall = |cost: &Cost| cost.wall.as_secs_f64();
    let cpu = |cost: &Cost| cost.cpu.as_secs_f64();
    let of = |figure: &dyn Fn(&(Cost, Cost)) -> f64| median(rounds.iter().map(figure).collect());
    println!(
        "{:18} {:5} {:10.2} {:10.2} {:6.2} {:6.2} {:6.2} {:7.2} {:13.2}",
        images.name(),
        count,
        us(of(&|(copy, _)| wall(copy))),
        us(of(&|(_, calls)| wall(calls))),
        of(&|(copy, calls)| wall(calls) / wall(copy)),
        us(of(&|(copy, _)| cpu(copy))),
        us(of(&|(_, calls)| cpu(calls))),
        of(&|(copy, calls)| cpu(calls) / cpu(copy)),
        us(wall(&first)),
    );
}

fn report_whole(images: &Images) {
    let mut png_bytes = 0;
    let pngs = || images.iter().map(|pixels| images.png(pixels).len()).sum();
    let comparison = compare(
        ROUNDS,
        || measure(|| png_bytes = pngs()),
        || images.log(1, 0..images.count).1,
    );
    let us = |secs: f64| secs * 1e6 / images.count as f64;
    println!(
        "{:18} {:5} {:10.1} {:10.1} {:6.2} {:11.2} {:12.0} {:11}",
        images.name(),
        images.count,
        us(comparison.floor),
        us(comparison.ours),
        comparison.wall_ratio,
        comparison.cpu_ratio,
        images.count as f64 / comparison.ours,
        png_bytes / images.count,
    );
}

fn report_two_encoders(images: &Images) {
    let measure = || {
        compare(
            ROUNDS / 2,
            || images.log(1, 0..images.count).1,
            || images.log(2, 0..images.count).1,
        )
    };
    let idle = measure();
    let ends = AtomicBool::new(false);
    let busy = thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                hint::spin_loop();
            }
        });
        let busy = measure();
        ends.store(true, Ordering::Relaxed);
        busy
    });
    let per_second = |secs: f64| images.count as f64 / secs;
    println!(
        "{:18} {:7.0} {:10.0} {:6.2} {:10.0} {:10.0} {:6.2}",
        images.name(),
        per_second(idle.floor),
        per_second(idle.ours),
        1.0 / idle.wall_ratio,
        per_second(busy.floor),
        per_second(busy.ours),
        1.0 / busy.wall_ratio,
    );
}

/// Images of one size. They are the parts of a tall photograph, each a row further down.
struct Images {
    side: usize,
    channels: usize,
    count: usize,
    pixels: Vec<u8>,
}

impl Images {
    fn new((side, channels, count): (usize, usize, usize)) -> Self {
        Self {
            side,
            channels,
            count,
            pixels: photograph(side, side + count, channels),
        }
    }

    fn name(&self) -> String {
        format!("{0} x {0} x {1}", self.side, self.channels)
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let row = self.side * self.channels;
        let images = self.pixels.windows(row * self.side).step_by(row);
        images.take(self.count)
    }

    /// The first ones, whose calls do not wait for room.
    fn quick_count(&self) -> usize {
        let image_bytes = self.side * self.side * self.channels;
        self.count.min(ROOM_BYTES / image_bytes)
    }

    /// The floor of the calls. It keeps all copies, as the writer does.
    fn copy(&self, buffers: &mut [Vec<u8>]) {
        for (buffer, pixels) in buffers.iter_mut().zip(self.iter()) {
            buffer.clear();
            buffer.extend_from_slice(pixels);
        }
    }

    /// Logs some of the images. Returns the cost of the calls, and the cost until the file is closed.
    fn log(&self, encoder_threads: usize, steps: Range<usize>) -> (Cost, Cost) {
        let dir = tempfile::tempdir().unwrap();
        let options = WriterOptions::new().encoder_threads(encoder_threads);
        let summary = options.create_file_writer(dir.path()).unwrap();
        let count = steps.len();
        let mut calls = None;
        let whole = measure(|| {
            calls = Some(measure_thread(|| {
                for (step, pixels) in steps.zip(self.iter()) {
                    summary.image("input", self.image(pixels), step);
                }
            }));
            summary.close().unwrap();
        });
        let events = EventReader::open(dir.path()).unwrap().map(Result::unwrap);
        assert_eq!(events.count(), count + 1); // with the version
        (calls.unwrap(), whole)
    }

    fn image(&self, pixels: &[u8]) -> Image {
        let side = self.side as u32;
        let image = match self.channels {
            1 => Image::gray8(side, side, pixels),
            _ => Image::rgb8(side, side, pixels),
        };
        image.unwrap()
    }

    /// The floor of the rest: the same encoder, into memory.
    fn png(&self, pixels: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let side = self.side as u32;
        let mut encoder = png::Encoder::new(&mut file, side, side);
        encoder.set_color(match self.channels {
            1 => png::ColorType::Grayscale,
            _ => png::ColorType::Rgb,
        });
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        writer.finish().unwrap();
        file
    }
}

fn photograph(width: usize, height: usize, channels: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                let (x, y, c) = (x as f64, y as f64, channel as f64);
                let light = (x * 0.021 + c).sin() * (y * 0.017 - c).cos() * 90.0 + 128.0;
                pixels.push((light + random.f64() * 8.0 - 4.0) as u8);
            }
        }
    }
    pixels
}
