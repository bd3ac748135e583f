//! Waiting until what was accepted is flushed, or why it is not.

use std::time::Duration;

use super::sync::PoisonError;
use super::tray::{State, Tray, Worker};
use crate::error::{Error, Result};

impl Tray {
    /// Returns once all that was accepted before is with the operating system, or an attempt that began after this call
    /// has failed, or the time is over.
    pub(super) fn flush(&self, timeout: Duration) -> Result<()> {
        let mut state = self.lock()?;
        let target = state.accepted.bytes;
        if state.flushed.bytes < target && state.worker != Worker::Ended {
            self.is_not_worker("flush")?;
            let attempt = state.attempt;
            state.wanted_bytes = target;
            state.wanted_attempt = attempt + 1;
            self.work.notify_one();
            let must_wait = |state: &State| {
                state.flushed.bytes < target
                    && state.failed_attempt <= attempt
                    && state.worker != Worker::Ended
            };
            (state, _) = self
                .progress
                .wait_timeout_while(state, timeout, |state| must_wait(state))
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.outcome(target)
    }
}

impl State {
    /// Whether all up to `target` is flushed, once somebody has waited for it.
    pub(super) fn outcome(&self, target: u64) -> Result<()> {
        let is_flushed = self.flushed.bytes >= target;
        let has_ended = self.worker == Worker::Ended;
        match &self.failure {
            Some(error) if !is_flushed || has_ended => Err(error.clone()),
            _ if is_flushed => Ok(()),
            _ if has_ended => Err(Error::Closed),
            _ => Err(Error::TimedOut {
                pending_bytes: target - self.flushed.bytes,
            }),
        }
    }
}
