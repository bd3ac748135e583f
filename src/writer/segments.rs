//! Writes a run to an object store: a row of objects, the segments, whose names sort in the order of writing.
//!
//! A store cannot append. So the newest segment is kept in memory, and uploaded whole each time that records are added, until
//! it is large or was uploaded often. Then a new one begins. Older segments never change, and nothing is deleted, because a
//! TensorBoard may be reading.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::{PutMode, PutPayload, UpdateVersion};

use super::file_name::{FileName, OlderFiles, is_event_file};
use super::lock;
use super::sink::EventFile;
use super::stats::Counters;
use crate::error::Result;
use crate::store::{Failure, Object, StoreDir};

/// How long an upload may take: this, and a second for each 256 KiB.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(30);
const SLOW_BYTES_PER_SECOND: u64 = 256 << 10;

/// A segment of this size is finished. It is also how much of it is in memory.
pub(crate) const SEGMENT_BYTES: u64 = 32 << 20;
/// A segment that was uploaded so often is finished.
const MAX_UPLOADS: u32 = 100;
/// A larger segment is finished once its uploads have this many times its bytes, and more than a run may upload in the time.
const UPLOADS_PER_BYTE: u64 = 4;
const UPLOAD_BYTES_PER_SECOND: u64 = 500_000_000 / 86_400;
const SMALL_SEGMENT_BYTES: u64 = 64 << 10;
/// The time between two uploads of a new run, and of an old one.
const FIRST_INTERVAL: Duration = Duration::from_secs(10);
const LAST_INTERVAL: Duration = Duration::from_secs(60);

/// Returns how long records wait for others in a run of this age: a person watches a run at its start.
fn interval(age: Duration) -> Duration {
    (age / 60).clamp(FIRST_INTERVAL, LAST_INTERVAL)
}

/// The newest object of the run.
#[derive(Debug, Default)]
struct Segment {
    name: String,
    /// The bytes that the store has, in the parts that were added. Empty before the first upload, and after a suspension.
    parts: Vec<Bytes>,
    bytes: u64,
    upload_count: u32,
    uploaded_bytes: u64,
    /// The age of the run at its first upload.
    begun: Duration,
    /// The version that the next upload replaces; `None` if there is no object yet.
    version: Option<UpdateVersion>,
}

impl Segment {
    /// Returns whether the next segment begins with `new_bytes`, instead of an upload of this one with them.
    fn is_finished(&self, max_bytes: u64, new_bytes: u64, age: Duration) -> bool {
        let bytes = self.bytes + new_bytes;
        let in_this_time = age.saturating_sub(self.begun).as_secs() * UPLOAD_BYTES_PER_SECOND;
        self.bytes >= max_bytes
            || self.upload_count >= MAX_UPLOADS
            || self.bytes >= SMALL_SEGMENT_BYTES
                && self.uploaded_bytes + bytes > in_this_time.max(bytes * UPLOADS_PER_BYTE)
    }

    /// Counts an upload of the segment with `new_bytes`.
    fn add(&mut self, new_bytes: u64, age: Duration) {
        if self.upload_count == 0 {
            self.begun = age;
        }
        self.bytes += new_bytes;
        self.uploaded_bytes += self.bytes;
        self.upload_count += 1;
    }
}

/// When a writer that is closed gives up.
#[derive(Debug, Default)]
pub(crate) struct Deadline(OnceLock<Instant>);

impl Deadline {
    pub(crate) fn set(&self, timeout: Duration) {
        // A time that is out of range is no limit.
        if let Some(end) = Instant::now().checked_add(timeout) {
            self.0.set(end).ok();
        }
    }

    fn is_over(&self) -> bool {
        self.0.get().is_some_and(|end| Instant::now() >= *end)
    }
}

/// The settings of a run in an object store.
#[derive(Debug)]
pub(crate) struct SegmentOptions {
    pub(crate) suffix: String,
    /// The first record of each segment.
    pub(crate) version_frame: Vec<u8>,
    /// The records that follow it in the first segment.
    pub(crate) start_frames: Vec<u8>,
    pub(crate) max_bytes: u64,
    /// The time between two uploads, if the caller has chosen it.
    pub(crate) interval: Option<Duration>,
    /// Where the pending records go if the writer gives up.
    pub(crate) spill_dir: Option<PathBuf>,
    pub(crate) deadline: Arc<Deadline>,
}

