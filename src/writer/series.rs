//! The state of each tag of a run: the plugin and last step of its time series, to warn when stock TensorBoard will drop points
//! silently, and the number of its audio clips, to pad later steps.
//!
//! The worker checks what it has written, in the order of the file, so the warnings cost the callers nothing.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::mem;
use std::path::{Component, Path};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::lock;
use super::stats::Counters;
use crate::event::{PluginKind, Point, scan};
use crate::record;
use crate::summary::{Audio, MeshForm};

/// Tags beyond this number are not checked, which bounds the memory to 50 MiB.
const MAX_TAGS: usize = 1_000_000;
/// The year 10000. Milliseconds or smaller units that are given as seconds are later than this if they are after 1978.
const LAST_WALL_TIME: f64 = 253_402_300_800.0;

/// Warns about tags that stock TensorBoard will not show completely.
#[derive(Debug)]
pub(super) struct SeriesWarnings {
    /// By the hash of the tag, because a million tags would take more memory than the rest. In one of 30 million runs with a
    /// million tags, two of the tags have the same hash.
    series: foldhash::HashMap<u64, Series>,
    /// The fast loader cannot serve images, audio and graphs of the run.
    is_unservable: bool,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Series {
    last_step: i64,
    /// `None` until a value names its plugin.
    kind: Option<PluginKind>,
    is_backward: bool,
    is_repeated: bool,
    is_mixed: bool,
    is_late: bool,
}

impl Series {
    fn starting_with(step: i64, kind: Option<PluginKind>) -> Self {
        Self {
            last_step: step,
            kind,
            is_backward: false,
            is_repeated: false,
            is_mixed: false,
            is_late: false,
        }
    }
}

impl SeriesWarnings {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            series: foldhash::HashMap::default(),
            is_unservable: false,
            counters,
        }
    }

    /// Checks the run directory, too.
    pub(super) fn in_dir(mut self, dir: &Path) -> Self {
        // On Windows, the prefix of a path has a `\`.
        self.is_unservable = dir.components().any(|part| match part {
            Component::Normal(name) => is_unservable(name.as_encoded_bytes()),
            _ => false,
        });
        self
    }

    /// Continues the check of a tag after a point that an earlier writer has logged.
    pub(super) fn continue_after(&mut self, tag: &str, step: i64, kind: Option<PluginKind>) {
        let hash = self.series.hasher().hash_one(tag.as_bytes());
        if let Some(series) = self.series.get_mut(&hash) {
            series.last_step = step;
            series.kind = series.kind.or(kind);
        } else if self.series.len() < MAX_TAGS {
            self.series.insert(hash, Series::starting_with(step, kind));
            self.check_name(tag.as_bytes(), kind);
        }
    }

    /// Checks the records in `frames`.
    pub(super) fn check(&mut self, frames: &[u8]) {
        for payload in record::payloads(frames) {
            scan(payload, |point| self.check_point(&point));
        }
    }

    #[inline]
    fn check_point(&mut self, point: &Point<'_>) {
        let hash = self.series.hasher().hash_one(point.tag);
        if let Some(series) = self.series.get_mut(&hash) {
            let last_step = mem::replace(&mut series.last_step, point.step);
            let is_same_kind = point.kind.is_none() || point.kind == series.kind;
            let is_late = point.wall_time >= LAST_WALL_TIME;
            if point.step <= last_step || !is_same_kind || is_late {
                warn(&self.counters, series, last_step, point);
            }
        } else if self.series.len() < MAX_TAGS {
            let mut series = Series::starting_with(point.step, point.kind);
            if point.wall_time >= LAST_WALL_TIME {
                warn_about_wall_time(&self.counters, &mut series, point);
            }
            self.series.insert(hash, series);
            self.check_name(point.tag, point.kind);
        }
    }

    /// Warns if the fast loader cannot serve the images, audio clips or graphs of a new tag. It makes an address from the names
    /// of run and tag, and answers with HTTP 400 if JSON must escape a character of them.
    fn check_name(&self, tag: &[u8], kind: Option<PluginKind>) {
        let is_blob = matches!(
            kind,
            Some(
                PluginKind::Images
                    | PluginKind::Audio
                    | PluginKind::Graphs
                    | PluginKind::RunMetadata
            )
        );
        let name = match self.is_unservable {
            _ if !is_blob => return,
            true => "the path of the run directory",
            false if is_unservable(tag) => "the tag",
            false => return,
        };
        let problem = format!(
            "the fast loader of TensorBoard cannot show it, because {name} has `\"`, `\\` or a control character; use another \
             name, or start TensorBoard with --load_fast=false"
        );
        let counters = &self.counters;
        counters.warn_about_tag(&counters.unservable_tags, tag, &problem);
    }
}

