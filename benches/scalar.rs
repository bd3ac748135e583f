//! Compares `scalar()` with a floor: a hand-written loop that reads the clock, encodes into a stack buffer, computes two
//! checksums with the instruction of the processor, and calls `write` for every 64 KiB.
//!
//! Run it with `cargo bench --bench scalar`. "Whole" is the time from the first call until the file is closed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints for its user"
)]
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a program has no public items"
)]

mod support;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use summary_writer::{EventReader, SummaryWriter, WriterOptions};
use support::{Cost, compare, crc, measure, median};

const SCALARS: usize = 1_000_000;
const ROUNDS: usize = 15;
const LATENCIES: usize = 200_000;
const WRITE_BYTES: usize = 64 << 10;

fn main() {
    println!(
        "scalar(), whole, medians of {ROUNDS} rounds of {SCALARS} calls, alternating with the floor"
    );
    println!("\n                              floor ns     ours ns  wall ratio   CPU ratio");
    for (clock_name, options) in clocks() {
        for (name, tags) in [("one tag", 1), ("100 tags", 100), ("10,000 tags", 10_000)] {
            let tags = tags_of_four_letters(tags);
            let result = compare(ROUNDS, || floor(&tags, 1), || ours(&tags, 1, &options));
            println!(
                "{name:12} {clock_name:13} {:11.1} {:11.1} {:11.2} {:11.2}",
                ns(result.floor),
                ns(result.ours),
                result.wall_ratio,
                result.cpu_ratio
            );
        }
    }

    println!(
        "\n                        floor (mutex)        ours   M scalars per second, all threads together"
    );
    let tags = tags_of_four_letters(1);
    for (clock_name, options) in clocks() {
        for threads in [1, 2, 4, 8] {
            let ours = || ours(&tags, threads, &options);
            let result = compare(ROUNDS, || floor(&tags, threads), ours);
            let rate = |secs: f64| SCALARS as f64 / secs / 1e6;
            println!(
                "{threads} threads {clock_name:13} {:14.2} {:11.2}",
                rate(result.floor),
                rate(result.ours)
            );
        }
    }

    println!("\nscalars()   ns per value bytes per value");
    for values in [1, 10, 100] {
        batches(values);
    }

    println!("\nkinds of handles, the call alone                              ns");
    handles();

    println!(
        "\nlatency of a call, ns, including the clock             p50     p99   p99.9      max"
    );
    latency("the clock alone", Duration::ZERO, |_| {});
    let dir = tempfile::tempdir().unwrap();
    latency_of_floor(&dir.path().join("floor"));
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for (name, tag, pause) in [
        ("scalar(), without a pause", "loss", Duration::ZERO),
        ("scalar(), every 20 µs", "lr", Duration::from_micros(20)),
    ] {
        latency(name, pause, |step| summary.scalar(tag, 0.5, step));
    }
    summary.close().unwrap();

    println!("\nuntil a new run has bytes on disk, 200 runs, ms             median     longest");
    let (floor, ours): (Vec<f64>, Vec<f64>) = (0..200).map(|_| (open_by_hand(), open())).unzip();
    for (name, times) in [
        ("a directory, a file and one write", floor),
        ("create_file_writer", ours),
    ] {
        let longest = times.iter().copied().fold(0.0, f64::max);
        println!("{name:50} {:15.3} {longest:11.3}", median(times));
    }
}

/// The default clock, and on Linux one that is read faster and steps every few milliseconds. The floor reads the first one.
fn clocks() -> Vec<(&'static str, WriterOptions)> {
    // With several threads, the steps of a tag go back.
    let options = WriterOptions::new().stderr(false);
    vec![
        ("", options.clone()),
        #[cfg(target_os = "linux")]
        ("coarse clock", {
            use rustix::time::{ClockId, clock_gettime};
            options.clock(|| {
                let time = clock_gettime(ClockId::RealtimeCoarse);
                time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
            })
        }),
    ]
}

fn tags_of_four_letters(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{i:04}")).collect()
}

fn ns(secs: f64) -> f64 {
    secs * 1e9 / SCALARS as f64
}

/// Logs `SCALARS` numbers with `scalars()`, in records of `values` numbers.
fn batches(values: usize) {
    let tags = tags_of_four_letters(values);
    let mut bytes = 0;
    let rounds = (0..ROUNDS).map(|_| {
        let dir = tempfile::tempdir().unwrap();
        let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
        let path = summary.path().unwrap().to_owned();
        let cost = measure(|| {
            for step in 0..SCALARS / values {
                summary.scalars(step, tags.iter().map(|tag| (tag, 0.5)));
            }
            summary.close().unwrap();
        });
        bytes = fs::metadata(path).unwrap().len();
        ns(cost.wall.as_secs_f64())
    });
    let time = median(rounds.collect());
    println!(
        "{values:3} per record {time:10.1} {:14.1}",
        bytes as f64 / SCALARS as f64
    );
}

/// Measures a call of several kinds of handles.
fn handles() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let ours = |name: &str, log: &dyn Fn(usize)| {
        let rounds = (0..ROUNDS).map(|_| {
            let cost = measure(|| (0..SCALARS).for_each(log));
            ns(cost.wall.as_secs_f64())
        });
        println!("{name:55} {:6.1}", median(rounds.collect()));
    };
    ours("a writer", &|step| summary.scalar("a", 0.5, step));
    let disabled = SummaryWriter::disabled();
    ours("a disabled writer", &|step| disabled.scalar("b", 0.5, step));
    let every = summary.record_every(100);
    ours("a handle for every 100th step", &|step| {
        every.scalar("c", 0.5, step)
    });
    let _guard = summary.as_default();
    ours("the default writer", &|step| {
        summary_writer::current::scalar("d", 0.5, step)
    });
}

