//! Tables for users of PyTorch, tensorboardX, TensorFlow, tensorboard-rs and tboard: each of their calls, and the call here.
//!
//! The left columns describe PyTorch 2, tensorboardX 2.6.5, TensorFlow 2 with TensorBoard 2.21, tensorboard-rs 0.5.9 and tboard
//! 0.1.1, according to their source code. The calls in the right columns are compiled in the example below each table.
//!
//! # The main differences
//!
//! | | the other libraries | this crate |
//! |---|---|---|
//! | step | optional in PyTorch and tensorboardX, with the default 0. The default loader of TensorBoard shows one point of a series whose steps are all 0 | an argument of every call. [`CurrentStep`] takes it from the thread |
//! | records that a killed program loses | tensorboardX: its buffer, up to two minutes. TensorFlow: up to ten records. PyTorch without TensorFlow, and tensorboard-rs: what their threads have not written yet | up to 200 ms |
//! | full disk | PyTorch, TensorFlow: a call fails. tensorboardX: a call waits forever. tensorboard-rs: a call panics | no logging call fails or waits. `flush`, `close` and `stats` return the error |
//! | buckets of a histogram | PyTorch, tensorboardX: 1,548 buckets, whose width grows by 10 % from one to the next away from 0, and an error if there are no values. TensorFlow: as here | 30 buckets of equal width. If there are far outliers, use more: `Histogram::with_buckets` |
//! | NaN in a histogram | an error, wrong edges, or left out silently | left out, and counted in the scalar `<tag>/non_finite` |
//! | ranks | each program has its own rule who logs | [`WriterOptions::rank`](crate::WriterOptions::rank) with [`Rank::from_env`](crate::Rank::from_env) |
//! | a mean over runs | the package tensorboard-reducer | [`reduce`](crate::reduce), and `summary-writer reduce` |
//! | threads | one object, used by one thread. TensorBoard's own `Writer` is not thread-safe | clone the writer, and use it from any thread |
//!
//! # PyTorch
//!
//! Options of `torch.utils.tensorboard.SummaryWriter`:
//!
//! | PyTorch | this crate |
//! |---|---|
//! | `SummaryWriter("runs/a")` | `SummaryWriter::create_file_writer("runs/a")?` |
//! | `SummaryWriter()`, which writes to `runs/May04_22-14-54_host` | `create_file_writer(unique_logdir("runs")?)?`, which writes to `runs/20260504-221454` (UTC). The directory is always new |
//! | `comment="_lr0.1"` | `unique_logdir("runs/lr0.1")?` |
//! | `purge_step=n` | `WriterOptions::new().resume(n)`. It removes the points from the files. PyTorch only hides them in TensorBoard, and the default loader hides the old points of a tag only when a new point of that tag arrives |
//! | `flush_secs=120` | `flush_interval`, 200 ms by default |
//! | `max_queue=10`: the next call waits if ten events are pending | `max_pending_bytes`, 64 MiB by default, and `when_full` |
//! | `filename_suffix` | `filename_suffix` |
//!
//! Methods. Most of them take a `walltime`. Here, `summary.at(walltime)` sets it for any call.
//!
//! | PyTorch | this crate |
//! |---|---|
//! | `add_scalar(tag, v, step)` | `scalar(tag, v, step)` |
//! | `add_scalars("loss", {"train": a, "val": b}, step)`: the tag `loss` in the runs `loss_train` and `loss_val` | `scalar_in_runs("loss", [("train", a), ("val", b)], step)?`: the tag `loss` in the runs `train` and `val`. `scalars` is different: it logs several tags in one record |
//! | `add_histogram(tag, v, step)`, `bins="auto"`, `max_bins` | `histogram(tag, &v, step)`, `Histogram::with_buckets(&v, n)?` |
//! | `add_histogram_raw(..)` | `Histogram::from_buckets(&edges, &counts)?`, with one more edge than counts |
//! | `add_image(tag, chw, step)`, floats from 0 to 1 or `uint8` | `Image::rgb_f32_chw(w, h, &chw)?`, `Image::rgb8_chw` |
//! | `dataformats="HWC"`, `"HW"` | `Image::rgb_f32`, `Image::gray_f32`, `Image::rgb8`, `Image::gray8` |
//! | `add_images(tag, nchw, step)`: one grid | `Image::grid(Image::batch_nchw(shape, &samples)?, columns)?`. `images` logs them separately, with a slider |
//! | `add_image_with_boxes(tag, image, boxes, labels=..)` | `image.with_boxes([BoundingBox::new(x1, y1, x2, y2).label("cat")])?` |
//! | `add_video(tag, ntchw, step, fps=4)`: a GIF | `Image::animation(frames, 4)?`: a GIF |
//! | `add_figure(tag, figure, step)` | `Image::encoded(png)?` of a file from your plotting crate, or [its pixels](crate::cookbook#heat-maps-and-plots) |
//! | matplotlib's `imshow` of a matrix | `Image::heat_map(width, height, &values)?` |
//! | `add_audio(tag, samples, step, sample_rate=44100)` | `Audio::mono_f32(44_100, &samples)?` |
//! | `add_text(tag, s, step)`: adds `/text_summary` to the tag, and shows the text in a table of one cell | `text(tag, s, step)` |
//! | `add_pr_curve(tag, labels, p, step, num_thresholds=127, weights)` | `PrCurve::new(&labels, &p)?` with 201 thresholds, `PrCurve::weighted` |
//! | `add_pr_curve_raw(..)` | `PrCurve::from_counts(..)?`, which computes precision and recall |
//! | `add_mesh(tag, vertices, colors, faces, config_dict, step)` | `Mesh::new(&vertices)?.faces(..)?.colors(..)?.scene(..)`, and `Mesh::batch` for several |
//! | `add_embedding(mat, metadata, label_img, step, tag, metadata_header)` | `Embedding::new(tag, &mat, dimensions)?` with `labels` or `columns`, and `thumbnails` |
//! | `add_graph(model, input)` | `model(&Model::new(..)?)`, with layers that you list |
//! | `add_onnx_graph(path)` | `graph(&Graph::from_onnx(bytes)?)`, with the feature `onnx` |
//! | `add_custom_scalars(layout)`, `.._multilinechart`, `.._marginchart` | `custom_scalars(Layout)` with `Category::multiline` and `margin` |
//! | `add_hparams(hparams, metrics)` at the end: creates a child run with the time as its name | `hparams(HParams)` at the beginning: the run is a row of the table, and its scalars are the metrics. `HParams::from_iter(&map)` takes a map |
//! | `hparam_domain_discrete` | `HParamInfo::discrete` in an [`Experiment`](crate::hparams::Experiment) |
//! | `add_tensor(tag, t, step)`: no stock page shows it | `tensor(tag, tensor, Metadata::new(plugin), step)` |
//! | `file_writer.add_event(event)` | `event(event)` |
//! | `get_logdir()` | `logdir()`, and `path()` for the event file |
//! | `flush()`, `close()`, `with` | `flush()?`, `close()?`, or drop the last handle |
//!
//! ```
//! # #[cfg(feature = "png")] {
//! use std::time::Duration;
//! use summary_writer::custom_scalars::{Category, Layout, Margin};
//! use summary_writer::hparams::{Experiment, HParamInfo};
//! use summary_writer::images::BoundingBox;
//! use summary_writer::mesh::{Camera, Scene};
//! use summary_writer::tensor::Metadata;
//! use summary_writer::{Audio, Embedding, Error, Graph, HParams, Histogram, Image, Layer, Mesh, Model, PrCurve, Tensor};
//! use summary_writer::{WhenFull, WriterOptions, proto, unique_logdir};
//!
//! # let dir = tempfile::tempdir()?;
//! # let runs = dir.path();
//! # let (v, samples, chw) = ([0.1f32, 0.5], [0.0f32; 8], [0.5f32; 12]);
//! let options = WriterOptions::new().flush_interval(Duration::from_secs(2)).max_pending_bytes(64 << 20);
//! let options = options.when_full(WhenFull::DropNew).filename_suffix(".a").resume(100);
//! let summary = options.create_file_writer(unique_logdir(runs.join("lr0.1"))?)?;
//! let step = 100;
//! summary.scalar("loss", 0.5, step);
//! summary.at(1_700_000_000.5).scalar("late", 0.5, step);
//! summary.run("train")?.scalar("loss", 0.4, step);
//! summary.histogram("weights", &v, step);
//! summary.histogram("fine", Histogram::with_buckets(&v, 200)?, step);
//! summary.histogram("counted", Histogram::from_buckets(&[0, 1, 10], &[5, 2])?, step);
//! let image = Image::rgb_f32_chw(2, 2, &chw)?;
//! summary.image("bytes", Image::rgb8_chw(2, 2, [128; 12])?, step);
//! summary.image("hwc", Image::rgb_f32(2, 2, &chw)?, step);
//! summary.image("hw", Image::gray_f32(2, 2, &chw[..4])?, step);
//! summary.images("bytes of each", [Image::rgb8(2, 2, [128; 12])?, Image::gray8(2, 2, [128; 4])?], step);
//! summary.image("grid", Image::grid([&image, &image], 2)?, step);
//! summary.image("boxes", image.with_boxes([BoundingBox::new(0, 0, 2, 1).label("cat")])?, step);
//! summary.image("video", Image::animation([image.clone(), image.clone()], 4)?, step);
//! # let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02\x08\0\0\0\0";
//! summary.image("figure", Image::encoded(png)?, step);
//! summary.audio("speech", Audio::mono_f32(44_100, &samples)?, step);
//! summary.text("notes", "*Markdown*", step);
//! summary.pr_curve("pr", PrCurve::new(&[true, false], &[0.9, 0.2])?, step);
//! summary.pr_curve("weighted", PrCurve::weighted(&[true, false], &[0.9, 0.2], &[1.0, 2.0], 127)?, step);
//! summary.pr_curve("raw", PrCurve::from_counts(&[2.0, 0.0], &[3.0, 0.0], &[0.0, 3.0], &[0.0, 2.0])?, step);
//! let mesh = Mesh::new(&[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])?;
//! let mesh = mesh.faces(&[[0, 1, 2]])?.colors(&[[255, 0, 0]; 3])?;
//! let scene = Scene::new().camera(Camera::new().position([0.0, 0.0, 2.0]))?;
//! summary.mesh("mesh", Mesh::batch([mesh.clone(), mesh])?.scene(&scene), step);
//! let embedding = Embedding::new("words", &[0.1, 0.2, 0.3, 0.4], 2)?.labels(["cat", "dog"])?;
//! let embedding = embedding.columns(["word", "length"], [["cat", "3"], ["fish", "4"]])?;
//! summary.embedding(embedding.thumbnails([&image, &image])?, step)?;
//! let layers = [Layer::input_layer("pixels", [None, Some(784)]), Layer::new("hidden", "Dense")];
//! summary.model(&Model::new("digits", layers)?);
//! # #[cfg(feature = "onnx")]
//! let _ = |model: &[u8]| Ok::<_, Error>(summary.graph(&Graph::from_onnx(model)?));
//! let charts = Category::new("seeds")?.multiline("loss", ["loss"])?.margin("return", [Margin::new("m", "l", "u")])?;
//! summary.custom_scalars(Layout::new().category(charts));
//! summary.hparams(HParams::new().set("lr", 0.1));
//! summary.hparams_experiment(Experiment::new().hparam(HParamInfo::new("lr")?.discrete([0.1, 0.2])?));
//! summary.tensor("raw tensor", Tensor::new([2], &v)?, Metadata::new("my_plugin"), step);
//! summary.event(proto::Event::default());
//! let (_directory, _file) = (summary.logdir(), summary.path());
//! summary.flush()?;
//! summary.close()?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Other differences:
//!
//! - After `close`, a call in PyTorch opens a new file. Here, it is ignored and counted, and a warning is logged.
//! - `add_hparams` stores a `bool` as a number. Here, it stays a `bool`.
//! - Not available here: matplotlib figures, and the graph of a module by tracing it. Describe the layers, or export ONNX.
//! - Directories such as `s3://` are an error here. `WriterOptions::to_sink` writes to any `Write`.
//!
//! # tensorboardX
//!
//! The PyTorch tables apply, and these rows:
//!
//! | tensorboardX | this crate |
//! |---|---|
//! | `write_to_disk=False` | `SummaryWriter::disabled()` |
//! | `add_scalar(.., display_name, summary_description)`, which the default loader ignores | `Tag::new("loss").display_name("Loss").description("*mean*")` |
//! | `add_scalars("loss", {"train": a}, step)`: the run `loss/train`. Keeps all values in memory | `scalar_in_runs("loss", [("loss/train", a)], step)?` |
//! | `export_scalars_to_json(path)` | the program `summary-writer export RUN --format jsonl`, which reads the files |
//! | `use_metadata(global_step=step, walltime=t)` | `current::set_step(step)` with [`CurrentStep`], and `at(t)` |
//! | `add_audio(tag, frames_by_channels, step)` | `Audio::stereo_f32(44_100, &samples)?` |
//! | `GlobalSummaryWriter.getSummaryWriter()` | `as_default()`, then `current::scalar(..)` on that thread |
//!
//! ```
//! use summary_writer::current::{self, CurrentStep};
//! use summary_writer::{Audio, SummaryWriter, Tag};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! SummaryWriter::disabled().scalar("loss", 0.5, 0);
//! let summary = SummaryWriter::create_file_writer(logdir)?;
//! summary.scalar(Tag::new("loss").display_name("Loss").description("*mean*"), 0.5, 0);
//! summary.run("loss/train")?.scalar("loss", 0.5, 0);
//! current::set_step(7);
//! summary.at(1_700_000_000.5).scalar("accuracy", 0.5, CurrentStep);
//! summary.audio("speech", Audio::stereo_f32(44_100, [0.0; 8])?, 7);
//! let _guard = summary.as_default();
//! current::scalar("reward", 0.5, 7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Other differences:
//!
//! - In tags of scalars, histograms and images, tensorboardX replaces all characters except letters, digits, `_`, `-`, `.`
//!   and `/` by `_`, and removes a `/` at the start. Here, tags stay as they are. To continue a series, use its old name.
//! - Floats above 1 wrap around in images of tensorboardX. Here, they are shown as 1.
//! - Two writers of tensorboardX that open one directory in the same second overwrite each other's file. Here, each has its
//!   own file.
//! - Not available here: figures, graphs by tracing, `s3://` and `gs://` (see PyTorch above), graphs of OpenVINO, and copies
//!   to Comet.
//!
//! # TensorFlow
//!
//! The table covers `tf.summary`, the modules in `tensorboard.plugins` (`hp` is `tensorboard.plugins.hparams.api`) and the
//! callback of Keras.
//!
//! | TensorFlow | this crate |
//! |---|---|
//! | `create_file_writer(logdir)` | `SummaryWriter::create_file_writer(logdir)?` |
//! | `max_queue=10`, `flush_millis=120000`, `filename_suffix=".v2"` | `max_pending_bytes`, `flush_interval` and `filename_suffix` of `WriterOptions` |
//! | `create_noop_writer()` | `SummaryWriter::disabled()` |
//! | `with writer.as_default(step):` | `let _guard = summary.as_default();`. Dropping the guard does not flush. The module [`current`](crate::current) has `scalar`, `histogram` and so on for it |
//! | `writer.set_as_default()` | the same, with a guard that you keep |
//! | `experimental.set_step(step)`, `get_step()`, which fails if no step is set | `current::set_step(step)`, `current::step()` and [`CurrentStep`], which start at 0 |
//! | `record_if(condition)`, `should_record_summaries()` | `summary.record_if(condition)`, `record_every` and `is_recording`. They apply to one handle, which may be the default one |
//! | `scalar(name, data, step, description)` | `scalar(Tag::new(name).description("..."), data, step)` |
//! | `histogram(name, data, step, buckets=30)` | `histogram(name, &data, step)`, `Histogram::with_buckets(&data, n)?` |
//! | `image(name, khwc, step, max_outputs=3)` | `images(name, images, step)`, without a limit |
//! | `audio(name, ktc, sample_rate, step, max_outputs=3)` | `audios(name, clips, step)`, without a limit |
//! | `text(name, "...", step)` | `text(name, "...", step)` |
//! | `text(name, matrix_of_strings, step)` | `tensor(name, Tensor::strings(..)?, Metadata::new("text"), step)` |
//! | `mesh.summary_v2.mesh(name, vertices, faces, colors, config_dict, step)` | `mesh(name, Mesh, step)` |
//! | `pr_curve.summary.op(name, labels, predictions, num_thresholds)` | `pr_curve(name, PrCurve, step)` |
//! | `hp.hparams(values, trial_id)` | `hparams(HParams::new().set(..).group(trial_id))`. Without an id, TensorFlow shows trials of equal values as one row. This crate shows one row for each trial |
//! | `hp.hparams_config(hparams, metrics)` | `hparams_experiment(Experiment)`, which is optional |
//! | `hp.KerasCallback` | `hparams`. Closing the writer ends the session |
//! | `tf.keras.callbacks.TensorBoard(logdir)` | `TrainingLogger::new(logdir)` |
//! | `graph(graph_def)` | `graph(&Graph::from_graph_def(bytes)?)` |
//! | `write(tag, tensor, step, metadata)` | `tensor(tag, tensor, metadata, step)` |
//! | `experimental.write_raw_pb(bytes, step)` | `event(event)` |
//! | `flush()`, `writer.close()` | `flush()?`, `close()?` |
//! | `with tf.name_scope("encoder"):` | `summary.scope("encoder")` |
//! | `tensorboard.summary.Writer(logdir).add_scalar(tag, data, step, wall_time=t)` | `summary.at(t).scalar(tag, data, step)` |
//! | `tf.io.TFRecordWriter(path)` | `record::RecordWriter::new(sink)` |
//!
//! ```
//! use std::time::Duration;
//! use summary_writer::current::{self, CurrentStep};
//! use summary_writer::hparams::{Experiment, MetricInfo};
//! use summary_writer::record::RecordWriter;
//! use summary_writer::tensor::Metadata;
//! # #[cfg(feature = "png")]
//! use summary_writer::Image;
//! use summary_writer::{Audio, Graph, HParams, Histogram, Mesh, PrCurve, SummaryWriter, Tag, Tensor};
//! use summary_writer::{TrainingLogger, WriterOptions, proto};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path().join("run");
//! # let (data, step) = ([0.1f32, 0.5], 7);
//! let options = WriterOptions::new().max_pending_bytes(1 << 20).flush_interval(Duration::from_secs(1));
//! let summary = options.filename_suffix(".v2").create_file_writer(&logdir)?;
//! SummaryWriter::disabled().close()?;
//! let guard = summary.as_default();
//! current::set_step(7);
//! current::scalar("loss", 0.5, CurrentStep);
//! assert_eq!(current::step(), 7);
//! assert!(!summary.record_if(|step| step > 7).is_recording(7));
//! assert!(summary.record_every(7).is_recording(7));
//! drop(guard);
//! summary.scalar(Tag::new("accuracy").description("of the *batch*"), 0.5, step);
//! summary.histogram("weights", &data, step);
//! summary.histogram("fine", Histogram::with_buckets(&data, 100)?, step);
//! # #[cfg(feature = "png")]
//! summary.images("input", [Image::gray8(2, 2, [0; 4])?, Image::gray8(2, 2, [255; 4])?], step);
//! summary.audios("speech", [Audio::mono_f32(16_000, [0.0; 8])?], step);
//! summary.text("notes", "*Markdown*", step);
//! summary.tensor("table", Tensor::strings([1, 2], ["lr", "0.1"])?, Metadata::new("text"), step);
//! summary.mesh("cloud", Mesh::new(&[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])?, step);
//! summary.pr_curve("pr", PrCurve::new(&[true, false], &[0.9, 0.2])?, step);
//! summary.hparams(HParams::new().set("lr", 0.1).group("trial 1"));
//! summary.hparams_experiment(Experiment::new().metric(MetricInfo::new("loss")?.group("train")));
//! let mut training = TrainingLogger::new(dir.path().join("keras"));
//! training.on_epoch_end(0, [("loss", 0.5), ("val_loss", 0.6)]);
//! training.on_train_end()?;
//! # let mut graph = summary_writer::graph::GraphBuilder::new();
//! # graph.node("pixels", summary_writer::graph::Op::new("Placeholder"));
//! # let graph_def = graph.build()?.to_graph_def();
//! summary.graph(&Graph::from_graph_def(graph_def)?);
//! summary.event(proto::Event::default());
//! summary.scope("encoder").scalar("norm", 0.5, step);
//! summary.at(1_700_000_000.5).scalar("late", 0.5, step);
//! summary.flush()?;
//! summary.close()?;
//! let mut records = RecordWriter::new(Vec::new());
//! records.write(b"any bytes")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Other differences:
//!
//! - Without a default writer, `tf.summary` logs nothing, silently. Here, an error is reported once.
//! - Not available here: traces of TensorFlow's own functions (`trace_on`, `trace_export`), data for the page of the
//!   profiler, and checkpoints as embeddings (`embeddings_freq`). Times that your program has measured itself appear on the
//!   Graphs page with [`run_metadata`](crate::SummaryWriter::run_metadata).
//!
//! # tensorboard-rs
//!
//! | tensorboard-rs | this crate |
//! |---|---|
//! | `SummaryWriter::new(logdir)`, which panics if it fails | `SummaryWriter::create_file_writer(logdir)?` |
//! | `add_scalar(tag, v, step)` with `f32`, `usize` and `&mut self` | `scalar(tag, v, step)` with any number, any integer and `&self` |
//! | `add_scalars("data", &map, step)`: a run `data/KEY` for each key | `scalar_in_runs("data", [("data/x", v)], step)?`, or `scalars` for many tags in one run |
//! | `add_histogram_raw(tag, min, max, num, sum, sum_squares, limits, counts, step)` | `Histogram::from_buckets(&edges, &counts)?`, or `histogram(tag, &values, step)` |
//! | `add_image(tag, &data, &[3, a, b], step)`: reads `data` as RGB pixels, `a` in each row | `Image::rgb8(a, b, &data)?`. If `data` has one channel after the other: `Image::rgb8_chw(width, height, &data)?` |
//! | `add_graph(&nodes)` | `graph(&graph)` of a `GraphBuilder` |
//! | `flush()`, which does not wait | `flush()?`, which waits, and returns whether the data is written |
//!
//! ```
//! use summary_writer::{Histogram, SummaryWriter};
//!
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! let summary = SummaryWriter::create_file_writer(logdir)?;
//! summary.scalar("loss", 0.5, 0);
//! summary.run("data/x")?.scalar("data", 0.5, 0);
//! summary.scalars(0, [("x", 0.5), ("y", 0.25)]);
//! summary.histogram("counted", Histogram::from_buckets(&[0.0, 1.0, 10.0], &[5, 2])?, 0);
//! summary.histogram("weights", [0.5, 0.25], 0);
//! # #[cfg(feature = "png")] {
//! use summary_writer::Image;
//! summary.image("pixels", Image::rgb8(2, 2, [0; 12])?, 0);
//! summary.image("planes", Image::rgb8_chw(2, 2, [0; 12])?, 0);
//! # }
//! use summary_writer::graph::{GraphBuilder, Op};
//! let mut graph = GraphBuilder::new();
//! let pixels = graph.node("pixels", Op::new("Placeholder"));
//! graph.node("hidden", Op::new("Dense").input(&pixels));
//! summary.graph(&graph.build()?);
//! summary.flush()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A program before the change:
//!
//! ```ignore
#![doc = include_str!("coming_from/tensorboard_rs_before.rs")]
//! ```
//!
//! The same program after it:
//!
#![cfg_attr(feature = "png", doc = "```no_run")]
#![cfg_attr(not(feature = "png"), doc = "```ignore")]
#![doc = include_str!("coming_from/tensorboard_rs_after.rs")]
//! ```
//!
//! Other differences:
//!
//! - Its other methods are `unimplemented!()`. This crate has all methods that work there.
//! - Its queue has no limit, so a slow disk fills the memory. After a disk error, its thread panics, and then the calling thread does.
//!
//! # tboard
//!
//! | tboard | this crate |
//! |---|---|
//! | `EventWriter::create(logdir)?` | `SummaryWriter::create_file_writer(logdir)?` |
//! | `EventWriter::from_writer(sink, None)?` | `WriterOptions::new().to_sink(sink)?` |
//! | `write_scalar(step, tag, v)?` with `i64` and `f32` | `scalar(tag, v, step)` |
//! | `write_histo(step, tag, min, max, num, sum, sum_squares, counts, limits)?` | `Histogram::from_buckets(&edges, &counts)?`, with one more edge than counts, or `histogram(tag, &values, step)` |
//! | `write_image(step, tag, width, height, colorspace, png)?` | `Image::encoded(png)?`, or `Image::rgb8(width, height, &pixels)?` |
//! | `write_audio(step, tag, "audio/wav", wav, frames, channels, rate)?` | `Audio::mono_f32(rate, &samples)?` |
//! | `write_tensor(step, tag, values)?` | `tensor(tag, Tensor::new(shape, &values)?, Metadata::new(plugin), step)` |
//! | `write_event(event)?` | `event(event)` |
//! | `filename()` | `path()` |
//! | `SummaryReader::new(file)` | `EventReader::open(path)?` |
//!
//! A program before the change:
//!
//! ```ignore
#![doc = include_str!("coming_from/tboard_before.rs")]
//! ```
//!
//! The same program after it:
//!
#![cfg_attr(feature = "png", doc = "```no_run")]
#![cfg_attr(not(feature = "png"), doc = "```ignore")]
#![doc = include_str!("coming_from/tboard_after.rs")]
//! ```
//!
//! Other differences:
//!
//! - Its writer needs `protoc` to build, is not thread-safe, and makes several system calls for each record.
//! - Each of its calls returns the errors of the disk. Here, `flush` and `close` return them.
//!
//! [`CurrentStep`]: crate::current::CurrentStep
