//! Event files on a real file system: opening and naming files, child runs, and deleted directories.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use summary_writer::proto::event::What;
use summary_writer::reader::{compact, find_runs, repair_in_place, repair_to, verify};
use summary_writer::{
    Embedding, Error, EventReader, SummaryWriter, SyncPolicy, TrainingLogger, WriterOptions,
    unique_logdir,
};

fn event_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// Returns the steps of all records except the version records.
fn steps(path: &Path) -> Vec<i64> {
    EventReader::open(path)
        .unwrap()
        .map(Result::unwrap)
        .filter(|event| !matches!(event.what, Some(What::FileVersion(_))))
        .map(|event| event.step)
        .collect()
}

#[test]
fn file_of_the_maximal_size_is_followed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let options = WriterOptions::new().max_file_bytes(1000);
    let summary = options.create_file_writer(dir.path()).unwrap();
    for step in 0..100 {
        summary.scalar("loss", 0.5, step);
        summary.flush().unwrap();
    }
    assert!(summary.path().unwrap().exists());
    let handle = summary.clone();
    summary.close().unwrap();
    assert_eq!(handle.stats().other_writer_count, 0);
    let files = event_files(dir.path());
    // A scalar has about 40 bytes.
    assert!((3..8).contains(&files.len()), "{}", files.len());
    for file in &files {
        assert!(fs::metadata(file).unwrap().len() < 1100);
        let first = EventReader::open(file).unwrap().next().unwrap().unwrap();
        assert!(matches!(first.what, Some(What::FileVersion(_))));
    }
    assert_eq!(steps(dir.path()), (0..100).collect::<Vec<_>>());

    // Without room for a record, each batch has a file, and the last one is removed because it is empty.
    let dir = tempfile::tempdir().unwrap();
    let options = WriterOptions::new().max_file_bytes(0);
    let summary = options.create_file_writer(dir.path()).unwrap();
    for step in 0..3 {
        summary.scalar("loss", 0.5, step);
        summary.flush().unwrap();
    }
    summary.close().unwrap();
    assert_eq!(event_files(dir.path()).len(), 3);
    assert_eq!(steps(dir.path()), [0, 1, 2]);
}

#[test]
fn compact_merges_the_files_of_each_run() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, merged) = (dir.path().join("logs"), dir.path().join("merged"));
    let options = WriterOptions::new().max_file_bytes(1000);
    let summary = options.create_file_writer(&logs).unwrap();
    let validation = summary.run("validation").unwrap();
    for step in 0..100 {
        summary.scalar("loss", 0.5, step);
        summary.flush().unwrap();
        validation.scalar("loss", 0.25, step + 1000);
    }
    summary.close().unwrap();
    let files = event_files(&logs);
    let before: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();

    let report = compact(&logs, &merged).unwrap();
    let validation_files = event_files(&logs.join("validation"));
    assert_eq!(report.files.len(), files.len() + validation_files.len());
    for (run, first_step) in [("", 0), ("validation", 1000)] {
        let [copy] = &event_files(&merged.join(run))[..] else {
            panic!("{run:?} has one file");
        };
        let last = event_files(&logs.join(run)).pop().unwrap();
        assert_eq!(copy.file_name(), last.file_name());
        assert_eq!(
            steps(copy),
            (first_step..first_step + 100).collect::<Vec<_>>()
        );
        assert!(verify(copy).unwrap().is_sound());
    }
    // Each file starts with a version record, and the copy has only the first of them. A frame starts with the length of its
    // payload, and has 16 bytes more.
    let version_bytes = before[0][0] as usize + 16;
    let bytes: usize = before.iter().map(Vec::len).sum();
    let copy = fs::read(&event_files(&merged)[0]).unwrap();
    assert_eq!(copy.len(), bytes - (files.len() - 1) * version_bytes);
    let after: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(after, before, "the old files stay");

    // A damaged record is left out. Its checksum is in the last four bytes of the file.
    let mut damaged = before[1].clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&files[1], damaged).unwrap();
    let repaired = dir.path().join("repaired");
    assert!(!compact(&logs, &repaired).unwrap().is_sound());
    assert!(verify(&repaired).unwrap().is_sound());
    assert_eq!(steps(&event_files(&repaired)[0]).len(), 99);

    let error = |path: &Path, to: &Path| compact(path, to).unwrap_err().to_string();
    assert!(error(&logs, &merged).contains("could not create"));
    assert!(error(&logs, &logs.join("new")).contains("expected another logdir"));
    assert!(error(&files[0], &dir.path().join("new")).contains("got the file"));
}

#[test]
fn version_record_is_in_the_file_when_opening_returns() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let event = EventReader::open(summary.path().unwrap())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(event.what, Some(What::FileVersion("brain.Event:2".into())));
    assert!(event.wall_time > 1.7e9);
}

