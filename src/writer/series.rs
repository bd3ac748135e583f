//! What a run has logged so far under each tag: the kind and the last step. They tell when stock TensorBoard will drop
//! points without a word.
//!
//! The writer's thread looks at what it has written, in the order of the file: a call pays nothing for it.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::run_name::RunName;
use crate::event::{Kind, Point, scan};
use crate::record;

/// Tags that are watched. They take 32 MiB, and that only in a run that has so many; further ones are not looked at.
const MAX_TAGS: usize = 1 << 20;
const FIRST_SLOTS: usize = 64;
/// Lines in the log. What is found after that is counted.
const MAX_REPORTS: u64 = 100;

/// Tags of which stock TensorBoard will show less than was logged.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) backward_tags: AtomicU64,
    pub(super) repeated_tags: AtomicU64,
    pub(super) mixed_tags: AtomicU64,
}

/// A table with open addressing. A tag is known by its hash: to hold a million names would take more than the rest.
#[derive(Debug)]
pub(super) struct Series {
    /// A power of two, of which half is empty.
    slots: Vec<Slot>,
    /// Leaves of a hash as many bits as number the slots.
    shift: u32,
    count: usize,
    report_count: u64,
    found: Arc<Found>,
    run_name: RunName,
}

/// The upper 56 bits of the key are those of the tag's hash: in one of 100,000 runs of a million tags, two of them are
/// taken for one. The lower bits are flags.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: u64,
    step: i64,
}

/// A [`Kind`], or 0.
const KIND: u64 = 0x0f;
const IS_USED: u64 = 0x10;
const IS_BACKWARD: u64 = 0x20;
const IS_REPEATED: u64 = 0x40;
const IS_MIXED: u64 = 0x80;
const HASH: u64 = !0xff;

/// Odd, half of the bits set, without a pattern: the golden ratio and the square root of 3, as fractions.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const FACTOR: u64 = 0xbb67_ae85_84ca_a73b;

impl Series {
    pub(super) fn new(found: Arc<Found>, run_name: RunName) -> Self {
        Self {
            slots: vec![Slot::default(); FIRST_SLOTS],
            shift: u64::BITS - FIRST_SLOTS.ilog2(),
            count: 0,
            report_count: 0,
            found,
            run_name,
        }
    }

    /// Looks at records that were written.
    pub(super) fn watch(&mut self, frames: &[u8]) {
        for payload in record::payloads(frames) {
            scan(payload, |point| self.see(&point));
        }
    }

    #[inline]
    fn see(&mut self, point: &Point<'_>) {
        let hash = hash(point.tag);
        let Some(i) = self.place(hash) else {
            return;
        };
        let kind = point.kind.map_or(0, |kind| kind as u64);
        let slot = &mut self.slots[i];
        if slot.key & IS_USED == 0 {
            slot.key = hash & HASH | IS_USED | kind;
            slot.step = point.step;
            self.count += 1;
            return;
        }
        let last = mem::replace(&mut slot.step, point.step);
        let is_mixed = slot.key & KIND != kind && kind != 0;
        if point.step <= last || is_mixed {
            self.suspect(i, last, point);
        }
    }