/// The segments of a run.
pub(crate) struct Segments {
    dir: StoreDir,
    options: SegmentOptions,
    segment: Segment,
    /// The store compares versions, so that an upload that arrives late replaces nothing newer.
    has_versions: bool,
    older_files: OlderFiles,
    own_names: HashSet<String>,
    /// The objects of others, with the sizes that were seen last.
    others: Vec<Object>,
    batch_count: u64,
    age: Box<dyn Fn() -> Duration + Send>,
    shared_path: Arc<Mutex<PathBuf>>,
    counters: Arc<Counters>,
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segments({:?})", self.dir)
    }
}

impl Segments {
    /// Prepares a run in the directory `dir`. The first segment is created with the first record. Also returns the older files
    /// in the directory.
    pub(crate) fn open(
        dir: StoreDir,
        options: SegmentOptions,
        counters: Arc<Counters>,
    ) -> Result<(Self, OlderFiles)> {
        let others = dir.list()?;
        let names: Vec<OsString> = others.iter().map(|other| (&other.name).into()).collect();
        let older_files = OlderFiles::from_names(&names);
        let start = Instant::now();
        let mut segments = Self {
            dir,
            options,
            segment: Segment::default(),
            has_versions: true,
            older_files: older_files.clone(),
            own_names: HashSet::new(),
            others,
            batch_count: 0,
            age: Box::new(move || start.elapsed()),
            shared_path: Arc::default(),
            counters,
        };
        segments.begin_segment();
        Ok((segments, older_files))
    }

    pub(super) fn shared_path(&self) -> &Arc<Mutex<PathBuf>> {
        &self.shared_path
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.url_of(&self.segment.name).into()
    }

    /// Returns how long records wait for others.
    pub(super) fn interval(&self) -> Duration {
        let planned = || interval((self.age)());
        self.options.interval.unwrap_or_else(planned)
    }

    /// Returns whether a failed upload is tried again although the writer is closed.
    pub(super) fn keeps_trying(&self) -> bool {
        !self.options.deadline.is_over()
    }

