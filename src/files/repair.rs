//! Event files to files of their sound records.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use super::find::find_runs;
use super::salvage::Salvage;
use super::verify::{FileReport, Report, verify_file};
use crate::error::{Error, Result};
use crate::event::{self, WallTime};
use crate::proto::Event;
use crate::proto::event::What;
use crate::record::append_frame;

const BUFFER_BYTES: usize = 256 << 10;
/// What the name of a copy beside its original begins with.
const BESIDE: &str = ".repair-";

/// Copies the sound records of an event file to a new file `to`; or those of all event files of a run or a logdir into
/// a new directory `to`, under their names. The original is only read, so it may be one that is still written.
///
/// What [`verify`](super::verify()) calls damage is left out, and so is an unfinished record at the end. Records are
/// copied byte by byte. Where the first one was lost, which tells the loaders how to take steps that go back, a new one
/// is written.
///
/// The report is of the original: `to` has all the records that it counts.
///
/// # Errors
/// [`Error::Io`] if something cannot be read or written, or if a file is there already; the file that was begun is removed.
pub fn repair_to(path: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<Report> {
    let (path, to) = (path.as_ref(), to.as_ref());
    let is_dir = path.is_dir();
    let runs = find_runs(path)?;
    let mut files = Vec::new();
    for file in runs.into_iter().flat_map(|run| run.files) {
        let target = match file.strip_prefix(path) {
            Ok(below) if is_dir => to.join(below),
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

/// Takes what is not sound out of an event file, or out of all event files of a run or a logdir, for good. Only for files
/// that nobody writes any more: a writer that is still at one would go on in a file that is gone.
///
/// An unfinished record at the end is cut off. Damage before that is left out of a copy, which then takes the place of
/// the file under its name, so that at every moment one of the two is there; a stopped program may leave the copy behind,
/// named `.repair-*`. Sound files are not touched, and neither are those without any sound record: they are something
/// else. A TensorBoard that is running with its fast loader must be started anew to see it.
///
/// The report is of what was met before.
///
/// # Errors
/// - [`Error::Io`] if something cannot be read or written. Each file is as it was or repaired.
/// - [`Error::Invalid`] if a file has grown meanwhile, so that somebody writes it.
pub fn repair_in_place(path: impl AsRef<Path>) -> Result<Report> {
    let runs = find_runs(path)?;
    let files = runs.into_iter().flat_map(|run| run.files);
    let files = files
        .map(|file| {
            let report = verify_file(&file)?;
            if report.records > 0 && !report.is_sound() {
                rewrite(&file, &mut |_| true)?;
            } else if report.records > 0 && report.unfinished_bytes > 0 {
                cut(&report)?;
            }
            Ok(report)
        })
        .collect::<Result<_>>()?;
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

/// Leaves of an event file the sound records that are to be kept. It is not touched if those are all there is, nor if it
/// has none at all: it is something else then.
pub(crate) fn keep_only(path: &Path, keep: &mut dyn FnMut(&Event) -> bool) -> Result<()> {
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let mut salvage = Salvage::new(path, file);
    let mut keeps_all = true;
    while let Some(event) = salvage.next_event()? {
        keeps_all &= keep(&event);
    }
    let report = salvage.report();
    let is_whole = keeps_all && report.is_sound() && report.unfinished_bytes == 0;
    if report.records > 0 && !is_whole {
        rewrite(path, keep)?;
    }
    Ok(())
}

/// Removes the copies in `dir` that stopped programs have left beside their originals.
pub(crate) fn remove_leftovers(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(()); // nothing is there
    };
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", dir, error))?;
        if entry.file_name().to_string_lossy().starts_with(BESIDE) {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
}

/// Puts a file of those sound records that are to be kept into the place of `path`.
fn rewrite(path: &Path, keep: &mut dyn FnMut(&Event) -> bool) -> Result<FileReport> {
    // Not the name of a link, but the file.
    let path = &fs::canonicalize(path).map_err(|error| Error::io("open", path, error))?;
    let beside = beside(path);
    let report = copy(path, &beside, keep)?;
    let replaced = (|| {
        let original = File::open(path).map_err(|error| Error::io("open", path, error))?;
        expect_len(path, &original, report.bytes)?;
        let copied = File::options().write(true).open(&beside);
        // Its bytes are on the disk before its name is, or a loss of power could leave neither.
        copied
            .and_then(|copied| {
                let permissions = original.metadata()?.permissions();
                copied.set_permissions(permissions)?;
                copied.sync_all()
            })
            .map_err(|error| Error::io("write", &beside, error))?;
        fs::rename(&beside, path).map_err(|error| Error::io("replace", path, error))
    })();
    if replaced.is_err() {
        fs::remove_file(&beside).ok();
    }
    replaced.map(|()| report)
}

/// A name in the directory of `path` that no loader reads and no other call has.
fn beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let (pid, number) = (process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    path.with_file_name(format!("{BESIDE}{pid}-{number}"))
}

fn expect_len(path: &Path, file: &File, bytes: u64) -> Result<()> {
    let metadata = file
        .metadata()
        .map_err(|error| Error::io("look at", path, error))?;
    if metadata.len() == bytes {
        return Ok(());
    }
    let problem = format!("{path:?} changes while it is repaired, one that nobody writes fits");
    Err(Error::invalid("event file", problem))
}

/// Copies those sound records that are to be kept to a new file, or leaves none.
fn copy(path: &Path, to: &Path, keep: &mut dyn FnMut(&Event) -> bool) -> Result<FileReport> {
    let source = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let sink = File::create_new(to).map_err(|error| Error::io("create", to, error))?;
    let mut sink = BufWriter::with_capacity(BUFFER_BYTES, sink);
    let mut salvage = Salvage::new(path, source);
    let copied = copy_records(&mut salvage, &mut sink, keep).map_err(|error| match error {
        Failure::Read(error) => error,
        Failure::Write(error) => Error::io("write", to, error),
    });
    if let Err(error) = copied {
        // What the buffer still has is not wanted.
        drop(sink.into_parts());
        fs::remove_file(to).ok();
        return Err(error);
    }
    salvage.into_report()
}

enum Failure {
    Read(Error),
    Write(io::Error),
}

fn copy_records(
    salvage: &mut Salvage<impl Read>,
    sink: &mut impl Write,
    keep: &mut dyn FnMut(&Event) -> bool,
) -> Result<(), Failure> {
    let mut is_first = true;
    while let Some(event) = salvage.next_event().map_err(Failure::Read)? {
        if is_first && salvage.report().damage_count > 0 && !is_version(&event) {
            let wall_time = WallTime::from_secs(event.wall_time).unwrap_or(UNIX_EPOCH.into());
            let mut frame = Vec::new();
            append_frame(&event::version(wall_time), &mut frame);
            sink.write_all(&frame).map_err(Failure::Write)?;
        }
        is_first = false;
        if keep(&event) {
            sink.write_all(salvage.frame()).map_err(Failure::Write)?;
        }
    }
    sink.flush().map_err(Failure::Write)
}

fn is_version(event: &Event) -> bool {
    matches!(event.what, Some(What::FileVersion(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::verify;

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
    fn of_a_file_that_is_cut_or_flipped_anywhere_all_other_records_are_kept() {
        let records = [version(), frame(1), frame(2), frame(3)];
        let edges: Vec<_> = (0..=4).map(|i| records[..i].concat().len()).collect();
        let whole = records.concat();
        let dir = Dir::new();
        // Each file that takes the place of another is synced, so not all are.
        let check = |bytes: &[u8], want: &[u8], in_place: bool, case: String| {
            let path = dir.write("1.tfevents", bytes);
            let report = repair_to(&path, dir.path("copy")).unwrap();
            assert_eq!(dir.read("copy"), want, "{case}");
            assert_eq!(dir.read("1.tfevents"), bytes, "{case}: it is only read");
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
    fn a_lost_version_record_is_replaced_and_no_other_is_added() {
        let dir = Dir::new();
        // Wall time 1.5, step 7.
        let event = framed(b"\x09\0\0\0\0\0\0\xf8\x3f\x10\x07");
        let path = dir.write("1", &[flipped(version(), 20), event.clone()].concat());
        repair_to(&path, dir.path("2")).unwrap();
        let copy = dir.read("2");
        assert!(copy.ends_with(&event));
        let mut events = Salvage::new("", &copy[..]).map(Result::unwrap);
        let version = events.next().unwrap();
        assert_eq!(
            version.what,
            Some(What::FileVersion("brain.Event:2".into()))
        );
        assert_eq!((version.wall_time, version.step), (1.5, 0));
        assert_eq!(events.count(), 1);

        // A file that never had one is as it was.
        let path = dir.write("3", &[frame(1), flipped(frame(2), 3), frame(3)].concat());
        repair_in_place(&path).unwrap();
        assert_eq!(dir.read("3"), [frame(1), frame(3)].concat());
    }

    #[test]
    fn nothing_that_is_there_is_overwritten() {
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
    fn a_logdir_is_copied_with_its_runs_and_repaired_where_it_is_damaged() {
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
        assert_eq!(names, 3, "no copy is left");
    }

    #[cfg(unix)]
    #[test]
    fn in_place_the_file_keeps_its_permissions_and_a_link_stays_one() {
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
    fn a_file_that_grows_is_left_alone() {
        let dir = Dir::new();
        let bytes = [frame(1), frame(2)[..5].to_vec()].concat();
        let path = dir.write("1", &bytes);
        let report = verify_file(&path).unwrap();
        let grown = [frame(1), frame(2)[..9].to_vec()].concat();
        dir.write("1", &grown);
        let error = cut(&report).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
        assert_eq!(dir.read("1"), grown);
    }
}
