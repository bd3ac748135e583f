//! Events and spans of the crate `tracing`: numbers to scalars, words to text, spans to durations.

mod fields;
mod span;

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope, SpanRef};

use crate::writer::SummaryWriter;
use fields::{Given, StepField};
use span::{SpanState, SpanStates};

/// A layer for [`tracing`](https://docs.rs/tracing) that logs the events and spans of a step.
///
/// ```standalone_crate
/// use summary_writer::{SummaryWriter, TracingLayer};
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
/// tracing::info!(step = 10, loss = 0.1); // a step of its own
/// tracing::info!(ready = true); // of no step: not logged
/// summary.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A subscriber that is in place for good is never dropped, nor is its handle of the writer: keep another and close it before
/// `main` ends, as here. Else what the last [flush interval](crate::WriterOptions::flush_interval) logged is lost, which of a
/// short program is all.
///
/// # Steps
///
/// The step of an event is its field `step`, or that of the nearest span around it that has one; without either, the
/// event is not logged. A span has the step that it was made with, or that [`record`] gave it since; the field must be
/// declared when it is made, as `step = tracing::field::Empty`. A step is any integer, or a float without a fraction.
/// An event whose step is anything else, as a step by `?` or `%`, is not logged; such a span counts as one without a
/// step. The first case is reported through [`log`](https://docs.rs/log).
///
/// # Events
///
/// - Fields that are integers, floats or `bool`s are scalars, all in one record. Their tags are their names.
/// - The message and the other fields, as ` name=value`, are a text: Markdown, as every text. Its tag is `log/` and the
///   event's name, if it was given one (`tracing::info!(name: "checkpoint", ..)`), else its target and line, as
///   `log/digits::train:42`; so two messages of one step do not meet in one tag, where TensorBoard would show the last.
///
/// Records of the `log` crate, which `tracing_log::LogTracer` makes events of, are texts of the span they are said in.
///
/// # Spans
///
/// A span with a step is a scalar when it closes, `duration/` and its name, of the seconds in which it was entered: by
/// several threads at a time counts once, and waiting of a future does not count. One that was never entered is not
/// logged. Of several spans of one name and step, TensorBoard shows the last. Other fields of spans are not logged.
///
/// # Which
///
/// Everything of every crate is logged, at every level, if it has a step. A [filter] of `tracing-subscriber` chooses,
/// for this layer alone. A span that it disables gives no step.
///
/// ```
/// use tracing_subscriber::filter::{LevelFilter, Targets};
/// use tracing_subscriber::prelude::*;
/// # use summary_writer::{SummaryWriter, TracingLayer};
/// # let summary = SummaryWriter::create_file_writer(tempfile::tempdir()?.path())?;
///
/// // This crate from `DEBUG` on, all others from `WARN` on.
/// let which = Targets::new()
///     .with_default(LevelFilter::WARN)
///     .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
/// let layer = TracingLayer::new(summary).with_filter(which);
/// # let _ = tracing_subscriber::registry().with(layer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What is said while this layer logs, on the same thread, is not logged by it: a report of the writer itself makes no
/// circle.
///
/// [`record`]: https://docs.rs/tracing/latest/tracing/struct.Span.html#method.record
/// [filter]: tracing_subscriber::filter
#[derive(Debug)]
pub struct TracingLayer {
    summary: SummaryWriter,
    step_field: String,
    is_prefixed: bool,
    /// Among all layers: a subscriber may have several, and keeps the states of a span for all.
    id: u64,
    has_reported: AtomicBool,
}

