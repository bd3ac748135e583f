//! Checks event files and reports their sound records and their damage.

use std::fmt;
use std::path::{Path, PathBuf};

use super::file::EventFile;
use super::runs::find_runs;
use crate::error::Result;
use crate::record::Fault;

/// The number of damaged parts of a file that a report lists. The rest is counted only, because a file can have one every
/// 17 bytes.
const MAX_DAMAGES: usize = 1000;

/// Checks each record of an event file, or of all event files of a run or a logdir, and reports damage.
///
/// The files are only read. After damage, `verify` continues with the next sound record. So it also counts records that stock
/// TensorBoard does not reach. A file that cannot be read is an error, not damage.
///
/// ```
/// use summary_writer::reader::{DamageKind, repair_to, verify};
/// use summary_writer::SummaryWriter;
///
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path().join("run");
/// # let repaired = dir.path().join("repaired");
/// let summary = SummaryWriter::create_file_writer(&logdir)?;
/// let path = summary.path().unwrap_or_default();
/// for step in 0..10 {
///     summary.scalar("loss", 0.5, step);
/// }
/// summary.close()?;
/// assert!(verify(&logdir)?.is_sound());
///
/// let mut bytes = std::fs::read(&path)?;
/// let len = bytes.len();
/// bytes[len - 100] ^= 1; // in the third record from the end
/// std::fs::write(&path, bytes)?;
/// let report = verify(&logdir)?;
/// let damage = &report.files[0].damages[0];
/// assert_eq!((damage.kind, damage.records_after), (DamageKind::Payload, 2));
///
/// repair_to(&logdir, &repaired)?;
/// assert!(verify(&repaired)?.is_sound());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if `path` does not exist or cannot be read.
pub fn verify(path: impl AsRef<Path>) -> Result<Report> {
    let runs = find_runs(path)?;
    let files = runs.into_iter().flat_map(|run| run.files);
    let files = files.map(verify_file).collect::<Result<_>>()?;
    Ok(Report { files })
}

pub(super) fn verify_file(path: PathBuf) -> Result<FileReport> {
    let mut file = EventFile::new(path);
    while file.next_event(true)?.is_some() {}
    Ok(file.report())
}

/// The result of [`verify`], [`repair_to`](super::repair_to), [`repair_in_place`](super::repair_in_place) and
/// [`EventReader::report`](super::EventReader::report).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The files, sorted by run and file name.
    pub files: Vec<FileReport>,
}

impl Report {
    /// Returns whether no file is damaged. An unfinished record at the end of a file does not count as damage.
    pub fn is_sound(&self) -> bool {
        self.files.iter().all(FileReport::is_sound)
    }
}

/// The contents of an event file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReport {
    /// The path of the file.
    pub path: PathBuf,
    /// The number of bytes that were read.
    pub bytes: u64,
    /// The number of sound records, including those after damage.
    pub records: u64,
    /// The first thousand damaged parts, in the order of the file.
    pub damages: Vec<Damage>,
    /// The number of all damaged parts.
    pub damage_count: u64,
    /// The bytes of all damaged parts together.
    pub damaged_bytes: u64,
    /// The bytes of an incomplete record at the end. A writer is still writing it, or was stopped. This is not damage, because
    /// all readers wait for the rest.
    pub unfinished_bytes: u64,
}

/// A damaged part of an event file: all bytes between two sound records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The offset of the first byte in the file.
    pub offset: u64,
    /// The length in bytes.
    pub bytes: u64,
    /// What is wrong.
    pub kind: DamageKind,
    /// The number of sound records that follow in the file.
    pub records_after: u64,
}

