//! Any payload is seen in place as it is decoded: the same is an event, with the same time, step and values.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use summary_writer::EventReader;
use summary_writer::proto::event::What;
use summary_writer::record::append_frame;

fuzz_target!(|payload: &[u8]| {
    let file = std::env::temp_dir().join(format!("value_view.{}.tfevents", std::process::id()));
    let mut frame = Vec::new();
    append_frame(payload, &mut frame);
    fs::write(&file, frame).unwrap();

    let decoded = EventReader::open(&file).unwrap().next().unwrap();
    let mut reader = EventReader::open(&file).unwrap();
    match (reader.next_event(), decoded) {
        (Ok(Some(seen)), Ok(event)) => {
            assert_eq!(seen.wall_time().to_bits(), event.wall_time.to_bits());
            assert_eq!(seen.step(), event.step);
            let values = match event.what {
                Some(What::Summary(summary)) => summary.value,
                _ => Vec::new(),
            };
            assert_eq!(seen.values().count(), values.len());
            for (seen, value) in seen.values().zip(&values) {
                assert_eq!(seen.tag(), value.tag);
                let bits = |scalar: Option<f32>| scalar.map(f32::to_bits);
                assert_eq!(bits(seen.scalar()), bits(value.scalar()));
            }
        }
        (Err(seen), Err(decoded)) => assert_eq!(seen.to_string(), decoded.to_string()),
        (seen, decoded) => panic!("{seen:?} in place, {decoded:?} decoded"),
    }
});
