//! `scalar()` beside its floor: a loop without a library that reads the clock, encodes into a stack buffer, takes two
//! checksums by the processor's instruction, appends, and makes one `write` per 64 KiB.
//!
//! `cargo bench --bench scalar`. Whole: from an open file until all is written and the file is closed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that talks to its user"
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

use summary_writer::{EventReader, SummaryWriter};
use support::{Cost, compare, crc, measure, median};

const SCALARS: usize = 1_000_000;
const ROUNDS: usize = 15;
const LATENCIES: usize = 200_000;
const WRITE_BYTES: usize = 64 << 10;

fn main() {
    println!(
        "scalar(), whole, medians of {ROUNDS} rounds of {SCALARS} calls each, in turn with the floor"
    );
    println!("\n                floor ns     ours ns  wall ratio   CPU ratio");
    for (name, tags) in [("one tag", 1), ("100 tags", 100), ("10,000 tags", 10_000)] {
        let tags = tags_of_four_letters(tags);
        let result = compare(ROUNDS, || floor(&tags, 1), || ours(&tags, 1));
        println!(
            "{name:12} {:11.1} {:11.1} {:11.2} {:11.2}",
            ns(result.floor),
            ns(result.ours),
            result.wall_ratio,
            result.cpu_ratio
        );
    }

    println!("\n          floor (mutex)        ours   in all, M a second");
    let tags = tags_of_four_letters(1);
    for threads in [1, 2, 4, 8] {
        let result = compare(ROUNDS, || floor(&tags, threads), || ours(&tags, threads));
        let rate = |secs: f64| SCALARS as f64 / secs / 1e6;
        println!(
            "{threads} threads {:14.2} {:11.2}",
            rate(result.floor),
            rate(result.ours)
        );
    }

    println!("\nscalars()     ns a value  bytes a value");
    for values in [1, 10, 100] {
        batches(values);
    }

    println!("\nhandles and the thread's default writer, the call alone       ns");
    handles();

    println!(
        "\nlatency of a call, ns, with the clock around it        p50     p99   p99.9      max"
    );
    latency("nothing, the clock alone", Duration::ZERO, |_| {});
    let dir = tempfile::tempdir().unwrap();
    latency_of_floor(&dir.path().join("floor"));
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for (name, tag, pause) in [
        ("scalar(), as fast as they go", "loss", Duration::ZERO),
        ("scalar(), each 20 µs", "lr", Duration::from_micros(20)),
    ] {
        latency(name, pause, |step| summary.scalar(tag, 0.5, step));
    }
    summary.close().unwrap();

    println!("\na run's first byte on disk, of 200, ms                      median     longest");
    let (floor, ours): (Vec<f64>, Vec<f64>) = (0..200).map(|_| (open_by_hand(), open())).unzip();
    for (name, times) in [
        ("a directory, a file and one write", floor),
        ("create_file_writer", ours),
    ] {
        let longest = times.iter().copied().fold(0.0, f64::max);
        println!("{name:50} {:15.3} {longest:11.3}", median(times));
    }
}

fn tags_of_four_letters(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{i:04}")).collect()
}

fn ns(secs: f64) -> f64 {
    secs * 1e9 / SCALARS as f64
}

/// Logs `SCALARS` numbers, `values` of them a record.
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
        "{values:3} a record {time:12.1} {:14.1}",
        bytes as f64 / SCALARS as f64
    );
}

/// What a call costs through handles that are more than a run's, medians.
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
    ours("a disabled one", &|step| disabled.scalar("b", 0.5, step));
    let every = summary.record_every(100);
    ours("every 100th step", &|step| every.scalar("c", 0.5, step));
    let _guard = summary.as_default();
    ours("the default writer", &|step| {
        summary_writer::scalar("d", 0.5, step)
    });
}

/// What the calls of the hand-written loop take, with its writes among them.
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

/// What single calls take, with a pause before each.
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

/// Logs `SCALARS` scalars by `threads` threads, and reads them back once it is measured.
fn ours(tags: &[String], threads: usize) -> Cost {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
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
    // Its bytes are right, but for the version record, which nobody misses here.
    check(&path);
    cost
}

/// Gives each thread its part of the steps, which do not start at 0: a step of 0 has no bytes.
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

/// One frame with a tag of four letters and a step of up to 21 bits: fields of known size in known places.
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

/// Milliseconds until a new directory has a file with as many bytes as the first record.
fn open_by_hand() -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let start = Instant::now();
    fs::create_dir_all(dir.path().join("run")).unwrap();
    let mut file = File::create(dir.path().join("run/tfevents")).unwrap();
    file.write_all(&[0; 64]).unwrap();
    start.elapsed().as_secs_f64() * 1e3
}

/// Milliseconds until a new writer's file has its first record.
fn open() -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let summary = SummaryWriter::create_file_writer(dir.path().join("run")).unwrap();
    let time = start.elapsed();
    assert!(summary.path().unwrap().metadata().unwrap().len() > 0);
    time.as_secs_f64() * 1e3
}