#[test]
fn files_opened_in_one_second_sort_in_the_order_of_opening() {
    let dir = tempfile::tempdir().unwrap();
    for step in 0..12 {
        let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
        summary.scalar("loss", 0.5, step);
        summary.close().unwrap();
    }
    assert_eq!(event_files(dir.path()).len(), 12);
    assert!(steps(dir.path()).into_iter().eq(0..12));
}

#[test]
fn writers_opened_at_the_same_time_have_their_own_files() {
    let dir = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for step in 0..16 {
            let dir = dir.path();
            scope.spawn(move || {
                let summary = SummaryWriter::create_file_writer(dir).unwrap();
                summary.scalar("loss", 0.5, step);
            });
        }
    });
    assert_eq!(event_files(dir.path()).len(), 16);
    let mut steps = steps(dir.path());
    steps.sort_unstable();
    assert!(steps.into_iter().eq(0..16));
}

#[test]
fn file_name_ends_with_the_suffix_which_cannot_leave_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let options = WriterOptions::new().filename_suffix(".rank0");
    let summary = options.create_file_writer(dir.path()).unwrap();
    assert!(
        summary
            .path()
            .unwrap()
            .to_str()
            .unwrap()
            .ends_with(".rank0")
    );
    for suffix in ["/x", "\\x", "x\0"] {
        let options = WriterOptions::new().filename_suffix(suffix);
        let error = options.create_file_writer(dir.path()).unwrap_err();
        assert!(
            matches!(error, Error::Invalid { .. }),
            "{suffix:?}: {error}"
        );
    }
    assert_eq!(event_files(dir.path()).len(), 1);
}

/// Windows would write to a hidden stream of the file, or remove the end of the name.
#[test]
fn suffix_is_part_of_the_file_name_or_an_error() {
    for suffix in [":x", "x:y", "x.", "x "] {
        let dir = tempfile::tempdir().unwrap();
        let options = WriterOptions::new().filename_suffix(suffix);
        let opened = options.create_file_writer(dir.path());
        assert_eq!(opened.is_ok(), !cfg!(windows), "{suffix:?}");
        let path = opened.as_ref().ok().and_then(SummaryWriter::path);
        assert_eq!(event_files(dir.path()), Vec::from_iter(path));
    }
}

#[test]
fn impossible_logdir_is_an_error_with_its_path_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "mine").unwrap();
    let too_long = dir.path().join("new").join("x".repeat(300));
    for logdir in [file.clone(), file.join("below"), too_long] {
        let error = SummaryWriter::create_file_writer(&logdir).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains(&format!("\"{}\"", logdir.display())),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
    assert_eq!(event_files(dir.path()), std::slice::from_ref(&file));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(!dir.path().join("new").exists());
}

