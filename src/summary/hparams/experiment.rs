//! The columns of the hyperparameter table, for logdirs that list them explicitly.

use super::{Data, EXPERIMENT_TAG, HParamValue, Kind, record};
use crate::error::{Error, Result};
use crate::proto;
use crate::proto::google::protobuf::ListValue;
use crate::proto::hparams::h_param_info::Domain;
use crate::proto::hparams::{DataType, DatasetType, Interval, MetricName};
use crate::proto::summary::Value;

/// The columns of the hyperparameter table: titles, domains to filter by, and a choice of metrics. Without an experiment,
/// the dashboard finds the columns itself.
///
/// An experiment applies to all runs of the logdir. Hyperparameters and metrics that it does not list have no column. The
/// dashboard sorts hyperparameters by name, and shows metrics in the order of the calls.
///
/// ```
/// use summary_writer::hparams::{Experiment, HParamInfo, MetricInfo};
///
/// let experiment = Experiment::new()
///     .hparam(HParamInfo::new("lr")?.interval(1e-5, 1e-1)?.display_name("learning rate"))
///     .hparam(HParamInfo::new("optimizer")?.discrete(["adam", "sgd"])?)
///     .metric(MetricInfo::new("accuracy")?.group("validation"));
/// # Ok::<(), summary_writer::Error>(())
/// ```
#[doc(alias = "hparams_config")]
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Experiment(proto::hparams::Experiment);

impl Experiment {
    /// Creates an experiment without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column for a hyperparameter.
    pub fn hparam(mut self, info: HParamInfo) -> Self {
        self.0.hparam_infos.push(info.0);
        self
    }

    /// Adds a column for a metric.
    pub fn metric(mut self, info: MetricInfo) -> Self {
        self.0.metric_infos.push(info.0);
        self
    }
}

/// A hyperparameter of an [`Experiment`], with its domain.
#[doc(alias = "HParam")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct HParamInfo(proto::hparams::HParamInfo);

impl HParamInfo {
    /// Describes the hyperparameter `name`. Without a domain it may have any value, and the dashboard has no filter for it.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `name` is empty.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        Ok(Self(proto::hparams::HParamInfo {
            name: checked_name("hyperparameter name", name)?,
            ..Default::default()
        }))
    }

    /// Sets the domain to the numbers from `min` to `max`, both included. Replaces another domain.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `min` is greater than `max`, or one of them is not finite.
    pub fn interval(mut self, min: f64, max: f64) -> Result<Self> {
        if !(min.is_finite() && max.is_finite() && min <= max) {
            return Err(Error::invalid(
                "interval",
                format!(
                    "`min` and `max` of {:?} must be finite and in ascending order, got {min:?} and {max:?}",
                    self.0.name
                ),
            ));
        }
        self.0.r#type = DataType::Float64.into();
        self.0.domain = Some(Domain::DomainInterval(Interval {
            min_value: min,
            max_value: max,
        }));
        Ok(self)
    }

    /// Sets the domain to `values`: all numbers, all `bool` or all text. Replaces another domain.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no values, or if their kinds differ. NaN and `None` are no values.
    pub fn discrete<V: Into<HParamValue>>(
        mut self,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self> {
        let values: Vec<_> = values
            .into_iter()
            .filter_map(|value| value.into().into_proto())
            .collect();
        let mut types = values
            .iter()
            .filter_map(|value| Some(data_type(value.kind.as_ref()?)));
        let Some(first) = types.next() else {
            return Err(Error::invalid(
                "discrete values",
                format!("{:?} must have at least one", self.0.name),
            ));
        };
        if types.any(|other| other != first) {
            return Err(Error::invalid(
                "discrete values",
                format!(
                    "{:?} must have only numbers, only bools or only text",
                    self.0.name
                ),
            ));
        }
        self.0.r#type = first.into();
        self.0.domain = Some(Domain::DomainDiscrete(ListValue { values }));
        Ok(self)
    }

    /// Sets the title of the column. Default: the name.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.0.display_name = name.into();
        self
    }

    /// Sets a description in Markdown. Stock TensorBoard stores it, but does not show it. Default: none.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.0.description = markdown.into();
        self
    }
}

/// A metric of an [`Experiment`]: the last value of a scalar in each session.
#[doc(alias = "Metric")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct MetricInfo(proto::hparams::MetricInfo);

impl MetricInfo {
    /// Describes the metric that is the scalar `tag` of the session's run.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `tag` is empty.
    pub fn new(tag: impl Into<String>) -> Result<Self> {
        let name = MetricName {
            group: String::new(),
            tag: checked_name("metric tag", tag)?,
        };
        Ok(Self(proto::hparams::MetricInfo {
            name: Some(name),
            ..Default::default()
        }))
    }

