//! The worker: the thread that takes chunks from the queue, fills in their checksums and writes them to the sink. It sleeps
//! without a timer while nothing is pending, and tries again while the sink fails.

use std::io;
use std::time::Duration;

use super::chunks::Chunk;
use super::queue::{Queue, State, WorkerState};
use super::sink::Sink;
use super::sync::PoisonError;
use crate::error::{Chain, Error, quoted};
use crate::record;

/// The pause between two attempts to write to a failing sink. It doubles from the first to the last.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// When written data is also synced to the disk (`fsync`), so that it survives a power failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// The operating system decides. If the program crashes, no written data is lost.
    #[default]
    Never,
    /// Before `close` returns.
    OnClose,
    /// After each batch, and so before `flush` returns. After a sync that failed, the system may have dropped data, although the
    /// next sync succeeds. So `flush` and `close` return the error from then on. Logging continues.
    EachFlush,
}

/// When the worker writes what is pending: after this time, or when there are more bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batching {
    pub(crate) interval: Duration,
    pub(crate) bytes: u64,
}

/// Runs until the queue is closed and empty, or until the sink fails after the queue was closed. `inspect` gets the frames
/// that were written, before they count as flushed. Returns the sink if the run was suspended.
pub(crate) fn run(
    queue: &Queue,
    sink: Sink,
    sync: SyncPolicy,
    mut inspect: impl FnMut(&[u8]),
) -> Option<Sink> {
    queue.register_worker();
    let panicked = io::Error::other("the sink panicked");
    let mut end = EndOnDrop {
        queue,
        is_suspended: false,
        failure: Some(sink.error("write", panicked)),
    };
    let mut sink = sink; // It is dropped before `end`, so that the file is closed when `close` returns.
    let mut retry_after = FIRST_RETRY;
    loop {
        let mut chunk = match queue.next_task(sink.batching(queue.limits.flush_interval)) {
            Task::Write(mut chunk) => {
                if sink.takes_whole_batches() {
                    queue.take_rest(&mut chunk);
                }
                chunk
            }
            Task::Suspend => {
                sink.suspend();
                if queue.finish_suspend() {
                    end.is_suspended = true;
                    return Some(sink);
                }
                continue;
            }
            Task::Close => break,
        };
        record::seal(&mut chunk.bytes);
        let mut written = 0;
        while let Err(error) = write(&mut sink, &chunk.bytes, &mut written, || !queue.is_closed()) {
            if !queue.wait_before_retry(error, retry_after, sink.keeps_trying()) {
                end.failure = spill(queue, &sink, chunk);
                return None;
            }
            retry_after = (retry_after * 2).min(LAST_RETRY);
        }
        retry_after = FIRST_RETRY;
        finish_chunk(queue, &mut sink, sync, &mut inspect, chunk);
    }
    end.failure = finish_file(&mut sink, sync);
    None
}

/// Writes the records that the sink did not take to the place for them, if there is one. Returns what to report then.
fn spill(queue: &Queue, sink: &Sink, mut chunk: Chunk) -> Option<Error> {
    let take_frames = || {
        queue.take_rest(&mut chunk);
        record::seal(&mut chunk.bytes);
        chunk.bytes
    };
    Some(match sink.spill(take_frames)? {
        Ok(path) => {
            let problem = format!("the pending records were written to {}", quoted(&path));
            sink.error("upload", io::Error::other(problem))
        }
        Err(error) => error,
    })
}

/// Syncs the file if the policy says so, inspects the frames, and counts them as flushed.
pub(super) fn finish_chunk(
    queue: &Queue,
    sink: &mut Sink,
    sync: SyncPolicy,
    inspect: &mut impl FnMut(&[u8]),
    chunk: Chunk,
) {
    if sync == SyncPolicy::EachFlush {
        queue.set_sync_failure(sink.sync().err());
    }
    inspect(&chunk.bytes);
    queue.count_flushed(chunk);
    sink.after_batch();
}

/// Prepares the file for its close, and syncs it unless the policy is `Never`. Returns the error of the sync.
pub(super) fn finish_file(sink: &mut Sink, sync: SyncPolicy) -> Option<Error> {
    sink.before_close();
    match sync {
        SyncPolicy::Never => None,
        SyncPolicy::OnClose | SyncPolicy::EachFlush => sink.sync().err(),
    }
}

/// The next task of the worker.
enum Task {
    Write(Chunk),
    /// All is written, and the run has no handle.
    Suspend,
    /// The queue is closed and empty.
    Close,
}

/// Ends the queue when the worker ends, even if the sink panics: callers that wait must not hang.
struct EndOnDrop<'a> {
    queue: &'a Queue,
    is_suspended: bool,
    /// Why the worker ends, if the queue does not have the reason yet.
    failure: Option<Error>,
}

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        if !self.is_suspended {
            self.queue.end(self.failure.take());
        }
    }
}

/// Writes `bytes` to the sink, starting at `written`. After an error, `written` is the offset where the next call continues.
/// A deleted directory is created again if `may_create_dir` returns `true`.
pub(super) fn write(
    sink: &mut Sink,
    bytes: &[u8],
    written: &mut usize,
    may_create_dir: impl Fn() -> bool,
) -> Result<(), Error> {
    while *written < bytes.len() {
        sink.reopen()?;
        if sink.is_deleted() {
            // The new file must start with a whole record, even if the old file has a part of it.
            *written = record::frame_start(bytes, *written);
            sink.recreate(may_create_dir())?;
        }
        match sink.write(&bytes[*written..]) {
            Ok(0) => return Err(sink.error("write", io::ErrorKind::WriteZero.into())),
            Ok(count) => *written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(sink.error("write", error)),
        }
    }
    sink.flush()
}

