//! Converts the caller's data to the values of an event: one file for each kind. Nothing here uses files, threads or clocks.

mod audio;
mod check;
mod custom_scalars;
mod histogram;
mod hparams;
#[cfg(feature = "png")]
mod image;
mod mesh;
mod pr_curve;
mod scalar;
mod tag;
mod tensor;
mod text;

pub use audio::Audio;
pub(crate) use audio::audios;
pub(crate) use custom_scalars::custom_scalars;
pub use custom_scalars::{Category, Layout, Margin};
#[cfg(feature = "metrics")]
pub(crate) use histogram::DEFAULT_BUCKETS;
pub use histogram::Histogram;
pub(crate) use histogram::{histogram, non_finite};
pub use hparams::{Experiment, HParamInfo, HParamValue, HParams, MetricInfo};
pub(crate) use hparams::{
    hparams_experiment, is_session_end, is_session_start, session_end, session_start,
};
#[cfg(feature = "png")]
pub(crate) use image::images;
#[cfg(feature = "png")]
pub use image::{BoundingBox, ConfusionMatrix, Image, Sample};
pub use mesh::{Camera, Light, Material, Mesh, Scene};
pub(crate) use mesh::{MeshForm, mesh};
pub use pr_curve::PrCurve;
pub(crate) use pr_curve::pr_curve;
pub use scalar::Scalar;
pub(crate) use scalar::{described_scalar, scalar};
pub use tag::Tag;
pub(crate) use tensor::plugin_tensor;
pub use tensor::{Element, Metadata, Tensor};
pub use text::Text;
pub(crate) use text::text;

use crate::proto::summary::Value;
use crate::proto::summary::value::Value as Data;
use crate::proto::summary_metadata::PluginData;
use crate::proto::{DataClass, SummaryMetadata, TensorProto};

/// Returns a value in the newer of the two forms: a tensor, and metadata that names its dashboard.
///
/// Each value has the metadata. The loaders read only that of a tag's first value in the run, but a writer cannot tell which
/// one is first, because the run may have older files.
fn tensor_value(
    prefix: &str,
    tag: &Tag<'_>,
    plugin_data: PluginData,
    data_class: DataClass,
    tensor: TensorProto,
) -> Value {
    Value {
        tag: [prefix, &tag.name].concat(),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(plugin_data),
            display_name: tag.display_name.to_string(),
            summary_description: tag.description.to_string(),
            data_class: data_class.into(),
        }),
        value: Some(Data::Tensor(tensor.into())),
    }
}

/// The `f64` with the decimal digits of `number`: 0.1 instead of 0.10000000149011612.
fn shortest_f64(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// Returns the plugin data of a dashboard that needs only its name.
fn plugin(name: impl Into<String>) -> PluginData {
    PluginData {
        plugin_name: name.into(),
        content: Vec::new(),
    }
}
