//! Tests with files that grow, appear and are damaged.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;
use crate::record::append_frame;
use crate::test_io::Script;

/// The frame of an event whose step is its only field.
fn frame(step: u8) -> Vec<u8> {
    let mut frame = Vec::new();
    append_frame(&[0x10, step], &mut frame); // field 2, a varint
    frame
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}

/// No steps. The type of `[]` would be ambiguous.
const NOTHING: [i64; 0] = [];

/// Returns the steps up to the next `None`, with -1 for each error.
fn read(reader: &mut EventReader) -> Vec<i64> {
    reader
        .map(|event| event.map_or(-1, |event| event.step))
        .collect()
}

#[test]
fn reads_the_files_of_a_run_in_the_order_of_their_names() {
    let dir = tempfile::tempdir().unwrap();
    append(&dir.path().join("b.tfevents"), &frame(3));
    append(&dir.path().join("a.tfevents.10"), &frame(1));
    append(&dir.path().join("a.tfevents.9"), &frame(2));
    append(&dir.path().join("notes.txt"), b"no event file");
    fs::create_dir(dir.path().join("sub.tfevents")).unwrap();
    let mut reader = EventReader::open(dir.path()).unwrap();
    assert_eq!(read(&mut reader), [1, 2, 3]);
    assert_eq!(read(&mut reader), NOTHING);
}

#[test]
fn continues_when_files_grow_and_new_ones_appear() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name| dir.path().join(name);
    let mut reader = EventReader::open(dir.path()).unwrap();
    assert_eq!(read(&mut reader), NOTHING);
    append(&path("b.tfevents"), &frame(1));
    assert_eq!(read(&mut reader), [1]);
    let next = frame(2);
    append(&path("b.tfevents"), &next[..7]);
    assert_eq!(read(&mut reader), NOTHING);
    append(&path("b.tfevents"), &next[7..]);
    append(&path("a.tfevents"), &frame(3));
    append(&path("c.tfevents"), &frame(4));
    assert_eq!(reader.next().unwrap().unwrap().step, 3);
    assert_eq!(reader.path(), Some(path("a.tfevents").as_path()));
    assert_eq!(read(&mut reader), [2, 4]);
}

#[test]
fn error_is_returned_once_and_costs_a_record_or_the_rest_of_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tfevents");
    let mut bytes = frame(1);
    append_frame(b"\x10", &mut bytes); // a key without a value
    bytes.extend(frame(2));
    let mut flipped = frame(3);
    flipped[13] ^= 1;
    bytes.extend(flipped);
    bytes.extend(frame(4));
    let mut lost = frame(5);
    lost[0] ^= 1;
    bytes.extend(lost);
    bytes.extend(frame(6));
    append(&path, &bytes);
    append(&dir.path().join("b.tfevents"), &frame(7));
    let mut reader = EventReader::open(dir.path()).unwrap();
    assert_eq!(read(&mut reader), [1, -1, 2, -1, 4, -1, 7]);
    assert_eq!(read(&mut reader), NOTHING);
    assert_eq!(
        read(&mut EventReader::open(&path).unwrap()),
        [1, -1, 2, -1, 4, -1]
    );
}

#[test]
fn opening_a_missing_file_names_it() {
    let error = EventReader::open("no/such/file").unwrap_err();
    assert_eq!(error.to_string(), r#"could not open "no/such/file""#);
}

#[test]
fn payload_that_is_not_an_event_is_an_error_with_its_offset() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tfevents");
    let mut bytes = frame(1);
    append_frame(b"\x10", &mut bytes); // a key without a value
    append(&path, &bytes);
    let error = EventReader::open(&path)
        .unwrap()
        .nth(1)
        .unwrap()
        .unwrap_err();
    assert_eq!(error.to_string(), "record at byte 18 is not an event");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("invalid varint"), "{source}");
}

#[test]
fn skipped_damage_is_in_the_report_of_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut lost = frame(2);
    lost[0] ^= 1;
    let mut no_event = Vec::new();
    append_frame(b"\x10", &mut no_event);
    append(
        &dir.path().join("a.tfevents"),
        &[frame(1), lost, frame(3), no_event].concat(),
    );
    append(&dir.path().join("b.tfevents"), &frame(4));
    let mut reader = EventReader::open(dir.path()).unwrap().skip_damage(true);
    assert_eq!(read(&mut reader), [1, 3, 4]);
    let report = reader.report();
    let damages: Vec<_> = report.files[0]
        .damages
        .iter()
        .map(|damage| {
            (
                damage.offset,
                damage.bytes,
                damage.kind,
                damage.records_after,
            )
        })
        .collect();
    assert_eq!(
        damages,
        [
            (18, 18, DamageKind::Length, 1),
            (54, 17, DamageKind::NotAnEvent, 0)
        ]
    );
    assert!(report.files[1].is_sound());
}

#[test]
fn skipping_damage_continues_when_files_grow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tfevents");
    let mut reader = EventReader::open(dir.path()).unwrap().skip_damage(true);
    let mut bytes = [1, 2, 3].map(frame).concat();
    bytes[18] ^= 1;
    // The file ends within the damage, within the record after it, and between records.
    let mut steps = Vec::new();
    for piece in [&bytes[..30], &bytes[30..40], &bytes[40..], &frame(4)] {
        append(&path, piece);
        steps.extend(read(&mut reader));
    }
    assert_eq!(steps, [1, 3, 4]);
    let report = &reader.report().files[0];
    assert_eq!((report.bytes, report.records), (72, 3));
    assert_eq!((report.damage_count, report.damaged_bytes), (1, 18));
}

#[test]
fn source_is_read_again_after_an_error() {
    let bytes = [frame(1), frame(2)].concat();
    for skip_damage in [false, true] {
        let script = Script::new([&bytes[..25], &bytes[25..]]).failing_between();
        let mut reader = EventReader::from_source("the/file", script).skip_damage(skip_damage);
        assert_eq!(reader.next().unwrap().unwrap().step, 1);
        let error = reader.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), r#"could not read a record "the/file""#);
        assert!(reader.next().is_none());
        assert_eq!(reader.next().unwrap().unwrap().step, 2);
    }
}
