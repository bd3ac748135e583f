//! Faulty I/O for tests: a reader that follows a script, a writer that records what reached it and fails on demand.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// A reader that serves listed pieces, each followed by one end of file or one error.
#[derive(Debug)]
pub(crate) struct Script {
    pieces: VecDeque<Vec<u8>>,
    failing: bool,
}

impl Script {
    pub(crate) fn new<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self {
            pieces: pieces.into_iter().map(<[u8]>::to_vec).collect(),
            failing: false,
        }
    }

    /// Puts an error where an end of file would be.
    pub(crate) fn failing_between(mut self) -> Self {
        self.failing = true;
        self
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.pieces.front_mut() else {
            return Ok(0);
        };
        if piece.is_empty() {
            self.pieces.pop_front();
            return if self.failing {
                Err(io::ErrorKind::TimedOut.into())
            } else {
                Ok(0)
            };
        }
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        piece.drain(..count);
        Ok(count)
    }
}

/// A writer that records what it takes. Its clones are one tape: give one away, look at the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    writes: Vec<usize>,
    flushes: usize,
    /// Bytes it takes before it fails.
    room: Option<usize>,
    /// The most that one call takes.
    max_write: Option<usize>,
    /// Calls that may pass; `None` is any number.
    permits: Option<usize>,
    waiting: bool,
    attempts: usize,
    panics: bool,
    threads: Vec<ThreadId>,
}

impl Tape {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Fails once `count` bytes are taken, until [`recover`](Self::recover).
    pub(crate) fn failing_after(self, count: usize) -> Self {
        self.state().room = Some(count);
        self
    }

    /// Takes at most `count` bytes a call.
    pub(crate) fn short(self, count: usize) -> Self {
        self.state().max_write = Some(count);
        self
    }

    /// Lets each call wait for a permission.
    pub(crate) fn gated(self) -> Self {
        self.state().permits = Some(0);
        self
    }

    /// Panics at the next call.
    pub(crate) fn panicking(self) -> Self {
        self.state().panics = true;
        self
    }

    pub(crate) fn recover(&self) {
        self.state().room = None;
    }

    /// Lets `count` more calls of a gated tape pass.
    pub(crate) fn permit(&self, count: usize) {
        let mut state = self.state();
        state.permits = state.permits.map(|permits| permits + count);
        self.0.1.notify_all();
    }

    /// Lets all calls of a gated tape pass.
    pub(crate) fn open(&self) {
        self.state().permits = None;
        self.0.1.notify_all();
    }

    /// Returns once a call waits at the gate.
    pub(crate) fn await_caller(&self) {
        self.await_state(|state| state.waiting);
    }

    /// Returns once `count` calls were made, also those that failed.
    pub(crate) fn await_attempts(&self, count: usize) {
        self.await_state(|state| state.attempts >= count);
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// The size of each call that succeeded.
    pub(crate) fn writes(&self) -> Vec<usize> {
        self.state().writes.clone()
    }

    pub(crate) fn flushes(&self) -> usize {
        self.state().flushes
    }

    pub(crate) fn attempts(&self) -> usize {
        self.state().attempts
    }

    /// The threads that have written, each once for calls in a row.
    pub(crate) fn threads(&self) -> Vec<ThreadId> {
        self.state().threads.clone()
    }

    fn await_state(&self, done: impl Fn(&State) -> bool) {
        let guard = self
            .0
            .1
            .wait_while(self.state(), |state| !done(state))
            .unwrap_or_else(PoisonError::into_inner);
        drop(guard);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        state.attempts += 1;
        state.threads.push(thread::current().id());
        state.threads.dedup();
        state.waiting = true;
        self.0.1.notify_all();
        state = self
            .0
            .1
            .wait_while(state, |state| state.permits == Some(0))
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting = false;
        state.permits = state.permits.map(|permits| permits - 1);
        assert!(!state.panics, "a sink's own bug");
        let count = bytes
            .len()
            .min(state.max_write.unwrap_or(usize::MAX))
            .min(state.room.unwrap_or(usize::MAX));
        if count == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.room = state.room.map(|room| room - count);
        state.bytes.extend_from_slice(&bytes[..count]);
        state.writes.push(count);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.state().flushes += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_ends_once_after_each_piece() {
        let mut script = Script::new([&b"ab"[..], b"c"]);
        let mut buffer = [0; 8];
        let got: Vec<_> = (0..6).map(|_| script.read(&mut buffer).unwrap()).collect();
        assert_eq!(got, [2, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn a_tape_takes_what_it_has_room_for_and_then_fails() {
        let mut tape = Tape::new().failing_after(3).short(2);
        assert_eq!(tape.write(b"abcd").unwrap(), 2);
        assert_eq!(tape.write(b"cd").unwrap(), 1);
        assert!(tape.write(b"d").is_err());
        tape.recover();
        assert_eq!(tape.write(b"d").unwrap(), 1);
        assert_eq!(tape.bytes(), b"abcd");
        assert_eq!(tape.writes(), [2, 1, 1]);
        assert_eq!(tape.attempts(), 4);
    }
}
