//! The event files in a run directory, as the writers of this process see them. Together they list a large directory only
//! when another program has changed it, so that thousands of writers in one directory do not each list all files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::file_name::{self, FileName, OlderFiles};
use super::lock;
use crate::error::{Error, Result};

/// A directory with fewer event files is listed each time, which takes microseconds.
const MANY_FILES: usize = 100;
/// A large directory is listed again after this time even if it seems unchanged, because the clocks of file systems have steps
/// of up to 2 s, and another program may create a file between a creation here and the look at the time.
const MAX_AGE: Duration = Duration::from_secs(1);
/// A writer looks whether so many files grow: those that sort last. A file that has a writer is one of the newest.
const MAX_WATCHED: usize = 100;

/// The directories that have a writer or many files, by process, because a fork must not wait for locks of its parent.
static LISTINGS: Mutex<Listings> = Mutex::new(Listings::new());

type Listings = BTreeMap<(u32, PathBuf), Arc<Mutex<Listing>>>;

/// The directory of one writer.
#[derive(Debug)]
pub(super) struct Directory {
    dir: PathBuf,
    process_id: u32,
    listing: Arc<Mutex<Listing>>,
    /// The event file of this writer.
    own: OsString,
    /// Its earlier files.
    earlier: HashSet<OsString>,
    at_first_look: Option<FirstLook>,
}

/// What is in a directory.
#[derive(Debug, Default)]
struct Listing {
    /// The event files, with numbers in the order in which this process has found them.
    files: Vec<(u64, OsString)>,
    last_number: u64,
    /// The files that may have a writer: all but those that this process has closed.
    open: BTreeSet<OsString>,
    older: OlderFiles,
    listed_at: Option<Instant>,
    /// When the directory was changed last.
    modified: Option<SystemTime>,
}

/// The other files when a writer looks for them the first time.
#[derive(Debug)]
struct FirstLook {
    last_number: u64,
    sizes: HashMap<OsString, u64>,
}

impl Directory {
    pub(super) fn new(dir: &Path) -> Self {
        let process_id = process::id();
        let listing = Arc::clone(lock(&LISTINGS).entry((process_id, dir.into())).or_default());
        Self {
            dir: dir.into(),
            process_id,
            listing,
            own: OsString::new(),
            earlier: HashSet::new(),
            at_first_look: None,
        }
    }

    /// Creates an event file whose name sorts after those that exist. Also returns what was there before.
    pub(super) fn create_file(&mut self, suffix: &str) -> Result<(File, PathBuf, OlderFiles)> {
        let mut listing = lock(&self.listing);
        loop {
            listing
                .refresh(&self.dir)
                .map_err(|error| Error::io("list", &self.dir, error))?;
            let name = FileName::after(&listing.older, suffix).to_string();
            let path = self.dir.join(&name);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    let older_files = listing.older.clone();
                    listing.open.remove(&self.own);
                    let earlier = mem::replace(&mut self.own, name.into());
                    self.earlier.insert(earlier);
                    listing.add(&self.dir, &self.own);
                    return Ok((file, path, older_files));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    listing.listed_at = None;
                }
                Err(error) => return Err(Error::io("create the event file", &path, error)),
            }
        }
    }

    /// Returns the event files of other writers that have appeared or grown since the first call: in most cases those of
    /// another process by mistake.
    ///
    /// All records stay in their files, but the Python loader follows one file of a run at a time, and the fast loader drops
    /// points of tags that are in two files. Whether the process in a file's name is alive, and on which machine, cannot be
    /// found out everywhere.
    pub(super) fn changed_by_others(&mut self) -> Vec<OsString> {
        let mut listing = lock(&self.listing);
        if listing.refresh(&self.dir).is_err() {
            return Vec::new();
        }
        let is_other = |name: &&OsString| **name != self.own && !self.earlier.contains(*name);
        let size = |name: &OsString| {
            let metadata = fs::symlink_metadata(self.dir.join(name));
            Some(metadata.ok()?.len())
        };
        let Some(first) = &self.at_first_look else {
            let newest = listing.open.iter().rev().filter(is_other).take(MAX_WATCHED);
            self.at_first_look = Some(FirstLook {
                last_number: listing.last_number,
                sizes: newest
                    .filter_map(|name| Some((name.clone(), size(name)?)))
                    .collect(),
            });
            return Vec::new();
        };
        let grown = first.sizes.iter();
        let grown = grown
            .filter(|(name, before)| size(name).is_some_and(|bytes| bytes > **before))
            .map(|(name, _)| name);
        let newest_first = listing.files.iter().rev();
        let appeared = newest_first
            .take_while(|(number, _)| *number > first.last_number)
            .map(|(_, name)| name);
        grown.chain(appeared).filter(is_other).cloned().collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if process::id() != self.process_id {
            return; // In a fork, the locks may never be released.
        }
        let mut listing = lock(&self.listing);
        listing.open.remove(&self.own);
        let is_small = listing.files.len() < MANY_FILES;
        drop(listing);
        let mut listings = lock(&LISTINGS);
        // One is in the map, the other one is this.
        if is_small && Arc::strong_count(&self.listing) == 2 {
            listings.remove(&(self.process_id, mem::take(&mut self.dir)));
        }
    }
}

