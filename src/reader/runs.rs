//! Finds the runs of a logdir and their event files.

#[cfg(feature = "object-store")]
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fs;
#[cfg(feature = "object-store")]
use std::io;
use std::path::{Path, PathBuf};

use crate::embedding;
use crate::error::{Chain, Error, Result};
use crate::location::{Location, location};
use crate::report::Reporter;
#[cfg(feature = "object-store")]
use crate::store::StoreDir;

/// A directory with event files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The path relative to the logdir, as TensorBoard shows it. `.` is the logdir itself.
    pub name: String,
    /// The event files, sorted by name. TensorBoard reads them in this order.
    pub files: Vec<PathBuf>,
}

impl Run {
    /// Returns the names of the embeddings that the projector shows for the run, from its `projector_config.pbtxt`.
    ///
    /// [`SummaryWriter::embedding`](crate::SummaryWriter::embedding) names them `TAG:STEP`, as PyTorch does.
    ///
    /// # Errors
    /// [`Error::Io`] if the file exists but cannot be read.
    pub fn embeddings(&self) -> Result<Vec<String>> {
        let directory = self.files.first().and_then(|file| file.parent());
        directory.map_or(Ok(Vec::new()), embedding::names)
    }
}

/// Finds the runs of a logdir, in the order of their paths. A run is a directory with files that have `tfevents` in their names.
/// If `logdir` is a file, it is the run `.`, with any name. Symbolic links are followed, but no directory is visited twice.
///
/// A directory below `logdir` that cannot be listed is skipped, and a warning is logged.
///
/// With the feature `object-store`, `logdir` may be a URL such as `s3://bucket/logs`, and the files are URLs, too.
///
/// # Errors
/// [`Error::Io`] if `logdir` does not exist or cannot be listed. [`Error::Invalid`] if it is another URL or starts with `~`.
pub fn find_runs(logdir: impl AsRef<Path>) -> Result<Vec<Run>> {
    if !is_dir(logdir.as_ref())? {
        return Ok(vec![Run {
            name: ".".into(),
            files: vec![logdir.as_ref().into()],
        }]);
    }
    let logdir = match location(logdir.as_ref())? {
        Location::Local(logdir) => logdir,
        #[cfg(feature = "object-store")]
        Location::Store(logdir) => return runs_in_store(&logdir),
    };
    let mut runs = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![logdir.to_path_buf()];
    while let Some(dir) = waiting.pop() {
        let listed = match fs::canonicalize(&dir) {
            Ok(canonical) => {
                if !seen.insert(canonical) {
                    continue;
                }
                list(&dir)
            }
            Err(error) => Err(Error::io("list", &dir, error)),
        };
        let (files, mut dirs) = match listed {
            Ok(listed) => listed,
            Err(error) if dir == logdir => return Err(error),
            Err(error) => {
                let error = Chain(&error);
                Reporter::default().warn(format_args!("{error}; the directory is skipped"));
                continue;
            }
        };
        // In reverse order, because `pop` takes the last one.
        dirs.sort_by(|a, b| b.cmp(a));
        waiting.extend(dirs);
        if !files.is_empty() {
            let name = name_below(logdir, &dir);
            runs.push(Run { name, files });
        }
    }
    Ok(runs)
}

/// Returns whether `path` is a directory and not a file. In an object store, a directory exists if there is an object in it.
pub(super) fn is_dir(path: &Path) -> Result<bool> {
    match location(path)? {
        Location::Local(path) => {
            let metadata = fs::metadata(path).map_err(|error| Error::io("open", path, error))?;
            Ok(metadata.is_dir())
        }
        #[cfg(feature = "object-store")]
        Location::Store(dir) => {
            let is_object = dir.object_bytes()?.is_some();
            if !is_object && dir.is_empty()? {
                return Err(Error::io("open", path, io::ErrorKind::NotFound.into()));
            }
            Ok(!is_object)
        }
    }
}

