//! The queue between the callers and the worker: frames in call order, behind one lock, bounded in bytes. This file has the
//! callers' side, `worker` has the other side.
//!
//! In the steady state a call neither allocates nor makes a system call. A caller wakes the worker only with the first record
//! after an idle time, and with a full chunk.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hint;
use std::io;
use std::process;
use std::ptr;
use std::time::Duration;

use super::chunks::Chunks;
use super::stats::Stats;
use super::sync::{
    AtomicU64, Condvar, Mutex, MutexGuard, Ordering, PoisonError, QUEUE_OF_WORKER, TryLockError,
};
use crate::error::{Error, Result};
use crate::report::Reporter;

/// How often a caller tries to get the lock before it lets the system wait for it, and how many times it executes a pause
/// instruction after each attempt: 10 µs where a pause takes 40 ns, 1 µs where it takes 4 ns.
///
/// The lock is held for tens of nanoseconds. But each attempt takes its cache line from the core that holds it, and a caller
/// that sleeps must be woken by another one. With these numbers, two or more callers on two cores log 9 M scalars per second
/// together, about as many as one caller. With ten attempts and up to 64 pauses it was 4.5 M, without spinning 2 M.
const LOCK_ATTEMPTS: u32 = 4;
const PAUSES: u32 = 256;

/// The reaction of a call when `max_pending_bytes` wait for the disk already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The call waits for room. If the disk fails, the record is refused.
    #[default]
    Block,
    /// The record is refused at once.
    DropNew,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) flush_interval: Duration,
    pub(crate) max_pending_bytes: usize,
    pub(crate) when_full: WhenFull,
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) limits: Limits,
    pub(crate) reporter: Reporter,
    state: Mutex<State>,
    /// The worker waits here for records.
    pub(super) work: Condvar,
    /// Callers wait here for room, a flush or the end of the worker.
    pub(super) progress: Condvar,
    /// Not part of the state, because in a fork the lock may never be released.
    ignored_count: AtomicU64,
    process_id: u32,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) chunks: Chunks,
    /// The totals of what callers and worker have done. `flushed` never exceeds `accepted`. A deferred record counts with
    /// the size of its raw data, not of its frame.
    pub(super) accepted: Totals,
    pub(super) flushed: Totals,
    pub(super) refused_count: u64,
    /// The part of `refused_count` that was refused for its content, not because the queue was full.
    pub(super) invalid_count: u64,
    /// Accepted records that could not be encoded. They are refused, too, and never flushed.
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
    /// waiting forever.
    pub(super) waiting: VecDeque<u64>,
    next_ticket: u64,
    pub(super) is_closing: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerState {
    /// Sleeps because nothing is pending. The next record must wake it.
    Idle,
    /// Waits until the flush interval is over or a chunk is full.
    Batching,
    /// Writes, or waits before it tries again. It will look at the queue without a wake.
    Writing,
    Ended,
}

impl Queue {
    /// Creates a queue with the frame `first`, which does not count as a record.
    pub(crate) fn new(limits: Limits, reporter: Reporter, first: &[u8]) -> Self {
        let accepted = Totals {
            records: 0,
            bytes: first.len() as u64,
        };
        Self {
            limits,
            reporter,
            state: Mutex::new(State {
                chunks: Chunks::new(first),
                accepted,
                flushed: Totals::default(),
                refused_count: 0,
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
            }),
            work: Condvar::new(),
            progress: Condvar::new(),
            ignored_count: AtomicU64::new(0),
            process_id: process::id(),
        }
    }

    /// Creates a queue that accepts nothing and has no worker.
    pub(crate) fn closed(limits: Limits) -> Self {
        let queue = Self::new(limits, Reporter::default(), b"");
        queue.end(None);
        queue
    }

    /// Appends a frame, or counts why it was not accepted.
    pub(crate) fn push(&self, frame: &[u8]) {
        self.push_with(frame.len(), |chunks| chunks.append(frame));
    }

    /// Appends a record whose frame the worker makes, or counts why it was not accepted. Until it is written, it counts with
    /// `pending_bytes`.
    pub(crate) fn push_deferred(
        &self,
        pending_bytes: usize,
        make_frame: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        // A record of 0 bytes would count as flushed before it is written.
        let bytes = pending_bytes.max(1);
        self.push_with(bytes, |chunks| {
            chunks.append_deferred(Box::new(make_frame), bytes as u64)
        });
    }

