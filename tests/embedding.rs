//! Embeddings through the handle: where their files go, and when there is no place for them.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io;

use summary_writer::{Embedding, SummaryWriter, WriterOptions};

fn points() -> Embedding {
    Embedding::new("points", &[0.5f32, 1.0, 1.5, 2.0], 2).unwrap()
}

#[test]
fn files_are_in_the_directory_of_the_run_before_the_call_returns() {
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
fn a_writer_without_a_place_for_them_says_so() {
    let stream = WriterOptions::new().to_sink(io::sink()).unwrap();
    let error = stream.embedding(points(), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "embedding: the writer of a stream has no directory for it"
    );

    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let other = summary.clone();
    summary.close().unwrap();
    let error = other.embedding(points(), 0).unwrap_err();
    assert_eq!(error.to_string(), "the summary writer is closed");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "the event file alone"
    );
}
