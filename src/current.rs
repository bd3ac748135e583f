//! The writer and the step of a thread, for code that is given neither: the shape of `tf.summary`.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::event::{self, Step};
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::{Audio, Histogram, Scalar, Tag};
use crate::writer::SummaryWriter;

thread_local! {
    /// The innermost last. Each has the number of its guard, for guards may be dropped in any order.
    static WRITERS: RefCell<Vec<(u64, Rc<SummaryWriter>)>> = const { RefCell::new(Vec::new()) };
    static NEXT_GUARD: Cell<u64> = const { Cell::new(0) };
    static STEP: Cell<Result<i64, i64>> = const { Cell::new(Ok(0)) };
}

/// Said once in a program.
static IS_MISSED: AtomicBool = AtomicBool::new(false);

/// Keeps a writer the default one of a thread, of [`SummaryWriter::as_default`].
#[derive(Debug)]
#[must_use = "bind it, as in `let _guard = ...`: the writer is the default one until this is dropped, which `let _ = ...` \
              does at once"]
pub struct DefaultGuard {
    number: u64,
    /// It belongs to its thread.
    of_thread: PhantomData<*const ()>,
}

impl SummaryWriter {
    /// Makes this handle the default writer of this thread until the guard is dropped: that of [`scalar`], [`histogram`] and
    /// so on, which code below can call without being handed a writer. Inside it another can be the default for a while.
    ///
    /// Other threads have their own, or none: hand them [`default_writer`].
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
        // A thread that ends has none any more, and calls none.
        let push = WRITERS.try_with(|writers| writers.borrow_mut().push((number, writer)));
        push.ok();
        DefaultGuard {
            number,
            of_thread: PhantomData,
        }
    }
}

impl Drop for DefaultGuard {
    fn drop(&mut self) {
        let number = self.number;
        // A thread that ends may have dropped them already. What is taken out is dropped outside the borrow, for it may close
        // a file, and a logger may log here.
        let taken = WRITERS.try_with(|writers| {
            let mut writers = writers.borrow_mut();
            let place = writers.iter().rposition(|(of, _)| *of == number)?;
            Some(writers.remove(place))
        });
        drop(taken);
    }
}

/// The default writer of this thread, if it has one: for the kinds of data that have no function here, and to be the default
/// of a thread that is started.
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

/// The step of this thread, of [`set_step`], wherever a step is taken.
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

/// Sets the step of this thread, which [`CurrentStep`] stands for.
pub fn set_step(step: impl Step) {
    STEP.set(step.to_i64());
}

/// The step of this thread, as [`set_step`] has set it, or the nearest that fits; before that 0.
pub fn step() -> i64 {
    STEP.get().unwrap_or_else(|nearest| nearest)
}

/// [`SummaryWriter::scalar`] of the [default writer](SummaryWriter::as_default) of this thread. Without one nothing is
/// logged, by none of these functions, which is reported once.
pub fn scalar<'a>(tag: impl Into<Tag<'a>>, value: impl Scalar, step: impl Step) {
    let tag = tag.into();
    with_current(|summary| summary.scalar(tag, value, step));
}

/// [`SummaryWriter::scalars`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn scalars<'a, T, V>(step: impl Step, values: impl IntoIterator<Item = (T, V)>)
where
    T: Into<Tag<'a>>,
    V: Scalar,
{
    with_current(|summary| summary.scalars(step, values));
}

/// [`SummaryWriter::histogram`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn histogram<'a>(tag: impl Into<Tag<'a>>, values: impl Into<Histogram>, step: impl Step) {
    with_current(|summary| summary.histogram(tag, values, step));
}

/// [`SummaryWriter::text`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn text<'a>(tag: impl Into<Tag<'a>>, markdown: impl AsRef<str>, step: impl Step) {
    with_current(|summary| summary.text(tag, markdown, step));
}

/// [`SummaryWriter::image`] of the [default writer](SummaryWriter::as_default) of this thread.
#[cfg(feature = "png")]
pub fn image<'a>(tag: impl Into<Tag<'a>>, image: impl Into<Image>, step: impl Step) {
    with_current(|summary| summary.image(tag, image, step));
}

/// [`SummaryWriter::images`] of the [default writer](SummaryWriter::as_default) of this thread.
#[cfg(feature = "png")]
pub fn images<'a>(
    tag: impl Into<Tag<'a>>,
    images: impl IntoIterator<Item = impl Into<Image>>,
    step: impl Step,
) {
    with_current(|summary| summary.images(tag, images, step));
}

/// [`SummaryWriter::audio`] of the [default writer](SummaryWriter::as_default) of this thread.
pub fn audio<'a>(tag: impl Into<Tag<'a>>, audio: Audio, step: impl Step) {
    with_current(|summary| summary.audio(tag, audio, step));
}

fn with_current(log: impl FnOnce(&SummaryWriter)) {
    match current() {
        Some(writer) => log(&writer),
        None => report_missing(),
    }
}

/// Its own handle, so that what it calls may change the default.
fn current() -> Option<Rc<SummaryWriter>> {
    let last = |writers: &RefCell<Vec<(u64, Rc<SummaryWriter>)>>| {
        let writers = writers.borrow();
        writers.last().map(|(_, writer)| Rc::clone(writer))
    };
    WRITERS.try_with(last).ok().flatten()
}

#[cold]
fn report_missing() {
    if !IS_MISSED.swap(true, Ordering::Relaxed) {
        log::error!(
            "a thread logs a summary and has no default writer: it is not logged, nor is what follows; keep the guard of \
             SummaryWriter::as_default on that thread"
        );
    }
}
