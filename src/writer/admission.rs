//! Decides whether a record may enter the queue: the bound in bytes, and the callers that wait for room.

use super::queue::{Queue, State, WhenFull, WorkerState, is_worker_thread};
use super::sync::MutexGuard;

/// A caller that waits for room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    ticket: u64,
    bytes: u64,
    is_deferred: bool,
}

/// The most room that callers get at once. A hundred scalars or so share the cost of the checks, and a thousand busy runs take
/// only a part of the bound for it.
const MAX_ROOM_BYTES: u64 = 8 << 10;

impl Queue {
    /// Waits for room for a record. Returns `None` if the record is not accepted, which was counted.
    pub(super) fn admit<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        bytes: usize,
        is_deferred: bool,
    ) -> Option<MutexGuard<'a, State>> {
        state.room = 0;
        let record = Waiting {
            ticket: state.next_ticket,
            bytes: bytes as u64,
            is_deferred,
        };
        if !self.may_enter(&state, record) {
            state = self.wait_for_room(state, record)?;
        }
        if state.is_closing {
            drop(state);
            self.count_ignored();
            return None;
        }
        Some(state)
    }

    /// Waits for room. Returns `None` if the record was rejected and counted.
    #[cold]
    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        record: Waiting,
    ) -> Option<MutexGuard<'a, State>> {
        if self.is_forked() {
            drop(state);
            self.count_ignored();
            return None;
        }
        if self.inline.is_some() {
            drop(state);
            self.write_inline();
            state = self.lock();
        }
        let may_wait = self.limits.when_full == WhenFull::Block && !is_worker_thread();
        if may_wait && state.has_worker() && state.failure.is_none() && !state.is_closing {
            state.next_ticket += 1;
            state.waiting.push_back(record);
            self.work.notify_one();
            self.encode.notify_one();
            state = self.wait_while(state, |state| {
                !self.may_enter(state, record) && state.failure.is_none() && !state.is_closing
            });
            state
                .waiting
                .retain(|waiting| waiting.ticket != record.ticket);
            // There may be room for the next caller, too.
            self.progress.notify_all();
        } else if state.failure.is_none() {
            self.hurry(&mut state);
        }
        if state.is_closing || self.has_room(&state, record) {
            return Some(state);
        }
        state.rejected_count += 1;
        let is_first = state.rejected_count - state.invalid_count == 1;
        drop(state);
        if is_first {
            self.reporter.error(format_args!(
                "new records are rejected until earlier ones are written, because more than max_pending_bytes, {}, would wait",
                self.limits.max_pending_bytes
            ));
        }
        None
    }

    /// Returns whether a record may be accepted now: there is room, and nobody who came before waits for this room.
    fn may_enter(&self, state: &State, record: Waiting) -> bool {
        let may_pass = |earlier: &Waiting| {
            let waits_for_encoder =
                earlier.is_deferred && !self.has_room_for_deferred(state, earlier.bytes);
            waits_for_encoder && !record.is_deferred
        };
        self.has_room(state, record)
            && state
                .waiting
                .iter()
                .take_while(|waiting| waiting.ticket != record.ticket)
                .all(may_pass)
    }

    /// Returns whether the bounds allow so many more bytes. When nothing is pending in this queue, any record is allowed: it
    /// may be larger than the bound, and a run must not wait for the disks of other runs.
    fn has_room(&self, state: &State, record: Waiting) -> bool {
        if state.pending_bytes() == 0 {
            return true;
        }
        self.reserved_bytes(state).0 + record.bytes <= self.max_bytes()
            && (!record.is_deferred || self.has_room_for_deferred(state, record.bytes))
    }

    /// Returns whether so many more bytes of deferred records leave a quarter of the bound to the other records.
    fn has_room_for_deferred(&self, state: &State, bytes: u64) -> bool {
        let max_bytes = self.max_bytes() - self.max_bytes() / 4;
        state.encoder.pending_bytes() == 0 || self.reserved_bytes(state).1 + bytes <= max_bytes
    }

    /// Returns how much callers may append without these checks.
    pub(super) fn new_room(&self, state: &State) -> usize {
        // A part of what is left, so that many runs do not reserve everything and use little of it.
        let left_bytes = self
            .max_bytes()
            .saturating_sub(self.reserved_bytes(state).0);
        let room = (left_bytes / 8).min(MAX_ROOM_BYTES);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        room.min(state.chunks.room())
    }

    fn max_bytes(&self) -> u64 {
        self.limits.max_pending_bytes as u64
    }

    /// Returns what is pending in this queue and reserved by the others: all bytes, and those of deferred records.
    fn reserved_bytes(&self, state: &State) -> (u64, u64) {
        let (bytes, deferred_bytes) = self.budget.of_others(&state.reservation);
        (
            bytes + state.pending_bytes(),
            deferred_bytes + state.encoder.pending_bytes(),
        )
    }

    /// Reserves what is pending now.
    pub(super) fn reserve(&self, state: &mut State) {
        let (bytes, deferred_bytes) = match state.worker {
            WorkerState::Ended => (0, 0),
            _ => (
                state.pending_bytes() + state.room as u64,
                state.encoder.pending_bytes(),
            ),
        };
        self.budget
            .reserve(&mut state.reservation, bytes, deferred_bytes);
    }
}

impl State {
    /// Returns whether the worker must write now, to make room for a caller that waits. Callers with deferred records do not
    /// count while the encoder works, because the encoder starts the write when it has finished.
    pub(super) fn needs_room(&self) -> bool {
        let is_encoding = self.encoder.raw_bytes > 0 && self.encoder.encoded_bytes == 0;
        let mut waiting = self.waiting.iter();
        waiting.any(|waiting| !(waiting.is_deferred && is_encoding))
    }
}
