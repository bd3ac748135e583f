//! A damaged event file to its sound events.

use std::io::Read;
use std::path::Path;

use prost::Message;

use super::verify::{DamageKind, FileReport};
use crate::error::Result;
use crate::proto::Event;
use crate::record::{Piece, Scanner};

/// Reads the sound events of one event file to its end, also those behind damage, where [`EventReader`] and stock
/// TensorBoard give up the file. What is not sound is passed over and reported.
///
/// An error is one of the source, [`Error::Io`]; the next call asks it again.
///
/// ```
/// use summary_writer::Salvage;
/// use summary_writer::record::append_frame;
///
/// let mut file = Vec::new();
/// for step in 1..4 {
///     append_frame(&[0x10, step], &mut file); // an event that has a step only
/// }
/// file[18] ^= 1; // in the length of the second record
///
/// let mut salvage = Salvage::new("from memory", &file[..]);
/// let steps = salvage.by_ref().map(|event| Ok(event?.step));
/// assert_eq!(steps.collect::<Result<Vec<_>, summary_writer::Error>>()?, [1, 3]);
/// let report = salvage.into_report()?;
/// assert_eq!(report.damages[0].offset, 18);
/// # Ok::<(), summary_writer::Error>(())
/// ```
///
/// [`EventReader`]: crate::EventReader
/// [`Error::Io`]: crate::Error::Io
#[derive(Debug)]
pub struct Salvage<R> {
    scanner: Scanner<R>,
    report: FileReport,
    is_finished: bool,
}

impl<R: Read> Salvage<R> {
    /// Reads from `source`, which needs no buffer of its own. `path` is what errors and the report call it.
    pub fn new(path: impl AsRef<Path>, source: R) -> Self {
        Self {
            scanner: Scanner::new(source),
            report: FileReport::new(path.as_ref()),
            is_finished: false,
        }
    }

    /// Reads to the end, and says what is in the file.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the source refuses.
    pub fn into_report(mut self) -> Result<FileReport> {
        while self.next_event()?.is_some() {}
        Ok(self.report)
    }

    /// The frame of the last event.
    pub(super) fn frame(&self) -> &[u8] {
        self.scanner.frame()
    }

    /// What was found up to here.
    pub(super) fn report(&self) -> &FileReport {
        &self.report
    }

    pub(super) fn next_event(&mut self) -> Result<Option<Event>> {
        let piece = |scanner: &mut Scanner<R>, path: &Path| {
            scanner.next_piece().map_err(|error| error.in_file(path))
        };
        while let Some(piece) = piece(&mut self.scanner, &self.report.path)? {
            match piece {
                Piece::Record { offset } => {
                    let bytes = self.scanner.frame().len() as u64;
                    self.report.bytes += bytes;
                    match Event::decode(self.scanner.payload()) {
                        Ok(event) if event.wall_time.is_nan() => {
                            self.report.add(offset, bytes, DamageKind::WallTime);
                        }
                        Ok(event) => {
                            self.report.records += 1;
                            return Ok(Some(event));
                        }
                        Err(_) => self.report.add(offset, bytes, DamageKind::NotAnEvent),
                    }
                }
                Piece::Damage {
                    offset,
                    bytes,
                    fault,
                } => {
                    self.report.bytes += bytes;
                    self.report.add(offset, bytes, fault.into());
                }
                Piece::Unfinished { bytes, .. } => {
                    self.report.bytes += bytes;
                    self.report.unfinished_bytes = bytes;
                }
            }
        }
        if !self.is_finished {
            self.is_finished = true;
            self.report.finish();
        }
        Ok(None)
    }
}

impl<R: Read> Iterator for Salvage<R> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_event().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::append_frame;
    use crate::test_io::Script;

    #[test]
    fn asks_a_source_again_after_its_error() {
        let mut bytes = Vec::new();
        append_frame(&[0x10, 1], &mut bytes);
        append_frame(&[0x10, 2], &mut bytes);
        let script = Script::new([&bytes[..25], &bytes[25..]]).failing_between();
        let mut salvage = Salvage::new("the/file", script);
        assert_eq!(salvage.next().unwrap().unwrap().step, 1);
        let error = salvage.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), r#"could not read "the/file""#);
        assert_eq!(salvage.next().unwrap().unwrap().step, 2);
    }
}
