//! Waiting until what was logged is with the operating system, as long as it takes or within a limit.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::tray::{State, Tray, Worker};
use super::{Run, SummaryWriter, enter};
use crate::error::{Error, Result};

impl SummaryWriter {
    /// Returns once all that was logged before, here and in the runs below, is with the operating system. On a writer that
    /// is closed it says whether all was.
    ///
    /// A disk that refuses is an error at once. One that neither takes nor refuses, as a network's that is away, keeps
    /// this waiting: [`flush_timeout`](Self::flush_timeout) has a limit.
    ///
    /// # Errors
    /// [`Error::Io`] if an attempt to write has failed. Nothing is lost by that: it is tried again, and this can be
    /// called again. [`Error::Closed`] in a fork of the process that opened the writer.
    pub fn flush(&self) -> Result<()> {
        self.flush_timeout(Duration::MAX)
    }

    /// [`flush`](Self::flush) that does not wait longer than `timeout`, here and in the runs below together. With
    /// [`Duration::ZERO`] it starts the writing, and says whether there was anything to write.
    ///
    /// ```
    /// use std::time::Duration;
    /// use summary_writer::{Error, SummaryWriter};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = SummaryWriter::create_file_writer(dir.path())?;
    /// summary.scalar("loss", 0.5, 0);
    /// match summary.flush_timeout(Duration::from_secs(10)) {
    ///     Err(Error::TimedOut { pending_bytes }) => eprintln!("{pending_bytes} bytes still wait for the disk"),
    ///     other => other?,
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TimedOut`] if the time is over, and no attempt to write has failed: what waits is kept, and written once
    /// the disk takes it. Else as [`flush`](Self::flush).
    pub fn flush_timeout(&self, timeout: Duration) -> Result<()> {
        self.run.flush(timeout)
    }
}

impl Run {
    pub(super) fn flush(&self, timeout: Duration) -> Result<()> {
        // In a fork somebody may hold the lock below who is not here.
        if self.tray.process.is_forked() {
            return Err(Error::Closed);
        }
        let start = Instant::now();
        let children: Vec<_> = enter(&self.children).clone();
        let open = children.iter().filter(|run| !run.tray.is_closed());
        let outcome = self.tray.flush(timeout);
        open.fold(outcome, |outcome, run| {
            outcome.and(run.flush(timeout.saturating_sub(start.elapsed())))
        })
    }
}

impl Tray {
    /// Returns once all that was accepted before is with the operating system, or an attempt that began after this call
    /// has failed, or the time is over.
    fn flush(&self, timeout: Duration) -> Result<()> {
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
