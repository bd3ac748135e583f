//! Compares reading with a floor: a hand-written loop that reads the file in blocks, checks both checksums of each record with
//! the instruction of the processor, and reads the step, the tag and the number of a scalar at fixed offsets.
//!
//! In the floor, each checksum instruction waits for the previous one. The crate `crc32c` runs three chains in parallel, so it
//! reads large records faster than the floor.
//!
//! Run it with `cargo bench --bench read`. The files are in the page cache, so this measures the reader, not the disk.

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

use std::fs::File;
use std::io::Read;
use std::path::Path;

use summary_writer::proto::event::What;
use summary_writer::record::RecordReader;
use summary_writer::tensor::Metadata;
use summary_writer::{EventReader, SummaryWriter, Tag, Tensor};
use support::{Cost, compare, crc, measure};

const ROUNDS: usize = 15;
const SCALARS: usize = 1_000_000;
const LARGE_BYTES: usize = 256 << 20;
const BLOCK_BYTES: usize = 64 << 10;

/// Totals of a file. The floor and the readers must agree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    records: usize,
    tag_bytes: usize,
    steps: i64,
    numbers: f64,
}

impl Sum {
    fn add(&mut self, tag: &str, step: i64, number: f32) {
        self.tag_bytes += tag.len();
        self.steps += step;
        self.numbers += f64::from(number);
    }
}

type Reading = fn(&Path) -> Sum;

