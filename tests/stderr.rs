//! A program without a logger reports its problems on stderr, once for each cause. Each case runs in its own process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

use log::{LevelFilter, Log, Metadata, Record};
use summary_writer::{EventReader, WhenFull, WriterOptions};

/// Names the case that a child runs, and its logdir.
const CASE: &str = "STDERR_TEST_CASE";
const LOGDIR: &str = "STDERR_TEST_LOGDIR";

struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A logger that drops all messages.
struct Silent;

impl Log for Silent {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &Record<'_>) {}

    fn flush(&self) {}
}

/// Three epochs, with the batch as the step.
fn log_steps_that_go_back(options: WriterOptions, logdir: &Path) {
    let summary = options.create_file_writer(logdir).unwrap();
    for _epoch in 0..3 {
        for batch in 0..10 {
            summary.scalar("loss", 0.5, batch);
        }
    }
    summary.close().unwrap();
}

/// Two writers of a run and of a child run, one after the other.
fn log_to_two_files(options: WriterOptions, logdir: &Path, steps: Range<i64>) {
    for step in steps {
        let summary = options.clone().create_file_writer(logdir).unwrap();
        summary.scalar("loss", 0.5, step);
        summary.run("child").unwrap().scalar("loss", 0.5, step);
        summary.close().unwrap();
    }
}

/// The program of each case. Without a case, it is an empty test.
#[test]
fn child() {
    let Ok(case) = env::var(CASE) else {
        return;
    };
    let logdir = env::var_os(LOGDIR).unwrap();
    let logdir = Path::new(&logdir);
    let options = WriterOptions::new();
    match &*case {
        "steps" => log_steps_that_go_back(options, logdir),
        "no stderr" => log_steps_that_go_back(options.stderr(false), logdir),
        "logger" => {
            log::set_logger(&Silent).unwrap();
            log::set_max_level(LevelFilter::Warn);
            log_steps_that_go_back(options, logdir);
        }
        "closed" => {
            let summary = options.create_file_writer(logdir).unwrap();
            summary.clone().close().unwrap();
            (0..10).for_each(|step| summary.scalar("loss", 0.5, step));
        }
        "start" => log_to_two_files(options, logdir, 0..2),
        "resumed start" => log_to_two_files(options.resume(2), logdir, 2..4),
        "no default writer" => {
            (0..10).for_each(|step| summary_writer::current::scalar("loss", 0.5, step));
        }
        "full disk" => {
            let options = options.max_pending_bytes(1000);
            let summary = options.when_full(WhenFull::DropNew).to_sink(FullDisk);
            let summary = summary.unwrap();
            (0..10).for_each(|step| summary.scalar("loss", 0.5, step));
            summary.flush().unwrap_err();
            summary.flush().unwrap_err();
            (10..100).for_each(|step| summary.scalar("loss", 0.5, step));
        }
        _ => panic!("{case:?} is no case"),
    }
}

/// A command that runs a case.
fn program(case: &str, logdir: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture"]);
    command.env(CASE, case).env(LOGDIR, logdir);
    command.env_remove("SUMMARY_WRITER_LOG");
    command.stdout(Stdio::null());
    command
}

#[test]
fn problems_are_reported_once() {
    let dir = tempfile::tempdir().unwrap();
    let steps = format!(
        "\"{}\": tag \"loss\": step 0 comes after 9, so TensorBoard may drop the points from step 0 on",
        dir.path().join("steps").display()
    );
    let closed = format!(
        "\"{}\": the summary writer is closed: later calls are ignored",
        dir.path().join("closed").display()
    );
    let missing = "nothing is logged, because this thread has no default writer; call SummaryWriter::as_default \
                   on this thread and keep the guard";
    let full = [
        "could not write: no storage space; the data is kept and will be tried again",
        "new records are rejected until earlier ones are written, because more than max_pending_bytes, 1000, would wait",
        "could not write: no storage space; the summary writer is closed, records lost: ",
    ];
    for (case, variable, want) in [
        ("steps", "", &[&*steps][..]),
        ("steps", "off", &[]),
        ("closed", "", &[&closed]),
        ("closed", "OFF", &[]),
        ("no default writer", "", &[missing]),
        ("no default writer", "off", &[]),
        ("full disk", "", &full),
        ("no stderr", "", &[]),
        ("logger", "", &[]),
    ] {
        let mut program = program(case, &dir.path().join(case));
        if !variable.is_empty() {
            program.env("SUMMARY_WRITER_LOG", variable);
        }
        let output = program.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{case}: {stderr}");
        let lines: Vec<&str> = stderr.lines().collect();
        assert_eq!(lines.len(), want.len(), "{case} {variable}: {stderr}");
        for (line, want) in lines.iter().zip(want) {
            let report = line.strip_prefix("summary-writer: ").unwrap_or(line);
            assert!(
                report != *line && report.starts_with(want),
                "{case}: {line}"
            );
        }
    }
}

#[test]
fn second_start_in_a_directory_is_reported_unless_the_run_is_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let stderr_of = |case| {
        let output = program(case, dir.path()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(stderr_of("start"), "");
    let resumed = stderr_of("resumed start");
    // On other systems, a file that was written in the last seconds may have a writer.
    if cfg!(target_os = "linux") {
        assert_eq!(resumed, "");
    }
    let report = stderr_of("start");
    assert_eq!(report.lines().count(), 1, "{report}");
    let named = [
        "event files of an earlier start",
        "WriterOptions::resume",
        "unique_logdir",
    ];
    assert!(named.iter().all(|name| report.contains(name)), "{report}");
}

#[cfg(target_os = "linux")]
#[test]
fn program_whose_stderr_fails_continues() {
    let dir = tempfile::tempdir().unwrap();
    let full = File::create("/dev/full").unwrap();
    let status = program("steps", dir.path()).stderr(full).status();
    assert!(status.unwrap().success());
    let reader = EventReader::open(dir.path()).unwrap();
    assert_eq!(reader.count(), 31, "the version and three epochs");
}
