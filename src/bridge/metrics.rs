//! Counters, gauges and histograms of the crate `metrics`, sampled at a step.

use std::collections::BTreeMap;
use std::iter;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::atomics::AtomicU64;
use metrics::{Counter, Gauge, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::grid::Grid;
use crate::event::Step;
use crate::summary::{Scalar, Tag};
use crate::writer::SummaryWriter;

/// A recorder for [`metrics`](https://docs.rs/metrics) that logs what a program counts and measures, when it says so.
///
/// It is a handle: a clone can be installed, and another says the steps.
///
/// ```standalone_crate
/// use metrics::{counter, gauge, histogram};
/// use summary_writer::{MetricsRecorder, SummaryWriter};
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path();
///
/// let summary = SummaryWriter::create_file_writer(logdir)?;
/// let recorder = MetricsRecorder::new(summary.clone());
/// metrics::set_global_recorder(recorder.clone())?;
/// metrics::describe_histogram!("batch_time", metrics::Unit::Seconds, "of *one* batch");
///
/// for step in 0..10 {
///     for batch in 0..100 {
///         counter!("samples", "kind" => "labelled").increment(32); // `samples/kind=labelled`
///         histogram!("batch_time").record(0.01 * f64::from(batch));
///     }
///     gauge!("learning_rate").set(1e-3);
///     recorder.set_step(step); // logs all of them
/// }
/// summary.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A global recorder is never dropped, nor is its handle of the writer: keep another and close it before `main` ends, as
/// here. Else what the last [flush interval](crate::WriterOptions::flush_interval) logged is lost.
///
/// # Tags
///
/// A tag is the metric's name. Labels stand behind it, `name/label=value,other=value` in the order of their names, so that
/// TensorBoard shows all series of a metric in one group. A description, with the unit in brackets behind it, is the
/// [description](Tag::description) of each series. Give a name to one kind of metric only, as within a run a tag belongs
/// to one kind of data.
///
/// # Memory
///
/// A counter or a gauge has one number, a histogram 69, however many values come between two steps: they are counted, not
/// kept. The buckets lie between multiples of a power of two, which doubles when a value is beyond 64 of them; so there
/// are more than 30 from the lowest value to the highest, unless these are next to equal. All counts are exact, and so
/// are the lowest and the highest value. A series is never forgotten: labels that take ever new values take memory.
#[derive(Clone, Debug)]
pub struct MetricsRecorder {
    summary: SummaryWriter,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Metrics {
    counters: Family<AtomicU64>,
    /// The bits of an `f64` each.
    gauges: Family<AtomicU64>,
    histograms: Family<Gathered>,
}

impl MetricsRecorder {
    /// A recorder that logs through `summary`, which may be a [`scope`](SummaryWriter::scope).
    pub fn new(summary: SummaryWriter) -> Self {
        Self {
            summary,
            metrics: Arc::default(),
        }
    }

    /// Logs at `step`: of each counter the sum so far and of each gauge the value, as
    /// [scalars](SummaryWriter::scalars) in one record; of each histogram the values that were recorded since the last
    /// step that was logged, if there were any, and how many of them were NaN or infinite as a scalar `<tag>/non_finite`.
    ///
    /// What is recorded meanwhile by other threads is in this step or in the next, once. What is recorded after the last
    /// call is not logged.
    pub fn set_step(&self, step: impl Step) {
        if !self.summary.is_recording(step) {
            return;
        }
        let Metrics {
            counters,
            gauges,
            histograms,
        } = &*self.metrics;
        let counters = counters.all();
        let counters = counters.iter().map(|Series { tag, state }| {
            let sum = state.load(Ordering::Acquire);
            (&**tag, sum.to_f32())
        });
        let gauges = gauges.all();
        let gauges = gauges.iter().map(|Series { tag, state }| {
            let value = f64::from_bits(state.load(Ordering::Acquire));
            (&**tag, value.to_f32())
        });
        self.summary.scalars(step, counters.chain(gauges));
        for Series { tag, state } in histograms.all() {
            let grid = state.take();
            if !grid.is_empty() {
                self.summary.histogram(&*tag, grid.histogram(), step);
            }
        }
    }
}

impl Recorder for MetricsRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.metrics.counters.describe(key, unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.metrics.gauges.describe(key, unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.metrics.histograms.describe(key, unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metrics.counters.register(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metrics.gauges.register(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(self.metrics.histograms.register(key))
    }
}

/// All metrics of one kind.
#[derive(Debug, Default)]
struct Family<T>(RwLock<Members<T>>);

#[derive(Debug)]
struct Members<T> {
    series: BTreeMap<Key, Series<T>>,
    /// Also of metrics that are still to come.
    descriptions: BTreeMap<KeyName, String>,
}

#[derive(Debug)]
struct Series<T> {
    tag: Arc<Tag<'static>>,
    state: Arc<T>,
}

impl<T: Default> Family<T> {
    fn describe(&self, name: KeyName, unit: Option<Unit>, description: &str) {
        let description = described(description, unit);
        let mut members = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, series) in &mut members.series {
            if key.name() == name.as_str() {
                series.tag = Arc::new(tag(key, Some(&description)));
            }
        }
        members.descriptions.insert(name, description);
    }

    /// The macros of `metrics` ask at each use.
    fn register(&self, key: &Key) -> Arc<T> {
        let members = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = members.series.get(key) {
            return Arc::clone(&series.state);
        }
        drop(members);
        let mut members = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Members {
            series,
            descriptions,
        } = &mut *members;
        let series = series.entry(key.clone()).or_insert_with(|| Series {
            tag: Arc::new(tag(key, descriptions.get(key.name()))),
            state: Arc::default(),
        });
        Arc::clone(&series.state)
    }

    /// In the order of their keys. The lock is not held when they are logged: a logger that hears of it may count that.
    fn all(&self) -> Vec<Series<T>> {
        let members = self.0.read().unwrap_or_else(PoisonError::into_inner);
        members.series.values().cloned().collect()
    }
}

// Not derived: those ask the same of `T`.
impl<T> Clone for Series<T> {
    fn clone(&self) -> Self {
        Self {
            tag: Arc::clone(&self.tag),
            state: Arc::clone(&self.state),
        }
    }
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self {
            series: BTreeMap::new(),
            descriptions: BTreeMap::new(),
        }
    }
}

fn tag(key: &Key, description: Option<&String>) -> Tag<'static> {
    // The order in which a program names them is not that of another place, or of its next version.
    let mut labels: Vec<_> = key.labels().collect();
    labels.sort();
    let mut name = key.name().to_owned();
    for (label, separator) in labels.iter().zip(iter::once('/').chain(iter::repeat(','))) {
        name.push(separator);
        name += label.key();
        name.push('=');
        name += label.value();
    }
    Tag::new(name).description(description.cloned().unwrap_or_default())
}

fn described(description: &str, unit: Option<Unit>) -> String {
    match unit.map(|unit| unit.as_str()) {
        None => description.to_owned(),
        Some(unit) if description.is_empty() => unit.to_owned(),
        Some(unit) => format!("{description} ({unit})"),
    }
}

/// What a histogram has got since the last step.
#[derive(Debug, Default)]
struct Gathered(Mutex<Grid>);

impl Gathered {
    fn take(&self) -> Grid {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, value: f64, count: u64) {
        let mut grid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grid.add(value, count);
    }
}

impl HistogramFn for Gathered {
    fn record(&self, value: f64) {
        self.add(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        self.add(value, count.try_into().unwrap_or(u64::MAX));
    }
}
