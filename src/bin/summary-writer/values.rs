//! An event to the points in it, each with its kind, as stock TensorBoard sorts them to its pages.

use std::borrow::Cow;
use std::collections::HashMap;

use prost::Message;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::Value;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::proto::summary_metadata::PluginData;
use summary_writer::proto::{DataType, Event, HistogramProto, SummaryMetadata, TensorProto};

use crate::json::{Object, list, number, quoted};

/// The plugins of a run's tags. Writers may name a tag's plugin with its first value only.
#[derive(Debug, Default)]
pub(crate) struct Plugins(HashMap<String, String>);

/// One value of a tag, or another thing that a page shows.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) tag: String,
    /// The name of the plugin that shows it: `scalars`, `images`, ...
    pub(crate) kind: Cow<'static, str>,
    value: Option<Value>,
    bytes: usize,
}

impl Plugins {
    /// The points of the next event of the run.
    pub(crate) fn points(&mut self, event: Event) -> Vec<Point> {
        let other = |tag, kind, bytes| Point {
            tag,
            kind: Cow::Borrowed(kind),
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
            Some(Data::Tensor(_)) | None => self.plugin(&mut value).into(),
        };
        Point {
            tag: std::mem::take(&mut value.tag),
            kind,
            value: Some(value),
            bytes,
        }
    }

    /// The plugin of a tensor, which gets the name if it has none.
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
    /// The number of a scalar.
    pub(crate) fn scalar(&self) -> Option<f32> {
        self.value.as_ref()?.scalar()
    }

    /// Adds what there is to say of it beside its tag, kind and step.
    pub(crate) fn describe(&self, object: Object) -> Object {
        if let Some(scalar) = self.scalar() {
            let digits = crate::json::digits_f32(scalar);
            let json = if scalar.is_finite() {
                digits
            } else {
                quoted(&digits)
            };
            return object.json("value", json);
        }
        let data = self.value.as_ref().and_then(|value| value.value.as_ref());
        match data {
            Some(Data::Histo(histogram)) => object.json("buckets", limits(histogram)),
            Some(Data::Tensor(tensor)) => {
                if self.kind == "text" && tensor.dtype() == DataType::DtString {
                    return object.json("value", texts(tensor));
                }
                if self.kind == "histograms"
                    && let Some(buckets) = buckets(tensor)
                {
                    return object.json("buckets", buckets);
                }
                object
                    .text("dtype", tensor.dtype().as_str_name())
                    .json("shape", list(dims(tensor)))
                    .json("bytes", self.bytes)
            }
            _ => object.json("bytes", self.bytes),
        }
    }
}

fn dims(tensor: &TensorProto) -> impl Iterator<Item = i64> {
    let shape = tensor.tensor_shape.iter();
    shape.flat_map(|shape| shape.dim.iter().map(|dim| dim.size))
}

/// One text, or a list of them if they have a shape.
fn texts(tensor: &TensorProto) -> String {
    let mut texts = tensor
        .string_val
        .iter()
        .map(|text| quoted(&String::from_utf8_lossy(text)));
    match (dims(tensor).next(), tensor.string_val.len()) {
        (None, 1) => texts.next().unwrap_or_default(),
        _ => list(texts),
    }
}

/// The rows of a tensor of shape `[k, 3]`.
fn buckets(tensor: &TensorProto) -> Option<String> {
    let content = &tensor.tensor_content[..];
    let numbers: Vec<f64> = match (tensor.dtype(), content) {
        (DataType::DtDouble, []) => tensor.double_val.clone(),
        (DataType::DtFloat, []) => tensor.float_val.iter().copied().map(f64::from).collect(),
        (DataType::DtDouble, content) => chunks(content).map(f64::from_le_bytes).collect(),
        (DataType::DtFloat, content) => chunks(content)
            .map(f32::from_le_bytes)
            .map(f64::from)
            .collect(),
        _ => return None,
    };
    let is_rows = dims(tensor).count() == 2 && dims(tensor).nth(1) == Some(3);
    if !is_rows || !numbers.len().is_multiple_of(3) {
        return None;
    }
    let rows = numbers.chunks_exact(3);
    Some(list(rows.map(|row| list(row.iter().copied().map(number)))))
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes
        .chunks_exact(N)
        .filter_map(|chunk| chunk.try_into().ok())
}

/// The older form has the right edges only; what is left of the first one begins at the smallest value.
fn limits(histogram: &HistogramProto) -> String {
    let mut left = histogram.min;
    let rights = histogram.bucket_limit.iter().zip(&histogram.bucket);
    list(rights.map(|(&right, &count)| {
        let bucket = list([left, right, count].map(number));
        left = right;
        bucket
    }))
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
            value: Some(Data::Tensor(tensor)),
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

    fn described(values: Vec<Value>) -> Vec<(String, String)> {
        let points = Plugins::default().points(event(values)).into_iter();
        points
            .map(|point| {
                let text = point.describe(Object::new()).end();
                (point.kind.into_owned(), text)
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
        let got = described(values);
        let kinds: Vec<_> = got.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["unknown", "scalars", "scalars", "unknown"]);
        assert_eq!(got[2].1, r#"{"value":0.5}"#);
        assert_eq!(got[0].1.split(',').next(), Some(r#"{"dtype":"DT_FLOAT""#));
    }

    #[test]
    fn each_kind_says_what_it_has() {
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
            let got = described(vec![value]);
            assert_eq!(got[0].1, want);
        }
    }
}