/// What is wrong with a part of an event file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DamageKind {
    /// A length does not match its checksum, or is larger than the limit. Stock TensorBoard loses the rest of the file.
    Length,
    /// A payload does not match its checksum. Stock TensorBoard shows wrong values, or loses the rest of the file.
    Payload,
    /// A record is incomplete, and other records follow. Stock TensorBoard loses the rest of the file.
    Truncated,
    /// There are zero bytes instead of a record. Some file systems leave them after a power failure. Stock TensorBoard loses the
    /// rest of the file.
    Zeros,
    /// The checksums of a record match, but its payload is not an event. Stock TensorBoard loses the rest of the file, and its
    /// Python loader stops reading all runs.
    NotAnEvent,
    /// The wall time of an event is NaN. The fast loader of stock TensorBoard loses the rest of the file.
    WallTime,
}

impl FileReport {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            bytes: 0,
            records: 0,
            damages: Vec::new(),
            damage_count: 0,
            damaged_bytes: 0,
            unfinished_bytes: 0,
        }
    }

    /// Returns whether the file has no damage. An unfinished record at the end does not count as damage.
    pub fn is_sound(&self) -> bool {
        self.damage_count == 0
    }

    /// Returns `false` if the file is of another kind: it has no sound record, and its first bytes are not a length with its
    /// checksum. `verify` also reads such files. Returns `true` for an empty file.
    pub fn is_event_file(&self) -> bool {
        let first = self.damages.first();
        let is_foreign = |damage: &Damage| damage.offset == 0 && damage.kind == DamageKind::Length;
        self.records > 0 || !first.is_some_and(is_foreign)
    }

    /// Adds a damaged part after the records that are counted so far.
    pub(super) fn add(&mut self, offset: u64, bytes: u64, kind: DamageKind) {
        self.damage_count += 1;
        self.damaged_bytes += bytes;
        if self.damages.len() < MAX_DAMAGES {
            self.damages.push(Damage {
                offset,
                bytes,
                kind,
                records_after: self.records, // the records before it, until `finish`
            });
        }
    }

    /// Replaces the number of records before each damaged part, which [`add`](Self::add) stores, by the number after it.
    pub(super) fn finish(mut self) -> Self {
        for damage in &mut self.damages {
            damage.records_after = self.records - damage.records_after;
        }
        self
    }
}

impl From<Fault> for DamageKind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Length => Self::Length,
            Fault::Payload => Self::Payload,
            Fault::Truncated => Self::Truncated,
            Fault::Zeros => Self::Zeros,
        }
    }
}

/// A clause such as `the length of a record is damaged`.
impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "the length of a record is damaged",
            Self::Payload => "the payload of a record is damaged",
            Self::Truncated => "a record ends early",
            Self::Zeros => "there are zeros instead of a record",
            Self::NotAnEvent => "a record is not an event",
            Self::WallTime => "the wall time of an event is not a number",
        })
    }
}

/// `byte 4711: the length of a record is damaged, 42 bytes, 990 records follow`
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            bytes,
            kind,
            records_after,
        } = self;
        write!(
            f,
            "byte {offset}: {kind}, {}, {}",
            Count(*bytes, "byte"),
            Count(*records_after, "record")
        )?;
        f.write_str(if *records_after == 1 {
            " follows"
        } else {
            " follow"
        })
    }
}

