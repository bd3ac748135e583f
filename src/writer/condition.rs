//! Handles that log only some steps, or nothing.

use std::fmt;
use std::sync::Arc;

use super::SummaryWriter;
use crate::event::Step;

/// Decides which steps a handle logs.
#[derive(Clone)]
pub(super) enum Condition {
    Never,
    /// The multiples of a number; 0 is never.
    Every(u64),
    If(Arc<dyn Fn(i64) -> bool + Send + Sync>),
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("Never"),
            Self::Every(steps) => write!(f, "Every({steps})"),
            Self::If(_) => f.write_str("If"),
        }
    }
}

impl Condition {
    fn holds(&self, step: i64) -> bool {
        match self {
            Self::Never => false,
            Self::Every(steps) => *steps != 0 && step.unsigned_abs().is_multiple_of(*steps),
            Self::If(condition) => condition(step),
        }
    }
}

impl SummaryWriter {
    /// Returns a handle that logs only steps that are multiples of `steps`, including 0. With 0 it logs nothing. Data without
    /// a step, such as a graph, counts as step 0.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// # let weights = [0.5f32];
    /// let sparse = summary.record_every(100);
    /// for step in 0..1000 {
    ///     summary.scalar("loss", 0.5, step);
    ///     sparse.histogram("weights", &weights, step); // counted and logged at steps 0, 100, 200 ...
    ///     if sparse.is_recording(step) {
    ///         // Compute something expensive.
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn record_every(&self, steps: u64) -> Self {
        self.with_condition(Condition::Every(steps))
    }

    /// Returns a handle that logs only steps for which `condition` returns `true`, and for which the conditions of this handle
    /// hold. `condition` is called on the thread that logs.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let evaluating = Arc::new(AtomicBool::new(false));
    /// let is_evaluating = Arc::clone(&evaluating);
    /// let summary = summary.record_if(move |_step| is_evaluating.load(Ordering::Relaxed));
    /// summary.scalar("score", 1, 0); // not logged
    /// evaluating.store(true, Ordering::Relaxed);
    /// summary.scalar("score", 2, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn record_if(&self, condition: impl Fn(i64) -> bool + Send + Sync + 'static) -> Self {
        self.with_condition(Condition::If(Arc::new(condition)))
    }

    /// Returns whether this handle logs the step: `false` for a [disabled](Self::disabled) writer, otherwise what
    /// [`record_every`](Self::record_every) and [`record_if`](Self::record_if) decide.
    pub fn is_recording(&self, step: impl Step) -> bool {
        !self.is_conditional() || self.is_recorded(step.to_i64())
    }

    pub(super) fn with_condition(&self, condition: Condition) -> Self {
        let conditions = self.conditions.iter().cloned().chain([condition]);
        Self {
            conditions: conditions.collect(),
            ..self.clone()
        }
    }

    /// Returns whether this handle has conditions.
    #[inline]
    pub(super) fn is_conditional(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Returns whether all conditions hold for the step, or for the nearest `i64`.
    #[inline]
    pub(super) fn is_recorded(&self, step: Result<i64, i64>) -> bool {
        let step = step.unwrap_or_else(|nearest| nearest);
        self.conditions
            .iter()
            .all(|condition| condition.holds(step))
    }

    /// Returns whether this is a handle of a [disabled](Self::disabled) writer.
    pub(super) fn is_disabled(&self) -> bool {
        self.conditions
            .iter()
            .any(|condition| matches!(condition, Condition::Never))
    }
}
