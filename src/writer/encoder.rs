//! The encoders: the threads that encode images, animations and audio clips, so that no other record waits for them. A writer
//! starts the first one with the first such record, and others, if its options allow them, when all are busy. They sleep
//! without a timer while they have nothing to do.
//!
//! Several encoders take the records in call order, a block of them at a time. A block that is finished before an earlier one
//! waits for it. So the frames are appended in call order, and a flush waits for a number of records.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};

use super::chunks::CHUNK_BYTES;
use super::queue::{Queue, State, WorkerState};
use super::sync::PoisonError;
use crate::error::{Error, Result};
use crate::report;

/// The raw size at which a batch is encoded before the flush interval is over. With one wake for each small image, their calls
/// took three times as long.
const BATCH_BYTES: u64 = 64 << 10;
/// The raw size of the records that an encoder takes together, unless a single one is larger. Small images then take the queue's
/// lock twice for each block, and no record waits long for the encoding of the next ones.
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

/// The part of the encoders in what the queue's lock protects.
#[derive(Debug, Default)]
pub(super) struct EncoderState {
    /// In call order.
    waiting: VecDeque<Deferred>,
    /// The raw size of these.
    waiting_bytes: u64,
    /// Finished blocks, by their first record, that wait for an earlier block.
    finished: BTreeMap<u64, Block>,
    /// Encoders that run or are being started.
    thread_count: usize,
    /// The part of them that waits for records, or for the end of the flush interval.
    sleeping_count: usize,
    /// Deferred records, numbered in call order: how many were accepted, belong to batches that are due, were taken by an
    /// encoder, and are done: encoded, or rejected by their encoder, and so are all before them.
    pub(super) accepted_count: u64,
    due_count: u64,
    taken_count: u64,
    pub(super) done_count: u64,
    /// A flush waits until this many are done. Before that, the encoders must not wait for more records.
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

    /// Accepts a record. Returns whether an encoder must be woken.
    fn accept(&mut self, record: Deferred) -> bool {
        let is_first = self.waiting.is_empty();
        let before = self.waiting_bytes;
        self.waiting_bytes += record.raw_bytes;
        self.raw_bytes += record.raw_bytes;
        self.accepted_count += 1;
        self.waiting.push_back(record);
        let fills = before < BATCH_BYTES && self.waiting_bytes >= BATCH_BYTES;
        self.sleeping_count > 0 && (is_first || fills)
    }

    /// Moves the next records of the batch to `block`, which must be empty. Returns `false` if there are none.
    fn take_block(&mut self, block: &mut Block) -> bool {
        block.first = self.taken_count;
        let has_room = |block: &Block, next: &Deferred| {
            block.records.is_empty() || block.raw_bytes + next.raw_bytes <= BLOCK_BYTES
        };
        while self.taken_count < self.due_count
            && self
                .waiting
                .front()
                .is_some_and(|next| has_room(block, next))
            && let Some(record) = self.waiting.pop_front()
        {
            self.taken_count += 1;
            self.waiting_bytes -= record.raw_bytes;
            block.raw_bytes += record.raw_bytes;
            block.records.push(record);
        }
        if self.waiting.is_empty() {
            self.waiting.shrink_to(KEPT_RECORDS);
        }
        !block.records.is_empty()
    }

    /// Drops all records that are not encoded.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.finished.clear();
        self.due_count = self.taken_count;
        self.waiting_bytes = 0;
        self.raw_bytes = 0;
        self.encoded_bytes = 0;
    }
}

/// Runs until the queue is closed or suspended and has nothing to encode.
pub(crate) fn run(queue: &Queue) {
    queue.register_worker();
    let mut block = Block::default();
    while queue.next_block(&mut block) {
        block.encode();
        queue.finish_block(&mut block);
    }
}

/// Encodes what is waiting, on the thread of a caller, if no encoder could be started.
pub(crate) fn run_without_thread(queue: &Queue) {
    let mut block = Block::default();
    let mut state = queue.lock();
    state.encoder.thread_count -= 1;
    while state.encoder.thread_count == 0 {
        state.encoder.due_count = state.encoder.accepted_count;
        if !state.encoder.take_block(&mut block) {
            return;
        }
        drop(state);
        block.encode();
        // A panic of the logger must not end the encoding, because others wait for it.
        panic::catch_unwind(AssertUnwindSafe(|| {
            report::after(|| queue.finish_block(&mut block));
        }))
        .ok();
        state = queue.lock();
    }
}

