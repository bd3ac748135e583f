//! A writer without a thread: each call writes its record before it returns.

use std::fmt;
use std::io;
use std::panic::{self, AssertUnwindSafe};

use super::chunks::Chunk;
use super::queue::{Queue, WorkerState, is_worker_thread};
use super::sink::Sink;
use super::sync::{Mutex, PoisonError, TryLockError};
use super::worker::{self, SyncPolicy};
use crate::record;
use crate::report;

/// The sink of a writer without a thread, and the state of its last write.
pub(crate) struct Inline {
    sink: Sink,
    sync: SyncPolicy,
    /// Gets the frames that were written.
    inspect: Box<Inspect>,
    /// The chunk that is being written, and how many of its bytes are written.
    chunk: Option<(Chunk, usize)>,
}

type Inspect = dyn FnMut(&[u8]) + Send;

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inline({:?})", self.sink)
    }
}

impl Queue {
    /// Lets the callers write to the sink.
    pub(crate) fn with_inline(
        mut self,
        sink: Sink,
        sync: SyncPolicy,
        inspect: impl FnMut(&[u8]) + Send + 'static,
    ) -> Self {
        self.lock().worker = WorkerState::Inline;
        self.inline = Some(Mutex::new(Inline {
            sink,
            sync,
            inspect: Box::new(inspect),
            chunk: None,
        }));
        self
    }

    /// Writes everything that is pending, and ends a queue that is closed. Does nothing if there is a worker. After a failure
    /// the data is kept, and the next call tries again.
    pub(super) fn write_inline(&self) {
        if let Some(inline) = &self.inline {
            // A logger that locks something may log to this writer from another thread.
            report::after(|| self.write_locked(inline));
        }
    }

    fn write_locked(&self, inline: &Mutex<Inline>) {
        let mut inline = match inline.try_lock() {
            Ok(inline) => inline,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // The sink may log during a write. The loop of that write also writes its record.
            Err(TryLockError::WouldBlock) if is_worker_thread() => return,
            Err(TryLockError::WouldBlock) => inline.lock().unwrap_or_else(PoisonError::into_inner),
        };
        self.as_worker(|| {
            let written = panic::catch_unwind(AssertUnwindSafe(|| self.write_all(&mut inline)));
            if written.is_err() {
                let panicked = io::Error::other("the sink panicked");
                let error = inline.sink.error("write", panicked);
                panic::catch_unwind(AssertUnwindSafe(|| self.end(Some(error)))).ok();
            }
        });
    }

    fn write_all(&self, inline: &mut Inline) {
        let Inline {
            sink,
            sync,
            inspect,
            chunk: current,
        } = inline;
        if self.has_ended() {
            return;
        }
        while let Some((chunk, mut written)) = current.take().or_else(|| self.next_chunk()) {
            self.lock().attempt += 1;
            match worker::write(sink, &chunk.bytes, &mut written, || !self.is_closed()) {
                Ok(()) => worker::finish_chunk(self, sink, *sync, inspect, chunk),
                Err(error) => {
                    let is_last = self.set_failure(error, false);
                    if is_last {
                        return self.end(None);
                    }
                    *current = Some((chunk, written));
                    return;
                }
            }
        }
        if self.is_closed() {
            self.end(worker::finish_file(sink, *sync));
        }
    }

    fn next_chunk(&self) -> Option<(Chunk, usize)> {
        let mut state = self.lock();
        if state.chunks.is_empty() {
            return None;
        }
        let mut chunk = state.chunks.take();
        drop(state);
        record::seal(&mut chunk.bytes);
        Some((chunk, 0))
    }

    /// Closes the file until the next write. Returns `false` if there is a worker.
    pub(super) fn suspend_inline(&self) -> bool {
        let Some(inline) = &self.inline else {
            return false;
        };
        inline
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sink
            .suspend();
        true
    }
}
