//! Replaces the module `sync` of `src/writer`. At each lock, wait and wake, the model checker may switch to another thread.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use loom::sync as model;
pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
pub(super) use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// The model checker tries all other threads at each lock anyway.
pub(super) fn yield_now() {}

loom::thread_local! {
    pub(super) static QUEUE_OF_WORKER: Cell<usize> = Cell::new(0);
}

#[derive(Debug)]
pub(super) struct Mutex<T>(model::Mutex<T>);

#[derive(Debug)]
pub(super) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    guard: model::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(model::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        Ok(self.guarded(self.0.lock().unwrap()))
    }

    pub(super) fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Ok(self.guarded(guard)),
            Err(_) => Err(TryLockError::WouldBlock),
        }
    }

    fn guarded<'a>(&'a self, guard: model::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard { mutex: self, guard }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[derive(Debug)]
pub(super) struct Condvar(model::Condvar);

impl Condvar {
    pub(super) fn new() -> Self {
        Self(model::Condvar::new())
    }

    pub(super) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(super) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(super) fn wait_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        let MutexGuard { mutex, mut guard } = guard;
        while condition(&mut guard) {
            guard = self.0.wait(guard).unwrap();
        }
        Ok(mutex.guarded(guard))
    }

    /// With a timeout of `Duration::MAX`, only a wake ends the wait. Any other timeout may end at any moment.
    pub(super) fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        if timeout == Duration::MAX {
            return self
                .wait_while(guard, condition)
                .map(|guard| (guard, ()))
                .map_err(|_| unreachable!());
        }
        if condition(&mut guard) {
            let mutex = guard.mutex;
            drop(guard);
            loom::thread::yield_now();
            guard = mutex.guarded(mutex.0.lock().unwrap());
        }
        Ok((guard, ()))
    }
}
