//! The counts of a writer: the public [`Stats`], and the counters for calls that succeed although TensorBoard may not show
//! what they log.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use portable_atomic::AtomicU64;

use crate::error::Error;
use crate::report::Reporter;

/// The warnings about tags that are logged for a run. Later ones are only counted.
const MAX_TAG_WARNINGS: u64 = 100;

/// The work of a writer so far, returned by [`SummaryWriter::stats`](crate::SummaryWriter::stats).
///
/// Record counts leave out the version record that opens a file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Records that were put into the queue.
    pub accepted_count: u64,
    /// Accepted records that the operating system has. Once the writer is closed, the other accepted records are lost, or were
    /// rejected because they could not be encoded.
    pub flushed_count: u64,
    /// Bytes that wait for the operating system.
    pub pending_bytes: u64,
    /// Records that were rejected: because `max_pending_bytes` were waiting, or because the record is longer than any reader
    /// accepts. An image or an audio clip is encoded after it was accepted. If that fails, it counts as accepted and rejected.
    pub rejected_count: u64,
    /// Calls that came after the writer was closed, or from a fork of its process after the fork was noticed. A fork is
    /// noticed by the first call that finds the writer idle or returns a result, at the latest after 256 KiB of records.
    pub ignored_count: u64,
    /// Steps out of the range of `i64`, which were written as the nearest `i64`.
    pub saturated_step_count: u64,
    /// Wall times that were not finite, which were replaced by the time of the call.
    pub replaced_wall_time_count: u64,
    /// Meshes that stock TensorBoard may fail to show, because a face uses a vertex beyond the first 65,535, or because there
    /// are more than 2.5 MiB of vertices, faces or colours. They are written nevertheless.
    pub oversized_mesh_count: u64,
    /// Images of floats whose samples are all NaN, or reach far above 1, which is white. They are written nevertheless.
    pub doubtful_image_count: u64,
    /// Tensors that stock TensorBoard does not show, because the dashboard of their [`Metadata`](crate::tensor::Metadata) needs
    /// another type, shape or data class, or text in UTF-8. They are written nevertheless.
    pub unfit_tensor_count: u64,
    /// Steps of an audio tag that have more clips than an earlier step of the tag. TensorBoard fails to show some of these
    /// clips. They are written nevertheless.
    pub uneven_audio_count: u64,
    /// Graphs after the first of a run, which are not written.
    pub rejected_graph_count: u64,
    /// Tags with a step below the one before it. TensorBoard may drop the points that it has from that step on.
    ///
    /// The counts of tags are updated when records are written, except that of meshes. They cover the first million tags of a
    /// run.
    pub backward_tag_count: u64,
    /// Tags that repeat a step. TensorBoard may show one of the two points.
    pub repeated_tag_count: u64,
    /// Tags that were used for two kinds of data. TensorBoard shows one kind for each tag.
    pub mixed_tag_count: u64,
    /// Tags of images, audio, graphs and run metadata that TensorBoard's fast loader cannot serve, because the tag or the path
    /// of the run directory has `"`, `\` or a control character.
    pub unservable_tag_count: u64,
    /// Tags with a wall time after the year 9999, which is most likely in milliseconds instead of seconds.
    pub late_tag_count: u64,
    /// Mesh tags with a step whose parts, scene or batch size differ from those of the first step. TensorBoard draws all steps
    /// with those of the first.
    pub changed_mesh_count: u64,
    /// Event files of other writers that appeared or grew in the run directory while this writer wrote there. Stock TensorBoard
    /// does not show the points of all of them. The writer looks for them after the first written batch, the second, the fourth
    /// and so on, and when it is closed. It checks whether older files grow, but only the 100 that sort last.
    pub other_writer_count: u64,
    /// Uploads to an object store. Each one replaces the newest object of the run by a longer one, or creates the next. The run
    /// directories on a disk have none.
    pub upload_count: u64,
    /// The bytes of these uploads. They are more than the bytes of the records, because a store cannot append.
    pub uploaded_bytes: u64,
    /// Uploads that failed, and were or will be tried again.
    pub upload_retry_count: u64,
    /// Why the last attempt to write failed; `None` after a success. With
    /// [`SyncPolicy::EachFlush`](crate::SyncPolicy::EachFlush), also why a sync failed, until the file is closed or replaced.
    pub failure: Option<Error>,
}

/// Counts calls that succeed with a warning. All threads of a run share it.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) reporter: Reporter,
    saturated_steps: AtomicU64,
    replaced_wall_times: AtomicU64,
    oversized_meshes: AtomicU64,
    pub(super) doubtful_images: AtomicU64,
    pub(super) unfit_tensors: AtomicU64,
    graphs: AtomicU64,
    /// An earlier writer of the run has logged its graph.
    has_resumed_graph: AtomicBool,
    pub(super) uneven_audios: AtomicU64,
    pub(super) backward_tags: AtomicU64,
    pub(super) repeated_tags: AtomicU64,
    pub(super) mixed_tags: AtomicU64,
    pub(super) unservable_tags: AtomicU64,
    pub(super) late_tags: AtomicU64,
    pub(super) changed_meshes: AtomicU64,
    tag_warnings: AtomicU64,
    /// The tags that [`warn_once_about_tag`](Self::warn_once_about_tag) has reported.
    reported_tags: Mutex<HashSet<String>>,
    other_writers: AtomicU64,
    pub(super) uploads: AtomicU64,
    pub(super) uploaded_bytes: AtomicU64,
    pub(super) upload_retries: AtomicU64,
    is_move_reported: AtomicBool,
}

