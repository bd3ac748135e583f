//! The methods that log: one for each kind of data.

use prost::Message;

use super::SummaryWriter;
use super::frame::first_tag;
use super::options::SyncPolicy;
use super::run::Place;
use crate::embedding::{self, Embedding};
#[cfg(feature = "png")]
use crate::error::Error;
use crate::error::Result;
use crate::event::{self, Step};
use crate::graph::{Graph, Model, RunMetadata};
use crate::proto::event::What;
use crate::proto::hparams::Status as SessionStatus;
use crate::proto::{self, TaggedRunMetadata};
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::{
    self, Audio, Experiment, HParams, Histogram, Layout, Mesh, Metadata, PrCurve, Scalar, Tag,
    Tensor,
};

/// Logging. There is a method for each kind of data.
impl SummaryWriter {
    /// Logs a number: a point of a curve.
    ///
    /// `value` is any primitive number or a `bool`. It keeps 24 bits of precision, as in stock TensorBoard. NaN and infinities
    /// are shown as such. `step` is any integer. It should rise from call to call of one tag. If a step comes again, one of
    /// TensorBoard's loaders drops the points that it has from that step on.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// for step in 0..10 {
    ///     summary.scalar("loss", 0.9f32.powi(step), step);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_scalar")]
    #[inline]
    pub fn scalar<'a>(&self, tag: impl Into<Tag<'a>>, value: impl Scalar, step: impl Step) {
        let tag = tag.into();
        if tag.is_plain() {
            self.log_plain_scalar(&tag.name, value.to_f32(), step.to_i64());
        } else {
            self.log_value(step, || {
                summary::described_scalar(self.prefix(), &tag, value.to_f32())
            });
        }
    }

    /// Logs several numbers of one step in one record. It is smaller than one record for each, and a reader sees all of the
    /// numbers or none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// summary.scalars(7, [("loss", 0.25), ("accuracy", 0.9)]);
    ///
    /// let metrics = std::collections::HashMap::from([("loss", 0.25f32), ("accuracy", 0.9)]);
    /// summary.scalars(8, &metrics);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scalars<'a, T, V>(&self, step: impl Step, values: impl IntoIterator<Item = (T, V)>)
    where
        T: Into<Tag<'a>>,
        V: Scalar,
    {
        self.log_values(step, |buffer| {
            for (tag, value) in values {
                let tag = tag.into();
                if tag.is_plain() {
                    event::put_simple_value(buffer, self.prefix(), &tag.name, value.to_f32());
                } else {
                    let value = summary::described_scalar(self.prefix(), &tag, value.to_f32());
                    event::append_value(buffer, &value);
                }
            }
        });
    }

    /// Logs one tag to several child runs, so that TensorBoard draws their curves into one chart. It opens each run that is not
    /// open, as [`run`](Self::run) does.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// for epoch in 0..10 {
    ///     let (loss, validation_loss) = (0.9f64.powi(epoch), 0.95f64.powi(epoch));
    ///     summary.scalar_in_runs("loss", [("train", loss), ("validation", validation_loss)], epoch)?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`run`](Self::run). Then nothing is logged.
    #[doc(alias = "add_scalars")]
    pub fn scalar_in_runs<'a, R, V>(
        &self,
        tag: impl Into<Tag<'a>>,
        values: impl IntoIterator<Item = (R, V)>,
        step: impl Step,
    ) -> Result<()>
    where
        R: AsRef<str>,
        V: Scalar,
    {
        if !self.is_recording(step) {
            return Ok(());
        }
        let opened = values
            .into_iter()
            .map(|(run, value)| Ok((self.run(run)?, value)))
            .collect::<Result<Vec<_>>>()?;
        let tag = tag.into();
        for (run, value) in opened {
            run.scalar(&tag, value, step);
        }
        Ok(())
    }

    /// Logs the distribution of numbers: a slice, an array or a `Vec` of any primitive number, or a [`Histogram`].
    ///
    /// The values are counted before the call returns, in 30 buckets of equal width between the lowest and the highest value.
    /// NaN and infinities are left out. If there are any, a scalar `<tag>/non_finite` of the same step has their number, so
    /// that a divergence is visible.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// let mut weights = vec![0.5f32, -0.25, 0.125];
    /// for step in 0..10 {
    ///     weights.iter_mut().for_each(|weight| *weight *= 0.9);
    ///     summary.histogram("weights", &weights, step);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_histogram")]
    pub fn histogram<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        values: impl Into<Histogram>,
        step: impl Step,
    ) {
        self.log_values(step, |buffer| {
            let (tag, histogram) = (tag.into(), values.into());
            let value = summary::histogram(self.prefix(), &tag, &histogram);
            event::append_value(buffer, &value);
            if let Some(count) = summary::non_finite(self.prefix(), &tag, &histogram) {
                event::append_value(buffer, &count);
            }
        });
    }

    /// Logs an image. The call copies the pixels, and a second thread of the writer compresses them. So an image may reach the
    /// file after records of other tags that were logged later. Until it is compressed, its pixels count for
    /// [`max_pending_bytes`](crate::WriterOptions::max_pending_bytes). Needs the feature `png`, which is a default.
    ///
    /// ```
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let digit = Image::gray8(28, 28, [0; 28 * 28])?;
    /// summary.image("input", digit, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// With the feature `image`, this also takes an image of the crate [`image`](https://docs.rs/image) or a reference to one:
    /// `summary.image("photo", &dynamic_image, 0)`. An image whose width or height is 0 is not logged. It is reported, and
    /// counted in [`Stats::rejected_count`](crate::Stats::rejected_count).
    #[doc(alias = "add_image")]
    #[doc(alias = "add_figure")]
    #[doc(alias = "add_image_with_boxes")]
    #[doc(alias = "add_video")]
    #[cfg(feature = "png")]
    pub fn image<'a>(&self, tag: impl Into<Tag<'a>>, image: impl Into<Image>, step: impl Step) {
        if self.is_recording(step) {
            self.push_images(tag.into(), [image.into()], step);
        }
    }

    /// Logs several images of one step, like [`image`](Self::image). The dashboard shows one of them and a slider for the
    /// others. Without an image, nothing is logged. Needs the feature `png`, which is a default.
    #[doc(alias = "add_images")]
    #[cfg(feature = "png")]
    pub fn images<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        images: impl IntoIterator<Item = impl Into<Image>>,
        step: impl Step,
    ) {
        if !self.is_recording(step) {
            return;
        }
        let images: Vec<Image> = images.into_iter().map(Into::into).collect();
        if !images.is_empty() {
            self.push_images(tag.into(), images, step);
        }
    }

    /// Pushes images of a step that is recorded.
    #[cfg(feature = "png")]
    fn push_images(
        &self,
        tag: Tag<'_>,
        images: impl AsRef<[Image]> + Send + 'static,
        step: impl Step,
    ) {
        let list = images.as_ref();
        let (tag, prefix) = (tag.into_owned(), self.prefix.clone());
        if let Some(warning) = list.iter().find_map(Image::warning) {
            let counters = &self.run.counters;
            let tag = [self.prefix(), &tag.name].concat();
            counters.warn_once_about_tag(
                &counters.doubtful_images,
                tag,
                &format!("image: {warning}"),
            );
        }
        let bytes = list.iter().map(Image::bytes).sum();
        let name = || [self.prefix(), &tag.name].concat();
        self.count_invalid_wall_time(name);
        let step = self.saturated(step.to_i64(), name);
        self.push_deferred(step, bytes, move |buffer| {
            let prefix = prefix.as_deref().unwrap_or_default();
            let value = summary::images(prefix, &tag, images.as_ref())
                .map_err(|error| with_tag(error, &[prefix, &tag.name].concat()))?;
            event::append_value(buffer, &value);
            Ok(())
        });
    }

    /// Logs Markdown: headings, tables, code, links and pictures. HTML in it is shown as text.
    /// [`Text::table`](crate::Text::table) makes a table, and [`Text::preformatted`](crate::Text::preformatted) shows a text as
    /// it is, with its line breaks.
    #[doc(alias = "add_text")]
    pub fn text<'a>(&self, tag: impl Into<Tag<'a>>, markdown: impl AsRef<str>, step: impl Step) {
        self.log_value(step, || {
            summary::text(self.prefix(), &tag.into(), markdown.as_ref())
        });
    }

    /// Logs an audio clip. A second thread of the writer encodes it, as for images. Until then its
    /// samples count for [`max_pending_bytes`](crate::WriterOptions::max_pending_bytes).
    ///
    /// The dashboard has a player for the clip and a slider for the steps. It shows no label for a clip. The
    /// [description](Tag::description) of the tag is shown by a click on an icon. To show a label for each step, such as a
    /// transcript, log a [`text`](Self::text) at the same steps.
    ///
    /// ```
    /// use summary_writer::{Audio, Tag};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let tag = Tag::new("speech/sample").description("*validation*, sentence 17");
    /// summary.audio(&tag, Audio::mono_f32(16_000, [0.0; 16_000])?, 0);
    /// summary.text("speech/transcript", "it was", 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_audio")]
    pub fn audio<'a>(&self, tag: impl Into<Tag<'a>>, audio: Audio, step: impl Step) {
        self.audios(tag, [audio], step);
    }

    /// Logs several audio clips of one step, like [`audio`](Self::audio). The dashboard has a player for each. Without a clip,
    /// nothing is logged.
    ///
    /// Give all steps of a tag the same number of clips. If a step has fewer clips than another step, the dashboard shows an
    /// error for the first missing clip. So a step with fewer clips than an earlier step of this writer is padded with empty
    /// clips of 0 seconds. Earlier steps cannot be padded. So a step with more clips is written as it is, counted in
    /// [`uneven_audio_count`](crate::Stats::uneven_audio_count), and reported once for each tag. If the number varies, give
    /// each clip a tag of its own: `speech/0`, `speech/1`.
    pub fn audios<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        clips: impl IntoIterator<Item = Audio>,
        step: impl Step,
    ) {
        if !self.is_recording(step) {
            return;
        }
        let mut clips: Vec<Audio> = clips.into_iter().collect();
        if clips.is_empty() {
            return;
        }
        let (tag, prefix) = (tag.into().into_owned(), self.prefix.clone());
        // In a fork, the lock of the counts may never be released.
        if !self.run.queue.is_forked() {
            let name = [self.prefix(), &tag.name].concat();
            self.run.clip_counts.pad(name, &mut clips);
        }
        let bytes = clips.iter().map(Audio::bytes).sum();
        let name = || [self.prefix(), &tag.name].concat();
        self.count_invalid_wall_time(name);
        let step = self.saturated(step.to_i64(), name);
        self.push_deferred(step, bytes, move |buffer| {
            let prefix = prefix.as_deref().unwrap_or_default();
            let value = summary::audios(prefix, &tag, clips)?;
            event::append_value(buffer, &value);
            Ok(())
        });
    }

    /// Logs a precision-recall curve. The dashboard has a slider for the steps.
    #[doc(alias = "add_pr_curve")]
    pub fn pr_curve<'a>(&self, tag: impl Into<Tag<'a>>, curve: PrCurve, step: impl Step) {
        self.log_value(step, || {
            summary::pr_curve(self.prefix(), &tag.into(), curve)
        });
    }

    /// Logs the hyperparameters that a training starts with, and makes the run a *session*: a row in the table of
    /// hyperparameters. The metrics of the row are the scalars of the run and of the runs below it, each with its last value.
    ///
    /// Give each training a run of its own, and call this once, because the dashboard keeps the first hyperparameters of a run.
    /// The prefix of a [`scope`](Self::scope) is not used.
    ///
    /// The session starts now and ends when the writer is closed: with failure if a panic dropped the last handle, otherwise
    /// with success. [`session_end`](Self::session_end) logs another end. A session without an end, for example of a program
    /// that was killed, is shown with unknown status.
    ///
    /// Start TensorBoard with a directory above the run. If the run is the logdir itself, which TensorBoard calls `.`, the
    /// dashboard shows a metric only if an [`Experiment`] lists it, or if a run below has it, too.
    ///
    /// ```
    /// use summary_writer::HParams;
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    ///
    /// let summary = summary_writer::SummaryWriter::create_file_writer(logdir)?;
    /// for lr in [1e-2, 1e-3] {
    ///     let trial = summary.run(format!("lr {lr}"))?;
    ///     trial.hparams(HParams::new().set("lr", lr).set("optimizer", "adam"));
    ///     for step in 0..100 {
    ///         trial.scalar("loss", 0.9f64.powi(step), step);
    ///     }
    ///     trial.close()?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_hparams")]
    #[doc(alias = "KerasCallback")]
    pub fn hparams(&self, hparams: HParams) {
        let now = self.now();
        self.at_time(now).log_value(0, || {
            self.run.session.start(&self.run.queue.reporter);
            summary::session_start(hparams, now.as_secs())
        });
    }

    /// Logs the columns of the table of hyperparameters, for all runs of the logdir. Call it once, in any run, best in the run
    /// of the logdir itself.
    ///
    /// Without this call, the table has a column for each hyperparameter and each metric of a session. With it, the table
    /// has only the listed ones.
    ///
    /// ```
    /// use summary_writer::hparams::{Experiment, HParamInfo, MetricInfo};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let experiment = Experiment::new()
    ///     .hparam(HParamInfo::new("lr")?.interval(1e-5, 1e-1)?.display_name("learning rate"))
    ///     .metric(MetricInfo::new("loss")?.group("validation"));
    /// summary.hparams_experiment(experiment);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "hparams_config")]
    pub fn hparams_experiment(&self, experiment: Experiment) {
        self.log_value(0, || summary::hparams_experiment(experiment));
    }

    /// Ends the session of [`hparams`](Self::hparams) now, for example with the status of a training that failed without a
    /// panic. The dashboard keeps the first end of a run.
    ///
    /// ```
    /// use summary_writer::hparams::SessionStatus;
    /// use summary_writer::HParams;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// summary.hparams(HParams::new().set("lr", 10.0));
    /// let loss = f64::NAN;
    /// summary.session_end(if loss.is_finite() { SessionStatus::Success } else { SessionStatus::Failure });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn session_end(&self, status: SessionStatus) {
        let now = self.now();
        self.at_time(now).log_value(0, || {
            self.run.session.end();
            summary::session_end(status, now.as_secs())
        });
    }

    /// Logs the graph of a model, at step 0. Log one graph in a run, because with two graphs, the two loaders of TensorBoard
    /// disagree on which one they show. Later calls log nothing and are counted in
    /// [`Stats::rejected_graph_count`](crate::Stats::rejected_graph_count). If a [resumed](crate::WriterOptions::resume) run
    /// has a graph, the first call logs nothing either.
    ///
    /// ```
    /// use summary_writer::graph::{GraphBuilder, Op};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let mut graph = GraphBuilder::new();
    /// let pixels = graph.node("pixels", Op::new("Placeholder").output_shape([None, Some(784)]));
    /// graph.node("hidden", Op::new("Dense").input(&pixels).output_shape([None, Some(128)]));
    /// summary.graph(&graph.build()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_graph")]
    pub fn graph(&self, graph: &Graph) {
        if self.is_recording(0) && self.run.counters.count_graph() {
            self.push_graph(graph);
        }
    }

    /// Logs a model of layers as the [graph](Self::graph) of the run, and as its conceptual graph. The tag of the conceptual
    /// graph is `keras` in the current [`scope`](Self::scope).
    #[doc(alias = "set_model")]
    pub fn model(&self, model: &Model) {
        if self.is_recording(0) && self.run.counters.count_graph() {
            let handle = self.at_time(self.now());
            handle.push_graph(&model.graph);
            handle.push_values(Ok(0), |buffer| event::append_value(buffer, &model.keras));
        }
    }

    /// Logs the time and memory that the nodes of the run's graph used in a step. The dashboard lists tags, not steps, so give
    /// each step a tag of its own to see them all. Description and display name of a tag are not shown.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use summary_writer::graph::{NodeStats, RunMetadata};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let hidden = NodeStats::new("hidden").device("GPU:0").duration(Duration::from_micros(250)).memory(64 << 10);
    /// summary.run_metadata("step 100", &RunMetadata::new().node(hidden), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_run_metadata")]
    #[doc(alias = "trace_export")]
    pub fn run_metadata<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        metadata: &RunMetadata,
        step: impl Step,
    ) {
        if !self.is_recording(step) {
            return;
        }
        let tag = [self.prefix(), &tag.into().name].concat();
        self.push_event(&proto::Event {
            wall_time: self.now().as_secs(),
            step: self.saturated(step.to_i64(), || tag.clone()),
            what: Some(What::TaggedRunMetadata(TaggedRunMetadata {
                tag,
                run_metadata: metadata.to_bytes(),
            })),
            ..Default::default()
        });
    }

    /// Logs triangles or points in space, or a batch of them, in one record. The dashboard has a slider for the steps.
    ///
    /// The parts of the mesh get the tag with `_VERTEX`, `_FACE` or `_COLOR` appended. The dashboard shows the tag itself.
    ///
    /// ```
    /// use summary_writer::Mesh;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let vertices = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    /// let faces = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];
    /// let colors = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]];
    /// summary.mesh("tetrahedron", Mesh::new(&vertices)?.faces(&faces)?.colors(&colors)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_mesh")]
    pub fn mesh<'a>(&self, tag: impl Into<Tag<'a>>, mesh: Mesh, step: impl Step) {
        self.log_values(step, |buffer| {
            if mesh.is_oversized() {
                self.run.counters.count_oversized_mesh();
            }
            let tag = tag.into();
            // In a fork, the lock of the first meshes may never be released.
            if !self.run.queue.is_forked() {
                let name = [self.prefix(), &tag.name].concat();
                self.run.first_meshes.check(name, mesh.form());
            }
            for value in summary::mesh(self.prefix(), &tag, mesh) {
                event::append_value(buffer, &value);
            }
        });
    }

    /// Logs the layout of the custom scalars dashboard. The dashboard uses the last layout of each run, and joins the layouts
    /// of all runs.
    ///
    /// The prefix of a [`scope`](Self::scope) is not used: the layout may draw scalars of all scopes, so it has whole tags.
    ///
    /// ```
    /// use summary_writer::custom_scalars::{Category, Layout, Margin};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let training = Category::new("training")?
    ///     .multiline("loss", ["loss/.*"])?
    ///     .margin("accuracy", [Margin::new("accuracy/mean", "accuracy/lower", "accuracy/upper")])?;
    /// summary.custom_scalars(Layout::new().category(training));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_custom_scalars")]
    #[doc(alias = "add_custom_scalars_marginchart")]
    #[doc(alias = "add_custom_scalars_multilinechart")]
    pub fn custom_scalars(&self, layout: Layout) {
        self.log_value(0, || summary::custom_scalars(&layout));
    }

    /// Writes points for the projector into files next to the event file. The call writes the files itself, so the operating
    /// system has them when it returns. That takes a fraction of a second for a million numbers. The writers of a process take
    /// turns.
    ///
    /// The dashboard lists the points by run, tag and step. A later call with the same tag and step replaces the points. Points
    /// of other tags and steps stay, also those of other writers and of earlier programs. After a failure or a crash, the old
    /// points are still there. If two processes write to one run at the same moment, an entry of one of them may be lost, so
    /// give each a run of its own. The time of [`at`](Self::at) is not used.
    ///
    /// A running TensorBoard looks for new points only when a run appears or disappears, so restart it to see them. Its page
    /// cannot open runs whose names have one of `#%&+`, because it does not escape them in its requests. In tags, these
    /// characters are replaced by others that look similar.
    ///
    /// ```
    /// use summary_writer::Embedding;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let words = [("king", [0.9, 0.1, 0.4]), ("queen", [0.8, 0.2, 0.5])];
    /// for epoch in 0..2 {
    ///     let vectors = words.map(|(_, vector)| vector);
    ///     let embedding = Embedding::from_rows("words", vectors)?.labels(words.map(|(word, _)| word))?;
    ///     summary.embedding(embedding, epoch)?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if a file cannot be written, or if an existing `projector_config.pbtxt` cannot be read.
    /// [`Error::Invalid`](crate::Error::Invalid) if this writer writes to a stream.
    /// [`Error::Closed`](crate::Error::Closed) if it is closed.
    #[doc(alias = "add_embedding")]
    pub fn embedding(&self, embedding: Embedding, step: impl Step) -> Result<()> {
        if !self.is_recording(step) {
            return Ok(());
        }
        let step = self.saturated(step.to_i64(), || embedding.full_tag(self.prefix()));
        let is_synced = self.run.options.sync != SyncPolicy::Never;
        match self.run.require_open_place("embedding")? {
            Place::Local(dir) => embedding::write(dir, self.prefix(), &embedding, step, is_synced),
            #[cfg(feature = "object-store")]
            Place::Store(dir) => embedding::write_to_store(dir, self.prefix(), &embedding, step),
        }
    }

    /// Logs a tensor for a dashboard that has no method here. Description and display name of the tag go into the metadata.
    ///
    /// If TensorBoard would not show the tensor on the page of a stock plugin, because the page needs another type, shape or data
    /// class, the tensor is written nevertheless, counted in [`unfit_tensor_count`](crate::Stats::unfit_tensor_count), and
    /// reported once for each tag.
    ///
    /// ```
    /// use summary_writer::tensor::Metadata;
    /// use summary_writer::Tensor;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// // The text dashboard shows strings of rank 2 as a table.
    /// let table = Tensor::strings([2, 2], ["optimizer", "Adam", "batch", "32"])?;
    /// summary.tensor("settings", table, Metadata::new("text"), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "add_tensor")]
    #[doc(alias = "write")]
    pub fn tensor<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        tensor: Tensor,
        metadata: Metadata,
        step: impl Step,
    ) {
        self.log_value(step, || {
            let tag = tag.into();
            if let Err(problem) = metadata.check(&tensor) {
                let counters = &self.run.counters;
                let tag = [self.prefix(), &tag.name].concat();
                counters.warn_once_about_tag(&counters.unfit_tensors, tag, &problem);
            }
            summary::plugin_tensor(self.prefix(), &tag, tensor, metadata)
        });
    }

    /// Logs an event as it is, for data that has no method here.
    ///
    /// The wall time is that of [`at`](Self::at) if this handle has one, otherwise that of the event. If the event's time is 0 or
    /// not finite, the time of the call replaces it. The prefix of a [`scope`](Self::scope) is not used.
    #[doc(alias = "add_event")]
    #[doc(alias = "add_summary")]
    #[doc(alias = "write_raw_pb")]
    pub fn event(&self, mut event: proto::Event) {
        if !self.is_recording(event.step) {
            return;
        }
        if !event.wall_time.is_finite() {
            let tag = first_tag(&event.encode_to_vec());
            self.run.counters.count_replaced_wall_time(&tag);
            event.wall_time = 0.0;
        }
        if event.wall_time == 0.0 || self.wall_time.is_some() {
            event.wall_time = self.now().as_secs();
        }
        self.push_event(&event);
    }

    fn push_graph(&self, graph: &Graph) {
        self.push_event(&proto::Event {
            wall_time: self.now().as_secs(),
            what: Some(What::GraphDef(graph.to_graph_def())),
            ..Default::default()
        });
    }
}

/// Adds the tag to an error about an image.
#[cfg(feature = "png")]
fn with_tag(error: Error, tag: &str) -> Error {
    match error {
        Error::Invalid { what, problem } => Error::invalid(what, format!("tag {tag:?}: {problem}")),
        other => other,
    }
}
