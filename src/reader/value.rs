//! The kinds of data that the dashboards show.

use crate::proto::hparams::h_params_plugin_data;
use crate::proto::mesh::mesh_plugin_data::ContentType;
use crate::proto::{Layout, TensorProto};

use super::tensor::Number;

/// The data of a tag at one step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A number.
    Scalar(Number),
    /// The buckets of a histogram, from left to right.
    Histogram(Vec<Bucket>),
    /// Images that share a tag and a step.
    Images(Images),
    /// Audio clips that share a tag and a step.
    Audio(Vec<Clip>),
    /// One text, or a table of texts.
    Text(Text),
    /// A precision-recall curve.
    PrCurve(Curve),
    /// The vertices, faces or colours of meshes. Each of the three has its own tag.
    Mesh(MeshPart),
    /// Hyperparameters: the start or the end of a session, or an experiment.
    HParams(h_params_plugin_data::Data),
    /// The layout of the custom scalars dashboard.
    CustomScalars(Layout),
    /// A serialized [`GraphDef`](crate::proto::GraphDef).
    Graph(Vec<u8>),
    /// A serialized [`RunMetadata`](crate::proto::RunMetadata).
    RunMetadata(Vec<u8>),
    /// A Keras model in JSON.
    KerasModel(String),
    /// A tensor of another plugin, or one that does not have the form that its plugin requires.
    Tensor {
        /// The name of the plugin. It is empty if no value of the tag has named one yet.
        plugin_name: String,
        /// The tensor. It is empty if the value has no data.
        tensor: Box<TensorProto>,
    },
}

/// A bucket of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Bucket {
    pub left: f64,
    pub right: f64,
    pub count: f64,
}

/// Images that share a tag and a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Images {
    /// The width in pixels according to the writer.
    pub width: u32,
    /// The height in pixels according to the writer.
    pub height: u32,
    /// The encoded files: PNG, JPEG or GIF.
    pub files: Vec<Vec<u8>>,
}

/// An audio clip.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clip {
    /// The encoded file, usually WAV.
    pub file: Vec<u8>,
    /// The text that TensorFlow stores with a clip. It is often empty.
    pub label: String,
}

/// One text, or a table of texts. Bytes that are not UTF-8 are replaced by `U+FFFD`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text {
    /// The dimensions. A single text has none.
    pub shape: Vec<i64>,
    /// The texts in Markdown, in row-major order.
    pub texts: Vec<String>,
}

/// A precision-recall curve. Each field has one number for each threshold. The thresholds are spaced evenly from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct Curve {
    pub true_positives: Vec<f64>,
    pub false_positives: Vec<f64>,
    pub true_negatives: Vec<f64>,
    pub false_negatives: Vec<f64>,
    pub precision: Vec<f64>,
    pub recall: Vec<f64>,
}

/// The vertices, faces or colours of a batch of meshes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MeshPart {
    /// The tag that the program used. The tag of the value has a suffix for the part.
    pub name: String,
    /// The camera, the lights and the material in JSON.
    pub scene: String,
    /// The number of meshes. Each has the same number of rows.
    pub mesh_count: usize,
    /// The kind of part. A row of [`Vertex`](ContentType::Vertex) has coordinates, a row of [`Face`](ContentType::Face) has the
    /// indices of three vertices, and a row of [`Color`](ContentType::Color) has red, green and blue from 0 to 255.
    pub content: ContentType,
    /// The rows of all meshes.
    pub rows: Vec<[f64; 3]>,
}

impl Value {
    /// Returns the name of the plugin whose dashboard shows the value: `scalars`, `images` and so on.
    pub fn plugin_name(&self) -> &str {
        match self {
            Self::Scalar(_) => "scalars",
            Self::Histogram(_) => "histograms",
            Self::Images(_) => "images",
            Self::Audio(_) => "audio",
            Self::Text(_) => "text",
            Self::PrCurve(_) => "pr_curves",
            Self::Mesh(_) => "mesh",
            Self::HParams(_) => "hparams",
            Self::CustomScalars(_) => "custom_scalars",
            Self::Graph(_) => "graphs",
            Self::RunMetadata(_) => "graph_run_metadata",
            Self::KerasModel(_) => "graph_keras_model",
            Self::Tensor { plugin_name, .. } => plugin_name,
        }
    }
}
