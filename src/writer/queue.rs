//! The queue between the callers and the two threads of a writer, behind one lock, bounded in bytes: frames for the worker, and
//! deferred records for the encoder. This file has the callers' side; `worker` and `encoder` have the other sides.
//!
//! In the steady state a call neither allocates nor makes a system call. A caller wakes the worker only with the first record
//! after an idle time, and with a full chunk.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::admission::Waiting;
use super::budget::{Budget, Reservation};
use super::chunks::Chunks;
use super::encoder::EncoderState;
use super::inline::Inline;
use super::stats::Stats;
use super::sync::{
    AtomicU64, Condvar, Mutex, MutexGuard, Ordering, PoisonError, QUEUE_OF_WORKER, TryLockError,
    yield_now,
};
use crate::error::{Chain, Error, Result};
use crate::platform;
use crate::report::Reporter;

/// How often a caller tries to get the lock, and lets other threads run after each attempt, before it sleeps until the lock is
/// released.
///
/// The lock is held for tens of nanoseconds, and waking a thread that sleeps takes microseconds. A loop of pause instructions
/// would keep the core from the worker: on two cores, two callers and eight callers log 1.2 to 1.6 times as much with yields
/// (`cargo bench --bench scalar`).
const LOCK_ATTEMPTS: u32 = 6;

/// The reaction of a call when `max_pending_bytes` wait for the disk already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The call waits for room. If the disk fails, the record is rejected.
    #[default]
    Block,
    /// The record is rejected at once.
    DropNew,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) flush_interval: Duration,
    pub(crate) max_pending_bytes: usize,
    pub(crate) when_full: WhenFull,
    /// A batch of the encoders is written at once, because it has waited for the flush interval already.
    pub(crate) writes_encoded_at_once: bool,
    pub(crate) encoder_threads: usize,
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) limits: Limits,
    /// Shared with the queues of parent and child runs.
    pub(super) budget: Arc<Budget>,
    pub(crate) reporter: Reporter,
    state: Mutex<State>,
    /// Writes on the threads of the callers, if there is no worker.
    pub(super) inline: Option<Mutex<Inline>>,
    /// The worker waits here for records.
    pub(super) work: Condvar,
    /// The encoders wait here for records.
    pub(super) encode: Condvar,
    /// Callers wait here for room, a flush or the end of the worker.
    pub(super) progress: Condvar,
    /// Not part of the state, because in a fork the lock may never be released.
    ignored_count: AtomicU64,
    /// The number of handles, without their clones. Not part of the state for the same reason.
    pub(super) handle_count: AtomicU64,
    process_id: u32,
}

#[derive(Debug)]
pub(super) struct State {
    /// How many bytes callers may append without a look at the rest of the state. It is at most what is left of the chunk and
    /// of the bound. It is 0 if a caller may have to wake or to wait for somebody. Any other access to the state sets it to 0,
    /// and the next caller sets it anew.
    pub(super) room: usize,
    /// What this queue has reserved: at least the pending bytes and the room.
    pub(super) reservation: Reservation,
    pub(super) chunks: Chunks,
    pub(super) encoder: EncoderState,
    /// The totals of what callers and worker have done. `flushed` never exceeds `accepted`. The bytes are those of frames, so
    /// the bytes of a deferred record are accepted when it is encoded.
    pub(super) accepted: Totals,
    pub(super) flushed: Totals,
    pub(super) rejected_count: u64,
    /// The part of `rejected_count` that was rejected for its content, not because the queue was full.
    pub(super) invalid_count: u64,
    /// Accepted records that could not be encoded. `rejected_count` includes them, and they are never flushed.
    pub(super) unencoded_count: u64,
    pub(super) worker: WorkerState,
    /// Somebody waits until this many bytes are flushed, so the worker must not wait for more records before that.
    pub(super) flush_target: u64,
    /// Attempts to write are numbered from 1: the last one that began, the last one that failed, and one that somebody waits
    /// for. The worker does not pause before the requested attempt.
    pub(super) attempt: u64,
    pub(super) failed_attempt: u64,
    pub(super) requested_attempt: u64,
    /// Why the last attempt failed, if it failed.
    pub(super) failure: Option<Error>,
    /// Why a sync of the file failed. The data is written.
    pub(super) sync_failure: Option<Error>,
    /// Callers that wait for room, in call order. Only the first may go on: otherwise small records could keep a large one
    /// waiting forever. But other records pass deferred ones that wait for the encoder.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) next_ticket: u64,
    pub(super) is_closing: bool,
    /// The worker suspends the run once nothing is pending, and the encoder ends once it has nothing to do.
    pub(super) is_suspending: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

/// What a caller waits for: all records that were accepted before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Deferred records that must be done, or 0 if they are.
    deferred_count: u64,
    /// Bytes of frames that must be flushed.
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerState {
    /// Sleeps because nothing is pending. The next record must wake it.
    Idle,
    /// Waits until the flush interval is over or a chunk is full.
    Batching,
    /// Writes, or waits before it tries again. It will look at the queue without a wake.
    Writing,
    /// Has ended, and a new worker continues when the run is resumed.
    Suspended,
    Ended,
    /// There is no worker: the callers write.
    Inline,
}

impl Queue {
    /// Creates a queue with the frame `first`, which does not count as a record.
    pub(crate) fn new(
        limits: Limits,
        budget: Arc<Budget>,
        reporter: Reporter,
        first: &[u8],
    ) -> Self {
        let accepted = Totals {
            records: 0,
            bytes: first.len() as u64,
        };
        Self {
            limits,
            budget,
            reporter,
            state: Mutex::new(State {
                room: 0,
                reservation: Reservation::default(),
                chunks: Chunks::new(first),
                encoder: EncoderState::default(),
                accepted,
                flushed: Totals::default(),
                rejected_count: 0,
                invalid_count: 0,
                unencoded_count: 0,
                worker: WorkerState::Writing,
                flush_target: 0,
                attempt: 0,
                failed_attempt: 0,
                requested_attempt: 0,
                failure: None,
                sync_failure: None,
                waiting: VecDeque::new(),
                next_ticket: 0,
                is_closing: false,
                is_suspending: false,
            }),
            inline: None,
            work: Condvar::new(),
            encode: Condvar::new(),
            progress: Condvar::new(),
            ignored_count: AtomicU64::new(0),
            handle_count: AtomicU64::new(0),
            process_id: platform::process_id(),
        }
    }

