//! One run while it is open: its queue, its worker thread, its directory and its child runs.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::encoder;
use super::frame;
use super::lock;
use super::options::WriterOptions;
use super::queue::Queue;
use super::resume;
use super::series::{ClipCounts, FirstMeshes, SeriesWarnings};
use super::session::Session;
use super::sink::{EventFile, Sink, Stream};
use super::stats::Counters;
use super::worker::{self, SyncPolicy};
use crate::error::{Error, Result};
use crate::report::Reporter;

/// One event file or stream with its worker, shared by all handles.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) queue: Arc<Queue>,
    /// The worker. Taken when the thread is joined.
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Whether the encoder's thread could be started, once somebody needed it.
    has_encoder: OnceLock<bool>,
    pub(super) options: WriterOptions,
    /// `None` for a stream.
    directory: Option<RunDirectory>,
    /// The event file that is being written.
    path: Option<Arc<Mutex<PathBuf>>>,
    /// The child runs that were opened through this run, which keeps them open.
    children: Mutex<Vec<Arc<Run>>>,
    pub(super) session: Arc<Session>,
    pub(super) counters: Arc<Counters>,
    pub(super) clip_counts: Arc<ClipCounts>,
    pub(super) first_meshes: FirstMeshes,
}

#[derive(Debug)]
pub(super) struct RunDirectory {
    dir: PathBuf,
    open_runs: OpenRuns,
    /// Older files of other processes were reported for one of the runs that were opened from the same root.
    are_older_files_reported: Arc<AtomicBool>,
}

/// The runs that were opened from the same root, by their directory, so that none is opened twice.
type OpenRuns = Arc<Mutex<HashMap<PathBuf, Weak<Run>>>>;

impl Run {
    /// Opens a run directory that has no parent.
    pub(super) fn open_dir(options: WriterOptions, dir: PathBuf) -> Result<Self> {
        let directory = RunDirectory {
            dir,
            open_runs: OpenRuns::default(),
            are_older_files_reported: Arc::default(),
        };
        Self::open(options, directory)
    }

    /// Creates an event file in the directory. Its first record is written before this returns, so that opening fails if
    /// writing does.
    fn open(options: WriterOptions, directory: RunDirectory) -> Result<Self> {
        let dir = &directory.dir;
        let reporter = Reporter::new(format!("{dir:?}: "), options.stderr);
        let counters = Arc::new(Counters::new(reporter.clone()));
        let queue = Queue::new(options.limits(), reporter, b"");
        let session = Arc::<Session>::default();
        let mut path = None;
        let (queue, thread) = start_worker(queue, options.sync, || {
            let mut warnings = SeriesWarnings::new(Arc::clone(&counters)).in_dir(dir);
            let resumed = match options.resume {
                Some(resume) => resume.prepare(dir, &counters.reporter, &mut warnings)?,
                None => Default::default(),
            };
            if resumed.has_session {
                session.resume();
            }
            if resumed.has_graph {
                counters.continue_graph();
            }
            let (file, older_files) = EventFile::create(
                dir,
                options.filename_suffix.clone(),
                frame::version_frame(),
                &resumed.start_frames,
                options.sync != SyncPolicy::Never,
                Arc::clone(&counters),
            )?;
            let needs_report = options.resume.is_none() && older_files.are_of_others();
            if needs_report
                && !directory
                    .are_older_files_reported
                    .swap(true, Ordering::Relaxed)
            {
                counters.reporter.warn(
                    "the directory has event files of an earlier start or of another program: TensorBoard drops points if steps \
                     go back; resume the run with WriterOptions::resume, or give each start a directory of its own with \
                     unique_logdir",
                );
            }
            path = Some(Arc::clone(file.shared_path()));
            Ok((Sink::File(file.into()), warnings))
        })?;
        resume::note_open_run(dir, &queue);
        let mut run = Self::new(queue, Some(thread), counters, options);
        run.directory = Some(directory);
        run.path = path;
        run.session = session;
        Ok(run)
    }

    /// Starts to write to a stream.
    pub(super) fn open_stream(options: WriterOptions, stream: Stream) -> Result<Self> {
        let reporter = Reporter::new("", options.stderr);
        let counters = Arc::new(Counters::new(reporter.clone()));
        let queue = Queue::new(options.limits(), reporter, &frame::version_frame());
        let warnings = SeriesWarnings::new(Arc::clone(&counters));
        let (queue, thread) =
            start_worker(queue, options.sync, || Ok((Sink::Stream(stream), warnings)))?;
        Ok(Self::new(queue, Some(thread), counters, options))
    }

