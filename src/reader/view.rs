//! An event seen in the reader's buffer: time, step, and its values, without a copy of anything.

use std::fmt;

use prost::Message;

use super::value::ValueRef;
use super::wire::{Fields, Kind, MAX_DEPTH};
use crate::proto::Event;

// The keys of the fields that are looked at, `number << 3 | wire type`.
const WALL_TIME: u32 = 1 << 3 | 1;
const STEP: u32 = 2 << 3;
const SUMMARY: u32 = 5 << 3 | 2;
// What an event can be instead of a summary.
const FILE_VERSION: u32 = 3 << 3 | 2;
const GRAPH_DEF: u32 = 4 << 3 | 2;
const SESSION_LOG: u32 = 7 << 3 | 2;
const TAGGED_RUN_METADATA: u32 = 8 << 3 | 2;
const SUMMARY_VALUE: u32 = 1 << 3 | 2;

/// An event in the buffer of its [`EventReader`](crate::EventReader), from
/// [`next_event`](crate::EventReader::next_event). It is sound as a whole.
#[derive(Clone)]
pub struct EventRef<'a> {
    payload: &'a [u8],
    wall_time: f64,
    step: i64,
    values: Values<'a>,
}

impl<'a> EventRef<'a> {
    /// Looks at all of `payload`, and says whether prost would decode it.
    pub(super) fn new(payload: &'a [u8]) -> (Self, bool) {
        let mut event = Self {
            payload,
            wall_time: 0.0,
            step: 0,
            values: Values::default(),
        };
        let is_event = event.look(Fields(payload)).is_some();
        (event, is_event)
    }

    /// A field that comes again counts as it came last, but a summary is continued: unless the event became something else
    /// in between.
    fn look(&mut self, mut fields: Fields<'a>) -> Option<()> {
        while !fields.0.is_empty() {
            let key = fields.key()?;
            match key {
                WALL_TIME => self.wall_time = f64::from_le_bytes(fields.array()?),
                STEP => self.step = fields.varint()?.cast_signed(),
                SUMMARY => {
                    let summary = Fields(fields.bytes()?);
                    self.look_at_summary(summary, fields)?;
                }
                FILE_VERSION | GRAPH_DEF | SESSION_LOG | TAGGED_RUN_METADATA => {
                    fields.check(Kind::Event, key, MAX_DEPTH)?;
                    self.values = Values::default();
                }
                _ => fields.check(Kind::Event, key, MAX_DEPTH)?,
            }
        }
        Some(())
    }

    /// Keeps the first value as it was seen, for most events have no other.
    #[inline]
    fn look_at_summary(&mut self, mut summary: Fields<'a>, behind: Fields<'a>) -> Option<()> {
        while !summary.0.is_empty() {
            match summary.key()? {
                SUMMARY_VALUE => {
                    let value = ValueRef::new(summary.bytes()?)?;
                    if self.values.first.is_none() {
                        self.values = Values {
                            first: Some(value),
                            summary,
                            event: behind,
                        };
                    }
                }
                other => summary.check(Kind::Summary, other, MAX_DEPTH - 1)?,
            }
        }
        Some(())
    }

    /// Seconds since 1970.
    #[inline]
    pub fn wall_time(&self) -> f64 {
        self.wall_time
    }

    /// The counter of the program that wrote it.
    #[inline]
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Its values, one after the other. None if it is no summary, as the first event of a file, which has its version.
    #[inline]
    pub fn values(&self) -> Values<'a> {
        self.values.clone()
    }

    /// The whole event as a message of its own.
    pub fn to_event(&self) -> Event {
        Event::decode(self.payload).unwrap_or_default() // it was checked
    }
}

/// The values of an [`EventRef`].
#[derive(Clone, Default)]
pub struct Values<'a> {
    first: Option<ValueRef<'a>>,
    /// What is left of the summary, behind the first value.
    summary: Fields<'a>,
    /// What is left of the event, behind the summary.
    event: Fields<'a>,
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            if let Some(value) = self.summary.next_bytes(SUMMARY_VALUE) {
                return ValueRef::new(value);
            }
            self.summary = Fields(self.event.next_bytes(SUMMARY)?);
        }
    }
}

impl fmt::Debug for EventRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRef")
            .field("wall_time", &self.wall_time)
            .field("step", &self.step)
            .field("values", &self.values())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

#[cfg(test)]
mod tests;
