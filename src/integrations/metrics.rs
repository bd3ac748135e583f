//! A recorder for [`metrics`](https://docs.rs/metrics): counters, gauges and histograms, logged at the steps of the program.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::atomics::AtomicU64;
use metrics::{
    Counter, Gauge, GaugeFn, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::event::Step;
use crate::summary::{DEFAULT_BUCKETS, Histogram, Scalar, Tag};
use crate::writer::SummaryWriter;

/// A recorder for [`metrics`](https://docs.rs/metrics) that logs what a program counts and measures. Needs the feature
/// `metrics`.
///
/// It is a handle: install one clone, and call [`set_step`](Self::set_step) on another.
///
/// ```standalone_crate
/// use metrics::{counter, gauge, histogram};
/// use summary_writer::integrations::MetricsRecorder;
/// use summary_writer::SummaryWriter;
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
/// A global recorder is never dropped, and neither is its handle of the writer. Keep another handle and close the writer
/// before `main` ends, as here. Otherwise the records of the last
/// [flush interval](crate::WriterOptions::flush_interval) are lost.
///
/// # Tags
///
/// A tag is the metric's name. Labels follow as `name/label=value,other=value`, sorted by name, so that TensorBoard shows
/// all series of a metric in one group. A description, followed by the unit in brackets, becomes the
/// [description](Tag::description) of each series. Use a name for one kind of metric only, because within a run a tag
/// belongs to one kind of data.
///
/// # Memory
///
/// A histogram counts values in at most 64 buckets of equal width and does not keep them. The width is a power of two. It
/// doubles when a value is out of reach, so that usually more than 30 buckets cover the values. Counts, the lowest value and
/// the highest value are exact. A series is kept forever, so labels with ever new values take ever more memory.
///
/// # Forks
///
/// In a fork of the process nothing is logged. A call may block there if another thread used the recorder at the moment of
/// the fork, because the lock of the series is then never released.
#[derive(Clone, Debug)]
pub struct MetricsRecorder {
    summary: SummaryWriter,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Metrics {
    counters: Family<AtomicU64>,
    gauges: Family<SharedGauge>,
    histograms: Family<SharedBuckets>,
    descriptions: RwLock<BTreeMap<KeyName, String>>,
}

/// All metrics of one kind.
type Family<T> = RwLock<BTreeMap<Key, Arc<T>>>;

impl MetricsRecorder {
    /// Creates a recorder that logs through `summary`, which may be a [`scope`](SummaryWriter::scope).
    pub fn new(summary: SummaryWriter) -> Self {
        Self {
            summary,
            metrics: Arc::default(),
        }
    }

    /// Logs all metrics at `step`: the sums of counters and the values of gauges as [scalars](SummaryWriter::scalars) in one
    /// record, and for each histogram the values since the last logged step, if there are any. A gauge that was registered but
    /// never set is left out. The number of NaN and infinite values in a histogram is a scalar `<tag>/non_finite`.
    ///
    /// A value that another thread records meanwhile is in this step or in the next one. Values recorded after the last
    /// call are not logged.
    pub fn set_step(&self, step: impl Step) {
        if !self.summary.is_recording(step) {
            return;
        }
        let counters = self.series(&self.metrics.counters).into_iter();
        let counters = counters.map(|(tag, sum)| (tag, sum.load(Ordering::Acquire).to_f32()));
        let gauges = self.series(&self.metrics.gauges).into_iter();
        let gauges = gauges.filter_map(|(tag, gauge)| Some((tag, gauge.value()?.to_f32())));
        self.summary.scalars(step, counters.chain(gauges));
        for (tag, buckets) in self.series(&self.metrics.histograms) {
            let buckets = buckets.take();
            if !buckets.cells.is_empty() || buckets.non_finite > 0 {
                self.summary.histogram(tag, buckets.histogram(), step);
            }
        }
    }

    /// Returns a copy, so that no lock is held while the writer logs: it may call a logger that counts.
    fn series<T>(&self, family: &Family<T>) -> Vec<(Tag<'static>, Arc<T>)> {
        let family = family.read().unwrap_or_else(PoisonError::into_inner);
        let descriptions = self.metrics.descriptions.read();
        let descriptions = descriptions.unwrap_or_else(PoisonError::into_inner);
        let series = family.iter().map(|(key, state)| {
            let description = descriptions.get(key.name()).cloned();
            (tag(key, description.unwrap_or_default()), Arc::clone(state))
        });
        series.collect()
    }

    fn describe(&self, name: KeyName, unit: Option<Unit>, description: &str) {
        let description = match unit.map(|unit| unit.as_str()) {
            None => description.to_owned(),
            Some(unit) if description.is_empty() => unit.to_owned(),
            Some(unit) => format!("{description} ({unit})"),
        };
        let mut descriptions = self.metrics.descriptions.write();
        let descriptions = descriptions.as_mut().unwrap_or_else(PoisonError::get_mut);
        descriptions.insert(name, description);
    }
}

impl Recorder for MetricsRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(key, unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(key, unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(key, unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(register(&self.metrics.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(register(&self.metrics.gauges, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(register(&self.metrics.histograms, key))
    }
}

/// Returns the metric of a key. The macros of `metrics` call this at each use.
fn register<T: Default>(family: &Family<T>, key: &Key) -> Arc<T> {
    let known = family.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(state) = known.get(key) {
        return Arc::clone(state);
    }
    drop(known);
    let mut family = family.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(family.entry(key.clone()).or_default())
}

fn tag(key: &Key, description: String) -> Tag<'static> {
    // Sorted, because different places of a program may name the labels in different orders.
    let mut labels: Vec<_> = key.labels().collect();
    labels.sort();
    let labels = labels
        .iter()
        .map(|label| format!("{}={}", label.key(), label.value()));
    let labels = labels.collect::<Vec<_>>().join(",");
    let separator = if labels.is_empty() { "" } else { "/" };
    Tag::new([key.name(), separator, &labels].concat()).description(description)
}

/// A gauge and whether it was ever set.
#[derive(Debug, Default)]
struct SharedGauge {
    /// The bits of an `f64`.
    bits: AtomicU64,
    is_set: AtomicBool,
}

impl SharedGauge {
    fn value(&self) -> Option<f64> {
        let is_set = self.is_set.load(Ordering::Acquire);
        is_set.then(|| f64::from_bits(self.bits.load(Ordering::Acquire)))
    }
}

impl GaugeFn for SharedGauge {
    fn increment(&self, value: f64) {
        self.bits.increment(value);
        self.is_set.store(true, Ordering::Release);
    }

    fn decrement(&self, value: f64) {
        self.increment(-value);
    }

    fn set(&self, value: f64) {
        self.bits.set(value);
        self.is_set.store(true, Ordering::Release);
    }
}

#[derive(Debug, Default)]
struct SharedBuckets(Mutex<Buckets>);

impl SharedBuckets {
    fn take(&self) -> Buckets {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HistogramFn for SharedBuckets {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.add(value, count as u64);
    }
}

/// More than the 30 buckets that the dashboard draws, even if the values cover only half of them.
const MAX_CELLS: f64 = 64.0;

/// Counts of values that come one by one, in memory that does not grow with them.
#[derive(Debug, Default)]
struct Buckets {
    /// Cell `i` counts the values from `i * width` to `(i + 1) * width`.
    cells: BTreeMap<i64, u64>,
    /// A power of two. The first value chooses it so small that its cell is that value alone or nearly so.
    width: f64,
    lowest: f64,
    highest: f64,
    non_finite: u64,
}

impl Buckets {
    fn add(&mut self, value: f64, count: u64) {
        if count == 0 {
            return;
        }
        if !value.is_finite() {
            self.non_finite = self.non_finite.saturating_add(count);
            return;
        }
        if self.cells.is_empty() {
            self.width = first_width(value);
            (self.lowest, self.highest) = (value, value);
        }
        self.lowest = self.lowest.min(value);
        self.highest = self.highest.max(value);
        while self.cell(self.highest) - self.cell(self.lowest) >= MAX_CELLS {
            self.width *= 2.0;
            for (cell, count) in mem::take(&mut self.cells) {
                self.add_to_cell(cell.div_euclid(2), count);
            }
        }
        // It fits: the cell of the first value is below 2^52, and the others are near it.
        #[allow(clippy::cast_possible_truncation, reason = "see above")]
        self.add_to_cell(self.cell(value) as i64, count);
    }

    fn add_to_cell(&mut self, cell: i64, count: u64) {
        let total = self.cells.entry(cell).or_default();
        *total = total.saturating_add(count);
    }

    /// The cell of a value. It may be infinite before the width has grown.
    fn cell(&self, value: f64) -> f64 {
        (value / self.width).floor()
    }

    /// Returns a bucket for each cell from the lowest to the highest value.
    fn histogram(&self) -> Histogram {
        let mut rows = Vec::new();
        if let (Some((&first, _)), Some((&last, _))) =
            (self.cells.first_key_value(), self.cells.last_key_value())
        {
            rows.extend((first..=last).map(|cell| {
                let count = self.cells.get(&cell).copied().unwrap_or(0);
                let edge = |cell: i64| (cell as f64 * self.width).clamp(self.lowest, self.highest);
                [edge(cell), edge(cell + 1), count as f64]
            }));
            // The last bucket includes its right edge, as in other histograms.
            if let [.., [_, _, count], [left, right, last_count]] = &mut rows[..]
                && left == right
            {
                *count += *last_count;
                rows.pop();
            }
        }
        match rows[..] {
            [] => Histogram::without_range(None, DEFAULT_BUCKETS, self.non_finite),
            [row] if row[0] == row[1] => {
                Histogram::without_range(Some(row), DEFAULT_BUCKETS, self.non_finite)
            }
            _ => Histogram::from_rows(rows, self.non_finite),
        }
    }
}

/// Returns a power of two that divides the value, or the smallest positive number if there is none.
fn first_width(value: f64) -> f64 {
    let power_of_two = f64::from_bits(value.to_bits() & f64::INFINITY.to_bits());
    (power_of_two * (2.0 * f64::EPSILON)).max(f64::from_bits(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[f64]) -> Histogram {
        let mut buckets = Buckets::default();
        values.iter().for_each(|value| buckets.add(*value, 1));
        buckets.histogram()
    }

    fn from_buckets(edges: &[f64], counts: &[u64]) -> Histogram {
        Histogram::from_buckets(edges, counts).unwrap()
    }

    #[test]
    fn bucket_width_is_a_power_of_two_whatever_the_order_of_values() {
        // 64 cells of width 1 do not cover 0 to 100; of width 2 they do.
        let mut values: Vec<f64> = (0..=100).map(f64::from).collect();
        let edges: Vec<f64> = (0..=50).map(|edge| f64::from(2 * edge)).collect();
        let mut counts = [2; 50];
        counts[49] = 3; // 98, 99 and the right edge
        let want = from_buckets(&edges, &counts);
        assert_eq!(histogram(&values), want);
        values.reverse();
        assert_eq!(histogram(&values), want);
        fastrand::Rng::with_seed(1).shuffle(&mut values);
        assert_eq!(histogram(&values), want);
    }

    #[test]
    fn outer_edges_are_the_lowest_and_the_highest_value() {
        // Cells of width 2 from -34 to 32.
        let values = [-0.5, 31.25, 0.0, -33.5, 30.0];
        let mut edges = vec![-33.5];
        edges.extend((-16..=15).map(|edge| f64::from(2 * edge)));
        edges.push(31.25);
        let mut counts = [0; 33];
        counts[0] = 1;
        counts[16] = 1; // -2 to 0
        counts[17] = 1;
        counts[32] = 2;
        assert_eq!(histogram(&values), from_buckets(&edges, &counts));
    }

    #[test]
    fn equal_values_have_buckets_without_width() {
        for value in [0.0, 1.0, -0.1, f64::MAX, f64::MIN, 5e-324, -5e-324] {
            let want = Histogram::new(&[value; 3]);
            assert_eq!(histogram(&[value; 3]), want, "{value}");
        }
        let want = from_buckets(&[0.0, 5e-324], &[2]);
        assert_eq!(histogram(&[0.0, 5e-324]), want);
    }

    #[test]
    fn range_of_all_floats_does_not_overflow() {
        // 64 cells of 2^1019 reach from the lowest float to the highest.
        let width = 2f64.powi(1019);
        let mut edges: Vec<f64> = (-31..=31).map(|edge| f64::from(edge) * width).collect();
        edges.insert(0, f64::MIN);
        edges.push(f64::MAX);
        let mut counts = [0; 64];
        counts[0] = 1;
        counts[31] = 1; // -1
        counts[32] = 2; // 0 and 1
        counts[63] = 1;
        for values in [
            [f64::MAX, f64::MIN, 0.0, 1.0, -1.0],
            [0.0, 1.0, -1.0, f64::MIN, f64::MAX],
            [f64::MIN, 0.0, 1.0, -1.0, f64::MAX],
        ] {
            assert_eq!(histogram(&values), from_buckets(&edges, &counts));
        }
    }

    #[test]
    fn every_value_is_counted_between_the_edges_of_its_bucket() {
        let mut random = fastrand::Rng::with_seed(2026);
        for case in 0..200 {
            let exponents = 1 + case % 60;
            let values: Vec<f64> = (0..random.usize(1..200))
                .map(|_| (random.f64() - 0.3) * 2f64.powi(random.i32(0..exponents)))
                .collect();
            let rows = histogram(&values).rows().to_vec();
            assert!(rows.len() <= 64);
            let mut total = 0.0;
            for (i, [left, right, count]) in rows.iter().enumerate() {
                let is_last = i == rows.len() - 1;
                let is_in =
                    |value: &&f64| left <= *value && (*value < right || is_last && *value == right);
                let want = values.iter().filter(is_in).count() as f64;
                assert_eq!(*count, want, "case {case}, from {left} to {right}");
                total += count;
            }
            assert_eq!(total, values.len() as f64);
        }
    }

    #[test]
    fn values_that_are_not_finite_are_counted_separately() {
        let mut buckets = Buckets::default();
        buckets.add(f64::NAN, 1);
        buckets.add(f64::INFINITY, 2);
        buckets.add(0.5, 0);
        assert_eq!(buckets.histogram(), Histogram::new(&[f64::NAN; 3]));
    }

    #[test]
    fn counts_beyond_u64_saturate() {
        let mut buckets = Buckets::default();
        buckets.add(0.5, u64::MAX);
        buckets.add(0.5, u64::MAX);
        assert_eq!(buckets.histogram().rows()[29], [0.5, 0.5, u64::MAX as f64]);
    }
}
