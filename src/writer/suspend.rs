//! Suspending a run without a handle: the worker closes the file, and both threads end. Counts and checks stay. A new worker
//! appends to the same file when the run is used again.
//!
//! A run is only suspended while it has no handle and nothing is pending. A new handle cancels a suspension that is not finished,
//! and resumes the run after one that is. So no record is pushed to a suspended queue, except the last one at the close, which
//! resumes the run, too.

use std::time::Duration;

use super::queue::{Queue, WorkerState};
use super::sync::{Ordering, PoisonError};

impl Queue {
    /// Counts a handle, which no clone of it does. After this the run must be [resumed](Self::resume) if it is suspended, and
    /// it stays active until the handle is dropped.
    pub(crate) fn add_handle(&self) {
        // Before the lock: `suspend` either finds the handle or is cancelled.
        self.handle_count.fetch_add(1, Ordering::Relaxed);
        let Ok(mut state) = self.lock_unless_forked() else {
            return;
        };
        if state.worker != WorkerState::Suspended {
            state.is_suspending = false;
            drop(state);
            self.progress.notify_all();
        }
    }

    /// Must not lock, because in a fork the lock may never be released.
    pub(crate) fn remove_handle(&self) {
        self.handle_count.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn has_handle(&self) -> bool {
        self.handle_count.load(Ordering::Relaxed) > 0
    }

    /// Suspends the run unless it has a handle. Returns whether it is suspended when everything is written, when the disk
    /// fails or when the time is over. In the last two cases the worker suspends it later.
    ///
    /// Only the first call waits, so that a disk that hangs delays its callers once.
    pub(crate) fn suspend(&self, timeout: Duration) -> bool {
        if self.suspend_inline() {
            return true;
        }
        let mut state = self.lock();
        if !self.has_handle() && !state.is_closing && !state.is_suspending {
            state.is_suspending = true;
            self.hurry(&mut state);
            self.work.notify_one();
            self.encode.notify_all();
            (state, _) = self
                .progress
                .wait_timeout_while(state, timeout, |state| {
                    state.is_suspending
                        && !state.is_closing
                        && state.failure.is_none()
                        && state.worker != WorkerState::Suspended
                })
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.worker == WorkerState::Suspended
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.lock().worker == WorkerState::Suspended
    }

    /// Suspends the run, so that its worker must end. Returns `false` if it has a new handle or was closed meanwhile.
    pub(super) fn finish_suspend(&self) -> bool {
        let mut state = self.lock();
        if state.is_closing || !state.is_complete() || !state.chunks.is_empty() {
            return false;
        }
        state.worker = WorkerState::Suspended;
        state.chunks.clear();
        drop(state);
        self.progress.notify_all();
        true
    }

    /// Prepares a suspended queue for a new worker. An encoder that has not ended yet continues.
    pub(crate) fn resume(&self) {
        let mut state = self.lock();
        state.worker = WorkerState::Writing;
        state.is_suspending = false;
    }
}
