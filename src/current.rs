//! Logs to the default writer of the thread, as `tf.summary` does, so that functions need no argument for the writer.
//!
//! ```
//! use summary_writer::SummaryWriter;
//! use summary_writer::current as summary;
//!
//! fn descend(step: u32) {
//!     summary::scalar("loss", 0.9f64.powi(step as i32), step);
//! }
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! let writer = SummaryWriter::create_file_writer(logdir)?;
//! let _guard = writer.as_default();
//! for step in 0..100 {
//!     descend(step);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Data without a function here is logged through [`default_writer`].

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::event::{self, Step};
use crate::report::Reporter;
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::{Audio, Histogram, Scalar, Tag};
use crate::writer::{SummaryWriter, newest};

pub use crate::writer::{DefaultGuard, default_writer};

thread_local! {
    static STEP: Cell<Result<i64, i64>> = const { Cell::new(Ok(0)) };
}

/// True once a missing default writer was reported. It is reported once per process.
static IS_MISSING_REPORTED: AtomicBool = AtomicBool::new(false);

/// The current step of this thread. Pass it to any call as the step. [`set_step`] sets it.
///
/// ```
/// use summary_writer::current::{CurrentStep, set_step};
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
#[doc(alias = "set_global_step")]
pub fn set_step(step: impl Step) {
    STEP.set(step.to_i64());
}

/// Returns the current step of this thread, which [`set_step`] sets. It starts at 0. A step outside the range of `i64` is
/// returned as the nearest `i64`.
#[doc(alias = "get_step")]
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

/// Calls [`SummaryWriter::image`] of the [default writer](SummaryWriter::as_default) of this thread. Needs the feature
/// `png`, which is a default.
#[cfg(feature = "png")]
pub fn image<'a>(tag: impl Into<Tag<'a>>, image: impl Into<Image>, step: impl Step) {
    with_current(|summary| summary.image(tag, image, step));
}

/// Calls [`SummaryWriter::images`] of the [default writer](SummaryWriter::as_default) of this thread. Needs the feature
/// `png`, which is a default.
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
    match newest() {
        Some(writer) => log(&writer),
        None => report_missing(),
    }
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
