//! The storage of the queue: frames in chunks, in the order in which they were appended. The worker writes each chunk with one
//! call.
//!
//! A frame is never moved after it was appended, so no call pays for the frames of another. In the steady state a few chunks
//! are used in turn, and nothing is allocated.

use std::collections::VecDeque;
use std::mem;

/// The size at which a chunk is written early. A larger write gains nothing, and a chunk of this size stays in a core's cache.
pub(super) const CHUNK_BYTES: usize = 256 << 10;
/// Empty chunks that are kept. While the disk keeps up, two more are in use: the one being filled and the one being written.
const SPARE_CHUNKS: usize = 2;
/// The unused capacity that a full chunk may keep: a page of memory.
const MAX_UNUSED_BYTES: usize = 4 << 10;

#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Whole frames.
    pub(super) bytes: Vec<u8>,
    /// Records that callers logged.
    pub(super) record_count: u64,
    /// The bytes of the frames that the encoder made.
    pub(super) encoded_bytes: u64,
}

impl Chunk {
    /// Adds the records of the chunk that follows.
    pub(super) fn append(&mut self, next: Self) {
        self.bytes.extend_from_slice(&next.bytes);
        self.record_count += next.record_count;
        self.encoded_bytes += next.encoded_bytes;
    }
}

#[derive(Debug)]
pub(super) struct Chunks {
    /// The oldest first, without empty chunks.
    full: VecDeque<Chunk>,
    filling: Chunk,
    /// Empty buffers with the capacity of a chunk.
    spare: Vec<Vec<u8>>,
}

impl Chunks {
    /// Starts with the frame `first`, which does not count as a record.
    pub(super) fn new(first: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES.max(first.len()));
        bytes.extend_from_slice(first);
        Self {
            full: VecDeque::with_capacity(SPARE_CHUNKS),
            filling: Chunk {
                bytes,
                ..Chunk::default()
            },
            // The system provides the memory at the first use, so an idle writer does not pay for it.
            spare: (0..SPARE_CHUNKS)
                .map(|_| Vec::with_capacity(CHUNK_BYTES))
                .collect(),
        }
    }

    /// Appends a frame. Returns `true` if a chunk became full. A frame that is larger than a chunk gets one of its own size.
    pub(super) fn append(&mut self, frame: &[u8]) -> bool {
        let fills = self.filling.bytes.len() + frame.len() > CHUNK_BYTES;
        if fills {
            self.start_next(frame.len());
        }
        self.filling.bytes.extend_from_slice(frame);
        self.filling.record_count += 1;
        fills
    }

    /// Returns how many bytes the chunk that is being filled can still take.
    pub(super) fn room(&self) -> usize {
        CHUNK_BYTES.saturating_sub(self.filling.bytes.len())
    }

    /// Appends frames that the encoder made. Returns `true` if a chunk became full. Frames that are larger than a chunk are
    /// taken without a copy.
    pub(super) fn append_encoded(&mut self, frames: &mut Vec<u8>, record_count: u64) -> bool {
        let encoded_bytes = frames.len() as u64;
        if frames.len() <= CHUNK_BYTES {
            let fills = self.append(frames);
            self.filling.record_count += record_count - 1; // `append` counts one
            self.filling.encoded_bytes += encoded_bytes;
            return fills;
        }
        self.start_next(0);
        self.full.push_back(Chunk {
            bytes: mem::take(frames),
            record_count,
            encoded_bytes,
        });
        true
    }

    /// Starts a chunk that has room for `frame_bytes`.
    #[cold]
    fn start_next(&mut self, frame_bytes: usize) {
        if self.filling.bytes.is_empty() {
            return;
        }
        let mut chunk = self.take_filling(frame_bytes);
        // With large records, the unused end of a chunk can be much of the memory.
        if chunk.bytes.capacity() - chunk.bytes.len() > MAX_UNUSED_BYTES {
            chunk.bytes.shrink_to_fit();
        }
        self.full.push_back(chunk);
    }

    /// Takes the oldest chunk, which may be the one that is being filled.
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

    /// Keeps the memory of a written chunk for later frames.
    pub(super) fn recycle(&mut self, chunk: Chunk) {
        let mut bytes = chunk.bytes;
        if bytes.capacity() == CHUNK_BYTES && self.spare.len() < SPARE_CHUNKS {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.full.is_empty() && self.filling.bytes.is_empty()
    }

    /// Drops all records and the memory.
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
    fn frames_of_any_size_come_back_in_order() {
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
            records += chunk.record_count;
            got.extend_from_slice(&chunk.bytes);
            chunks.recycle(chunk);
        }
        assert!(got == want);
        assert_eq!(records, 8);
        // The first two frames fill a chunk to its last byte. A frame that is larger than a chunk has one to itself.
        let size = CHUNK_BYTES;
        assert_eq!(taken, [size, 1, size + 1, 3 * size, 2, size, 1]);
    }

    #[test]
    fn memory_of_a_written_chunk_is_reused() {
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
            "the buffer that was used last, and is in the cache, is reused first"
        );
    }
}