/// Records that an encoder takes together.
#[derive(Debug, Default)]
struct Block {
    /// The number of the first record.
    first: u64,
    /// Those that are not encoded.
    records: Vec<Deferred>,
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
    /// Makes the frames. If an encoder panics, only its record is lost.
    fn encode(&mut self) {
        for record in self.records.drain(..) {
            let start = self.frames.len();
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
    }

    /// Empties the block, and keeps memory for the next one.
    fn clear(&mut self) {
        let (mut records, mut frames) = (mem::take(&mut self.records), mem::take(&mut self.frames));
        records.clear();
        frames.clear();
        frames.shrink_to(CHUNK_BYTES);
        *self = Self {
            records,
            frames,
            ..Self::default()
        };
    }
}

/// The encoders' side of the queue.
impl Queue {
    /// Accepts a record that an encoder encodes, or counts why it was not accepted. Until it is encoded, `raw_bytes` bytes of it
    /// are pending. Calls `start_encoder` if all encoders are busy and another one may run.
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
        let encoder = &mut state.encoder;
        let starts =
            encoder.thread_count < self.limits.encoder_threads && encoder.sleeping_count == 0;
        encoder.thread_count += usize::from(starts);
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

    /// Waits until a batch is due, and moves its next records to `block`, which must be empty. Returns `false` when the queue is
    /// closed or suspended, and nothing is left to encode.
    fn next_block(&self, block: &mut Block) -> bool {
        let mut state = self.lock();
        while !state.encoder.take_block(block) {
            state.encoder.sleeping_count += 1;
            state = self
                .encode
                .wait_while(state, |state| {
                    state.encoder.waiting.is_empty() && !state.is_closing && !state.is_suspending
                })
                .unwrap_or_else(PoisonError::into_inner);
            let must_wait = |state: &State| {
                !state.encoder.waiting.is_empty()
                    && state.encoder.waiting_bytes < BATCH_BYTES
                    && state.waiting.is_empty()
                    && state.encoder.taken_count >= state.encoder.target_count
                    && !state.is_closing
            };
            if !self.limits.flush_interval.is_zero() && must_wait(&state) {
                let interval = self.limits.flush_interval;
                (state, _) = self
                    .encode
                    .wait_timeout_while(state, interval, |state| must_wait(state))
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let encoder = &mut state.encoder;
            encoder.sleeping_count -= 1;
            encoder.due_count = encoder.accepted_count;
            // Another encoder may have taken the records.
            if encoder.waiting.is_empty() && (state.is_closing || state.is_suspending) {
                state.encoder.thread_count -= 1;
                return false;
            }
        }
        let encoder = &state.encoder;
        let wakes_next = encoder.taken_count < encoder.due_count && encoder.sleeping_count > 0;
        drop(state);
        if wakes_next {
            self.encode.notify_one();
        }
        true
    }

    /// Appends the frames of a block and of the finished ones after it, if all earlier blocks are finished. Empties `block`.
    fn finish_block(&self, block: &mut Block) {
        let mut state = self.lock();
        if state.worker == WorkerState::Ended {
            return block.clear();
        }
        if block.first != state.encoder.done_count {
            state.encoder.finished.insert(block.first, mem::take(block));
            return;
        }
        let is_awaited = state.encoder.done_count < state.encoder.target_count;
        let accepted_bytes = state.accepted.bytes;
        let (mut fills, mut error) = (false, None);
        state.append_block(block, &mut fills, &mut error);
        block.clear();
        while let Some(mut next) = state.take_finished() {
            state.append_block(&mut next, &mut fills, &mut error);
        }
        let has_frames = state.accepted.bytes > accepted_bytes;
        self.reserve(&mut state);
        let is_last = state.encoder.done_count == state.encoder.due_count;
        let is_urgent = is_awaited || is_last && self.limits.writes_encoded_at_once;
        if is_urgent {
            state.flush_target = state.accepted.bytes;
        }
        // A wake is a system call, so callers are woken only if a target is reached or somebody waits for room.
        let is_expected = is_last || is_awaited || !state.waiting.is_empty();
        let wakes = match has_frames {
            true => state.wake_worker(fills || is_urgent),
            false => state.is_complete(),
        };
        // Before a close can see that the block is done. The report is not emitted under the lock: another thread does it for an
        // encoder's thread, and `run_without_thread` does it later.
        if let Some(error) = error {
            self.report_rejection(&error);
        }
        drop(state);
        if wakes {
            self.work.notify_one();
        }
        if is_expected {
            self.progress.notify_all();
        }
    }
}

impl State {
    /// Takes the block after those that are done, if it is finished.
    fn take_finished(&mut self) -> Option<Block> {
        self.encoder.finished.remove(&self.encoder.done_count)
    }

    /// Appends the frames of the next block, and counts its other records as rejected. Sets `fills` if a chunk becomes full,
    /// and `error` if it is the first rejection.
    fn append_block(&mut self, block: &mut Block, fills: &mut bool, error: &mut Option<Error>) {
        self.encoder.raw_bytes -= block.raw_bytes;
        self.encoder.done_count += block.frame_count + block.rejected_count;
        if block.frame_count > 0 {
            let frames_bytes = block.frames.len() as u64;
            self.accepted.bytes += frames_bytes;
            self.encoder.encoded_bytes += frames_bytes;
            self.encoder.encoded_end = self.accepted.bytes;
            *fills |= self
                .chunks
                .append_encoded(&mut block.frames, block.frame_count);
        }
        self.unencoded_count += block.rejected_count;
        for _ in 0..block.rejected_count {
            if self.count_invalid() {
                *error = block.error.take();
            }
        }
    }
}
