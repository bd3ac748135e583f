//! What is logged is what is read: tags, steps and numbers, whatever they are.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use summary_writer::proto::event::What;
use summary_writer::{EventReader, SummaryWriter};

fuzz_target!(|scalars: Vec<(String, i64, f32)>| {
    let dir = std::env::temp_dir().join(format!("roundtrip.{}", std::process::id()));
    let summary = SummaryWriter::create_file_writer(&dir).unwrap();
    for (tag, step, number) in &scalars {
        summary.scalar(tag, *number, *step);
    }
    summary.close().unwrap();

    let mut read = Vec::new();
    for event in EventReader::open(&dir).unwrap() {
        let event = event.unwrap();
        if let Some(What::Summary(summary)) = event.what {
            for value in summary.value {
                let bits = value.scalar().map(f32::to_bits);
                read.push((value.tag, event.step, bits));
            }
        }
    }
    fs::remove_dir_all(&dir).unwrap();
    let logged = scalars.into_iter();
    let logged = logged.map(|(tag, step, number)| (tag, step, Some(number.to_bits())));
    assert!(logged.eq(read));
});
