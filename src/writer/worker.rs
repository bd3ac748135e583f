//! The thread that brings chunks to the sink: asleep while nothing is pending, patient while little is, and stubborn
//! while the sink fails. It knows frames, whose checksums it fills in, and no kind of data: what is deferred makes its
//! frame itself.

use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use super::chunks::{Chunk, MakeFrame};
use super::sink::Sink;
use super::sync::PoisonError;
use super::tray::{State, Tray, Worker};
use crate::error::{Chain, Error};
use crate::record;

/// Between two attempts at a failing sink; doubled up to the last.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// Of the memory in which deferred frames were made, as much as a chunk has.
const KEPT_BYTES: usize = 256 << 10;

/// When written data is also brought to the disk itself (`fsync`), so that it survives a loss of power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// When the operating system sees fit. A crash of the program loses nothing that was written.
    #[default]
    Never,
    /// Before `close` returns.
    OnClose,
    /// After each batch, and so before `flush` returns.
    EachFlush,
}

/// Works until the tray is closed and empty, or the sink fails after it was closed. `watch` is shown the frames that are
/// written, before they count as that.
pub(crate) fn run(tray: &Tray, mut sink: Sink, sync: SyncPolicy, mut watch: impl FnMut(&[u8])) {
    tray.begin();
    // A sink of the caller's may panic: who waits for the worker must learn that it is gone.
    let obituary = Obituary(tray);
    let mut retry_after = FIRST_RETRY;
    let mut made = Vec::new();
    while let Some(mut chunk) = tray.next_chunk() {
        let frames = if chunk.deferred.is_empty() {
            &mut chunk.bytes
        } else {
            make_frames(tray, &mut chunk, &mut made);
            &mut made
        };
        record::seal(frames);
        let mut written = 0;
        while let Err(error) = write(&mut sink, frames, &mut written, sync) {
            if !tray.wait_after_failure(error, retry_after) {
                return;
            }
            retry_after = (retry_after * 2).min(LAST_RETRY);
        }
        retry_after = FIRST_RETRY;
        watch(frames);
        made.clear();
        made.shrink_to(KEPT_BYTES);
        tray.count_flushed(chunk);
        sink.look_around(false);
    }
    sink.look_around(true);
    let outcome = match sync {
        SyncPolicy::Never => Ok(()),
        SyncPolicy::OnClose | SyncPolicy::EachFlush => sink.sync(),
    };
    mem::forget(obituary);
    tray.end(outcome.err());
}

/// Appends the frames of a chunk to `out`, those in it and those that are still to be made.
fn make_frames(tray: &Tray, chunk: &mut Chunk, out: &mut Vec<u8>) {
    let mut at = 0;
    for deferred in mem::take(&mut chunk.deferred) {
        out.extend_from_slice(&chunk.bytes[at..deferred.at]);
        at = deferred.at;
        let whole = out.len();
        if let Err(error) = make_frame(deferred.make_frame, out) {
            out.truncate(whole);
            chunk.records -= 1;
            tray.leave_out(&error);
        }
    }
    out.extend_from_slice(&chunk.bytes[at..]);
}

/// A panic, of an encoder say, costs the one record: those behind it are accepted, too.
fn make_frame(make_frame: Box<MakeFrame>, out: &mut Vec<u8>) -> Result<(), Error> {
    panic::catch_unwind(AssertUnwindSafe(|| make_frame(out))).unwrap_or_else(|_| {
        let error = io::Error::other("its encoder panicked");
        Err(Error::stream("encode a record", error))
    })
}

/// Brings `bytes` to the sink from `written` on, which says after an error where to go on.
pub(super) fn write(
    sink: &mut Sink,
    bytes: &[u8],
    written: &mut usize,
    sync: SyncPolicy,
) -> Result<(), Error> {
    while *written < bytes.len() {
        if sink.is_gone() {
            // The new file begins with a whole record, also where the old one got a part of it.
            *written = record::frame_start(bytes, *written);
            sink.renew()?;
        }
        match sink.write(&bytes[*written..]) {
            Ok(0) => return Err(sink.error("write", io::ErrorKind::WriteZero.into())),
            Ok(count) => *written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(sink.error("write", error)),
        }
    }
    sink.flush()?;
    match sync {
        SyncPolicy::EachFlush => sink.sync(),
        SyncPolicy::Never | SyncPolicy::OnClose => Ok(()),
    }
}

