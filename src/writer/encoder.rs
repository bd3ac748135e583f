//! The encoder: the thread that encodes images, animations and audio clips, so that no other record waits for them. A writer
//! starts it with the first of them. It sleeps without a timer while it has nothing to do.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};

use super::chunks::CHUNK_BYTES;
use super::queue::{Queue, State, WorkerState};
use super::sync::PoisonError;
use crate::error::{Error, Result};

/// The raw size at which a batch is encoded before the flush interval is over. With one wake for each small image, their calls
/// took three times as long.
const BATCH_BYTES: u64 = 64 << 10;

/// A record that takes long to encode.
pub(super) struct Deferred {
    /// The size of its pixels or samples.
    raw_bytes: u64,
    make_frame: Box<MakeFrame>,
}

/// Appends a frame to a buffer.
type MakeFrame = dyn FnOnce(&mut Vec<u8>) -> Result<()> + Send;

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deferred, {} bytes", self.raw_bytes)
    }
}

/// What the queue's lock protects for the encoder.
#[derive(Debug, Default)]
pub(super) struct EncoderState {
    /// In call order.
    waiting: VecDeque<Deferred>,
    /// The thread was started and has not ended.
    pub(super) is_running: bool,
    /// The encoder sleeps. The next record must wake it.
    is_idle: bool,
    /// Deferred records that were accepted, and how many of them are done: encoded, or refused by their encoder.
    pub(super) accepted_count: u64,
    pub(super) done_count: u64,
    /// Somebody waits until so many are done, so the encoder must not wait for more records before that.
    pub(super) target_count: u64,
    /// The raw size of the records that are not done.
    pub(super) raw_bytes: u64,
    /// The size of the encoded frames that are not flushed.
    pub(super) encoded_bytes: u64,
    /// The value of `accepted.bytes` after the last encoded frame.
    pub(super) encoded_end: u64,
}

impl EncoderState {
    /// Returns whether records are waiting or being encoded.
    pub(super) fn is_busy(&self) -> bool {
        self.done_count < self.accepted_count
    }

    /// Returns the bytes of all deferred records that are not flushed: raw or encoded.
    pub(super) fn pending_bytes(&self) -> u64 {
        self.raw_bytes + self.encoded_bytes
    }

    /// Accepts a record. Returns whether the encoder must be woken.
    fn accept(&mut self, record: Deferred) -> bool {
        let before = self.raw_bytes;
        self.raw_bytes += record.raw_bytes;
        self.accepted_count += 1;
        self.waiting.push_back(record);
        let fills = before < BATCH_BYTES && self.raw_bytes >= BATCH_BYTES;
        mem::take(&mut self.is_idle) || fills
    }

    /// Drops all records that are not encoded.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.raw_bytes = 0;
        self.encoded_bytes = 0;
    }
}

/// Runs until the queue is closed or suspended and has nothing to encode.
pub(crate) fn run(queue: &Queue) {
    queue.register_worker();
    let mut frame = Vec::new();
    while let Some(batch) = queue.next_batch() {
        let mut left = batch.len();
        for record in batch {
            left -= 1;
            frame.clear();
            let encoded = encode(record.make_frame, &mut frame);
            frame.shrink_to(CHUNK_BYTES);
            let encoded = encoded.as_ref().map(|()| &mut frame);
            // A panic of the logger must not end the encoder, because callers wait for it.
            panic::catch_unwind(AssertUnwindSafe(|| {
                queue.finish_deferred(record.raw_bytes, encoded, left == 0);
            }))
            .ok();
        }
    }
}

/// Makes a frame. If the encoder panics, only this record is lost.
fn encode(make_frame: Box<MakeFrame>, frame: &mut Vec<u8>) -> Result<()> {
    panic::catch_unwind(AssertUnwindSafe(|| make_frame(frame))).unwrap_or_else(|_| {
        let error = io::Error::other("its encoder panicked");
        Err(Error::stream("encode a record", error))
    })
}