impl Listing {
    /// Lists the directory, unless it is large and only this process has changed it since.
    fn refresh(&mut self, dir: &Path) -> io::Result<()> {
        let modified = modified(dir);
        let is_fresh = self.listed_at.is_some_and(|at| at.elapsed() < MAX_AGE);
        let is_unchanged = modified.is_some() && modified == self.modified;
        if self.files.len() >= MANY_FILES && is_fresh && is_unchanged {
            return Ok(());
        }
        self.modified = modified;
        self.listed_at = Some(Instant::now());
        let names = fs::read_dir(dir)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        self.older = OlderFiles::from_names(&names);
        let files = mem::take(&mut self.files).into_iter();
        let known: HashMap<_, _> = files.map(|(number, name)| (name, number)).collect();
        let was_open = mem::take(&mut self.open);
        let names = names.into_iter();
        for name in names.filter(|name| file_name::is_event_file(name)) {
            let number = known.get(&name).copied();
            if number.is_none() || was_open.contains(&name) {
                self.open.insert(name.clone());
            }
            let number = number.unwrap_or_else(|| {
                self.last_number += 1;
                self.last_number
            });
            self.files.push((number, name));
        }
        self.files.sort_unstable();
        Ok(())
    }

    /// Adds a file that this process has created.
    fn add(&mut self, dir: &Path, name: &OsStr) {
        self.last_number += 1;
        self.files.push((self.last_number, name.into()));
        self.open.insert(name.into());
        self.older.add_own(&name.to_string_lossy());
        self.modified = modified(dir);
    }
}

fn modified(dir: &Path) -> Option<SystemTime> {
    fs::metadata(dir)
        .and_then(|metadata| metadata.modified())
        .ok()
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    const OTHER: &str = "events.out.tfevents.0000000002.host.2.0";
    const NEW: &str = "events.out.tfevents.0000000004.host.4.0";

    /// Whether the directory is small, so that it is listed each time, or large.
    fn with_files(count: usize) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in 0..count {
            let name = format!("events.out.tfevents.0000000001.host.1.{file}");
            fs::write(dir.path().join(name), "").unwrap();
        }
        dir
    }

    #[test]
    fn event_files_that_appear_or_grow_have_another_writer() {
        for older_file_count in [0, MANY_FILES] {
            let dir = with_files(older_file_count);
            let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
            write(OTHER, b"four");
            let mut own = Directory::new(dir.path());
            let (_, path, _) = own.create_file("").unwrap();
            let mut changed = || {
                let mut changed = own.changed_by_others();
                changed.sort_unstable();
                changed
            };
            let none: [&str; 0] = [];
            assert_eq!(changed(), none, "a file of an earlier run");
            fs::write(path, b"grows").unwrap();
            write("notes.txt", b"not an event file");
            write("events.out.tfevents.0000000004.host.profile-empty", b"");
            assert_eq!(changed(), none);
            write(OTHER, b"fo");
            assert_eq!(changed(), none, "the file was repaired");
            write(OTHER, b"grows");
            assert_eq!(changed(), [OTHER]);
            write(NEW, b"");
            assert_eq!(changed(), [OTHER, NEW]);
            fs::remove_file(dir.path().join(OTHER)).unwrap();
            assert_eq!(changed(), [NEW]);
            dir.close().unwrap();
            assert_eq!(changed(), none);
        }
    }

    #[test]
    fn writers_of_one_process_see_each_other_unless_one_was_closed_before() {
        for older_file_count in [0, MANY_FILES] {
            let dir = with_files(older_file_count);
            let create = || {
                let mut directory = Directory::new(dir.path());
                let (file, ..) = directory.create_file("").unwrap();
                (directory, file)
            };
            let (closed, _) = create();
            drop(closed);
            let (mut first, mut first_file) = create();
            let (mut second, _) = create();
            assert_eq!(first.changed_by_others(), [""; 0]);
            assert_eq!(second.changed_by_others(), [""; 0]);
            io::Write::write_all(&mut first_file, b"grows").unwrap();
            let (third, _) = create();
            let third_name = third.own.clone();
            drop(third);
            assert_eq!(first.changed_by_others()[..], *slice::from_ref(&third_name));
            assert_eq!(second.changed_by_others(), [first.own.clone(), third_name]);
        }
    }

    #[test]
    fn names_sort_in_order_among_files_of_others() {
        for older_file_count in [0, MANY_FILES] {
            let dir = with_files(older_file_count);
            let mut names = vec![];
            for i in 0..12 {
                let mut directory = Directory::new(dir.path());
                let (_, path, older_files) = directory.create_file("").unwrap();
                assert_eq!(older_files.are_of_others(), older_file_count > 0 && i == 0);
                names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                if i % 5 == 4 {
                    let secs: u64 = names.last().unwrap()[20..30].parse().unwrap();
                    let other = format!("events.out.tfevents.{:010}.host.2.0", secs + 100);
                    fs::write(dir.path().join(&other), "").unwrap();
                    names.push(other);
                }
            }
            assert!(names.is_sorted_by(|a, b| a < b), "{names:#?}");
        }
    }

    #[test]
    fn listing_of_a_small_directory_is_dropped_with_its_last_writer() {
        let dir = tempfile::tempdir().unwrap();
        let is_kept = || lock(&LISTINGS).contains_key(&(process::id(), dir.path().into()));
        let [first, second] = [(); 2].map(|()| Directory::new(dir.path()));
        drop(first);
        assert!(is_kept());
        drop(second);
        assert!(!is_kept());
    }
}
