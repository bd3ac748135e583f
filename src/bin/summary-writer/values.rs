//! The points of an event, each with its kind, which is the name of the plugin that shows it.

use std::collections::HashMap;

use prost::Message;
use serde::Serialize;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::Value;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::proto::summary_metadata::PluginData;
use summary_writer::proto::{DataType, Event, HistogramProto, SummaryMetadata, TensorProto};

use crate::output::Number;

/// The plugins of a run's tags. Writers may name the plugin of a tag with its first value only.
#[derive(Debug, Default)]
pub(crate) struct Plugins(HashMap<String, String>);

/// One value of a tag, or a graph.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) tag: String,
    /// The name of the plugin that shows it: `scalars`, `images`, ...
    pub(crate) kind: String,
    value: Option<Value>,
    bytes: usize,
}

/// The part of a point that depends on its kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Content {
    Scalar {
        value: Number,
    },
    Text {
        value: String,
    },
    Texts {
        value: Vec<String>,
    },
    Histogram {
        buckets: Vec<[Number; 3]>,
    },
    Tensor {
        dtype: &'static str,
        shape: Vec<i64>,
        bytes: usize,
    },
    Other {
        bytes: usize,
    },
}

impl Plugins {
    /// Returns the points of the next event of the run.
    pub(crate) fn points(&mut self, event: Event) -> Vec<Point> {
        let other = |tag, kind: &str, bytes| Point {
            tag,
            kind: kind.into(),
            value: None,
            bytes,
        };
        match event.what {
            Some(What::Summary(summary)) => {
                let values = summary.value.into_iter();
                values.map(|value| self.point(value)).collect()
            }
            Some(What::GraphDef(graph)) => vec![other(String::new(), "graphs", graph.len())],
            Some(What::TaggedRunMetadata(metadata)) => {
                let bytes = metadata.run_metadata.len();
                vec![other(metadata.tag, "graph_run_metadata", bytes)]
            }
            Some(What::FileVersion(_) | What::SessionLog(_)) | None => Vec::new(),
        }
    }

    fn point(&mut self, mut value: Value) -> Point {
        let bytes = value.encoded_len();
        let kind = match &value.value {
            Some(Data::SimpleValue(_)) => "scalars".into(),
            Some(Data::Image(_)) => "images".into(),
            Some(Data::Histo(_)) => "histograms".into(),
            Some(Data::Audio(_)) => "audio".into(),
            Some(Data::Tensor(_)) | None => self.plugin(&mut value),
        };
        Point {
            tag: std::mem::take(&mut value.tag),
            kind,
            value: Some(value),
            bytes,
        }
    }

    /// Returns the plugin of a tensor, and adds its name to the tensor if it has none.
    fn plugin(&mut self, value: &mut Value) -> String {
        let plugin_data = value.metadata.as_ref().and_then(|m| m.plugin_data.as_ref());
        let own = plugin_data.map_or("", |plugin_data| &plugin_data.plugin_name);
        match self.0.get(&value.tag) {
            Some(known) if own.is_empty() => {
                value.metadata = Some(SummaryMetadata {
                    plugin_data: Some(PluginData {
                        plugin_name: known.clone(),
                        content: Vec::new(),
                    }),
                    ..Default::default()
                });
                known.clone()
            }
            Some(_) => own.into(),
            None if own.is_empty() => "unknown".into(),
            None => {
                self.0.insert(value.tag.clone(), own.into());
                own.into()
            }
        }
    }
}

impl Point {
    pub(crate) fn content(&self) -> Content {
        if let Some(scalar) = self.value.as_ref().and_then(Value::scalar) {
            return Content::Scalar {
                value: scalar.into(),
            };
        }
        let tensor = match self.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Data::Histo(histogram)) => {
                return Content::Histogram {
                    buckets: buckets_of_limits(histogram),
                };
            }
            Some(Data::Tensor(tensor)) => tensor,
            _ => return Content::Other { bytes: self.bytes },
        };
        if self.kind == "text" && tensor.dtype() == DataType::DtString {
            return texts(tensor);
        }
        if self.kind == "histograms"
            && let Some(buckets) = buckets(tensor)
        {
            return Content::Histogram { buckets };
        }
        Content::Tensor {
            dtype: tensor.dtype().as_str_name(),
            shape: shape(tensor),
            bytes: self.bytes,
        }
    }
}

fn shape(tensor: &TensorProto) -> Vec<i64> {
    let shape = tensor.tensor_shape.iter();
    shape
        .flat_map(|shape| shape.dim.iter().map(|dim| dim.size))
        .collect()
}

fn texts(tensor: &TensorProto) -> Content {
    let texts = tensor.string_val.iter();
    let mut texts: Vec<_> = texts
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    if shape(tensor).is_empty() && texts.len() == 1 {
        return Content::Text {
            value: texts.remove(0),
        };
    }
    Content::Texts { value: texts }
}

/// Returns the rows of a tensor of shape `[k, 3]`.
fn buckets(tensor: &TensorProto) -> Option<Vec<[Number; 3]>> {
    let content = &tensor.tensor_content[..];
    let numbers: Vec<f64> = match (tensor.dtype(), content) {
        (DataType::DtDouble, []) => tensor.double_val.clone(),
        (DataType::DtFloat, []) => tensor.float_val.iter().copied().map(f64::from).collect(),
        (DataType::DtDouble, content) => {
            let (chunks, _) = content.as_chunks();
            chunks.iter().copied().map(f64::from_le_bytes).collect()
        }
        (DataType::DtFloat, content) => {
            let (chunks, _) = content.as_chunks();
            let numbers = chunks.iter().copied().map(f32::from_le_bytes);
            numbers.map(f64::from).collect()
        }
        _ => return None,
    };
    match (&shape(tensor)[..], numbers.as_chunks()) {
        ([_, 3], (rows, [])) => Some(rows.iter().map(|row| row.map(Number::from)).collect()),
        _ => None,
    }
}

