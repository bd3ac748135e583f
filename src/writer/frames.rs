//! Values of an event to one frame in the tray, built in its place: on the stack where it is small, else in a buffer of
//! the thread. Its checksums are left to the worker, which has the time.

use std::cell::Cell;
use std::time::SystemTime;

use prost::Message;

use super::{Run, SummaryWriter};
use crate::error::{self, Error};
use crate::event::{self, HEAD_BYTES, Step, WallTime};
use crate::proto;
use crate::proto::event::What;
use crate::proto::hparams::Status;
use crate::proto::summary::Value;
use crate::record::{self, FOOTER_BYTES, HEADER_BYTES};
use crate::summary;

/// Where the values of an event stand in a frame that is built in its place.
const VALUES: usize = HEADER_BYTES + HEAD_BYTES;
/// A frame of one scalar up to here is built on the stack: that of a tag up to 190 bytes or so.
const STACK_BYTES: usize = 256;
/// What a thread keeps for its next frame. A larger one is a rare one.
const KEPT_BYTES: usize = 64 << 10;
/// The longest payload that a reader takes: protobuf's limit.
const MAX_PAYLOAD_BYTES: usize = i32::MAX as usize;
const MAX_VALUES_BYTES: usize = MAX_PAYLOAD_BYTES - HEAD_BYTES;

thread_local! {
    /// Where this thread builds frames that may be large. It is taken out while it is used, for a caller's iterator may
    /// log, too.
    static FRAME: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl SummaryWriter {
    pub(super) fn plain_scalar(&self, name: &str, value: f32, step: Result<i64, i64>) {
        let prefix = self.prefix();
        let values_bytes = event::simple_value_bytes(prefix.len() + name.len());
        let end = VALUES + values_bytes;
        if end + FOOTER_BYTES > STACK_BYTES || self.detour.is_some() {
            return self.values_at(step, |frame| {
                event::put_simple_value(frame, prefix, name, value);
            });
        }
        let mut frame = [0; STACK_BYTES];
        event::put_simple_value(&mut &mut frame[VALUES..], prefix, name, value);
        let step = self.checked(step);
        let start = put_head(&mut frame, self.now(), step, values_bytes);
        let frame = &mut frame[start..end + FOOTER_BYTES];
        record::enclose(frame);
        self.run.tray.accept(frame);
    }

    pub(super) fn value(&self, step: impl Step, value: impl FnOnce() -> Value) {
        self.values(step, |frame| event::append_value(frame, &value()));
    }

    pub(super) fn values(&self, step: impl Step, append: impl FnOnce(&mut Vec<u8>)) {
        self.values_at(step.to_i64(), append);
    }

    /// Logs an event of the values that `append` appends, which is called if the step is recorded; none if it appends none.
    fn values_at(&self, step: Result<i64, i64>, append: impl FnOnce(&mut Vec<u8>)) {
        if !self.is_recorded(step) {
            return;
        }
        self.with_frame(VALUES, |frame| {
            append(frame);
            let values_bytes = frame.len() - VALUES;
            if values_bytes > MAX_VALUES_BYTES {
                self.refuse(values_bytes);
            } else if values_bytes > 0 {
                let step = self.checked(step);
                let start = put_head(frame, self.now(), step, values_bytes);
                self.accept(frame, start);
            }
        });
    }

    /// Logs an event of the values that `append` appends later, on the writer's thread, for it takes long, behind what
    /// stands there already. Until then it holds `raw_bytes` bytes.
    pub(super) fn deferred_values(
        &self,
        step: impl Step,
        raw_bytes: usize,
        append: impl FnOnce(&mut Vec<u8>) -> error::Result<()> + Send + 'static,
    ) {
        let step = step.to_i64();
        if !self.is_recorded(step) {
            return;
        }
        let (step, now) = (self.checked(step), self.now());
        self.put_deferred(raw_bytes, move |frame| {
            let before = frame.len();
            frame.resize(before + VALUES, 0);
            append(frame)?;
            let values_bytes = frame.len() - before - VALUES;
            if values_bytes > MAX_VALUES_BYTES {
                return Err(Error::invalid("record", too_long(values_bytes)));
            }
            let start = put_head(&mut frame[before..], now, step, values_bytes);
            frame.extend([0; FOOTER_BYTES]);
            frame.drain(before..before + start);
            record::enclose(&mut frame[before..]);
            Ok(())
        });
    }

    pub(super) fn whole_event(&self, event: &proto::Event) {
        if !self.is_recording(event.step) {
            return;
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

    /// Gives `build` this thread's buffer, with `room` bytes in it.
    fn with_frame(&self, room: usize, build: impl FnOnce(&mut Vec<u8>)) {
        let mut frame = take_kept();
        frame.clear();
        frame.resize(room, 0);
        build(&mut frame);
        keep(frame);
    }

    /// Makes a frame of what stands in `frame` from `start` on, and puts it in the tray.
    fn accept(&self, frame: &mut Vec<u8>, start: usize) {
        frame.extend([0; FOOTER_BYTES]);
        record::enclose(&mut frame[start..]);
        self.put(&frame[start..]);
    }

    #[cold]
    fn refuse(&self, bytes: usize) {
        for run in self.runs() {
            if run.tray.refuse() == 1 {
                let name = &run.tray.run_name;
                log::error!("{name}a record is refused: {}", too_long(bytes));
            }
        }
    }

    pub(super) fn checked(&self, step: Result<i64, i64>) -> i64 {
        step.unwrap_or_else(|nearest| {
            self.runs().for_each(Run::count_saturated_step);
            nearest
        })
    }

    pub(super) fn now(&self) -> WallTime {
        self.wall_time.unwrap_or_else(|| SystemTime::now().into())
    }
}

/// This thread's buffer.
fn take_kept() -> Vec<u8> {
    // A thread that ends has none any more.
    FRAME.try_with(Cell::take).unwrap_or_default()
}

fn keep(frame: Vec<u8>) {
    if frame.capacity() <= KEPT_BYTES {
        FRAME.try_with(|kept| kept.set(frame)).ok();
    }
}

fn too_long(bytes: usize) -> String {
    format!("it has {bytes} bytes, no reader takes more than {MAX_PAYLOAD_BYTES}")
}

/// The first record of a file.
pub(super) fn version_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    record::append_frame(&event::version(SystemTime::now().into()), &mut frame);
    frame
}

/// The last record of a session that ends now.
pub(super) fn session_end_frame(status: Status) -> Vec<u8> {
    let now = WallTime::from(SystemTime::now());
    let event = proto::Event {
        wall_time: now.as_secs(),
        what: Some(What::Summary(proto::Summary {
            value: vec![summary::session_end(status, now.as_secs())],
        })),
        ..Default::default()
    };
    let mut frame = Vec::new();
    record::append_frame(&event.encode_to_vec(), &mut frame);
    frame
}

/// Puts the event's fields before the values of `frame`; returns where the frame starts, with room for its header.
#[inline]
fn put_head(frame: &mut [u8], wall_time: WallTime, step: i64, values_bytes: usize) -> usize {
    let head = &mut frame[HEADER_BYTES..VALUES];
    event::put_head(head, wall_time, step, values_bytes)
}
