//! Event files to events, also while they grow.

mod value;
mod view;
mod wire;

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use prost::Message;

use crate::error::{Error, Part, Result};
use crate::proto::Event;
use crate::record::RecordReader;

pub use value::ValueRef;
pub use view::{EventRef, Values};

/// Reads the events of a file, or of a run directory: of all its event files, one after the other in the order of their
/// names, as stock TensorBoard does.
///
/// It is an iterator that can go on: `None` says that there is no more now. Ask again once the writer has written more,
/// also into a new file.
///
/// ```
/// use summary_writer::proto::event::What;
/// use summary_writer::{EventReader, SummaryWriter};
///
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path();
/// let summary = SummaryWriter::create_file_writer(logdir)?;
/// summary.scalar("loss", 0.5, 7);
/// summary.close()?;
///
/// let mut points = Vec::new();
/// for event in EventReader::open(logdir)? {
///     let event = event?;
///     if let Some(What::Summary(summary)) = event.what {
///         for value in summary.value {
///             points.push((value.tag.clone(), event.step, value.scalar()));
///         }
///     }
/// }
/// assert_eq!(points, [("loss".to_owned(), 7, Some(0.5))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Its items are messages of their own. For the numbers of a large file, [`next_event`](Self::next_event) is some times
/// faster.
///
/// An error is said once, and the iterator goes on behind it: behind the record if its end is known
/// ([`Part::Payload`], [`Error::Decode`]), else with the next file. What the system refused ([`Error::Io`]) is asked for
/// again after the next `None`.
#[derive(Debug)]
pub struct EventReader {
    /// Where new files appear; `None` for a single file.
    dir: Option<PathBuf>,
    /// In the order of their names.
    files: Vec<EventFile>,
    /// The file that this pass is at; `None` between two passes.
    current: Option<usize>,
    /// The file of the last item.
    last: Option<usize>,
}

#[derive(Debug)]
struct EventFile {
    name: OsString,
    path: PathBuf,
    /// Opened when its turn comes.
    records: Option<RecordReader<File>>,
    /// Nothing behind the damage can be found.
    is_lost: bool,
}

impl EventReader {
    /// Opens an event file, or a run directory; one without event files has no events yet.
    ///
    /// # Errors
    /// [`Error::Io`] if there is nothing at `path`, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let metadata = fs::metadata(path).map_err(|error| Error::io("open", path, error))?;
        if metadata.is_dir() {
            let mut reader = Self {
                dir: Some(path.into()),
                files: Vec::new(),
                current: None,
                last: None,
            };
            reader.find_files()?;
            return Ok(reader);
        }
        let mut file = EventFile::new(path.into());
        file.open()?;
        Ok(Self {
            dir: None,
            files: vec![file],
            current: None,
            last: None,
        })
    }

    /// The next event as it stands in the buffer, without an allocation; `None` where the iterator says it.
    ///
    /// ```
    /// # use summary_writer::{EventReader, SummaryWriter};
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    /// # let summary = SummaryWriter::create_file_writer(logdir)?;
    /// # summary.scalar("loss", 0.5, 7);
    /// # summary.close()?;
    /// let mut reader = EventReader::open(logdir)?;
    /// let mut points = Vec::new();
    /// while let Some(event) = reader.next_event()? {
    ///     for value in event.values() {
    ///         if let ("loss", Some(loss)) = (value.tag(), value.scalar()) {
    ///             points.push((event.step(), loss));
    ///         }
    ///     }
    /// }
    /// assert_eq!(points, [(7, 0.5)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of the iterator. A call after an error goes on behind it.
    pub fn next_event(&mut self) -> Result<Option<EventRef<'_>>> {
        let Some((payload, offset)) = self.next_payload()? else {
            return Ok(None);
        };
        let (event, is_event) = EventRef::new(payload);
        if !is_event {
            // Says why, and has the last word.
            decode(payload, offset)?;
        }
        Ok(Some(event))
    }

    /// The file that the last item came from.
    pub fn path(&self) -> Option<&Path> {
        self.files.get(self.last?).map(|file| file.path.as_path())
    }

    /// Adds the event files that are new.
    fn find_files(&mut self) -> Result<()> {
        self.last = None; // the indices change
        let Some(dir) = &self.dir else { return Ok(()) };
        let refused = |error| Error::io("list", dir, error);
        for entry in fs::read_dir(dir).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let name = entry.file_name();
            if name.to_string_lossy().contains("tfevents")
                && let Err(position) = self.files.binary_search_by(|file| file.name.cmp(&name))
                && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file())
            {
                self.files.insert(position, EventFile::new(entry.path()));
            }
        }
        Ok(())
    }

    /// The next record of the file whose turn it is, and its offset there.
    fn next_payload(&mut self) -> Result<Option<(&[u8], u64)>> {
        if self.current.is_none() {
            self.current = Some(0);
            self.find_files()?;
        }
        while let Some(current) = self.current
            && let Some(file) = self.files.get_mut(current)
        {
            let found = file.advance();
            // What the system refuses now it refuses a moment later, too.
            if matches!(found, Ok(None) | Err(Error::Io { .. })) {
                self.current = Some(current + 1);
            }
            if !matches!(found, Ok(None)) {
                self.last = Some(current);
            }
            if let Some(offset) = found? {
                return Ok(self.files[current]
                    .payload()
                    .map(|payload| (payload, offset)));
            }
        }
        self.current = None;
        Ok(None)
    }
}