/// Measures the iterations of the hand-written loop. Some of them include a `write`.
fn latency_of_floor(path: &Path) {
    let mut file = File::create(path).unwrap();
    let mut pending = Vec::with_capacity(2 * WRITE_BYTES);
    crc::with_instruction(|| {
        latency("a hand-written loop", Duration::ZERO, |step| {
            let mut frame = [0; 64];
            let len = frame_of(&mut frame, "loss", 0.5, step as u64);
            pending.extend_from_slice(&frame[..len]);
            if pending.len() >= WRITE_BYTES {
                file.write_all(&pending).unwrap();
                pending.clear();
            }
        });
    });
}

/// Measures single calls, with a pause before each.
#[inline(always)]
fn latency(name: &str, pause: Duration, mut call: impl FnMut(usize)) {
    let mut times: Vec<u64> = (0..LATENCIES)
        .map(|step| {
            let next = Instant::now() + pause;
            while Instant::now() < next {}
            let start = Instant::now();
            call(step);
            u64::try_from(start.elapsed().as_nanos()).unwrap()
        })
        .collect();
    times.sort_unstable();
    let at = |per_mille: usize| times[(LATENCIES - 1) * per_mille / 1000];
    println!(
        "{name:50} {:7} {:7} {:7} {:8}",
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

/// Logs `SCALARS` scalars on `threads` threads, and checks the file afterwards.
fn ours(tags: &[String], threads: usize, options: &WriterOptions) -> Cost {
    let dir = tempfile::tempdir().unwrap();
    let summary = options.clone().create_file_writer(dir.path()).unwrap();
    let cost = measure(|| {
        in_threads(threads, |steps| {
            for step in steps {
                summary.scalar(&tags[step % tags.len()], 0.5, step);
            }
        });
        summary.close().unwrap();
    });
    check(dir.path());
    cost
}

fn floor(tags: &[String], threads: usize) -> Cost {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tfevents");
    let buffer = Mutex::new((
        Vec::with_capacity(2 * WRITE_BYTES),
        File::create(&path).unwrap(),
    ));
    let cost = measure(|| {
        in_threads(threads, |steps| {
            crc::with_instruction(|| {
                for step in steps {
                    let mut frame = [0; 64];
                    let len = frame_of(&mut frame, &tags[step % tags.len()], 0.5, step as u64);
                    let mut guard = buffer.lock().unwrap();
                    let (pending, file) = &mut *guard;
                    pending.extend_from_slice(&frame[..len]);
                    if pending.len() >= WRITE_BYTES {
                        file.write_all(pending).unwrap();
                        pending.clear();
                    }
                }
            });
        });
        let (pending, mut file) = buffer.into_inner().unwrap();
        file.write_all(&pending).unwrap();
    });
    // The file has no version record, which `check` does not need.
    check(&path);
    cost
}

/// Gives each thread a part of the steps. They start at 1, because a step of 0 takes no bytes.
fn in_threads(threads: usize, work: impl Fn(std::ops::Range<usize>) + Sync) {
    let part = SCALARS / threads;
    if threads == 1 {
        return work(1..part + 1);
    }
    thread::scope(|scope| {
        for i in 0..threads {
            let work = &work;
            scope.spawn(move || work(1 + i * part..1 + (i + 1) * part));
        }
    });
}

/// Encodes a frame whose tag has four letters and whose step has at most 21 bits, so that the lengths take one byte each.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    reason = "takes the bytes one by one"
)]
fn frame_of(frame: &mut [u8; 64], tag: &str, value: f32, step: u64) -> usize {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    frame[12] = 0x09;
    frame[13..21].copy_from_slice(&now.to_le_bytes());
    frame[21] = 0x10;
    let mut at = 22;
    let mut rest = step;
    while rest >= 0x80 {
        frame[at] = rest as u8 | 0x80;
        rest >>= 7;
        at += 1;
    }
    frame[at] = rest as u8;
    frame[at + 1..at + 7].copy_from_slice(&[0x2a, 13, 0x0a, 11, 0x0a, 4]);
    frame[at + 7..at + 11].copy_from_slice(tag.as_bytes());
    frame[at + 11] = 0x15;
    frame[at + 12..at + 16].copy_from_slice(&value.to_le_bytes());
    let end = at + 16;
    frame[..8].copy_from_slice(&(end as u64 - 12).to_le_bytes());
    let crc = crc::masked(&frame[..8]);
    frame[8..12].copy_from_slice(&crc.to_le_bytes());
    let crc = crc::masked(&frame[12..end]);
    frame[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    end + 4
}

fn check(path: &Path) {
    let events = EventReader::open(path).unwrap().map(Result::unwrap);
    assert_eq!(events.filter(|event| event.step > 0).count(), SCALARS);
}

/// Returns the milliseconds that it takes to create a directory and a file, and to write as many bytes as the first record
/// has.
fn open_by_hand() -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let start = Instant::now();
    fs::create_dir_all(dir.path().join("run")).unwrap();
    let mut file = File::create(dir.path().join("run/tfevents")).unwrap();
    file.write_all(&[0; 64]).unwrap();
    start.elapsed().as_secs_f64() * 1e3
}

/// Returns the milliseconds that it takes to create a writer, whose file then has its first record.
fn open() -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let summary = SummaryWriter::create_file_writer(dir.path().join("run")).unwrap();
    let time = start.elapsed();
    assert!(summary.path().unwrap().metadata().unwrap().len() > 0);
    time.as_secs_f64() * 1e3
}