    /// The slot of the tag with this hash, or the empty one that it gets; none for one tag too many.
    #[inline]
    fn place(&mut self, hash: u64) -> Option<usize> {
        if self.count > self.slots.len() / 2 {
            self.grow();
        }
        let i = self.find(hash);
        (self.count < MAX_TAGS || self.slots[i].key & IS_USED != 0).then_some(i)
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "numbers a slot")]
    fn find(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        // By the upper bits, which every bit of the tag reaches: a product takes no bit downwards.
        let mut i = (hash >> self.shift) as usize;
        loop {
            let key = self.slots[i].key;
            if key & IS_USED == 0 || (key ^ hash) & HASH == 0 {
                return i;
            }
            i = (i + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let twice = vec![Slot::default(); 2 * self.slots.len()];
        let old = mem::replace(&mut self.slots, twice);
        self.shift -= 1;
        for slot in old {
            if slot.key & IS_USED != 0 {
                let i = self.find(slot.key);
                self.slots[i] = slot;
            }
        }
    }

    /// Looks closer at a point whose tag, in slot `i`, has been there, and says what is wrong with it: once for each tag.
    #[cold]
    fn suspect(&mut self, i: usize, last: i64, point: &Point<'_>) {
        // What has no time has steps for form's sake.
        let is_timeless = matches!(point.kind, Some(Kind::CustomScalars | Kind::HParams));
        let step = point.step;
        if step < last && !is_timeless && self.mark(i, IS_BACKWARD) {
            let problem = format!(
                "step {step} comes after {last}, and TensorBoard may drop what it has from {step} on"
            );
            self.report(|found| &found.backward_tags, point, &problem);
        }
        if step == last && !is_timeless && self.mark(i, IS_REPEATED) {
            let problem =
                format!("step {step} comes twice, and TensorBoard may show one of the two");
            self.report(|found| &found.repeated_tags, point, &problem);
        }
        let Some(kind) = point.kind else {
            return;
        };
        match Kind::from_number(self.slots[i].key & KIND) {
            Some(before) if before != kind => {
                if self.mark(i, IS_MIXED) {
                    let (before, kind) = (before.name(), kind.name());
                    let problem = format!(
                        "it is used for {kind} after {before}, and TensorBoard shows one kind of a tag"
                    );
                    self.report(|found| &found.mixed_tags, point, &problem);
                }
            }
            Some(_) => {}
            None => self.slots[i].key |= kind as u64,
        }
    }

    /// Sets a flag; says whether it was not set.
    fn mark(&mut self, i: usize, flag: u64) -> bool {
        let key = &mut self.slots[i].key;
        mem::replace(key, *key | flag) & flag == 0
    }

    fn report(&mut self, count: fn(&Found) -> &AtomicU64, point: &Point<'_>, problem: &str) {
        count(&self.found).fetch_add(1, Ordering::Relaxed);
        self.report_count += 1;
        if self.report_count <= MAX_REPORTS {
            let tag = String::from_utf8_lossy(point.tag);
            log::warn!("{}tag {tag:?}: {problem}", self.run_name);
        }
        if self.report_count == MAX_REPORTS {
            log::warn!(
                "{}further tags like that are only counted, in the writer's statistics",
                self.run_name
            );
        }
    }
}

/// Takes in eight bytes at a time. Nobody gains by tags that collide: they spoil the warnings of their own run.
#[inline]
fn hash(tag: &[u8]) -> u64 {
    let mut hash = SEED.wrapping_mul(tag.len() as u64);
    let mut rest = tag;
    while let Some((word, behind)) = rest.split_first_chunk()
        && !behind.is_empty()
    {
        hash = mix(hash ^ u64::from_le_bytes(*word));
        rest = behind;
    }
    mix(hash ^ last_word(rest))
}

/// Up to eight bytes, told apart from others of the same number. Two loads are faster than a copy of so few.
#[inline]
fn last_word(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    match *bytes {
        [] => 0,
        [a] => a.into(),
        [a, b] => u16::from_le_bytes([a, b]).into(),
        [a, b, c, ..] => u32::from_le_bytes([a, b, c, 0]).into(),
    }
}

/// Spreads each bit over all of them; no two numbers become one.
#[inline]
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 32).wrapping_mul(FACTOR);
    (number ^ number >> 29).wrapping_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::event;
    use crate::proto::event::What;
    use crate::proto::{Event, Summary};

    fn frames(points: &[(&str, i64)]) -> Vec<u8> {
        let mut frames = Vec::new();
        for (tag, step) in points {
            let mut values = Vec::new();
            event::put_simple_value(&mut values, "", tag, 0.5);
            let event = Event {
                step: *step,
                what: Some(What::Summary(
                    <Summary as prost::Message>::decode(&values[..]).unwrap(),
                )),
                ..Default::default()
            };
            let payload = prost::Message::encode_to_vec(&event);
            record::append_frame(&payload, &mut frames);
        }
        frames
    }

    fn counts(found: &Found) -> [u64; 3] {
        [
            &found.backward_tags,
            &found.repeated_tags,
            &found.mixed_tags,
        ]
        .map(|count| count.load(Ordering::Relaxed))
    }

    #[test]
    fn finds_tags_whose_step_goes_back_or_comes_again_once_each() {
        let mut series = Series::new(Arc::default(), RunName::default());
        // Tag, step, tags found: backward, repeated, mixed.
        for (tag, step, want) in [
            ("a", 5, [0, 0, 0]),
            ("b", 1, [0, 0, 0]),
            ("a", 6, [0, 0, 0]),
            ("a", 6, [0, 1, 0]),
            ("a", 6, [0, 1, 0]),
            ("a", 2, [1, 1, 0]),
            ("a", 3, [1, 1, 0]),
            ("a", 1, [1, 1, 0]),
            ("b", i64::MIN, [2, 1, 0]),
            ("b", i64::MIN, [2, 2, 0]),
            ("", 0, [2, 2, 0]),
            ("", 1, [2, 2, 0]),
        ] {
            series.watch(&frames(&[(tag, step)]));
            assert_eq!(counts(&series.found), want, "{tag:?} at {step}");
        }
    }

    #[test]
    fn finds_tags_of_two_kinds_once_each() {
        let mut series = Series::new(Arc::default(), RunName::default());
        // The kind may be told by the first value alone, or later.
        for (step, (tag, kind, want)) in [
            ("a", Some(Kind::Scalars), 0),
            ("a", None, 0),
            ("a", Some(Kind::Scalars), 0),
            ("a", Some(Kind::Text), 1),
            ("a", Some(Kind::Images), 1),
            ("b", None, 1),
            ("b", Some(Kind::Other), 1),
            ("b", Some(Kind::Other), 1),
            ("b", Some(Kind::Mesh), 2),
        ]
        .into_iter()
        .enumerate()
        {
            let step = i64::try_from(step).unwrap();
            let tag = tag.as_bytes();
            series.see(&Point { tag, step, kind });
            assert_eq!(counts(&series.found), [0, 0, want], "{step}");
        }
    }

    #[test]
    fn what_has_no_time_may_come_again() {
        let mut series = Series::new(Arc::default(), RunName::default());
        for kind in [Kind::CustomScalars, Kind::HParams] {
            for step in [1, 1, 0] {
                let tag = kind.name().as_bytes();
                let kind = Some(kind);
                series.see(&Point { tag, step, kind });
            }
        }
        assert_eq!(counts(&series.found), [0, 0, 0]);
    }

    #[test]
    fn agrees_with_a_map_of_names() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut series = Series::new(Arc::default(), RunName::default());
        let mut last: HashMap<String, i64> = HashMap::new();
        let (mut backward, mut repeated) = (HashMap::new(), HashMap::new());
        for _ in 0..200_000 {
            // Names of all lengths, many with a beginning in common.
            let number = random.u32(..30_000);
            let tag = format!("{:1$}", number, number as usize % 40);
            let step = random.i64(..20);
            match last.insert(tag.clone(), step) {
                Some(before) if step < before => drop(backward.insert(tag.clone(), ())),
                Some(before) if step == before => drop(repeated.insert(tag.clone(), ())),
                _ => {}
            }
            let tag = tag.as_bytes();
            let kind = Some(Kind::Scalars);
            series.see(&Point { tag, step, kind });
        }
        assert_eq!(series.count, last.len());
        let want = [backward.len() as u64, repeated.len() as u64, 0];
        assert_eq!(counts(&series.found), want);
    }

    #[test]
    fn tags_that_differ_in_a_letter_or_two_are_spread_over_the_table() {
        type Name = fn(usize) -> String;
        let names: [Name; 4] = [
            |i| format!("{i:04}"),
            |i| format!("{i:04}/loss"),
            |i| format!("layer{i}/weights"),
            |i| format!("{i}"),
        ];
        for name in names {
            let mut series = Series::new(Arc::default(), RunName::default());
            for i in 0..1000 {
                let tag = &name(i);
                let kind = Some(Kind::Scalars);
                series.see(&Point {
                    tag: tag.as_bytes(),
                    step: 0,
                    kind,
                });
            }
            let is_used = |slot: &Slot| slot.key & IS_USED != 0;
            let runs = series.slots.chunk_by(|a, b| is_used(a) == is_used(b));
            let used = runs.filter(|run| is_used(&run[0])).map(<[Slot]>::len);
            // Of 4000 simulated tables with 1000 random places of 2048 taken, the longest run had 48.
            let longest = used.max();
            assert!(longest < Some(64), "{}: {longest:?}", name(0));
        }
    }

    #[test]
    fn holds_no_more_than_a_million_tags() {
        let mut series = Series::new(Arc::default(), RunName::default());
        for number in 0..MAX_TAGS + 10 {
            for step in [1, 1] {
                let tag = &number.to_le_bytes();
                let kind = Some(Kind::Scalars);
                series.see(&Point { tag, step, kind });
            }
        }
        assert_eq!(series.count, MAX_TAGS);
        assert_eq!(counts(&series.found), [0, MAX_TAGS as u64, 0]);
        assert!(mem::size_of_val(&series.slots[..]) <= 32 << 20);
    }
}
