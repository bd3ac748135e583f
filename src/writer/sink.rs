//! Where the worker writes: an event file, the segments of a run in an object store, or any stream of the caller.

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use same_file::Handle;

use super::chunks::CHUNK_BYTES;
use super::directory::Directory;
use super::file_name::OlderFiles;
use super::lock;
#[cfg(feature = "object-store")]
use super::segments::{self, Segments};
use super::stats::Counters;
use super::worker::Batching;
use crate::embedding;
use crate::error::{Chain, Error, Result, quoted};

#[derive(Debug)]
pub(crate) enum Sink {
    File(Box<EventFile>),
    #[cfg(feature = "object-store")]
    Segments(Box<Segments>),
    Stream(Stream),
}

pub(crate) struct Stream(pub(crate) Box<dyn Write + Send>);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl Sink {
    /// Returns when a batch is due, if records wait for others for `flush_interval` on a disk.
    pub(crate) fn batching(&self, flush_interval: Duration) -> Batching {
        match self {
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => Batching {
                interval: segments.interval(),
                bytes: segments::SEGMENT_BYTES,
            },
            _ => Batching {
                interval: flush_interval,
                bytes: CHUNK_BYTES as u64,
            },
        }
    }

    /// Returns whether a batch is written by one call, because each call costs more than the bytes.
    pub(crate) fn takes_whole_batches(&self) -> bool {
        match self {
            #[cfg(feature = "object-store")]
            Self::Segments(_) => true,
            _ => false,
        }
    }

    /// Returns whether a failed write is tried again although the writer is closed.
    pub(crate) fn keeps_trying(&self) -> bool {
        match self {
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => segments.keeps_trying(),
            _ => false,
        }
    }

    /// Writes frames that the sink did not take to a local file. Returns its path, or `None` if there is no place for it.
    #[cfg_attr(not(feature = "object-store"), allow(unused_variables))]
    pub(crate) fn spill(&self, take_frames: impl FnOnce() -> Vec<u8>) -> Option<Result<PathBuf>> {
        match self {
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => segments.spill(take_frames),
            _ => None,
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => segments.write(bytes).map(|()| bytes.len()),
            Self::Stream(stream) => stream.0.write(bytes),
        }
    }

    /// Hands everything that was written to the operating system.
    pub(crate) fn flush(&mut self) -> Result<()> {
        match self {
            Self::Stream(stream) => stream.0.flush().map_err(|error| self.error("flush", error)),
            _ => Ok(()), // The others have no buffer.
        }
    }

    /// Syncs everything that was written to the disk. Otherwise, the write is all there is.
    pub(crate) fn sync(&mut self) -> Result<()> {
        match self {
            Self::File(file) => file.sync(),
            _ => Ok(()),
        }
    }

    /// Closes the file until the next write.
    pub(crate) fn suspend(&mut self) {
        match self {
            Self::File(file) => file.file = None,
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => segments.suspend(),
            Self::Stream(_) => {}
        }
    }

    /// Opens the file again if it was closed and not deleted.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        match self {
            Self::File(file) => file.reopen(),
            _ => Ok(()),
        }
    }

    /// Returns whether the file was deleted, so that nobody can find what is written to it.
    pub(crate) fn is_deleted(&self) -> bool {
        match self {
            Self::File(file) => file.is_deleted(),
            _ => false,
        }
    }

    /// Creates a new file after the old one was deleted, and with `create_dir` also the directory.
    pub(crate) fn recreate(&mut self, create_dir: bool) -> Result<()> {
        match self {
            Self::File(file) => file.recreate(create_dir),
            _ => Ok(()),
        }
    }

    /// Counts a written batch. After the first, the second, the fourth and so on, looks for a move of the directory and for
    /// other writers in it, so that a month of logging lists the directory thirty times. A file that is large enough is
    /// followed by a new one.
    pub(crate) fn after_batch(&mut self) {
        match self {
            Self::File(file) => {
                file.batch_count += 1;
                if file.batch_count.is_power_of_two() {
                    file.check_directory();
                }
                if file.bytes >= file.max_bytes {
                    file.begin_next();
                }
            }
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => segments.after_batch(),
            Self::Stream(_) => {}
        }
    }

    /// Looks for a move of the directory and for other writers in it a last time, and removes a file without data.
    pub(crate) fn before_close(&mut self) {
        match self {
            Self::File(file) => {
                file.check_directory();
                file.remove_if_empty();
            }
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => segments.look_for_other_writers(),
            Self::Stream(_) => {}
        }
    }

    pub(crate) fn error(&self, action: &'static str, source: io::Error) -> Error {
        match self {
            Self::File(file) => Error::io(action, &file.path, source),
            #[cfg(feature = "object-store")]
            Self::Segments(segments) => Error::io(action, &segments.path(), source),
            Self::Stream(_) => Error::stream(action, source),
        }
    }
}

