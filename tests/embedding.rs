//! Embeddings that are logged with the writer: their files and their errors.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io;

use summary_writer::{Embedding, SummaryWriter, WriterOptions};

fn points() -> Embedding {
    Embedding::new("points", &[0.5f32, 1.0, 1.5, 2.0], 2).unwrap()
}

#[test]
fn files_are_in_the_run_directory_when_the_call_returns() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let run = summary.run("train").unwrap();
    run.scope("encoder").embedding(points(), 7u8).unwrap();
    run.clone().embedding(points(), u64::MAX).unwrap();
    let config = fs::read_to_string(dir.path().join("train/projector_config.pbtxt")).unwrap();
    let names: Vec<_> = config
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tensor_name: "))
        .collect();
    assert_eq!(
        names,
        ["\"encoder/points:00007\"", "\"points:9223372036854775807\""]
    );
    let tensors = dir.path().join("train/00007/encoder_points/tensors.tsv");
    assert_eq!(
        fs::read_to_string(tensors).unwrap(),
        "0.5\t1\t0\n1.5\t2\t0\n"
    );
    assert_eq!(summary.stats().saturated_step_count, 0);
    assert_eq!(run.stats().saturated_step_count, 1);
}

#[test]
fn writer_without_a_directory_or_closed_is_an_error() {
    let stream = WriterOptions::new().to_sink(io::sink()).unwrap();
    let error = stream.embedding(points(), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "embedding: it needs a directory, but this writer writes to a stream"
    );

    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let other = summary.clone();
    summary.close().unwrap();
    let error = other.embedding(points(), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the summary writer is closed, or this process is a fork of the one that opened it"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "no file");
}

/// A limit of `LIMIT` bytes for each file acts like a disk that becomes full during a write.
#[cfg(unix)]
mod full_disk {
    use std::collections::BTreeMap;
    use std::env;
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use summary_writer::{Embedding, Error, SummaryWriter};

    const TEST: &str = "full_disk::failed_write_changes_nothing";
    /// Set in the child process.
    const CHILD: &str = "SUMMARY_WRITER_TEST_CHILD";
    /// More than one buffer of a file, and less than each file that must fail.
    const LIMIT: u64 = 100_000;
    const MORE: usize = 200_000;

    /// All files with their content and all directories in `dir`.
    fn tree(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.append(&mut tree(&path));
                found.insert(path, None);
            } else {
                let content = fs::read(&path).unwrap();
                found.insert(path, Some(content));
            }
        }
        found
    }

    fn points(tag: &str, count: usize) -> Embedding {
        Embedding::new(tag, &vec![0.125f32; 3 * count], 3).unwrap()
    }

    /// For each file of an embedding, an embedding for which the file is too large, and a step.
    fn too_large() -> Vec<(&'static str, Embedding, i64)> {
        let label = "x".repeat(MORE);
        let labelled = points("points", 2).labels([&*label, "y"]).unwrap();
        vec![
            ("tensors.tsv", points("points", MORE / 10), 7), // replaces an embedding
            ("tensors.tsv", points("points", MORE / 10), 8),
            ("metadata.tsv", labelled, 8),
            ("projector_config.pbtxt", points(&label, 2), 8),
            #[cfg(feature = "png")]
            ("sprite.png", pictured(), 8),
        ]
    }

    #[cfg(feature = "png")]
    fn pictured() -> Embedding {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut noise = || {
            let pixels: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(MORE).collect();
            summary_writer::Image::gray8(200, 1000, pixels).unwrap()
        };
        points("points", 2).thumbnails([noise(), noise()]).unwrap()
    }

    #[test]
    fn failed_write_changes_nothing() {
        if env::var_os(CHILD).is_none() {
            return run_in_a_child_process();
        }
        let dir = tempfile::tempdir().unwrap();
        let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
        let old = points("points", 2).labels(["old", "older"]).unwrap();
        summary.embedding(old, 7).unwrap();
        let before = tree(dir.path());

        let no_limit = getrlimit(Resource::Fsize);
        let limit = Rlimit {
            current: Some(LIMIT),
            ..no_limit
        };
        setrlimit(Resource::Fsize, limit).unwrap();
        for (file, embedding, step) in too_large() {
            let error = summary.embedding(embedding, step).unwrap_err();
            let Error::Io {
                action,
                path,
                source,
            } = &error
            else {
                panic!("{file}: {error}")
            };
            assert_eq!(*action, "write", "{file}");
            assert!(path.as_ref().unwrap().ends_with(file), "{error}");
            assert_eq!(source.kind(), io::ErrorKind::FileTooLarge);
            assert!(tree(dir.path()) == before, "{file} left a change");
        }

        setrlimit(Resource::Fsize, no_limit).unwrap();
        for (file, embedding, step) in too_large() {
            summary.embedding(embedding, step).unwrap();
            let written = tree(dir.path());
            let written = written.iter().filter(|(path, _)| path.ends_with(file));
            let longest = written
                .map(|(_, bytes)| bytes.as_ref().unwrap().len())
                .max();
            assert!(longest.unwrap() > MORE / 2, "{file}: {longest:?}");
        }
        summary.close().unwrap();
    }

    /// The limit holds for a whole process. A signal kills a process that exceeds it, unless the shell that starts the process
    /// ignores the signal.
    fn run_in_a_child_process() {
        let child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", TEST])
            .env(CHILD, "")
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        let is_run = child.status.success() && output.contains("1 passed");
        assert!(is_run, "{output}{}", String::from_utf8_lossy(&child.stderr));
    }
}
