//! The records of the hyperparameter dashboard: one at the start of a session, one at its end, one for the whole logdir.

mod experiment;
#[cfg(feature = "serde")]
mod serialize;

use prost::Message;

pub(crate) use experiment::hparams_experiment;
pub use experiment::{Experiment, HParamInfo, MetricInfo};

use super::{Tag, shortest_f64, tensor_value};
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

/// The settings that a training was started with, by name. The hyperparameter dashboard shows them as a row of its table.
///
/// ```
/// use summary_writer::HParams;
///
/// let hparams = HParams::new().set("lr", 1e-3).set("layers", 4).set("dropout", true).set("optimizer", "adam");
/// ```
///
/// Runs may have different hyperparameters. The table has a column for each name; the cell is empty for a run that does
/// not have it. The page first shows five columns, those with different values first. The others have check boxes.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct HParams(SessionStartInfo);

impl HParams {
    /// Creates an empty set of hyperparameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the hyperparameter `name`, or replaces its value. A name is any text, but the dashboard shows an empty column
    /// if it is empty.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<HParamValue>) -> Self {
        self.0.hparams.insert(name.into(), value.into().0);
        self
    }

    /// Puts the run into a group. The table has one row for a group, with the mean of each metric and the hyperparameters
    /// of one of its runs. Use it for several trials with the same hyperparameters.
    ///
    /// Default: none. Each run is a row.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.0.group_name = name.into();
        self
    }
}

/// The value of a hyperparameter: a number, a `bool`, or text. `From` makes one of any of these.
///
/// The dashboard stores numbers as `f64`. These numbers are written as text instead, so that they show unchanged: NaN and
/// the infinities, which the dashboard leaves out, and integers of 2^53 or more, such as random seeds, which it rounds.
/// The dashboard cannot sort by a column that has both numbers and text.
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
        Self::from(shortest_f64(number))
    }
}

/// Two integers may round to the same `f64` from here on.
const INTEGER_LIMIT: f64 = 9_007_199_254_740_992.0; // 2^53

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for HParamValue {
            fn from(integer: $integer) -> Self {
                // Rounding never moves a number across the limit.
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

/// True for the values that [`session_start`] makes.
pub(crate) fn is_session_start(value: &Value) -> bool {
    value.tag == SESSION_START_TAG
}

/// True for the values that [`session_end`] makes.
pub(crate) fn is_session_end(value: &Value) -> bool {
    value.tag == SESSION_END_TAG
}

pub(crate) fn session_end(status: Status, end_time_secs: f64) -> Value {
    let info = SessionEndInfo {
        status: status.into(),
        end_time_secs,
    };
    record(SESSION_END_TAG, Data::SessionEndInfo(info))
}

/// The dashboard reads only the plugin data. The empty tensor is there because the two loaders disagree on values without
/// one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_a_record_at_its_start_and_one_at_its_end() {
        let hparams = HParams::new().set("on", false).set("lr", 7);
        let hparams = hparams.set("opt", "adam").set("lr", 0.5).group("g");
        // Summary.Value, assembled by hand from the wire format. Each length precedes the bytes it counts.
        let want = [
            &b"\x0a\x1c_hparams_/session_start_info"[..], // tag
            b"\x42\x06\x08\x01\x12\x02\x12\x00",          // tensor: DT_FLOAT, one dimension of 0
            b"\x4a\x47\x0a\x43\x0a\x07hparams",           // metadata: plugin_data: plugin_name
            b"\x12\x38\x1a\x36",                          // content: session_start_info
            b"\x0a\x0f\x0a\x02lr\x12\x09\x11\0\0\0\0\0\0\xe0\x3f", // lr: number_value
            b"\x0a\x08\x0a\x02on\x12\x02\x20\0",          // on: bool_value
            b"\x0a\x0d\x0a\x03opt\x12\x06\x1a\x04adam",   // opt: string_value
            b"\x22\x01g\x29\0\0\0\0\0\0\xf8\x3f",         // group_name, start_time_secs
            b"\x20\x02",                                  // data_class: DATA_CLASS_TENSOR
        ]
        .concat();
        assert_eq!(session_start(hparams, 1.5).encode_to_vec(), want);

        let want = [
            &b"\x0a\x1a_hparams_/session_end_info"[..],
            b"\x42\x06\x08\x01\x12\x02\x12\x00",
            b"\x4a\x1c\x0a\x18\x0a\x07hparams",
            b"\x12\x0d\x22\x0b\x08\x02\x11\0\0\0\0\0\0\xf8\x3f", // content: session_end_info: status, end_time_secs
            b"\x20\x02",
        ]
        .concat();
        assert_eq!(session_end(Status::Failure, 1.5).encode_to_vec(), want);
    }

    #[test]
    fn a_number_is_text_if_an_f64_would_change_it() {
        let number = |number| Kind::NumberValue(number);
        let text = |text: &str| Kind::StringValue(text.into());
        for (value, want) in [
            (HParamValue::from(-0.0), number(-0.0)),
            (HParamValue::from(5e-324), number(5e-324)),
            (HParamValue::from(f64::NAN), text("NaN")),
            (HParamValue::from(f64::NEG_INFINITY), text("-inf")),
            (HParamValue::from(0.1f32), number(0.1)),
            (HParamValue::from(f32::MAX), number(3.4028235e38)),
            (HParamValue::from(f32::INFINITY), text("inf")),
            (HParamValue::from(-128i8), number(-128.0)),
            // 2^53 and 2^53 + 1 round to the same `f64`.
            (
                HParamValue::from((1u64 << 53) - 1),
                number(9_007_199_254_740_991.0),
            ),
            (HParamValue::from(1u64 << 53), text("9007199254740992")),
            (
                HParamValue::from((1u64 << 53) + 1),
                text("9007199254740993"),
            ),
            (
                HParamValue::from(-(1i64 << 53) + 1),
                number(-9_007_199_254_740_991.0),
            ),
            (HParamValue::from(i64::MIN), text("-9223372036854775808")),
            (
                HParamValue::from(u128::MAX),
                text("340282366920938463463374607431768211455"),
            ),
            (HParamValue::from(true), Kind::BoolValue(true)),
            (HParamValue::from(&String::from("größe")), text("größe")),
            (HParamValue::from(""), text("")),
        ] {
            assert_eq!(value.0.kind, Some(want));
        }
    }
}