struct Obituary<'a>(&'a Tray);

impl Drop for Obituary<'_> {
    fn drop(&mut self) {
        let Self(tray) = self;
        let panicked = std::thread::panicking().then(|| {
            let error = io::Error::other("the sink or the logger panicked");
            tray.run_name.with_dir(Error::stream("write", error))
        });
        tray.end(panicked);
    }
}

/// The worker's side of the tray. Nothing is said through `log` while the lock is held: the logger may log here.
impl Tray {
    /// The next batch, once there is one and its time has come; `None` when the tray is closed and empty.
    fn next_chunk(&self) -> Option<Chunk> {
        let mut state = self.enter();
        while state.chunks.is_empty() {
            if state.closing {
                return None;
            }
            state.worker = Worker::Asleep;
            state = self
                .work
                .wait_while(state, |state| {
                    state.worker == Worker::Asleep && !state.closing
                })
                .unwrap_or_else(PoisonError::into_inner);
        }
        let must_wait = |state: &State| {
            !state.chunks.has_full()
                && state.waiting.is_empty()
                && state.flushed.bytes >= state.wanted_bytes
                && !state.closing
        };
        if !self.limits.flush_interval.is_zero() && must_wait(&state) {
            state.worker = Worker::Lingering;
            let interval = self.limits.flush_interval;
            (state, _) = self
                .work
                .wait_timeout_while(state, interval, |state| must_wait(state))
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.worker = Worker::Busy;
        state.attempt += 1;
        Some(state.chunks.take())
    }

    /// Counts a chunk as flushed, and keeps its memory for the callers.
    fn count_flushed(&self, chunk: Chunk) {
        let mut state = self.enter();
        state.flushed.records += chunk.records;
        state.flushed.bytes += chunk.pending_bytes;
        state.chunks.recycle(chunk);
        let recovered = state.failure.take().is_some();
        drop(state);
        self.progress.notify_all();
        if recovered {
            log::warn!(
                "{}the summary writer's sink takes data again; what was kept is being written",
                self.run_name
            );
        }
    }

    /// Counts a record as refused that was accepted, and could not be made a frame of. Its bytes count as pending as long
    /// as those of its chunk.
    fn leave_out(&self, error: &Error) {
        let mut state = self.enter();
        state.accepted.records -= 1;
        let is_first = state.count_misfit() == 1;
        drop(state);
        if is_first {
            log::error!("{}{}; the record is refused", self.run_name, Chain(error));
        }
    }

    /// Notes that the sink refused, tells who waits for it, and returns when it is time to try again: `true`; or `false`
    /// when the tray is closed, so that this was the last attempt.
    fn wait_after_failure(&self, error: Error, retry_after: Duration) -> bool {
        let mut state = self.enter();
        let is_first = state.failure.is_none();
        let is_last = state.closing && state.attempt >= state.wanted_attempt;
        state.failure = Some(error.clone());
        state.failed_attempt = state.attempt;
        drop(state);
        self.progress.notify_all();
        if is_last {
            return false;
        }
        if is_first {
            log::error!("{}; what is logged is kept, and tried again", Chain(&error));
        }
        let (mut state, _) = self
            .work
            .wait_timeout_while(self.enter(), retry_after, |state| {
                state.wanted_attempt <= state.attempt
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.attempt += 1;
        true
    }

    /// The worker is gone; `failure` is why, if that is not known yet. What it has not written is lost.
    pub(super) fn end(&self, failure: Option<Error>) {
        let mut state = self.enter();
        state.worker = Worker::Ended;
        state.closing = true;
        state.failure = failure.or(state.failure.take());
        let lost = state.accepted.records - state.flushed.records;
        let failure = state.failure.clone();
        state.chunks.clear();
        drop(state);
        self.progress.notify_all();
        if let Some(failure) = failure {
            log::error!(
                "{}; the summary writer is closed, records lost: {lost}",
                Chain(&failure)
            );
        }
    }
}
