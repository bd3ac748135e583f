//! How many clips the steps of each audio tag have: the dashboard wants them to be as many at every step.
//!
//! It has a card for each clip of the fullest step. Where another step ends just before that clip, the request fails (HTTP
//! 500, an index out of range), and the card stays empty at all steps.

use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::enter;
use super::run_name::RunName;
use crate::summary::Audio;

/// Of one run, since its file was opened. Only the worker asks, so that nobody waits here, and what a fork leaves behind
/// does not matter.
#[derive(Debug)]
pub(super) struct ClipCounts {
    run_name: RunName,
    /// A list, for few tags have audio, and a map would be in the binary of every program that has none.
    tags: Mutex<Vec<ClipCount>>,
    uneven_count: AtomicU64,
}

#[derive(Debug)]
struct ClipCount {
    /// The whole tag.
    tag: String,
    most: usize,
    is_reported: bool,
}

impl ClipCounts {
    pub(super) fn new(run_name: RunName) -> Self {
        Self {
            run_name,
            tags: Mutex::default(),
            uneven_count: AtomicU64::new(0),
        }
    }

    /// Fills the clips of a step up to those of the steps before it, with empty ones. If they are more already, the steps
    /// before cannot be changed: that is counted, and reported once for each tag.
    pub(super) fn fill_up(&self, tag: String, clips: &mut Vec<Audio>) {
        let mut tags = enter(&self.tags);
        let Some(count) = tags.iter_mut().find(|count| count.tag == tag) else {
            tags.push(ClipCount {
                tag,
                most: clips.len(),
                is_reported: false,
            });
            return;
        };
        let before = count.most;
        if clips.len() <= before {
            clips.resize_with(before, Audio::empty);
            return;
        }
        count.most = clips.len();
        let is_first = !mem::replace(&mut count.is_reported, true);
        drop(tags);
        self.uneven_count.fetch_add(1, Ordering::Relaxed);
        if is_first {
            log::warn!(
                "{}audio {tag:?} has {} clips at a step, and {before} at one before: TensorBoard will fail to show its clip {}",
                self.run_name,
                clips.len(),
                before + 1
            );
        }
    }

    pub(super) fn uneven_count(&self) -> u64 {
        self.uneven_count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_gets_as_many_clips_as_the_fullest_before_it() {
        let clip_counts = ClipCounts::new(RunName::default());
        let clip = Audio::mono_i16(8_000, [1]).unwrap();
        // Tag, given, filled up to, steps that were fuller than one before.
        for (tag, given, want, uneven_count) in [
            ("a", 2, 2, 0),
            ("b", 1, 1, 0),
            ("a", 1, 2, 0),
            ("a", 2, 2, 0),
            ("a", 4, 4, 1),
            ("a", 3, 4, 1),
            ("b", 1, 1, 1),
            ("b", 2, 2, 2),
            ("a", 5, 5, 3),
        ] {
            let mut clips = vec![clip.clone(); given];
            clip_counts.fill_up(tag.into(), &mut clips);
            assert_eq!(clips.len(), want, "{tag} of {given}");
            assert!(clips[..given].iter().all(|filled| *filled == clip));
            assert!(
                clips[given..]
                    .iter()
                    .all(|filled| *filled == Audio::empty())
            );
            assert_eq!(clip_counts.uneven_count(), uneven_count);
        }
    }
}