    /// Appends a record of so many bytes. `append` returns whether a chunk became full.
    #[inline]
    fn push_with(&self, bytes: usize, append: impl FnOnce(&mut Chunks) -> bool) {
        let Some(mut state) = self.lock_soon() else {
            return self.count_ignored();
        };
        if !self.has_room(&state, bytes) || !state.waiting.is_empty() {
            match self.wait_for_room(state, bytes) {
                Some(with_room) => state = with_room,
                None => return,
            }
        }
        if state.is_closing {
            drop(state);
            return self.count_ignored();
        }

        let fills = state.accept(bytes, append);
        let wakes = match state.worker {
            WorkerState::Idle => true,
            WorkerState::Batching => fills,
            WorkerState::Writing | WorkerState::Ended => false,
        };
        if wakes {
            state.worker = WorkerState::Writing;
        }
        let target = state.accepted.bytes;
        drop(state);

        if wakes {
            self.work.notify_one();
        }
        let writes_through = self.limits.flush_interval.is_zero();
        if wakes || fills || writes_through {
            self.finish_push(writes_through.then_some(target));
        }
    }

    /// The rare rest of a push, after the lock was released.
    #[cold]
    fn finish_push(&self, wait_for: Option<u64>) {
        if self.is_forked() {
            // No worker will take the record. Later calls see that the queue is closed.
            self.lock().is_closing = true;
            return self.count_ignored();
        }
        if let Some(target) = wait_for
            && !is_worker_thread()
        {
            // A failing sink must not keep the caller waiting.
            drop(self.wait_while(self.lock(), |state| {
                state.flushed.bytes < target
                    && state.failure.is_none()
                    && state.worker != WorkerState::Ended
            }));
        }
    }

    /// Returns whether `frame_bytes` more fit. A frame that is larger than the bound fits when nothing else is pending.
    fn has_room(&self, state: &State, frame_bytes: usize) -> bool {
        let pending = state.pending_bytes();
        pending == 0 || pending + frame_bytes as u64 <= self.limits.max_pending_bytes as u64
    }

