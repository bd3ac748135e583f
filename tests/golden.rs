//! Reads event files of other writers; `golden/README.md` has the lines that made them, which give the values here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use summary_writer::EventReader;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::{Value, value};
use summary_writer::proto::{DataClass, Event};

fn read(file: &str) -> Vec<Event> {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    EventReader::open(path)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Wall time, step and value of each event that has one.
fn values(events: &[Event]) -> Vec<(f64, i64, &Value)> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            Some(What::Summary(summary)) => Some((event.wall_time, event.step, &summary.value[0])),
            _ => None,
        })
        .collect()
}

#[test]
fn reads_what_tensorboardx_wrote() {
    let events = read("tensorboardX.tfevents");
    assert_eq!(
        events[0].what,
        Some(What::FileVersion("brain.Event:2".into()))
    );
    let values = values(&events);
    assert_eq!(values.len(), 7);
    for (i, want) in [1.0f32, 0.5, 0.25, f32::NAN].into_iter().enumerate() {
        let (wall_time, step, value) = values[i];
        assert_eq!((wall_time, step), (1_700_000_000.5 + i as f64, i as i64));
        assert_eq!(value.tag, "loss");
        let got = value.scalar().unwrap();
        assert!(
            got == want || (got.is_nan() && want.is_nan()),
            "{got}, not {want}"
        );
    }

    let Some(value::Value::Histo(histogram)) = &values[4].2.value else {
        panic!("{:?}", values[4])
    };
    assert_eq!((histogram.min, histogram.max), (1.0, 3.0));
    assert_eq!(
        (histogram.num, histogram.sum, histogram.sum_squares),
        (4.0, 8.0, 18.0)
    );

    let (_, step, text) = values[5];
    assert_eq!((step, text.tag.as_str()), (2, "notes/text_summary"));
    let Some(value::Value::Tensor(tensor)) = &text.value else {
        panic!("{text:?}")
    };
    assert_eq!(tensor.string_val, [b"**bold**"]);

    let Some(value::Value::Image(image)) = &values[6].2.value else {
        panic!("{:?}", values[6])
    };
    assert_eq!((image.width, image.height), (3, 2));
    assert!(image.encoded_image_string.starts_with(b"\x89PNG"));
}

#[test]
fn reads_what_tensorboard_wrote() {
    let events = read("tensorboard.tfevents");
    assert_eq!(
        events[0].what,
        Some(What::FileVersion("brain.Event:2".into()))
    );
    let values = values(&events);
    assert_eq!(values.len(), 3);
    for (i, want) in [1.0f32, 0.5, 0.25].into_iter().enumerate() {
        let (wall_time, step, value) = values[i];
        assert_eq!((wall_time, step), (1_700_000_000.5 + i as f64, -(i as i64)));
        assert_eq!(value.tag, "größe/a b");
        let metadata = value.metadata.as_ref().unwrap();
        assert_eq!(
            metadata.plugin_data.as_ref().unwrap().plugin_name,
            "scalars"
        );
        assert_eq!(metadata.summary_description, "x");
        assert_eq!(metadata.data_class(), DataClass::Scalar);
        assert_eq!(value.scalar(), Some(want));
    }
}