    /// Creates a queue that accepts nothing and has no worker.
    pub(crate) fn closed(limits: Limits) -> Self {
        let queue = Self::new(limits, Arc::default(), Reporter::default(), b"");
        queue.end(None);
        queue
    }

    /// Appends a frame, or counts why it was not accepted.
    #[inline]
    pub(crate) fn push(&self, frame: &[u8]) {
        let Some(mut state) = self.lock_soon() else {
            return self.count_ignored();
        };
        if frame.len() <= state.room {
            state.room -= frame.len();
            state.accept(frame);
        } else {
            self.push_with_checks(state, frame);
        }
    }

    /// Appends a frame after all checks, and gives the next callers room. It is called at least once for each 8 KiB.
    #[cold]
    fn push_with_checks(&self, state: MutexGuard<'_, State>, frame: &[u8]) {
        let Some(mut state) = self.admit(state, frame.len(), false) else {
            return;
        };
        let fills = state.accept(frame);
        let wakes = state.wake_worker(fills);
        let is_synchronous = self.limits.flush_interval.is_zero();
        if !is_synchronous && state.waiting.is_empty() {
            state.room = self.new_room(&state);
        }
        self.reserve(&mut state);
        let target = state.target();
        drop(state);

        if wakes {
            self.work.notify_one();
        }
        if wakes || fills || is_synchronous {
            self.finish_push(target);
        }
    }

    /// Runs after the lock is released: finds out whether this is a fork, writes if there is no worker, and waits if the flush
    /// interval is zero.
    pub(super) fn finish_push(&self, mut target: Target) {
        if self.is_forked() {
            // No worker will take the record. Later calls see that the queue is closed.
            self.lock().is_closing = true;
            return self.count_ignored();
        }
        if self.inline.is_some() {
            self.write_inline();
        } else if self.limits.flush_interval.is_zero() && !is_worker_thread() {
            // A failing sink must not keep the caller waiting.
            drop(self.wait_while(self.lock(), |state| {
                !state.is_flushed(&mut target)
                    && state.failure.is_none()
                    && state.worker != WorkerState::Ended
            }));
        }
    }

    /// Lets worker and encoder process what was accepted, without waiting for more.
    pub(super) fn hurry(&self, state: &mut State) {
        if state.flush_target < state.accepted.bytes {
            state.flush_target = state.accepted.bytes;
            self.work.notify_one();
        }
        if state.encoder.target_count < state.encoder.accepted_count {
            state.encoder.target_count = state.encoder.accepted_count;
            self.encode.notify_one();
        }
    }

    /// Refuses a record that cannot be encoded, or that no reader accepts. The first one is reported.
    pub(crate) fn reject(&self, error: &Error) {
        let state = self.lock_unless_forked();
        if state.is_ok_and(|mut state| state.count_invalid()) {
            self.report_rejection(error);
        }
    }

