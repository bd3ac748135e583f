//! A layer for [`tracing`](https://docs.rs/tracing): numbers become scalars, messages become texts, spans become durations.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::summary::Scalar;
use crate::writer::SummaryWriter;

/// A layer for [`tracing`](https://docs.rs/tracing) that logs events and spans that have a step. Needs the feature
/// `tracing`.
///
/// ```standalone_crate
/// use summary_writer::integrations::TracingLayer;
/// use summary_writer::SummaryWriter;
/// use tracing_subscriber::prelude::*;
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path();
///
/// let summary = SummaryWriter::create_file_writer(logdir)?;
/// let layer = TracingLayer::new(summary.clone());
/// tracing_subscriber::registry().with(layer).init();
///
/// for step in 0..10 {
///     let span = tracing::info_span!("epoch", step).entered();
///     tracing::info!(loss = 0.3, accuracy = 0.9); // scalars `loss` and `accuracy` of this step
///     tracing::info!(path = "best.bin", "saved"); // text: saved path=best.bin
///     drop(span); // scalar `duration/epoch`, in seconds
/// }
/// tracing::info!(step = 10, loss = 0.1); // an event with its own step
/// tracing::info!(ready = true); // not logged: it has no step
/// summary.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A global subscriber is never dropped, and neither is the layer's handle of the writer. Keep another handle and close
/// the writer before `main` ends, as here. Otherwise the records of the last
/// [flush interval](crate::WriterOptions::flush_interval) are lost.
///
/// # Steps
///
/// The step of an event is its field `step`, or that of the innermost span around it that has one. Events without a step
/// are not logged. A span has the step that it was created with, or that was [recorded][`record`] later, if the field was
/// declared as `step = tracing::field::Empty`. A step is an integer or a float without a fraction. An event with any other
/// step, such as one recorded with `?` or `%`, is not logged, and such a span counts as one without a step. The first such
/// step is reported through [`log`](https://docs.rs/log).
///
/// # Events
///
/// - Fields with integers, floats or `bool`s are scalars, all in one record. Their tags are their names.
/// - The message and the other fields, as ` name=value`, are a text, which is rendered as Markdown. Its tag is `log/` and
///   the name of the event if it was given one (`tracing::info!(name: "checkpoint", ..)`). Otherwise it is `log/`, the
///   target and the line, such as `log/digits::train:42`, because TensorBoard's default loader shows only one text for each
///   tag and step.
///
/// Records of the `log` crate that `tracing_log::LogTracer` turns into events are logged as texts, too.
///
/// # Spans
///
/// When a span with a step closes, the seconds during which it was entered are logged as a scalar with the tag `duration/`
/// and its name. Time during which several threads are inside counts once, and time during which a future waits does not
/// count. A span that was never entered is not logged. If several spans have one name and step, TensorBoard's default
/// loader shows the last. Other fields of spans are not logged.
///
/// # Filters
///
/// The layer logs all levels of all crates. A [filter] of `tracing-subscriber` restricts it and no other layer. A span that
/// the filter disables gives no step.
///
/// ```
/// use tracing_subscriber::filter::{LevelFilter, Targets};
/// use tracing_subscriber::prelude::*;
/// # use summary_writer::integrations::TracingLayer;
/// # use summary_writer::SummaryWriter;
/// # let summary = SummaryWriter::create_file_writer(tempfile::tempdir()?.path())?;
///
/// // This crate from `DEBUG` on, all others from `WARN` on.
/// let targets = Targets::new()
///     .with_default(LevelFilter::WARN)
///     .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
/// let layer = TracingLayer::new(summary).with_filter(targets);
/// # let _ = tracing_subscriber::registry().with(layer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Events on a thread on which the layer is logging are ignored, so that a warning of the writer cannot cause another one
/// without end.
///
/// In a fork of the process nothing is logged. A span may block there if another thread opened or closed a span at the moment
/// of the fork, because the lock of the open spans is then never released.
///
/// [`record`]: https://docs.rs/tracing/latest/tracing/struct.Span.html#method.record
/// [filter]: tracing_subscriber::filter
#[derive(Debug)]
pub struct TracingLayer {
    summary: SummaryWriter,
    step_field: String,
    span_prefix: bool,
    /// The open spans that have a step field.
    spans: Mutex<HashMap<Id, SpanState>>,
    has_reported: AtomicBool,
}

impl TracingLayer {
    /// Creates a layer that logs through `summary`, which may be a [`scope`](SummaryWriter::scope).
    pub fn new(summary: SummaryWriter) -> Self {
        Self {
            summary,
            step_field: "step".into(),
            span_prefix: false,
            spans: Mutex::default(),
            has_reported: AtomicBool::new(false),
        }
    }

