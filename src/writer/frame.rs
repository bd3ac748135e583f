//! Encodes the values of one event to a frame, and pushes it to the queue. A small frame is built on the stack, a larger one
//! in a buffer of the thread. The worker fills in the checksums.

use std::cell::Cell;

use prost::Message;

use super::SummaryWriter;
use crate::error::{Error, Result};
use crate::event::{self, HEAD_BYTES, SHORT_EVENT_BYTES, Step, WallTime};
use crate::proto;
use crate::proto::event::What;
use crate::proto::hparams::Status;
use crate::proto::summary::Value;
use crate::record::{self, FOOTER_BYTES, HEADER_BYTES};
use crate::summary;

/// The offset of the values in a buffer in which a frame is built.
const VALUES: usize = HEADER_BYTES + HEAD_BYTES;
/// The capacity that a thread keeps for its next frame. Larger frames are rare.
const KEPT_BYTES: usize = 64 << 10;
/// The longest payload that a reader accepts, which is protobuf's limit.
const MAX_PAYLOAD_BYTES: usize = i32::MAX as usize;
const MAX_VALUES_BYTES: usize = MAX_PAYLOAD_BYTES - HEAD_BYTES;

thread_local! {
    /// The buffer of this thread. It is taken out while it is in use, because a caller's iterator may log, too.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl SummaryWriter {
    #[inline]
    pub(super) fn log_plain_scalar(&self, name: &str, value: f32, step: Result<i64, i64>) {
        if !self.log_short_scalar(name, value, step) {
            self.log_values_at(step, |buffer| {
                event::put_simple_value(buffer, self.prefix(), name, value);
            });
        }
    }

    /// Logs a scalar from a frame on the stack. Returns `false` if the scalar needs the general way.
    fn log_short_scalar(&self, name: &str, value: f32, step: Result<i64, i64>) -> bool {
        let Ok(step) = step else {
            return false;
        };
        if self.is_conditional() || self.has_invalid_wall_time {
            return false;
        }
        let mut frame = [0; HEADER_BYTES + SHORT_EVENT_BYTES + FOOTER_BYTES];
        let Some(payload) = frame[HEADER_BYTES..].first_chunk_mut() else {
            return false;
        };
        let tag = (self.prefix(), name);
        let Some(bytes) = event::put_short_event(payload, self.now(), step, tag, value) else {
            return false;
        };
        let frame = &mut frame[..HEADER_BYTES + bytes + FOOTER_BYTES];
        record::enclose(frame);
        self.run.queue.push(frame);
        true
    }

    /// Logs an event with the value that `make_value` returns. It is called only if the step is recorded.
    pub(super) fn log_value(&self, step: impl Step, make_value: impl FnOnce() -> Value) {
        self.log_values(step, |buffer| event::append_value(buffer, &make_value()));
    }

    /// Logs an event with the values that `append` appends, or nothing if it appends nothing. It is called only if the step
    /// is recorded.
    pub(super) fn log_values(&self, step: impl Step, append: impl FnOnce(&mut Vec<u8>)) {
        self.log_values_at(step.to_i64(), append);
    }

    fn log_values_at(&self, step: Result<i64, i64>, append: impl FnOnce(&mut Vec<u8>)) {
        if self.is_recorded(step) {
            self.push_values(step, append);
        }
    }

    /// Pushes an event with the values that `append` appends, or nothing if it appends nothing.
    pub(super) fn push_values(&self, step: Result<i64, i64>, append: impl FnOnce(&mut Vec<u8>)) {
        with_buffer(VALUES, |buffer| {
            append(buffer);
            let values_bytes = buffer.len() - VALUES;
            if values_bytes > MAX_VALUES_BYTES {
                self.run.queue.reject(&too_long(values_bytes));
            } else if values_bytes > 0 {
                let nearest = step.unwrap_or_else(|nearest| nearest);
                let start = put_head(buffer, self.now(), nearest, values_bytes);
                let payload = &buffer[start + HEADER_BYTES..];
                self.saturated(step, || first_tag(payload));
                self.count_invalid_wall_time(|| first_tag(payload));
                self.push_enclosed(buffer, start);
            }
        });
    }

    /// Pushes an event whose values the encoder's thread encodes, because that takes long. Until then it counts with
    /// `raw_bytes` bytes as pending. The caller counts a step or a wall time that is replaced. `append` must keep what the
    /// buffer has already.
    pub(super) fn push_deferred(
        &self,
        step: impl Step,
        raw_bytes: usize,
        append: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        let step = step.to_i64().unwrap_or_else(|nearest| nearest);
        let now = self.now();
        self.run.push_deferred(raw_bytes, move |buffer| {
            let before = buffer.len();
            buffer.resize(before + VALUES, 0);
            append(buffer)?;
            let values_bytes = buffer.len() - before - VALUES;
            if values_bytes > MAX_VALUES_BYTES {
                return Err(too_long(values_bytes));
            }
            let start = put_head(&mut buffer[before..], now, step, values_bytes);
            buffer.extend([0; FOOTER_BYTES]);
            buffer.drain(before..before + start);
            record::enclose(&mut buffer[before..]);
            Ok(())
        });
    }

    /// Pushes an event as it is.
    pub(super) fn push_event(&self, event: &proto::Event) {
        let payload_bytes = event.encoded_len();
        self.count_invalid_wall_time(|| first_tag(&event.encode_to_vec()));
        with_buffer(HEADER_BYTES, |buffer| {
            if payload_bytes <= MAX_PAYLOAD_BYTES {
                let encoded = event.encode(buffer);
                debug_assert!(encoded.is_ok(), "a `Vec` grows as needed");
                self.push_enclosed(buffer, 0);
            } else {
                self.run.queue.reject(&too_long(payload_bytes));
            }
        });
    }

    /// Makes a frame of `buffer` from `start` on, and pushes it.
    fn push_enclosed(&self, buffer: &mut Vec<u8>, start: usize) {
        buffer.extend([0; FOOTER_BYTES]);
        record::enclose(&mut buffer[start..]);
        self.run.queue.push(&buffer[start..]);
    }

    /// Returns the step, or counts that it is replaced by the nearest `i64`.
    pub(super) fn saturated(&self, step: Result<i64, i64>, tag: impl FnOnce() -> String) -> i64 {
        step.unwrap_or_else(|nearest| {
            self.run.counters.count_saturated_step(&tag());
            nearest
        })
    }

    /// Counts a record whose wall time is replaced by the time of the call.
    pub(super) fn count_invalid_wall_time(&self, tag: impl FnOnce() -> String) {
        if self.has_invalid_wall_time {
            self.run.counters.count_replaced_wall_time(&tag());
        }
    }

    /// Returns the wall time of a record that is logged now.
    pub(super) fn now(&self) -> WallTime {
        self.wall_time
            .unwrap_or_else(|| self.run.options.clock.now())
    }
}

