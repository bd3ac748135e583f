//! Log training data from any Rust program, and look at it in stock TensorBoard. A scalar takes 65 ns on average. Little
//! data is lost in a crash, and never silently.
//!
//! ```standalone_crate
//! use summary_writer::SummaryWriter;
//!
//! # let dir = tempfile::tempdir()?;
//! # std::env::set_current_dir(&dir)?;
//! let summary = SummaryWriter::create_file_writer("runs/baseline")?;
//! for step in 0..1000 {
//!     summary.scalar("loss", 1.0 / f64::from(step + 1), step);
//! }
//! summary.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Then run `tensorboard --logdir runs`.
//!
//! # Words
//!
//! A *logdir* is the directory that you give to TensorBoard. A directory in it that has *event files* is a *run*, named by its
//! path. An event file is a sequence of *records*. Each record contains an *event*. An event has a *wall time*, a *step*, which
//! is the program's own counter, and one or more *values*. A value belongs to a *tag*. All values of a tag in a run are a *time
//! series*, which TensorBoard draws as one curve. A record is *accepted* when it is in the writer's queue, *rejected* if there
//! is no room or its data is invalid, and *flushed* when the operating system has it.
//!
//! # Runs, tags, steps
//!
//! - Give each training its own run: [`unique_logdir`] names one by the time. If several processes train together, use
//!   [`WriterOptions::rank`]. [`SummaryWriter::run`] opens runs below a
//!   run, such as `train` and `validation`, whose curves TensorBoard draws into one chart.
//! - Name tags `group/name`; [`SummaryWriter::scope`] puts a group before all tags of a part of the program. Within a run
//!   a tag belongs to one kind of data.
//! - Let the steps of a tag rise from call to call. If a step comes again, a loader of TensorBoard drops the points that it has
//!   from that step on. If all values of a tag have step 0, TensorBoard shows one point.
//! - For a loop of epochs and batches, use a [`TrainingLogger`]. It logs what the callback of Keras logs, under the same names.
//! - A function that has no writer as an argument calls the module [`current`], which logs to the thread's default writer
//!   ([`SummaryWriter::as_default`]). A handle of [`SummaryWriter::record_every`] logs every n-th step, and a
//!   [`disabled`](SummaryWriter::disabled) writer logs nothing.
//!
//! # Threads, order, crashes
//!
//! [`SummaryWriter`] is a handle: clone it, send it to other threads. A call encodes its record and puts it into a queue. A
//! thread of the writer writes the queue to the file every 200 ms ([`WriterOptions::flush_interval`]), and sleeps while the
//! queue is empty. A second thread, which starts with the first image or audio clip, encodes these
//! ([`WriterOptions::encoder_threads`] allows more). Records of one tag are in
//! the file in the order of the calls, also across threads if one call returned before another began.
//!
//! Dropping the last handle writes what is left and closes the file, also if a panic drops it. A handle in a `static` is never
//! dropped, and [`std::process::exit`] drops nothing, so close or flush before. While the disk works, a program that is killed
//! loses at most the last flush interval, and images and audio clips that were not encoded yet. Its file can be read up to the
//! last whole record.
//!
//! If a write fails, for example because the disk is full, no call waits. The writer keeps up to
//! [`WriterOptions::max_pending_bytes`] and writes each byte once when the disk works again. It rejects further records, counts
//! them and reports this. If a write hangs, `flush` and `close` wait, and other calls wait when `max_pending_bytes` are pending.
//! [`flush_timeout`](SummaryWriter::flush_timeout) and [`close_timeout`](SummaryWriter::close_timeout) limit the wait. A fork of
//! the process writes nothing: its calls are ignored, and [`flush`](SummaryWriter::flush) returns an error.
//! [`what_can_be_lost`] lists all cases, with the tests that check them.
//!
//! At any load, the memory is at most the sum of:
//!
//! - `max_pending_bytes`, for a writer and all its child runs together;
//! - for each run, two buffers of 256 KiB (three with images or audio), one record that is accepted although the limit is
//!   reached, the image or clip that is being encoded, and the records whose callers wait for room;
//! - for the whole process, up to 48 MiB of image buffers. They are reused for images of the same size, because new memory takes
//!   several times as long as a copy of the pixels. Buffers of less than 16 KiB or more than 4 MiB are freed.
//!
//! [`WriterOptions::resume`] continues a stopped run, from its end or from a checkpoint.
//!
//! # Options
//!
//! [`WriterOptions`] opens a writer with other settings than [`SummaryWriter::create_file_writer`]:
//!
//! | option | default | meaning |
//! |---|---|---|
//! | [`flush_interval`](WriterOptions::flush_interval) | 200 ms; 10 to 60 s in an object store | how long a record may wait, so that many are written together |
//! | [`max_pending_bytes`](WriterOptions::max_pending_bytes) | 64 MiB | how much may wait for the disk |
//! | [`when_full`](WriterOptions::when_full) | [`Block`](WhenFull::Block) | what a call does when `max_pending_bytes` are pending: it waits, or its record is rejected and counted |
//! | [`sync`](WriterOptions::sync) | [`Never`](SyncPolicy::Never) | when to call `fsync`: never, when the file is closed, or after each batch |
//! | [`resume`](WriterOptions::resume), [`resume_training`](WriterOptions::resume_training) | none | the step from which a run continues |
//! | [`max_file_bytes`](WriterOptions::max_file_bytes) | none; 32 MiB in an object store | the size after which a new event file starts |
//! | [`close_timeout`](WriterOptions::close_timeout) | none; 60 s in an object store | how long a close waits |
//! | [`rank`](WriterOptions::rank) | none | which process of several writes, and where |
//! | [`filename_suffix`](WriterOptions::filename_suffix) | none | the end of the event file's name |
//! | [`unthreaded`](WriterOptions::unthreaded) | off | whether the calls write on their own threads, without a worker |
//! | [`encoder_threads`](WriterOptions::encoder_threads) | 1 | how many threads encode images, animations and audio clips |
//! | [`clock`](WriterOptions::clock) | the system's | where the wall times come from |
//! | [`stderr`](WriterOptions::stderr) | `true` | whether a program without a logger gets reports on stderr |
//!
//! # Errors
//!
//! Opening a writer returns an error if anything is wrong. The methods that log return nothing, except
//! [`embedding`](SummaryWriter::embedding) and [`scalar_in_runs`](SummaryWriter::scalar_in_runs), which open files. Problems are
//! counted in [`stats`](SummaryWriter::stats) and reported once through the crate [`log`](https://docs.rs/log). A program
//! without a logger gets the reports on stderr, unless [`WriterOptions::stderr`] or the environment variable
//! `SUMMARY_WRITER_LOG=off` turns that off. [`flush`](SummaryWriter::flush) and [`close`](SummaryWriter::close) also return
//! write errors. All functions have the same [`Error`]. Its message does not include the cause, so print the chain of sources,
//! for example with `anyhow` and `{:#}`.
//!
//! # Reading
//!
//! [`EventReader`] reads event files and runs, also those of other writers and files that are still growing. The module
//! [`reader`] decodes their values. [`record`] reads and writes TFRecord files with any payload, and [`proto`] has the
//! messages.
//!
//! [`reader::verify()`] reports what is damaged in files, runs and logdirs. [`reader::repair_to`] and
//! [`reader::repair_in_place`] keep what is sound, and [`EventReader::skip_damage`] reads it. [`reader::compact()`] merges the files of
//! each run.
//!
//! The module [`reduce`] makes one curve out of the curves of many runs, such as ranks or seeds.
//!
//! # Features
//!
//! - `png` (default): images and animations, from slices.
//! - `image`: [`SummaryWriter::image`] takes the images of the crate [`image`](https://docs.rs/image) 0.25, such as
//!   `DynamicImage`.
//! - `flate2` (default): compressed TFRecord streams, in [`record`]. Event files are never compressed.
//! - `serde`: [`HParams`] from any struct that serializes.
//! - `candle`: scalars, histograms and images from the tensors of [`candle-core`](https://docs.rs/candle-core), 0.9 to 0.11:
//!   see the module `integrations::candle`. Version 0.11 does not compile with Rust 1.88.
//! - `half`: the 16-bit floats of the crate [`half`](https://docs.rs/half) 2, wherever numbers are taken.
//! - `ndarray`: [`Histogram`], [`Image`] and [`Embedding`] from the arrays and views of the crate
//!   [`ndarray`](https://docs.rs/ndarray), 0.15 to 0.17.
//! - `object-store`: writers and readers of `s3://`, `gs://` and `az://` URLs: see [`object_stores`].
//! - `onnx`: graphs of ONNX models, with `Graph::from_onnx`.
//! - `metrics`: `integrations::MetricsRecorder` logs the counters, gauges and histograms of the crate
//!   [`metrics`](https://docs.rs/metrics) 0.24.
//! - `tracing`: `integrations::TracingLayer` logs the events and spans of the crate [`tracing`](https://docs.rs/tracing), by
//!   `tracing-subscriber` 0.3.
//! - `cli`: the program `summary-writer`, which inspects, verifies, repairs, merges, exports and reduces event files:
//!   `cargo install --path . --features cli` in a checkout, then `summary-writer --help`.
//!
//! For burn, the package `summary-writer-burn` in `examples/burn` has a logger for its learner.
//!
//! Cargo may choose the newest `candle-core` or `ndarray` for this crate although your program uses an older one. The types of
//! two versions differ, and rustc reports "multiple different versions of crate". For a program with `ndarray = "0.16"`, this
//! command makes both use 0.16: `cargo update ndarray@0.17 --precise 0.16.1`. For one with `candle-core = "0.9"`:
//! `cargo update candle-core@0.11 --precise 0.9.2`.
//!
//! # More
//!
//! - [`cookbook`]: recipes, from a sweep of hyperparameters to a test of what is logged.
//! - [`coming_from`]: PyTorch, tensorboardX, TensorFlow, tensorboard-rs or tboard, call by call.
//! - [`not_shown`]: why TensorBoard does not show what was logged.
//! - [`what_can_be_lost`]: which records remain after each kind of failure.
//! - [`object_stores`]: how to log to S3, Google Cloud Storage and Azure, and what it costs.
//! - [`platforms`]: where the crate works, and what differs on Windows.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "object-store"),
    allow(
        clippy::infallible_destructuring_match,
        reason = "with the feature, a path may lead to an object store"
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::cast_possible_truncation
    )
)]

