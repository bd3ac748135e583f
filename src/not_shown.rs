//! Why does TensorBoard not show my data? The tables list what you see, its cause, and what helps.
//!
//! First look at what is in the files. If the data is there, TensorBoard has not read it, has left it out or hides it, and
//! the tables below say why. Otherwise the program has not logged it, or it is not written yet.
//!
//! ```text
//! $ cargo install --path . --features cli    # in a checkout of this crate
//! $ summary-writer inspect logs
//! run train: 1 file, 6486 bytes, 101 records
//!   tag   kind     points  first step  last step
//!   loss  scalars     100           0         99
//! ```
//!
//! If TensorBoard does not show all points of a tag, `inspect` adds a note, such as `steps go back: TensorBoard shows 10 of 30
//! points`. `summary-writer verify logs` tells whether a file is damaged. A running program counts the problems that it finds in
//! [`SummaryWriter::stats`], and logs them through the crate `log`. Without a logger, it prints them on stderr, in lines that
//! start with `summary-writer:`.
//!
//! TensorBoard has two loaders: the *fast* one, which is the default for local directories, and the one in *Python*, which
//! `--load_fast=false` selects. The tests in `tests/stock` check this page with TensorBoard 2.21 and its pages in a browser.
//!
//! # Nothing shows
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | no runs, no dashboards | `--logdir` is not the program's directory. TensorBoard does not complain about a directory that does not exist, or about a list with commas | the one directory that contains the runs; `inspect` the same path |
//! | all is there, as one run `.` | `--logdir` is the run itself. That works, but HParams finds no metrics in such a run by itself | the directory above it |
//! | no run, or a run without data | nothing was logged: the writer is [disabled], closed or in a fork, or a thread has no default writer. A writer that is closed without data removes its file. If nothing was logged, the file of a running or killed program has only its first record | [`Stats::accepted_count`] and [`Stats::ignored_count`] |
//! | the newest points are missing | the page reloads only if its settings say so, and at most every 30 s. TensorBoard looks for new data every 5 s, or as often as `--reload_interval` says, and the writer waits 200 ms | the reload button of the page; [`flush`] |
//! | the last points of a program that has ended are missing | nothing closed the writer: the program called [`std::process::exit`], a signal killed it, or the handle is in a `static` | [`close`] or [`flush`] before; see [`what_can_be_lost`](crate::what_can_be_lost) |
//! | points stop coming, and the program runs | the disk is full or fails | [`flush`] and [`Stats::failure`] say why |
//! | a file of your own, from [`to_sink`], is not read | its name must contain `tfevents`, and it must not be compressed. TensorBoard does not decompress `tfevents.gz`, so it cannot read it | another name, no compression |
//!
//! # Runs are missing
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | runs are listed, and no chart has lines | if there are more than 40 runs, the Scalars page selects none of them; if there are more than 500, Time Series selects none | tick the runs that matter; a `--logdir` further down |
//! | a run that another page shows is not on this one | it was unticked. The Scalars page keeps that in its address (`runSelectionState`), so a reload or a bookmark brings it back | delete everything after the page's name in the address |
//! | TensorBoard shows one of two processes | both write to one run. The Python loader follows the file that sorts last. The fast one follows both, but the steps of one remove points of the other (see below). [`Stats::other_writer_count`] | a run for each process, or one process that writes: [`WriterOptions::rank`](crate::WriterOptions::rank); for existing logs `--load_fast=false --reload_multifile=true` |
//! | a run that was repaired or [resumed] looks as before | the fast loader still has the old file open, which was replaced | start TensorBoard again |
//! | no run gets new points | one file has a record that is not an event. The Python loader then stops for all runs, with a traceback that begins `Exception in thread Reloader` | `summary-writer verify`, `repair` |
//!
//! # Points are missing
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | only some of many points show | TensorBoard keeps a random sample of each tag (see the table below). The last point is always in it | a large number for each kind: `--samples_per_plugin=scalars=100000,images=1000`. Do not give 0: it hides all points of every kind but histograms |
//! | only one point shows | the tag was always logged at one step, such as 0 | a step that rises |
//! | the points after a step are gone | the step went back or came again. When such a point arrives, the fast loader removes the points of its tag that have the same or a higher step. The Python loader keeps them, so the line goes back. [`Stats::backward_tag_count`], [`Stats::repeated_tag_count`] | one counter that rises; [`resume`][resumed] for a run that continues; another run for a second training |
//! | a file ends early | it is damaged: the fast loader stops at a length with a wrong checksum, the Python loader at any wrong checksum | `summary-writer verify`, `repair` |
//! | scalars of another writer are missing | the fast loader shows only `f32` numbers of rank 0, not the `f64` and integer tensors that PyTorch (`new_style=True, double_precision=True`) and `tf.summary.write` can write | `--load_fast=false`; this crate writes `f32` |
//!
//! | kept of a tag | scalars | histograms | images, audio | text | PR curves | meshes |
//! |---|---|---|---|---|---|---|
//! | fast loader | 1000 | 100 | 10 | 100 | 100 | 100 |
//! | Python | 1000 | 500 | 10 | 10 | 100 | 10 |
//!
//! The Histograms page shows at most 51 histograms of a tag, even if the loader keeps more. `--samples_per_plugin` has the names
//! `scalars`, `histograms`, `images`, `audio`, `text`, `pr_curves` and `mesh`.
//!
//! # A tag is missing or wrong
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | a tag that is in the files has no chart | the page has a filter for tags. Its address keeps the filter (`tagFilter`), so a reload or a bookmark brings it back | clear the field |
//! | a tag shows as another kind, or has gaps | it was used for two kinds in one run, and TensorBoard shows only the first. The fast loader drops the points of the second kind, and those of the first kind that have the same or a higher step. The Python loader serves them as the first kind. [`Stats::mixed_tag_count`] | a tag for each kind: `weights/histogram`, `weights/image` |
//! | images, audio or graphs fail with an error 400 | the fast loader cannot serve them if the tag or the path of the run has `"`, `\` or a control character. [`Stats::unservable_tag_count`] | another name, or `--load_fast=false` |
//! | a description or display name does not show | the loaders take it from the first value of the tag in the run | give it from the first call on |
//! | a [`tensor`] has no page | TensorBoard shows the data of a plugin only if that plugin is installed | a stock plugin, or [`scalar`] for numbers |
//!
//! # The chart looks wrong
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | two lines for each run, one pale | the strong line is smoothed, by 0.6 unless you changed it. The pale one is what was logged | *Smoothing* 0 in the settings |
//! | a peak leaves the chart | by default the axis ignores outliers | *Ignore outliers in chart scaling* in the settings |
//! | triangles instead of points | the number is NaN or infinite | look for the cause in the program: TensorBoard shows what was logged |
//! | the axis of time ends in a far future | milliseconds were given to [`at`], which takes seconds. [`Stats::late_tag_count`] | seconds, or a [`SystemTime`](std::time::SystemTime) |
//! | the axis of time begins in 1970 | [`at`] or another writer gave the wall time 0 | the time of the call |
//!
//! # One page
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | HParams: a row without metrics | the session is in the run `.`, or an [`Experiment`] lists other metrics and hides the rest | a run below the logdir; no `Experiment` |
//! | HParams: a second `hparams` changes nothing | TensorBoard shows the first one of a run | a run for each training |
//! | HParams: the filter of a column hides runs | the column is text in one run, so the filter takes it for text, and hides the runs that have a number or a `bool` there | one type for each name; see [`HParamValue`](crate::hparams::HParamValue) |
//! | HParams: the status is unknown | the program was killed, or still runs | [`session_end`], or closing the writer |
//! | Projector: new points are missing | it looks for embeddings only when a run comes or goes | start TensorBoard again |
//! | Projector: a run does not open | its name has one of `#%&+`, which the page does not encode in its address | another name |
//! | Custom Scalars: an empty chart | a pattern is matched from the start of the tag; a tag with a `(` cannot be drawn | `.*loss`; [`literal`] for the whole tag; a tag without `(` |
//! | Custom Scalars: a margin without its lines | its three tags have different steps | [`scalars`], which logs them together |
//! | Images: all white, or all black | floats of 0 to 255 where 1 is white, or all NaN. [`Stats::doubtful_image_count`] | divide by 255; find the NaN |
//! | Images: slanted stripes | width and height are swapped: an array of the shape `[height, width]` has its height first | `Image::from_hwc` and the other `from_` constructors take both from the shape |
//! | a [`tensor`] is missing on its page, or the page fails | the tensor has a type, shape or data class that the page does not accept, or text that is not UTF-8. [`Stats::unfit_tensor_count`] | the method of the page, such as [`text`] |
//! | Audio: a tag fails | its steps have different numbers of clips. [`Stats::uneven_audio_count`] | a tag for each clip |
//! | Mesh: blank | a face is drawn only from one side | turn it, or use a material that is [double-sided](crate::mesh::Material::double_sided) |
//! | Mesh: a step without its colours, or with another scene | the parts, the scene and the batch size are those of the first step. [`Stats::changed_mesh_count`] | a tag for each form |
//! | Mesh: an error 500 | the points of one tag have more than 256 MiB, the most that the data server may send. [`Stats::oversized_mesh_count`] | fewer vertices, or `--samples_per_plugin=mesh=10` |
//! | Graphs: another graph | there is one for each run, the first that was logged. [`Stats::rejected_graph_count`] | a run for each |
//! | Text: line breaks, `*` or `__` are gone | the text is Markdown | [`Text::preformatted`](crate::Text::preformatted) |
//! | Text: HTML tags show as text | TensorBoard escapes them | Markdown |
//!
//! # It is slow
//!
//! The Python loader checks all checksums in Python, and reads one run at a time unless `--max_reload_threads` says more.
//! Use the fast loader.
//!
//! [`SummaryWriter::stats`]: crate::SummaryWriter::stats
//! [`Stats::accepted_count`]: crate::Stats::accepted_count
//! [`Stats::ignored_count`]: crate::Stats::ignored_count
//! [`Stats::failure`]: crate::Stats::failure
//! [`Stats::other_writer_count`]: crate::Stats::other_writer_count
//! [`Stats::backward_tag_count`]: crate::Stats::backward_tag_count
//! [`Stats::repeated_tag_count`]: crate::Stats::repeated_tag_count
//! [`Stats::mixed_tag_count`]: crate::Stats::mixed_tag_count
//! [`Stats::uneven_audio_count`]: crate::Stats::uneven_audio_count
//! [`Stats::oversized_mesh_count`]: crate::Stats::oversized_mesh_count
//! [`Stats::unservable_tag_count`]: crate::Stats::unservable_tag_count
//! [`Stats::late_tag_count`]: crate::Stats::late_tag_count
//! [`Stats::changed_mesh_count`]: crate::Stats::changed_mesh_count
//! [`Stats::doubtful_image_count`]: crate::Stats::doubtful_image_count
//! [`Stats::unfit_tensor_count`]: crate::Stats::unfit_tensor_count
//! [`text`]: crate::SummaryWriter::text
//! [`literal`]: crate::custom_scalars::Category::literal
//! [`Stats::rejected_graph_count`]: crate::Stats::rejected_graph_count
//! [`Experiment`]: crate::hparams::Experiment
//! [disabled]: crate::SummaryWriter::disabled
//! [resumed]: crate::WriterOptions::resume
//! [`flush`]: crate::SummaryWriter::flush
//! [`close`]: crate::SummaryWriter::close
//! [`to_sink`]: crate::WriterOptions::to_sink
//! [`tensor`]: crate::SummaryWriter::tensor
//! [`scalar`]: crate::SummaryWriter::scalar
//! [`scalars`]: crate::SummaryWriter::scalars
//! [`at`]: crate::SummaryWriter::at
//! [`session_end`]: crate::SummaryWriter::session_end
