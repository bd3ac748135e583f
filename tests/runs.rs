//! Many child runs: those without a handle release their file and their threads, and continue in the same file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
#[cfg(target_os = "linux")]
use std::time::Instant;

use summary_writer::proto::event::What;
use summary_writer::{EventReader, HParams, SummaryWriter};

/// More than the 32 idle runs that keep their file.
const MANY: usize = 100;

fn event_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Tag and step of each value in the only event file of a run.
fn points(dir: &Path) -> Vec<(String, i64)> {
    let files = event_files(dir);
    assert_eq!(files.len(), 1, "{files:?}");
    let events = EventReader::open(&files[0]).unwrap().map(Result::unwrap);
    let points = events.filter_map(|event| match event.what {
        Some(What::Summary(summary)) => Some((summary.value[0].tag.clone(), event.step)),
        _ => None,
    });
    points.collect()
}

fn steps(dir: &Path) -> Vec<i64> {
    points(dir).into_iter().map(|(_, step)| step).collect()
}

/// Uses so many other runs that every idle run is suspended.
fn suspend_all(root: &SummaryWriter) {
    for i in 0..MANY {
        root.run(format!("other {i}")).unwrap().scalar("x", 0.5, 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn idle_runs_release_their_files_and_threads() {
    use std::env;
    use std::process::Command;

    use rustix::process::{Resource, Rlimit, setrlimit};

    const IS_CHILD: &str = "SUMMARY_WRITER_TEST_LIMIT";
    const NAME: &str = "idle_runs_release_their_files_and_threads";
    const RUNS: usize = 300;

    if env::var_os(IS_CHILD).is_none() {
        // The limit holds for a process of its own.
        let mut child = Command::new(env::current_exe().unwrap());
        let child = child
            .args(["--exact", NAME, "--nocapture"])
            .env(IS_CHILD, "1");
        assert!(child.status().unwrap().success());
        return;
    }
    let (current, maximum) = (Some(256), Some(256));
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let count = |dir: &str| fs::read_dir(dir).unwrap().count();
    let count = || [count("/proc/self/fd"), count("/proc/self/task")];
    let before = count();
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let name = |i| format!("trial {i}");
    for step in 0..3 {
        for i in 0..RUNS {
            let run = root.run(name(i)).unwrap();
            run.scalar("loss", 0.5, step);
        }
    }
    // Waits until threads that have done their work have exited, too.
    let expect = |held_count: usize, idle_count: usize| {
        let start = Instant::now();
        let is_expected = |(before, after): (usize, usize)| {
            (before + held_count..=before + held_count + idle_count).contains(&after)
        };
        while !before.into_iter().zip(count()).all(is_expected) {
            let counts = count();
            assert!(start.elapsed().as_secs() < 10, "{before:?}, {counts:?}");
            thread::yield_now();
        }
    };
    // The root, 32 idle runs, and the run that was dropped last.
    expect(0, 34);
    let held: Vec<_> = (0..RUNS / 2).map(|i| root.run(name(i)).unwrap()).collect();
    held.iter().for_each(|run| run.scalar("loss", 0.5, 3));
    suspend_all(&root);
    root.flush().unwrap();
    expect(held.len(), 34);
    for i in 0..RUNS {
        let step_count = if i < held.len() { 4 } else { 3 };
        let steps = steps(&dir.path().join(name(i)));
        assert!(steps.iter().copied().eq(0..step_count), "{i}: {steps:?}");
    }
    drop(held);
    root.close().unwrap();
    expect(0, 0);
}

#[test]
fn suspended_run_continues_with_its_session_checks_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let run = root.run("trial").unwrap();
    run.hparams(HParams::new().set("lr", 0.5));
    run.scalar("loss", 0.5, 5);
    let path = run.path();
    drop(run);
    suspend_all(&root);
    let loss = ("loss".to_owned(), 5);
    let start = ("_hparams_/session_start_info".to_owned(), 0);
    let trial = dir.path().join("trial");
    assert_eq!(points(&trial), [start.clone(), loss.clone()]);

    let run = root.run("trial").unwrap();
    assert_eq!(run.path(), path);
    assert_eq!(
        (run.stats().accepted_count, run.stats().flushed_count),
        (2, 2)
    );
    run.scalar("loss", 0.5, 4);
    run.flush().unwrap();
    assert_eq!(run.stats().backward_tag_count, 1);
    assert_eq!(
        (run.stats().accepted_count, run.stats().flushed_count),
        (3, 3)
    );
    assert_eq!(run.stats().other_writer_count, 0);
    drop(run);
    suspend_all(&root);
    root.close().unwrap();
    let end = ("_hparams_/session_end_info".to_owned(), 0);
    let later = ("loss".to_owned(), 4);
    assert_eq!(points(&trial), [start, loss, later, end]);
}

#[test]
fn close_removes_the_empty_file_of_a_suspended_run() {
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    root.run("empty").unwrap();
    suspend_all(&root);
    assert_eq!(event_files(&dir.path().join("empty")).len(), 1);
    root.close().unwrap();
    assert_eq!(event_files(&dir.path().join("empty")).len(), 0);
    assert_eq!(steps(&dir.path().join("other 0")), [0]);
}

#[test]
fn suspended_run_whose_file_was_deleted_continues_in_a_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let [file, directory, closed] = ["file", "directory", "closed"].map(|name| {
        let run = root.run(name).unwrap();
        run.scalar("loss", 0.5, 0);
        run.path().unwrap()
    });
    suspend_all(&root);
    fs::remove_file(&file).unwrap();
    for path in [directory, closed] {
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
    for name in ["file", "directory"] {
        let run = root.run(name).unwrap();
        run.scalar("loss", 0.5, 1);
        run.flush().unwrap();
        assert_eq!(event_files(&dir.path().join(name)), [run.path().unwrap()]);
        assert_eq!(steps(&dir.path().join(name)), [1]);
    }
    root.close().unwrap();
    assert!(!dir.path().join("closed").exists());
}

#[test]
fn threads_that_use_many_runs_lose_no_record() {
    const THREADS: usize = 4;
    const VISITS: usize = 5 * MANY;
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let root = &root;
            scope.spawn(move || {
                for i in 0..VISITS {
                    // Seven and the number of runs have no common divisor, so each run is visited equally often.
                    let run = root.run(format!("run {}", i * 7 % MANY)).unwrap();
                    let tag = format!("thread {thread}");
                    run.scalar(&tag, 0.5, i as i64);
                    #[cfg(feature = "png")]
                    if i % 3 == 0 {
                        let image = summary_writer::Image::gray8(2, 1, [0, 1]).unwrap();
                        run.image("image/".to_owned() + &tag, image, i as i64);
                    }
                }
            });
        }
    });
    root.close().unwrap();
    let mut scalar_count = 0;
    let mut image_count = 0;
    for i in 0..MANY {
        let points = points(&dir.path().join(format!("run {i}")));
        for thread in 0..THREADS {
            let tag = format!("thread {thread}");
            let steps = |tag: &str| {
                let own = points.iter().filter(|point| point.0 == tag);
                own.map(|point| point.1).collect::<Vec<_>>()
            };
            let [scalars, images] = [steps(&tag), steps(&format!("image/{tag}"))];
            assert!(scalars.is_sorted() && images.is_sorted(), "{points:?}");
            scalar_count += scalars.len();
            image_count += images.len();
        }
        assert_eq!(points.len(), {
            let mut unique = points.clone();
            unique.sort();
            unique.dedup();
            unique.len()
        });
    }
    assert_eq!(scalar_count, THREADS * VISITS);
    let images = THREADS * VISITS.div_ceil(3);
    assert_eq!(image_count, if cfg!(feature = "png") { images } else { 0 });
}

#[test]
fn two_names_of_a_directory_are_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let first = root.run("run").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path().join("run"), dir.path().join("RUN")).unwrap();
    let second = root.run("RUN").unwrap();
    first.scalar("loss", 0.5, 0);
    second.scalar("loss", 0.5, 1);
    second.close().unwrap();
    assert_eq!(steps(&dir.path().join("run")), [0, 1]);

    for name in ["RUN", "run", "RUN"] {
        root.run(name).unwrap().scalar("loss", 0.5, 2);
    }
    root.close().unwrap();
    assert_eq!(event_files(&dir.path().join("run")).len(), 2);
}

/// Windows would remove the dot or the space from the name of the directory.
#[test]
fn run_name_may_end_in_a_dot_except_on_windows() {
    let dir = tempfile::tempdir().unwrap();
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for name in ["x.", "x ", "x./y", "y\\x "] {
        assert_eq!(root.run(name).is_ok(), !cfg!(windows), "{name:?}");
    }
    root.run("x.y/.z").unwrap();
}