fn is_unservable(name: &[u8]) -> bool {
    name.iter()
        .any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
}

/// Warns about a wall time that is not in seconds: once for each tag.
#[cold]
fn warn_about_wall_time(counters: &Counters, series: &mut Series, point: &Point<'_>) {
    if !mem::replace(&mut series.is_late, true) {
        let problem = format!(
            "a wall time must be in seconds since 1970, got {}, which is after the year 9999; divide milliseconds by 1000",
            point.wall_time
        );
        counters.warn_about_tag(&counters.late_tags, point.tag, &problem);
    }
}

/// Warns if a point does not rise, has a wall time that is too late, or names another plugin than the points before it: once
/// for each tag and problem.
#[cold]
fn warn(counters: &Counters, series: &mut Series, last_step: i64, point: &Point<'_>) {
    let step = point.step;
    if point.wall_time >= LAST_WALL_TIME {
        warn_about_wall_time(counters, series, point);
    }
    // Values of these plugins belong to the whole run, so their step means nothing.
    let is_static = matches!(
        point.kind,
        Some(PluginKind::CustomScalars | PluginKind::HParams)
    );
    if step < last_step && !is_static && !mem::replace(&mut series.is_backward, true) {
        let problem = format!(
            "step {step} comes after {last_step}, so TensorBoard may drop the points from step {step} on"
        );
        counters.warn_about_tag(&counters.backward_tags, point.tag, &problem);
    }
    if step == last_step && !is_static && !mem::replace(&mut series.is_repeated, true) {
        let problem =
            format!("step {step} comes twice, so TensorBoard may show only one of the points");
        counters.warn_about_tag(&counters.repeated_tags, point.tag, &problem);
    }
    let Some(kind) = point.kind else {
        return;
    };
    let first_kind = *series.kind.get_or_insert(kind);
    if kind != first_kind && !mem::replace(&mut series.is_mixed, true) {
        let problem = format!(
            "it is used for {} after {}, but TensorBoard shows one kind of a tag",
            kind.name(),
            first_kind.name()
        );
        counters.warn_about_tag(&counters.mixed_tags, point.tag, &problem);
    }
}

/// The parts, the scene and the batch size of the first step of each mesh tag, because TensorBoard draws all steps with these.
#[derive(Debug)]
pub(super) struct FirstMeshes {
    /// `None` once a difference was reported.
    tags: Mutex<HashMap<String, Option<MeshForm>>>,
    counters: Arc<Counters>,
}

impl FirstMeshes {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            tags: Mutex::default(),
            counters,
        }
    }

    /// Warns if a mesh has another form than the first one of its tag: once for each tag.
    pub(super) fn check(&self, tag: String, form: MeshForm) {
        let mut tags = lock(&self.tags);
        let Some(first) = tags.get_mut(&tag) else {
            tags.insert(tag, Some(form));
            return;
        };
        if first.as_ref().is_none_or(|first| *first == form) {
            return;
        }
        *first = None;
        drop(tags);
        let problem = "its mesh has other parts, another scene or another batch size than at the first step, but TensorBoard \
                       draws all steps with those of the first";
        let counters = &self.counters;
        counters.warn_about_tag(&counters.changed_meshes, tag.as_bytes(), problem);
    }
}