impl TracingLayer {
    /// A layer that logs through `summary`, which may be a [`scope`](SummaryWriter::scope).
    pub fn new(summary: SummaryWriter) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self {
            summary,
            step_field: "step".into(),
            is_prefixed: false,
            id: COUNT.fetch_add(1, Ordering::Relaxed),
            has_reported: AtomicBool::new(false),
        }
    }

    /// The name of the field that is the step, of events and of spans. Default: `step`.
    #[must_use]
    pub fn step_field(mut self, name: impl Into<String>) -> Self {
        self.step_field = name.into();
        self
    }

    /// Whether the names of the spans around an event or a span stand before its tags: in the spans `epoch` and `batch`,
    /// `loss` is `epoch/batch/loss`, and the duration of `batch` is `epoch/duration/batch`. Default: `false`, for curves
    /// of one name are one curve wherever they come from.
    #[must_use]
    pub fn span_prefix(mut self, is_prefixed: bool) -> Self {
        self.is_prefixed = is_prefixed;
        self
    }

    /// The handle for what is said inside `spans`, the innermost first.
    fn within<'a, S>(&self, spans: impl Iterator<Item = SpanRef<'a, S>>) -> Cow<'_, SummaryWriter>
    where
        S: for<'b> LookupSpan<'b> + 'a,
    {
        if !self.is_prefixed {
            return Cow::Borrowed(&self.summary);
        }
        let mut names: Vec<_> = spans.map(|span| span.name()).collect();
        names.reverse();
        match names[..] {
            [] => Cow::Borrowed(&self.summary),
            _ => Cow::Owned(self.summary.scope(names.join("/"))),
        }
    }

    fn has_step_field(&self, metadata: &Metadata<'_>) -> bool {
        metadata.fields().field(&self.step_field).is_some()
    }

    /// What `work` makes of this layer's state of a span, if the span has one. The span is locked meanwhile, for all layers.
    fn with_state<S, T>(
        &self,
        span: &SpanRef<'_, S>,
        work: impl FnOnce(&mut SpanState) -> T,
    ) -> Option<T>
    where
        S: for<'a> LookupSpan<'a>,
    {
        if !self.has_step_field(span.metadata()) {
            return None;
        }
        let mut extensions = span.extensions_mut();
        let states = extensions.get_mut::<SpanStates>()?;
        states.of(self.id).map(work)
    }

    /// The step of the nearest span that has one.
    fn step_of<S>(&self, spans: Option<Scope<'_, S>>) -> Option<i128>
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut steps = spans?.filter_map(|span| self.with_state(&span, |state| state.step)?);
        steps.next()
    }

    /// The step that a field gives, if it gives one.
    fn checked(&self, given: Given, whose: &Metadata<'_>) -> Option<i128> {
        let problem = match given {
            Given::Nothing => return None,
            Given::Step(step) => return Some(step),
            Given::Unusable(problem) => problem,
        };
        if !self.has_reported.swap(true, Ordering::Relaxed) {
            let (field, name) = (&self.step_field, whose.name());
            log::warn!(
                "the field `{field}` of `{name}` is {problem}, an integer fits, without `?` and `%`, which make it text: an \
                 event is not logged then, a span gives no step"
            );
        }
        None
    }
}

impl<S> Layer<S> for TracingLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !self.has_step_field(attributes.metadata()) {
            return;
        }
        let Some(span) = context.span(id) else {
            return;
        };
        let mut field = StepField::new(&self.step_field);
        attributes.record(&mut field);
        let state = SpanState {
            step: self.checked(field.given, attributes.metadata()),
            ..SpanState::default()
        };
        SpanStates::add(&mut span.extensions_mut(), self.id, state);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut field = StepField::new(&self.step_field);
        values.record(&mut field);
        if !matches!(field.given, Given::Nothing) {
            let step = self.checked(field.given, span.metadata());
            self.with_state(&span, |state| state.step = step);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            self.with_state(&span, |state| state.busy.enter(Instant::now()));
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            self.with_state(&span, |state| state.busy.leave(Instant::now()));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let state = self.with_state(&span, |state| (state.step, state.busy.total()));
        if let (Some((Some(step), Some(busy))), Some(_inside)) = (state, Inside::enter()) {
            let tag = format!("duration/{}", span.name());
            let summary = self.within(span.scope().skip(1));
            summary.scalar(tag, busy.as_secs_f64(), step);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(_inside) = Inside::enter() else {
            return;
        };
        let own = if self.has_step_field(event.metadata()) {
            let mut field = StepField::new(&self.step_field);
            event.record(&mut field);
            field.given
        } else {
            Given::Nothing
        };
        let step = match own {
            Given::Nothing => self.step_of(context.event_scope(event)),
            own => self.checked(own, event.metadata()),
        };
        let Some(step) = step else {
            return;
        };
        let fields = fields::read(event, &self.step_field);
        let summary = self.within(context.event_scope(event).into_iter().flatten());
        summary.scalars(step, fields.numbers);
        if !fields.text.is_empty() {
            summary.text(fields.text_tag, fields.text, step);
        }
    }
}

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// While there is one, this thread logs for a layer. The writer may report something meanwhile, and a field's `Debug`
/// may say something: that comes here again by way of `log` or `tracing`.
struct Inside;

impl Inside {
    /// `None` if the thread is inside already, or ends.
    fn enter() -> Option<Self> {
        let was_inside = IS_INSIDE.try_with(|inside| inside.replace(true));
        (was_inside == Ok(false)).then_some(Self)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        IS_INSIDE.try_with(|inside| inside.set(false)).ok();
    }
}