/// Root may write to a read-only directory, but not to `/sys`, which has only files of the kernel.
#[cfg(target_os = "linux")]
#[test]
fn read_only_logdir_is_an_error_with_its_path() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let is_administrator = fs::write(dir.path().join("probe"), "").is_ok();
    let logdir = if is_administrator {
        Path::new("/sys")
    } else {
        dir.path()
    };
    for logdir in [logdir.to_path_buf(), logdir.join("below")] {
        let error = SummaryWriter::create_file_writer(&logdir).unwrap_err();
        assert!(
            error.to_string().contains(logdir.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn every_function_with_a_path_rejects_urls_and_home_directories() {
    let local = tempfile::tempdir().unwrap();
    for path in ["hdfs://host/run", "~/runs", "$HOME/runs"] {
        let errors = [
            SummaryWriter::create_file_writer(path).err(),
            WriterOptions::new()
                .resume(0)
                .create_file_writer(path)
                .err(),
            unique_logdir(path).err(),
            TrainingLogger::new(path).on_train_begin().err(),
            SummaryWriter::last_step(path).err(),
            EventReader::open(path).err(),
            find_runs(path).err(),
            verify(path).err(),
            repair_in_place(path).err(),
            repair_to(path, local.path()).err(),
            repair_to(local.path(), path).err(),
        ];
        for (i, error) in errors.iter().enumerate() {
            let is_invalid = matches!(error, Some(Error::Invalid { what: "path", .. }));
            assert!(is_invalid, "{path} {i}: {error:?}");
        }
    }
    for created in ["hdfs:", "~", "$HOME"] {
        assert!(!Path::new(created).exists(), "{created}");
    }
}

/// With the feature, the other functions take these URLs: see tests/object_store.rs.
#[test]
fn repair_rejects_urls_of_object_stores() {
    let local = tempfile::tempdir().unwrap();
    for url in ["s3://bucket/run", "gs://bucket", "az://container/run"] {
        for error in [
            repair_in_place(url).unwrap_err(),
            repair_to(url, local.path()).unwrap_err(),
            repair_to(local.path(), url).unwrap_err(),
        ] {
            let is_invalid = matches!(error, Error::Invalid { what: "path", .. });
            assert!(is_invalid, "{url}: {error:?}");
        }
    }
}

#[cfg(not(feature = "object-store"))]
#[test]
fn url_of_an_object_store_needs_the_feature() {
    let error = SummaryWriter::create_file_writer("s3://bucket/run").unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("needs the feature `object-store`"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn file_url_names_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", dir.path().display());
    let summary = SummaryWriter::create_file_writer(&url).unwrap();
    assert_eq!(summary.logdir(), Some(dir.path()));
    summary.scalar("loss", 0.5, 3);
    summary.close().unwrap();
    assert_eq!(SummaryWriter::last_step(&url).unwrap(), Some(3));
}

#[test]
fn child_run_is_a_directory_with_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for step in 0..5 {
        summary.run("validation").unwrap().scalar("loss", 0.5, step);
        summary.run("a/b").unwrap().scalar("loss", 0.5, step);
    }
    let kept = summary.run("kept").unwrap();
    kept.scalar("loss", 0.5, 0);
    summary.flush().unwrap();
    assert!(steps(&dir.path().join("validation")).into_iter().eq(0..5));
    assert!(steps(&dir.path().join("a/b")).into_iter().eq(0..5));
    assert_eq!(event_files(&dir.path().join("validation")).len(), 1);

    summary.close().unwrap();
    kept.scalar("loss", 0.5, 1); // this handle is still open
    kept.close().unwrap();
    assert_eq!(steps(&dir.path().join("kept")), [0, 1]);
}

#[test]
fn scalar_in_runs_logs_to_all_runs_or_to_none() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let scope = summary.scope("fold");
    for step in 0..3 {
        let values = [("train", 0.5), ("a/validation", 0.25)];
        scope.scalar_in_runs("loss", values, step).unwrap();
    }
    let sparse = summary.record_every(10);
    sparse.scalar_in_runs("loss", [("sparse", 1)], 3).unwrap();
    let values = [("train", 0.5), ("..", 0.25)];
    let error = summary.scalar_in_runs("loss", values, 3).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    summary.close().unwrap();

    let runs = find_runs(dir.path()).unwrap();
    let names: Vec<_> = runs.iter().map(|run| &*run.name).collect();
    assert_eq!(names, ["a/validation", "train"]);
    for (name, want) in [("train", 0.5), ("a/validation", 0.25)] {
        let points: Vec<_> = EventReader::open(dir.path().join(name))
            .unwrap()
            .map(Result::unwrap)
            .filter_map(|event| match event.what {
                Some(What::Summary(summary)) => Some((event.step, summary.value)),
                _ => None,
            })
            .map(|(step, values)| (step, values[0].tag.clone(), values[0].scalar()))
            .collect();
        let want = [0, 1, 2].map(|step| (step, "fold/loss".to_owned(), Some(want)));
        assert_eq!(points, want, "{name}");
    }
}

#[test]
fn equivalent_names_open_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for (step, name) in ["a/b", "a//b", "a/b/"].into_iter().enumerate() {
        summary.run(name).unwrap().scalar("loss", 0.5, step);
    }
    let a = summary.run("a").unwrap();
    a.run("b").unwrap().scalar("loss", 0.5, 3);
    assert_eq!(event_files(&dir.path().join("a/b")).len(), 1);
    a.close().unwrap();
    summary.close().unwrap();
    assert_eq!(steps(&dir.path().join("a/b")), [0, 1, 2, 3]);
}

#[test]
fn flush_and_close_include_runs_of_any_depth() {
    let dir = tempfile::tempdir().unwrap();
    let options = WriterOptions::new().flush_interval(Duration::MAX);
    let summary = options.create_file_writer(dir.path()).unwrap();
    let deepest = summary
        .run("a")
        .unwrap()
        .run("b")
        .unwrap()
        .run("c")
        .unwrap();
    let logdir = dir.path().join("a/b/c");
    deepest.scalar("loss", 0.5, 0);
    summary.flush().unwrap();
    assert_eq!(steps(&logdir), [0]);
    // The run has another handle, so it stays open, but its records are written.
    deepest.scalar("loss", 0.5, 1);
    summary.close().unwrap();
    assert_eq!(steps(&logdir), [0, 1]);
    deepest.scalar("loss", 0.5, 2);
    deepest.close().unwrap();
    assert_eq!(steps(&logdir), [0, 1, 2]);
}

#[test]
fn closed_child_run_can_be_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for step in 0..2 {
        let child = summary.run("child").unwrap();
        child.scalar("loss", 0.5, step);
        child.close().unwrap();
    }
    assert_eq!(event_files(&dir.path().join("child")).len(), 2);
    assert_eq!(steps(&dir.path().join("child")), [0, 1]);
}

