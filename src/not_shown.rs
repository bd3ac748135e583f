//! Why does TensorBoard not show my data? By what is seen: the cause, and what helps.
//!
//! First see what is in the files. If the data is there, TensorBoard has read it, left it out or hidden it, and the
//! tables below say why; if not, the program has not logged it, or it is not written yet.
//!
//! ```text
//! $ cargo install --path . --features cli    # in a checkout of this crate
//! $ summary-writer inspect logs
//! run train: 1 file, 6486 bytes, 101 records
//!   tag   kind     points  first step  last step
//!   loss  scalars     100           0         99
//! ```
//!
//! `summary-writer verify logs` tells whether a file is damaged. What a running program has noticed itself is in
//! [`SummaryWriter::stats`], and in its log. A program without a logger of the `log`
//! crate prints it on stderr, in lines that start with `summary-writer:`.
//!
//! Seen with TensorBoard 2.21. It has two loaders: the *fast* one, which is the default for local directories, and the
//! one in *Python*, of `--load_fast=false` and `s3://`.
//!
//! # Nothing shows
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | no runs, no dashboards | `--logdir` is another directory than the program's, which TensorBoard does not complain about, or a file, or several with commas between | the directory, one, that is above the runs; `inspect` the same path |
//! | all is there, as one run `.` | `--logdir` is the run itself. That works, but HParams finds no metrics in such a run | the directory above it |
//! | no run, or a run without data | nothing was logged: the writer is [disabled], closed or in a fork, or a thread has no default writer. A writer that is closed without data removes its file. A program that runs or was killed leaves a file with its first record only | [`Stats::accepted_count`] and [`Stats::ignored_count`] |
//! | the newest points are missing | the page does not reload by itself unless its settings say so, and then every 30 s at the most often; TensorBoard looks for new data every 5 s, by `--reload_interval`, of which 0 is once; the writer waits 200 ms | the button for reloading, above on the right; [`flush`] |
//! | the last points of a program that has ended are missing | [`std::process::exit`], a signal, or a handle in a `static`: nothing closed the writer | [`close`] or [`flush`] before; see [`what_can_be_lost`](crate::what_can_be_lost) |
//! | points stop coming, and the program runs | the disk is full or fails | [`flush`] says why, and [`Stats::failure`] |
//! | a file of your own, by [`to_sink`], is not read | its name must have `tfevents` in it, and it must not be compressed: `tfevents.gz` is read as it is, and given up | another name, no compression |
//!
//! # Runs are missing
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | runs are listed, and no chart has lines | of more than 40 runs the Scalars page and its like select none, of more than 500 Time Series none | tick those that matter, or the box for all; a `--logdir` further down |
//! | a run that another page shows is not on this one | it was unticked. The pages before Time Series keep that in the address (`runSelectionState`), and so do its reloads and bookmarks | the address without what is behind the page's name |
//! | of two processes one shows | both write to one run. The Python loader follows the file that sorts last; the fast one follows both, and steps of one take away points of the other (below). [`Stats::other_writer_count`] | a run for each process; for logs that are there `--reload_multifile=true` with `--load_fast=false` |
//! | a run that was repaired or [resumed] looks as before | the fast loader keeps the file open that was replaced | start TensorBoard anew |
//! | no run gets new points | a record that is no event, or a string that is not UTF-8: the Python loader ends at it for all runs, with a traceback `Exception in thread Reloader` | `summary-writer verify`, `repair` |
//!
//! # Points are missing
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | of many points some show | TensorBoard keeps a sample of each tag (table below), the last point always, the first one perhaps | `--samples_per_plugin scalars=10000,images=100`; 0 keeps all |
//! | one point only | the tag was always logged at one step, as 0 | a step that rises |
//! | the points behind a step are gone | the step went back or came again: a new point takes away those of its tag at its step and beyond (fast loader; the other draws a line back). [`Stats::backward_tag_count`], [`Stats::repeated_tag_count`] | one counter that rises; [`resume`][resumed] for a run that goes on; a run of its own for a second training |
//! | a file ends early | it is damaged: the fast loader gives up at a record that it cannot read, the Python one at a wrong checksum | `summary-writer verify`, `repair` |
//! | steps of many digits are rounded | the browser counts exactly up to 2<sup>53</sup> | smaller steps |
//!
//! | kept of a tag | scalars | histograms | images, audio | text | PR curves | meshes |
//! |---|---|---|---|---|---|---|
//! | fast loader | 1000 | 100 | 10 | 100 | 100 | 100 |
//! | Python | 1000 | 500 | 10 | 10 | 100 | 10 |
//!
//! Of the histograms the Histograms and Time Series pages show 51. The names for `--samples_per_plugin` are `scalars`,
//! `histograms`, `images`, `audio`, `text`, `pr_curves` and `mesh`.
//!
//! # A tag is missing or wrong
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | a tag that is in the files has no chart | the page has a filter for tags, which its address keeps (`tagFilter`), also on reload and in bookmarks | clear the field |
//! | a tag shows as another kind, or with holes | it was used for two kinds in one run. The first one counts; the fast loader drops the others, and with them points behind their steps, the Python one answers with an error. [`Stats::mixed_tag_count`] | a tag for each kind: `weights/histogram`, `weights/image` |
//! | images, audio or graphs fail with an error 400 | the fast loader cannot serve them if the tag or the path of the run has `"`, `\` or a control character. [`Stats::unservable_tag_count`] | another name, or `--load_fast=false` |
//! | a description or display name does not show | the loaders take it from the first value of the tag in the run | give it from the first call on |
//! | a [`tensor`] has no page | only plugins that are installed have one, and of another than the stock ones the [data class](crate::Metadata::data_class) must be said | a stock plugin, or [`scalar`] for numbers |
//!
//! # The chart looks wrong
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | two lines for each run, one pale | the strong line is smoothed, by 0.6 unless it was changed; the pale one is what was logged | *Smoothing* 0 in the settings |
//! | a peak leaves the chart | the axis is scaled without outliers, by default | *Ignore outliers in chart scaling* in the settings |
//! | triangles instead of points | NaN or an infinity | it is what was logged |
//! | the axis of time ends in a far future | milliseconds were given to [`at`], which takes seconds. [`Stats::late_tag_count`] | seconds, or a [`SystemTime`](std::time::SystemTime) |
//! | the axis of time begins in 1970 | a wall time of 0, by [`at`] or another writer | the time of the call |
//!
//! # One page
//!
//! | seen | cause | what helps |
//! |---|---|---|
//! | HParams: a row without metrics | the session is in the run `.`; or an [`Experiment`] lists other metrics | a run below the logdir; no `Experiment`, for it hides what it does not list |
//! | HParams: a second `hparams` changes nothing | the first one of a run counts | a run for each training |
//! | HParams: the filter of a column hides runs | the column is text in one run, so the filter takes it for text, and hides the runs that have a number or a `bool` there | one type for each name; see [`HParamValue`](crate::HParamValue) |
//! | HParams: the status is unknown | the program was killed, or runs | [`session_end`], or closing the writer |
//! | Projector: new points are missing | it looks for them when a run comes or goes only | start TensorBoard anew |
//! | Projector: a run does not open | its name has one of `#%&+` | another name |
//! | Projector: not there | the logdir is `s3://` | a local copy |
//! | Custom Scalars: an empty chart | a pattern is matched from the start of the tag; a tag with a `(` cannot be drawn | `.*loss`; [`literal`] for the whole tag; a tag without `(` |
//! | Custom Scalars: a line without its band | the three tags of a margin have different steps | [`scalars`], which logs them together |
//! | Images: all white, or all black | floats of 0 to 255 where 1 is white, or all NaN. [`Stats::doubtful_image_count`] | divide by 255; find the NaN |
//! | Images: slanted stripes | width and height are swapped: an array of the shape `[height, width]` has its height first | `Image::from_hwc` and its like take both from the shape |
//! | a page that shows a [`tensor`] fails, or lacks it | its type, shape or data class is not the page's, or its text is not UTF-8. [`Stats::unfit_tensor_count`] | the method of the page, such as [`text`] |
//! | Audio: a tag fails | its steps have different numbers of clips. [`Stats::uneven_audio_count`] | a tag for each clip |
//! | Mesh: blank | faces are seen from one side only | turn it, or a material that is [double-sided](crate::Material::double_sided) |
//! | Mesh: a step without its colours, or with another scene | the parts, the scene and the batch size are those of the first step. [`Stats::changed_mesh_count`] | a tag for each form |
//! | Mesh: an error 500 | more than 256 MiB of one tag. [`Stats::oversized_mesh_count`] | fewer vertices, or `--samples_per_plugin mesh=10` |
//! | Graphs: another graph | there is one for each run, the first that was logged. [`Stats::refused_graph_count`] | a run for each |
//! | Text: line breaks, `*` or `__` are gone | the text is Markdown | [`Text::preformatted`](crate::Text::preformatted) |
//! | Text: tags of HTML show as text | that is what TensorBoard allows | Markdown |
//!
//! # It is slow
//!
//! The Python loader takes some 10 s for 100,000 points, and reads one run at a time unless `--max_reload_threads` says
//! more; the fast loader needs no such flag. `--load_fast=true` says why there is none, where it does not start.
//!
//! [`SummaryWriter::stats`]: crate::SummaryWriter::stats
//! [`Stats::accepted_count`]: crate::Stats::accepted_count
//! [`Stats::ignored_count`]: crate::Stats::ignored_count
//! [`Stats::failure`]: crate::Stats::failure
//! [`Stats::other_writer_count`]: crate::Stats::other_writer_count
//! [`Stats::backward_tag_count`]: crate::Stats::backward_tag_count
//! [`Stats::repeated_tag_count`]: crate::Stats::repeated_tag_count
//! [`Stats::mixed_tag_count`]: crate::Stats::mixed_tag_count
//! [`Stats::doubtful_image_count`]: crate::Stats::doubtful_image_count
//! [`Stats::unfit_tensor_count`]: crate::Stats::unfit_tensor_count
//! [`text`]: crate::SummaryWriter::text
//! [`Stats::uneven_audio_count`]: crate::Stats::uneven_audio_count
//! [`Stats::oversized_mesh_count`]: crate::Stats::oversized_mesh_count
//! [`Stats::unservable_tag_count`]: crate::Stats::unservable_tag_count
//! [`Stats::late_tag_count`]: crate::Stats::late_tag_count
//! [`Stats::changed_mesh_count`]: crate::Stats::changed_mesh_count
//! [`Stats::refused_graph_count`]: crate::Stats::refused_graph_count
//! [`Experiment`]: crate::Experiment
//! [disabled]: crate::SummaryWriter::disabled
//! [resumed]: crate::WriterOptions::resume
//! [`flush`]: crate::SummaryWriter::flush
//! [`close`]: crate::SummaryWriter::close
//! [`to_sink`]: crate::WriterOptions::to_sink
//! [`tensor`]: crate::SummaryWriter::tensor
//! [`scalar`]: crate::SummaryWriter::scalar
//! [`literal`]: crate::Category::literal
//! [`scalars`]: crate::SummaryWriter::scalars
//! [`at`]: crate::SummaryWriter::at
//! [`session_end`]: crate::SummaryWriter::session_end
