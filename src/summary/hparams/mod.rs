//! Hyperparameters to the records that make a run a session of their dashboard: one at its start, one at its end.

mod experiment;
#[cfg(feature = "serde")]
mod serialize;

use prost::Message;

pub(crate) use experiment::hparams_experiment;
pub use experiment::{Experiment, HParamInfo, MetricInfo};

use super::{Tag, tensor_value};
use crate::proto::google::protobuf::Value as ProtoValue;
use crate::proto::google::protobuf::value::Kind;
use crate::proto::hparams::h_params_plugin_data::Data;
use crate::proto::hparams::{HParamsPluginData, SessionEndInfo, SessionStartInfo, Status};
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataClass, DataType, TensorProto, TensorShapeProto};

const EXPERIMENT_TAG: &str = "_hparams_/experiment";
const SESSION_START_TAG: &str = "_hparams_/session_start_info";
const SESSION_END_TAG: &str = "_hparams_/session_end_info";

/// What a training was started with, by name: a row of the table that the dashboard of hyperparameters shows.
///
/// ```
/// use summary_writer::HParams;
///
/// let hparams = HParams::new().set("lr", 1e-3).set("layers", 4).set("dropout", true).set("optimizer", "adam");
/// ```
///
/// Runs need not have the same names: the table has a column for each that a run has, and its cell stays empty in the
/// rows of the others.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct HParams(SessionStartInfo);

impl HParams {
    /// No hyperparameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the hyperparameter `name`, or gives it another value. An empty name shows as a column without a title.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<HParamValue>) -> Self {
        self.0.hparams.insert(name.into(), value.into().0);
        self
    }

    /// Runs of one group are one row, with the mean of each metric: trials of the same hyperparameters that differ by
    /// chance. The hyperparameters of the row are those of one of its runs.
    ///
    /// Default: none, each run is a row.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.0.group_name = name.into();
        self
    }
}

/// A value of a hyperparameter: a number, a `bool`, or text. It is made from any of these.
///
/// The dashboard has numbers as `f64`. One that cannot be such a number is given as text, so that it shows as it is: NaN
/// and the infinities, which the dashboard would leave out, and integers from 2^53 on, as the seed of a random number
/// generator may be, which it would round. Where one column has numbers and text, the dashboard cannot sort by it.
#[derive(Clone, Debug, PartialEq)]
pub struct HParamValue(ProtoValue);

impl HParamValue {
    fn new(kind: Kind) -> Self {
        Self(ProtoValue { kind: Some(kind) })
    }
}

impl From<bool> for HParamValue {
    fn from(value: bool) -> Self {
        Self::new(Kind::BoolValue(value))
    }
}

impl From<String> for HParamValue {
    fn from(text: String) -> Self {
        Self::new(Kind::StringValue(text))
    }
}

impl From<&String> for HParamValue {
    fn from(text: &String) -> Self {
        Self::from(text.clone())
    }
}

impl From<&str> for HParamValue {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<f64> for HParamValue {
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::new(Kind::NumberValue(number))
        } else {
            Self::from(number.to_string())
        }
    }
}

impl From<f32> for HParamValue {
    fn from(number: f32) -> Self {
        // 0.1f32 is 0.10000000149011612 as an `f64`, which nobody has set; its shortest decimal is 0.1.
        Self::from(number.to_string().parse().unwrap_or(f64::from(number)))
    }
}

/// From here on an integer is not the only one that is rounded to its `f64`.
const INTEGER_LIMIT: f64 = 9_007_199_254_740_992.0; // 2^53

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for HParamValue {
            fn from(integer: $integer) -> Self {
                // Rounding never brings a number across the limit.
                let number = integer as f64;
                if number.abs() < INTEGER_LIMIT {
                    Self::new(Kind::NumberValue(number))
                } else {
                    Self::from(integer.to_string())
                }
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

pub(crate) fn session_start(mut hparams: HParams, start_time_secs: f64) -> Value {
    hparams.0.start_time_secs = start_time_secs;
    record(SESSION_START_TAG, Data::SessionStartInfo(hparams.0))
}

pub(crate) fn session_end(status: Status, end_time_secs: f64) -> Value {
    let info = SessionEndInfo {
        status: status.into(),
        end_time_secs,
    };
    record(SESSION_END_TAG, Data::SessionEndInfo(info))
}

/// The dashboard reads the plugin data. The tensor is the smallest there is: without one the loaders differ.
fn record(tag: &str, data: Data) -> Value {
    let content = HParamsPluginData {
        version: 0,
        data: Some(data),
    };
    let plugin_data = PluginData {
        plugin_name: "hparams".into(),
        content: content.encode_to_vec(),
    };
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: Some(TensorShapeProto {
            dim: vec![Dim::default()],
            unknown_rank: false,
        }),
        ..Default::default()
    };
    tensor_value("", &Tag::new(tag), plugin_data, DataClass::Tensor, tensor)
}