/// Calls `build` with the buffer of this thread, which has `room` bytes for the header.
fn with_buffer(room: usize, build: impl FnOnce(&mut Vec<u8>)) {
    // While a thread ends, its buffer may be gone already.
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
    buffer.clear();
    buffer.resize(room, 0);
    build(&mut buffer);
    if buffer.capacity() <= KEPT_BYTES {
        BUFFER.try_with(|kept| kept.set(buffer)).ok();
    }
}

/// Returns the tag of the first value in a payload, with which a message names the record.
pub(super) fn first_tag(payload: &[u8]) -> String {
    let mut first = None;
    event::scan(payload, |point| {
        first.get_or_insert_with(|| String::from_utf8_lossy(point.tag).into_owned());
    });
    first.unwrap_or_default()
}

/// Writes the fields of an event before the values in `buffer`. Returns the offset where the frame starts.
#[inline]
fn put_head(buffer: &mut [u8], wall_time: WallTime, step: i64, values_bytes: usize) -> usize {
    let room = &mut buffer[HEADER_BYTES..VALUES];
    event::put_head(room, wall_time, step, values_bytes)
}

fn too_long(bytes: usize) -> Error {
    let problem =
        format!("it must have at most {MAX_PAYLOAD_BYTES} bytes for the readers, got {bytes}");
    Error::invalid("record", problem)
}

/// Returns the first record of a file.
pub(super) fn version_frame(now: WallTime) -> Vec<u8> {
    let mut frame = Vec::new();
    record::append_frame(&event::version(now), &mut frame);
    frame
}

/// Returns the last record of a session that ends now.
pub(super) fn session_end_frame(status: Status, now: WallTime) -> Vec<u8> {
    let now = now.as_secs();
    let event = proto::Event {
        wall_time: now,
        what: Some(What::Summary(proto::Summary {
            value: vec![summary::session_end(status, now)],
        })),
        ..Default::default()
    };
    let mut frame = Vec::new();
    record::append_frame(&event.encode_to_vec(), &mut frame);
    frame
}
