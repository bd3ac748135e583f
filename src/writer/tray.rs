//! Records on their way from the callers to the worker: frames in the order of the calls, under one lock, bounded in
//! bytes. This is the callers' side; `worker` has the other.
//!
//! In the steady state a call neither allocates nor makes a system call: the worker is woken by the first record after
//! idle and by a full chunk, and by no other.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hint;
use std::io;
use std::ptr;
use std::time::Duration;

use super::chunks::Chunks;
use super::process::Process;
use super::run_name::RunName;
use super::stats::Stats;
use super::sync::{
    AtomicU64, Condvar, Mutex, MutexGuard, Ordering, PoisonError, TryLockError, per_thread,
};
use crate::error::{Error, Result};

/// How often a caller looks for the lock before it lets the system wait for it, and how many pauses of the processor it
/// makes after each look: 10 µs where a pause is 40 ns, 1 µs where it is 4. The lock is held for tens of nanoseconds, but
/// each look takes it from the core that has it, and a caller that sleeps has to be woken by another that logs. Two and
/// more callers on two cores together log 9 M scalars a second so, about as many as one; with shorter pauses (ten looks
/// after up to 64) it was 4.5 M, with sleep alone 2 M.
const LOOKS: u32 = 4;
const PAUSES: u32 = 256;

