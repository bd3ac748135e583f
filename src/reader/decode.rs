//! Decodes the values of events into the kinds of data that the dashboards show.

use std::collections::HashMap;
use std::mem;

use prost::Message;

use super::tensor::{Number, numbers, shape};
use super::value::{Bucket, Clip, Curve, Images, MeshPart, Text, Value};
use crate::proto::event::What;
use crate::proto::hparams::{HParamsPluginData, h_params_plugin_data};
use crate::proto::mesh::MeshPluginData;
use crate::proto::summary;
use crate::proto::summary::value::Value as Data;
use crate::proto::summary_metadata::PluginData;
use crate::proto::{DataType, Event, HistogramProto, Layout, TensorProto};

/// Decodes the events of one run into [`Value`]s.
///
/// Like stock TensorBoard, it reads both forms of data: tensors with the name of a plugin, and the older fields for numbers,
/// images, histograms and audio.
///
/// Use one decoder for each run, and pass the events in order. Some writers name the plugin only with the first value of a tag,
/// so the decoder remembers it.
///
/// ```
/// use summary_writer::reader::{Number, Value, ValueDecoder};
/// use summary_writer::{EventReader, Histogram, SummaryWriter};
///
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path();
/// let summary = SummaryWriter::create_file_writer(logdir)?;
/// summary.scalar("loss", 0.5, 1);
/// summary.histogram("weights", &[1.0, 2.0, 2.0], 1);
/// summary.text("notes", "**bold**", 1);
/// summary.close()?;
///
/// let mut decoder = ValueDecoder::new();
/// for event in EventReader::open(logdir)? {
///     for (tag, value) in decoder.decode(event?) {
///         match value {
///             Value::Scalar(number) => assert_eq!((&*tag, number), ("loss", Number::F32(0.5))),
///             Value::Histogram(buckets) => assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<f64>(), 3.0),
///             Value::Text(text) => assert_eq!(text.texts, ["**bold**"]),
///             other => println!("{tag} is shown by {}", other.plugin_name()),
///         }
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ValueDecoder {
    /// The plugin of each tag, from the first value that names one.
    plugins: HashMap<String, PluginData>,
}

impl ValueDecoder {
    /// Creates a decoder for a run.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the tags and values of an event. The tag of a graph is empty. The version record and session logs have no values.
    pub fn decode(&mut self, event: Event) -> Vec<(String, Value)> {
        match event.what {
            Some(What::Summary(summary)) => {
                let values = summary.value.into_iter();
                values.map(|value| self.decode_value(value)).collect()
            }
            Some(What::GraphDef(graph)) => vec![(String::new(), Value::Graph(graph))],
            Some(What::TaggedRunMetadata(metadata)) => {
                vec![(metadata.tag, Value::RunMetadata(metadata.run_metadata))]
            }
            Some(What::FileVersion(_) | What::SessionLog(_)) | None => Vec::new(),
        }
    }

    /// Returns the tag and the data of one value of an event.
    pub fn decode_value(&mut self, value: summary::Value) -> (String, Value) {
        let plugin = value.metadata.and_then(|metadata| metadata.plugin_data);
        let data = match value.value {
            Some(Data::SimpleValue(number)) => Value::Scalar(Number::F32(number)),
            Some(Data::Image(image)) => Value::Images(Images {
                width: image.width.try_into().unwrap_or_default(),
                height: image.height.try_into().unwrap_or_default(),
                files: vec![image.encoded_image_string],
            }),
            Some(Data::Histo(histogram)) => Value::Histogram(old_buckets(&histogram)),
            Some(Data::Audio(audio)) => Value::Audio(vec![Clip {
                file: audio.encoded_audio_string,
                label: String::new(),
            }]),
            Some(Data::Tensor(tensor)) => self.decode_tensor(&value.tag, plugin, tensor),
            // Hyperparameters are in the metadata, and some writers leave out the tensor.
            None => self.decode_tensor(&value.tag, plugin, Box::default()),
        };
        (value.tag, data)
    }