    /// Creates a closed run.
    pub(super) fn closed(options: WriterOptions) -> Self {
        let queue = Queue::closed(options.limits());
        Self::new(Arc::new(queue), None, Arc::default(), options)
    }

    fn new(
        queue: Arc<Queue>,
        thread: Option<JoinHandle<()>>,
        counters: Arc<Counters>,
        options: WriterOptions,
    ) -> Self {
        Self {
            queue,
            thread: Mutex::new(thread),
            has_encoder: OnceLock::new(),
            options,
            directory: None,
            path: None,
            children: Mutex::default(),
            session: Arc::default(),
            clip_counts: Arc::new(ClipCounts::new(Arc::clone(&counters))),
            first_meshes: FirstMeshes::new(Arc::clone(&counters)),
            counters,
        }
    }

    /// Returns the run `name` below this one, and opens it if it is not open.
    pub(super) fn child(&self, name: &str) -> Result<Arc<Self>> {
        if self.queue.is_closed() {
            return Err(Error::Closed);
        }
        let is_plain = |part| matches!(part, Component::Normal(_));
        let is_relative = !name.is_empty() && Path::new(name).components().all(is_plain);
        if !is_relative || name.contains('\0') || name.contains("://") {
            let problem =
                format!("it must be a relative path without `..` and `://`, got {name:?}");
            return Err(Error::invalid("run name", problem));
        }
        let directory = self.require_directory("run")?;
        // Joining the components makes `a//b/` the same as `a/b`.
        let dir: PathBuf = directory.dir.join(name).components().collect();
        let child = directory.open_child(self, dir)?;
        let mut children = lock(&self.children);
        children.retain(|child| !child.queue.is_closed());
        if !children.iter().any(|known| Arc::ptr_eq(known, &child)) {
            children.push(Arc::clone(&child));
        }
        Ok(child)
    }

    pub(super) fn dir(&self) -> Option<&Path> {
        Some(&self.directory.as_ref()?.dir)
    }

    /// Returns the directory, or an error if the run is closed or a stream. `what` needs the directory.
    pub(super) fn require_open_dir(&self, what: &'static str) -> Result<&Path> {
        if self.queue.is_closed() {
            return Err(Error::Closed);
        }
        let directory = self.require_directory(what)?;
        self.warn_if_moved();
        Ok(&directory.dir)
    }

    /// Warns if files that are created now would not be next to the event file.
    fn warn_if_moved(&self) {
        if let Some(path) = self.path()
            && !path.exists()
        {
            self.counters.warn_about_move();
        }
    }

    fn require_directory(&self, what: &'static str) -> Result<&RunDirectory> {
        let problem = "it needs a directory, but this writer writes to a stream";
        let directory = self.directory.as_ref();
        directory.ok_or_else(|| Error::invalid(what, problem))
    }

