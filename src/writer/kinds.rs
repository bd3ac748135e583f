//! One method for each kind of data: the caller's arguments to one frame in the tray.

use std::cell::Cell;
use std::time::SystemTime;

use prost::Message;

use super::SummaryWriter;
use crate::event::{self, HEAD_BYTES, Step, WallTime};
use crate::proto;
use crate::proto::summary::Value;
use crate::record::{self, FOOTER_BYTES, HEADER_BYTES};
use crate::summary::{self, Layout, Metadata, PrCurve, Scalar, Tag, Tensor};

/// Where the values of an event stand in a frame that is built in its place.
const VALUES: usize = HEADER_BYTES + HEAD_BYTES;
/// A frame of one scalar up to here is built on the stack: that of a tag up to 190 bytes or so.
const STACK_BYTES: usize = 256;
/// What a thread keeps for its next frame. A larger one is a rare one.
const KEPT_BYTES: usize = 64 << 10;
/// The longest payload that a reader takes: protobuf's limit.
const MAX_PAYLOAD_BYTES: usize = i32::MAX as usize;

thread_local! {
    /// Where this thread builds frames that may be large. It is taken out while it is used, for a caller's iterator may
    /// log, too.
    static FRAME: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl SummaryWriter {
    /// Logs a number: a point of a curve.
    ///
    /// `value` is any primitive number or a `bool`; 24 bits of its precision are kept, as stock TensorBoard does. NaN and
    /// the infinities are shown as such. `step` is any integer, and should rise from call to call of one tag: a loader
    /// forgets the points from a step on that comes again.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// for step in 0..10 {
    ///     summary.scalar("loss", 0.9f32.powi(step), step);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn scalar<'a>(&self, tag: impl Into<Tag<'a>>, value: impl Scalar, step: impl Step) {
        let tag = tag.into();
        if tag.is_plain() {
            self.plain_scalar(&tag.name, value.to_f32(), step.to_i64());
        } else {
            let value = summary::described_scalar(self.prefix(), &tag, value.to_f32());
            self.value(&value, step);
        }
    }

    /// Logs several numbers of one step in one record, which is smaller than one each, and a reader sees all or none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// summary.scalars(7, [("loss", 0.25), ("accuracy", 0.9)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scalars<'a, T, V>(&self, step: impl Step, values: impl IntoIterator<Item = (T, V)>)
    where
        T: Into<Tag<'a>>,
        V: Scalar,
    {
        self.values(step, |frame| {
            for (tag, value) in values {
                let tag = tag.into();
                if tag.is_plain() {
                    event::put_simple_value(frame, self.prefix(), &tag.name, value.to_f32());
                } else {
                    let value = summary::described_scalar(self.prefix(), &tag, value.to_f32());
                    event::append_value(frame, &value);
                }
            }
        });
    }

    /// Logs Markdown: headings, tables ([`markdown_table`](crate::markdown_table)), code, links and pictures. HTML in it is
    /// shown as text.
    pub fn text<'a>(&self, tag: impl Into<Tag<'a>>, markdown: impl AsRef<str>, step: impl Step) {
        let value = summary::text(self.prefix(), &tag.into(), markdown.as_ref());
        self.value(&value, step);
    }

    /// Logs a tensor for a dashboard that has no method here. Description and display name of the tag go with the
    /// metadata.
    ///
    /// ```
    /// use summary_writer::{Metadata, Tensor};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// // The text dashboard shows strings of rank 2 as a table.
    /// let table = Tensor::strings([2, 2], ["optimizer", "Adam", "batch", "32"])?;
    /// summary.tensor("settings", table, Metadata::new("text"), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tensor<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        tensor: Tensor,
        metadata: Metadata,
        step: impl Step,
    ) {
        let value = summary::plugin_tensor(self.prefix(), &tag.into(), tensor, metadata);
        self.value(&value, step);
    }

    /// Logs a precision-recall curve. The dashboard has a slider for the steps.
    pub fn pr_curve<'a>(&self, tag: impl Into<Tag<'a>>, curve: PrCurve, step: impl Step) {
        let value = summary::pr_curve(self.prefix(), &tag.into(), curve);
        self.value(&value, step);
    }

    /// Logs the page of the custom scalars dashboard. Of several in a run the last counts; those of several runs are
    /// joined.
    ///
    /// The prefix of a [`scope`](Self::scope) is put before nothing here: the dashboard reads one tag, and the page may
    /// draw scalars of all scopes, so it names whole tags.
    ///
    /// ```
    /// use summary_writer::{Category, Layout, Margin};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let training = Category::new("training")?
    ///     .multiline("loss", ["loss/.*"])?
    ///     .margin("accuracy", [Margin::new("accuracy/mean", "accuracy/lower", "accuracy/upper")])?;
    /// summary.custom_scalars(Layout::new().category(training));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn custom_scalars(&self, layout: Layout) {
        self.value(&summary::custom_scalars(&layout), 0);
    }

    /// Logs an event as it is, for what has no method here. Its wall time is that of [`at`](Self::at) if it was called,
    /// else its own; where that is 0 or not finite, the time of the call. The prefix of a [`scope`](Self::scope) is not
    /// put before its tags.
    pub fn event(&self, mut event: proto::Event) {
        if !event.wall_time.is_finite() {
            self.run.count_replaced_wall_time();
            event.wall_time = 0.0;
        }
        if event.wall_time == 0.0 || self.wall_time.is_some() {
            event.wall_time = self.now().as_secs();
        }
        let payload_bytes = event.encoded_len();
        self.with_frame(HEADER_BYTES, |frame| {
            if payload_bytes <= MAX_PAYLOAD_BYTES {
                event.encode_raw(frame);
                self.accept(frame, 0);
            } else {
                self.refuse(payload_bytes);
            }
        });
    }

    fn plain_scalar(&self, name: &str, value: f32, step: Result<i64, i64>) {
        let prefix = self.prefix();
        let values_bytes = event::simple_value_bytes(prefix.len() + name.len());
        let end = VALUES + values_bytes;
        if end + FOOTER_BYTES > STACK_BYTES {
            return self.values_at(step, |frame| {
                event::put_simple_value(frame, prefix, name, value);
            });
        }
        let mut frame = [0; STACK_BYTES];
        event::put_simple_value(&mut &mut frame[VALUES..], prefix, name, value);
        let step = self.checked(step);
        let start = put_head(&mut frame, self.now(), step, values_bytes);
        let frame = &mut frame[start..end + FOOTER_BYTES];
        record::seal(frame);
        self.run.tray.accept(frame);
    }

    fn value(&self, value: &Value, step: impl Step) {
        self.values(step, |frame| event::append_value(frame, value));
    }

    fn values(&self, step: impl Step, append: impl FnOnce(&mut Vec<u8>)) {
        self.values_at(step.to_i64(), append);
    }

    /// Logs an event of the values that `append` appends; none if it appends none.
    fn values_at(&self, step: Result<i64, i64>, append: impl FnOnce(&mut Vec<u8>)) {
        self.with_frame(VALUES, |frame| {
            append(frame);
            let values_bytes = frame.len() - VALUES;
            if values_bytes > MAX_PAYLOAD_BYTES - HEAD_BYTES {
                self.refuse(values_bytes);
            } else if values_bytes > 0 {
                let step = self.checked(step);
                let start = put_head(frame, self.now(), step, values_bytes);
                self.accept(frame, start);
            }
        });
    }

    /// Gives `build` this thread's buffer, with `room` bytes in it.
    fn with_frame(&self, room: usize, build: impl FnOnce(&mut Vec<u8>)) {
        // A thread that ends has none any more.
        let mut frame = FRAME.try_with(Cell::take).unwrap_or_default();
        frame.clear();
        frame.resize(room, 0);
        build(&mut frame);
        if frame.capacity() <= KEPT_BYTES {
            FRAME.try_with(|kept| kept.set(frame)).ok();
        }
    }

    /// Seals what stands in `frame` from `start` on, and puts it in the tray.
    fn accept(&self, frame: &mut Vec<u8>, start: usize) {
        frame.extend([0; FOOTER_BYTES]);
        record::seal(&mut frame[start..]);
        self.run.tray.accept(&frame[start..]);
    }

    #[cold]
    fn refuse(&self, bytes: usize) {
        if self.run.tray.refuse() == 1 {
            log::error!(
                "a record of {bytes} bytes is refused: no reader takes more than {MAX_PAYLOAD_BYTES}"
            );
        }
    }

    fn checked(&self, step: Result<i64, i64>) -> i64 {
        step.unwrap_or_else(|nearest| {
            self.run.count_saturated_step();
            nearest
        })
    }

    fn now(&self) -> WallTime {
        self.wall_time.unwrap_or_else(|| SystemTime::now().into())
    }
}

/// The first record of a file.
pub(super) fn version_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    record::append_frame(&event::version(SystemTime::now().into()), &mut frame);
    frame
}

/// Puts the event's fields before the values of `frame`; returns where the frame starts, with room for its header.
#[inline]
fn put_head(frame: &mut [u8], wall_time: WallTime, step: i64, values_bytes: usize) -> usize {
    let head = &mut frame[HEADER_BYTES..VALUES];
    event::put_head(head, wall_time, step, values_bytes)
}
