//! Handles that log only some steps, or nothing.

use std::fmt;
use std::sync::Arc;

use super::SummaryWriter;

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