    /// Sets the name of the field that has the step, in events and spans. Default: `step`.
    #[must_use]
    pub fn step_field(mut self, name: impl Into<String>) -> Self {
        self.step_field = name.into();
        self
    }

    /// Sets whether tags start with the names of the spans around: in the spans `epoch` and `batch`, `loss` becomes
    /// `epoch/batch/loss`, and the duration of `batch` is `epoch/duration/batch`. Default: `false`, so that a
    /// tag does not depend on the place in the program.
    #[must_use]
    pub fn span_prefix(mut self, span_prefix: bool) -> Self {
        self.span_prefix = span_prefix;
        self
    }

    /// The handle for data logged inside `spans`, which come innermost first.
    fn writer<'a, S>(&self, spans: impl Iterator<Item = SpanRef<'a, S>>) -> Cow<'_, SummaryWriter>
    where
        S: for<'b> LookupSpan<'b> + 'a,
    {
        if !self.span_prefix {
            return Cow::Borrowed(&self.summary);
        }
        let mut names: Vec<_> = spans.map(|span| span.name()).collect();
        names.reverse();
        if names.is_empty() {
            return Cow::Borrowed(&self.summary);
        }
        Cow::Owned(self.summary.scope(names.join("/")))
    }

    fn spans(&self) -> MutexGuard<'_, HashMap<Id, SpanState>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_step_field(&self, metadata: &Metadata<'_>) -> bool {
        metadata.fields().field(&self.step_field).is_some()
    }

    /// Returns the step of a field, and reports the first field that has something else.
    fn checked(&self, step: Result<i128, String>, metadata: &Metadata<'_>) -> Option<i128> {
        step.inspect_err(|value| {
            if !self.has_reported.swap(true, Ordering::Relaxed) {
                let (field, name) = (&self.step_field, metadata.name());
                self.summary.reporter().warn(format_args!(
                    "expected an integer in the field `{field}` of `{name}`, recorded without `?` and `%`, got {value}: \
                     events with such a step are not logged, spans with it count as spans without a step"
                ));
            }
        })
        .ok()
    }
}

