//! Frames in the order they came, in a row of chunks, each for one `write`; among them records whose frame is still to be
//! made, by the worker.
//!
//! What is appended is never moved, so memory follows what is in the row, and no call pays for another's. In the steady
//! state a few chunks go round, and nothing is allocated.

use std::collections::VecDeque;
use std::fmt;
use std::mem;

use crate::error::Result;

/// A batch that is worth a write before its time: a larger one gains nothing, and this much stays in a core's cache.
const CHUNK_BYTES: usize = 256 << 10;
/// As much of deferred records is worth to begin with: encoding takes longer than writing. A wake and a write for each
/// tripled what a small image took.
const DEFERRED_BYTES: u64 = 64 << 10;
/// Empty chunks that are kept: with the one that is filled and the one that is written no more are in use, as long as the
/// disk keeps up.
const SPARE_CHUNKS: usize = 2;
/// What a full chunk may leave unused: a page of memory.
const LEFT_OVER_BYTES: usize = 4 << 10;

#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// Records in it that a caller logged.
    pub(super) records: u64,
    /// What it counts as pending: its bytes, and what its deferred records hold until they have theirs.
    pub(super) pending_bytes: u64,
    /// What `bytes` are missing, in the order of its places.
    pub(super) deferred: Vec<Deferred>,
}

/// A record of much data, whose frame takes long to make.
pub(super) struct Deferred {
    /// Before which of the bytes of its chunk it belongs.
    pub(super) at: usize,
    /// Appends the frame to what it is given.
    pub(super) make_frame: Box<MakeFrame>,
}

pub(super) type MakeFrame = dyn FnOnce(&mut Vec<u8>) -> Result<()> + Send;

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deferred at {}", self.at)
    }
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.deferred.is_empty()
    }
}

#[derive(Debug)]
pub(super) struct Chunks {
    /// Oldest first; none is empty. What is deferred lies in its place among the frames.
    full: VecDeque<Chunk>,
    filling: Chunk,
    /// Empty, with the capacity of a chunk.
    spare: Vec<Vec<u8>>,
}

impl Chunks {
    /// A row with `first` in it, which is no caller's record.
    pub(super) fn new(first: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES.max(first.len()));
        bytes.extend_from_slice(first);
        Self {
            full: VecDeque::with_capacity(SPARE_CHUNKS),
            filling: Chunk {
                bytes,
                pending_bytes: first.len() as u64,
                ..Chunk::default()
            },
            // Untouched memory costs nothing yet, and the first burst finds it.
            spare: (0..SPARE_CHUNKS)
                .map(|_| Vec::with_capacity(CHUNK_BYTES))
                .collect(),
        }
    }

    /// Appends a frame; `true` if a chunk became full. A frame that is larger than a chunk has one to itself.
    pub(super) fn append(&mut self, frame: &[u8]) -> bool {
        let fills = self.filling.bytes.len() + frame.len() > CHUNK_BYTES;
        if fills {
            self.turn(frame.len());
        }
        self.filling.bytes.extend_from_slice(frame);
        self.filling.records += 1;
        self.filling.pending_bytes += frame.len() as u64;
        fills
    }

    /// Appends a record that has no frame yet; `true` if there is enough for the worker now.
    pub(super) fn defer(&mut self, make_frame: Box<MakeFrame>, pending_bytes: u64) -> bool {
        let filling = &mut self.filling;
        filling.deferred.push(Deferred {
            at: filling.bytes.len(),
            make_frame,
        });
        filling.records += 1;
        filling.pending_bytes += pending_bytes;
        let fills = filling.pending_bytes >= DEFERRED_BYTES;
        if fills {
            self.turn(0);
        }
        fills
    }

    #[cold]
    fn turn(&mut self, frame_bytes: usize) {
        if self.filling.is_empty() {
            return;
        }
        let mut chunk = self.take_filling(frame_bytes);
        // Of large records few fit: what is left over in a chunk would be much of the memory.
        if chunk.bytes.capacity() - chunk.bytes.len() > LEFT_OVER_BYTES {
            chunk.bytes.shrink_to_fit();
        }
        self.full.push_back(chunk);
    }

    /// Takes the oldest chunk, full or not.
    pub(super) fn take(&mut self) -> Chunk {
        self.full
            .pop_front()
            .unwrap_or_else(|| self.take_filling(0))
    }

    fn take_filling(&mut self, room_bytes: usize) -> Chunk {
        let bytes = match self.spare.pop() {
            Some(spare) if room_bytes <= CHUNK_BYTES => spare,
            _ => Vec::with_capacity(room_bytes.max(CHUNK_BYTES)),
        };
        let filling = Chunk {
            bytes,
            ..Chunk::default()
        };
        mem::replace(&mut self.filling, filling)
    }

    /// Takes the memory of a chunk back, to fill it again.
    pub(super) fn recycle(&mut self, chunk: Chunk) {
        let mut bytes = chunk.bytes;
        if bytes.capacity() == CHUNK_BYTES && self.spare.len() < SPARE_CHUNKS {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.full.is_empty() && self.filling.is_empty()
    }

    pub(super) fn has_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// Lets go of everything.
    pub(super) fn clear(&mut self) {
        *self = Self {
            full: VecDeque::new(),
            filling: Chunk::default(),
            spare: Vec::new(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_came_in_order_whatever_its_size() {
        let mut chunks = Chunks::new(b"first");
        let mut want = b"first".to_vec();
        let sizes = [
            1,
            CHUNK_BYTES - 6,
            1,
            CHUNK_BYTES + 1,
            3 * CHUNK_BYTES,
            2,
            CHUNK_BYTES,
            1,
        ];
        for (i, size) in sizes.into_iter().enumerate() {
            let frame = vec![i as u8; size];
            chunks.append(&frame);
            want.extend(frame);
        }
        let (mut got, mut records, mut taken) = (Vec::new(), 0, Vec::new());
        while !chunks.is_empty() {
            let chunk = chunks.take();
            taken.push(chunk.bytes.len());
            records += chunk.records;
            got.extend_from_slice(&chunk.bytes);
            chunks.recycle(chunk);
        }
        assert!(got == want);
        assert_eq!(records, 8);
        // The first two frames fill a chunk to its last byte; what is larger than one stands alone.
        let size = CHUNK_BYTES;
        assert_eq!(taken, [size, 1, size + 1, 3 * size, 2, size, 1]);
    }

    #[test]
    fn a_chunk_that_was_written_is_filled_again() {
        let mut chunks = Chunks::new(b"");
        let mut addresses = Vec::new();
        for _ in 0..10 {
            chunks.append(b"frame");
            let chunk = chunks.take();
            addresses.push(chunk.bytes.as_ptr());
            chunks.recycle(chunk);
        }
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(
            addresses.len(),
            2,
            "the one that is in the cache comes first"
        );
    }
}
