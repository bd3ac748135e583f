//! How the cost of logging depends on the number of tags, the number of threads, the size of the file and the size of a
//! record, and how much memory a slow sink takes.
//!
//! Run it with `cargo bench --bench growth`.

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

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::thread;
use std::time::{Duration, Instant};

use summary_writer::{SummaryWriter, WriterOptions};
use support::{measure, median};

const SCALARS: usize = 1_000_000;
const ROUNDS: usize = 7;

fn main() {
    // This comes first, because it measures the peak memory of the process.
    slow_sink();

    println!("\nMedians of {ROUNDS} rounds, from the first call until the file is closed\n");
    println!("      tags   ns per scalar, {SCALARS} scalars, cycling through the tags");
    for count in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let tags: Vec<String> = (0..count).map(|i| format!("{i:07}")).collect();
        let time = rounds(|| {
            to_file(|summary| {
                for step in 0..SCALARS {
                    summary.scalar(&tags[step % count], 0.5, step);
                }
            })
        });
        println!("{count:10} {:13.1}", time * 1e9 / SCALARS as f64);
    }

    println!("\n   threads   ns per scalar, {SCALARS} scalars in total");
    for count in [1, 2, 4, 8, 16, 32] {
        let time = rounds(|| {
            to_file(|summary| {
                thread::scope(|scope| {
                    for i in 0..count {
                        scope.spawn(move || {
                            let tag = i.to_string();
                            for step in 0..SCALARS / count {
                                summary.scalar(&tag, 0.5, step);
                            }
                        });
                    }
                });
            })
        });
        println!("{count:10} {:13.1}", time * 1e9 / SCALARS as f64);
    }

    println!("\n file, MB   ns per scalar, {SCALARS} scalars appended");
    for megabytes in [1, 10, 100, 1_000, 10_000] {
        let time = rounds(|| at_the_end_of(megabytes));
        println!("{megabytes:9} {:14.1}", time * 1e9 / SCALARS as f64);
    }

    println!("\n  record, bytes   µs per text   GB/s");
    for bytes in [10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let text = "a".repeat(bytes);
        let count = (100_000_000 / bytes).min(100_000);
        let time = rounds(|| {
            to_file(|summary| {
                for step in 0..count {
                    summary.text("text", &text, step);
                }
            })
        });
        let each = time / count as f64;
        println!(
            "{bytes:15} {:11.2} {:8.2}",
            each * 1e6,
            bytes as f64 / each / 1e9
        );
    }
}

fn rounds(mut work: impl FnMut() -> Duration) -> f64 {
    median((0..ROUNDS).map(|_| work().as_secs_f64()).collect())
}

fn to_file(log: impl FnOnce(&SummaryWriter)) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    measure(|| {
        log(&summary);
        summary.close().unwrap();
    })
    .wall
}

/// Appends to a sparse file of this size.
fn at_the_end_of(megabytes: u64) -> Duration {
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(megabytes * 1_000_000).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    let summary = WriterOptions::new().to_sink(file).unwrap();
    measure(|| {
        for step in 0..SCALARS {
            summary.scalar("loss", 0.5, step);
        }
        summary.close().unwrap();
    })
    .wall
}

/// A sink that accepts 10 MB per second.
struct Slow {
    start: Instant,
    bytes: usize,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len();
        let due = Duration::from_secs_f64(self.bytes as f64 / 10e6);
        thread::sleep(due.saturating_sub(self.start.elapsed()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Measures how much memory a program needs if it logs faster than its sink writes.
fn slow_sink() {
    println!("A sink of 10 MB/s, {SCALARS} scalars of 44 bytes");
    println!("\n max_pending_bytes   growth of peak memory, MiB");
    for mebibytes in [1, 4, 16] {
        let before = peak_mebibytes();
        let sink = Slow {
            start: Instant::now(),
            bytes: 0,
        };
        let summary = WriterOptions::new()
            .max_pending_bytes(mebibytes << 20)
            .to_sink(sink)
            .unwrap();
        for step in 0..SCALARS {
            summary.scalar("loss", 0.5, step);
        }
        summary.close().unwrap();
        println!("{mebibytes:14} MiB {:12.1}", peak_mebibytes() - before);
    }
}

/// Returns the peak memory of this process. Works on Linux only.
fn peak_mebibytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kibibytes.and_then(|it| it.parse().ok()).unwrap_or(f64::NAN) / 1024.0
}