impl Iterator for EventReader {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_payload() {
            Ok(record) => record.map(|(payload, offset)| decode(payload, offset)),
            Err(error) => Some(Err(error)),
        }
    }
}

fn decode(payload: &[u8], offset: u64) -> Result<Event> {
    Event::decode(payload).map_err(|error| Error::Decode {
        offset,
        source: error,
    })
}

impl EventFile {
    fn new(path: PathBuf) -> Self {
        Self {
            name: path.file_name().unwrap_or_default().into(),
            path,
            records: None,
            is_lost: false,
        }
    }

    fn open(&mut self) -> Result<&mut RecordReader<File>> {
        match &mut self.records {
            Some(records) => Ok(records),
            closed => {
                let file =
                    File::open(&self.path).map_err(|error| Error::io("open", &self.path, error))?;
                Ok(closed.insert(RecordReader::new(file)))
            }
        }
    }

    /// Goes to the next record, and says its offset.
    fn advance(&mut self) -> Result<Option<u64>> {
        if self.is_lost {
            return Ok(None);
        }
        let records = self.open()?;
        let offset = records.offset();
        match records.advance() {
            Ok(found) => Ok(found.then_some(offset)),
            Err(error) => {
                self.is_lost = matches!(
                    error,
                    Error::Corrupt {
                        part: Part::Length,
                        ..
                    } | Error::TooLarge { .. }
                );
                Err(error.in_file(&self.path))
            }
        }
    }

    /// Of the record that it went to.
    fn payload(&self) -> Option<&[u8]> {
        self.records.as_ref().map(RecordReader::payload)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::record::append_frame;

    /// The frame of an event whose step is its only field.
    fn frame(step: u8) -> Vec<u8> {
        let mut frame = Vec::new();
        append_frame(&[0x10, step], &mut frame); // field 2, a varint
        frame
    }

    fn append(path: &Path, bytes: &[u8]) {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(bytes).unwrap();
    }

    /// No steps. A bare `[]` may be of other numbers too, once a dependency compares those with `i64`.
    const NOTHING: [i64; 0] = [];

    /// What a pass gives: the steps, and -1 for an error.
    fn pass(reader: &mut EventReader) -> Vec<i64> {
        reader
            .map(|event| event.map_or(-1, |event| event.step))
            .collect()
    }

    /// The same, in place.
    fn pass_in_place(reader: &mut EventReader) -> Vec<i64> {
        let mut steps = Vec::new();
        loop {
            match reader.next_event() {
                Ok(Some(event)) => steps.push(event.step()),
                Ok(None) => return steps,
                Err(_) => steps.push(-1),
            }
        }
    }

    #[test]
    fn reads_the_files_of_a_run_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        append(&dir.path().join("b.tfevents"), &frame(3));
        append(&dir.path().join("a.tfevents.10"), &frame(1));
        append(&dir.path().join("a.tfevents.9"), &frame(2));
        append(&dir.path().join("notes.txt"), b"no event file");
        fs::create_dir(dir.path().join("sub.tfevents")).unwrap();
        let mut reader = EventReader::open(dir.path()).unwrap();
        assert_eq!(pass(&mut reader), [1, 2, 3]);
        assert_eq!(pass(&mut reader), NOTHING);
    }

