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
/// The size of the records that are handed to the worker together, raw and encoded, unless a single one is larger. Small images
/// then take the queue's lock a few times for each batch, and no record waits long for the encoding of the next ones.
const BLOCK_BYTES: u64 = 32 << 10;
/// Room for records that is kept for the next batch.
const KEPT_RECORDS: usize = 1024;

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
    /// A thread encodes, or is being started.
    is_running: bool,
    /// The encoder sleeps. The next record must wake it.
    is_idle: bool,
    /// Deferred records that were accepted, and how many of them are done: encoded, or rejected by their encoder.
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

    /// Moves all waiting records to `batch`, which must be empty. Returns `false` if there are none, and then the encoder must
    /// end.
    fn take_batch(&mut self, batch: &mut VecDeque<Deferred>) -> bool {
        mem::swap(&mut self.waiting, batch);
        self.is_running = !batch.is_empty();
        self.is_running
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
    let (mut batch, mut block) = Default::default();
    while queue.next_batch(&mut batch) {
        encode_batch(queue, &mut batch, &mut block);
    }
}

/// Encodes what is waiting, on the thread of a caller, because there is no encoder.
pub(crate) fn run_once(queue: &Queue) {
    let (mut batch, mut block) = Default::default();
    while queue.lock().encoder.take_batch(&mut batch) {
        encode_batch(queue, &mut batch, &mut block);
    }
}

fn encode_batch(queue: &Queue, batch: &mut VecDeque<Deferred>, block: &mut Block) {
    while let Some(record) = batch.pop_front() {
        block.encode(record);
        let next_bytes = batch.front().map(|next| next.raw_bytes);
        let has_room = |next| {
            block.raw_bytes + next <= BLOCK_BYTES && (block.frames.len() as u64) < BLOCK_BYTES
        };
        if next_bytes.is_some_and(has_room) {
            continue;
        }
        // If this is the thread of a caller, a panic of the logger must not end the encoding, because others wait for it.
        panic::catch_unwind(AssertUnwindSafe(|| {
            queue.finish_deferred(block, next_bytes.is_none());
        }))
        .ok();
        block.clear();
    }
    batch.shrink_to(KEPT_RECORDS);
}

/// Records that are done and not yet handed to the worker.
#[derive(Default)]
struct Block {
    /// The frames, one after the other.
    frames: Vec<u8>,
    frame_count: u64,
    rejected_count: u64,
    /// Why the first rejected record has no frame.
    error: Option<Error>,
    /// The raw size of all records.
    raw_bytes: u64,
}

impl Block {
    /// Makes a frame. If the encoder panics, only this record is lost.
    fn encode(&mut self, record: Deferred) {
        let start = self.frames.len();
        self.raw_bytes += record.raw_bytes;
        let encoded =
            panic::catch_unwind(AssertUnwindSafe(|| (record.make_frame)(&mut self.frames)));
        let encoded = encoded.unwrap_or_else(|_| {
            let error = io::Error::other("its encoder panicked");
            Err(Error::stream("encode a record", error))
        });
        if let Err(error) = encoded {
            self.frames.truncate(start);
            self.rejected_count += 1;
            self.error.get_or_insert(error);
        } else {
            self.frame_count += 1;
        }
    }

    fn clear(&mut self) {
        let mut frames = mem::take(&mut self.frames);
        frames.clear();
        frames.shrink_to(CHUNK_BYTES);
        *self = Self {
            frames,
            ..Self::default()
        };
    }
}

/// The encoder's side of the queue.
impl Queue {
    /// Accepts a record that the encoder encodes, or counts why it was not accepted. Until it is encoded, `raw_bytes` bytes of it
    /// are pending. Calls `start_encoder` if no encoder runs.
    pub(crate) fn push_deferred(
        &self,
        raw_bytes: usize,
        make_frame: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
        start_encoder: impl FnOnce(),
    ) {
        let make_frame = Box::new(make_frame);
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
            make_frame,
        });
        let starts = !mem::replace(&mut state.encoder.is_running, true);
        self.reserve(&mut state);
        let target = state.target();
        drop(state);
        if starts && !self.is_forked() {
            start_encoder();
        }
        if wakes {
            self.encode.notify_one();
        }
        // `finish_push` finds out whether this is a fork, which would collect images that nobody encodes.
        let is_large = raw_bytes as u64 >= BATCH_BYTES;
        if starts || wakes || is_large || self.limits.flush_interval.is_zero() {
            self.finish_push(target);
        }
    }

    /// Waits until a batch is due, and moves it to `batch`, which must be empty. Returns `false` when the queue is closed or
    /// suspended, and nothing is left to encode.
    fn next_batch(&self, batch: &mut VecDeque<Deferred>) -> bool {
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
        state.encoder.take_batch(batch)
    }

    /// Appends the frames of a block, and counts its other records as rejected. The last block of a batch is written without
    /// waiting for other records, because the batch has waited already.
    fn finish_deferred(&self, block: &mut Block, is_last: bool) {
        let mut state = self.lock();
        if state.worker == WorkerState::Ended {
            return;
        }
        let is_awaited = state.encoder.done_count < state.encoder.target_count;
        state.encoder.raw_bytes -= block.raw_bytes;
        state.encoder.done_count += block.frame_count + block.rejected_count;
        let is_frame = block.frame_count > 0;
        let mut fills = false;
        if is_frame {
            let frames_bytes = block.frames.len() as u64;
            state.accepted.bytes += frames_bytes;
            state.encoder.encoded_bytes += frames_bytes;
            state.encoder.encoded_end = state.accepted.bytes;
            fills = state
                .chunks
                .append_encoded(&mut block.frames, block.frame_count);
        }
        state.unencoded_count += block.rejected_count;
        let is_first_rejection =
            (0..block.rejected_count).fold(false, |is_first, _| state.count_invalid() || is_first);
        self.reserve(&mut state);
        if is_last || is_awaited {
            state.flush_target = state.accepted.bytes;
        }
        // A wake is a system call, so callers are woken only if a target is reached or somebody waits for room.
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
        if let Some(error) = block.error.take_if(|_| is_first_rejection) {
            self.report_rejection(&error);
        }
    }
}