/// `1 byte`, `2 bytes`
struct Count(u64, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, what) = self;
        write!(f, "{count} {what}{}", if *count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::record::append_frame;

    fn report(bytes: &[u8]) -> FileReport {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let report = verify(file.path()).unwrap();
        let [report] = &report.files[..] else {
            panic!("{report:?}")
        };
        assert_eq!(report.path, file.path());
        assert_eq!(report.bytes, bytes.len() as u64);
        assert_eq!(
            fs::read(file.path()).unwrap(),
            bytes,
            "the file is only read"
        );
        report.clone()
    }

    /// The frame of an event whose step is its only field.
    fn frame(step: u8) -> Vec<u8> {
        framed(&[0x10, step]) // field 2, a varint
    }

    fn framed(payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        append_frame(payload, &mut frame);
        frame
    }

    fn flipped(mut frame: Vec<u8>, at: usize) -> Vec<u8> {
        frame[at] ^= 1;
        frame
    }

    #[test]
    fn each_damage_is_reported_with_its_offset_its_kind_and_the_records_after_it() {
        let nan = f64::NAN.to_le_bytes();
        let bytes = [
            frame(1),                           // 0
            flipped(frame(2), 0),               // 18
            frame(3),                           // 36
            flipped(frame(4), 13),              // 54
            framed(b"\x10"),                    // 72: a key without a value
            framed(b"\x1a\x01\xff"),            // 89: a file version that is not UTF-8
            framed(&[&[9][..], &nan].concat()), // 108: field 1, a double
            frame(5),                           // 133
            vec![0; 30],                        // 151
            frame(6),                           // 181
            frame(7)[..17].to_vec(),            // 199, without its last byte
        ]
        .concat();
        let report = report(&bytes);
        use DamageKind::{Length, NotAnEvent, Payload, WallTime, Zeros};
        let got: Vec<_> = report
            .damages
            .iter()
            .map(|damage| {
                (
                    damage.offset,
                    damage.bytes,
                    damage.kind,
                    damage.records_after,
                )
            })
            .collect();
        let want = [
            (18, 18, Length, 3),
            (54, 18, Payload, 2),
            (72, 17, NotAnEvent, 2),
            (89, 19, NotAnEvent, 2),
            (108, 25, WallTime, 2),
            (151, 30, Zeros, 1),
        ];
        assert_eq!(got, want);
        assert_eq!((report.records, report.damage_count), (4, 6));
        assert_eq!((report.damaged_bytes, report.unfinished_bytes), (127, 17));
        assert!(!report.is_sound());
        assert_eq!(
            report.damages[0].to_string(),
            "byte 18: the length of a record is damaged, 18 bytes, 3 records follow"
        );
        assert!(
            report.damages[5]
                .to_string()
                .ends_with(", 1 record follows")
        );
    }

    #[test]
    fn a_record_that_another_writer_interrupted_is_cut() {
        let mut bytes = frame(1)[..15].to_vec();
        bytes.extend(frame(2));
        bytes.extend(framed(&[0x10; 100])[..20].to_vec());
        bytes.extend(frame(3));
        let kinds: Vec<_> = report(&bytes)
            .damages
            .iter()
            .map(|damage| damage.kind)
            .collect();
        // The first payload is complete, but with bytes of the second record.
        assert_eq!(kinds, [DamageKind::Payload, DamageKind::Truncated]);
    }

    #[test]
    fn an_unfinished_record_and_an_empty_file_are_sound() {
        for (bytes, records, unfinished) in [
            (&b""[..], 0, 0),
            (&[0; 11], 0, 11),
            (&frame(1), 1, 0),
            (&[frame(1), frame(2)[..13].to_vec()].concat(), 1, 13),
        ] {
            let report = report(bytes);
            assert!(report.is_sound(), "{report:?}");
            assert_eq!(report.records, records);
            assert_eq!(report.unfinished_bytes, unfinished);
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_damages() {
        let bytes = framed(b"\x10").repeat(MAX_DAMAGES + 7);
        let report = report(&[bytes, frame(1)].concat());
        assert_eq!(report.damages.len(), MAX_DAMAGES);
        assert_eq!(report.damage_count, MAX_DAMAGES as u64 + 7);
        assert_eq!(report.damaged_bytes, 17 * (MAX_DAMAGES as u64 + 7));
    }

    #[test]
    fn a_logdir_has_a_report_for_each_file() {
        let logdir = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("a/1.tfevents", frame(1)),
            ("a/2.tfevents", flipped(frame(2), 3)),
            ("b/tfevents", [frame(3), frame(4)].concat()),
        ] {
            let path = logdir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let report = verify(logdir.path()).unwrap();
        let got: Vec<_> = report
            .files
            .iter()
            .map(|file| (file.records, file.is_sound()))
            .collect();
        assert_eq!(got, [(1, true), (0, false), (2, true)]);
        assert!(!report.is_sound());
        assert!(verify(logdir.path().join("b")).unwrap().is_sound());
        let error = verify(logdir.path().join("none")).unwrap_err();
        assert!(error.to_string().starts_with("could not open"), "{error}");
    }
}