#[test]
fn run_name_cannot_leave_the_parent_directory() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path().join("parent")).unwrap();
    for name in ["", ".", "..", "../x", "a/../../x", "/x", "x\0", "s3://x"] {
        let error = summary.run(name).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{name:?}: {error}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn deleted_directory_is_created_again_and_later_records_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("run");
    let options = WriterOptions::new().flush_interval(Duration::ZERO);
    let summary = options.create_file_writer(&logdir).unwrap();
    let first = summary.path().unwrap().to_path_buf();
    summary.scalar("loss", 0.5, 0);
    fs::remove_dir_all(&logdir).unwrap();
    for step in 1..4 {
        summary.scalar("loss", 0.5, step);
    }
    assert_ne!(summary.path().unwrap(), first);
    assert_eq!(event_files(&logdir), [summary.path().unwrap()]);
    summary.close().unwrap();
    assert_eq!(steps(&logdir), [1, 2, 3]);
}

#[test]
fn file_without_data_is_removed_when_the_writer_ends() {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str| SummaryWriter::create_file_writer(dir.path().join(name)).unwrap();
    let root = open("root");
    let child = root.run("child").unwrap();
    child.scalar("loss", 0.5, 0);
    root.close().unwrap();
    child.close().unwrap();
    drop(open("dropped"));
    let points = Embedding::new("points", &[0.5f32, 1.0], 1).unwrap();
    let embedding = open("embedding");
    embedding.embedding(points, 0).unwrap();
    embedding.close().unwrap();
    let resumed = WriterOptions::new().resume(1);
    let resumed = resumed.create_file_writer(dir.path().join("root/child"));
    resumed.unwrap().close().unwrap();

    let runs = find_runs(dir.path()).unwrap();
    let runs: Vec<_> = runs
        .iter()
        .map(|run| (&*run.name, run.files.len()))
        .collect();
    // The projector needs a run. The second file of the resumed run has the records that say where it continues.
    assert_eq!(runs, [("embedding", 1), ("root/child", 2)]);
}

#[cfg(unix)]
#[test]
fn deleted_directory_is_not_created_again_when_the_writer_ends() {
    struct Training {
        dir: tempfile::TempDir,
        summary: SummaryWriter,
    }
    let training = || {
        let dir = tempfile::tempdir().unwrap();
        let options = WriterOptions::new().flush_interval(Duration::from_secs(3600));
        let summary = options.create_file_writer(dir.path().join("run")).unwrap();
        summary.scalar("loss", 0.5, 0);
        Training { dir, summary }
    };

    let dropped = training();
    let path = dropped.dir.path().to_path_buf();
    drop(dropped); // drops the directory first, because it is the first field
    assert!(!path.exists());

    let Training { dir, summary } = training();
    let path = dir.path().to_path_buf();
    drop(dir);
    let error = summary.close().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert!(!path.exists());

    let Training { dir, summary } = training();
    fs::remove_file(summary.path().unwrap()).unwrap();
    summary.close().unwrap();
    let run = dir.path().join("run");
    assert_eq!(steps(&run), [0], "only the file was deleted");
}

#[cfg(unix)]
#[test]
fn records_wait_until_a_deleted_directory_can_be_created_again() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("run");
    let summary = SummaryWriter::create_file_writer(&logdir).unwrap();
    fs::remove_dir_all(&logdir).unwrap();
    fs::write(&logdir, "in the way").unwrap();
    summary.scalar("loss", 0.5, 1);
    let error = summary.flush().unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("\"{}\"", logdir.display())),
        "{error}"
    );
    fs::remove_file(&logdir).unwrap();
    summary.flush().unwrap();
    assert_eq!(steps(&logdir), [1]);
}

#[test]
fn every_sync_policy_writes_the_same_records() {
    for sync in [
        SyncPolicy::Never,
        SyncPolicy::OnClose,
        SyncPolicy::EachFlush,
    ] {
        let dir = tempfile::tempdir().unwrap();
        let summary = WriterOptions::new()
            .sync(sync)
            .create_file_writer(dir.path())
            .unwrap();
        summary.scalar("loss", 0.5, 0);
        summary.flush().unwrap();
        summary.scalar("loss", 0.5, 1);
        summary.close().unwrap();
        assert_eq!(steps(dir.path()), [0, 1], "{sync:?}");
    }
}
