//! Which process of several writes, and where.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use log::{LevelFilter, Log, Metadata, Record};
use summary_writer::reader::find_runs;
use summary_writer::{Rank, RankPolicy, WriterOptions};

/// The runs that exist after each rank of `size` has logged a scalar.
fn runs(size: u32, policy: RankPolicy) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for index in 0..size {
        let options = WriterOptions::new().rank(Rank::new(index, size).unwrap(), policy);
        log(options, dir.path());
    }
    let runs = find_runs(dir.path()).unwrap();
    assert!(runs.iter().all(|run| run.files.len() == 1));
    runs.into_iter().map(|run| run.name).collect()
}

fn log(options: WriterOptions, logdir: &Path) {
    let summary = options.create_file_writer(logdir).unwrap();
    summary.scalar("loss", 0.5, 0);
    summary.run("child").unwrap().scalar("loss", 0.5, 0);
    summary.close().unwrap();
}

#[test]
fn policy_decides_which_rank_writes_where() {
    for (policy, want) in [
        (RankPolicy::Main, &[".", "child"][..]),
        (RankPolicy::Only(2), &[".", "child"]),
        (
            RankPolicy::Each,
            &[
                "rank-00000",
                "rank-00000/child",
                "rank-00001",
                "rank-00001/child",
                "rank-00002",
                "rank-00002/child",
            ],
        ),
    ] {
        assert_eq!(runs(3, policy), want, "{policy:?}");
    }
}

#[test]
fn only_the_chosen_rank_writes_to_a_stream() {
    for (index, is_recording) in [(0, false), (1, true), (2, false)] {
        let rank = Rank::new(index, 3).unwrap();
        let options = WriterOptions::new().rank(rank, RankPolicy::Only(1));
        let summary = options.to_sink(Vec::new()).unwrap();
        assert_eq!(summary.is_recording(0), is_recording, "{index}");
    }
}

#[test]
fn program_without_a_rank_writes_to_its_directory() {
    for policy in [RankPolicy::Main, RankPolicy::Only(7), RankPolicy::Each] {
        let dir = tempfile::tempdir().unwrap();
        log(WriterOptions::new().rank(None, policy), dir.path());
        assert_eq!(find_runs(dir.path()).unwrap().len(), 2, "{policy:?}");
    }
}

#[test]
fn chosen_rank_must_exist() {
    let options = WriterOptions::new().rank(Rank::new(0, 4).unwrap(), RankPolicy::Only(4));
    let dir = tempfile::tempdir().unwrap();
    let error = options.create_file_writer(dir.path()).unwrap_err();
    let want =
        "rank: `RankPolicy::Only` must have a rank below the size 4, got 4: no process would write";
    assert_eq!(error.to_string(), want);
    assert!(find_runs(dir.path()).unwrap().is_empty());
}

struct Printer;

impl Log for Printer {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{}: {}\n", record.level(), record.args());
        io::stdout().write_all(line.as_bytes()).unwrap();
    }

    fn flush(&self) {}
}

#[test]
fn used_variable_is_logged_once() {
    const IS_CHILD: &str = "SUMMARY_WRITER_TEST_RANK";
    const NAME: &str = "used_variable_is_logged_once";

    if env::var_os(IS_CHILD).is_some() {
        log::set_logger(&Printer).unwrap();
        log::set_max_level(LevelFilter::Info);
        for _ in 0..3 {
            let rank = Rank::from_env().unwrap();
            assert_eq!((rank.index(), rank.size()), (3, Some(8)));
        }
        return;
    }
    // All threads of a process share the variables, so the test needs a process of its own.
    let mut child = Command::new(env::current_exe().unwrap());
    let child = child.args(["--exact", NAME, "--nocapture"]);
    let child = child.envs([(IS_CHILD, "1"), ("RANK", "3"), ("WORLD_SIZE", "8")]);
    let output = child.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let message = "INFO: this process is rank 3 of 8: RANK\n";
    assert_eq!(text.matches(message).count(), 1, "{text}");
}

#[cfg(feature = "object-store")]
#[test]
fn ranks_write_to_an_object_store() {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use futures_util::TryStreamExt;
    use summary_writer::object_store::memory::InMemory;
    use summary_writer::object_store::{ObjectMeta, ObjectStore};
    use summary_writer::unique_logdir_for;

    let store = Arc::new(InMemory::new());
    for index in 0..2 {
        let rank = Rank::new(index, 2).unwrap();
        for (policy, path) in [(RankPolicy::Each, "logs"), (RankPolicy::Main, "logs/main")] {
            let options = WriterOptions::new().rank(rank, policy);
            let summary = options.object_store(Arc::clone(&store) as _, path).unwrap();
            summary.scalar("loss", 0.5, 0);
            summary.close().unwrap();
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let objects = runtime
        .unwrap()
        .block_on(store.list(None).try_collect::<Vec<ObjectMeta>>());
    let runs: BTreeSet<_> = objects
        .unwrap()
        .iter()
        .map(|object| {
            object
                .location
                .as_ref()
                .rsplit_once('/')
                .unwrap()
                .0
                .to_owned()
        })
        .collect();
    let want = ["logs/main", "logs/rank-00000", "logs/rank-00001"].map(String::from);
    assert_eq!(runs, BTreeSet::from(want));

    let dir = unique_logdir_for("s3://bucket/logs", "job-7").unwrap();
    assert_eq!(dir, Path::new("s3://bucket/logs/job-7"));
}
