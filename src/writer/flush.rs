//! Waiting until what was logged is with the operating system, as long as it takes or within a limit.

use std::time::{Duration, Instant};

use super::{Run, SummaryWriter, enter};
use crate::error::{Error, Result};

impl SummaryWriter {
    /// Returns once all that was accepted before, here and in the runs below, is with the operating system: what was
    /// refused is counted in [`Stats::refused_count`](crate::Stats::refused_count). On a writer that is closed it says
    /// whether all was.
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
        if self.is_disabled() {
            return Ok(()); // also in a fork
        }
        let start = Instant::now();
        let outcome = self.run.flush(timeout);
        self.others().iter().fold(outcome, |outcome, other| {
            outcome.and(other.run.flush(timeout.saturating_sub(start.elapsed())))
        })
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
