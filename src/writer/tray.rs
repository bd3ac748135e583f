//! Records on their way from the callers to the worker: frames in the order of the calls, under one lock, bounded in
//! bytes. This is the callers' side; `worker` has the other.
//!
//! In the steady state a call neither allocates nor makes a system call: the worker is woken by the first record after
//! idle and by a full chunk, and by no other.

use std::hint;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::chunks::Chunks;
use super::process::Process;
use super::stats::Stats;
use crate::error::{Error, Result};

/// How often a caller looks for the lock before it lets the system wait for it: some microseconds in all. It is held for
/// tens of nanoseconds, and a caller that sleeps has to be woken by another that logs: with two threads on two cores that
/// halved what they log.
const LOOKS: u32 = 10;

/// What a caller meets when `max_pending_bytes` wait for the disk already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It waits for room, unless the disk fails: then the record is refused.
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
pub(crate) struct Tray {
    pub(super) limits: Limits,
    pub(super) process: Process,
    state: Mutex<State>,
    /// The worker waits here for something to do.
    pub(super) work: Condvar,
    /// Callers wait here for room, for a flush, for the end.
    pub(super) progress: Condvar,
    /// Outside the lock, which a fork may never get.
    ignored_count: AtomicU64,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) chunks: Chunks,
    /// Where callers and worker are in the stream of frames; `flushed <= accepted`, in both numbers.
    pub(super) accepted: Position,
    pub(super) flushed: Position,
    pub(super) refused_count: u64,
    pub(super) worker: Worker,
    /// Somebody waits for what is here: no lingering.
    pub(super) hurry: bool,
    /// Why the last attempt failed, if it did.
    pub(super) failure: Option<Error>,
    /// Attempts that failed, ever: by this a waiting caller notices one.
    pub(super) failed_attempts: u64,
    pub(super) closing: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worker {
    /// Nothing is pending: the next record has to wake it.
    Asleep,
    /// Waits for the flush interval to pass or a chunk to be full.
    Lingering,
    /// Writes, or waits to try again; looks here by itself.
    Busy,
    /// Gone.
    Ended,
}

impl Tray {
    /// A tray with `first` in it, which is not counted as a record.
    pub(crate) fn new(limits: Limits, first: &[u8]) -> Self {
        let accepted = Position {
            records: 0,
            bytes: first.len() as u64,
        };
        Self {
            limits,
            process: Process::current(),
            state: Mutex::new(State {
                chunks: Chunks::new(first),
                accepted,
                flushed: Position::default(),
                refused_count: 0,
                worker: Worker::Busy,
                hurry: false,
                failure: None,
                failed_attempts: 0,
                closing: false,
            }),
            work: Condvar::new(),
            progress: Condvar::new(),
            ignored_count: AtomicU64::new(0),
        }
    }

    /// Takes one frame, or counts why not.
    pub(crate) fn accept(&self, frame: &[u8]) {
        let Some(mut state) = self.try_lock() else {
            return self.ignore();
        };
        if state.pending_bytes() + frame.len() as u64 > self.limits.max_pending_bytes as u64 {
            match self.wait_for_room(state, frame.len()) {
                Some(with_room) => state = with_room,
                None => return,
            }
        }
        if state.closing {
            drop(state);
            return self.ignore();
        }

        let fills = state.chunks.append(frame);
        state.accepted.records += 1;
        state.accepted.bytes += frame.len() as u64;

        let wakes = match state.worker {
            Worker::Asleep => true,
            Worker::Lingering => fills,
            Worker::Busy | Worker::Ended => false,
        };
        if wakes {
            state.worker = Worker::Busy;
        }
        let target = state.accepted.bytes;
        drop(state);

        if wakes {
            self.work.notify_one();
        }
        let waits = self.limits.flush_interval.is_zero();
        if wakes || fills || waits {
            self.finish_accept(waits.then_some(target));
        }
    }

    /// Returns once all that was accepted before is with the operating system, or an attempt to bring it there failed.
    pub(crate) fn flush(&self) -> Result<()> {
        let mut state = self.lock()?;
        let target = state.accepted.bytes;
        if state.flushed.bytes < target && state.worker != Worker::Ended {
            state.hurry = true;
            self.work.notify_one();
            state = self.wait_until_flushed(state, target);
        }
        state.outcome(target)
    }

