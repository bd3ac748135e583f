//! Records are the same however their bytes come in: at once, or in pieces with an end of the file between them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use summary_writer::Salvage;
use summary_writer::record::RecordReader;

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../src/test_io.rs"]
mod test_io;
use test_io::Script;

/// What a reader says, up to the first error behind which nothing is known.
fn records(source: impl std::io::Read, pieces: usize) -> Vec<Result<Vec<u8>, String>> {
    let mut reader = RecordReader::new(source);
    let (mut said, mut ends) = (Vec::new(), 0);
    while ends <= pieces {
        let before = reader.offset();
        match reader.next_record() {
            Ok(Some(payload)) => said.push(Ok(payload.to_vec())),
            Ok(None) => ends += 1,
            Err(error) => {
                said.push(Err(error.to_string()));
                if reader.offset() == before {
                    break;
                }
            }
        }
    }
    said
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

    // A scan ends at the end of a file: an error between the pieces stands for waiting.
    let mut salvage = Salvage::new("", Script::new(pieces).failing_between());
    let mut events = Vec::new();
    let mut failures = 0;
    while let Some(event) = salvage.next() {
        match event {
            Ok(event) => events.push(event),
            Err(_) => failures += 1,
        }
        assert!(failures <= count);
    }
    let whole = Salvage::new("", &bytes[..]).map(Result::unwrap);
    assert!(whole.eq(events));
});
