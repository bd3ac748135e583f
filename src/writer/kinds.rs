//! One method for each kind of data: the caller's arguments to the values of one event.

use std::sync::Arc;

use super::{Run, SummaryWriter, frames};
use crate::embedding::{self, Embedding};
use crate::error::Result;
use crate::event::{self, Step};
use crate::proto;
use crate::proto::hparams::Status as SessionStatus;
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::{
    self, Audio, Experiment, HParams, Histogram, Layout, Mesh, Metadata, PrCurve, Scalar, Tag,
    Tensor,
};

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
            self.value(step, || {
                summary::described_scalar(self.prefix(), &tag, value.to_f32())
            });
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

    /// Logs how numbers are distributed: a slice, an array or a `Vec` of any primitive number, or a [`Histogram`].
    ///
    /// The values are counted before the call returns, in 30 buckets of equal width between the lowest and the highest
    /// one. NaN and the infinities are left out; where there are any, a scalar `<tag>/non_finite` of the same step says how
    /// many, so that a divergence is visible.
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
    pub fn histogram<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        values: impl Into<Histogram>,
        step: impl Step,
    ) {
        self.values(step, |frame| {
            let (tag, histogram) = (tag.into(), values.into());
            let value = summary::HistogramValue::new(self.prefix(), &tag, &histogram);
            event::append_encoded(frame, value.encoded_len(), |frame| value.append_to(frame));
            if let Some(beside) = summary::non_finite(self.prefix(), &tag, &histogram) {
                event::append_value(frame, &beside);
            }
        });
    }

    /// Logs Markdown: headings, tables ([`markdown_table`](crate::markdown_table)), code, links and pictures. HTML in it is
    /// shown as text.
    pub fn text<'a>(&self, tag: impl Into<Tag<'a>>, markdown: impl AsRef<str>, step: impl Step) {
        self.value(step, || {
            summary::text(self.prefix(), &tag.into(), markdown.as_ref())
        });
    }

    /// Logs an image. It is compressed on the writer's thread, in its turn among the records; until then its pixels count
    /// for [`max_pending_bytes`](crate::WriterOptions::max_pending_bytes).
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
    /// With the feature `image`, also an image of the crate [`image`](https://docs.rs/image) or a reference to one:
    /// `summary.image("photo", &dynamic_image, 0)`. One without pixels is rejected like a record that cannot be encoded.
    #[cfg(feature = "png")]
    pub fn image<'a>(&self, tag: impl Into<Tag<'a>>, image: impl Into<Image>, step: impl Step) {
        self.images(tag, [image], step);
    }

    /// Logs several images of one step, as [`image`](Self::image) one. The dashboard shows one and has a slider for the
    /// others. None logs nothing.
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
        if images.is_empty() {
            return;
        }
        let (tag, prefix) = (tag.into().into_owned(), self.prefix.clone());
        let bytes = images.iter().map(Image::bytes).sum();
        self.deferred_values(step, bytes, move |frame| {
            let prefix = prefix.as_deref().unwrap_or_default();
            let value = summary::images(prefix, &tag, &images)?;
            event::append_value(frame, &value);
            Ok(())
        });
    }

    /// Logs a sound. It is encoded on the writer's thread, in its turn among the records; until then its samples count for
    /// [`max_pending_bytes`](crate::WriterOptions::max_pending_bytes).
    ///
    /// The dashboard has a player for it and a slider for the steps. It shows no label beside a clip: the tag's
    /// [description](Tag::description) stands behind an icon, and what differs from step to step, as a transcript, can be a
    /// [`text`](Self::text) of the same steps.
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
    pub fn audio<'a>(&self, tag: impl Into<Tag<'a>>, audio: Audio, step: impl Step) {
        self.audios(tag, [audio], step);
    }

    /// Logs several sounds of one step, as [`audio`](Self::audio) one. The dashboard has a player for each. None logs
    /// nothing.
    ///
    /// Let all steps of a tag have as many. The dashboard fails to show the first clip that a step lacks and another has,
    /// at any step; so where a step has fewer than one that this writer logged before, empty clips of 0 seconds take their
    /// places. A step that has more is written as it is, counted in
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
        let clips: Vec<Audio> = clips.into_iter().collect();
        if clips.is_empty() {
            return;
        }
        let tag = tag.into().into_owned();
        // Each run has had other clips before, so each makes a record of its own.
        let timed = self.at(self.now());
        for handle in timed.each().skip(1) {
            handle.clips(tag.clone(), clips.clone(), step);
        }
        if let Some(own) = timed.each().next() {
            own.clips(tag, clips, step);
        }
    }

    fn clips(&self, tag: Tag<'static>, mut clips: Vec<Audio>, step: impl Step) {
        let prefix = self.prefix.clone();
        let clip_counts = Arc::clone(&self.run.clip_counts);
        let bytes = clips.iter().map(Audio::bytes).sum();
        self.deferred_values(step, bytes, move |frame| {
            let prefix = prefix.as_deref().unwrap_or_default();
            clip_counts.fill_up([prefix, &tag.name].concat(), &mut clips);
            let value = summary::audios(prefix, &tag, clips)?;
            event::append_value(frame, &value);
            Ok(())
        });
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
        self.value(step, || {
            summary::plugin_tensor(self.prefix(), &tag.into(), tensor, metadata)
        });
    }

    /// Logs a precision-recall curve. The dashboard has a slider for the steps.
    pub fn pr_curve<'a>(&self, tag: impl Into<Tag<'a>>, curve: PrCurve, step: impl Step) {
        self.value(step, || {
            summary::pr_curve(self.prefix(), &tag.into(), curve)
        });
    }

    /// Logs triangles or points in space, or a batch of them, in one record. The dashboard has a slider for the steps.
    ///
    /// The parts of the mesh get tags of their own, the given one with `_VERTEX`, `_FACE` or `_COLOR` behind it; the
    /// dashboard shows the given one.
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
    pub fn mesh<'a>(&self, tag: impl Into<Tag<'a>>, mesh: Mesh, step: impl Step) {
        self.values(step, |frame| {
            if mesh.is_oversized() {
                self.runs().for_each(Run::count_oversized_mesh);
            }
            for value in summary::mesh(self.prefix(), &tag.into(), mesh) {
                event::append_value(frame, &value);
            }
        });
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
        self.value(0, || summary::custom_scalars(&layout));
    }

    /// Logs what the training is started with, and makes the run a *session*: a row in the table of hyperparameters. Its
    /// metrics are the scalars of the run and of the runs below it, each with its last value.
    ///
    /// Give each training a run of its own, and log this once: the dashboard keeps the first of a run. The prefix of a
    /// [`scope`](Self::scope) is put before nothing here.
    ///
    /// The session starts now and ends when the writer is closed: with failure if it was a panic that dropped the last of
    /// the handles, else with success. For other ends there is [`session_end`](Self::session_end). A session that has no
    /// end, as that of a program that was killed, shows with unknown status.
    ///
    /// Have the logdir above the run. In the logdir's own run, which TensorBoard calls `.`, the dashboard finds no metrics
    /// unless an [`Experiment`] lists them.
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
    pub fn hparams(&self, hparams: HParams) {
        let now = self.now();
        self.at(now).value(0, || {
            self.runs().for_each(|run| {
                run.session
                    .start(&run.tray.run_name, frames::session_end_frame)
            });
            summary::session_start(hparams, now.as_secs())
        });
    }

    /// Ends the session of [`hparams`](Self::hparams) now, where closing the writer would tell another end: a training
    /// that failed without a panic. The dashboard keeps the first end of a run.
    ///
    /// ```
    /// use summary_writer::{HParams, SessionStatus};
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
        self.at(now).value(0, || {
            self.runs().for_each(|run| run.session.end());
            summary::session_end(status, now.as_secs())
        });
    }

    /// Logs the columns of the table of hyperparameters, for all runs of the logdir: once, in any run, best in that of the
    /// logdir itself. Of several one is used, and which one is not said.
    ///
    /// The table needs none: it has a column for each hyperparameter and each metric that a session has. One that is
    /// logged hides all that it does not list.
    ///
    /// ```
    /// use summary_writer::{Experiment, HParamInfo, MetricInfo};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let experiment = Experiment::new()
    ///     .hparam(HParamInfo::new("lr")?.interval(1e-5, 1e-1)?.display_name("learning rate"))
    ///     .metric(MetricInfo::new("loss")?.group("validation"));
    /// summary.hparams_experiment(experiment);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hparams_experiment(&self, experiment: Experiment) {
        self.value(0, || summary::hparams_experiment(experiment));
    }

    /// Writes points for the projector into files beside the event file, at once, on the caller's thread: they are with the
    /// operating system when it returns. It takes a fraction of a second for a million numbers, and writers of a process
    /// take turns.
    ///
    /// The dashboard lists them by run, and in it by tag and step. Of one tag and step the last call counts. What is
    /// there of other tags and steps stays, also that of other writers and of earlier programs. After a failure or a crash
    /// there is what was there before. Two processes that write to one run at the same moment may lose an entry of one of
    /// them: give each a run of its own. The clock of [`at`](Self::at) has no part in it.
    ///
    /// A TensorBoard that runs looks for new points only when a run comes or goes; start it anew to see them. Its page
    /// cannot open runs whose names have one of `#%&+`, for it does not encode them in its requests; in tags they are
    /// replaced by characters that look like them.
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
    /// [`Error::Io`](crate::Error::Io) if a file cannot be written, or the `projector_config.pbtxt` that is there not be
    /// read; [`Error::Invalid`](crate::Error::Invalid) if this writer has no directory;
    /// [`Error::Closed`](crate::Error::Closed) if it is closed.
    pub fn embedding(&self, embedding: Embedding, step: impl Step) -> Result<()> {
        if !self.is_recording(step) {
            return Ok(());
        }
        let step = self.checked(step.to_i64());
        self.each().try_for_each(|handle| {
            let (dir, synced) = (handle.run.dir("embedding")?, handle.run.is_synced());
            embedding::write(dir, self.prefix(), &embedding, step, synced)
        })
    }

    /// Logs an event as it is, for what has no method here. Its wall time is that of [`at`](Self::at) if it was called,
    /// else its own; where that is 0 or not finite, the time of the call. The prefix of a [`scope`](Self::scope) is not
    /// put before its tags.
    pub fn event(&self, mut event: proto::Event) {
        if !event.wall_time.is_finite() {
            self.runs().for_each(Run::count_replaced_wall_time);
            event.wall_time = 0.0;
        }
        if event.wall_time == 0.0 || self.wall_time.is_some() {
            event.wall_time = self.now().as_secs();
        }
        self.whole_event(&event);
    }
}
