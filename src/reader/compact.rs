//! Merges the event files of each run into one.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::file::EventFile;
use super::find_runs;
use super::runs::Run;
use super::verify::{FileReport, Report};
use crate::error::{Error, Result, quoted};
use crate::location::{Location, location};
use crate::proto::event::What;
#[cfg(feature = "object-store")]
use crate::store::ObjectWriter;

/// Merges the event files of each run of a logdir, or of one run, into one event file in the logdir `to`. The segments of a run
/// in an object store become one object. A TensorBoard that starts on `to` reads fewer files.
///
/// Each new file has the name of the last file of its run. Records are copied byte by byte in the order of the files. Version
/// records after the first one are left out, and so is damage. The new file is then read back and compared. The old files stay.
/// The files of [embeddings](crate::SummaryWriter::embedding) are not copied.
///
/// Both paths may be URLs, with the feature `object-store`. Large objects are uploaded in parts.
///
/// The report describes the originals.
///
/// # Errors
/// [`Error::Io`] if something cannot be read or written, if a new file exists already, or if it differs when it is read back.
/// [`Error::Invalid`] if `path` is a single file, or if `to` is in `path` or the same.
pub fn compact(path: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<Report> {
    let (path, to) = (path.as_ref(), to.as_ref());
    if to.starts_with(path) {
        let problem = format!(
            "expected another logdir, because {} would have each point twice, got {}",
            quoted(path),
            quoted(to)
        );
        return Err(Error::invalid("to", problem));
    }
    if !super::runs::is_dir(path)? {
        let problem = format!("expected a run or a logdir, got the file {}", quoted(path));
        return Err(Error::invalid("path", problem));
    }
    let mut files = Vec::new();
    for run in find_runs(path)? {
        files.extend(merge(&run, to)?);
    }
    Ok(Report { files })
}

/// Merges the files of a run. Returns their reports.
fn merge(run: &Run, to: &Path) -> Result<Vec<FileReport>> {
    let Some(name) = run.files.last().and_then(|file| file.file_name()) else {
        return Ok(Vec::new());
    };
    let mut target = Target::create(&run.name, &name.to_string_lossy(), to)?;
    let mut merged = Merged::new(run.files.clone());
    while let Some(frame) = merged.next_frame()? {
        target.write(frame)?;
    }
    let path = target.finish()?;
    let mut copy = Merged::new(vec![path.clone()]);
    let mut originals = Merged::new(run.files.clone());
    loop {
        let (original, copied) = (originals.next_frame()?, copy.next_frame()?);
        if original != copied {
            let problem = std::io::Error::other("the copy differs from the original files");
            return Err(Error::io("verify", &path, problem));
        }
        if original.is_none() {
            return Ok(merged.reports);
        }
    }
}

/// The records of several files as one file.
struct Merged {
    paths: std::vec::IntoIter<PathBuf>,
    file: Option<EventFile>,
    has_version: bool,
    reports: Vec<FileReport>,
}

impl Merged {
    fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths: paths.into_iter(),
            file: None,
            has_version: false,
            reports: Vec::new(),
        }
    }

    /// Returns the frame of the next record.
    fn next_frame(&mut self) -> Result<Option<&[u8]>> {
        loop {
            let Some(file) = &mut self.file else {
                match self.paths.next() {
                    Some(path) => self.file = Some(EventFile::new(path)),
                    None => return Ok(None),
                }
                continue;
            };
            match file.next_event(true)? {
                Some(event) => {
                    let is_version = matches!(event.what, Some(What::FileVersion(_)));
                    if !(is_version && self.has_version) {
                        self.has_version |= is_version;
                        break;
                    }
                }
                None => {
                    self.reports.push(file.report());
                    self.file = None;
                }
            }
        }
        Ok(self.file.as_ref().map(EventFile::frame))
    }
}

/// A new file, or a new object.
struct Target {
    path: PathBuf,
    writer: Writer,
}

enum Writer {
    File(BufWriter<File>),
    #[cfg(feature = "object-store")]
    Object(ObjectWriter),
}

impl Target {
    fn create(run: &str, name: &str, to: &Path) -> Result<Self> {
        match location(to)? {
            Location::Local(to) => {
                let dir = match run {
                    "." => to.to_path_buf(),
                    run => to.join(run),
                };
                fs::create_dir_all(&dir)
                    .map_err(|error| Error::io("create the directory", &dir, error))?;
                let path = dir.join(name);
                let file =
                    File::create_new(&path).map_err(|error| Error::io("create", &path, error))?;
                let writer = Writer::File(BufWriter::new(file));
                Ok(Self { path, writer })
            }
            #[cfg(feature = "object-store")]
            Location::Store(to) => {
                let dir = match run {
                    "." => to,
                    run => to.child(run)?,
                };
                let path = dir.url_of(name).into();
                let writer = Writer::Object(ObjectWriter::create(dir.child(name)?)?);
                Ok(Self { path, writer })
            }
        }
    }

    fn write(&mut self, frame: &[u8]) -> Result<()> {
        let written = match &mut self.writer {
            Writer::File(file) => file.write_all(frame),
            #[cfg(feature = "object-store")]
            Writer::Object(object) => object.write_all(frame),
        };
        written.map_err(|error| Error::io("write", &self.path, error))
    }

    /// Returns the path of the new file.
    fn finish(self) -> Result<PathBuf> {
        match self.writer {
            Writer::File(file) => {
                file.into_inner()
                    .map_err(|error| Error::io("write", &self.path, error.into_error()))?;
            }
            #[cfg(feature = "object-store")]
            Writer::Object(object) => object.finish()?,
        }
        Ok(self.path)
    }
}
