//! Recipes: what programs log, and how this crate is used for it. Each compiles and runs; `logs` is a directory.
//!
//! - Runs: [compare experiments](#compare-experiments), [sweep hyperparameters](#sweep-hyperparameters)
//! - Training: [a loop of epochs and batches](#a-training-loop-of-epochs-and-batches),
//!   [go on from a checkpoint](#go-on-from-a-checkpoint), [many processes](#many-processes),
//!   [many threads](#many-threads)
//! - Data: [images from the memory of a tensor](#images-from-the-memory-of-a-tensor),
//!   [evaluate a classifier](#evaluate-a-classifier),
//!   [heat maps and plots](#heat-maps-and-plots),
//!   [a band around the mean](#a-page-of-your-own-with-a-band-around-the-mean)
//! - Programs: [log without being handed a writer](#log-without-being-handed-a-writer),
//!   [log now and then](#log-now-and-then), [test what a program logs](#test-what-a-program-logs),
//!   [notice a full disk](#notice-a-full-disk)
//!
//! # Compare experiments
//!
//! Each experiment has a directory of its own, and each part of it a run below: curves of one tag in several runs share
//! a chart. `tensorboard --logdir logs` then shows all experiments.
//!
//! ```
//! use summary_writer::{SummaryWriter, unique_logdir};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! let summary = SummaryWriter::create_file_writer(unique_logdir(logs.join("digits"))?)?; // digits/20261122-211530
//! let (train, validation) = (summary.run("train")?, summary.run("validation")?);
//! for epoch in 0..10 {
//!     train.scalar("loss", 0.8f64.powi(epoch), epoch);
//!     validation.scalar("loss", 0.9f64.powi(epoch), epoch);
//! }
//! summary.close()?; // and both
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sweep hyperparameters
//!
//! A run for each trial, with its hyperparameters first. The HParams page has a row for each: the last value of every
//! scalar, and how the trial ended. It needs no list of columns. Trials that differ by their seed alone are one row,
//! with the means, if they have one [group](crate::HParams::group).
//!
//! ```
//! use summary_writer::{HParams, SummaryWriter, unique_logdir};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! let sweep = unique_logdir(logs.join("sweep"))?;
//! for lr in [1e-1, 1e-2, 1e-3] {
//!     for layers in [2, 4] {
//!         let trial = SummaryWriter::create_file_writer(sweep.join(format!("lr={lr} layers={layers}")))?;
//!         trial.hparams(HParams::new().set("lr", lr).set("layers", layers));
//!         for epoch in 0..10 {
//!             trial.scalar("loss", f64::powi(1.0 - lr, epoch), epoch);
//!         }
//!         trial.close()?; // the session has ended with success; with failure, if a panic drops `trial`
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A training loop of epochs and batches
//!
//! [`TrainingLogger`] knows which run, tag and step each metric has. What belongs to the whole training goes to the run
//! above.
//!
//! ```
//! use summary_writer::{HParams, SummaryWriter, TrainingLogger, UpdateFreq, markdown_table, unique_logdir};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! # let kernel = [0.5f32; 12];
//! let summary = SummaryWriter::create_file_writer(unique_logdir(logs)?)?;
//! summary.hparams(HParams::new().set("lr", 1e-3).set("batch", 32));
//! summary.text("config", markdown_table(["data", "device"], [["digits", "cpu"]]), 0);
//!
//! let mut training = TrainingLogger::of(&summary).update_freq(UpdateFreq::Steps(100)).histogram_freq(5);
//! training.on_train_begin()?;
//! for epoch in 0..3 {
//!     for batch in 0..200 {
//!         # let loss = || 0.99f32.powi(200 * epoch + batch);
//!         // `loss` fetches it from a device: only where it is logged.
//!         let metrics = training.is_batch_due().then(|| ("loss", loss()));
//!         training.on_batch_end(metrics);
//!     }
//!     training.on_epoch_end(epoch, [("loss", 0.3), ("val_loss", 0.4), ("val_accuracy", 0.9)]);
//!     training.weights(epoch, |weights| weights.add("dense/kernel", &[4, 3], &kernel));
//! }
//! training.on_train_end()?; // the first thing that went wrong, if any did
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Go on from a checkpoint
//!
//! A program that died has logged more than its checkpoint knows. [`resume`] takes out of the run what lies from the
//! next step on, so that there is one curve. Flush before a checkpoint is kept: then the log reaches at least to it. The runs
//! of a [`TrainingLogger`] count epochs and batches: for them there is [`resume_training`], which takes both numbers.
//!
//! ```
//! use summary_writer::{SummaryWriter, WriterOptions};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! # let checkpoint = std::cell::Cell::new(None);
//! # let keep_checkpoint = |step: i64| checkpoint.set(Some(step));
//! # for died_at in [17, 30] {
//! let first = checkpoint.get().map_or(0, |step| step + 1);
//! let summary = WriterOptions::new().resume(first).create_file_writer(logs.join("run"))?;
//! for step in first..30 {
//!     # if step == died_at { break }
//!     summary.scalar("loss", 0.9f64.powi(step as i32), step);
//!     if step % 10 == 9 {
//!         summary.flush()?;
//!         keep_checkpoint(step);
//!     }
//! }
//! summary.close()?;
//! # }
//! assert_eq!(SummaryWriter::last_step(logs.join("run"))?, Some(29));
//! # let points = summary_writer::EventReader::open(logs.join("run"))?.map(|event| Ok(event?.what));
//! # let points: Vec<_> = points.collect::<Result<Vec<_>, summary_writer::Error>>()?;
//! # let is_point = |what: &&Option<_>| matches!(what, Some(summary_writer::proto::event::What::Summary(_)));
//! # assert_eq!(points.iter().filter(is_point).count(), 30);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many processes
//!
//! What is the same for all ranks is logged by one, and the others have a [disabled](crate::SummaryWriter::disabled)
//! writer, so that the code has no `if`. Give each rank a run for what differs: if two processes write to one
//! run, TensorBoard does not show all points. Open writers after a fork, not before it; whoever starts the processes names
//! the directory.
//!
//! ```
//! use summary_writer::SummaryWriter;
//!
//! # let dir = tempfile::tempdir()?;
//! # let (logdir, rank) = (dir.path(), 1);
//! let summary = match rank {
//!     0 => SummaryWriter::create_file_writer(logdir)?,
//!     _ => SummaryWriter::disabled(),
//! };
//! let own = SummaryWriter::create_file_writer(logdir.join(format!("rank-{rank}")))?;
//! for step in 0..100 {
//!     summary.scalar("loss", 0.9f64.powi(step), step);
//!     own.scalar("samples_per_second", 1000 + rank, step);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many threads
//!
//! One writer serves all; a handle costs a few pointers. A tag should have one thread, for its steps should rise: give
//! each thread a [`scope`], or a [`run`] if the threads do the same and are to be compared.
//!
//! ```
//! use std::thread;
//! use summary_writer::SummaryWriter;
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! let summary = SummaryWriter::create_file_writer(logdir)?;
//! thread::scope(|threads| {
//!     for actor in 0..4 {
//!         let summary = summary.scope(format!("actor-{actor}"));
//!         threads.spawn(move || {
//!             for episode in 0..100 {
//!                 summary.scalar("reward", episode + actor, episode); // actor-2/reward
//!             }
//!         });
//!     }
//! });
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Images from the memory of a tensor
//!
//! `planar` is channels first, and `0_to_1` floats, of which what is outside shows as the nearer end: undo a
//! normalization before. [`Image::grid`] makes a batch one picture; of [`images`] the page shows one, with a slider.
//!
//! ```
//! # #[cfg(feature = "png")] {
//! use summary_writer::Image;
//!
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//! # let step = 0;
//! # let (nchw, hwc) = (vec![0.5f32; 8 * 3 * 32 * 48], vec![127u8; 32 * 48 * 3]);
//! let batch = Image::batch_nchw([8, 3, 32, 48], &nchw)?;
//! summary.image("batch", Image::grid(&batch, 4)?, step); // two rows of four
//! summary.images("samples", batch, step);
//! summary.image("camera", Image::rgb8(48, 32, &hwc)?, step); // the width first
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Evaluate a classifier
//!
//! A precision-recall curve for each class, and which classes are taken for which.
//!
//! ```
//! use summary_writer::PrCurve;
//!
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//! # let epoch = 0;
//! let classes = ["bird", "cat", "dog"];
//! let truth = [0, 1, 2, 1];
//! let predicted = [0, 1, 1, 1];
//! let probabilities = [0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.6, 0.3, 0.0, 0.9, 0.1]; // three for each example
//! for (class, curve) in classes.iter().zip(PrCurve::one_vs_rest(&truth, &probabilities, classes.len())?) {
//!     summary.pr_curve(format!("pr/{class}"), curve, epoch);
//! }
//! # #[cfg(feature = "png")] {
//! use summary_writer::ConfusionMatrix;
//! let confusion = ConfusionMatrix::from_labels(&classes, &truth, &predicted)?;
//! summary.image("confusion", confusion.to_image()?, epoch);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Heat maps and plots
//!
//! A heat map shows a matrix, such as attention weights or a channel of a feature map, from its lowest number to its
//! highest. Whatever draws into memory makes an image, too: here a plot by the crate [`plotters`](https://docs.rs/plotters),
//! which also draws texts, with its default features.
//!
#![cfg_attr(feature = "png", doc = "```")]
#![cfg_attr(not(feature = "png"), doc = "```ignore")]
//! use plotters::prelude::*;
//! use summary_writer::Image;
//!
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//! # let epoch = 0;
//! let attention = [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.3, 0.7]];
//! summary.image("attention", Image::heat_map(3, 3, attention.as_flattened())?, epoch);
//!
//! let (width, height) = (400, 300);
//! let mut pixels = vec![0; 3 * 400 * 300];
//! {
//!     let root = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
//!     root.fill(&WHITE)?;
//!     let mut chart = ChartBuilder::on(&root).margin(10).build_cartesian_2d(0.0..6.3, -1.0..1.0)?;
//!     chart.draw_series(LineSeries::new((0..64).map(|i| f64::from(i) / 10.0).map(|x| (x, x.sin())), &RED))?;
//!     root.present()?;
//! }
//! summary.image("plot", Image::rgb8(width, height, pixels)?, epoch);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A page of your own, with a band around the mean
//!
//! The Custom Scalars page has charts of tags that you choose: several by a pattern, or three as a line and a band. Log
//! the three at the same steps, as [`scalars`] does.
//!
//! ```
//! use summary_writer::{Category, Layout, Margin};
//!
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//! let charts = Category::new("seeds")?
//!     .margin("return", [Margin::new("return/mean", "return/lower", "return/upper")])?
//!     .multiline("losses", ["loss/"])?; // all tags that begin so
//! summary.custom_scalars(Layout::new().category(charts));
//!
//! for step in 0..100 {
//!     let returns = [1.0, 1.5, 2.5].map(|seed| seed * f64::from(step));
//!     let mean = returns.iter().sum::<f64>() / 3.0;
//!     summary.scalars(step, [("return/mean", mean), ("return/lower", returns[0]), ("return/upper", returns[2])]);
//!     summary.scalars(step, [("loss/policy", 0.5), ("loss/value", 0.25)]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Log without being handed a writer
//!
//! A library logs to whatever writer its caller has made the [default](crate::SummaryWriter::as_default) one of the
//! thread, at the step that the caller has set. Without one nothing is logged, which is reported once. A thread that is
//! started has no default yet: hand it [`default_writer`].
//!
//! ```
//! use summary_writer::{CurrentStep, SummaryWriter, set_step};
//!
//! fn attention(scores: &[f32]) { // deep in a library
//!     summary_writer::histogram("attention/scores", scores, CurrentStep);
//! }
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! let summary = SummaryWriter::create_file_writer(logdir)?;
//! let guard = summary.as_default();
//! for step in 0..100 {
//!     set_step(step);
//!     attention(&[0.1, 0.7, 0.2]);
//! }
//! drop(guard);
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Log now and then
//!
//! [`record_every`] makes a handle that leaves out most steps; what it leaves out costs next to nothing. Ask it before
//! work that serves the log alone.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//! # let (weights, gradients) = (vec![0.5f32; 100], || vec![0.25f32; 100]);
//! let sparse = summary.record_every(100);
//! for step in 0..1000 {
//!     summary.scalar("loss", 0.999f64.powi(step), step);
//!     sparse.histogram("weights", &weights, step); // steps 0, 100, 200 ...
//!     if sparse.is_recording(step) {
//!         sparse.histogram("gradients", gradients(), step); // copied from a device
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Test what a program logs
//!
//! Give it a directory that goes away, and read the run back.
//!
//! ```
//! use std::path::Path;
//! use summary_writer::proto::event::What;
//! use summary_writer::{Error, EventReader, SummaryWriter};
//!
//! fn points(run: &Path, tag: &str) -> Result<Vec<(i64, f32)>, Error> {
//!     let mut points = Vec::new();
//!     for event in EventReader::open(run)? {
//!         let event = event?;
//!         if let Some(What::Summary(summary)) = &event.what {
//!             let of_tag = summary.value.iter().filter(|value| value.tag == tag);
//!             points.extend(of_tag.filter_map(|value| Some((event.step, value.scalar()?))));
//!         }
//!     }
//!     Ok(points)
//! }
//!
//! # fn train(summary: &SummaryWriter) {
//! #     for step in 0..3 {
//! #         summary.scalar("loss", 0.5f64.powi(step), step);
//! #     }
//! # }
//! let run = tempfile::tempdir()?;
//! let summary = SummaryWriter::create_file_writer(run.path())?;
//! train(&summary);
//! summary.close()?;
//! assert_eq!(points(run.path(), "loss")?, [(0, 1.0), (1, 0.5), (2, 0.25)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Notice a full disk
//!
//! A disk that is full or fails stops no training: records wait in memory, up to [`max_pending_bytes`], and are written
//! once it recovers. It is reported once. A program that wants an alarm calls [`flush_timeout`] now and then, which has a limit
//! for a disk that hangs.
//!
//! ```
//! use std::time::Duration;
//! use summary_writer::WriterOptions;
//!
//! # struct FullDisk;
//! # impl std::io::Write for FullDisk {
//! #     fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
//! #         Err(std::io::ErrorKind::StorageFull.into())
//! #     }
//! #     fn flush(&mut self) -> std::io::Result<()> {
//! #         Ok(())
//! #     }
//! # }
//! # let mut alarms = Vec::new();
//! # let mut alarm = |message| alarms.push(message);
//! # let sink = FullDisk;
//! let summary = WriterOptions::new().to_sink(sink)?;
//! summary.scalar("loss", 0.5, 0);
//! if let Err(error) = summary.flush_timeout(Duration::from_secs(5)) {
//!     let stats = summary.stats();
//!     alarm(format!("{error}; {} bytes wait, {} records are refused", stats.pending_bytes, stats.refused_count));
//! }
//! assert!(summary.close().is_err()); // the disk is still full: a report says how many records are lost
//! # assert_eq!(alarms.len(), 1, "{alarms:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`resume`]: crate::WriterOptions::resume
//! [`resume_training`]: crate::WriterOptions::resume_training
//! [`max_pending_bytes`]: crate::WriterOptions::max_pending_bytes
//! [`flush_timeout`]: crate::SummaryWriter::flush_timeout
//! [`scope`]: crate::SummaryWriter::scope
//! [`run`]: crate::SummaryWriter::run
//! [`scalars`]: crate::SummaryWriter::scalars
//! [`record_every`]: crate::SummaryWriter::record_every
//! [`images`]: crate::SummaryWriter::images
//! [`Image::grid`]: crate::Image::grid
//! [`default_writer`]: crate::default_writer
//! [`TrainingLogger`]: crate::TrainingLogger