    fn decode_tensor(
        &mut self,
        tag: &str,
        plugin: Option<PluginData>,
        mut tensor: Box<TensorProto>,
    ) -> Value {
        let plugin = match plugin.filter(|plugin| !plugin.plugin_name.is_empty()) {
            Some(plugin) => {
                if !self.plugins.contains_key(tag) {
                    self.plugins.insert(tag.to_owned(), plugin.clone());
                }
                plugin
            }
            None => self.plugins.get(tag).cloned().unwrap_or_default(),
        };
        let content = &plugin.content[..];
        let value = match &*plugin.plugin_name {
            "scalars" => scalar(&tensor).map(Value::Scalar),
            "histograms" => buckets(&tensor).map(Value::Histogram),
            "images" => images(&mut tensor).map(Value::Images),
            "audio" => clips(&mut tensor).map(Value::Audio),
            "text" => text(&tensor).map(Value::Text),
            "pr_curves" => curve(&tensor).map(Value::PrCurve),
            "mesh" => mesh_part(content, &tensor).map(Value::Mesh),
            "hparams" => hparams(content).map(Value::HParams),
            "custom_scalars" => layout(&tensor).map(Value::CustomScalars),
            "graph_run_metadata" => only_string(&mut tensor).map(Value::RunMetadata),
            "graph_keras_model" => only_string(&mut tensor)
                .map(|json| Value::KerasModel(String::from_utf8_lossy(&json).into_owned())),
            _ => None,
        };
        value.unwrap_or(Value::Tensor {
            plugin_name: plugin.plugin_name,
            tensor,
        })
    }
}

/// Returns the only number of a tensor of any rank. The Python loader shows all such tensors.
fn scalar(tensor: &TensorProto) -> Option<Number> {
    match numbers(tensor)?[..] {
        [number] => Some(number),
        _ => None,
    }
}

/// Returns the rows of a tensor of real numbers if it has `rank` dimensions and the last one is `N`.
fn rows<const N: usize>(tensor: &TensorProto, rank: usize) -> Option<Vec<[f64; N]>> {
    let shape = shape(tensor);
    if shape.len() != rank || shape.last().copied() != i64::try_from(N).ok() {
        return None;
    }
    let numbers = numbers(tensor)?;
    let rows = numbers.as_chunks().0;
    Some(rows.iter().map(|row| row.map(Number::to_f64)).collect())
}

fn buckets(tensor: &TensorProto) -> Option<Vec<Bucket>> {
    let rows = rows(tensor, 2)?.into_iter();
    Some(
        rows.map(|[left, right, count]| Bucket { left, right, count })
            .collect(),
    )
}

/// Returns the buckets of the older form, which has right edges only. Like the Python loader, it leaves out empty buckets at
/// both ends, and uses the smallest and the largest value as the outer edges.
fn old_buckets(histogram: &HistogramProto) -> Vec<Bucket> {
    let counts = &histogram.bucket[..histogram.bucket.len().min(histogram.bucket_limit.len())];
    let is_filled = |count: &f64| *count > 0.0;
    let (Some(first), Some(last)) = (
        counts.iter().position(is_filled),
        counts.iter().rposition(is_filled),
    ) else {
        return Vec::new();
    };
    let mut left = histogram.min;
    (first..=last)
        .map(|i| {
            let right = if i == last {
                histogram.max
            } else {
                histogram.bucket_limit[i]
            };
            let bucket = Bucket {
                left,
                right,
                count: counts[i],
            };
            left = right;
            bucket
        })
        .collect()
}

/// Reads images: strings with the width, the height and the files.
fn images(tensor: &mut TensorProto) -> Option<Images> {
    let number = |text: &[u8]| str::from_utf8(text).ok()?.parse().ok();
    let (width, height) = match strings(tensor)? {
        [width, height, ..] => (number(width)?, number(height)?),
        _ => return None,
    };
    Some(Images {
        width,
        height,
        files: tensor.string_val.split_off(2),
    })
}