    pub(super) fn report_rejection(&self, error: &Error) {
        self.reporter
            .error(format_args!("{}; the record is rejected", Chain(error)));
    }

    /// Returns once everything that was accepted before is with the operating system. Returns an error if an attempt to
    /// write that began after this call has failed, or if the time is over.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<()> {
        self.write_inline();
        let mut state = self.lock_unless_forked()?;
        let mut target = state.target();
        if !state.is_flushed(&mut target) && state.has_worker() {
            self.check_own_worker("flush")?;
            let attempt = state.attempt;
            state.requested_attempt = attempt + 1;
            self.hurry(&mut state);
            self.work.notify_one();
            let mut must_wait = |state: &State| {
                !state.is_flushed(&mut target)
                    && state.failed_attempt <= attempt
                    && state.worker != WorkerState::Ended
            };
            (state, _) = self
                .progress
                .wait_timeout_while(state, timeout, |state| must_wait(state))
                .unwrap_or_else(PoisonError::into_inner);
        }
        let is_flushed = state.is_flushed(&mut target);
        state.outcome(is_flushed)
    }

    /// Closes the queue and waits for the end of its worker.
    #[cfg(test)]
    pub(crate) fn close(&self, last: &[u8], timeout: Duration) -> Result<()> {
        self.begin_close(last)?;
        self.await_end(timeout)
    }

    /// Closes the queue. `last` is a frame, or nothing. It is accepted even if the queue is full, and only by the first call.
    pub(crate) fn begin_close(&self, last: &[u8]) -> Result<()> {
        let mut state = self.lock_unless_forked()?;
        if !state.is_closing {
            if !last.is_empty() {
                state.accept(last);
            }
            state.is_closing = true;
            state.requested_attempt = state.attempt + 1;
        }
        self.work.notify_one();
        self.encode.notify_all();
        self.progress.notify_all();
        Ok(())
    }

    /// Returns once the worker of a closed queue has written everything or given up, or once the time is over. Then the worker
    /// continues.
    pub(crate) fn await_end(&self, timeout: Duration) -> Result<()> {
        self.write_inline();
        let mut state = self.lock_unless_forked()?;
        if state.has_worker() {
            self.check_own_worker("close")?;
            (state, _) = self
                .progress
                .wait_timeout_while(state, timeout, |state| state.has_worker())
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.worker != WorkerState::Ended {
            let pending_bytes = state.pending_bytes();
            let failure = state.failure.clone();
            return Err(failure.unwrap_or(Error::TimedOut { pending_bytes }));
        }
        let mut target = state.target();
        let is_flushed = state.is_flushed(&mut target);
        state.outcome(is_flushed)
    }

    /// Returns whether the worker has written its last byte. In a fork, there is none.
    pub(crate) fn has_ended(&self) -> bool {
        self.lock_unless_forked()
            .map_or(true, |state| state.worker == WorkerState::Ended)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock_unless_forked()
            .map_or(true, |state| state.is_closing)
    }

    /// Returns the counts that the queue has. The other fields are 0.
    pub(crate) fn stats(&self) -> Stats {
        let ignored_count = self.ignored_count.load(Ordering::Relaxed);
        match self.lock_unless_forked() {
            Ok(state) => Stats {
                accepted_count: state.accepted.records,
                flushed_count: state.flushed.records,
                pending_bytes: state.pending_bytes(),
                rejected_count: state.rejected_count,
                ignored_count,
                failure: state
                    .failure
                    .as_ref()
                    .or(state.sync_failure.as_ref())
                    .cloned(),
                ..Stats::default()
            },
            Err(error) => Stats {
                ignored_count,
                failure: Some(error),
                ..Stats::default()
            },
        }
    }

    /// Returns whether this process is a fork of the one that opened the writer, and has no worker. This is a system call, so
    /// it is not done for every record.
    ///
    /// A fork is not reported: another thread may have held the lock of the logger at the fork, and it is never released.
    pub(crate) fn is_forked(&self) -> bool {
        platform::process_id() != self.process_id
    }

    /// Locks the state, or returns an error in a fork, where the lock may never be released.
    pub(super) fn lock_unless_forked(&self) -> Result<MutexGuard<'_, State>> {
        if self.is_forked() {
            return Err(Error::Closed);
        }
        Ok(self.lock())
    }

