//! Replaces functions of the standard library that panic on some platforms: on `wasm32-unknown-unknown`, the clocks and
//! `process::id` do.

use std::process;
use std::time::{Duration, Instant};

/// There is neither a clock nor a process.
const IS_BARE: bool = cfg!(all(target_family = "wasm", target_os = "unknown"));

pub(crate) const HAS_CLOCK: bool = !IS_BARE;
pub(crate) const HAS_THREADS: bool = !cfg!(target_family = "wasm");

/// Returns the number of this process, or 0 where there are no processes.
pub(crate) fn process_id() -> u32 {
    if IS_BARE { 0 } else { process::id() }
}

/// A span of time that several steps share. It does not pass where there is no clock.
pub(crate) struct Timeout {
    start: Option<Instant>,
    timeout: Duration,
}

impl Timeout {
    pub(crate) fn new(timeout: Duration) -> Self {
        let start = (!IS_BARE).then(Instant::now);
        Self { start, timeout }
    }

    /// Returns what is left of the time.
    pub(crate) fn left(&self) -> Duration {
        let elapsed = self.start.map_or(Duration::ZERO, |start| start.elapsed());
        self.timeout.saturating_sub(elapsed)
    }
}