/// Returns the event files in `dir` itself, in the order of their names.
pub(crate) fn event_files(dir: &Path) -> Result<Vec<PathBuf>> {
    match location(dir)? {
        Location::Local(dir) => list(dir).map(|(files, _)| files),
        #[cfg(feature = "object-store")]
        Location::Store(dir) => {
            let objects = dir.list()?.into_iter();
            let names = objects.map(|object| object.name);
            let files = names.filter(|name| is_event_file(Path::new(name)));
            Ok(files.map(|name| dir.url_of(&name).into()).collect())
        }
    }
}

/// Finds the runs in a directory of an object store.
#[cfg(feature = "object-store")]
fn runs_in_store(logdir: &StoreDir) -> Result<Vec<Run>> {
    let mut runs = BTreeMap::<Vec<String>, Vec<PathBuf>>::new();
    for object in logdir.walk()? {
        let mut parts: Vec<_> = object.name.split('/').map(str::to_owned).collect();
        let name = parts.pop();
        if name.is_some_and(|name| is_event_file(Path::new(&name))) {
            let files = runs.entry(parts).or_default();
            files.push(logdir.url_of(&object.name).into());
        }
    }
    let name = |parts: Vec<String>| match parts.is_empty() {
        true => ".".into(),
        false => parts.join("/"),
    };
    let runs = runs.into_iter().map(|(parts, files)| Run {
        name: name(parts),
        files,
    });
    Ok(runs.collect())
}

/// Returns the event files in `dir`, in the order of their names, and the directories.
fn list(dir: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let refused = |error| Error::io("list", dir, error);
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        // Skips files that were removed meanwhile, and dangling links.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        if metadata.is_dir() {
            dirs.push(path);
        } else if metadata.is_file() && is_event_file(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok((files, dirs))
}

fn is_event_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().contains("tfevents")
}

fn name_below(logdir: &Path, dir: &Path) -> String {
    let below = dir.strip_prefix(logdir).unwrap_or(dir);
    let parts: Vec<_> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts.is_empty() {
        ".".into()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the runs with the names of their files.
    fn runs(logdir: &Path) -> Vec<(String, Vec<String>)> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        find_runs(logdir)
            .unwrap()
            .iter()
            .map(|run| (run.name.clone(), run.files.iter().map(name).collect()))
            .collect()
    }

    #[test]
    fn runs_are_directories_with_event_files_at_any_depth() {
        let logdir = tempfile::tempdir().unwrap();
        for file in [
            "b/x/tfevents",
            "b/notes.txt",
            "a/2.tfevents",
            "a/10.tfevents",
            "a/TFEVENTS",
            ".hidden/tfevents.gz",
            "root.tfevents.1",
            "empty/notes.txt",
        ] {
            let path = logdir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::create_dir(logdir.path().join("directory.tfevents")).unwrap();
        let run = |name: &str, files: &[&str]| {
            (
                name.to_owned(),
                files.iter().map(|&file| file.to_owned()).collect(),
            )
        };
        let want = [
            run(".", &["root.tfevents.1"]),
            run(".hidden", &["tfevents.gz"]),
            run("a", &["10.tfevents", "2.tfevents"]),
            run("b/x", &["tfevents"]),
        ];
        assert_eq!(runs(logdir.path()), want);
        let single = logdir.path().join("b/notes.txt");
        assert_eq!(runs(&single), [run(".", &["notes.txt"])]);
        let error = find_runs(logdir.path().join("none")).unwrap_err();
        assert!(error.to_string().starts_with("could not open"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_no_directory_is_visited_twice() {
        use std::os::unix::fs::symlink;

        let (logdir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("tfevents"), "").unwrap();
        symlink(other.path(), logdir.path().join("link")).unwrap();
        symlink(logdir.path(), other.path().join("back")).unwrap();
        symlink("nowhere", logdir.path().join("tfevents")).unwrap();
        assert_eq!(
            runs(logdir.path()),
            [("link".into(), vec!["tfevents".into()])]
        );
    }
}
