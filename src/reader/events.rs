//! Reads the events of a file or of a run.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::EventFile;
use super::runs::{event_files, is_dir};
use super::verify::Report;
use crate::error::{Error, Result};
use crate::proto::Event;

/// Reads the events of an event file or of a run directory. It reads the files of a run in the order of their names, as stock
/// TensorBoard does.
///
/// The iterator can continue after `None`, which means that there is no more data yet. Call it again when the writer has
/// written more, to the same file or to a new one.
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
/// [`ValueDecoder`](super::ValueDecoder) decodes images, histograms and all other kinds of data.
///
/// The iterator returns each error once, and then continues:
///
/// - After [`Part::Payload`](crate::record::Part::Payload) and [`Error::Decode`], it continues with the next record.
/// - After other damage, it continues with the next file, because the end of the damaged record is unknown.
///   [`skip_damage`](Self::skip_damage) changes this.
/// - After [`Error::Io`], it continues with the next file, and tries the failed operation again after the next `None`.
#[doc(alias = "EventAccumulator")]
#[doc(alias = "summary_iterator")]
pub struct EventReader {
    /// The run directory, or `None` for a single file.
    dir: Option<PathBuf>,
    /// The files in the order of their names.
    files: Vec<EventFile>,
    /// The index of the file that is being read, or `None` before the first file and after the last one.
    current: Option<usize>,
    /// The index of the file of the last item.
    last: Option<usize>,
    skip_damage: bool,
}

impl EventReader {
    /// Opens an event file, or a run directory. A directory without event files has no events yet. With the feature
    /// `object-store`, `path` may be a URL such as `s3://bucket/logs/run`.
    ///
    /// # Errors
    /// [`Error::Io`] if `path` does not exist or cannot be read. [`Error::Invalid`] if it is another URL or starts with `~`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if is_dir(path)? {
            let mut reader = Self::new(Some(path.into()), Vec::new());
            reader.find_files()?;
            return Ok(reader);
        }
        let mut file = EventFile::new(path.into());
        file.open()?;
        Ok(Self::new(None, vec![file]))
    }

    /// Reads one event file from a stream. The stream need not be buffered. Errors and the report use `path` as its name.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use summary_writer::EventReader;
    /// use summary_writer::record::append_frame;
    ///
    /// let mut file = Vec::new();
    /// append_frame(&[0x10, 7], &mut file); // an event that only has a step
    /// let mut reader = EventReader::from_source("from memory", Cursor::new(file));
    /// assert_eq!(reader.next().transpose()?.map(|event| event.step), Some(7));
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    pub fn from_source(path: impl AsRef<Path>, source: impl Read + Send + 'static) -> Self {
        let file = EventFile::from_source(path.as_ref().into(), Box::new(source));
        Self::new(None, vec![file])
    }

    fn new(dir: Option<PathBuf>, files: Vec<EventFile>) -> Self {
        Self {
            dir,
            files,
            current: None,
            last: None,
            skip_damage: false,
        }
    }

    /// Sets whether to skip damage instead of returning an error. Default: `false`.
    ///
    /// With `true`, the reader also returns events after damage at which stock TensorBoard gives up the file. It skips events
    /// with the wall time NaN, because TensorBoard gives up the file there, too. [`report`](Self::report) lists what was
    /// skipped. The only possible error is [`Error::Io`].
    ///
    /// ```
    /// use std::io::Cursor;
    /// use summary_writer::EventReader;
    /// use summary_writer::record::append_frame;
    ///
    /// let mut file = Vec::new();
    /// for step in 1..4 {
    ///     append_frame(&[0x10, step], &mut file); // an event that only has a step
    /// }
    /// file[18] ^= 1; // in the length of the second record
    ///
    /// let mut reader = EventReader::from_source("from memory", Cursor::new(file)).skip_damage(true);
    /// let steps = reader.by_ref().map(|event| Ok(event?.step));
    /// assert_eq!(steps.collect::<Result<Vec<_>, summary_writer::Error>>()?, [1, 3]);
    /// assert_eq!(reader.report().files[0].damages[0].offset, 18);
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    #[must_use]
    pub fn skip_damage(mut self, skip_damage: bool) -> Self {
        self.skip_damage = skip_damage;
        self
    }

    /// Returns the file of the last item.
    pub fn path(&self) -> Option<&Path> {
        self.files.get(self.last?).map(EventFile::path)
    }

    /// Returns what was read and which damage was skipped so far, for each file in the order of reading. Damage that was
    /// returned as an error is not in the report.
    pub fn report(&self) -> Report {
        Report {
            files: self.files.iter().map(EventFile::report).collect(),
        }
    }

    /// Adds new event files.
    fn find_files(&mut self) -> Result<()> {
        self.last = None; // the indices change
        let Some(dir) = &self.dir else { return Ok(()) };
        for path in event_files(dir)? {
            if let Err(position) = self.files.binary_search_by(|file| file.path().cmp(&path)) {
                self.files.insert(position, EventFile::new(path));
            }
        }
        Ok(())
    }

    fn next_event(&mut self) -> Result<Option<Event>> {
        if self.current.is_none() {
            self.current = Some(0);
            self.find_files()?;
        }
        while let Some(current) = self.current
            && let Some(file) = self.files.get_mut(current)
        {
            let event = file.next_event(self.skip_damage);
            // Continue with the next file after an I/O error, because trying again at once would fail again.
            if matches!(event, Ok(None) | Err(Error::Io { .. })) {
                self.current = Some(current + 1);
            }
            if !matches!(event, Ok(None)) {
                self.last = Some(current);
                return event;
            }
        }
        self.current = None;
        Ok(None)
    }
}

impl Iterator for EventReader {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_event().transpose()
    }
}

impl fmt::Debug for EventReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventReader")
            .field("dir", &self.dir)
            .field("path", &self.path())
            .field("skip_damage", &self.skip_damage)
            .finish_non_exhaustive()
    }
}