/// An event file that has its first record.
#[derive(Debug)]
pub(crate) struct EventFile {
    /// `None` while the run is suspended.
    file: Option<Handle>,
    path: PathBuf,
    /// The path for the handles, which differs from the first one if the file was deleted.
    shared_path: Arc<Mutex<PathBuf>>,
    dir: PathBuf,
    suffix: String,
    /// The first frame of each file of the run.
    version_frame: Vec<u8>,
    is_synced: bool,
    /// Why a sync of this file failed.
    sync_failure: Option<Error>,
    batch_count: u64,
    /// The bytes that were written to this file.
    bytes: u64,
    /// A file of this size is followed by a new one.
    max_bytes: u64,
    directory: Directory,
    counters: Arc<Counters>,
}

impl EventFile {
    /// Creates the directory `dir`, and in it an event file whose name sorts after those that exist. The file starts with
    /// `version_frame` and `next_frames`; a file that replaces it after a deletion starts with `version_frame` only. Also returns
    /// the older files in the directory.
    ///
    /// After an error, everything that was created is removed. With `is_synced`, the file and its name are synced to the disk.
    pub(crate) fn create(
        dir: &Path,
        suffix: String,
        version_frame: Vec<u8>,
        next_frames: &[u8],
        is_synced: bool,
        counters: Arc<Counters>,
    ) -> Result<(Self, OlderFiles)> {
        let first = [&version_frame, next_frames].concat();
        let mut directory = Directory::new(dir);
        let (file, path, older_files) = create(dir, &mut directory, &suffix, &first, is_synced)?;
        let file = Self {
            file: Some(file),
            shared_path: Arc::new(Mutex::new(path.clone())),
            path,
            dir: dir.into(),
            suffix,
            version_frame,
            is_synced,
            sync_failure: None,
            batch_count: 0,
            bytes: first.len() as u64,
            max_bytes: u64::MAX,
            directory,
            counters,
        };
        Ok((file, older_files))
    }