per_thread! {
    /// The address of the tray whose worker this thread is; 0 is none.
    static SERVED: Cell<usize> = const { Cell::new(0) };
}

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
    pub(super) run_name: RunName,
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
    /// Where callers and worker are in the stream of records; `flushed <= accepted`, in both numbers. A deferred record
    /// counts by what it holds, not by the length of its frame.
    pub(super) accepted: Position,
    pub(super) flushed: Position,
    pub(super) refused_count: u64,
    /// Of these, how many for what they are, not for want of room.
    pub(super) misfit_count: u64,
    pub(super) worker: Worker,
    /// Somebody waits until this many bytes are flushed: no lingering before that.
    pub(super) wanted_bytes: u64,
    /// Attempts to write are numbered from 1: the last that began, the last that failed, and one that somebody waits for,
    /// so that there is no waiting before it begins.
    pub(super) attempt: u64,
    pub(super) failed_attempt: u64,
    pub(super) wanted_attempt: u64,
    /// Why the last attempt failed, if it did.
    pub(super) failure: Option<Error>,
    /// Who waits for room, in the order they came: none is overtaken, or a large record would wait for ever.
    pub(super) waiting: VecDeque<u64>,
    pub(super) next_ticket: u64,
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
    pub(crate) fn new(limits: Limits, run_name: RunName, first: &[u8]) -> Self {
        let accepted = Position {
            records: 0,
            bytes: first.len() as u64,
        };
        Self {
            limits,
            run_name,
            process: Process::current(),
            state: Mutex::new(State {
                chunks: Chunks::new(first),
                accepted,
                flushed: Position::default(),
                refused_count: 0,
                misfit_count: 0,
                worker: Worker::Busy,
                wanted_bytes: 0,
                attempt: 0,
                failed_attempt: 0,
                wanted_attempt: 0,
                failure: None,
                waiting: VecDeque::new(),
                next_ticket: 0,
                closing: false,
            }),
            work: Condvar::new(),
            progress: Condvar::new(),
            ignored_count: AtomicU64::new(0),
        }
    }

    /// A tray that takes nothing and has no worker.
    pub(crate) fn ended(limits: Limits) -> Self {
        let tray = Self::new(limits, RunName::default(), b"");
        tray.end(None);
        tray
    }

    /// Takes one frame, or counts why not.
    pub(crate) fn accept(&self, frame: &[u8]) {
        self.admit(frame.len(), |chunks| chunks.append(frame));
    }

    /// Takes one record whose frame the worker is to make, or counts why not. It holds `bytes` bytes until then.
    pub(crate) fn defer(
        &self,
        bytes: usize,
        frame: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        let bytes = bytes.max(1); // what counts for nothing would be flushed before it is there
        self.admit(bytes, |chunks| chunks.defer(Box::new(frame), bytes as u64));
    }

    /// Puts a record of so many bytes in; `put` says whether there is a chunk for the worker now.
    #[inline]
    fn admit(&self, bytes: usize, put: impl FnOnce(&mut Chunks) -> bool) {
        let Some(mut state) = self.try_lock() else {
            return self.ignore();
        };
        if !self.has_room(&state, bytes) || !state.waiting.is_empty() {
            match self.wait_for_room(state, bytes) {
                Some(with_room) => state = with_room,
                None => return,
            }
        }
        if state.closing {
            drop(state);
            return self.ignore();
        }

        let fills = state.take(bytes, put);
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

    /// Accepts `last`, a frame or nothing, and no more, and returns once the worker has written the rest or given it up.
    /// That frame needs no room, and on a tray that is closed already it is not accepted again.
    pub(crate) fn close(&self, last: &[u8]) -> Result<()> {
        let mut state = self.lock()?;
        if !state.closing {
            if !last.is_empty() {
                state.take(last.len(), |chunks| chunks.append(last));
            }
            state.closing = true;
            state.wanted_attempt = state.attempt + 1;
        }
        self.work.notify_one();
        self.progress.notify_all();
        if state.worker != Worker::Ended {
            self.is_not_worker("close")?;
        }
        state = self.wait_while(state, |state| state.worker != Worker::Ended);
        let target = state.accepted.bytes;
        state.outcome(target)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().map_or(true, |state| state.closing)
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

    /// The state, for a caller that has time.
    pub(super) fn lock(&self) -> Result<MutexGuard<'_, State>> {
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
        for _ in 0..LOOKS {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {
                    (0..PAUSES).for_each(|_| hint::spin_loop());
                }
            }
        }
        self.lock().ok()
    }

    /// What is rarely left to do once a record is in.
    #[cold]
    fn finish_accept(&self, wait_for: Option<u64>) {
        if self.process.is_forked() {
            // Nobody comes for it: let the calls that follow see that.
            self.enter().closing = true;
            return self.ignore();
        }
        if let Some(target) = wait_for
            && !serves()
        {
            // A sink that fails keeps nobody waiting.
            drop(self.wait_while(self.enter(), |state| {
                state.flushed.bytes < target
                    && state.failure.is_none()
                    && state.worker != Worker::Ended
            }));
        }
    }

    /// Declares this thread to be the worker.
    pub(super) fn begin(&self) {
        SERVED.with(|served| served.set(ptr::from_ref(self).addr()));
    }

    /// Whether this thread is the worker, which can wait for nothing that it does itself. The logger that it calls, or the
    /// sink, may log here.
    pub(crate) fn is_worker(&self) -> bool {
        SERVED.with(Cell::get) == ptr::from_ref(self).addr()
    }

    pub(super) fn is_not_worker(&self, action: &'static str) -> Result<()> {
        if self.is_worker() {
            let error = io::Error::new(
                io::ErrorKind::WouldBlock,
                "a writer's own thread cannot wait for itself",
            );
            return Err(Error::stream(action, error));
        }
        Ok(())
    }

    pub(super) fn wait_while<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.progress
            .wait_while(state, |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    pub(super) fn ignore(&self) {
        if self.ignored_count.fetch_add(1, Ordering::Relaxed) == 0 && !self.process.is_forked() {
            log::error!(
                "{}the summary writer is closed: what is logged now is ignored",
                self.run_name
            );
        }
    }
}

/// Whether this thread is the worker of any tray. It waits for no other's, which may wait for it: two that share a record,
/// whose frame one of them makes, and a logger there that logs to both.
pub(super) fn serves() -> bool {
    SERVED.with(Cell::get) != 0
}

impl State {
    /// Takes one record of so many bytes; returns what `put` says, whether there is a chunk for the worker now.
    #[inline]
    fn take(&mut self, bytes: usize, put: impl FnOnce(&mut Chunks) -> bool) -> bool {
        self.accepted.records += 1;
        self.accepted.bytes += bytes as u64;
        put(&mut self.chunks)
    }

    pub(super) fn pending_bytes(&self) -> u64 {
        self.accepted.bytes - self.flushed.bytes
    }
}