    /// Takes the scalar from the child run `name` of the session's run, as [`run`](crate::SummaryWriter::run) opens it.
    /// Default: none, the session's own run.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.0.name.get_or_insert_default().group = name.into();
        self
    }

    /// Sets the title of the column. Default: the group and the tag.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.0.display_name = name.into();
        self
    }

    /// Sets a description in Markdown. Stock TensorBoard stores it, but does not show it. Default: none.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.0.description = markdown.into();
        self
    }

    /// Sets the dataset that the metric is measured on. Stock TensorBoard stores it, but does not show it. Default:
    /// [`DatasetType::DatasetUnknown`].
    pub fn dataset(mut self, dataset: DatasetType) -> Self {
        self.0.dataset_type = dataset.into();
        self
    }
}

fn data_type(kind: &Kind) -> DataType {
    match kind {
        Kind::NumberValue(_) => DataType::Float64,
        Kind::StringValue(_) => DataType::String,
        Kind::BoolValue(_) => DataType::Bool,
    }
}

fn checked_name(what: &'static str, name: impl Into<String>) -> Result<String> {
    let name = name.into();
    if name.is_empty() {
        return Err(Error::invalid(what, "must not be empty"));
    }
    Ok(name)
}

pub(crate) fn hparams_experiment(experiment: Experiment) -> Value {
    record(EXPERIMENT_TAG, Data::Experiment(experiment.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_lists_columns_with_their_domains() {
        let lr = HParamInfo::new("lr").unwrap().interval(-1.0, 0.5).unwrap();
        let opt = HParamInfo::new("opt").unwrap();
        let opt = opt.discrete([0.5]).unwrap().discrete(["a", "b"]).unwrap();
        let loss = MetricInfo::new("loss").unwrap().group("val");
        let experiment = Experiment::new()
            .hparam(lr.display_name("L").description("D"))
            .hparam(opt)
            .hparam(HParamInfo::new("on").unwrap().discrete([true]).unwrap())
            .metric(loss.dataset(DatasetType::DatasetValidation))
            .metric(
                MetricInfo::new("t")
                    .unwrap()
                    .display_name("T")
                    .description("D"),
            );
        // HParamsPluginData, assembled by hand from the wire format. Each length precedes the bytes it counts.
        let want = [
            &b"\x12\x63"[..],                                            // experiment
            b"\x22\x20\x0a\x02lr\x12\x01L\x1a\x01D\x20\x03", // hparam_infos: name, display_name, description, type
            b"\x32\x12\x09\0\0\0\0\0\0\xf0\xbf\x11\0\0\0\0\0\0\xe0\x3f", // domain_interval
            b"\x22\x13\x0a\x03opt\x20\x01",                  // hparam_infos: name, type
            b"\x2a\x0a\x0a\x03\x1a\x01a\x0a\x03\x1a\x01b",   // domain_discrete: two texts
            b"\x22\x0c\x0a\x02on\x20\x02\x2a\x04\x0a\x02\x20\x01", // hparam_infos: name, type, domain_discrete
            b"\x2a\x0f\x0a\x0b\x0a\x03val\x12\x04loss\x28\x02", // metric_infos: name, dataset_type
            b"\x2a\x0b\x0a\x03\x12\x01t\x1a\x01T\x22\x01D", // metric_infos: name, display_name, description
        ]
        .concat();
        let value = hparams_experiment(experiment);
        assert_eq!(value.tag, "_hparams_/experiment");
        let plugin_data = value.metadata.unwrap().plugin_data.unwrap();
        assert_eq!(plugin_data.plugin_name, "hparams");
        assert_eq!(plugin_data.content, want);
    }

    #[test]
    fn invalid_columns_are_refused() {
        let lr = || HParamInfo::new("lr").unwrap();
        let values = |values: &[&str]| -> Vec<HParamValue> {
            let parsed = values.iter().map(|value| match value.parse::<f64>() {
                Ok(number) => number.into(),
                Err(_) => (*value).into(),
            });
            parsed.collect()
        };
        for (result, want) in [
            (
                HParamInfo::new(""),
                "hyperparameter name: must not be empty",
            ),
            (
                lr().interval(1.0, 0.5),
                "interval: `min` and `max` of \"lr\" must be finite and in ascending order, got 1.0 and 0.5",
            ),
            (
                lr().interval(f64::NAN, 0.5),
                "interval: `min` and `max` of \"lr\" must be finite and in ascending order, got NaN and 0.5",
            ),
            (
                lr().interval(1.0, f64::INFINITY),
                "interval: `min` and `max` of \"lr\" must be finite and in ascending order, got 1.0 and inf",
            ),
            (
                lr().discrete(values(&[])),
                "discrete values: \"lr\" must have at least one",
            ),
            (
                lr().discrete(values(&["1", "x"])),
                "discrete values: \"lr\" must have only numbers, only bools or only text",
            ),
            (
                lr().discrete([f64::NAN]),
                "discrete values: \"lr\" must have at least one",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
        assert!(lr().interval(0.5, 0.5).is_ok());
        assert_eq!(
            MetricInfo::new("").unwrap_err().to_string(),
            "metric tag: must not be empty"
        );
    }
}
