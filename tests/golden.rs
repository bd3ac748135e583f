//! Reads event files of other writers. `golden/README.md` says what wrote them, which gives the expected values here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use summary_writer::EventReader;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::{Value, value};
use summary_writer::proto::{DataClass, Event};
use summary_writer::reader::{self, ValueDecoder};

fn read(file: &str) -> Vec<Event> {
    let path = format!("{}/tests/data/golden/{file}", env!("CARGO_MANIFEST_DIR"));
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

/// Returns the tags of a file at one step, each with a short form of its value.
fn described(file: &str, step: i64) -> Vec<(String, String)> {
    let mut decoder = ValueDecoder::new();
    let mut all = Vec::new();
    for event in read(file) {
        let is_wanted = event.step == step;
        let values = decoder.decode(event).into_iter();
        all.extend(
            values
                .filter(|_| is_wanted)
                .map(|(tag, value)| (tag, describe(&value))),
        );
    }
    all
}

fn describe(value: &reader::Value) -> String {
    let lens = |files: &[Vec<u8>]| files.iter().map(Vec::len).collect::<Vec<_>>();
    match value {
        reader::Value::Scalar(number) => format!("{number:?}"),
        reader::Value::Histogram(buckets) => {
            let (first, last) = (buckets.first().unwrap(), buckets.last().unwrap());
            let count: f64 = buckets.iter().map(|bucket| bucket.count).sum();
            let (rows, left, right) = (buckets.len(), first.left, last.right);
            format!("{rows} buckets from {left} to {right}: {count}")
        }
        reader::Value::Images(images) => {
            assert!(images.files.iter().all(|file| file.starts_with(b"\x89PNG")));
            let (width, height) = (images.width, images.height);
            format!("{width} x {height}: {:?} bytes", lens(&images.files))
        }
        reader::Value::Audio(clips) => {
            let files: Vec<_> = clips.iter().map(|clip| clip.file.clone()).collect();
            assert!(files.iter().all(|file| file.starts_with(b"RIFF")));
            format!("WAV: {:?} bytes", lens(&files))
        }
        reader::Value::Text(text) => format!("{:?} {:?}", text.shape, text.texts),
        reader::Value::PrCurve(curve) => {
            let middle = curve.recall.len() / 2;
            let rows = [
                &curve.true_positives,
                &curve.false_positives,
                &curve.true_negatives,
                &curve.false_negatives,
                &curve.precision,
                &curve.recall,
            ];
            format!("{}: {:?}", curve.recall.len(), rows.map(|row| row[middle]))
        }
        reader::Value::Mesh(part) => {
            let (name, content, rows) = (&part.name, part.content, &part.rows);
            format!("{content:?} of {name} x {}: {rows:?}", part.mesh_count)
        }
        reader::Value::HParams(data) => format!("{data:?}"),
        reader::Value::CustomScalars(layout) => format!("{:?}", layout.category[0].chart),
        reader::Value::Graph(graph) => format!("graph: {} bytes", graph.len()),
        reader::Value::RunMetadata(metadata) => format!("run metadata: {} bytes", metadata.len()),
        reader::Value::Tensor {
            plugin_name,
            tensor,
        } => format!("{plugin_name}: {:?}", tensor.dtype()),
        other => format!("{other:?}"),
    }
}

fn check(file: &str, step: i64, want: &[(&str, &str)]) {
    let got = described(file, step);
    let got: Vec<_> = got
        .iter()
        .map(|(tag, value)| (tag.as_str(), value.as_str()))
        .collect();
    assert_eq!(got, want, "{file} at step {step}");
}

#[test]
fn decodes_all_kinds_of_flax() {
    let got = described("flax.tfevents", 0);
    let (session, rest) = (&got[5], [&got[..5], &got[6..]].concat());
    let want = [
        ("loss", "F32(0.0)"),
        (
            "h",
            "10 buckets from 0.014292572238039591 to 0.9476476509872942: 50",
        ),
        ("im", "4 x 4: [120] bytes"),
        ("t", r#"[] ["te*x*t é0"]"#),
        ("a", "WAV: [244] bytes"),
        // It has no metadata.
        ("ten", ": DtDouble"),
    ];
    assert_eq!(
        rest,
        want.map(|(tag, value)| (tag.to_owned(), value.to_owned()))
    );
    assert_eq!(session.0, "_hparams_/session_start_info");
    assert!(session.1.contains("NumberValue(0.1)"), "{}", session.1);
    assert!(session.1.contains("StringValue(\"adam\")"), "{}", session.1);
}

#[test]
fn decodes_all_kinds_of_tensorboardx() {
    let file = "tensorboardX-kinds.tfevents";
    check(
        file,
        0,
        &[
            ("odd/values", "F32(NaN)"),
            ("odd/described", "F32(0.5)"),
            ("odd/steps", "F32(1.0)"),
            ("h/plain", "316 buckets from 0 to 10: 6"),
            ("h/bins", "5 buckets from 0 to 10: 6"),
            ("h/constant", "1 buckets from 5 to 5: 4"),
            ("t/plain/text_summary", r#"[1] ["hello *0* é漢"]"#),
            ("i/rgb", "3 x 2: [80] bytes"),
            (
                "p/cat",
                "127: [2.0, 1.0, 1.0, 0.0, 0.6666666865348816, 1.0]",
            ),
            (
                "m/cloud_1",
                "Vertex of m/cloud x 1: [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]",
            ),
            ("m/cloud_2", "Face of m/cloud x 1: [[0.0, 1.0, 2.0]]"),
            (
                "m/cloud_3",
                "Color of m/cloud x 1: [[255.0, 0.0, 0.0], [255.0, 0.0, 0.0], [255.0, 0.0, 0.0]]",
            ),
            ("custom_scalars__config__", LAYOUT),
        ],
    );
    // The smallest subnormal `f32`, and a step that an `f64` cannot store.
    check(file, 5, &[("odd/values", "F32(1e-45)")]);
    check(file, 9_007_199_254_740_993, &[("odd/steps", "F32(1.0)")]);
}

/// One category with one chart `m` of the tags `many/.*`.
const LAYOUT: &str = r#"[Chart { title: "m", content: Some(Multiline(MultilineChartContent { tag: ["many/.*"] })) }]"#;

#[test]
fn decodes_all_kinds_of_tensorflow_1() {
    check(
        "tensorflow1.tfevents",
        0,
        &[
            ("", "graph: 9994 bytes"),
            ("loss_1", "F32(-0.7058723)"),
            (
                "w",
                "11 buckets from -0.9867738485336304 to 1.0403811931610107: 6",
            ),
            ("im/image/0", "4 x 4: [69] bytes"),
            ("im/image/1", "4 x 4: [69] bytes"),
            ("au/audio/0", "WAV: [244] bytes"),
            ("tx", r#"[] ["hé"]"#),
            ("pr/pr_curves", "3: [1.0, 0.0, 1.0, 0.0, 1.0, 1.0]"),
            ("step0", "run metadata: 2616 bytes"),
        ],
    );
    // The metadata of a tag is on its first value only.
    let later = described("tensorflow1.tfevents", 1);
    assert_eq!(later[5], ("tx".to_owned(), r#"[] ["hé"]"#.to_owned()));
}

#[test]
fn decodes_all_kinds_of_tensorflow_2() {
    check(
        "tensorflow2.tfevents",
        0,
        &[
            ("odd/values", "F32(NaN)"),
            ("odd/described", "F32(0.5)"),
            ("f64", "F32(0.1)"),
            ("odd/steps", "F32(1.0)"),
            ("h/plain", "30 buckets from 0 to 10: 6"),
            ("h/described", "30 buckets from 1 to 3: 3"),
            ("h/empty", "30 buckets from 0 to 0: 0"),
            ("h/constant", "30 buckets from 5 to 5: 4"),
            ("t/plain", r#"[] ["hello *0* é漢"]"#),
            ("t/matrix", r#"[2, 2] ["a", "b", "c", "d"]"#),
            ("i/rgb", "3 x 2: [80] bytes"),
            ("i/two", "2 x 2: [79, 79] bytes"),
            ("a/mono", "WAV: [204] bytes"),
            (
                "m/cloud_VERTEX",
                "Vertex of m/cloud x 1: [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]",
            ),
            ("m/cloud_FACE", "Face of m/cloud x 1: [[0.0, 1.0, 2.0]]"),
            (
                "m/cloud_COLOR",
                "Color of m/cloud x 1: [[255.0, 0.0, 0.0], [255.0, 0.0, 0.0], [255.0, 0.0, 0.0]]",
            ),
            ("x/f64", "my_plugin: DtDouble"),
            ("x/f64scalar", "F64(0.1)"),
            ("x/i32scalar", "I64(7)"),
            // Its shape is [1, 1].
            ("x/f32content", "F32(0.75)"),
            ("my_trace", "graph_run_metadata_graph: DtString"),
            ("", "graph: 2106 bytes"),
        ],
    );
}

#[test]
fn decodes_all_kinds_of_torch() {
    check(
        "torch.tfevents",
        0,
        &[
            ("odd/values", "F32(NaN)"),
            ("new", "F32(0.0)"),
            ("dp", "F32(0.33333334)"),
            ("dpnew", "F64(0.3333333333333333)"),
            ("odd/steps", "F32(1.0)"),
            ("h/plain", "316 buckets from 0 to 10: 6"),
            ("h/constant", "1 buckets from 5 to 5: 4"),
            ("t/plain/text_summary", r#"[1] ["hello *0* é漢"]"#),
            ("i/rgb", "3 x 2: [68] bytes"),
            (
                "p/cat",
                "127: [2.0, 1.0, 1.0, 0.0, 0.6666666865348816, 1.0]",
            ),
            (
                "m/cloud_VERTEX",
                "Vertex of m/cloud x 1: [[0.38833796977996826, 0.749008059501648, 0.9695976972579956], \
                [0.2892424464225769, 0.07467496395111084, 0.3778306245803833], \
                [0.42884737253189087, 0.9335001707077026, 0.6281269788742065]]",
            ),
            ("a/mono", "WAV: [204] bytes"),
            ("x/tensor", "tensor: DtFloat"),
            ("", "graph: 1101 bytes"),
            ("step1", "run metadata: 19 bytes"),
            ("custom_scalars__config__", LAYOUT),
        ],
    );
}
