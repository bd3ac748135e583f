//! Any event can be decoded into values, without a panic. What `scalar` returns is what the decoder returns.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use summary_writer::EventReader;
use summary_writer::proto::event::What;
use summary_writer::reader::{Number, Value, ValueDecoder};
use summary_writer::record::append_frame;

fuzz_target!(|payload: &[u8]| {
    let mut file = Vec::new();
    append_frame(payload, &mut file);
    let mut reader = EventReader::from_source("", Cursor::new(file));
    let Some(Ok(event)) = reader.next() else {
        return;
    };
    let scalars: Vec<_> = match &event.what {
        Some(What::Summary(summary)) => summary.value.iter().map(|value| value.scalar()).collect(),
        _ => Vec::new(),
    };
    let values = ValueDecoder::new().decode(event);
    for ((_, value), scalar) in values.into_iter().zip(scalars) {
        if let Some(scalar) = scalar {
            let Value::Scalar(Number::F32(number)) = value else {
                panic!("{value:?}, not {scalar}");
            };
            assert_eq!(number.to_bits(), scalar.to_bits());
        }
    }
});
