//! The bytes that wait in the queues of a writer and its child runs, which share one bound.

use super::sync::{AtomicU64, Ordering};

/// The bytes that all queues have reserved together. Each queue reserves its pending bytes, and the room that its callers may
/// use without another check.
///
/// A queue looks at the sums and changes them while it holds only its own lock, so calls in several runs at the same moment
/// may exceed the bound by a record each.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    bytes: AtomicU64,
    /// The part that images and audio clips take.
    deferred_bytes: AtomicU64,
}

/// The part of a [`Budget`] that one queue has reserved.
#[derive(Debug, Default)]
pub(super) struct Reservation {
    bytes: u64,
    deferred_bytes: u64,
}

impl Budget {
    /// Returns what the other queues have reserved: all bytes, and those of images and audio clips.
    pub(super) fn of_others(&self, own: &Reservation) -> (u64, u64) {
        let of_others = |sum: &AtomicU64, own| sum.load(Ordering::Relaxed).saturating_sub(own);
        (
            of_others(&self.bytes, own.bytes),
            of_others(&self.deferred_bytes, own.deferred_bytes),
        )
    }

    /// Replaces the reservation of a queue.
    pub(super) fn reserve(&self, own: &mut Reservation, bytes: u64, deferred_bytes: u64) {
        let replace = |sum: &AtomicU64, before: &mut u64, after: u64| {
            if after != *before {
                // Adding a difference that has wrapped around subtracts.
                sum.fetch_add(after.wrapping_sub(*before), Ordering::Relaxed);
                *before = after;
            }
        };
        replace(&self.bytes, &mut own.bytes, bytes);
        replace(
            &self.deferred_bytes,
            &mut own.deferred_bytes,
            deferred_bytes,
        );
    }
}