impl Counters {
    pub(super) fn new(reporter: Reporter) -> Self {
        Self {
            reporter,
            ..Self::default()
        }
    }

    pub(super) fn count_saturated_step(&self, tag: &str) {
        self.count(
            &self.saturated_steps,
            &format!(
                "tag {tag:?}: a step must be in the range of i64, so the nearest i64 is written"
            ),
        );
    }

    pub(super) fn count_replaced_wall_time(&self, tag: &str) {
        self.count(
            &self.replaced_wall_times,
            &format!("tag {tag:?}: a wall time must be finite, so the time of the call is written"),
        );
    }

    pub(super) fn count_oversized_mesh(&self) {
        self.count(
            &self.oversized_meshes,
            "stock TensorBoard may fail to show a mesh of this size: it draws faces of the first 65535 vertices, and serves \
             100 steps of 2.5 MiB; the mesh is written nevertheless",
        );
    }

    /// Notes that `count` event files of other writers have appeared or grown. Warns about the first one.
    pub(super) fn count_other_writers(&self, count: u64, first: Option<&str>) {
        let before = self.other_writers.fetch_max(count, Ordering::Relaxed);
        if before == 0
            && let Some(first) = first
        {
            self.reporter.warn(format_args!(
                "the directory has another writer, of {first:?}: stock TensorBoard does not show all points then; give each \
                 writer a directory of its own"
            ));
        }
    }

    /// Warns once that the open event file is not at its path any more.
    pub(super) fn warn_about_move(&self) {
        if !self.is_move_reported.swap(true, Ordering::Relaxed) {
            self.reporter.warn(
                "the directory was moved or deleted: a moved event file is still written, but runs that are opened later are \
                 created at the old path",
            );
        }
    }

    /// Notes that an earlier writer of the run has logged its graph.
    pub(super) fn continue_graph(&self) {
        self.has_resumed_graph.store(true, Ordering::Relaxed);
    }

    /// Counts a call that logs a graph. Returns `true` if the graph must be written. In a resumed run that has its graph, the
    /// first call is neither written nor counted as rejected, because a program logs its graph each time it starts.
    pub(super) fn count_graph(&self) -> bool {
        let earlier = self.graphs.fetch_add(1, Ordering::Relaxed);
        if earlier == 1 {
            self.reporter.warn(
                "a second graph of a run is not written, because the loaders would show different ones",
            );
        }
        earlier == 0 && !self.has_resumed_graph.load(Ordering::Relaxed)
    }

    /// Counts a tag that TensorBoard will not show as it was logged, and logs a warning.
    pub(super) fn warn_about_tag(&self, counter: &AtomicU64, tag: &[u8], problem: &str) {
        counter.fetch_add(1, Ordering::Relaxed);
        let warning_count = self.tag_warnings.fetch_add(1, Ordering::Relaxed) + 1;
        if warning_count <= MAX_TAG_WARNINGS {
            let tag = String::from_utf8_lossy(tag);
            self.reporter.warn(format_args!("tag {tag:?}: {problem}"));
        }
        if warning_count == MAX_TAG_WARNINGS {
            self.reporter
                .warn("later warnings about tags are only counted, in `stats()`");
        }
    }

    /// Counts a value that TensorBoard will not show as it was meant, and logs a warning for the first one of the tag.
    pub(super) fn warn_once_about_tag(&self, counter: &AtomicU64, tag: String, problem: &str) {
        // In a fork nobody may release the lock, so this does not wait for it. The next value of the tag is reported then.
        let is_first = || {
            let tags = self.reported_tags.try_lock();
            tags.is_ok_and(|mut tags| tags.insert(tag.clone()))
        };
        if self.tag_warnings.load(Ordering::Relaxed) < MAX_TAG_WARNINGS && is_first() {
            self.warn_about_tag(counter, tag.as_bytes(), problem);
        } else {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a call, and logs a warning for the first one.
    fn count(&self, counter: &AtomicU64, warning: &str) {
        if counter.fetch_add(1, Ordering::Relaxed) == 0 {
            self.reporter.warn(warning);
        }
    }

    /// Adds the counts to those of the queue.
    pub(super) fn add_to(&self, queue: Stats) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            saturated_step_count: get(&self.saturated_steps),
            replaced_wall_time_count: get(&self.replaced_wall_times),
            oversized_mesh_count: get(&self.oversized_meshes),
            doubtful_image_count: get(&self.doubtful_images),
            unfit_tensor_count: get(&self.unfit_tensors),
            uneven_audio_count: get(&self.uneven_audios),
            rejected_graph_count: get(&self.graphs).saturating_sub(1),
            backward_tag_count: get(&self.backward_tags),
            repeated_tag_count: get(&self.repeated_tags),
            mixed_tag_count: get(&self.mixed_tags),
            unservable_tag_count: get(&self.unservable_tags),
            late_tag_count: get(&self.late_tags),
            changed_mesh_count: get(&self.changed_meshes),
            other_writer_count: get(&self.other_writers),
            upload_count: get(&self.uploads),
            uploaded_bytes: get(&self.uploaded_bytes),
            upload_retry_count: get(&self.upload_retries),
            ..queue
        }
    }
}