/// The encoder's side of the queue.
impl Queue {
    /// Accepts a record whose frame the encoder makes, or counts why it was not accepted. Until then it counts with the size
    /// of its raw data as pending.
    pub(crate) fn push_deferred(
        &self,
        raw_bytes: usize,
        make_frame: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        // A record of 0 bytes would not count as pending.
        let raw_bytes = raw_bytes.max(1);
        let Some(state) = self.lock_soon() else {
            return self.count_ignored();
        };
        let Some(mut state) = self.admit(state, raw_bytes, true) else {
            return;
        };
        state.accepted.records += 1;
        let wakes = state.encoder.accept(Deferred {
            raw_bytes: raw_bytes as u64,
            make_frame: Box::new(make_frame),
        });
        self.reserve(&mut state);
        let target = state.target();
        drop(state);
        if wakes {
            self.encode.notify_one();
        }
        if wakes || self.limits.flush_interval.is_zero() {
            self.finish_push(target);
        }
    }

    /// Notes that a thread will run the encoder, or that it could not be started. Returns whether there was one before.
    pub(crate) fn set_encoder(&self, is_running: bool) -> bool {
        mem::replace(&mut self.lock().encoder.is_running, is_running)
    }

    /// Waits until a batch is due, and takes it. Returns `None` when the queue is closed or suspended, and nothing is left to
    /// encode.
    fn next_batch(&self) -> Option<VecDeque<Deferred>> {
        let mut state = self.lock();
        state.encoder.is_idle = state.encoder.waiting.is_empty();
        state = self
            .encode
            .wait_while(state, |state| {
                state.encoder.waiting.is_empty() && !state.is_closing && !state.is_suspending
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.encoder.is_idle = false;
        let must_wait = |state: &State| {
            state.encoder.raw_bytes < BATCH_BYTES
                && state.waiting.is_empty()
                && state.encoder.done_count >= state.encoder.target_count
                && !state.is_closing
        };
        if !self.limits.flush_interval.is_zero() && must_wait(&state) {
            let interval = self.limits.flush_interval;
            (state, _) = self
                .encode
                .wait_timeout_while(state, interval, |state| must_wait(state))
                .unwrap_or_else(PoisonError::into_inner);
        }
        let batch = mem::take(&mut state.encoder.waiting);
        state.encoder.is_running = !batch.is_empty();
        (!batch.is_empty()).then_some(batch)
    }

    /// Appends an encoded frame, or counts the record as refused. The last of a batch is written without waiting for other
    /// records, because the batch has waited already.
    fn finish_deferred(
        &self,
        raw_bytes: u64,
        encoded: Result<&mut Vec<u8>, &Error>,
        is_last: bool,
    ) {
        let mut state = self.lock();
        if state.worker == WorkerState::Ended {
            return;
        }
        state.encoder.raw_bytes -= raw_bytes;
        state.encoder.done_count += 1;
        let is_frame = encoded.is_ok();
        let mut fills = false;
        let mut refusal = None;
        match encoded {
            Ok(frame) => {
                state.accepted.bytes += frame.len() as u64;
                state.encoder.encoded_bytes += frame.len() as u64;
                state.encoder.encoded_end = state.accepted.bytes;
                fills = state.chunks.append_encoded(frame);
            }
            Err(error) => {
                state.unencoded_count += 1;
                refusal = state.count_invalid().then_some(error);
            }
        }
        self.reserve(&mut state);
        let is_awaited = state.encoder.done_count <= state.encoder.target_count;
        if is_last || is_awaited {
            state.flush_target = state.accepted.bytes;
        }
        // A wake is a system call, so small images of a batch do without. Callers wait for a target or for room.
        let is_expected = is_last || is_awaited || !state.waiting.is_empty();
        let is_complete = state.is_complete();
        let wakes = match state.worker {
            WorkerState::Idle => is_frame || is_complete,
            WorkerState::Batching => fills || is_last || is_awaited,
            _ => false,
        };
        if wakes && is_frame {
            state.worker = WorkerState::Writing;
        }
        drop(state);
        if wakes {
            self.work.notify_one();
        }
        if is_expected {
            self.progress.notify_all();
        }
        if let Some(error) = refusal {
            self.report_refusal(error);
        }
    }
}
