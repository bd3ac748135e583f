//! The default writer of a thread.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

use super::SummaryWriter;

thread_local! {
    /// The default writers of this thread, the newest last. Each has the number of its guard, because guards may be dropped in
    /// any order.
    static WRITERS: RefCell<Vec<(u64, Rc<SummaryWriter>)>> = const { RefCell::new(Vec::new()) };
    static NEXT_GUARD: Cell<u64> = const { Cell::new(0) };
}

/// Makes a writer the default writer of a thread until this guard is dropped. Returned by [`SummaryWriter::as_default`].
#[derive(Debug)]
#[must_use = "bind the guard with `let _guard = ...`: the writer is the default until the guard is dropped, and `let _ = ...` \
              drops it at once"]
pub struct DefaultGuard {
    number: u64,
    /// Makes the guard `!Send`, because the list of writers belongs to one thread.
    not_send: PhantomData<*const ()>,
}

impl DefaultGuard {
    pub(super) fn new(writer: &SummaryWriter) -> Self {
        let number = NEXT_GUARD.replace(NEXT_GUARD.get().wrapping_add(1));
        let writer = Rc::new(writer.clone());
        // When a thread ends, its list may be gone already. Then there is no default writer.
        let push = WRITERS.try_with(|writers| writers.borrow_mut().push((number, writer)));
        push.ok();
        Self {
            number,
            not_send: PhantomData,
        }
    }
}

impl Drop for DefaultGuard {
    fn drop(&mut self) {
        let number = self.number;
        // When a thread ends, its list may be gone already. The writer is dropped after the borrow, because closing a file may
        // call a logger that uses this list.
        let removed = WRITERS.try_with(|writers| {
            let mut writers = writers.borrow_mut();
            let index = writers.iter().rposition(|(of, _)| *of == number)?;
            Some(writers.remove(index))
        });
        drop(removed);
    }
}

/// Returns the default writer of this thread, if it has one. Use it to log data that has no function in
/// [`current`](crate::current), or to pass the writer to a new thread.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
/// let _guard = summary.as_default();
/// let inherited = summary_writer::current::default_writer();
/// std::thread::spawn(move || {
///     let _guard = inherited.as_ref().map(|summary| summary.as_default());
///     summary_writer::current::scalar("loss", 0.5, 0);
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "get_default_writer")]
pub fn default_writer() -> Option<SummaryWriter> {
    newest().map(|writer| SummaryWriter::clone(&writer))
}

/// Returns a clone, because the default writer may change during the call.
pub(crate) fn newest() -> Option<Rc<SummaryWriter>> {
    let last = |writers: &RefCell<Vec<(u64, Rc<SummaryWriter>)>>| {
        let writers = writers.borrow();
        writers.last().map(|(_, writer)| Rc::clone(writer))
    };
    WRITERS.try_with(last).ok().flatten()
}
