//! Records are the same whether their bytes arrive at once, or in pieces with an end of the file between them.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use summary_writer::EventReader;
use summary_writer::record::RecordReader;

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../src/test_io.rs"]
mod test_io;
use test_io::Script;

/// The results of a reader, up to the first error after which the next record is unknown.
fn records(source: impl std::io::Read, pieces: usize) -> Vec<Result<Vec<u8>, String>> {
    let mut reader = RecordReader::new(source);
    let (mut results, mut ends) = (Vec::new(), 0);
    while ends <= pieces {
        let before = reader.offset();
        match reader.next_record() {
            Ok(Some(payload)) => results.push(Ok(payload.to_vec())),
            Ok(None) => ends += 1,
            Err(error) => {
                results.push(Err(error.to_string()));
                if reader.offset() == before {
                    break;
                }
            }
        }
    }
    results
}

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (bytes, cuts) = input;
    let mut pieces = Vec::new();
    let mut rest = &bytes[..];
    for cut in cuts {
        let (piece, behind) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    let count = pieces.len();
    assert_eq!(
        records(Script::new(pieces.iter().copied()), count),
        records(&bytes[..], 0)
    );

    // An error between the pieces must not change what a reader that skips damage returns.
    let script = Script::new(pieces).failing_between();
    let mut reader = EventReader::from_source("", script).skip_damage(true);
    let mut events = Vec::new();
    // The reader tries again after the `None` that follows an error.
    for _ in 0..=count {
        events.extend(reader.by_ref().filter_map(Result::ok));
    }
    let whole = EventReader::from_source("", Cursor::new(bytes)).skip_damage(true);
    assert!(whole.map(Result::unwrap).eq(events));
});