    /// Starts a new file once a file has this size.
    pub(crate) fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    pub(crate) fn shared_path(&self) -> &Arc<Mutex<PathBuf>> {
        &self.shared_path
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let closed = io::ErrorKind::NotFound;
        let written = self.file.as_ref().ok_or(closed)?.as_file().write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn reopen(&mut self) -> Result<()> {
        if self.file.is_none() {
            let opened = OpenOptions::new().append(true).open(&self.path);
            match opened.and_then(Handle::from_file) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("open", &self.path, error)),
            }
        }
        Ok(())
    }

    fn metadata(&self) -> io::Result<Metadata> {
        match &self.file {
            Some(file) => file.as_file().metadata(),
            None => fs::metadata(&self.path),
        }
    }

    /// Syncs the file. Fails for good once it has failed: Linux reports a failed write of its cache once and drops the data, so
    /// that the next sync succeeds.
    fn sync(&mut self) -> Result<()> {
        self.reopen()?;
        if self.sync_failure.is_none()
            && let Some(file) = &self.file
        {
            let synced = file.as_file().sync_data();
            self.sync_failure = synced
                .map_err(|error| Error::io("sync", &self.path, error))
                .err();
        }
        self.sync_failure.clone().map_or(Ok(()), Err)
    }

    /// Returns whether no program can open the file any more. On Unix, a file without its path was moved if it has a link. Some
    /// file systems in user space report no links for any file. On Windows, a file is only moved while it is closed, and a
    /// deleted file may stay in its directory until all programs have closed it, but cannot be opened.
    fn is_deleted(&self) -> bool {
        let Some(file) = &self.file else {
            return !self.path.exists();
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let metadata = file.as_file().metadata();
            if metadata.is_ok_and(|metadata| metadata.nlink() > 0) {
                return false;
            }
        }
        Handle::from_path(&self.path).map_or(true, |at_path| at_path != *file)
    }

    fn recreate(&mut self, create_dir: bool) -> Result<()> {
        if !create_dir && !self.dir.exists() {
            let deleted = io::Error::new(io::ErrorKind::NotFound, "the run directory was deleted");
            return Err(Error::io("write", &self.path, deleted));
        }
        self.replace()?;
        self.counters.reporter.warn(format_args!(
            "the event file was deleted; the writer continues in {}",
            quoted(&self.path)
        ));
        Ok(())
    }

    /// Continues in a new file.
    fn replace(&mut self) -> Result<()> {
        let (file, path, _) = create(
            &self.dir,
            &mut self.directory,
            &self.suffix,
            &self.version_frame,
            self.is_synced,
        )?;
        self.file = Some(file);
        self.bytes = self.version_frame.len() as u64;
        self.sync_failure = None;
        self.path.clone_from(&path);
        *lock(&self.shared_path) = path;
        Ok(())
    }

    /// Continues in a new file, because this one is large enough. If that fails, this file continues until it has grown by the
    /// same size again.
    fn begin_next(&mut self) {
        let synced = if self.is_synced { self.sync() } else { Ok(()) };
        if let Err(error) = synced.and_then(|()| self.replace()) {
            self.bytes = 0;
            self.counters.reporter.warn(format_args!(
                "{}; the writer continues in {}",
                Chain(&error),
                quoted(&self.path)
            ));
        }
    }

    fn check_directory(&mut self) {
        if !self.path.exists() && !self.is_deleted() {
            self.counters.warn_about_move();
        }
        self.look_for_other_writers();
    }

    /// Removes the file if it has only the version record, because TensorBoard shows a run without data for it. The projector
    /// finds embeddings only in a run.
    fn remove_if_empty(&self) {
        let version_bytes = self.version_frame.len() as u64;
        let is_empty = self
            .metadata()
            .is_ok_and(|metadata| metadata.len() == version_bytes);
        if is_empty && !self.dir.join(embedding::CONFIG).exists() {
            // If this fails, the run stays as TensorBoard has shown it until now.
            fs::remove_file(&self.path).ok();
        }
    }

    fn look_for_other_writers(&mut self) {
        let others = self.directory.changed_by_others();
        let first = others.first().map(|other| other.to_string_lossy());
        self.counters
            .count_other_writers(others.len() as u64, first.as_deref());
    }
}

/// Returns the new file, its path, and the files that were there before.
fn create(
    dir: &Path,
    directory: &mut Directory,
    suffix: &str,
    first: &[u8],
    is_synced: bool,
) -> Result<(Handle, PathBuf, OlderFiles)> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !dir.exists()).collect();
    let created = fs::create_dir_all(dir)
        .map_err(|error| Error::io("create the directory", dir, error))
        .and_then(|()| directory.create_file(suffix))
        .and_then(
            |(file, path, older_files)| match start(file, dir, first, is_synced) {
                Ok(file) => Ok((file, path, older_files)),
                Err(error) => {
                    let error = Error::io("start the event file", &path, error);
                    Err(match fs::remove_file(&path) {
                        Ok(()) => error,
                        Err(source) => {
                            Error::io("remove the event file after a failed start", &path, source)
                        }
                    })
                }
            },
        );
    if created.is_err() {
        // The deepest directory first. Removing fails if it was never created, or if another program uses it by now.
        for dir in missing {
            fs::remove_dir(dir).ok();
        }
    }
    created
}

