//! What there is to compare, said beforehand: the columns of the table.

use super::{Data, EXPERIMENT_TAG, HParamValue, Kind, record};
use crate::error::{Error, Result};
use crate::proto;
use crate::proto::google::protobuf::ListValue;
use crate::proto::hparams::h_param_info::Domain;
use crate::proto::hparams::{DataType, DatasetType, Interval, MetricName};
use crate::proto::summary::Value;

/// The columns of the table of hyperparameters, for who wants others than those that the dashboard finds itself: titles,
/// domains to filter by, a choice of metrics. They are in the order of the calls.
///
/// It is for all runs of the logdir, and what it does not list has no column.
///
/// ```
/// use summary_writer::{Experiment, HParamInfo, MetricInfo};
///
/// let experiment = Experiment::new()
///     .hparam(HParamInfo::new("lr")?.interval(1e-5, 1e-1)?.display_name("learning rate"))
///     .hparam(HParamInfo::new("optimizer")?.discrete(["adam", "sgd"])?)
///     .metric(MetricInfo::new("accuracy")?.group("validation"));
/// # Ok::<(), summary_writer::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Experiment(proto::hparams::Experiment);

impl Experiment {
    /// No columns.
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

/// A hyperparameter of an [`Experiment`], and the values that it may have.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct HParamInfo(proto::hparams::HParamInfo);

impl HParamInfo {
    /// The hyperparameter of this name. Without a domain it may have any value, and the dashboard has no filter for it.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `name` is empty.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        Ok(Self(proto::hparams::HParamInfo {
            name: checked_name("hyperparameter name", name)?,
            ..Default::default()
        }))
    }

    /// Its values are numbers from `min` to `max`, both included. Replaces another domain.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `min` is greater than `max`, or one of them is not finite.
    pub fn interval(mut self, min: f64, max: f64) -> Result<Self> {
        if !(min.is_finite() && max.is_finite() && min <= max) {
            return Err(Error::invalid(
                "interval",
                format!(
                    "{min:?} to {max:?} is given for {:?}, finite numbers in rising order fit",
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

    /// Its values are these, all numbers, all `bool` or all text. Replaces another domain.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are none, or if they are of several kinds.
    pub fn discrete<V: Into<HParamValue>>(
        mut self,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self> {
        let values: Vec<_> = values.into_iter().map(|value| value.into().0).collect();
        let mut types = values
            .iter()
            .filter_map(|value| Some(data_type(value.kind.as_ref()?)));
        let Some(first) = types.next() else {
            return Err(Error::invalid(
                "discrete values",
                format!("none are given for {:?}, one or more fit", self.0.name),
            ));
        };
        if types.any(|other| other != first) {
            return Err(Error::invalid(
                "discrete values",
                format!(
                    "several kinds are given for {:?}, finite numbers, bools or text fit",
                    self.0.name
                ),
            ));
        }
        self.0.r#type = first.into();
        self.0.domain = Some(Domain::DomainDiscrete(ListValue { values }));
        Ok(self)
    }

    /// Shown instead of the name. Default: none, the name shows.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.0.display_name = name.into();
        self
    }

    /// Markdown, for readers that show it; stock TensorBoard keeps it. Default: none.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.0.description = markdown.into();
        self
    }
}

/// A metric of an [`Experiment`]: the last value of a scalar in each session.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct MetricInfo(proto::hparams::MetricInfo);

impl MetricInfo {
    /// The scalar `tag` of the session's run.
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

    /// Takes it from the run `name` below the session's, as [`run`](crate::SummaryWriter::run) opens it. Default: none,
    /// the session's own run.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.0.name.get_or_insert_default().group = name.into();
        self
    }

    /// Shown instead of the tag. Default: none, the tag shows, behind the group.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.0.display_name = name.into();
        self
    }

    /// Markdown, for readers that show it; stock TensorBoard keeps it. Default: none.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.0.description = markdown.into();
        self
    }

    /// On which data it is measured, for readers that show it; stock TensorBoard keeps it. Default:
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
        return Err(Error::invalid(what, "\"\" is given, any other text fits"));
    }
    Ok(name)
}

pub(crate) fn hparams_experiment(experiment: Experiment) -> Value {
    record(EXPERIMENT_TAG, Data::Experiment(experiment.0))
}
