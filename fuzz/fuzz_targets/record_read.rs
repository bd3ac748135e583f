//! Any bytes are records, an error or the end, and the memory for them follows the bytes, not what they announce: run with
//! `-malloc_limit_mb`. A scan to the end accounts for every byte, and finds at least what the reader does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use summary_writer::record::RecordReader;
use summary_writer::{Error, Salvage};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = RecordReader::new(bytes);
    let mut records = 0;
    loop {
        let before = reader.offset();
        match reader.next_record().map(|record| record.is_some()) {
            Ok(true) => records += 1,
            Ok(false) => break,
            // Behind it the next record is known.
            Err(Error::Corrupt { .. }) if reader.offset() > before => {}
            Err(_) => break,
        }
    }
    assert!(reader.offset() <= bytes.len() as u64);

    let report = Salvage::new("", bytes).into_report().unwrap();
    assert_eq!(report.bytes, bytes.len() as u64);
    let not_events = report.damage_count;
    assert!(report.records + not_events >= records, "{report:?}");
});
