//! The memory of pixels. The buffers of earlier images are used again, because the system provides new memory page by page, which
//! takes several times as long as the copy of the pixels.

use std::collections::VecDeque;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// The free buffers of a process may have so many bytes together: three quarters of the default of `max_pending_bytes`, which
/// images may fill while they wait for the encoder.
const MAX_FREE_BYTES: usize = 48 << 20;
/// Smaller buffers are cheap to allocate. Larger ones are rare, and a few of them would fill the list.
const MIN_BYTES: usize = 16 << 10;
const MAX_BYTES: usize = 4 << 20;

/// The free buffers of the process. A lock that is held is never waited for: the thread that held it may not exist in a fork.
static FREE: Mutex<FreeList> = Mutex::new(FreeList::new());

/// The bytes of an image. They are reused after it is dropped.
#[derive(Debug, PartialEq)]
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn zeroed(len: usize) -> Self {
        let mut buffer = allocate(len);
        buffer.resize(len, 0);
        Self(buffer)
    }

    /// Returns a buffer with the items of an iterator, which should have `len` items.
    pub(super) fn collect(len: usize, bytes: impl Iterator<Item = u8>) -> Self {
        let mut buffer = allocate(len);
        buffer.extend(bytes);
        Self(buffer)
    }
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        let mut buffer = allocate(bytes.len());
        buffer.extend_from_slice(bytes);
        Self(buffer)
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        Self::from(&**self)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if (MIN_BYTES..=MAX_BYTES).contains(&self.0.capacity()) {
            let buffer = mem::take(&mut self.0);
            // The lock is released before memory is freed, which takes long.
            let excess = FREE.try_lock().map(|mut free| free.add(buffer));
            drop(excess);
        }
    }
}

fn allocate(len: usize) -> Vec<u8> {
    let free = match len {
        MIN_BYTES..=MAX_BYTES => FREE.try_lock().ok().and_then(|mut free| free.take(len)),
        _ => None,
    };
    free.unwrap_or_else(|| Vec::with_capacity(len))
}

/// Empty buffers, the one that was used last at the end.
#[derive(Debug)]
struct FreeList {
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl FreeList {
    const fn new() -> Self {
        Self {
            buffers: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Takes a buffer of exactly this size, so that an image never holds more memory than it has bytes.
    fn take(&mut self, capacity: usize) -> Option<Vec<u8>> {
        let fits = |buffer: &Vec<u8>| buffer.capacity() == capacity;
        let found = self.buffers.iter().rposition(fits)?;
        self.bytes -= capacity;
        self.buffers.remove(found)
    }

    /// Adds a buffer. If there are too many bytes then, returns the oldest buffers, so that the caller frees them without the
    /// lock.
    fn add(&mut self, mut buffer: Vec<u8>) -> Vec<Vec<u8>> {
        buffer.clear();
        self.bytes += buffer.capacity();
        self.buffers.push_back(buffer);
        let mut excess = Vec::new();
        while self.bytes > MAX_FREE_BYTES
            && let Some(oldest) = self.buffers.pop_front()
        {
            self.bytes -= oldest.capacity();
            excess.push(oldest);
        }
        excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_the_same_size_is_reused_and_the_last_one_first() {
        let mut free = FreeList::new();
        let buffers = [20_000, 30_000, 20_000].map(Vec::<u8>::with_capacity);
        let addresses = buffers.each_ref().map(Vec::as_ptr);
        buffers
            .into_iter()
            .for_each(|buffer| assert_eq!(free.add(buffer).len(), 0));
        assert_eq!(free.take(25_000), None);
        let taken = [0; 2].map(|_| free.take(20_000).unwrap());
        assert_eq!(
            taken.each_ref().map(Vec::as_ptr),
            [addresses[2], addresses[0]]
        );
        assert_eq!(free.take(20_000), None);
        assert_eq!(free.bytes, 30_000);
    }

    #[test]
    fn the_oldest_buffers_are_freed_beyond_the_bound() {
        let mut free = FreeList::new();
        // 12 buffers of 4 MiB are 48 MiB.
        let freed: Vec<usize> = (0..14)
            .map(|_| free.add(Vec::with_capacity(4 << 20)).len())
            .collect();
        assert_eq!(freed, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((free.bytes, free.buffers.len()), (48 << 20, 12));
        // A small buffer makes room by one large one.
        assert_eq!(free.add(Vec::with_capacity(16 << 10)).len(), 1);
        assert_eq!(free.bytes, (44 << 20) + (16 << 10));
    }

    #[test]
    fn an_image_that_reuses_a_buffer_has_only_its_own_bytes() {
        drop(Buffer::from(&[1; 50_000][..]));
        let two = Buffer::from(&[2; 50_000][..]);
        assert!(*two == [2; 50_000]);
        let three = Buffer::collect(50_000, [3; 50_000].into_iter());
        assert!(*three.clone() == [3; 50_000] && *two == [2; 50_000]);
    }
}
