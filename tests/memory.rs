//! Counts every allocation of the process. A scalar has none in the steady state, and a slow sink cannot make the memory grow
//! beyond its bound.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "common/counting.rs"]
mod counting;

use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use counting::{ALLOCATIONS, LIVE_BYTES, PEAK_BYTES};
#[cfg(feature = "png")]
use summary_writer::Image;
use summary_writer::record::RecordReader;
use summary_writer::tensor::Metadata;
use summary_writer::{SummaryWriter, Tag, Tensor, WriterOptions};

/// A sink that accepts one write for each permission. There is at most one permission at a time.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Permits one more write. Returns `false` if the last permission was not used yet.
    fn permit(&self) -> bool {
        let was_open = mem::replace(&mut *self.0.0.lock().unwrap(), true);
        self.0.1.notify_all();
        !was_open
    }
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let closed = self.0.0.lock().unwrap();
        *self.0.1.wait_while(closed, |open| !*open).unwrap() = false;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One test, because the counters belong to the process and would count other tests, too.
#[test]
fn allocations_are_bounded() {
    scalar_allocates_nothing_in_the_steady_state();
    reading_a_record_allocates_nothing();
    #[cfg(feature = "png")]
    large_image_frees_its_memory();
    memory_stays_within_the_bound_and_two_buffers_while_the_sink_is_slow();
}

/// Logs to a stream, because with a directory the worker lists the files from time to time, which allocates.
fn scalar_allocates_nothing_in_the_steady_state() {
    // With a short interval, the number of chunks in use would depend on the speed of the machine.
    let summary = WriterOptions::new()
        .flush_interval(Duration::from_secs(3600))
        .to_sink(tempfile::tempfile().unwrap())
        .unwrap();
    let scope = summary.scope("encoder");
    let long = "x".repeat(1000);
    let log = |step| {
        summary.scalar("loss", 0.5, step);
        scope.scalar("loss", 0.5, step);
        summary.scalar(&long, 0.5, step);
        summary.scalars(step, [("a", 0.5), ("b", 0.25)]);
    };
    // The first calls allocate the buffer of the thread and the chunks. The flushes prevent a backlog, which is memory.
    let batch = 500;
    for step in 0..20 * batch {
        log(step);
        if step % batch == 0 {
            summary.flush().unwrap();
        }
    }
    let before = ALLOCATIONS.load(Relaxed);
    for step in 20 * batch..120 * batch {
        log(step);
        if step % batch == 0 {
            summary.flush().unwrap();
        }
    }
    assert_eq!(ALLOCATIONS.load(Relaxed) - before, 0, "in 200,000 calls");
    assert!(summary.stats().accepted_count == 4 * 120 * batch);
}

#[cfg(feature = "png")]
fn large_image_frees_its_memory() {
    let summary = WriterOptions::new()
        .flush_interval(Duration::from_secs(3600))
        .to_sink(tempfile::tempfile().unwrap())
        .unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let noise: Vec<u8> = (0..12_000_000).map(|_| random.u8(..)).collect();
    let small = Image::rgb8(2, 2, &noise[..12]).unwrap();
    summary.image("small", small, 0);
    summary.flush().unwrap();
    let before = LIVE_BYTES.load(Relaxed);
    let large = Image::rgb8(2000, 2000, &noise).unwrap();
    summary.image("large", large, 0);
    summary.flush().unwrap();
    let left = LIVE_BYTES.load(Relaxed).saturating_sub(before);
    assert!(left <= 512 << 10, "{left} bytes of an image of 12 MB");
}