    /// Locks the state, and sets the room to 0. Not for a fork, unless this process has had the lock before. The state stays
    /// consistent if a thread panics.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.room = 0;
        state
    }

    /// Locks the state. Asks the system whether this is a fork only if the lock is not released soon: then the thread that
    /// held it at the fork may not exist in this process. Returns `None` in a fork.
    #[inline]
    pub(super) fn lock_soon(&self) -> Option<MutexGuard<'_, State>> {
        for _ in 0..LOCK_ATTEMPTS {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => yield_now(),
            }
        }
        self.lock_unless_forked().ok()
    }

    /// Makes this thread the worker of this queue.
    pub(super) fn register_worker(&self) {
        QUEUE_OF_WORKER.with(|queue| queue.set(ptr::from_ref(self).addr()));
    }

    /// Calls `work` on this thread as if it were the worker.
    pub(super) fn as_worker<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = QUEUE_OF_WORKER.with(Cell::get);
        self.register_worker();
        let result = work();
        QUEUE_OF_WORKER.with(|queue| queue.set(before));
        result
    }

    /// Returns whether this thread is the worker of this queue. The sink may call the writer from it.
    pub(crate) fn is_own_worker(&self) -> bool {
        QUEUE_OF_WORKER.with(Cell::get) == ptr::from_ref(self).addr()
    }

    /// Returns an error on the worker's thread, which cannot wait for itself.
    fn check_own_worker(&self, action: &'static str) -> Result<()> {
        if self.is_own_worker() {
            let problem = "the thread of a writer cannot wait for itself";
            let error = io::Error::new(io::ErrorKind::WouldBlock, problem);
            return Err(Error::stream(action, error));
        }
        Ok(())
    }

    pub(super) fn wait_while<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        mut condition: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.progress
            .wait_while(state, |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    pub(super) fn count_ignored(&self) {
        if self.ignored_count.fetch_add(1, Ordering::Relaxed) == 0 {
            self.reporter
                .error("the summary writer is closed: later calls are ignored");
        }
    }
}

/// Returns whether this thread is the worker of any queue. A worker must never wait for another queue: two workers whose
/// sinks log to each other's queue could deadlock.
pub(super) fn is_worker_thread() -> bool {
    QUEUE_OF_WORKER.with(Cell::get) != 0
}

impl State {
    /// Accepts a frame. Returns whether a chunk became full.
    #[inline]
    fn accept(&mut self, frame: &[u8]) -> bool {
        self.accepted.records += 1;
        self.accepted.bytes += frame.len() as u64;
        self.chunks.append(frame)
    }

    /// Returns whether the worker must be woken after frames were appended, and notes that it is awake. With `is_due`, it must
    /// not wait for more records.
    pub(super) fn wake_worker(&mut self, is_due: bool) -> bool {
        let wakes = match self.worker {
            WorkerState::Idle => true,
            WorkerState::Batching => is_due,
            _ => false,
        };
        if wakes {
            self.worker = WorkerState::Writing;
        }
        wakes
    }

    /// Counts a record that was rejected for its content. Returns `true` for the first one.
    pub(super) fn count_invalid(&mut self) -> bool {
        self.rejected_count += 1;
        self.invalid_count += 1;
        self.invalid_count == 1
    }

    /// Returns whether a worker will write what is pending.
    pub(super) fn has_worker(&self) -> bool {
        !matches!(self.worker, WorkerState::Ended | WorkerState::Inline)
    }

    pub(super) fn pending_bytes(&self) -> u64 {
        self.accepted.bytes - self.flushed.bytes + self.encoder.raw_bytes
    }

    /// Returns whether the encoder has no work left and will get no more.
    pub(super) fn is_complete(&self) -> bool {
        (self.is_closing || self.is_suspending) && !self.encoder.is_busy()
    }

    /// Returns the target of a flush of all records that were accepted until now.
    #[inline]
    pub(super) fn target(&self) -> Target {
        Target {
            deferred_count: self.encoder.accepted_count,
            bytes: self.accepted.bytes,
        }
    }

    /// Returns whether a target is reached. Once its deferred records are encoded, their bytes are part of the target.
    fn is_flushed(&self, target: &mut Target) -> bool {
        if self.encoder.done_count >= target.deferred_count {
            if target.deferred_count > 0 {
                target.bytes = target.bytes.max(self.encoder.encoded_end);
            }
            target.deferred_count = 0;
        }
        target.deferred_count == 0 && self.flushed.bytes >= target.bytes
    }

    /// Returns the result for a caller that has waited.
    fn outcome(&self, is_flushed: bool) -> Result<()> {
        let has_ended = self.worker == WorkerState::Ended;
        match &self.failure {
            Some(error) if !is_flushed || has_ended => Err(error.clone()),
            _ if is_flushed => self.sync_failure.clone().map_or(Ok(()), Err),
            _ if has_ended => Err(Error::Closed),
            _ => Err(Error::TimedOut {
                pending_bytes: self.pending_bytes(),
            }),
        }
    }
}
