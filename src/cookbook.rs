//! Recipes for common logging tasks. All of them compile and run. `logs` is a directory.
//!
//! - Runs: [compare experiments](#compare-experiments), [sweep hyperparameters](#sweep-hyperparameters)
//! - Training: [a loop of epochs and batches](#a-training-loop-of-epochs-and-batches),
//!   [resume from a checkpoint](#resume-from-a-checkpoint),
//!   [resume a loop of epochs and batches](#resume-a-loop-of-epochs-and-batches), [many processes](#many-processes),
//!   [many ranks, many seeds](#many-ranks-many-seeds), [many threads](#many-threads),
//!   [reinforcement learning](#reinforcement-learning)
//! - Data: [images from a tensor](#images-from-a-tensor), [evaluate a classifier](#evaluate-a-classifier),
//!   [linfa, smartcore and other crates without callbacks](#linfa-smartcore-and-other-crates-without-callbacks),
//!   [heat maps and plots](#heat-maps-and-plots), [a curve with a band](#a-curve-with-a-band)
//! - Programs: [log without a writer argument](#log-without-a-writer-argument),
//!   [log every n-th step](#log-every-n-th-step), [test what a program logs](#test-what-a-program-logs),
//!   [detect a full disk](#detect-a-full-disk)
//!
//! # Compare experiments
//!
//! Give each experiment its own directory, and each part of it, such as training and validation, its own run. Curves with
//! the same tag share a chart. `tensorboard --logdir logs` shows all experiments.
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
//! summary.close()?; // also flushes `train` and `validation`
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sweep hyperparameters
//!
//! Create a run for each trial, and log its hyperparameters first. The HParams page has a row for each trial, with the
//! hyperparameters, the last value of every scalar, and the status of the trial. You need not declare columns. Trials with
//! the same [group](crate::HParams::group) share a row with the mean values. Use it for trials that differ only by their
//! seed.
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
//!         trial.close()?; // status: success. If a panic drops `trial`: failure
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! If one program trains all trials in turn, each trial is a child run of one writer. Thousands of trials can be open, because
//! at most 32 child runs without a handle stay open: the others [release](crate::SummaryWriter::run) their file and their
//! threads. Closing the writer ends the sessions of all trials.
//!
//! ```
//! use summary_writer::{HParams, SummaryWriter};
//!
//! # let dir = tempfile::tempdir()?;
//! # let sweep = dir.path();
//! let summary = SummaryWriter::create_file_writer(sweep)?;
//! for epoch in 0..3 {
//!     for trial in 0..100 {
//!         let lr = 0.01 * f64::from(trial);
//!         let run = summary.run(format!("trial {trial}"))?;
//!         if epoch == 0 {
//!             run.hparams(HParams::new().set("lr", lr));
//!         }
//!         run.scalar("loss", (1.0 - lr).powi(epoch), epoch);
//!     }
//! }
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A training loop of epochs and batches
//!
//! [`TrainingLogger`] chooses the run, the tag and the step of each metric, as Keras does. Log data about the whole training,
//! such as hyperparameters, to the writer that you pass to `with_writer`.
//!
//! ```
//! use summary_writer::training::UpdateFreq;
//! use summary_writer::{HParams, SummaryWriter, Text, TrainingLogger, unique_logdir};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! # let kernel = [0.5f32; 12];
//! let summary = SummaryWriter::create_file_writer(unique_logdir(logs)?)?;
//! summary.hparams(HParams::new().set("lr", 1e-3).set("batch", 32));
//! summary.text("config", Text::table(["data", "device"], [["digits", "cpu"]]), 0);
//!
//! let mut training = TrainingLogger::with_writer(&summary).update_freq(UpdateFreq::Steps(100)).histogram_freq(5);
//! training.on_train_begin()?;
//! for epoch in 0..3 {
//!     for batch in 0..200 {
//!         # let loss = || 0.99f32.powi(200 * epoch + batch);
//!         // Copies the loss from the device only if it will be logged.
//!         let metrics = training.is_batch_due().then(|| ("loss", loss()));
//!         training.on_batch_end(metrics);
//!     }
//!     training.on_epoch_end(epoch, [("loss", 0.3), ("val_loss", 0.4), ("val_accuracy", 0.9)]);
//!     training.weights(epoch, |weights| weights.add("dense/kernel", &[4, 3], &kernel));
//! }
//! training.on_train_end()?; // returns the first error
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Resume from a checkpoint
//!
//! When a program dies, its log has steps after the last checkpoint. [`resume`] removes them, so that the chart has one curve.
//! Call `flush` before you save a checkpoint. Then the log is complete up to the checkpoint.
//!
//! ```
//! use summary_writer::{SummaryWriter, WriterOptions};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! # let checkpoint = std::cell::Cell::new(None);
//! # let save_checkpoint = |step: i64| checkpoint.set(Some(step));
//! # for died_at in [17, 30] {
//! let first = checkpoint.get().map_or(0, |step| step + 1); // 0 removes all points: only for a new training
//! let summary = WriterOptions::new().resume(first).create_file_writer(logs.join("run"))?;
//! for step in first..30 {
//!     # if step == died_at { break }
//!     summary.scalar("loss", 0.9f64.powi(step as i32), step);
//!     if step % 10 == 9 {
//!         summary.flush()?;
//!         save_checkpoint(step);
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
//! # Resume a loop of epochs and batches
//!
//! A [`TrainingLogger`] counts epochs and batches. So resuming needs two numbers: the epoch that comes next or is half
//! done, and the number of all batches that were trained until the checkpoint. Pass them to [`resume_training`].
//!
//! ```
//! use std::error::Error;
//! use std::fs;
//! use std::io::ErrorKind;
//! use std::path::Path;
//!
//! use summary_writer::training::UpdateFreq;
//! use summary_writer::{HParams, TrainingLogger, WriterOptions};
//!
//! # static HAS_DIED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
//! # let die = |epoch, batch| {
//! #     epoch == 3 && batch == 50 && !HAS_DIED.swap(true, std::sync::atomic::Ordering::Relaxed)
//! # };
//! const BATCHES: u64 = 100; // per epoch
//!
//! let train = |logdir: &Path, checkpoint: &Path| -> Result<(), Box<dyn Error>> {
//!     let first_epoch: u64 = match fs::read_to_string(checkpoint) {
//!         Ok(epoch) => epoch.parse()?,
//!         Err(error) if error.kind() == ErrorKind::NotFound => 0, // a new training
//!         Err(error) => return Err(error.into()), // a resume at 0 would remove all points
//!     };
//!     let options = WriterOptions::new().resume_training(first_epoch, first_epoch * BATCHES);
//!     let summary = options.create_file_writer(logdir)?;
//!     summary.hparams(HParams::new().set("lr", 1e-3));
//!
//!     let mut training = TrainingLogger::with_writer(&summary).update_freq(UpdateFreq::Steps(10));
//!     training.on_train_begin()?;
//!     for epoch in first_epoch..5 {
//!         for batch in 0..BATCHES {
//!             # if die(epoch, batch) { return Ok(()) }
//!             training.on_batch_end([("loss", 0.5)]);
//!         }
//!         training.on_epoch_end(epoch, [("loss", 0.5), ("val_loss", 0.6)]);
//!         summary.flush()?; // also flushes `train` and `validation`
//!         fs::write(checkpoint, (epoch + 1).to_string())?; // with the weights of the model
//!     }
//!     training.on_train_end()?;
//!     Ok(summary.close()?)
//! };
//!
//! # let dir = tempfile::tempdir()?;
//! # let (logdir, checkpoint) = (dir.path().join("run"), dir.path().join("checkpoint"));
//! train(&logdir, &checkpoint)?; // dies in the middle of epoch 3, after batch 350
//! train(&logdir, &checkpoint)?; // continues with epoch 3 and batch 301
//! # let mut steps = Vec::new();
//! # for event in summary_writer::EventReader::open(logdir.join("train"))? {
//! #     let event = event?;
//! #     if let Some(summary_writer::proto::event::What::Summary(summary)) = &event.what {
//! #         steps.extend(summary.value.iter().filter(|v| v.tag == "batch_loss").map(|_| event.step));
//! #     }
//! # }
//! # assert_eq!(steps, (1..=50).map(|i| 10 * i).collect::<Vec<i64>>()); // 500 batches, every tenth, once each
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many processes
//!
//! Each rank of a distributed training runs the same program. [`Rank::from_env`] finds the rank in the variables of
//! torchrun, `mpirun`, `srun` and others, and [`WriterOptions::rank`] decides who writes. Data that is the same on all ranks
//! belongs to one of them: [`RankPolicy::Main`] disables the writers of the others, so that the code needs no `if`. With
//! [`RankPolicy::Each`], each rank has a run of its own, such as `rank-00003`. The same lines work for a program that runs
//! alone.
//!
//! ```
//! use summary_writer::{Rank, RankPolicy, WriterOptions, unique_logdir_for};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! let rank = Rank::from_env();
//! let logdir = unique_logdir_for(logs, "baseline-7")?; // the same on all ranks; use a new id for each start
//! let summary = WriterOptions::new().rank(rank, RankPolicy::Main).create_file_writer(logdir.join("main"))?;
//! let own = WriterOptions::new().rank(rank, RankPolicy::Each).create_file_writer(&logdir)?;
//! for step in 0..100 {
//!     let loss = 0.9f64.powi(step); // of this rank's part of the batch
//!     own.scalar("loss", loss, step);
//!     summary.scalar("lr", 1e-3, step); // the same everywhere
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - The loss of rank 0 is not the mean loss. Either communicate the mean before you log it, or log the loss on all ranks, and
//!   [reduce](#many-ranks-many-seeds) the runs. Communicate outside of any `if` on the rank: a collective operation that some
//!   ranks do not call waits forever.
//! - [`unique_logdir`](crate::unique_logdir) names a directory by the time, which differs between processes. Use
//!   [`unique_logdir_for`](crate::unique_logdir_for), with an id of your own or that of the launcher.
//! - If two processes write to one run, TensorBoard does not show all points. So use one rule for the rank in the whole
//!   program.
//! - If you fork, create the writers after the fork.
//!
//! # Many ranks, many seeds
//!
//! `summary-writer reduce` makes one curve out of the curves of many runs: the mean, with a band of one standard deviation on
//! the page Custom Scalars. It writes the run `reduced`.
//!
//! ```text
//! summary-writer reduce logs/baseline-7 --run 'rank-*' --out means/baseline-7
//! summary-writer reduce logs/seeds --out means/seeds --join outer
//! summary-writer reduce logs/baseline-7 --run 'rank-*' --out means/live --follow --expect 64
//! ```
//!
//! `tensorboard --logdir means` shows the results. They are not next to the ranks, because the page selects no run by itself if
//! there are more than 40.
//!
//! The last command runs next to the training, on any machine that sees the files. It only reads them, so a rank that hangs
//! or dies stops neither the others nor the curve: after 60 s (`--patience`) the rank is left out, which the tag `loss/count`
//! shows. The module [`reduce`](crate::reduce) has the same as functions:
//!
//! ```
//! use summary_writer::SummaryWriter;
//! use summary_writer::reduce::{Join, Reduction};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! for seed in 0..5 {
//!     let run = SummaryWriter::create_file_writer(logs.join(format!("seed-{seed}")))?;
//!     for step in 0..100 {
//!         run.scalar("return", f64::from(step) + f64::from(seed), step);
//!     }
//!     run.close()?;
//! }
//! let reduction = Reduction::new([logs]).runs(|name| name.starts_with("seed-")).join(Join::Outer);
//! reduction.write_to(logs)?; // logs/reduced
//! let last = reduction.scalars("return")?.pop().unwrap();
//! println!("{} ± {} over {} seeds", last.mean, last.std, last.count);
//! # assert_eq!((last.mean, last.count), (101.0, 5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many threads
//!
//! All threads can share one writer. Cloning it is cheap. Each tag should be logged by one thread, so that its steps rise.
//! Give each thread its own [`scope`], or its own [`run`] to show all threads in one chart.
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
//! # Reinforcement learning
//!
//! The step of a curve is the number of the episode, so that environments of different speed share a chart. Give each
//! environment its own run, in which one thread logs. The curves of one tag are in one chart. The whole program, which learns
//! to cross a grid, is the example `reinforcement`.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use std::thread;
//! use summary_writer::SummaryWriter;
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! # let play = |exploration: f64| (1.0 - exploration, 10_u64);
//! let summary = SummaryWriter::create_file_writer(logdir)?;
//! let episodes = AtomicU64::new(0); // of all environments
//! thread::scope(|threads| {
//!     for number in 0..4 {
//!         let run = summary.run(format!("environment-{number}"))?;
//!         let episodes = &episodes;
//!         threads.spawn(move || {
//!             for episode in 0..500 {
//!                 let exploration = f64::max(0.05, 1.0 - f64::from(episode) / 250.0);
//!                 let (total, length) = play(exploration); // the sum of the rewards, and the number of steps
//!                 let all = episodes.fetch_add(1, Ordering::Relaxed) + 1;
//!                 run.scalars(episode, [("episode/return", total), ("episode/exploration_rate", exploration)]);
//!                 run.scalars(episode, [("episode/length", length), ("episode/count", all)]);
//!             }
//!         });
//!     }
//!     Ok::<(), summary_writer::Error>(())
//! })?;
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Images from a tensor
//!
//! [`Image::batch_nchw`] takes a batch in the layout of most frameworks: count, channels, height, width. Floats are shown
//! from 0 (black) to 1 (white). Values outside are shown as 0 or 1, so undo a normalization first. [`Image::grid`] shows the
//! batch as one picture. [`images`] shows one image at a time, with a slider.
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
//! summary.image("camera", Image::rgb8(48, 32, &hwc)?, step); // width, height
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One thread encodes about a hundred images of 1024 × 1024 pixels in a second. If a program logs more and some cores are idle,
//! set [`WriterOptions::encoder_threads`](crate::WriterOptions::encoder_threads).
//!
//! # Evaluate a classifier
//!
//! Log a precision-recall curve for each class, and a confusion matrix.
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
//! let probabilities = [0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.6, 0.3, 0.0, 0.9, 0.1]; // three per example
//! for (class, curve) in classes.iter().zip(PrCurve::one_vs_rest(&truth, &probabilities, classes.len())?) {
//!     summary.pr_curve(format!("pr/{class}"), curve, epoch);
//! }
//! # #[cfg(feature = "png")] {
//! use summary_writer::images::ConfusionMatrix;
//! let confusion = ConfusionMatrix::from_labels(&classes, &truth, &predicted)?;
//! summary.image("confusion", confusion.to_image()?, epoch);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # linfa, smartcore and other crates without callbacks
//!
//! If `fit` returns only when the model is done, log a curve of models: with more and more examples, trees or iterations. If
//! the model learns in parts, such as with `fit_with` of linfa, log it after each part. The step is the size. Everything takes
//! plain slices, so the version of `ndarray` does not matter. With linfa, `predict` returns an array: `to_vec` makes labels of
//! it.
//!
//! ```
//! use summary_writer::{HParams, Histogram, SummaryWriter};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! # let truth: Vec<usize> = (0..90).map(|i| i % 3).collect();
//! # struct Model(usize);
//! # impl Model {
//! #     fn predict(&self) -> Vec<u32> { (0..90).map(|i| if i < self.0 { i as u32 % 3 } else { 0 }).collect() }
//! #     fn coefficients(&self) -> Vec<f64> { vec![0.5, -0.25] }
//! # }
//! # let fit = |examples: usize| Model(examples);
//! let summary = SummaryWriter::create_file_writer(logdir)?;
//! summary.hparams(HParams::new().set("model", "random forest").set("max_depth", 8));
//! let classes = ["setosa", "versicolor", "virginica"];
//! for examples in [10, 20, 40, 80] {
//!     let model = fit(examples); // linfa: `params.fit(&part)?`, smartcore: `fit(&x, &y, parameters)?`
//!     let predicted: Vec<usize> = model.predict().into_iter().map(|label| label as usize).collect();
//!     let right = predicted.iter().zip(&truth).filter(|(predicted, truth)| predicted == truth).count();
//!     summary.scalar("accuracy", right as f64 / truth.len() as f64, examples);
//!     summary.histogram("coefficients", Histogram::new(&model.coefficients()), examples);
//!     # #[cfg(feature = "png")] {
//!     use summary_writer::images::ConfusionMatrix;
//!     let confusion = ConfusionMatrix::from_labels(&classes, &truth, &predicted)?;
//!     summary.image("confusion", confusion.to_image()?, examples);
//!     # }
//! }
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the feature `ndarray`, arrays of any shape are histograms, and a loop of your own logs its loss at each iteration:
//!
#![cfg_attr(feature = "ndarray", doc = "```")]
#![cfg_attr(not(feature = "ndarray"), doc = "```ignore")]
//! use ndarray::{Array1, Array2};
//!
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//! # let (x, y) = (Array2::<f64>::ones((8, 2)), Array1::<f64>::ones(8));
//! let mut weights = Array1::<f64>::zeros(2);
//! for step in 0..100 {
//!     let errors = x.dot(&weights) - &y;
//!     let gradient = x.t().dot(&errors) / y.len() as f64;
//!     weights = weights - 0.1 * &gradient;
//!     summary.scalar("loss", errors.mapv(|error| error * error).mean().unwrap_or_default(), step);
//!     summary.histogram("weights", &weights, step);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Heat maps and plots
//!
//! A heat map shows a matrix, such as attention weights. Its colours range from the lowest to the highest number. Every crate
//! that draws into memory can make an image. This recipe uses [`plotters`](https://docs.rs/plotters). To draw text, use it
//! with its default features.
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
//! # A curve with a band
//!
//! The Custom Scalars page shows charts that you define. A `multiline` chart has all tags that match its patterns. A `margin`
//! chart has a line with a band around it, from three tags. Log these three at the same steps, for example with [`scalars`].
//!
//! ```
//! use summary_writer::custom_scalars::{Category, Layout, Margin};
//!
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//! let charts = Category::new("seeds")?
//!     .margin("return", [Margin::new("return/mean", "return/lower", "return/upper")])?
//!     .multiline("losses", ["loss/"])?; // all tags that start with `loss/`
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
//! # Log without a writer argument
//!
//! A library can log to the [default writer](crate::SummaryWriter::as_default) of the thread, at the current step. The
//! caller of the library sets both. Without a default writer nothing is logged, and an error is reported once. A new thread
//! has no default writer: pass [`default_writer`] to it.
//!
//! ```
//! use summary_writer::current::{CurrentStep, set_step};
//! use summary_writer::SummaryWriter;
//!
//! fn attention(scores: &[f32]) { // in a library
//!     summary_writer::current::histogram("attention/scores", scores, CurrentStep);
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
//! # Log every n-th step
//!
//! [`record_every`] returns a handle that skips most steps. A skipped call costs almost nothing. If the data is expensive
//! to compute, call `is_recording` first.
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
//!         sparse.histogram("gradients", gradients(), step); // for example copied from a GPU
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Test what a program logs
//!
//! Log to a temporary directory, and read the run back.
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
//! # Detect a full disk
//!
//! A full or failing disk does not stop the training. Records wait in memory, up to [`max_pending_bytes`], and are written when
//! the disk works again. The first error is reported. To raise an alarm, call [`flush_timeout`] from time to time. It returns
//! after its limit even if the disk hangs.
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
//!     alarm(format!("{error}; {} bytes are pending, {} records were rejected", stats.pending_bytes, stats.rejected_count));
//! }
//! assert!(summary.close().is_err()); // still full: the number of lost records is reported
//! # assert_eq!(alarms.len(), 1, "{alarms:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Rank::from_env`]: crate::Rank::from_env
//! [`RankPolicy::Each`]: crate::RankPolicy::Each
//! [`RankPolicy::Main`]: crate::RankPolicy::Main
//! [`WriterOptions::encoder_threads`]: crate::WriterOptions::encoder_threads
//! [`WriterOptions::rank`]: crate::WriterOptions::rank
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
//! [`default_writer`]: crate::current::default_writer
//! [`TrainingLogger`]: crate::TrainingLogger
//! [`Image::batch_nchw`]: crate::Image::batch_nchw