// rustdoc lists the methods of a type in the order of the modules, so `writer` comes first.
mod writer;

mod embedding;
mod error;
mod event;
mod location;
mod platform;
mod rank;
mod replace_file;
mod report;
#[cfg(feature = "object-store")]
mod store;
mod summary;
#[cfg(test)]
mod test_io;

pub mod coming_from;
pub mod cookbook;
pub mod current;
pub mod graph;
pub mod integrations;
pub mod not_shown;
pub mod object_stores;
pub mod platforms;
pub mod proto;
pub mod reader;
pub mod record;
pub mod reduce;
pub mod training;
pub mod what_can_be_lost;

// Each public item has one path: here are the ones that most programs need. `tests/public_names.txt` lists all of them.
pub use embedding::Embedding;
pub use error::{Error, Result};
pub use event::{Step, ToWallTime, WallTime};
pub use graph::graph_def::Graph;
pub use graph::model::{Layer, Model};
#[cfg(feature = "object-store")]
pub use object_store;
pub use rank::{Rank, RankPolicy};
pub use reader::events::EventReader;
#[cfg(feature = "png")]
pub use summary::Image;
pub use summary::{Audio, HParams, Histogram, Mesh, PrCurve, Scalar, Tag, Tensor, Text};
pub use training::logger::TrainingLogger;
pub use writer::{
    Stats, SummaryWriter, SyncPolicy, WhenFull, WriterOptions, unique_logdir, unique_logdir_for,
};