/// Returns the buckets of the older form, which has only their right edges. The first one starts at the smallest value.
fn buckets_of_limits(histogram: &HistogramProto) -> Vec<[Number; 3]> {
    let mut left = histogram.min;
    let buckets = histogram.bucket_limit.iter().zip(&histogram.bucket);
    let buckets = buckets.map(|(&right, &count)| {
        let bucket = [left, right, count].map(Number::from);
        left = right;
        bucket
    });
    buckets.collect()
}

#[cfg(test)]
mod tests {
    use summary_writer::proto::tensor_shape_proto::Dim;
    use summary_writer::proto::{Summary, TensorShapeProto};

    use super::*;

    fn event(values: Vec<Value>) -> Event {
        Event {
            what: Some(What::Summary(Summary { value: values })),
            ..Default::default()
        }
    }

    fn tensor(tag: &str, plugin: Option<&str>, tensor: TensorProto) -> Value {
        Value {
            tag: tag.into(),
            metadata: plugin.map(|name| SummaryMetadata {
                plugin_data: Some(PluginData {
                    plugin_name: name.into(),
                    content: Vec::new(),
                }),
                ..Default::default()
            }),
            value: Some(Data::Tensor(tensor.into())),
        }
    }

    fn shaped(dims: &[i64]) -> TensorProto {
        let dim = |&size| Dim {
            size,
            ..Default::default()
        };
        TensorProto {
            tensor_shape: Some(TensorShapeProto {
                dim: dims.iter().map(dim).collect(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn kinds_and_json(values: Vec<Value>) -> Vec<(String, String)> {
        let points = Plugins::default().points(event(values)).into_iter();
        points
            .map(|point| {
                let json = serde_json::to_string(&point.content()).unwrap();
                (point.kind, json)
            })
            .collect()
    }

    #[test]
    fn a_tag_keeps_the_plugin_of_its_first_value() {
        let half = || TensorProto {
            dtype: DataType::DtFloat.into(),
            float_val: vec![0.5],
            ..Default::default()
        };
        let values = vec![
            tensor("loss", None, half()),
            tensor("loss", Some("scalars"), half()),
            tensor("loss", None, half()),
            tensor("other", None, half()),
        ];
        let got = kinds_and_json(values);
        let kinds: Vec<_> = got.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["unknown", "scalars", "scalars", "unknown"]);
        assert_eq!(got[2].1, r#"{"value":0.5}"#);
        assert_eq!(got[0].1.split(',').next(), Some(r#"{"dtype":"DT_FLOAT""#));
    }

    #[test]
    fn each_kind_has_its_own_json() {
        let texts = |dims: &[i64], texts: &[&[u8]]| TensorProto {
            dtype: DataType::DtString.into(),
            string_val: texts.iter().map(|text| text.to_vec()).collect(),
            ..shaped(dims)
        };
        let row = |numbers: &[f64], dims: &[i64]| TensorProto {
            dtype: DataType::DtDouble.into(),
            double_val: numbers.to_vec(),
            ..shaped(dims)
        };
        let content = TensorProto {
            dtype: DataType::DtDouble.into(),
            tensor_content: [0.0f64, 1.0, 2.0].map(f64::to_le_bytes).concat(),
            ..shaped(&[1, 3])
        };
        let legacy = Value {
            value: Some(Data::Histo(HistogramProto {
                min: -1.0,
                bucket_limit: vec![0.0, 2.5],
                bucket: vec![3.0, 4.0],
                ..Default::default()
            })),
            ..Default::default()
        };
        let nan = Value {
            value: Some(Data::SimpleValue(f32::NAN)),
            ..Default::default()
        };
        for (value, want) in [
            (
                tensor("", Some("text"), texts(&[], &[b"a\"b"])),
                r#"{"value":"a\"b"}"#,
            ),
            (
                tensor("", Some("text"), texts(&[2], &[b"a", b"\xff"])),
                "{\"value\":[\"a\",\"\u{fffd}\"]}",
            ),
            (
                tensor(
                    "",
                    Some("histograms"),
                    row(&[0.0, f64::INFINITY, 2.0], &[1, 3]),
                ),
                r#"{"buckets":[[0.0,"Infinity",2.0]]}"#,
            ),
            (
                tensor("", Some("histograms"), content),
                r#"{"buckets":[[0.0,1.0,2.0]]}"#,
            ),
            (legacy, r#"{"buckets":[[-1.0,0.0,3.0],[0.0,2.5,4.0]]}"#),
            (nan, r#"{"value":"NaN"}"#),
            // The tensor: 2 + dtype 2 + shape (2 + 2 + 2) + doubles (2 + 16); the metadata: 2 + 2 + 2 + 10 for the name.
            (
                tensor("", Some("histograms"), row(&[0.0, 1.0], &[2])),
                r#"{"dtype":"DT_DOUBLE","shape":[2],"bytes":44}"#,
            ),
        ] {
            let got = kinds_and_json(vec![value]);
            assert_eq!(got[0].1, want);
        }
    }
}
