//! Where a worker's bytes go: an event file, or any stream of the caller's.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::file_name::FileName;
use super::neighbours::Neighbours;
use crate::error::{Error, Result};

#[derive(Debug)]
pub(crate) enum Sink {
    File(EventFile),
    Stream(Stream),
}

pub(crate) struct Stream(pub(crate) Box<dyn Write + Send>);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl Sink {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.file.write(bytes),
            Self::Stream(stream) => stream.0.write(bytes),
        }
    }

    /// Brings what was written to the operating system.
    pub(crate) fn flush(&mut self) -> Result<()> {
        match self {
            Self::File(_) => Ok(()), // has no buffer
            Self::Stream(stream) => stream.0.flush().map_err(|error| self.error("flush", error)),
        }
    }

    /// Brings what was written to the disk itself. Of a stream nothing is known but `flush`.
    pub(crate) fn sync(&mut self) -> Result<()> {
        match self {
            Self::File(file) => file
                .file
                .sync_data()
                .map_err(|error| self.error("sync", error)),
            Self::Stream(_) => Ok(()),
        }
    }

    /// Whether what is written now can be found by nobody.
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            Self::File(file) => file.is_gone(),
            Self::Stream(_) => false,
        }
    }

    /// Goes on in a new place after [`is_gone`](Self::is_gone).
    pub(crate) fn renew(&mut self) -> Result<()> {
        match self {
            Self::File(file) => file.renew(),
            Self::Stream(_) => Ok(()),
        }
    }

    /// Counts a batch that was written, or the end of the last one, and looks now and then whether somebody else writes
    /// to the run.
    pub(crate) fn look_around(&mut self, is_end: bool) {
        if let Self::File(file) = self
            && (file.neighbours.is_time() || is_end)
        {
            file.look_around();
        }
    }

    pub(crate) fn error(&self, action: &'static str, source: io::Error) -> Error {
        match self {
            Self::File(file) => Error::io(action, file.paths.newest(), source),
            Self::Stream(_) => Error::stream(action, source),
        }
    }
}

/// An event file that has its first record.
#[derive(Debug)]
pub(crate) struct EventFile {
    file: File,
    dir: PathBuf,
    suffix: String,
    /// The frame that every file of the run begins with.
    first: Vec<u8>,
    synced: bool,
    paths: Arc<Paths>,
    neighbours: Neighbours,
}

impl EventFile {
    /// Makes `dir` and in it a file that sorts behind those that are there, with the frame `first` in it, and `behind` it
    /// frames that a file which takes its place does not get. After an error there is nothing that was not there before.
    /// With `synced` the file's name is on the disk itself, too.
    pub(crate) fn create(
        dir: &Path,
        suffix: String,
        first: Vec<u8>,
        behind: &[u8],
        synced: bool,
    ) -> Result<Self> {
        let (file, path) = create(dir, &suffix, &[&first, behind].concat(), synced)?;
        Ok(Self {
            file,
            dir: dir.into(),
            suffix,
            first,
            synced,
            paths: Arc::new(Paths::new(path)),
            neighbours: Neighbours::default(),
        })
    }

    pub(crate) fn paths(&self) -> &Arc<Paths> {
        &self.paths
    }

    #[cfg(unix)]
    fn is_gone(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        self.file
            .metadata()
            .is_ok_and(|metadata| metadata.nlink() == 0)
    }

    #[cfg(not(unix))]
    fn is_gone(&self) -> bool {
        !self.paths.newest().exists()
    }

    fn renew(&mut self) -> Result<()> {
        let (file, path) = create(&self.dir, &self.suffix, &self.first, self.synced)?;
        log::warn!(
            "{:?} was deleted; what is logged goes to {path:?} now",
            self.paths.newest()
        );
        self.file = file;
        self.paths.append(path);
        Ok(())
    }

    fn look_around(&mut self) {
        let paths = &self.paths;
        let others = self.neighbours.look(&self.dir, |name| paths.has(name));
        let before = paths.other_count.load(Ordering::Relaxed);
        let count = others.len() as u64;
        paths
            .other_count
            .store(count.max(before), Ordering::Relaxed);
        if before == 0
            && let Some(other) = others.first()
        {
            log::warn!(
                "{:?} has another writer, of {other:?}: stock TensorBoard follows one file of a run at a time; let each \
                 writer have a directory of its own",
                self.dir
            );
        }
    }
}

/// The paths of a writer's event file and of those that took its place, oldest first. So a path can be lent for as long
/// as the writer lives.
#[derive(Debug)]
pub(crate) struct Paths {
    path: PathBuf,
    next: OnceLock<Box<Paths>>,
    /// Of files in the directory that others write to; counted at the first path.
    other_count: AtomicU64,
}

impl Paths {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            next: OnceLock::new(),
            other_count: AtomicU64::new(0),
        }
    }

    pub(crate) fn other_count(&self) -> u64 {
        self.other_count.load(Ordering::Relaxed)
    }

    pub(crate) fn newest(&self) -> &Path {
        &self.last().path
    }

    fn append(&self, path: PathBuf) {
        self.last().next.get_or_init(|| Box::new(Self::new(path)));
    }

    fn has(&self, name: &OsStr) -> bool {
        let mut paths = Some(self);
        while let Some(this) = paths {
            if this.path.file_name() == Some(name) {
                return true;
            }
            paths = this.next.get().map(AsRef::as_ref);
        }
        false
    }

    fn last(&self) -> &Self {
        let mut last = self;
        while let Some(next) = last.next.get() {
            last = next;
        }
        last
    }
}

fn create(dir: &Path, suffix: &str, first: &[u8], synced: bool) -> Result<(File, PathBuf)> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !dir.exists()).collect();
    let created = fs::create_dir_all(dir)
        .map_err(|error| Error::io("create the directory", dir, error))
        .and_then(|()| create_file(dir, suffix))
        .and_then(|(file, path)| match begin(&file, dir, first, synced) {
            Ok(()) => Ok((file, path)),
            Err(error) => {
                let error = Error::io("begin the event file", &path, error);
                Err(match fs::remove_file(&path) {
                    Ok(()) => error,
                    Err(source) => Error::io(
                        "remove the event file that could not be begun",
                        &path,
                        source,
                    ),
                })
            }
        });
    if created.is_err() {
        // The deepest first. One that was not made cannot be removed, nor one that somebody else has filled by now.
        for dir in missing {
            fs::remove_dir(dir).ok();
        }
    }
    created
}

fn create_file(dir: &Path, suffix: &str) -> Result<(File, PathBuf)> {
    loop {
        let path = dir.join(FileName::after_those_in(dir, suffix)?.to_string());
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create the event file", &path, error)),
        }
    }
}

fn begin(mut file: &File, dir: &Path, first: &[u8], synced: bool) -> io::Result<()> {
    file.write_all(first)?;
    if synced {
        file.sync_data()?;
        // A directory can be opened as a file, and synced, on Unix only.
        if cfg!(unix) {
            File::open(dir)?.sync_all()?;
        }
    }
    Ok(())
}
