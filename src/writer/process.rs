//! Which process this is: in a fork of the one that opened a writer there is no thread that would take its records.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
    reported: AtomicBool,
}

impl Process {
    pub(crate) fn current() -> Self {
        Self {
            id: process::id(),
            reported: AtomicBool::new(false),
        }
    }

    /// Whether this process is a fork of that one; reported once. It asks the system: not for every record.
    pub(crate) fn is_forked(&self) -> bool {
        let is_forked = process::id() != self.id;
        if is_forked && !self.reported.swap(true, Ordering::Relaxed) {
            log::error!(
                "this process is a fork of the one that opened the summary writer: what it logs there is ignored; \
                 let it open a writer of its own"
            );
        }
        is_forked
    }
}