    /// Returns the path of the event file; `None` for a stream, and in a fork, where the lock may never be released.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let path = self.path.as_ref()?;
        (!self.queue.is_forked()).then(|| lock(path).clone())
    }

    /// Flushes this run and the child runs that are open.
    pub(super) fn flush(&self, timeout: Duration) -> Result<()> {
        // In a fork, the lock of the children may never be released.
        if self.queue.is_forked() {
            return Err(Error::Closed);
        }
        let start = Instant::now();
        let children = lock(&self.children).clone();
        let open = children.iter().filter(|run| !run.queue.is_closed());
        let outcome = self.queue.flush(timeout);
        open.fold(outcome, |outcome, run| {
            outcome.and(run.flush(timeout.saturating_sub(start.elapsed())))
        })
    }

    /// Closes this run and the child runs without other handles, and flushes the other child runs. A worker that has not ended
    /// when the time is over continues without its handle, so that nobody waits for it later.
    pub(super) fn close(&self, timeout: Duration) -> Result<()> {
        if self.queue.is_forked() {
            return Err(Error::Closed);
        }
        let start = Instant::now();
        let outcome = self.queue.close(&self.session.end_frame(), timeout);
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread
            && self.queue.has_ended()
        {
            self.join(thread);
        }
        let children = mem::take(&mut *lock(&self.children));
        children.into_iter().fold(outcome, |outcome, run| {
            let timeout = timeout.saturating_sub(start.elapsed());
            outcome.and(match Arc::try_unwrap(run) {
                Ok(run) => run.close(timeout),
                Err(run) => run.flush(timeout),
            })
        })
    }

    fn join(&self, thread: JoinHandle<()>) {
        // The sink or the logger may drop the last handle on the worker's own thread.
        if !self.queue.is_own_worker() && thread.join().is_err() {
            self.queue
                .reporter
                .error("the sink of the summary writer panicked");
        }
    }

    /// Pushes a record that the encoder's thread encodes. If the thread cannot be started, the call encodes it.
    pub(super) fn push_deferred(
        &self,
        raw_bytes: usize,
        make_frame: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        if self.queue.is_closed() {
            return self.queue.count_ignored(); // without starting a thread
        }
        if self.has_encoder() {
            return self.queue.push_deferred(raw_bytes, make_frame);
        }
        let mut frame = Vec::new();
        match make_frame(&mut frame) {
            Ok(()) => self.queue.push(&frame),
            Err(error) => self.queue.refuse(&error),
        }
    }

    /// Returns whether the encoder's thread runs. The first call starts it. Nobody joins it: it ends soon after the worker, and
    /// only the worker writes.
    fn has_encoder(&self) -> bool {
        let mut failure = None;
        let has_encoder = *self.has_encoder.get_or_init(|| {
            let queue = Arc::clone(&self.queue);
            failure = thread::Builder::new()
                .name("summary-encoder".into())
                .spawn(move || encoder::run(&queue))
                .err();
            failure.is_none()
        });
        if let Some(error) = failure {
            self.queue.reporter.warn(format_args!(
                "could not start a thread that encodes images and audio, so their calls do it: {error}"
            ));
        }
        has_encoder
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let thread = self.thread.get_mut();
        let thread = thread.unwrap_or_else(PoisonError::into_inner);
        if self.queue.is_forked() {
            // The thread does not exist in this process, so it can be neither joined nor detached.
            mem::forget(thread.take());
        } else if thread.is_some() {
            // An error was logged when it happened.
            self.close(Duration::MAX).ok();
        }
    }
}

impl RunDirectory {
    /// Returns the run in the directory `dir`, and opens it if it is not open.
    fn open_child(&self, parent: &Run, dir: PathBuf) -> Result<Arc<Run>> {
        let mut open_runs = lock(&self.open_runs);
        let known = open_runs.get(&dir);
        let open = known.and_then(Weak::upgrade);
        if let Some(run) = open.filter(|run| !run.queue.is_closed()) {
            return Ok(run);
        }
        parent.warn_if_moved();
        let mut options = parent.options.clone();
        if known.is_some() {
            options.resume = None; // The run has only what this program has logged.
        }
        let directory = Self {
            dir: dir.clone(),
            open_runs: Arc::clone(&self.open_runs),
            are_older_files_reported: Arc::clone(&self.are_older_files_reported),
        };
        let run = Arc::new(Run::open(options, directory)?);
        open_runs.insert(dir, Arc::downgrade(&run));
        Ok(run)
    }
}

/// Starts the worker of `queue`, which writes to the sink that `open` returns and checks what it has written. The thread starts before the sink is opened, so
/// that nothing is left in the file system if there is no thread.
fn start_worker(
    queue: Queue,
    sync: SyncPolicy,
    open: impl FnOnce() -> Result<(Sink, SeriesWarnings)>,
) -> Result<(Arc<Queue>, JoinHandle<()>)> {
    let queue = Arc::new(queue);
    let (sender, receiver) = mpsc::channel::<(Sink, SeriesWarnings)>();
    let thread = {
        let queue = Arc::clone(&queue);
        thread::Builder::new()
            .name("summary-writer".into())
            .spawn(move || {
                // There is no sink if it could not be opened.
                if let Ok((sink, mut warnings)) = receiver.recv() {
                    worker::run(&queue, sink, sync, |frames| warnings.check(frames));
                }
            })
            .map_err(|error| Error::stream("start the writer's thread", error))?
    };
    sender.send(open()?).map_err(|_| {
        Error::stream(
            "start the writer's thread",
            io::ErrorKind::BrokenPipe.into(),
        )
    })?;
    Ok((queue, thread))
}