    #[test]
    fn goes_on_where_files_grow_and_new_ones_appear() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name| dir.path().join(name);
        let mut reader = EventReader::open(dir.path()).unwrap();
        assert_eq!(pass(&mut reader), NOTHING);
        append(&path("b.tfevents"), &frame(1));
        assert_eq!(pass(&mut reader), [1]);
        let next = frame(2);
        append(&path("b.tfevents"), &next[..7]);
        assert_eq!(pass(&mut reader), NOTHING);
        append(&path("b.tfevents"), &next[7..]);
        append(&path("a.tfevents"), &frame(3));
        append(&path("c.tfevents"), &frame(4));
        assert_eq!(reader.next().unwrap().unwrap().step, 3);
        assert_eq!(reader.path(), Some(path("a.tfevents").as_path()));
        assert_eq!(pass(&mut reader), [2, 4]);
    }

    #[test]
    fn an_error_costs_a_record_or_the_rest_of_its_file_and_is_said_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tfevents");
        let mut bytes = frame(1);
        append_frame(b"", &mut bytes); // a key without a value
        bytes.extend(frame(2));
        let mut flipped = frame(3);
        flipped[13] ^= 1;
        bytes.extend(flipped);
        bytes.extend(frame(4));
        let mut lost = frame(5);
        lost[0] ^= 1;
        bytes.extend(lost);
        bytes.extend(frame(6));
        append(&path, &bytes);
        append(&dir.path().join("b.tfevents"), &frame(7));
        let mut reader = EventReader::open(dir.path()).unwrap();
        assert_eq!(pass(&mut reader), [1, -1, 2, -1, 4, -1, 7]);
        assert_eq!(pass(&mut reader), NOTHING);
        let mut reader = EventReader::open(dir.path()).unwrap();
        assert_eq!(pass_in_place(&mut reader), [1, -1, 2, -1, 4, -1, 7]);
        assert_eq!(pass_in_place(&mut reader), NOTHING);
        assert_eq!(
            pass(&mut EventReader::open(&path).unwrap()),
            [1, -1, 2, -1, 4, -1]
        );
    }

    #[test]
    fn both_ways_to_read_go_on_where_the_other_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tfevents");
        append(&path, &[1, 2, 3, 4].map(frame).concat());
        let mut reader = EventReader::open(&path).unwrap();
        assert_eq!(reader.next_event().unwrap().unwrap().step(), 1);
        assert_eq!(reader.next().unwrap().unwrap().step, 2);
        assert_eq!(reader.next_event().unwrap().unwrap().step(), 3);
        assert_eq!(reader.path(), Some(path.as_path()));
        assert_eq!(pass(&mut reader), [4]);
        let next = frame(5);
        append(&path, &next[..7]);
        assert!(reader.next_event().unwrap().is_none());
        append(&path, &next[7..]);
        assert_eq!(pass_in_place(&mut reader), [5]);
    }

    #[test]
    fn the_message_says_the_same_of_what_is_no_event_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tfevents");
        let mut bytes = frame(1);
        append_frame(b"\x10", &mut bytes); // a key without a value
        append(&path, &bytes);
        let mut reader = EventReader::open(&path).unwrap();
        assert!(reader.next_event().unwrap().is_some());
        let error = reader.next_event().unwrap_err();
        assert_eq!(error.to_string(), "record at byte 18 is not an event");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("invalid varint"), "{source}");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = EventReader::open("no/such/file").unwrap_err();
        assert_eq!(error.to_string(), r#"could not open "no/such/file""#);
    }
}
