//! What happened behind the calls that return nothing.

use crate::error::Error;

/// What a writer has done so far, of [`SummaryWriter::stats`](crate::SummaryWriter::stats). Records are counted without
/// the one that opens a file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Records that were taken.
    pub accepted_count: u64,
    /// Of these, how many are with the operating system. Once the writer is closed, the rest is lost.
    pub flushed_count: u64,
    /// Bytes that wait for the operating system.
    pub pending_bytes: u64,
    /// Records that were refused: because `max_pending_bytes` were waiting already, or longer than any reader takes, which
    /// of an image or a sound is known only once it is encoded.
    pub refused_count: u64,
    /// Calls that came after the writer was closed, or from a fork of its process since the fork was noticed: at the first
    /// call that finds the writer idle or that wants an answer, at the latest after 256 KiB of records.
    pub ignored_count: u64,
    /// Steps beyond the range of `i64`, written as the nearest that fits.
    pub saturated_step_count: u64,
    /// Wall times that were not finite, replaced by the time of the call.
    pub replaced_wall_time_count: u64,
    /// Meshes that are larger than stock TensorBoard can be relied on to show: with faces of vertices beyond the first
    /// 65,535, or more than 2.5 MiB of vertices, faces or colours. They are written all the same.
    pub oversized_mesh_count: u64,
    /// Steps of an audio tag with more clips than an earlier step has, which TensorBoard fails to show in part. They are
    /// written all the same.
    pub uneven_audio_count: u64,
    /// Graphs beyond the first of a run, which are not written.
    pub refused_graph_count: u64,
    /// Tags with a step below the one before it. TensorBoard may drop the points that it has from there on. This and the
    /// next two are known once the records are written; they tell of the first million tags of a run.
    pub backward_tag_count: u64,
    /// Tags with the same step twice. TensorBoard may show one of the two.
    pub repeated_tag_count: u64,
    /// Tags that were used for two kinds of data. TensorBoard shows one kind of a tag.
    pub mixed_tag_count: u64,
    /// Event files of other writers that have appeared or grown in the run's directory while this one wrote there, of which
    /// stock TensorBoard shows one at a time. It is looked for after the first batch that is written, the second, the
    /// fourth and so on, and when the writer is closed.
    pub other_writer_count: u64,
    /// Why the last attempt to write failed; `None` while all is well.
    pub failure: Option<Error>,
}