/// For the images dashboard: boxes on an [`Image`], confusion matrices, and samples. Needs the feature `png`, which is a
/// default.
#[cfg(feature = "png")]
pub mod images {
    pub use crate::summary::{BoundingBox, ConfusionMatrix, Sample};
}

/// For the hyperparameters dashboard: the columns of its table, and the status of a session.
///
/// [`HParams`] has the hyperparameters of one training.
pub mod hparams {
    #[doc(no_inline)]
    pub use crate::proto::hparams::{DatasetType, Status as SessionStatus};
    pub use crate::summary::{Experiment, HParamInfo, HParamValue, MetricInfo};
}

/// For the mesh dashboard: camera, lights and material of a [`Mesh`].
pub mod mesh {
    pub use crate::summary::{Camera, Light, Material, Scene};
}

/// The layout of the custom scalars dashboard, which draws several curves into one chart.
pub mod custom_scalars {
    pub use crate::summary::{Category, Layout, Margin};
}

/// For dashboards without a method of their own: the elements of a [`Tensor`], and the metadata that names its dashboard.
pub mod tensor {
    pub use crate::summary::{Element, Metadata};
}

/// Compiles the examples of the README, if the features that they need are enabled.
#[cfg(all(doctest, feature = "png"))]
#[doc = include_str!("../README.md")]
struct Readme;