fn main() {
    println!(
        "reading back, medians of {ROUNDS} rounds, each compared with the floor in the same round"
    );

    println!("\nM scalars per second               floor       ours  wall ratio   CPU ratio");
    let dir = tempfile::tempdir().unwrap();
    let forms: [(&str, Tag<'_>, Reading); 2] = [
        ("small form", Tag::new("loss"), floor_of_scalars),
        (
            "described",
            Tag::new("loss").description("x"),
            floor_of_described_scalars,
        ),
    ];
    for (name, tag, floor) in forms {
        let summary = SummaryWriter::create_file_writer(dir.path().join(name)).unwrap();
        for step in 1..=SCALARS {
            summary.scalar(tag.clone(), 0.5, step);
        }
        let path = summary.path().unwrap().to_owned();
        summary.close().unwrap();
        row(name, &path, floor, scalars, SCALARS as f64 / 1e6);
    }

    println!("\nGB per second                      floor       ours  wall ratio   CPU ratio");
    for (name, record_bytes) in [
        ("4 KiB", 4 << 10),
        ("64 KiB", 64 << 10),
        ("1 MiB", 1 << 20),
        ("64 MiB", 64 << 20),
    ] {
        let summary = SummaryWriter::create_file_writer(dir.path().join(name)).unwrap();
        let bytes = vec![0xa5u8; record_bytes];
        let tensor = Tensor::new([record_bytes], &bytes).unwrap();
        for step in 0..LARGE_BYTES / record_bytes {
            summary.tensor("weights", tensor.clone(), Metadata::new("weights"), step);
        }
        let path = summary.path().unwrap().to_owned();
        summary.close().unwrap();
        let readings: [(&str, Reading); 2] = [("records", records), ("events", tags)];
        for (reading, ours) in readings {
            row(
                &format!("{name}, {reading}"),
                &path,
                floor_of_records,
                ours,
                LARGE_BYTES as f64 / 1e9,
            );
        }
    }
}

fn row(name: &str, path: &Path, floor: Reading, ours: Reading, amount: f64) {
    let timed = |read: Reading, sum: &mut Sum| -> Cost { measure(|| *sum = read(path)) };
    let (mut want, mut got) = (Sum::default(), Sum::default());
    let result = compare(ROUNDS, || timed(floor, &mut want), || timed(ours, &mut got));
    // Every reading counts the records. Some also read the scalars.
    assert!(
        want.records == got.records,
        "{name}: expected {want:?}, got {got:?}"
    );
    if want.steps > 0 {
        assert!(want == got, "{name}: expected {want:?}, got {got:?}");
    }
    println!(
        "{name:26} {:13.2} {:10.2} {:11.2} {:11.2}",
        amount / result.floor,
        amount / result.ours,
        result.wall_ratio,
        result.cpu_ratio
    );
}

fn scalars(path: &Path) -> Sum {
    let mut sum = Sum::default();
    for event in EventReader::open(path).unwrap().map(Result::unwrap) {
        sum.records += 1;
        if let Some(What::Summary(summary)) = &event.what {
            for value in &summary.value {
                if let Some(number) = value.scalar() {
                    sum.add(&value.tag, event.step, number);
                }
            }
        }
    }
    sum
}

fn records(path: &Path) -> Sum {
    let mut sum = Sum::default();
    let mut reader = RecordReader::new(File::open(path).unwrap());
    while reader.next_record().unwrap().is_some() {
        sum.records += 1;
    }
    sum
}

fn tags(path: &Path) -> Sum {
    let mut sum = Sum::default();
    for event in EventReader::open(path).unwrap().map(Result::unwrap) {
        sum.records += 1;
        if let Some(What::Summary(summary)) = &event.what {
            sum.tag_bytes += summary
                .value
                .iter()
                .map(|value| value.tag.len())
                .sum::<usize>();
        }
    }
    sum
}

fn floor_of_records(path: &Path) -> Sum {
    floor(path, |_, _| {})
}

/// The number follows the tag: `0x15` is the key of field 2.
fn floor_of_scalars(path: &Path) -> Sum {
    floor(path, |payload, sum| {
        let (step, tag, rest) = scalar_head(payload);
        assert!(rest[0] == 0x15);
        sum.add(
            tag,
            step,
            f32::from_le_bytes(*rest[1..].first_chunk().unwrap()),
        );
    })
}

/// A tensor follows the tag, as `0x42 8`. In it are the type, `8 1`, and one number, `0x2a 4`.
fn floor_of_described_scalars(path: &Path) -> Sum {
    floor(path, |payload, sum| {
        let (step, tag, rest) = scalar_head(payload);
        assert!(rest[..6] == [0x42, 8, 8, 1, 0x2a, 4]);
        sum.add(
            tag,
            step,
            f32::from_le_bytes(*rest[6..].first_chunk().unwrap()),
        );
    })
}

/// Returns the step, the tag and the bytes after them. Expects the fields in their usual order: a wall time of 9 bytes, the
/// step, and one-byte lengths of the summary, the value and the tag.
#[inline(always)]
fn scalar_head(payload: &[u8]) -> (i64, &str, &[u8]) {
    assert!(payload[0] == 9 && payload[9] == 0x10);
    let (mut step, mut shift, mut at) = (0, 0, 10);
    loop {
        let byte = payload[at];
        step |= i64::from(byte & 0x7f) << shift;
        (shift, at) = (shift + 7, at + 1);
        if byte < 0x80 {
            break;
        }
    }
    assert!(payload[at] == 0x2a && payload[at + 2] == 0x0a && payload[at + 4] == 0x0a);
    let (tag, rest) = payload[at + 6..].split_at(payload[at + 5].into());
    (step, str::from_utf8(tag).unwrap(), rest)
}

/// Passes each payload to `take`, except the version record, which is the first.
fn floor(path: &Path, take: impl Fn(&[u8], &mut Sum)) -> Sum {
    let mut sum = Sum::default();
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; BLOCK_BYTES];
    let mut end = 0;
    crc::with_instruction(|| {
        loop {
            match file.read(&mut buffer[end..]).unwrap() {
                0 => break,
                count => end += count,
            }
            let mut start = 0;
            while let Some((len, rest)) = buffer[start..end].split_first_chunk::<8>() {
                let payload_bytes = usize::try_from(u64::from_le_bytes(*len)).unwrap();
                if rest.len() < payload_bytes + 8 {
                    // Make room for this record and a block.
                    let room = payload_bytes + 16 + BLOCK_BYTES;
                    if buffer.len() < room {
                        buffer.resize(room, 0);
                    }
                    break;
                }
                let (length_crc, rest) = rest.split_first_chunk().unwrap();
                let (payload, rest) = rest.split_at(payload_bytes);
                assert!(u32::from_le_bytes(*length_crc) == crc::masked(len));
                assert!(rest.starts_with(&crc::masked(payload).to_le_bytes()));
                if sum.records > 0 {
                    take(payload, &mut sum);
                }
                sum.records += 1;
                start += payload_bytes + 16;
            }
            buffer.copy_within(start..end, 0);
            end -= start;
        }
    });
    assert!(end == 0, "a torn record");
    sum
}
