//! Compares `histogram()` with its floor: two passes written by hand for one type, which trust their input. The first pass
//! finds the lowest and the highest value, the second counts into several tables. The floor ignores NaN and large ranges.
//!
//! "alone" measures only the counting. "called" measures the call of a writer; there the floor also encodes the record and
//! computes its checksums.
//!
//! Run it with `cargo bench --bench histogram`, and with `--features half` for `bf16`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints for its user"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the floor trusts its input"
)]
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a program has no public items"
)]

mod support;

use std::array;
use std::fs;
use std::hint::black_box;
use std::io;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use summary_writer::proto::event::What;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::{EventReader, Histogram, Scalar, WriterOptions};
use support::{compare, crc, measure};

const BUCKETS: usize = 30;
const ROUNDS: usize = 41;
/// The number of values that are counted in a round.
const VALUES: usize = 4_000_000;
const RECORD_BYTES: usize = 1024;

fn main() {
    println!(
        "Histograms of {BUCKETS} buckets, medians of {ROUNDS} rounds, alternating with the floor, in ns per value\n"
    );
    println!("   values                     measured    floor        ours  wall ratio   CPU ratio");
    for len in [1_000, 1_000_000] {
        let mut random = fastrand::Rng::with_seed(7);
        // The sum of uniform numbers is about normally distributed, like weights.
        let normal: Vec<f64> = (0..len)
            .map(|_| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0)
            .collect();
        let rectified: Vec<f32> = normal.iter().map(|x| x.max(0.0) as f32).collect();
        let whole: Vec<f32> = normal.iter().map(|x| (x * 10.0).round() as f32).collect();
        let normal_f32: Vec<f32> = normal.iter().map(|x| *x as f32).collect();
        report("f32", &normal_f32, floor_f32);
        report("f32, half of it 0", &rectified, floor_f32);
        report("f32, whole numbers", &whole, floor_f32);
        report("f64", &normal, floor_f64);
        #[cfg(feature = "half")]
        {
            let halves: Vec<_> = normal.iter().map(|x| half::bf16::from_f64(*x)).collect();
            report("bf16", &halves, floor_bf16);
        }
    }
}

fn report<'a, T: Scalar>(name: &str, values: &'a [T], floor: fn(&[T]) -> Counted)
where
    Histogram: From<&'a [T]>,
{
    let calls = VALUES / values.len();
    let summary = WriterOptions::new().to_sink(io::sink()).unwrap();
    let records = Mutex::new(Vec::with_capacity(calls * RECORD_BYTES));
    check(&floor(values), values.len());
    let repeat = |work: &dyn Fn()| measure(|| (0..calls).for_each(|_| work()));
    let alone = compare(
        ROUNDS,
        || {
            repeat(&|| {
                black_box(floor(black_box(values)));
            })
        },
        || {
            repeat(&|| {
                black_box(Histogram::new(black_box(values)));
            })
        },
    );
    let called = compare(
        ROUNDS,
        || {
            records.lock().unwrap().clear();
            repeat(&|| record(&floor(black_box(values)), &records))
        },
        || {
            summary.flush().unwrap();
            repeat(&|| summary.histogram("weights", black_box(values), 1))
        },
    );
    for (what, result) in [("alone", alone), ("called", called)] {
        let ns = |secs: f64| secs * 1e9 / (calls * values.len()) as f64;
        println!(
            "{:9} {name:19} {what:7} {:8.3} {:11.3} {:11.2} {:11.2}",
            values.len(),
            ns(result.floor),
            ns(result.ours),
            result.wall_ratio,
            result.cpu_ratio
        );
    }
}

struct Counted {
    low: f64,
    high: f64,
    counts: [u32; BUCKETS],
}

