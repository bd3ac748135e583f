//! Tests with values of this crate, older forms, and tensors that do not have the form that their plugin requires.
//! `tests/golden.rs` tests files of other writers.

use super::*;
use crate::custom_scalars::Category;
use crate::proto::google::protobuf::value::Kind;
use crate::proto::mesh::mesh_plugin_data::ContentType;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{SummaryMetadata, TensorShapeProto};
use crate::reader::EventReader;
use crate::tensor::Metadata;
use crate::{Audio, HParams, Histogram, Mesh, PrCurve, SummaryWriter, Tag, Tensor};

/// Returns the values that `log` writes, in the order of the file.
fn written(log: impl FnOnce(&SummaryWriter)) -> Vec<(String, Value)> {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    log(&summary);
    summary.close().unwrap();
    let mut decoder = ValueDecoder::new();
    EventReader::open(dir.path())
        .unwrap()
        .flat_map(|event| decoder.decode(event.unwrap()))
        .collect()
}

fn only(values: Vec<(String, Value)>, tag: &str) -> Value {
    let [(got, value)] = <[_; 1]>::try_from(values).unwrap();
    assert_eq!(got, tag);
    value
}

#[test]
fn reads_the_numbers_that_this_crate_writes() {
    let values = written(|summary| {
        summary.scalar("plain", 0.5, 1);
        summary.scalar(Tag::new("described").description("x"), 0.25, 1);
    });
    let number = |tag: &str, number| (tag.to_owned(), Value::Scalar(Number::F32(number)));
    assert_eq!(values, [number("plain", 0.5), number("described", 0.25)]);

    // Two buckets of width 1. The last one includes its right edge.
    let histogram = |summary: &SummaryWriter| {
        let values = Histogram::with_buckets(&[1.0, 1.5, 2.0, 3.0], 2).unwrap();
        summary.histogram("h", values, 1);
    };
    let bucket = |left, right, count| Bucket { left, right, count };
    let want = [bucket(1.0, 2.0, 2.0), bucket(2.0, 3.0, 2.0)];
    assert_eq!(
        only(written(histogram), "h"),
        Value::Histogram(want.to_vec())
    );

    let curve = written(|summary| {
        let curve = PrCurve::with_thresholds(&[true, false], &[1.0, 0.0], 2).unwrap();
        summary.pr_curve("c", curve, 1);
    });
    let want = Curve {
        true_positives: vec![1.0, 1.0],
        false_positives: vec![1.0, 0.0],
        true_negatives: vec![0.0, 1.0],
        false_negatives: vec![0.0, 0.0],
        precision: vec![0.5, 1.0],
        recall: vec![1.0, 1.0],
    };
    assert_eq!(only(curve, "c"), Value::PrCurve(want));

    let tensor = written(|summary| {
        let tensor = Tensor::new([2], &[1i32, 2]).unwrap();
        summary.tensor("t", tensor, Metadata::new("my_plugin"), 1);
    });
    match only(tensor, "t") {
        Value::Tensor {
            plugin_name,
            tensor,
        } => {
            assert_eq!(plugin_name, "my_plugin");
            let want = [1, 2].map(Number::I64);
            assert_eq!(numbers(&tensor).unwrap(), want);
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "png")]
#[test]
fn reads_the_images_that_this_crate_writes() {
    let values = written(|summary| {
        let image = crate::Image::rgb8(3, 2, [7; 18]).unwrap();
        summary.images("i", [image.clone(), image], 1);
    });
    let Value::Images(images) = only(values, "i") else {
        panic!()
    };
    assert_eq!((images.width, images.height, images.files.len()), (3, 2, 2));
    assert!(images.files[0].starts_with(b"\x89PNG"));
}

#[test]
fn reads_the_audio_text_and_meshes_that_this_crate_writes() {
    let values = written(|summary| {
        let clip = Audio::mono_i16(8000, [1, 2]).unwrap();
        summary.audio("a", clip, 1);
    });
    let Value::Audio(clips) = only(values, "a") else {
        panic!()
    };
    // A WAV file ends with its samples.
    assert!(clips[0].file.starts_with(b"RIFF") && clips[0].file.ends_with(&[1, 0, 2, 0]));

    let text = Text {
        shape: vec![],
        texts: vec!["**bold**".into()],
    };
    let values = written(|summary| summary.text("t", "**bold**", 1));
    assert_eq!(only(values, "t"), Value::Text(text));

    let corners = [[0.0, 0.0, 0.5], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let values = written(|summary| {
        let mesh = Mesh::new(&corners).unwrap().faces(&[[0, 1, 2]]).unwrap();
        summary.mesh("m", mesh, 1);
    });
    let part = |content, rows: &[[f64; 3]]| MeshPart {
        name: "m".into(),
        scene: "{}".into(),
        mesh_count: 1,
        content,
        rows: rows.to_vec(),
    };
    let want = [
        (
            "m_VERTEX".to_owned(),
            Value::Mesh(part(ContentType::Vertex, &corners)),
        ),
        (
            "m_FACE".to_owned(),
            Value::Mesh(part(ContentType::Face, &[[0.0, 1.0, 2.0]])),
        ),
    ];
    assert_eq!(values, want);
}

#[test]
fn reads_the_hyperparameters_and_layouts_that_this_crate_writes() {
    let values = written(|summary| summary.hparams(HParams::new().set("rate", 0.1)));
    let tags: Vec<_> = values.iter().map(|(tag, _)| tag.as_str()).collect();
    let [start, end] = ["_hparams_/session_start_info", "_hparams_/session_end_info"];
    assert_eq!(tags, [start, end]);
    let Value::HParams(h_params_plugin_data::Data::SessionStartInfo(info)) = &values[0].1 else {
        panic!("{values:?}")
    };
    assert_eq!(info.hparams["rate"].kind, Some(Kind::NumberValue(0.1)));
    assert!(matches!(
        values[1].1,
        Value::HParams(h_params_plugin_data::Data::SessionEndInfo(_))
    ));

    let values = written(|summary| {
        let category = Category::new("c").unwrap().multiline("m", ["loss"]);
        summary.custom_scalars(crate::custom_scalars::Layout::new().category(category.unwrap()));
    });
    let Value::CustomScalars(layout) = only(values, "custom_scalars__config__") else {
        panic!()
    };
    assert_eq!(layout.category[0].chart[0].title, "m");
}

#[test]
fn reads_the_graphs_that_this_crate_writes() {
    let model = crate::Model::new("net", [crate::Layer::new("dense", "Dense")]).unwrap();
    let values = written(|summary| {
        summary.model(&model);
        summary.run_metadata("step 1", &crate::graph::RunMetadata::new(), 1);
    });
    let plugins: Vec<_> = values
        .iter()
        .map(|(tag, value)| (tag.as_str(), value.plugin_name()))
        .collect();
    let want = [
        ("", "graphs"),
        ("keras", "graph_keras_model"),
        ("step 1", "graph_run_metadata"),
    ];
    assert_eq!(plugins, want);
    let Value::Graph(graph) = &values[0].1 else {
        panic!()
    };
    assert!(
        !crate::proto::GraphDef::decode(&**graph)
            .unwrap()
            .node
            .is_empty()
    );
    assert!(matches!(&values[1].1, Value::KerasModel(json) if json.starts_with('{')));
}

fn value(tag: &str, plugin: Option<&str>, data: Data) -> summary::Value {
    summary::Value {
        tag: tag.into(),
        metadata: plugin.map(|name| SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: name.into(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        value: Some(data),
    }
}

fn strings(strings: &[&[u8]], dims: &[i64]) -> TensorProto {
    let dim = |&size| Dim {
        size,
        ..Default::default()
    };
    TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: Some(TensorShapeProto {
            dim: dims.iter().map(dim).collect(),
            ..Default::default()
        }),
        string_val: strings.iter().map(|string| string.to_vec()).collect(),
        ..Default::default()
    }
}

fn floats(numbers: &[f32]) -> TensorProto {
    TensorProto {
        dtype: DataType::DtFloat.into(),
        float_val: numbers.to_vec(),
        ..Default::default()
    }
}

fn decode(value: summary::Value) -> Value {
    ValueDecoder::new().decode_value(value).1
}

#[test]
fn tag_keeps_the_plugin_of_its_first_value_with_a_plugin() {
    let mut decoder = ValueDecoder::new();
    let mut plugin_of = |tag: &str, plugin| {
        let value = value(tag, plugin, Data::Tensor(floats(&[0.5]).into()));
        decoder.decode_value(value).1.plugin_name().to_owned()
    };
    assert_eq!(plugin_of("loss", None), "");
    assert_eq!(plugin_of("loss", Some("scalars")), "scalars");
    assert_eq!(plugin_of("loss", None), "scalars");
    assert_eq!(plugin_of("loss", Some("")), "scalars");
    assert_eq!(plugin_of("other", None), "");
}

#[test]
fn outer_buckets_of_an_older_histogram_end_at_its_range() {
    // `numpy.histogram([1, 2, 3, 3, 3], "auto")` as tensorboardX writes it, with an empty bucket for the left edge.
    let torch = HistogramProto {
        min: 1.0,
        max: 3.0,
        bucket_limit: vec![1.0, 1.5, 2.0, 2.5, 3.0],
        bucket: vec![0.0, 1.0, 0.0, 1.0, 3.0],
        ..Default::default()
    };
    let bucket = |left, right, count| Bucket { left, right, count };
    let want = vec![
        bucket(1.0, 1.5, 1.0),
        bucket(1.5, 2.0, 0.0),
        bucket(2.0, 2.5, 1.0),
        bucket(2.5, 3.0, 3.0),
    ];
    let histogram = |histogram| decode(value("h", None, Data::Histo(histogram)));
    assert_eq!(histogram(torch.clone()), Value::Histogram(want));
    // A count without a limit has no edges.
    let cut = HistogramProto {
        max: 1.25,
        bucket_limit: vec![1.0, 1.5],
        ..torch
    };
    let want = vec![bucket(1.0, 1.25, 1.0)];
    assert_eq!(histogram(cut), Value::Histogram(want));
    // The histogram that TensorFlow writes if there are no values.
    let empty = HistogramProto {
        min: f64::MAX,
        max: f64::MIN,
        bucket_limit: vec![f64::MAX],
        bucket: vec![0.0],
        ..Default::default()
    };
    assert_eq!(histogram(empty), Value::Histogram(vec![]));
}

#[test]
fn clips_may_have_labels_and_text_may_have_any_shape_and_bytes() {
    let tensor =
        |plugin, tensor: TensorProto| decode(value("x", Some(plugin), Data::Tensor(tensor.into())));
    let clip = |file: &[u8], label: &str| Clip {
        file: file.to_vec(),
        label: label.into(),
    };
    let pairs = strings(&[b"RIFF1", b"one", b"RIFF2", b""], &[2, 2]);
    let want = vec![clip(b"RIFF1", "one"), clip(b"RIFF2", "")];
    assert_eq!(tensor("audio", pairs), Value::Audio(want));
    let plain = strings(&[b"RIFF1", b"RIFF2"], &[2]);
    let want = vec![clip(b"RIFF1", ""), clip(b"RIFF2", "")];
    assert_eq!(tensor("audio", plain), Value::Audio(want));

    let want = Text {
        shape: vec![1],
        texts: vec!["a\u{fffd}".into()],
    };
    assert_eq!(
        tensor("text", strings(&[b"a\xff"], &[1])),
        Value::Text(want)
    );
}

#[test]
fn tensor_that_its_plugin_does_not_show_stays_a_tensor() {
    for plugin in [
        "scalars",
        "histograms",
        "images",
        "audio",
        "text",
        "pr_curves",
        "mesh",
        "custom_scalars",
        "graph_run_metadata",
        "graph_keras_model",
    ] {
        let tensor = floats(&[1.0, 2.0]);
        let want = Value::Tensor {
            plugin_name: plugin.into(),
            tensor: Box::new(tensor.clone()),
        };
        let got = decode(value("x", Some(plugin), Data::Tensor(tensor.into())));
        assert_eq!(got, want);
    }
    // A width that is not a number, and bytes that are not a layout.
    for (plugin, tensor) in [
        ("images", strings(&[b"wide", b"2", b"\x89PNG"], &[3])),
        ("images", strings(&[b"3"], &[1])),
        ("custom_scalars", strings(&[b"\xff"], &[])),
    ] {
        let got = decode(value(
            "x",
            Some(plugin),
            Data::Tensor(tensor.clone().into()),
        ));
        assert!(matches!(got, Value::Tensor { tensor: got, .. } if *got == tensor));
    }
}

#[test]
fn value_without_data_is_an_empty_tensor() {
    let value = summary::Value {
        tag: "x".into(),
        ..Default::default()
    };
    let want = Value::Tensor {
        plugin_name: String::new(),
        tensor: Box::default(),
    };
    assert_eq!(decode(value), want);
}

#[test]
fn scalar_reads_both_forms_of_a_number_and_nothing_else() {
    let scalar = |plugin, data| value("x", plugin, data).scalar();
    assert_eq!(scalar(None, Data::SimpleValue(0.25)), Some(0.25));
    let tensor = |change: fn(&mut TensorProto)| {
        let mut tensor = floats(&[0.25]);
        change(&mut tensor);
        scalar(Some("scalars"), Data::Tensor(tensor.into()))
    };
    assert_eq!(tensor(|_| {}), Some(0.25));
    // 0x3f800000 is 1.0.
    let content = |tensor: &mut TensorProto| tensor.tensor_content = vec![0, 0, 0x80, 0x3f].into();
    assert_eq!(tensor(content), Some(1.0));
    assert_eq!(
        tensor(|tensor| tensor.tensor_content = vec![0; 5].into()),
        None
    );
    assert_eq!(tensor(|tensor| tensor.float_val.clear()), None);
    assert_eq!(
        tensor(|tensor| tensor.dtype = DataType::DtInt32.into()),
        None
    );
    assert_eq!(
        scalar(Some("text"), Data::Tensor(floats(&[0.25]).into())),
        None
    );
    assert_eq!(summary::Value::default().scalar(), None);
}