/// The worker's side of the queue. It never reports while it holds the lock, because reporting may lock, too.
impl Queue {
    /// Waits until a batch is due, and takes its next chunk. When nothing is left to write and to encode, the queue may be
    /// closed or suspended.
    fn next_task(&self, batching: Batching) -> Task {
        let mut state = self.lock();
        while state.chunks.is_empty() {
            if state.is_complete() {
                state.worker = WorkerState::Writing;
                return match state.is_closing {
                    true => Task::Close,
                    false => Task::Suspend,
                };
            }
            state.worker = WorkerState::Idle;
            state = self
                .work
                .wait_while(state, |state| {
                    state.worker == WorkerState::Idle && !state.is_complete()
                })
                .unwrap_or_else(PoisonError::into_inner);
        }
        let must_wait = |state: &State| {
            state.accepted.bytes - state.flushed.bytes <= batching.bytes
                && !state.needs_room()
                && state.flushed.bytes >= state.flush_target
                && !state.is_closing
        };
        if !batching.interval.is_zero() && must_wait(&state) {
            let keep_waiting = |state: &mut State| {
                let must_wait = must_wait(state);
                if must_wait {
                    state.worker = WorkerState::Batching; // a full chunk may have woken it
                }
                must_wait
            };
            (state, _) = self
                .work
                .wait_timeout_while(state, batching.interval, keep_waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.worker = WorkerState::Writing;
        state.attempt += 1;
        state.room = 0;
        Task::Write(state.chunks.take())
    }

    /// Adds everything that is pending to a chunk that was taken.
    fn take_rest(&self, chunk: &mut Chunk) {
        let mut state = self.lock();
        let mut rest = Vec::new();
        while !state.chunks.is_empty() {
            rest.push(state.chunks.take());
        }
        drop(state);
        for next in rest {
            chunk.append(next);
        }
    }

    /// Sets the result of a sync, and reports the first failure. After a failure, the sink returns the same error until the file
    /// is replaced.
    fn set_sync_failure(&self, failure: Option<Error>) {
        let mut state = self.lock();
        let is_first = state.sync_failure.is_none();
        state.sync_failure.clone_from(&failure);
        drop(state);
        if let Some(error) = failure
            && is_first
        {
            self.reporter.error(format_args!(
                "{}; what was written since the last sync may not survive a crash of the system",
                Chain(&error)
            ));
        }
    }

    /// Counts a chunk as flushed, and recycles its memory.
    fn count_flushed(&self, chunk: Chunk) {
        let mut state = self.lock();
        state.flushed.records += chunk.record_count;
        state.flushed.bytes += chunk.bytes.len() as u64;
        state.encoder.encoded_bytes -= chunk.encoded_bytes;
        state.chunks.recycle(chunk);
        self.reserve(&mut state);
        let has_recovered = state.failure.take().is_some();
        drop(state);
        self.progress.notify_all();
        if has_recovered {
            self.reporter.warn(
                "the sink of the summary writer works again; the data that was kept is being written",
            );
        }
    }

    /// Records a failed attempt. Returns whether it was the last one, because the queue is closed.
    pub(super) fn set_failure(&self, error: Error, keeps_trying: bool) -> bool {
        let mut state = self.lock();
        let is_first = state.failure.is_none();
        let is_last = !keeps_trying && state.is_closing && state.attempt >= state.requested_attempt;
        state.failure = Some(error.clone());
        state.failed_attempt = state.attempt;
        drop(state);
        self.progress.notify_all();
        if is_first && !is_last {
            self.reporter.error(format_args!(
                "{}; the data is kept and will be tried again",
                Chain(&error)
            ));
        }
        is_last
    }

    /// Records a failed attempt, and waits until it is time for the next one. Returns `false` if this was the last attempt.
    fn wait_before_retry(&self, error: Error, retry_after: Duration, keeps_trying: bool) -> bool {
        if self.set_failure(error, keeps_trying) {
            return false;
        }
        let (mut state, _) = self
            .work
            .wait_timeout_while(self.lock(), retry_after, |state| {
                state.requested_attempt <= state.attempt
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.attempt += 1;
        true
    }

    /// Closes the queue without a worker. Records that were not written are lost. `failure`, if there is one,
    /// replaces the failure of the state.
    pub(super) fn end(&self, failure: Option<Error>) {
        let mut state = self.lock();
        state.worker = WorkerState::Ended;
        state.is_closing = true;
        state.failure = failure.or(state.failure.take());
        let lost = state.accepted.records - state.flushed.records - state.unencoded_count;
        let lost_bytes = state.accepted.bytes - state.flushed.bytes;
        let failure = state.failure.clone();
        state.chunks.clear();
        state.encoder.clear();
        self.reserve(&mut state);
        drop(state);
        self.encode.notify_all();
        self.progress.notify_all();
        if let Some(failure) = failure {
            self.reporter.error(format_args!(
                "{}; the summary writer is closed, records lost: {lost} ({lost_bytes} bytes)",
                Chain(&failure)
            ));
        }
    }
}