    /// Waits for room. Returns `None` if the record was refused and counted.
    #[cold]
    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        frame_bytes: usize,
    ) -> Option<MutexGuard<'a, State>> {
        if self.is_forked() {
            drop(state);
            self.count_ignored();
            return None;
        }
        let may_wait = self.limits.when_full == WhenFull::Block && !is_worker_thread();
        if may_wait && state.failure.is_none() && !state.is_closing {
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.waiting.push_back(ticket);
            self.work.notify_one();
            state = self.wait_while(state, |state| {
                let is_next = state.waiting.front() == Some(&ticket);
                !(is_next && self.has_room(state, frame_bytes))
                    && state.failure.is_none()
                    && !state.is_closing
            });
            state.waiting.retain(|waiting| *waiting != ticket);
            // There may be room for the next caller, too.
            self.progress.notify_all();
        } else if state.failure.is_none() && state.flush_target < state.accepted.bytes {
            state.flush_target = state.accepted.bytes;
            self.work.notify_one();
        }
        if state.is_closing || self.has_room(&state, frame_bytes) {
            return Some(state);
        }
        state.refused_count += 1;
        let is_first = state.refused_count - state.invalid_count == 1;
        drop(state);
        if is_first {
            self.reporter.error(format_args!(
                "new records are refused until earlier ones are written, because more than max_pending_bytes, {}, would wait",
                self.limits.max_pending_bytes
            ));
        }
        None
    }

    /// Counts a record that no reader accepts. Returns `true` for the first one.
    pub(crate) fn refuse_invalid(&self) -> bool {
        self.lock_unless_forked()
            .is_ok_and(|mut state| state.count_invalid())
    }

    /// Returns once everything that was accepted before is with the operating system. Returns an error if an attempt to
    /// write that began after this call has failed, or if the time is over.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<()> {
        let mut state = self.lock_unless_forked()?;
        let target = state.accepted.bytes;
        if state.flushed.bytes < target && state.worker != WorkerState::Ended {
            self.refuse_own_worker("flush")?;
            let attempt = state.attempt;
            state.flush_target = target;
            state.requested_attempt = attempt + 1;
            self.work.notify_one();
            let must_wait = |state: &State| {
                state.flushed.bytes < target
                    && state.failed_attempt <= attempt
                    && state.worker != WorkerState::Ended
            };
            (state, _) = self
                .progress
                .wait_timeout_while(state, timeout, |state| must_wait(state))
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.outcome(target)
    }

    /// Closes the queue, and returns once the worker has written everything or given up, or once the time is over. Then the
    /// worker continues. `last` is a frame, or nothing. It is accepted even if the queue is full, and only by the first call.
    pub(crate) fn close(&self, last: &[u8], timeout: Duration) -> Result<()> {
        let mut state = self.lock_unless_forked()?;
        if !state.is_closing {
            if !last.is_empty() {
                state.accept(last.len(), |chunks| chunks.append(last));
            }
            state.is_closing = true;
            state.requested_attempt = state.attempt + 1;
        }
        self.work.notify_one();
        self.progress.notify_all();
        if state.worker != WorkerState::Ended {
            self.refuse_own_worker("close")?;
        }
        (state, _) = self
            .progress
            .wait_timeout_while(state, timeout, |state| state.worker != WorkerState::Ended)
            .unwrap_or_else(PoisonError::into_inner);
        if state.worker != WorkerState::Ended {
            let pending_bytes = state.pending_bytes();
            let failure = state.failure.clone();
            return Err(failure.unwrap_or(Error::TimedOut { pending_bytes }));
        }
        let target = state.accepted.bytes;
        state.outcome(target)
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

    /// Returns the counts of the queue, and 0 for the others.
    pub(crate) fn stats(&self) -> Stats {
        let ignored_count = self.ignored_count.load(Ordering::Relaxed);
        match self.lock_unless_forked() {
            Ok(state) => Stats {
                accepted_count: state.accepted.records,
                flushed_count: state.flushed.records,
                pending_bytes: state.pending_bytes(),
                refused_count: state.refused_count,
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
        process::id() != self.process_id
    }

    /// Locks the state, or returns an error in a fork, where the lock may never be released.
    pub(super) fn lock_unless_forked(&self) -> Result<MutexGuard<'_, State>> {
        if self.is_forked() {
            return Err(Error::Closed);
        }
        Ok(self.lock())
    }

    /// Locks the state, in a process that is not a fork. The state stays consistent if a thread panics.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the state. Asks the system whether this is a fork only if the lock is not released soon: then the thread that
    /// held it at the fork may not exist in this process. Returns `None` in a fork.
    fn lock_soon(&self) -> Option<MutexGuard<'_, State>> {
        for _ in 0..LOCK_ATTEMPTS {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {
                    (0..PAUSES).for_each(|_| hint::spin_loop());
                }
            }
        }
        self.lock_unless_forked().ok()
    }

    /// Makes this thread the worker of this queue.
    pub(super) fn register_worker(&self) {
        QUEUE_OF_WORKER.with(|queue| queue.set(ptr::from_ref(self).addr()));
    }

    /// Returns whether this thread is the worker of this queue. The sink or the logger may call the writer from it.
    pub(crate) fn is_own_worker(&self) -> bool {
        QUEUE_OF_WORKER.with(Cell::get) == ptr::from_ref(self).addr()
    }

    /// Returns an error on the worker's thread, which cannot wait for itself.
    fn refuse_own_worker(&self, action: &'static str) -> Result<()> {
        if self.is_own_worker() {
            let problem = "the thread of a writer cannot wait for itself";
            let error = io::Error::new(io::ErrorKind::WouldBlock, problem);
            return Err(Error::stream(action, error));
        }
        Ok(())
    }

    fn wait_while<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.progress
            .wait_while(state, |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn count_ignored(&self) {
        if self.ignored_count.fetch_add(1, Ordering::Relaxed) == 0 {
            self.reporter
                .error("the summary writer is closed: later calls are ignored");
        }
    }
}

/// Returns whether this thread is the worker of any queue. A worker must never wait for another queue: two workers whose
/// loggers or sinks log to each other's queue could deadlock.
fn is_worker_thread() -> bool {
    QUEUE_OF_WORKER.with(Cell::get) != 0
}

impl State {
    /// Accepts a record of so many bytes. Returns what `append` returns: whether a chunk became full.
    #[inline]
    fn accept(&mut self, bytes: usize, append: impl FnOnce(&mut Chunks) -> bool) -> bool {
        self.accepted.records += 1;
        self.accepted.bytes += bytes as u64;
        append(&mut self.chunks)
    }

    /// Counts a record that was refused for its content. Returns `true` for the first one.
    pub(super) fn count_invalid(&mut self) -> bool {
        self.refused_count += 1;
        self.invalid_count += 1;
        self.invalid_count == 1
    }

    fn pending_bytes(&self) -> u64 {
        self.accepted.bytes - self.flushed.bytes
    }

    /// Returns whether the first `target` bytes are flushed, after a caller has waited for them.
    fn outcome(&self, target: u64) -> Result<()> {
        let is_flushed = self.flushed.bytes >= target;
        let has_ended = self.worker == WorkerState::Ended;
        match &self.failure {
            Some(error) if !is_flushed || has_ended => Err(error.clone()),
            _ if is_flushed => self.sync_failure.clone().map_or(Ok(()), Err),
            _ if has_ended => Err(Error::Closed),
            _ => Err(Error::TimedOut {
                pending_bytes: target - self.flushed.bytes,
            }),
        }
    }
}