    /// Uploads the segment with `bytes`, which are whole frames. An error changes nothing.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let new_bytes = bytes.len() as u64;
        let (age, max_bytes) = ((self.age)(), self.options.max_bytes);
        if self.segment.is_finished(max_bytes, new_bytes, age) {
            self.begin_segment();
        }
        if self.segment.upload_count > 0 && self.segment.parts.is_empty() {
            self.load()?;
        }
        let mut parts = self.segment.parts.clone();
        if self.segment.upload_count == 0 {
            let first = [&self.options.version_frame[..], &self.options.start_frames];
            parts.push(first.concat().into());
        }
        parts.push(Bytes::copy_from_slice(bytes));
        let upload_bytes = parts.iter().map(|part| part.len() as u64).sum();
        let version = self.upload(&parts, upload_bytes).inspect_err(|_| {
            self.counters.upload_retries.fetch_add(1, Ordering::Relaxed);
        })?;
        self.counters.uploads.fetch_add(1, Ordering::Relaxed);
        let uploaded_bytes = &self.counters.uploaded_bytes;
        uploaded_bytes.fetch_add(upload_bytes, Ordering::Relaxed);
        self.options.start_frames.clear();
        self.segment.parts = parts;
        self.segment.add(upload_bytes - self.segment.bytes, age);
        self.segment.version = version;
        Ok(())
    }

    /// Uploads `parts`. An earlier attempt may have arrived although it failed here, and may even arrive later. So each upload
    /// replaces the version that it knows, and nothing else.
    fn upload(&mut self, parts: &[Bytes], bytes: u64) -> io::Result<Option<UpdateVersion>> {
        let object = self.object()?;
        let deadline = Arc::clone(&self.options.deadline);
        let timeout = UPLOAD_TIMEOUT + Duration::from_secs(bytes / SLOW_BYTES_PER_SECOND);
        for is_last in [false, false, true] {
            let mode = match &self.segment.version {
                _ if !self.has_versions => PutMode::Overwrite,
                None => PutMode::Create,
                Some(version) => PutMode::Update(version.clone()),
            };
            let payload = PutPayload::from_iter(parts.iter().cloned());
            let problem = match object.put(payload, mode, timeout, &|| deadline.is_over()) {
                Ok(version) => {
                    let is_known = version.e_tag.is_some() || version.version.is_some();
                    self.has_versions &= is_known;
                    return Ok(Some(version));
                }
                Err(Failure::Unsupported(_)) if self.has_versions => {
                    self.has_versions = false;
                    continue;
                }
                Err(Failure::Conflict(problem)) => problem,
                Err(failure) if failure.is_not_found() && self.segment.version.is_some() => {
                    failure.into_io()
                }
                Err(failure) => return Err(failure.into_io()),
            };
            if is_last {
                return Err(problem);
            }
            let wanted = parts.concat();
            match object.get().map_err(io::Error::other)? {
                None => self.segment.version = None, // another program has deleted it
                Some((found, version)) if found == wanted => return Ok(Some(version)),
                Some((found, version)) if wanted.starts_with(&found) => {
                    self.segment.version = Some(version);
                }
                Some(_) => {
                    let foreign = self.segment.name.clone();
                    self.begin_segment();
                    return Err(io::Error::other(format!(
                        "another program has written {foreign:?}, so the writer continues in {:?}",
                        self.segment.name
                    )));
                }
            }
        }
        Ok(None)
    }

    fn object(&self) -> io::Result<StoreDir> {
        self.dir.child(&self.segment.name).map_err(io::Error::other)
    }

    /// Begins a segment whose name sorts after those that exist.
    fn begin_segment(&mut self) {
        let name = FileName::after(&self.older_files, &self.options.suffix).to_string();
        self.older_files.add_own(&name);
        self.own_names.insert(name.clone());
        self.segment = Segment {
            name,
            ..Segment::default()
        };
        *lock(&self.shared_path) = self.path();
    }

    /// Releases the memory of the segment until the next write.
    pub(super) fn suspend(&mut self) {
        self.segment.parts.clear();
    }

    /// Reads the segment back after a suspension.
    fn load(&mut self) -> io::Result<()> {
        match self.object()?.get().map_err(io::Error::other)? {
            Some((bytes, version)) if bytes.len() as u64 == self.segment.bytes => {
                self.segment.parts.push(bytes.into());
                self.segment.version = Some(version);
            }
            _ => self.begin_segment(), // another program has changed or deleted it
        }
        Ok(())
    }

    /// After the first upload, the second, the fourth and so on, looks for other writers.
    pub(super) fn after_batch(&mut self) {
        self.batch_count += 1;
        if self.batch_count.is_power_of_two() {
            self.look_for_other_writers();
        }
    }

    pub(super) fn look_for_other_writers(&mut self) {
        let Ok(objects) = self.dir.list() else {
            return;
        };
        let is_changed = |object: &Object| {
            is_event_file(OsStr::new(&object.name))
                && !self.own_names.contains(&object.name)
                && !self.others.contains(object)
        };
        let changed: Vec<_> = objects.into_iter().filter(is_changed).collect();
        self.counters.count_other_writers(
            changed.len() as u64,
            changed.first().map(|other| &*other.name),
        );
    }

    /// Writes frames that the store did not take to a local event file. Returns its path.
    pub(super) fn spill(&self, take_frames: impl FnOnce() -> Vec<u8>) -> Option<Result<PathBuf>> {
        let dir = self.options.spill_dir.as_ref()?.join(self.dir.path());
        let created = EventFile::create(
            &dir,
            self.options.suffix.clone(),
            self.options.version_frame.clone(),
            &take_frames(),
            true,
            Arc::clone(&self.counters),
        );
        Some(created.map(|(file, _)| lock(file.shared_path()).clone()))
    }
}

#[cfg(test)]
mod tests;
