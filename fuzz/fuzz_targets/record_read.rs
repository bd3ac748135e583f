//! Any bytes are records, an error or the end. Memory follows the bytes, not the lengths that they announce: run with
//! `-malloc_limit_mb`. A reader that skips damage accounts for every byte, and finds at least as many records.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use summary_writer::record::RecordReader;
use summary_writer::{Error, EventReader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = RecordReader::new(bytes);
    let mut records = 0;
    loop {
        let before = reader.offset();
        match reader.next_record().map(|record| record.is_some()) {
            Ok(true) => records += 1,
            Ok(false) => break,
            // The start of the next record is known.
            Err(Error::Corrupt { .. }) if reader.offset() > before => {}
            Err(_) => break,
        }
    }
    assert!(reader.offset() <= bytes.len() as u64);

    let mut events = EventReader::from_source("", Cursor::new(bytes.to_vec())).skip_damage(true);
    assert!(events.by_ref().all(|event| event.is_ok()));
    let report = events.report().files.remove(0);
    assert_eq!(report.bytes, bytes.len() as u64);
    let not_events = report.damage_count;
    assert!(report.records + not_events >= records, "{report:?}");
});
