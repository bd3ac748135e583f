//! The records of the hyperparameter dashboard: one at the start of a session, one at its end, one for the whole logdir.

mod experiment;
#[cfg(feature = "serde")]
mod serialize;
mod value;

use prost::Message;

pub(crate) use experiment::hparams_experiment;
pub use experiment::{Experiment, HParamInfo, MetricInfo};
pub use value::HParamValue;

use super::{Tag, shortest_f64, tensor_value};
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

    /// Creates hyperparameters from the fields of a struct, or from the entries of a map. Needs the feature `serde`.
    ///
    /// Names and values are those of the JSON that `serde_json` makes of `config`:
    ///
    /// - A field of a nested struct or map is named by its path: `optimizer.lr`.
    /// - A list or a tuple is text: `[64, 64, 10]`.
    /// - A variant without data is its name, as text. A variant with data is a field: `optimizer: Adam { lr: 0.1 }` gives
    ///   `optimizer.Adam.lr`. If the enum has `#[serde(tag = "name")]`, it gives `optimizer.name`, which is `Adam`, and
    ///   `optimizer.lr`, so that all optimizers share a column.
    /// - `None` and `()` are left out, so that a column of numbers stays a column of numbers. JSON has no NaN and no
    ///   infinities: they are left out, too, and are `null` in a list. [`set`](Self::set) keeps infinities.
    /// - Numbers are those of [`HParamValue`]: integers of 2^53 or more are rounded.
    ///
    /// ```
    /// use summary_writer::HParams;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Config {
    ///     lr: f64,
    ///     layers: Vec<usize>,
    ///     dropout: Option<f64>,
    /// }
    ///
    /// let config = Config { lr: 1e-3, layers: vec![64, 10], dropout: None };
    /// let hparams = HParams::from_serialize(&config)?;
    /// assert_eq!(hparams, HParams::new().set("lr", 1e-3).set("layers", "[64, 10]"));
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if `config` is not a struct or a map, or if it cannot be JSON: a map has keys that are not text,
    /// numbers or `bool`, or a value refuses to be serialized.
    #[cfg(feature = "serde")]
    pub fn from_serialize<T: serde::Serialize + ?Sized>(config: &T) -> crate::error::Result<Self> {
        serialize::from_serialize(config)
    }

    /// Adds the hyperparameter `name`, or replaces its value. `None` and NaN leave it out. A name is any text, but the
    /// dashboard shows an empty column if it is empty.
    ///
    /// ```
    /// use std::path::PathBuf;
    /// use summary_writer::HParams;
    ///
    /// let (dropout, seed) = (None::<f64>, u64::MAX);
    /// let hparams = HParams::new()
    ///     .set("layers", [64, 64, 10]) // the text `[64, 64, 10]`
    ///     .set("data", PathBuf::from("data/train"))
    ///     .set("dropout", dropout) // left out
    ///     .set("seed", seed.to_string()); // a number would be rounded
    /// ```
    pub fn set(mut self, name: impl Into<String>, value: impl Into<HParamValue>) -> Self {
        let name = name.into();
        match value.into().into_proto() {
            Some(value) => self.0.hparams.insert(name, value),
            None => self.0.hparams.remove(&name),
        };
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

/// Makes hyperparameters of the entries of a map, or of any pairs of names and values: `HParams::from_iter(&map)`.
///
/// ```
/// use std::collections::HashMap;
/// use summary_writer::HParams;
///
/// let config = HashMap::from([("lr", 1e-3), ("momentum", 0.9)]);
/// let hparams = HParams::from_iter(&config).set("optimizer", "sgd");
/// ```
impl<Name: AsRef<str>, Value: Into<HParamValue>> FromIterator<(Name, Value)> for HParams {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        entries.fold(Self::new(), |hparams, (name, value)| {
            hparams.set(name.as_ref(), value)
        })
    }
}

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
    use std::collections::{BTreeMap, HashMap};

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
    fn entries_of_maps_and_pairs_are_hyperparameters() {
        let want = HParams::new().set("lr", 0.5).set("momentum", 0.25);
        let owned = HashMap::from([("lr".to_owned(), 0.5f32), ("momentum".into(), 0.25)]);
        let borrowed =
            BTreeMap::from([("lr", Some(0.5)), ("momentum", Some(0.25)), ("clip", None)]);
        assert_eq!(HParams::from_iter(&owned), want);
        assert_eq!(owned.into_iter().collect::<HParams>(), want);
        assert_eq!(HParams::from_iter(&borrowed), want);
    }

    #[test]
    fn value_that_is_missing_is_left_out() {
        let with = HParams::new().set("clip", 1.0);
        assert_eq!(HParams::new().set("clip", None::<f64>), HParams::new());
        assert_eq!(with.set("clip", f64::NAN), HParams::new());
    }
}