/// The most clips that a step of each audio tag has had.
///
/// The dashboard has a card for each clip of the step with the most clips. If another step has exactly as many clips as are
/// before that one, the request fails (HTTP 500, an index out of range), and the card stays empty at all steps.
#[derive(Debug)]
pub(super) struct ClipCounts {
    tags: Mutex<HashMap<String, MostClips>>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct MostClips {
    count: usize,
    is_reported: bool,
}

impl ClipCounts {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            tags: Mutex::default(),
            counters,
        }
    }

    /// Pads the clips of a step with empty clips, up to the most clips of an earlier step. A step with more clips than that
    /// is counted, because the earlier steps cannot be changed, and the first one of each tag is reported.
    pub(super) fn pad(&self, tag: String, clips: &mut Vec<Audio>) {
        let count = clips.len();
        let mut tags = lock(&self.tags);
        let Some(most) = tags.get_mut(&tag) else {
            let is_reported = false;
            tags.insert(tag, MostClips { count, is_reported });
            return;
        };
        let before = most.count;
        if count <= before {
            clips.resize_with(before, Audio::empty);
            return;
        }
        most.count = count;
        let is_first = !mem::replace(&mut most.is_reported, true);
        drop(tags);
        self.counters.uneven_audios.fetch_add(1, Ordering::Relaxed);
        if is_first {
            self.counters.reporter.warn(format_args!(
                "audio {tag:?} has {count} clips at a step, but {before} at an earlier one: TensorBoard will fail to show \
                 clip {}",
                before + 1
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event;
    use crate::proto::event::What;
    use crate::proto::{Event, Summary};
    use crate::writer::Stats;

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

    fn point(tag: &[u8], step: i64, kind: Option<PluginKind>) -> Point<'_> {
        Point {
            tag,
            step,
            wall_time: 1.5,
            kind,
        }
    }

    /// Tags that go back, repeat a step, have two kinds.
    fn counts(warnings: &SeriesWarnings) -> [u64; 3] {
        let stats = warnings.counters.add_to(Stats::default());
        [
            stats.backward_tag_count,
            stats.repeated_tag_count,
            stats.mixed_tag_count,
        ]
    }

    #[test]
    fn tags_whose_step_goes_back_or_repeats_are_counted_once() {
        let mut warnings = SeriesWarnings::new(Arc::default());
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
            warnings.check(&frames(&[(tag, step)]));
            assert_eq!(counts(&warnings), want, "{tag:?} at {step}");
        }
    }

    #[test]
    fn tags_of_two_kinds_are_counted_once() {
        let mut warnings = SeriesWarnings::new(Arc::default());
        // Only the first value of a tag has to name its plugin, but a later one may.
        for (step, (tag, kind, want)) in (0..).zip([
            ("a", Some(PluginKind::Scalars), 0),
            ("a", None, 0),
            ("a", Some(PluginKind::Scalars), 0),
            ("a", Some(PluginKind::Text), 1),
            ("a", Some(PluginKind::Images), 1),
            ("b", None, 1),
            ("b", Some(PluginKind::Other), 1),
            ("b", Some(PluginKind::Other), 1),
            ("b", Some(PluginKind::Mesh), 2),
        ]) {
            warnings.check_point(&point(tag.as_bytes(), step, kind));
            assert_eq!(counts(&warnings), [0, 0, want], "{step}");
        }
    }

    #[test]
    fn static_tags_may_repeat_a_step() {
        let mut warnings = SeriesWarnings::new(Arc::default());
        for kind in [PluginKind::CustomScalars, PluginKind::HParams] {
            for step in [1, 1, 0] {
                warnings.check_point(&point(kind.name().as_bytes(), step, Some(kind)));
            }
        }
        assert_eq!(counts(&warnings), [0, 0, 0]);
    }

    #[test]
    fn tags_with_a_wall_time_in_milliseconds_are_counted_once() {
        let mut warnings = SeriesWarnings::new(Arc::default());
        // 1 January 2026 in seconds, milliseconds and nanoseconds, and 1 January 1980 in milliseconds.
        for (step, (tag, wall_time, want)) in (0..).zip([
            ("a", 1_767_225_600.0, 0),
            ("a", 1_767_225_600_000.0, 1),
            ("a", 1_767_225_600_000.0, 1),
            ("b", 1_767_225_600_000_000_000.0, 2),
            ("b", 1_767_225_600_000_000_000.0, 2),
            ("c", 315_532_800_000.0, 3),
            ("d", 0.0, 3),
            ("d", -1e18, 3),
        ]) {
            warnings.check_point(&Point {
                wall_time,
                ..point(tag.as_bytes(), step, Some(PluginKind::Scalars))
            });
            let stats = warnings.counters.add_to(Stats::default());
            assert_eq!(stats.late_tag_count, want, "{tag} at {step}");
            assert_eq!(counts(&warnings), [0, 0, 0]);
        }
    }

    #[test]
    fn tags_that_the_fast_loader_cannot_serve_are_counted_once() {
        use PluginKind::{Audio, Graphs, Images, Mesh, RunMetadata, Scalars};
        let kinds = [Scalars, Images, Audio, Mesh, Graphs, RunMetadata];
        // Which of these kinds are blobs: images, audio, graphs and run metadata.
        for (dir, tag, want) in [
            ("runs/a b", "tag", 0),
            ("runs/a b", "größer 'than' <b>#?%&\x7f\u{85}", 0),
            ("runs/a b", "a\"b", 4),
            ("runs/a b", "a\\b", 4),
            ("runs/a b", "a\tb", 4),
            ("runs/a\nb", "tag", 4),
            ("runs/\"a\"/b", "tag", 4),
        ] {
            let dir = Path::new(dir);
            let mut warnings = SeriesWarnings::new(Arc::default()).in_dir(dir);
            for (i, kind) in kinds.into_iter().enumerate() {
                for step in 0..2 {
                    let tag = format!("{tag}/{i}");
                    warnings.check_point(&point(tag.as_bytes(), step, Some(kind)));
                }
            }
            let stats = warnings.counters.add_to(Stats::default());
            assert_eq!(stats.unservable_tag_count, want, "{dir:?}, {tag:?}");
        }
    }

    #[test]
    fn no_more_than_a_million_tags_are_checked() {
        let mut warnings = SeriesWarnings::new(Arc::default());
        for number in 0..MAX_TAGS + 10 {
            for step in [1, 1] {
                let tag = number.to_le_bytes();
                warnings.check_point(&point(&tag, step, Some(PluginKind::Scalars)));
            }
        }
        assert_eq!(warnings.series.len(), MAX_TAGS);
        assert_eq!(counts(&warnings), [0, MAX_TAGS as u64, 0]);
        // A slot has an entry and a byte of the map's own.
        let slots = warnings.series.capacity() / 7 * 8;
        let bytes = slots * (size_of::<(u64, Series)>() + 1);
        assert!(bytes <= 50 << 20, "{bytes}");
    }

    #[test]
    fn mesh_tags_that_change_their_form_are_counted_once() {
        use crate::Mesh;
        use crate::mesh::{Material, Scene};
        let counters = Arc::<Counters>::default();
        let first_meshes = FirstMeshes::new(Arc::clone(&counters));
        let points = |count| Mesh::new(&vec![[0.5; 3]; count]).unwrap();
        let unlit = Scene::new().material(Material::unlit()).unwrap();
        for (tag, mesh, want) in [
            ("a", points(3), 0),
            ("a", points(4), 0), // the number of vertices may change
            ("a", points(3).scene(&unlit), 1),
            ("a", points(3), 1),
            ("a", points(3).colors(&[[0; 3]; 3]).unwrap(), 1),
            ("b", points(3).scene(&unlit), 1),
            ("b", points(3).scene(&unlit).faces(&[[0, 1, 2]]).unwrap(), 2),
            ("c", points(3).colors(&[[0; 3]; 3]).unwrap(), 2),
            ("c", points(3), 3),
            ("d", points(3), 3),
            ("d", Mesh::batch([points(3), points(3)]).unwrap(), 4),
        ] {
            first_meshes.check(tag.into(), mesh.form());
            let stats = counters.add_to(Stats::default());
            assert_eq!(stats.changed_mesh_count, want, "{tag}");
        }
    }

    #[test]
    fn a_step_is_padded_to_the_most_clips_of_an_earlier_step() {
        let counters = Arc::<Counters>::default();
        let clip_counts = ClipCounts::new(Arc::clone(&counters));
        let clip = Audio::mono_i16(8_000, [1]).unwrap();
        // Tag, clips given, clips after padding, steps with more clips than an earlier one.
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
            clip_counts.pad(tag.into(), &mut clips);
            assert_eq!(clips.len(), want, "{tag} with {given}");
            let (logged, padding) = clips.split_at(given);
            assert!(logged.iter().all(|logged| *logged == clip));
            assert!(padding.iter().all(|padding| *padding == Audio::empty()));
            assert_eq!(
                counters.add_to(Stats::default()).uneven_audio_count,
                uneven_count
            );
        }
    }
}