/// Reads audio clips. Each row has a file, and sometimes a label.
fn clips(tensor: &mut TensorProto) -> Option<Vec<Clip>> {
    let has_labels = shape(tensor).get(1) == Some(&2);
    strings(tensor)?;
    let mut strings = mem::take(&mut tensor.string_val).into_iter();
    let mut clips = Vec::new();
    while let Some(file) = strings.next() {
        let label = if has_labels { strings.next() } else { None };
        let label = String::from_utf8_lossy(&label.unwrap_or_default()).into_owned();
        clips.push(Clip { file, label });
    }
    Some(clips)
}

fn text(tensor: &TensorProto) -> Option<Text> {
    let texts = strings(tensor)?.iter();
    Some(Text {
        texts: texts
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect(),
        shape: shape(tensor),
    })
}

fn curve(tensor: &TensorProto) -> Option<Curve> {
    let [6, thresholds] = shape(tensor)[..] else {
        return None;
    };
    let numbers: Vec<f64> = numbers(tensor)?.into_iter().map(Number::to_f64).collect();
    let mut rows = numbers
        .chunks(usize::try_from(thresholds).ok()?.max(1))
        .map(<[f64]>::to_vec);
    let mut row = || rows.next().unwrap_or_default();
    Some(Curve {
        true_positives: row(),
        false_positives: row(),
        true_negatives: row(),
        false_negatives: row(),
        precision: row(),
        recall: row(),
    })
}

fn mesh_part(content: &[u8], tensor: &TensorProto) -> Option<MeshPart> {
    let rows = rows(tensor, 3)?;
    let plugin = MeshPluginData::decode(content).ok()?;
    Some(MeshPart {
        content: plugin.content_type(),
        mesh_count: shape(tensor).first().copied()?.try_into().ok()?,
        name: plugin.name,
        scene: plugin.json_config,
        rows,
    })
}

fn hparams(content: &[u8]) -> Option<h_params_plugin_data::Data> {
    HParamsPluginData::decode(content).ok()?.data
}

fn layout(tensor: &TensorProto) -> Option<Layout> {
    match strings(tensor)? {
        [layout] => Layout::decode(&layout[..]).ok(),
        _ => None,
    }
}

fn strings(tensor: &TensorProto) -> Option<&[Vec<u8>]> {
    (tensor.dtype() == DataType::DtString).then_some(&tensor.string_val[..])
}

fn only_string(tensor: &mut TensorProto) -> Option<Vec<u8>> {
    match strings(tensor)? {
        [_] => tensor.string_val.pop(),
        _ => None,
    }
}

impl summary::Value {
    /// Returns the number of a scalar. Reads both forms: the small one, and the tensor of a tag with a description.
    ///
    /// Returns `None` for other kinds, and for tensors that only the Python loader of stock TensorBoard shows as scalars.
    /// [`ValueDecoder`](crate::reader::ValueDecoder) also reads these.
    pub fn scalar(&self) -> Option<f32> {
        let tensor = match self.value.as_ref()? {
            Data::SimpleValue(number) => return Some(*number),
            Data::Tensor(tensor) => tensor,
            _ => return None,
        };
        let plugin = self.metadata.as_ref()?.plugin_data.as_ref()?;
        let has_dims = tensor
            .tensor_shape
            .as_ref()
            .is_some_and(|shape| !shape.dim.is_empty());
        if plugin.plugin_name != "scalars" || tensor.dtype() != DataType::DtFloat || has_dims {
            return None;
        }
        match (&tensor.tensor_content[..], &tensor.float_val[..]) {
            ([], [number]) => Some(*number),
            (content, _) => Some(f32::from_le_bytes(content.try_into().ok()?)),
        }
    }
}

#[cfg(test)]
mod tests;