fn reading_a_record_allocates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let described = Tag::new("loss").description("x");
    let weights = Tensor::new([50_000], &[0.5f32; 50_000]).unwrap();
    let count = 2_000;
    // All steps take the same number of bytes, so no later record is larger than the first of its kind.
    for step in 200..200 + count {
        summary.scalar("loss", 0.5, step);
        summary.scalar(described.clone(), 0.5, step);
        summary.scalars(step, [("a", 0.5), ("b", 0.25)]);
        if step % 20 == 0 {
            summary.tensor("weights", weights.clone(), Metadata::new("w"), step);
        }
    }
    let path = summary.path().unwrap().to_owned();
    summary.close().unwrap();

    let mut reader = RecordReader::new(File::open(&path).unwrap());
    let (mut records, mut before) = (0, 0);
    while reader.next_record().unwrap().is_some() {
        records += 1;
        if records == 100 {
            before = ALLOCATIONS.load(Relaxed);
        }
    }
    assert_eq!(ALLOCATIONS.load(Relaxed) - before, 0, "in next_record");
    assert_eq!(records, 1 + 3 * count + 100);
}

fn memory_stays_within_the_bound_and_two_buffers_while_the_sink_is_slow() {
    // Each record has about 43 bytes. Together they have six times the bound.
    peak_is_bounded(
        "scalars",
        1_200_000,
        MAX_PENDING_BYTES,
        0,
        |summary, step| {
            summary.scalar("loss", 0.5, step);
        },
    );
    // A little more than half a chunk, so a chunk has room for one.
    let text = "x".repeat(132_000);
    peak_is_bounded(
        "texts",
        400,
        MAX_PENDING_BYTES,
        3 * text.len(),
        |summary, step| {
            summary.text("notes", &text, step);
        },
    );
    // Images may take three quarters of the bound. Noise does not compress. Besides the image that the caller waits with, there
    // are the encoder's buffer, which doubles as it grows, the encoded file and the frame, whose buffer is kept.
    #[cfg(feature = "png")]
    {
        let mut random = fastrand::Rng::with_seed(3);
        let pixels: Vec<u8> = (0..132_000).map(|_| random.u8(..)).collect();
        let room = MAX_PENDING_BYTES / 4 * 3;
        let of_encoder = 7 * pixels.len() + BUFFER_BYTES;
        peak_is_bounded("images", 170, room, of_encoder, |summary, step| {
            let image = summary_writer::Image::gray8(400, 330, &pixels).unwrap();
            summary.image("noise", image, step);
        });
    }
}

const MAX_PENDING_BYTES: usize = 8 << 20;
const BUFFER_BYTES: usize = 256 << 10;

/// Logs `count` records to a sink that accepts one chunk each time their room is nearly full, so that the caller waits most of
/// the time. `record_bytes` is what the caller needs for the record that it waits with.
fn peak_is_bounded(
    name: &str,
    count: i64,
    room_bytes: usize,
    record_bytes: usize,
    log: impl Fn(&SummaryWriter, i64) + Sync,
) {
    let gate = Gate::default();
    let baseline = LIVE_BYTES.load(Relaxed);
    PEAK_BYTES.store(baseline, Relaxed);
    let summary = WriterOptions::new()
        .max_pending_bytes(MAX_PENDING_BYTES)
        .flush_interval(Duration::from_millis(1))
        .to_sink(gate.clone())
        .unwrap();
    let nearly_full = (room_bytes - 2 * BUFFER_BYTES) as u64;
    let mut chunks = 0;
    thread::scope(|scope| {
        let caller = scope.spawn(|| (1..=count).for_each(|step| log(&summary, step)));
        while !caller.is_finished() {
            if summary.stats().pending_bytes > nearly_full && gate.permit() {
                chunks += 1;
            }
            thread::yield_now();
        }
    });
    let peak = PEAK_BYTES.load(Relaxed) - baseline;
    // A writer that is dropped waits for its sink, so let everything pass before an assertion can fail.
    while summary.stats().pending_bytes > 0 {
        gate.permit();
        thread::yield_now();
    }
    summary.close().unwrap();
    assert!(
        chunks > 100,
        "{name}: the sink did not slow the caller down: {chunks} chunks"
    );
    // The threads and the list of chunks need little compared with the buffers.
    let bound = room_bytes + 2 * BUFFER_BYTES + record_bytes + (100 << 10);
    assert!(peak <= bound, "{name}: {peak} bytes of {bound}");
}
