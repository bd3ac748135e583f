//! A program that changes its working directory keeps logging to the same files. The only test of its process, because the
//! working directory belongs to the process.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::env;
use std::fs;

use summary_writer::{EventReader, SummaryWriter};

#[test]
fn relative_logdir_is_resolved_when_the_writer_is_opened() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    env::set_current_dir(before.path()).unwrap();
    let summary = SummaryWriter::create_file_writer("runs/a").unwrap();
    env::set_current_dir(after.path()).unwrap();
    summary.run("validation").unwrap().scalar("loss", 0.5, 0);
    summary.flush().unwrap();
    assert!(summary.path().unwrap().exists());
    summary.close().unwrap();
    assert_eq!(fs::read_dir(after.path()).unwrap().count(), 0);
    let validation = before.path().join("runs/a/validation");
    assert_eq!(EventReader::open(validation).unwrap().count(), 2);
    env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
}
