//! What the threads of a writer meet at: that of std. The test `interleavings` puts a model checker's in its place, and runs
//! what uses it through every order.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};
pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
pub(super) use std::thread_local as per_thread;
