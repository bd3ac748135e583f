//! What a caller meets when `max_pending_bytes` wait for the disk already: it waits for its turn, or is refused.

use super::sync::MutexGuard;
use super::tray::{State, Tray, WhenFull, serves};

impl Tray {
    /// What is larger than the bound by itself enters when nothing else is pending.
    pub(super) fn has_room(&self, state: &State, frame_bytes: usize) -> bool {
        let pending = state.pending_bytes();
        pending == 0 || pending + frame_bytes as u64 <= self.limits.max_pending_bytes as u64
    }

    /// Waits until `frame_bytes` more fit, or refuses them.
    #[cold]
    pub(super) fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        frame_bytes: usize,
    ) -> Option<MutexGuard<'a, State>> {
        if self.process.is_forked() {
            drop(state);
            self.ignore();
            return None;
        }
        let may_wait = self.limits.when_full == WhenFull::Block && !serves();
        if may_wait && state.failure.is_none() && !state.closing {
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.waiting.push_back(ticket);
            self.work.notify_one();
            state = self.wait_while(state, |state| {
                let is_next = state.waiting.front() == Some(&ticket);
                !(is_next && self.has_room(state, frame_bytes))
                    && state.failure.is_none()
                    && !state.closing
            });
            state.waiting.retain(|waiting| *waiting != ticket);
            // There may be room for the next one, too.
            self.progress.notify_all();
        } else if state.failure.is_none() && state.wanted_bytes < state.accepted.bytes {
            state.wanted_bytes = state.accepted.bytes;
            self.work.notify_one();
        }
        if state.closing || self.has_room(&state, frame_bytes) {
            return Some(state);
        }
        state.refused_count += 1;
        let is_first = state.refused_count - state.misfit_count == 1;
        drop(state);
        if is_first {
            log::error!(
                "{}new records are refused until earlier ones are written: more than max_pending_bytes, {}, would wait",
                self.run_name,
                self.limits.max_pending_bytes
            );
        }
        None
    }

    /// Counts a record that no reader takes, and returns how many of these there were.
    pub(crate) fn refuse(&self) -> u64 {
        self.lock().map_or(0, |mut state| state.count_misfit())
    }
}

impl State {
    pub(super) fn count_misfit(&mut self) -> u64 {
        self.refused_count += 1;
        self.misfit_count += 1;
        self.misfit_count
    }
}
