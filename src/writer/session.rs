//! A run that has logged hyperparameters is a session: when its writer is closed, it says how it ended.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::frames;
use crate::proto::hparams::Status;

#[derive(Debug, Default)]
pub(super) struct Session {
    start_count: AtomicU64,
    ended: AtomicBool,
}

impl Session {
    pub(super) fn start(&self) {
        if self.start_count.fetch_add(1, Ordering::Relaxed) == 1 {
            log::warn!(
                "hyperparameters are logged again in one run: stock TensorBoard keeps the first"
            );
        }
    }

    /// The caller ends it by itself.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// The last record of a writer that is closed now; empty where there is nothing to end.
    pub(super) fn end_frame(&self) -> Vec<u8> {
        let started = self.start_count.load(Ordering::Relaxed) > 0;
        if !started || self.ended.load(Ordering::Relaxed) {
            return Vec::new();
        }
        frames::session_end_frame(if thread::panicking() {
            Status::Failure
        } else {
            Status::Success
        })
    }
}
