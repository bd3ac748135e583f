//! Reads one event file: its events in order, and the damage between them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use prost::Message;

use super::verify::{DamageKind, FileReport};
use crate::error::{Error, Part, Result};
use crate::location::{Location, location};
use crate::proto::Event;
use crate::record::{RecordReader, Segment};
#[cfg(feature = "object-store")]
use crate::store::ObjectReader;

/// Opens a file, or an object in a store: `s3://bucket/run/events.out.tfevents.1` (feature `object-store`). It is read in large
/// parts. At the end of a file that grows, later reads return what was added.
///
/// # Errors
/// [`Error::Io`] if it does not exist or cannot be opened.
pub fn open(path: impl AsRef<Path>) -> Result<Box<dyn Read + Send>> {
    match location(path.as_ref())? {
        Location::Local(path) => {
            let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
            Ok(Box::new(file))
        }
        #[cfg(feature = "object-store")]
        Location::Store(object) => Ok(Box::new(ObjectReader::open(object)?)),
    }
}

/// Reads one file, which may still grow.
pub(super) struct EventFile {
    /// The first call that reads opens it.
    records: Option<RecordReader<Box<dyn Read + Send>>>,
    /// True if the rest of the file can only be read with `skip_damage`.
    is_lost: bool,
    /// True if the last call found the end of the file.
    is_at_end: bool,
    report: FileReport,
}

impl EventFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            records: None,
            is_lost: false,
            is_at_end: false,
            report: FileReport::new(path),
        }
    }

    /// Reads from `source`. Errors and the report use `path`.
    pub(super) fn from_source(path: PathBuf, source: Box<dyn Read + Send>) -> Self {
        Self {
            records: Some(RecordReader::new(source)),
            ..Self::new(path)
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.report.path
    }

    /// Opens the file if it is not open yet.
    pub(super) fn open(&mut self) -> Result<&mut RecordReader<Box<dyn Read + Send>>> {
        match &mut self.records {
            Some(records) => Ok(records),
            closed => {
                let source = open(&self.report.path)?;
                Ok(closed.insert(RecordReader::new(source)))
            }
        }
    }

    /// Returns the next event, or `None` at the end of the file. With `skip_damage`, the only error is [`Error::Io`].
    pub(super) fn next_event(&mut self, skip_damage: bool) -> Result<Option<Event>> {
        let event = if skip_damage {
            self.next_sound_event()
        } else {
            self.next_event_or_damage()
        };
        self.is_at_end = matches!(event, Ok(None));
        self.report.records += u64::from(matches!(event, Ok(Some(_))));
        event.map_err(|error| error.in_file(&self.report.path))
    }

    fn next_event_or_damage(&mut self) -> Result<Option<Event>> {
        if self.is_lost {
            return Ok(None);
        }
        let records = self.open()?;
        let offset = records.offset();
        match records.advance() {
            Ok(true) => Event::decode(records.payload())
                .map(Some)
                .map_err(|source| Error::Decode { offset, source }),
            Ok(false) => Ok(None),
            Err(error) => {
                self.is_lost = matches!(
                    error,
                    Error::Corrupt {
                        part: Part::Length,
                        ..
                    } | Error::TooLarge { .. }
                );
                Err(error)
            }
        }
    }

    fn next_sound_event(&mut self) -> Result<Option<Event>> {
        loop {
            let records = self.open()?;
            let (offset, bytes, kind) = match records.advance_or_skip()? {
                Some(Segment::Record { offset }) => {
                    let kind = match Event::decode(records.payload()) {
                        Ok(event) if event.wall_time.is_nan() => DamageKind::WallTime,
                        Ok(event) => return Ok(Some(event)),
                        Err(_) => DamageKind::NotAnEvent,
                    };
                    (offset, records.frame().len() as u64, kind)
                }
                Some(Segment::Damage {
                    offset,
                    bytes,
                    fault,
                }) => (offset, bytes, fault.into()),
                Some(Segment::Unfinished { .. }) | None => return Ok(None),
            };
            self.report.add(offset, bytes, kind);
        }
    }

    /// Returns the frame of the last event.
    pub(super) fn frame(&self) -> &[u8] {
        self.records.as_ref().map_or(&[], RecordReader::frame)
    }

    /// Returns what was read and skipped so far.
    pub(super) fn report(&self) -> FileReport {
        let mut report = self.report.clone();
        if let Some(records) = &self.records {
            report.bytes = records.offset();
            match records.tail().filter(|_| self.is_at_end) {
                Some(Segment::Damage {
                    offset,
                    bytes,
                    fault,
                }) => {
                    report.bytes = offset + bytes;
                    report.add(offset, bytes, fault.into());
                }
                Some(Segment::Unfinished { bytes }) => {
                    report.bytes += bytes;
                    report.unfinished_bytes = bytes;
                }
                Some(Segment::Record { .. }) | None => {}
            }
        }
        report.finish()
    }
}