macro_rules! floor {
    ($name:ident, $number:ty, $float:ty, $to_float:expr) => {
        fn $name(values: &[$number]) -> Counted {
            const LANES: usize = 8;
            const BLOCK: usize = 64;
            const TABLES: usize = 4;
            type Float = $float;
            let to_float: fn($number) -> Float = $to_float;

            let (lanes, rest) = values.as_chunks::<LANES>();
            let ends = ([Float::INFINITY; LANES], [Float::NEG_INFINITY; LANES]);
            let (low, high) = lanes.iter().fold(ends, |(low, high), values| {
                let values = values.map(to_float);
                (
                    array::from_fn(|i| {
                        if values[i] < low[i] {
                            values[i]
                        } else {
                            low[i]
                        }
                    }),
                    array::from_fn(|i| {
                        if values[i] > high[i] {
                            values[i]
                        } else {
                            high[i]
                        }
                    }),
                )
            });
            let rest = || rest.iter().map(|value| to_float(*value));
            let low = low
                .into_iter()
                .chain(rest())
                .fold(Float::INFINITY, Float::min);
            let high = high
                .into_iter()
                .chain(rest())
                .fold(Float::NEG_INFINITY, Float::max);

            let scale = BUCKETS as Float / (high - low);
            let last = (BUCKETS - 1) as Float;
            let bucket = |value| {
                let place = (to_float(value) - low) * scale;
                let place = if place < last { place } else { last };
                #[allow(
                    unsafe_code,
                    reason = "a checked cast is slower, and all values are finite"
                )]
                // SAFETY: `place` is between 0 and `last`.
                let bucket = unsafe { place.to_int_unchecked::<i32>() };
                bucket
            };
            let mut tables = [[0_u32; 256]; TABLES];
            let mut buckets = [0; BLOCK];
            let (blocks, rest) = values.as_chunks::<BLOCK>();
            for block in blocks {
                for (to, value) in buckets.iter_mut().zip(block) {
                    *to = bucket(*value);
                }
                for group in buckets.as_chunks::<TABLES>().0 {
                    for i in 0..TABLES {
                        tables[i][usize::from(group[i] as u8)] += 1;
                    }
                }
            }
            for value in rest {
                tables[0][usize::from(bucket(*value) as u8)] += 1;
            }
            Counted {
                low: low.into(),
                high: high.into(),
                counts: array::from_fn(|i| tables.iter().map(|table| table[i]).sum()),
            }
        }
    };
}

floor!(floor_f32, f32, f32, |value| value);
floor!(floor_f64, f64, f64, |value| value);
#[cfg(feature = "half")]
floor!(floor_bf16, half::bf16, f32, |value| {
    f32::from_bits(u32::from(value.to_bits()) << 16)
});

/// Appends one event of a histogram. All sizes are fixed, because the tag always has seven letters.
fn record(counted: &Counted, records: &Mutex<Vec<u8>>) {
    let mut frame = [0; RECORD_BYTES];
    let mut at = 12;
    let mut put = |bytes: &[u8]| {
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    put(&[0x09]);
    put(&now.as_secs_f64().to_le_bytes());
    put(b"\x10\x01\x2a\x80\x06\x0a\xfd\x05\x0a\x07weights\x42\xdf\x05\x08\x02\x12\x08");
    put(b"\x12\x02\x08\x1e\x12\x02\x08\x03\x22\xd0\x05");
    let width = (counted.high - counted.low) / BUCKETS as f64;
    let mut left = counted.low;
    for (i, count) in (1..).zip(counted.counts) {
        let right = counted.low + width * f64::from(i);
        for number in [left, right, count.into()] {
            put(&number.to_le_bytes());
        }
        left = right;
    }
    put(b"\x4a\x10\x0a\x0c\x0a\x0ahistograms\x20\x02");
    let end = at;
    frame[..8].copy_from_slice(&(end as u64 - 12).to_le_bytes());
    crc::with_instruction(|| {
        let crc = crc::masked(&frame[..8]);
        frame[8..12].copy_from_slice(&crc.to_le_bytes());
        let crc = crc::masked(&frame[12..end]);
        frame[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    });
    records.lock().unwrap().extend_from_slice(&frame[..end + 4]);
}

/// Checks that the floor writes an event that counts all values.
fn check(counted: &Counted, values: usize) {
    let file = tempfile::NamedTempFile::with_prefix("tfevents").unwrap();
    let records = Mutex::default();
    record(counted, &records);
    fs::write(&file, &*records.lock().unwrap()).unwrap();
    let events: Vec<_> = EventReader::open(file.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let Some(What::Summary(summary)) = &events[0].what else {
        unreachable!("it is a summary");
    };
    let Some(Data::Tensor(tensor)) = &summary.value[0].value else {
        unreachable!("it is a tensor");
    };
    let (numbers, _) = tensor.tensor_content.as_chunks::<8>();
    let counts = numbers
        .iter()
        .skip(2)
        .step_by(3)
        .map(|bytes| f64::from_le_bytes(*bytes));
    assert_eq!(summary.value[0].tag, "weights");
    assert_eq!(numbers.len(), 3 * BUCKETS);
    assert_eq!(counts.sum::<f64>(), values as f64);
}
