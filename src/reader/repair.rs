//! Repairs event files: copies their sound records to new files, or replaces the old ones.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use portable_atomic::AtomicU64;

use super::file::EventFile;
use super::runs::find_runs;
use super::verify::{FileReport, Report, verify_file};
use crate::error::{Error, Result, quoted};
use crate::event::{self, WallTime};
use crate::location::local_path;
use crate::proto::Event;
use crate::proto::event::What;
use crate::record::append_frame;
use crate::replace_file::replace_file;

const BUFFER_BYTES: usize = 256 << 10;
/// The prefix of a temporary copy next to its original: `.summary-writer-repair-<process id>-<number>`. Loaders ignore it,
/// because the name does not contain `tfevents`.
const TEMPORARY_PREFIX: &str = ".summary-writer-repair-";

/// Copies the sound records of an event file to a new file `to`, or those of all event files of a run or a logdir to files with
/// the same names in the directory `to`. The originals are only read, so a writer may still use them.
///
/// The copy leaves out what [`verify`](super::verify()) calls damage, and an unfinished record at the end. Records are
/// copied byte by byte. If the version record is damaged, the copy starts with a new one, because the loaders use it to decide
/// how to treat steps that go back.
///
/// The report describes the originals. `to` has all records that it counts.
///
/// # Errors
/// [`Error::Io`] if something cannot be read or written, or if a file exists already. An incomplete copy is removed.
/// [`Error::Invalid`] if a path is a URL or starts with `~`.
pub fn repair_to(path: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<Report> {
    let (path, to) = (local_path(path.as_ref())?, local_path(to.as_ref())?);
    let is_dir = path.is_dir();
    let runs = find_runs(path)?;
    let mut files = Vec::new();
    for file in runs.into_iter().flat_map(|run| run.files) {
        let target = match file.strip_prefix(path) {
            Ok(relative) if is_dir => to.join(relative),
            _ => to.into(),
        };
        if let Some(dir) = target.parent().filter(|_| is_dir) {
            fs::create_dir_all(dir)
                .map_err(|error| Error::io("create the directory", dir, error))?;
        }
        files.push(copy(&file, &target, &mut |_| true)?);
    }
    Ok(Report { files })
}

/// Permanently removes damage from an event file, or from all event files of a run or a logdir. Stop the writer first, because
/// an active writer would continue in a deleted file.
///
/// - An unfinished record at the end is cut off.
/// - For other damage, the sound records are copied to a temporary file, which then replaces the original. So one of the two
///   exists at every moment. If the program stops in between, a temporary file may remain, whose name starts with
///   `.summary-writer-repair-`.
/// - Sound files are not changed.
/// - Files without a sound record are not changed, because they are not event files.
///
/// Restart a TensorBoard with the fast loader afterwards, because it keeps the old file open.
///
/// The report describes the files before the repair.
///
/// # Errors
/// - [`Error::Io`] if something cannot be read or written. Each file is unchanged or repaired.
/// - [`Error::Invalid`] if a file changes during the repair, because a writer is still active.
pub fn repair_in_place(path: impl AsRef<Path>) -> Result<Report> {
    let runs = find_runs(local_path(path.as_ref())?)?;
    let mut files = Vec::new();
    for file in runs.into_iter().flat_map(|run| run.files) {
        let report = verify_file(file)?;
        if report.records > 0 && !report.is_sound() {
            rewrite(&report.path, &mut |_| true)?;
        } else if report.records > 0 && report.unfinished_bytes > 0 {
            cut(&report)?;
        }
        files.push(report);
    }
    Ok(Report { files })
}

/// Cuts off an unfinished record.
fn cut(report: &FileReport) -> Result<()> {
    let path = &report.path;
    let file = File::options()
        .write(true)
        .open(path)
        .map_err(|error| Error::io("open", path, error))?;
    expect_len(path, &file, report.bytes)?;
    file.set_len(report.bytes - report.unfinished_bytes)
        .map_err(|error| Error::io("cut", path, error))
}

/// Keeps only the sound events for which `keep` returns true. A file without a sound event is not changed, because it is not
/// an event file.
pub(crate) fn retain_events(path: &Path, keep: &mut dyn FnMut(&Event) -> bool) -> Result<()> {
    let mut file = EventFile::new(path.into());
    let mut keeps_all = true;
    while let Some(event) = file.next_event(true)? {
        keeps_all &= keep(&event);
    }
    let report = file.report();
    let is_whole = keeps_all && report.is_sound() && report.unfinished_bytes == 0;
    drop(file); // Windows may refuse to replace an open file.
    if report.records > 0 && !is_whole {
        rewrite(path, keep)?;
    }
    Ok(())
}

/// Removes temporary copies in `dir` that stopped programs have left.
pub(crate) fn remove_leftovers(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(()); // there is no such directory
    };
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", dir, error))?;
        if is_temporary(&entry.file_name().to_string_lossy())
            && entry.file_type().is_ok_and(|kind| kind.is_file())
        {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
}

/// Replaces the file at `path` by one with the sound events for which `keep` returns true.
fn rewrite(path: &Path, keep: &mut dyn FnMut(&Event) -> bool) -> Result<()> {
    // If `path` is a link, replaces the file that it points to.
    let path = &fs::canonicalize(path).map_err(|error| Error::io("open", path, error))?;
    let temporary = temporary_path(path);
    let report = copy(path, &temporary, keep)?;
    let replaced = replace(path, &temporary, report.bytes);
    if replaced.is_err() {
        fs::remove_file(&temporary).ok();
    }
    replaced
}

/// Replaces `path` by `temporary`. Fails if the length of `path` is not `bytes`.
fn replace(path: &Path, temporary: &Path, bytes: u64) -> Result<()> {
    let original = File::open(path).map_err(|error| Error::io("open", path, error))?;
    expect_len(path, &original, bytes)?;
    // The bytes must be on the disk before the name, or a power failure could destroy both files.
    let sync = || {
        let copy = File::options().write(true).open(temporary)?;
        copy.set_permissions(original.metadata()?.permissions())?;
        copy.sync_all()
    };
    sync().map_err(|error| Error::io("write", temporary, error))?;
    drop(original); // Windows may refuse to replace an open file.
    replace_file(temporary, path)
}

/// Returns a new name in the directory of `path` that loaders ignore.
fn temporary_path(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let (pid, number) = (process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    path.with_file_name(format!("{TEMPORARY_PREFIX}{pid}-{number}"))
}

/// Returns whether [`temporary_path`] makes such a name.
fn is_temporary(name: &str) -> bool {
    let numbers = name.strip_prefix(TEMPORARY_PREFIX);
    let numbers = numbers.and_then(|numbers| numbers.split_once('-'));
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    numbers.is_some_and(|(pid, number)| is_number(pid) && is_number(number))
}

fn expect_len(path: &Path, file: &File, bytes: u64) -> Result<()> {
    let metadata = file
        .metadata()
        .map_err(|error| Error::io("look at", path, error))?;
    if metadata.len() == bytes {
        return Ok(());
    }
    let problem = format!(
        "{} changed from {bytes} to {} bytes during the repair; stop its writer first",
        quoted(path),
        metadata.len()
    );
    Err(Error::invalid("event file", problem))
}

/// Copies the sound events for which `keep` returns true to a new file. Removes that file if it fails.
fn copy(path: &Path, to: &Path, keep: &mut dyn FnMut(&Event) -> bool) -> Result<FileReport> {
    let mut file = EventFile::new(path.into());
    file.open()?;
    let sink = File::create_new(to).map_err(|error| Error::io("create", to, error))?;
    let mut sink = BufWriter::with_capacity(BUFFER_BYTES, sink);
    if let Err(error) = copy_events(&mut file, to, &mut sink, keep) {
        // `into_parts`, because dropping the `BufWriter` would write the rest.
        drop(sink.into_parts());
        fs::remove_file(to).ok();
        return Err(error);
    }
    Ok(file.report())
}

fn copy_events(
    file: &mut EventFile,
    to: &Path,
    sink: &mut impl Write,
    keep: &mut dyn FnMut(&Event) -> bool,
) -> Result<()> {
    let refused = |error: io::Error| Error::io("write", to, error);
    let mut is_first = true;
    while let Some(event) = file.next_event(true)? {
        if is_first && !file.report().is_sound() && !is_version(&event) {
            let wall_time = WallTime::from_secs(event.wall_time).unwrap_or(UNIX_EPOCH.into());
            let mut frame = Vec::new();
            append_frame(&event::version(wall_time), &mut frame);
            sink.write_all(&frame).map_err(refused)?;
        }
        is_first = false;
        if keep(&event) {
            sink.write_all(file.frame()).map_err(refused)?;
        }
    }
    sink.flush().map_err(refused)
}

fn is_version(event: &Event) -> bool {
    matches!(event.what, Some(What::FileVersion(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{EventReader, verify};

    /// The frame of an event whose step is its only field.
    fn frame(step: u8) -> Vec<u8> {
        framed(&[0x10, step]) // field 2, a varint
    }

    fn framed(payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        append_frame(payload, &mut frame);
        frame
    }

    /// `Event { file_version: "brain.Event:2" }`
    fn version() -> Vec<u8> {
        framed(b"\x1a\x0dbrain.Event:2")
    }

    fn flipped(mut frame: Vec<u8>, at: usize) -> Vec<u8> {
        frame[at] ^= 1;
        frame
    }

    struct Dir(tempfile::TempDir);

    impl Dir {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            path
        }

        fn read(&self, name: &str) -> Vec<u8> {
            fs::read(self.path(name)).unwrap()
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let name = |entry: fs::DirEntry| entry.file_name().to_str().unwrap().to_owned();
            let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn cut_or_flipped_bit_costs_one_record() {
        let records = [version(), frame(1), frame(2), frame(3)];
        let edges: Vec<_> = (0..=4).map(|i| records[..i].concat().len()).collect();
        let whole = records.concat();
        let dir = Dir::new();
        // Each replacement is synced to the disk, which is slow, so only some are tested.
        let check = |bytes: &[u8], want: &[u8], in_place: bool, case: String| {
            let path = dir.write("1.tfevents", bytes);
            let report = repair_to(&path, dir.path("copy")).unwrap();
            assert_eq!(dir.read("copy"), want, "{case}");
            assert_eq!(
                dir.read("1.tfevents"),
                bytes,
                "{case}: the original changed"
            );
            if in_place {
                assert_eq!(repair_in_place(&path).unwrap(), report, "{case}");
                let is_left = report.files[0].records == 0;
                let want = if is_left { bytes } else { want };
                assert_eq!(dir.read("1.tfevents"), want, "{case}");
            }
            assert_eq!(dir.names(), ["1.tfevents", "copy"]);
            fs::remove_file(dir.path("copy")).unwrap();
        };
        for cut in 0..whole.len() {
            let end = edges.iter().rfind(|&&edge| edge <= cut).unwrap();
            check(&whole[..cut], &whole[..*end], true, format!("cut at {cut}"));
        }
        for bit in edges[1] * 8..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let hit = edges.iter().rposition(|&edge| edge <= bit / 8).unwrap();
            let want = [&whole[..edges[hit]], &whole[edges[hit + 1]..]].concat();
            check(&damaged, &want, bit % 11 == 0, format!("bit {bit}"));
        }
    }

    #[test]
    fn damaged_version_record_is_replaced_but_a_missing_one_is_not_added() {
        let dir = Dir::new();
        // Wall time 1.5, step 7.
        let event = framed(b"\x09\0\0\0\0\0\0\xf8\x3f\x10\x07");
        let path = dir.write("1", &[flipped(version(), 20), event.clone()].concat());
        repair_to(&path, dir.path("2")).unwrap();
        let copy = dir.read("2");
        assert!(copy.ends_with(&event));
        let mut events = EventReader::open(dir.path("2"))
            .unwrap()
            .map(Result::unwrap);
        let version = events.next().unwrap();
        assert_eq!(
            version.what,
            Some(What::FileVersion("brain.Event:2".into()))
        );
        assert_eq!((version.wall_time, version.step), (1.5, 0));
        assert_eq!(events.count(), 1);

        // A file without a version record gets none.
        let path = dir.write("3", &[frame(1), flipped(frame(2), 3), frame(3)].concat());
        repair_in_place(&path).unwrap();
        assert_eq!(dir.read("3"), [frame(1), frame(3)].concat());
    }

    #[test]
    fn existing_files_are_not_overwritten() {
        let dir = Dir::new();
        let path = dir.write("1", &frame(1));
        let other = dir.write("2", b"mine");
        for to in [&path, &other] {
            let error = repair_to(&path, to).unwrap_err();
            assert!(error.to_string().starts_with("could not create"), "{error}");
        }
        assert_eq!((dir.read("1"), dir.read("2")), (frame(1), b"mine".to_vec()));
        assert_eq!(dir.names(), ["1", "2"]);
    }

    #[test]
    fn all_files_of_a_logdir_are_copied_or_repaired() {
        let dir = Dir::new();
        let torn = [frame(1), frame(2)[..5].to_vec()].concat();
        let damaged = [frame(1), flipped(frame(2), 0), frame(3)].concat();
        let foreign = b"\x1f\x8b\x08\0\0\0\0\0\0\x03 no event file at all".to_vec();
        let files = [
            ("logs/a/1.tfevents", torn, frame(1)),
            ("logs/a/2.tfevents", damaged, [frame(1), frame(3)].concat()),
            ("logs/b/c/tfevents", frame(4), frame(4)),
            ("logs/tfevents.gz", foreign, Vec::new()),
        ];
        for (name, bytes, _) in &files {
            dir.write(name, bytes);
        }
        dir.write("logs/a/notes.txt", b"mine");
        let before = verify(dir.path("logs")).unwrap();
        assert_eq!(
            repair_to(dir.path("logs"), dir.path("copy")).unwrap(),
            before
        );
        for (name, bytes, want) in &files {
            assert_eq!(&dir.read(name), bytes, "{name}");
            let copy = name.replace("logs", "copy");
            assert_eq!(&dir.read(&copy), want, "{copy}");
        }
        assert!(!dir.path("copy/a/notes.txt").exists());

        assert_eq!(repair_in_place(dir.path("logs")).unwrap(), before);
        for (name, bytes, want) in &files {
            let want = if want.is_empty() { bytes } else { want };
            assert_eq!(&dir.read(name), want, "{name}");
        }
        let names = fs::read_dir(dir.path("logs/a")).unwrap().count();
        assert_eq!(names, 3, "a temporary file is left");
    }

    #[cfg(unix)]
    #[test]
    fn repair_in_place_keeps_permissions_and_symbolic_links() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let dir = Dir::new();
        let file = dir.write("file", &[frame(1), flipped(frame(2), 0)].concat());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, dir.path("link")).unwrap();
        repair_in_place(dir.path("link")).unwrap();
        assert_eq!(dir.read("file"), frame(1));
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(fs::symlink_metadata(dir.path("link")).unwrap().is_symlink());
    }

    #[test]
    fn file_that_grows_is_not_cut() {
        let dir = Dir::new();
        let bytes = [frame(1), frame(2)[..5].to_vec()].concat();
        let path = dir.write("1", &bytes);
        let report = verify_file(path).unwrap();
        let grown = [frame(1), frame(2)[..9].to_vec()].concat();
        dir.write("1", &grown);
        let error = cut(&report).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
        assert_eq!(dir.read("1"), grown);
    }
}
