//! A program that changes its working directory logs on where it began. Alone in its process, which has one.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::env;
use std::fs;

use summary_writer::{EventReader, SummaryWriter};

#[test]
fn a_relative_logdir_is_where_it_was_when_it_was_given() {
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
