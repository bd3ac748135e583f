//! The default writer and the current step of a thread, as in `tf.summary`: code can log without a writer argument.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::event::{self, Step};
use crate::report::Reporter;
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::{Audio, Histogram, Scalar, Tag};
use crate::writer::SummaryWriter;

thread_local! {
    /// The default writers of this thread, the newest last. Each has the number of its guard, because guards may be dropped in
    /// any order.
    static WRITERS: RefCell<Vec<(u64, Rc<SummaryWriter>)>> = const { RefCell::new(Vec::new()) };
    static NEXT_GUARD: Cell<u64> = const { Cell::new(0) };
    static STEP: Cell<Result<i64, i64>> = const { Cell::new(Ok(0)) };
}

/// True once a missing default writer was reported. It is reported once per process.
static IS_MISSING_REPORTED: AtomicBool = AtomicBool::new(false);

/// Makes a writer the default writer of a thread until this guard is dropped. Returned by [`SummaryWriter::as_default`].
#[derive(Debug)]
#[must_use = "bind the guard with `let _guard = ...`: the writer is the default until the guard is dropped, and `let _ = ...` \
              drops it at once"]
pub struct DefaultGuard {
    number: u64,
    /// Makes the guard `!Send`, because the list of writers belongs to one thread.
    not_send: PhantomData<*const ()>,
}

impl SummaryWriter {
    /// Makes this handle the default writer of this thread until the guard is dropped. Code that has no writer can then call
    /// [`scalar`], [`histogram`] and so on. Guards nest: the newest one counts.
    ///
    /// Each thread has its own default writer. A new thread has none: pass [`default_writer`] to it.
    ///
    /// ```
    /// use summary_writer::SummaryWriter;
    ///
    /// fn descend(step: u32) {
    ///     summary_writer::scalar("loss", 0.9f64.powi(step as i32), step);
    /// }
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    /// let summary = SummaryWriter::create_file_writer(logdir)?;
    /// let _guard = summary.as_default();
    /// for step in 0..100 {
    ///     descend(step);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_default(&self) -> DefaultGuard {
        let number = NEXT_GUARD.replace(NEXT_GUARD.get().wrapping_add(1));
        let writer = Rc::new(self.clone());
        // When a thread ends, its list may be gone already. Then there is no default writer.
        let push = WRITERS.try_with(|writers| writers.borrow_mut().push((number, writer)));
        push.ok();
        DefaultGuard {
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

/// Returns the default writer of this thread, if it has one. Use it to log data that has no function here, or to pass the
/// writer to a new thread.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
/// let _guard = summary.as_default();
/// let inherited = summary_writer::default_writer();
/// std::thread::spawn(move || {
///     let _guard = inherited.as_ref().map(|summary| summary.as_default());
///     summary_writer::scalar("loss", 0.5, 0);
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn default_writer() -> Option<SummaryWriter> {
    current().map(|writer| SummaryWriter::clone(&writer))
}

/// The current step of this thread. Pass it to any call as the step. [`set_step`] sets it.
///
/// ```
/// use summary_writer::{CurrentStep, set_step};
///
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
/// for step in 0..100 {
///     set_step(step);
///     summary.scalar("loss", 0.5, CurrentStep);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CurrentStep;

impl event::sealed::Step for CurrentStep {}

impl Step for CurrentStep {
    fn to_i64(self) -> Result<i64, i64> {
        STEP.get()
    }
}

/// Sets the current step of this thread, which [`CurrentStep`] uses.
pub fn set_step(step: impl Step) {
    STEP.set(step.to_i64());
}

/// Returns the current step of this thread, which [`set_step`] sets. It starts at 0. A step outside the range of `i64` is
/// returned as the nearest `i64`.
pub fn step() -> i64 {
    STEP.get().unwrap_or_else(|nearest| nearest)
}

/// Calls [`SummaryWriter::scalar`] of the [default writer](SummaryWriter::as_default) of this thread. Without a default writer,
/// this function and its siblings log nothing, and an error is reported once.
pub fn scalar<'a>(tag: impl Into<Tag<'a>>, value: impl Scalar, step: impl Step) {
    let tag = tag.into();
    with_current(|summary| summary.scalar(tag, value, step));
}

/// Calls [`SummaryWriter::scalars`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn scalars<'a, T, V>(step: impl Step, values: impl IntoIterator<Item = (T, V)>)
where
    T: Into<Tag<'a>>,
    V: Scalar,
{
    with_current(|summary| summary.scalars(step, values));
}

/// Calls [`SummaryWriter::histogram`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn histogram<'a>(tag: impl Into<Tag<'a>>, values: impl Into<Histogram>, step: impl Step) {
    with_current(|summary| summary.histogram(tag, values, step));
}

/// Calls [`SummaryWriter::text`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn text<'a>(tag: impl Into<Tag<'a>>, markdown: impl AsRef<str>, step: impl Step) {
    with_current(|summary| summary.text(tag, markdown, step));
}

/// Calls [`SummaryWriter::image`] of the [default writer](SummaryWriter::as_default) of this thread.
#[cfg(feature = "png")]
pub fn image<'a>(tag: impl Into<Tag<'a>>, image: impl Into<Image>, step: impl Step) {
    with_current(|summary| summary.image(tag, image, step));
}

/// Calls [`SummaryWriter::images`] of the [default writer](SummaryWriter::as_default) of this thread.
#[cfg(feature = "png")]
pub fn images<'a>(
    tag: impl Into<Tag<'a>>,
    images: impl IntoIterator<Item = impl Into<Image>>,
    step: impl Step,
) {
    with_current(|summary| summary.images(tag, images, step));
}

/// Calls [`SummaryWriter::audio`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn audio<'a>(tag: impl Into<Tag<'a>>, audio: Audio, step: impl Step) {
    with_current(|summary| summary.audio(tag, audio, step));
}

fn with_current(log: impl FnOnce(&SummaryWriter)) {
    match current() {
        Some(writer) => log(&writer),
        None => report_missing(),
    }
}

/// Returns a clone, because the default writer may change during the call.
fn current() -> Option<Rc<SummaryWriter>> {
    let last = |writers: &RefCell<Vec<(u64, Rc<SummaryWriter>)>>| {
        let writers = writers.borrow();
        writers.last().map(|(_, writer)| Rc::clone(writer))
    };
    WRITERS.try_with(last).ok().flatten()
}

#[cold]
fn report_missing() {
    if !IS_MISSING_REPORTED.swap(true, Ordering::Relaxed) {
        Reporter::default().error(
            "nothing is logged, because this thread has no default writer; call SummaryWriter::as_default on this thread and \
             keep the guard",
        );
    }
}