    /// Accepts nothing more, and returns once the worker has written the rest or given it up.
    pub(crate) fn close(&self) -> Result<()> {
        let mut state = self.lock()?;
        state.closing = true;
        self.work.notify_one();
        self.progress.notify_all();
        state = self.wait_while(state, |state| state.worker != Worker::Ended);
        let target = state.accepted.bytes;
        state.outcome(target)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_ok_and(|state| state.closing)
    }

    pub(crate) fn stats(&self) -> Stats {
        let ignored_count = self.ignored_count.load(Ordering::Relaxed);
        match self.lock() {
            Ok(state) => Stats {
                accepted_count: state.accepted.records,
                flushed_count: state.flushed.records,
                pending_bytes: state.pending_bytes(),
                refused_count: state.refused_count,
                ignored_count,
                failure: state.failure.clone(),
                ..Stats::default()
            },
            Err(error) => Stats {
                ignored_count,
                failure: Some(error),
                ..Stats::default()
            },
        }
    }

    /// For a record that nobody could read.
    pub(crate) fn refuse(&self) {
        if let Ok(mut state) = self.lock() {
            state.refused_count += 1;
        }
    }

    /// The state, for a caller that has time.
    fn lock(&self) -> Result<MutexGuard<'_, State>> {
        if self.process.is_forked() {
            return Err(Error::Closed);
        }
        Ok(self.enter())
    }

    /// The state, for the worker or whoever knows that this is no fork. A poisoned lock is entered: what it guards is
    /// plain data, whole between two calls.
    pub(super) fn enter(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, without asking the system for the process as long as the lock is to be had soon. `None` in a fork that
    /// began while it was held: the thread that would let it go is not here.
    fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        for look in 0..LOOKS {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {
                    (0..1 << look.min(6)).for_each(|_| hint::spin_loop());
                }
            }
        }
        self.lock().ok()
    }

    /// Waits until `frame_bytes` more fit, or refuses them.
    #[cold]
    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        frame_bytes: usize,
    ) -> Option<MutexGuard<'a, State>> {
        if self.process.is_forked() {
            drop(state);
            self.ignore();
            return None;
        }
        let max = self.limits.max_pending_bytes as u64;
        // What is larger than the bound by itself enters when nothing else waits.
        let is_full = |state: &State| {
            let pending = state.pending_bytes();
            pending > 0 && pending + frame_bytes as u64 > max
        };
        // A failing sink is tried again in its time, not whenever a caller comes.
        if state.failure.is_none() && !state.hurry {
            state.hurry = true;
            self.work.notify_one();
        }
        if self.limits.when_full == WhenFull::Block {
            state = self.wait_while(state, |state| {
                is_full(state) && state.failure.is_none() && !state.closing
            });
        }
        if state.closing || !is_full(&state) {
            return Some(state);
        }
        state.refused_count += 1;
        let is_first = state.refused_count == 1;
        drop(state);
        if is_first {
            log::error!(
                "{max} bytes wait for the disk: new records are refused while there is no room"
            );
        }
        None
    }

    /// What is rarely left to do once a record is in.
    #[cold]
    fn finish_accept(&self, wait_for: Option<u64>) {
        if self.process.is_forked() {
            // Nobody comes for it: let the calls that follow see that.
            self.enter().closing = true;
            return self.ignore();
        }
        if let Some(target) = wait_for {
            let state = self.enter();
            if state.failure.is_none() {
                drop(self.wait_until_flushed(state, target));
            }
        }
    }

    /// Returns once `target` bytes are flushed, or an attempt after this call has failed.
    fn wait_until_flushed<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        target: u64,
    ) -> MutexGuard<'a, State> {
        let failed_attempts = state.failed_attempts;
        self.wait_while(state, |state| {
            state.flushed.bytes < target
                && state.failed_attempts == failed_attempts
                && state.worker != Worker::Ended
        })
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
    fn ignore(&self) {
        if self.ignored_count.fetch_add(1, Ordering::Relaxed) == 0 && !self.process.is_forked() {
            log::error!("the summary writer is closed: what is logged now is ignored");
        }
    }
}

impl State {
    pub(super) fn pending_bytes(&self) -> u64 {
        self.accepted.bytes - self.flushed.bytes
    }

    fn outcome(&self, target: u64) -> Result<()> {
        let is_flushed = self.flushed.bytes >= target;
        match &self.failure {
            Some(error) if !is_flushed || self.worker == Worker::Ended => Err(error.clone()),
            _ if is_flushed => Ok(()),
            _ => Err(Error::Closed),
        }
    }
}