impl<S> Layer<S> for TracingLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if self.has_step_field(metadata) {
            let mut fields = Fields::new(&self.step_field);
            attributes.record(&mut fields);
            let state = SpanState {
                step: fields.step.and_then(|step| self.checked(step, metadata)),
                ..SpanState::default()
            };
            self.spans().insert(id.clone(), state);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new(&self.step_field);
        values.record(&mut fields);
        if let (Some(step), Some(metadata)) = (fields.step, context.metadata(id)) {
            let step = self.checked(step, metadata);
            if let Some(state) = self.spans().get_mut(id) {
                state.step = step;
            }
        }
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        if let Some(state) = self.spans().get_mut(id) {
            state.enter(Instant::now());
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if let Some(state) = self.spans().get_mut(id) {
            state.exit(Instant::now());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let state = self.spans().remove(&id).unwrap_or_default();
        if let (Some(step), Some(busy)) = (state.step, state.busy)
            && let Some(span) = context.span(&id)
            && let Some(_guard) = LoggingGuard::new()
        {
            let summary = self.writer(span.scope().skip(1));
            let tag = format!("duration/{}", span.name());
            summary.scalar(tag, busy.as_secs_f64(), step);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(_guard) = LoggingGuard::new() else {
            return;
        };
        let scope = || context.event_scope(event).into_iter().flatten();
        let span_step = scope().find_map(|span| self.spans().get(&span.id())?.step);
        if span_step.is_none() && !self.has_step_field(event.metadata()) {
            return;
        }
        let mut fields = Fields::new(&self.step_field);
        event.record(&mut fields);
        let step = match fields.step.take() {
            Some(step) => self.checked(step, event.metadata()),
            None => span_step,
        };
        if let Some(step) = step {
            let summary = self.writer(scope());
            let text = fields.text();
            summary.scalars(step, fields.numbers);
            if !text.is_empty() {
                summary.text(text_tag(event), text, step);
            }
        }
    }
}

fn text_tag(event: &Event<'_>) -> String {
    let of_log_crate = event.normalized_metadata();
    let metadata = of_log_crate.as_ref().unwrap_or(event.metadata());
    // `tracing` names an event `event src/main.rs:42` unless the program gives it a name.
    if of_log_crate.is_none() && !metadata.name().starts_with("event ") {
        return format!("log/{}", metadata.name());
    }
    match metadata.line() {
        Some(line) => format!("log/{}:{line}", metadata.target()),
        None => format!("log/{}", metadata.target()),
    }
}

#[derive(Debug, Default)]
struct SpanState {
    step: Option<i128>,
    /// How often threads are inside at the moment.
    entered: usize,
    /// When the first of them entered.
    since: Option<Instant>,
    /// The time that counts, if the span was entered and left.
    busy: Option<Duration>,
}

impl SpanState {
    fn enter(&mut self, now: Instant) {
        self.entered += 1;
        self.since.get_or_insert(now);
    }

    fn exit(&mut self, now: Instant) {
        self.entered = self.entered.saturating_sub(1);
        if self.entered == 0
            && let Some(since) = self.since.take()
        {
            let elapsed = now.saturating_duration_since(since);
            self.busy = Some(self.busy.unwrap_or_default().saturating_add(elapsed));
        }
    }
}

/// The fields of an event or a span.
struct Fields<'a> {
    step_field: &'a str,
    /// The error is the value that is not a step.
    step: Option<Result<i128, String>>,
    numbers: Vec<(&'static str, f32)>,
    message: String,
    /// The other fields, each with a space before it.
    words: String,
}

/// Fields that `tracing-log` adds to records of the `log` crate.
const LOG_FIELDS: [&str; 4] = ["log.target", "log.module_path", "log.file", "log.line"];

impl<'a> Fields<'a> {
    fn new(step_field: &'a str) -> Self {
        Self {
            step_field,
            step: None,
            numbers: Vec::new(),
            message: String::new(),
            words: String::new(),
        }
    }

    fn text(&self) -> String {
        let text = [&*self.message, &*self.words].concat();
        text.trim_start().to_owned()
    }

    fn add_number(&mut self, field: &Field, value: f32, step: Result<i128, String>) {
        if field.name() == self.step_field {
            self.step = Some(step);
        } else if !LOG_FIELDS.contains(&field.name()) {
            self.numbers.push((field.name(), value));
        }
    }
}

impl Visit for Fields<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_number(field, value.to_f32(), Ok(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_number(field, value.to_f32(), Ok(value.into()));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add_number(field, value.to_f32(), Ok(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        // The writer replaces what is beyond `i64`, and reports it.
        let step = value.try_into().unwrap_or(i128::MAX);
        self.add_number(field, value.to_f32(), Ok(step));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        #[allow(clippy::cast_possible_truncation, reason = "it has no fraction")]
        let step = if value.fract() == 0.0 {
            Ok(value as i128)
        } else {
            Err(value.to_string())
        };
        self.add_number(field, value.to_f32(), step);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_number(field, value.to_f32(), Err(value.to_string()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Without the quotes of `Debug`.
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let name = field.name();
        // Writing to a `String` fails only if `Debug` does. The text before the failure is kept.
        if name == self.step_field {
            let mut text = String::new();
            write!(text, "`{value:?}`").ok();
            self.step = Some(Err(text));
        } else if name == "message" {
            write!(self.message, "{value:?}").ok();
        } else if !LOG_FIELDS.contains(&name) {
            write!(self.words, " {name}={value:?}").ok();
        }
    }
}

thread_local! {
    static IS_LOGGING: Cell<bool> = const { Cell::new(false) };
}

/// Exists while a layer logs on this thread.
struct LoggingGuard;

impl LoggingGuard {
    /// Returns `None` if there is a guard already, or if the thread is ending.
    fn new() -> Option<Self> {
        let was_logging = IS_LOGGING.try_with(|is_logging| is_logging.replace(true));
        (was_logging == Ok(false)).then_some(Self)
    }
}

impl Drop for LoggingGuard {
    fn drop(&mut self) {
        IS_LOGGING.try_with(|is_logging| is_logging.set(false)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_once_if_several_threads_are_inside() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut span = SpanState::default();
        assert_eq!(span.busy, None);
        span.enter(at(100));
        span.exit(at(150));
        assert_eq!(span.busy, Some(Duration::from_millis(50)));

        // Three are inside from 1000 to 1010, then one from 2000 to 2003.
        span.enter(at(1000));
        span.enter(at(1001));
        span.exit(at(1002));
        span.enter(at(1003));
        span.exit(at(1005));
        assert_eq!(span.busy, Some(Duration::from_millis(50)));
        span.exit(at(1010));
        span.enter(at(2000));
        span.exit(at(2003));
        assert_eq!(span.busy, Some(Duration::from_millis(50 + 10 + 3)));
    }

    #[test]
    fn clock_going_back_and_extra_exit_are_harmless() {
        let start = Instant::now();
        let mut span = SpanState::default();
        span.exit(start);
        assert_eq!(span.busy, None);
        span.enter(start + Duration::from_secs(1));
        span.exit(start);
        assert_eq!(span.busy, Some(Duration::ZERO));
    }
}