fn start(mut file: File, dir: &Path, first: &[u8], is_synced: bool) -> io::Result<Handle> {
    file.write_all(first)?;
    if is_synced {
        file.sync_data()?;
        // Only Unix opens a directory as a file.
        if cfg!(unix) {
            File::open(dir)?.sync_all()?;
        }
    }
    Handle::from_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux can sync a file of `tempfile`, but not `/dev/null`.
    #[cfg(target_os = "linux")]
    #[test]
    fn failed_sync_is_returned_until_the_file_is_replaced() {
        use crate::report::Reporter;
        use crate::writer::queue::{Limits, Queue, WhenFull};
        use crate::writer::worker::{self, SyncPolicy};
        use std::thread;
        use std::time::Duration;

        let new_file = |dir: &Path| {
            let (suffix, version) = (String::new(), b"version".to_vec());
            EventFile::create(dir, suffix, version, b"", true, Arc::default())
                .unwrap()
                .0
        };
        let null = || {
            let file = OpenOptions::new().write(true).open("/dev/null").unwrap();
            Some(Handle::from_file(file).unwrap())
        };

        let dir = tempfile::tempdir().unwrap();
        let mut file = new_file(dir.path());
        file.sync().unwrap();
        let good = std::mem::replace(&mut file.file, null());
        file.sync().unwrap_err();
        file.file = good;
        let error = file.sync().unwrap_err();
        assert!(
            matches!(error, Error::Io { action: "sync", .. }),
            "{error:?}"
        );
        file.recreate(true).unwrap();
        file.sync().unwrap();

        file.file = null();
        let limits = Limits {
            flush_interval: Duration::from_secs(3600),
            max_pending_bytes: 100,
            when_full: WhenFull::Block,
            writes_encoded_at_once: true,
            encoder_threads: 1,
        };
        let queue = Queue::new(limits, Arc::default(), Reporter::default(), b"");
        thread::scope(|scope| {
            scope.spawn(|| {
                worker::run(
                    &queue,
                    Sink::File(file.into()),
                    SyncPolicy::EachFlush,
                    |_| {},
                );
            });
            for flushed_count in 1..5 {
                let mut frame = Vec::new();
                crate::record::append_frame(&[0; 50], &mut frame);
                queue.push(&frame);
                queue.flush(Duration::MAX).unwrap_err();
                let stats = queue.stats();
                assert_eq!(stats.flushed_count, flushed_count, "logging continues");
                assert!(stats.failure.is_some());
            }
            queue.close(b"", Duration::MAX).unwrap_err();
        });
    }

    #[test]
    fn file_that_was_moved_is_not_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let version = b"version".to_vec();
        let file = EventFile::create(
            dir.path(),
            String::new(),
            version,
            b"",
            false,
            Arc::default(),
        );
        let file = file.unwrap().0;
        assert!(!file.is_deleted());
        // Windows does not move an open file.
        if cfg!(unix) {
            let moved = dir.path().join("moved");
            fs::rename(&file.path, &moved).unwrap();
            assert!(!file.is_deleted());
            fs::rename(&moved, &file.path).unwrap();
        }
        fs::remove_file(&file.path).unwrap();
        // Wine still opens the file.
        assert_eq!(file.is_deleted(), File::open(&file.path).is_err());
        // Windows creates no file of the same name before this one is closed.
        if cfg!(unix) {
            fs::write(&file.path, "another file").unwrap();
            assert!(file.is_deleted());
        }
    }

    #[cfg(unix)]
    #[test]
    fn record_that_a_deletion_cut_is_whole_in_the_new_file() {
        use crate::record;
        use crate::writer::worker;

        let mut frames = Vec::new();
        record::append_frame(b"first", &mut frames);
        let second = frames.len();
        record::append_frame(b"second", &mut frames);

        for (written, want) in [(0, 0), (7, 0), (second, second), (second + 9, second)] {
            let dir = tempfile::tempdir().unwrap();
            let logdir = dir.path().join("run");
            let version = b"version".to_vec();
            let file =
                EventFile::create(&logdir, String::new(), version, b"", false, Arc::default());
            let mut sink = Sink::File(file.unwrap().0.into());
            fs::remove_dir_all(&logdir).unwrap();
            let mut at = written;
            worker::write(&mut sink, &frames, &mut at, || true).unwrap();
            assert_eq!(at, frames.len());
            let Sink::File(file) = sink else {
                unreachable!("it is a file");
            };
            let got = fs::read(&*lock(file.shared_path())).unwrap();
            let want = [b"version", &frames[want..]].concat();
            assert_eq!(got, want, "{written} bytes were written");
        }
    }
}
