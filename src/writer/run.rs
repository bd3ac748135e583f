//! One run while it is open: its queue, its worker thread, its directory and its child runs.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::mem;
#[cfg(feature = "object-store")]
use std::path::MAIN_SEPARATOR;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::budget::Budget;
use super::encoder;
use super::frame;
use super::lock;
use super::options::WriterOptions;
use super::queue::{Queue, is_worker_thread};
use super::resume;
#[cfg(feature = "object-store")]
use super::segments::{Deadline, SEGMENT_BYTES, SegmentOptions, Segments};
use super::series::{ClipCounts, FirstMeshes, SeriesWarnings};
use super::session::Session;
use super::sink::{EventFile, Sink, Stream};
use super::stats::Counters;
use super::worker::{self, SyncPolicy};
use crate::error::{Error, Result, quoted};
use crate::event::WallTime;
use crate::platform::Timeout;
use crate::report::{self, Reporter};
#[cfg(feature = "object-store")]
use crate::store::StoreDir;

/// The child runs without a handle that have a file and a thread, so that a program that uses a few runs in turn does not open
/// files all the time.
const MAX_IDLE_RUNS: usize = 32;
/// How long the opening of a run waits for another one to be suspended. The wait is limited because a disk may hang.
const SUSPEND_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a close waits for an object store.
#[cfg(feature = "object-store")]
const STORE_CLOSE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a worker that gives up may take to write the pending records to a local directory.
#[cfg(feature = "object-store")]
const GIVE_UP_TIME: Duration = Duration::from_secs(10);

/// One event file or stream with its worker, shared by all handles.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) queue: Arc<Queue>,
    worker: Mutex<Worker>,
    /// The encoder's thread could not be started, which was reported.
    has_encoder_failed: AtomicBool,
    pub(super) options: WriterOptions,
    /// `None` for a stream.
    directory: Option<RunDirectory>,
    /// The event file that is being written.
    path: Option<Arc<Mutex<PathBuf>>>,
    /// The child runs that were opened through this run, which keeps them open, by their directory.
    children: Mutex<BTreeMap<PathBuf, Arc<Run>>>,
    pub(super) session: Arc<Session>,
    pub(super) counters: Arc<Counters>,
    pub(super) clip_counts: ClipCounts,
    pub(super) first_meshes: FirstMeshes,
    #[cfg(feature = "object-store")]
    deadline: Arc<Deadline>,
}

/// Where a run is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Local(PathBuf),
    #[cfg(feature = "object-store")]
    Store(StoreDir),
}

/// The worker, or what it has left.
#[derive(Debug)]
enum Worker {
    /// Returns the sink if the run is suspended, and an error once the worker has ended. The thread is never joined: Windows
    /// drops thread-local variables under a lock that each thread needs to exit, so a join would deadlock if the last handle is
    /// such a variable.
    Active(Receiver<SinkAndWarnings>),
    Suspended(SinkAndWarnings),
    /// The callers write.
    Inline,
    Ended,
}

type SinkAndWarnings = Box<(Sink, SeriesWarnings)>;

#[derive(Debug)]
pub(super) struct RunDirectory {
    pub(super) place: Place,
    /// The local path, or the URL.
    dir: PathBuf,
    open_runs: Arc<Mutex<OpenRuns>>,
    /// Older files of other processes were reported for one of the runs that were opened from the same root.
    are_older_files_reported: Arc<AtomicBool>,
}

/// The runs that were opened from the same root.
#[derive(Debug, Default)]
struct OpenRuns {
    /// By their directory, so that none is opened twice: by the paths that were given, and by the canonical one, because two
    /// names may mean the same directory. Windows and macOS ignore case, and there are links.
    by_dir: HashMap<PathBuf, Weak<Run>>,
    /// The child runs with a file and a thread. The least recently opened first.
    active: Vec<(Arc<Queue>, Weak<Run>)>,
}

impl Run {
    /// Opens a run directory that has no parent.
    pub(super) fn open_dir(options: WriterOptions, place: Place) -> Result<Self> {
        let directory = RunDirectory::new(place, Arc::default(), Arc::default());
        let now = options.clock.now();
        Self::open(options, directory, Arc::default(), now)
    }

    /// Creates an event file in the directory. Its first record is written before this returns, so that opening fails if
    /// writing does.
    fn open(
        options: WriterOptions,
        directory: RunDirectory,
        budget: Arc<Budget>,
        now: WallTime,
    ) -> Result<Self> {
        let dir = &directory.dir;
        let reporter = Reporter::new(quoted(dir) + ": ", options.stderr);
        let counters = Arc::new(Counters::new(reporter.clone()));
        let mut limits = options.limits();
        // In an object store, each write is an upload.
        limits.writes_encoded_at_once = matches!(directory.place, Place::Local(_));
        let queue = Queue::new(limits, budget, reporter, b"");
        let session = Arc::<Session>::default();
        #[cfg(feature = "object-store")]
        let deadline = Arc::<Deadline>::default();
        let mut path = None;
        let (queue, worker) = start_worker(queue, &options, || {
            let mut warnings = SeriesWarnings::new(Arc::clone(&counters)).in_dir(dir);
            let resumed = match options.resume {
                Some(resume) => {
                    resume.prepare(&directory.place, now, &counters.reporter, &mut warnings)?
                }
                None => Default::default(),
            };
            if resumed.has_session {
                session.resume();
            }
            if resumed.has_graph {
                counters.continue_graph();
            }
            let suffix = options.filename_suffix.clone();
            let version_frame = frame::version_frame(now);
            let (sink, older_files) = match &directory.place {
                Place::Local(dir) => {
                    let (file, older_files) = EventFile::create(
                        dir,
                        suffix,
                        version_frame,
                        &resumed.start_frames,
                        options.sync != SyncPolicy::Never,
                        Arc::clone(&counters),
                    )?;
                    path = Some(Arc::clone(file.shared_path()));
                    let file = file.with_max_bytes(options.max_file_bytes.unwrap_or(u64::MAX));
                    (Sink::File(file.into()), older_files)
                }
                #[cfg(feature = "object-store")]
                Place::Store(dir) => {
                    let settings = SegmentOptions {
                        suffix,
                        version_frame,
                        start_frames: resumed.start_frames,
                        max_bytes: options.max_file_bytes.unwrap_or(SEGMENT_BYTES),
                        interval: options.flush_interval,
                        spill_dir: options.spill_dir.clone(),
                        deadline: Arc::clone(&deadline),
                    };
                    let (segments, older_files) =
                        Segments::open(dir.clone(), settings, Arc::clone(&counters))?;
                    path = Some(Arc::clone(segments.shared_path()));
                    (Sink::Segments(segments.into()), older_files)
                }
            };
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
            Ok(Box::new((sink, warnings)))
        })?;
        resume::note_open_run(dir, &queue);
        let mut run = Self::new(queue, worker, counters, options);
        run.directory = Some(directory);
        run.path = path;
        run.session = session;
        #[cfg(feature = "object-store")]
        {
            run.deadline = deadline;
        }
        Ok(run)
    }

    /// Starts to write to a stream.
    pub(super) fn open_stream(options: WriterOptions, stream: Stream) -> Result<Self> {
        let reporter = Reporter::new("", options.stderr);
        let counters = Arc::new(Counters::new(reporter.clone()));
        let queue = Queue::new(
            options.limits(),
            Arc::default(),
            reporter,
            &frame::version_frame(options.clock.now()),
        );
        let warnings = SeriesWarnings::new(Arc::clone(&counters));
        let sink_and_warnings = Box::new((Sink::Stream(stream), warnings));
        let (queue, worker) = start_worker(queue, &options, || Ok(sink_and_warnings))?;
        Ok(Self::new(queue, worker, counters, options))
    }

    /// Creates a closed run.
    pub(super) fn closed(options: WriterOptions) -> Self {
        let queue = Queue::closed(options.limits());
        Self::new(Arc::new(queue), Worker::Ended, Arc::default(), options)
    }

    fn new(
        queue: Arc<Queue>,
        worker: Worker,
        counters: Arc<Counters>,
        options: WriterOptions,
    ) -> Self {
        Self {
            queue,
            worker: Mutex::new(worker),
            has_encoder_failed: AtomicBool::default(),
            options,
            directory: None,
            path: None,
            children: Mutex::default(),
            session: Arc::default(),
            clip_counts: ClipCounts::new(Arc::clone(&counters)),
            first_meshes: FirstMeshes::new(Arc::clone(&counters)),
            #[cfg(feature = "object-store")]
            deadline: Arc::default(),
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
        let is_shortened = |part: &str| part.ends_with(['.', ' ']);
        if cfg!(windows) && name.split(['/', '\\']).any(is_shortened) {
            let problem = format!(
                "no part of it may end in `.` or a space, which Windows removes, got {name:?}"
            );
            return Err(Error::invalid("run name", problem));
        }
        let directory = self.require_directory("run")?;
        let place = directory.child(name)?;
        let dir = place.path();
        // A logger may open child runs, too, and a clock is code of the program: both run without the lock.
        let now = self.options.clock.now();
        let child = report::after(|| directory.open_child(self, place, now))?;
        let mut children = lock(&self.children);
        let is_new = children.insert(dir, Arc::clone(&child)).is_none();
        // Not at each opening, which would take longer the more runs there are.
        if is_new && children.len().is_power_of_two() {
            children.retain(|_, child| !child.queue.is_closed());
        }
        Ok(child)
    }

    /// Suspends the child runs beyond [`MAX_IDLE_RUNS`] that have no handle, the least recently opened first. A disk that fails
    /// keeps them active.
    pub(super) fn suspend_idle_runs(&self) {
        // A worker must not wait for another one.
        let Some(directory) = self.directory.as_ref().filter(|_| !is_worker_thread()) else {
            return;
        };
        let idle = lock(&directory.open_runs).take_idle();
        for (queue, run) in idle {
            let is_suspended = run.upgrade().is_none_or(|run| run.suspend());
            if !is_suspended {
                lock(&directory.open_runs).active.insert(0, (queue, run));
            }
        }
    }

    /// Suspends the run unless it has a handle. Returns whether it has no open file and no thread.
    fn suspend(&self) -> bool {
        let is_suspended = self.queue.suspend(SUSPEND_TIMEOUT);
        drop(self.lock_worker());
        is_suspended || self.queue.has_ended()
    }

    /// Locks the worker, and takes its sink if the run is suspended. The worker returns it then, so the wait is short.
    fn lock_worker(&self) -> MutexGuard<'_, Worker> {
        let mut worker = lock(&self.worker);
        if self.queue.is_suspended()
            && let Worker::Active(returned) = &*worker
        {
            *worker = returned.recv().map_or(Worker::Ended, Worker::Suspended);
        }
        worker
    }

    /// Starts a new worker if the run is suspended.
    pub(super) fn resume(&self) -> Result<()> {
        let mut worker = self.lock_worker();
        if !matches!(*worker, Worker::Suspended(_)) {
            return Ok(());
        }
        let (sender, new_worker) = spawn_worker(&self.queue, self.options.sync)?;
        if let Worker::Suspended(sink_and_warnings) = mem::replace(&mut *worker, new_worker) {
            self.queue.resume();
            sender.send(sink_and_warnings).ok();
        }
        Ok(())
    }

    pub(super) fn dir(&self) -> Option<&Path> {
        Some(&self.directory.as_ref()?.dir)
    }

    /// Returns the place, or an error if the run is closed or a stream. `what` needs the place.
    pub(super) fn require_open_place(&self, what: &'static str) -> Result<&Place> {
        if self.queue.is_closed() {
            return Err(Error::Closed);
        }
        let directory = self.require_directory(what)?;
        self.warn_if_moved();
        Ok(&directory.place)
    }

    /// Warns if files that are created now would not be next to the event file.
    fn warn_if_moved(&self) {
        let is_local = matches!(
            &self.directory,
            Some(RunDirectory {
                place: Place::Local(_),
                ..
            })
        );
        if is_local
            && let Some(path) = self.path()
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
        let timeout = Timeout::new(timeout);
        let children: Vec<_> = lock(&self.children).values().cloned().collect();
        let open = children.iter().filter(|run| !run.queue.is_closed());
        let outcome = self.queue.flush(timeout.left());
        open.fold(outcome, |outcome, run| {
            outcome.and(run.flush(timeout.left()))
        })
    }

    /// Closes this run and the child runs without other handles, and flushes the other child runs. A worker that has not ended
    /// when the time is over continues without its handle, so that nobody waits for it later.
    pub(super) fn close(&self, timeout: Duration) -> Result<()> {
        if self.queue.is_forked() {
            return Err(Error::Closed);
        }
        let timeout = Timeout::new(timeout);
        let grace = self.limit_close(timeout.left());
        self.queue
            .begin_close(&self.session.end_frame(&self.options.clock))?;
        if let Err(error) = self.resume() {
            self.queue.end(Some(error));
        }
        let outcome = self.queue.await_end(timeout.left().saturating_add(grace));
        let worker = mem::replace(&mut *lock(&self.worker), Worker::Ended);
        // The sink may drop the last handle on the worker's own thread.
        if let Worker::Active(returned) = worker
            && self.queue.has_ended()
            && !self.queue.is_own_worker()
        {
            returned.recv().ok(); // The worker has reported its last error.
            self.queue.reporter.await_reports(timeout.left());
        }
        let children = mem::take(&mut *lock(&self.children));
        children.into_values().fold(outcome, |outcome, run| {
            let timeout = timeout.left();
            outcome.and(match run.queue.has_handle() {
                true => run.flush(timeout),
                false => run.close(timeout),
            })
        })
    }

    /// Returns how long a close waits if its caller does not say it.
    pub(super) fn close_timeout(&self) -> Duration {
        let default = match self.directory.as_ref().map(|directory| &directory.place) {
            #[cfg(feature = "object-store")]
            Some(Place::Store(_)) => STORE_CLOSE_TIMEOUT,
            _ => Duration::MAX,
        };
        self.options.close_timeout.unwrap_or(default)
    }

    /// Tells the worker of a run in an object store when to give up. Returns how long it may take for that.
    fn limit_close(&self, timeout: Duration) -> Duration {
        match self.directory.as_ref().map(|directory| &directory.place) {
            #[cfg(feature = "object-store")]
            Some(Place::Store(_)) => {
                self.deadline.set(timeout);
                GIVE_UP_TIME
            }
            _ => {
                let _ = timeout;
                Duration::ZERO
            }
        }
    }

    /// Pushes a record that the encoder's thread encodes, or this call if the writer has no threads.
    pub(super) fn push_deferred(
        &self,
        raw_bytes: usize,
        make_frame: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        if !self.options.is_unthreaded {
            return self
                .queue
                .push_deferred(raw_bytes, make_frame, || self.start_encoder());
        }
        let mut frame = Vec::new();
        match make_frame(&mut frame) {
            Ok(()) => self.queue.push(&frame),
            Err(error) => self.queue.reject(&error),
        }
    }

    /// Starts the thread of an encoder. If that fails and no other encoder runs, this call encodes what is waiting. The thread
    /// is not joined: it ends soon after the worker, and only the worker writes.
    #[cold]
    fn start_encoder(&self) {
        let queue = Arc::clone(&self.queue);
        let thread = thread::Builder::new()
            .name("summary-encoder".into())
            .spawn(move || {
                report::report_in_background();
                encoder::run(&queue);
            });
        if let Err(error) = thread {
            if !self.has_encoder_failed.swap(true, Ordering::Relaxed) {
                self.queue.reporter.warn(format_args!(
                    "could not start a thread that encodes images and audio, so their calls do it: {error}"
                ));
            }
            encoder::run_without_thread(&self.queue);
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let worker = self.worker.get_mut();
        let worker = worker.unwrap_or_else(PoisonError::into_inner);
        if self.queue.is_forked() {
            // The thread does not exist in this process, and it may have been in the middle of returning the sink.
            mem::forget(mem::replace(worker, Worker::Ended));
        } else if !matches!(worker, Worker::Ended) {
            // An error was logged when it happened.
            self.close(self.close_timeout()).ok();
        }
    }
}

impl Place {
    /// The local path, or the URL.
    fn path(&self) -> PathBuf {
        match self {
            Self::Local(dir) => dir.clone(),
            #[cfg(feature = "object-store")]
            Self::Store(dir) => dir.url().into(),
        }
    }
}

impl RunDirectory {
    fn new(
        place: Place,
        open_runs: Arc<Mutex<OpenRuns>>,
        are_older_files_reported: Arc<AtomicBool>,
    ) -> Self {
        Self {
            dir: place.path(),
            place,
            open_runs,
            are_older_files_reported,
        }
    }

    /// Returns the place of the run `name` below this one.
    fn child(&self, name: &str) -> Result<Place> {
        match &self.place {
            // Joining the components makes `a//b/` the same as `a/b`.
            Place::Local(dir) => Ok(Place::Local(dir.join(name).components().collect())),
            #[cfg(feature = "object-store")]
            Place::Store(dir) => {
                let parts = name.split(['/', MAIN_SEPARATOR]);
                let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
                dir.child(&parts.join("/")).map(Place::Store)
            }
        }
    }

    /// Returns the run at `place`, and opens it if it is not open.
    fn open_child(&self, parent: &Run, place: Place, now: WallTime) -> Result<Arc<Run>> {
        let dir = &*place.path();
        let mut open_runs = lock(&self.open_runs);
        let find = |dir: &Path| {
            let run = open_runs.by_dir.get(dir)?.upgrade();
            Some(run.filter(|run| !run.queue.is_closed()))
        };
        let mut known = find(dir);
        // A canonical path needs several system calls, so an open run is found without it.
        if !matches!(known, Some(Some(_)))
            && let Ok(canonical) = fs::canonicalize(dir)
        {
            known = find(&canonical).or(known);
        }
        let is_known = known.is_some();
        if let Some(Some(run)) = known {
            open_runs.add(dir, &run);
            return Ok(run);
        }
        parent.warn_if_moved();
        let mut options = parent.options.clone();
        if is_known {
            options.resume = None; // The run has only what this program has logged.
        }
        let directory = Self::new(
            place,
            Arc::clone(&self.open_runs),
            Arc::clone(&self.are_older_files_reported),
        );
        let run = Arc::new(Run::open(
            options,
            directory,
            Arc::clone(&parent.queue.budget),
            now,
        )?);
        if let Ok(dir) = fs::canonicalize(dir) {
            open_runs.add(&dir, &run);
        }
        open_runs.add(dir, &run);
        Ok(run)
    }
}

impl OpenRuns {
    /// Adds a run that is being opened, as the one that was opened last.
    fn add(&mut self, dir: &Path, run: &Arc<Run>) {
        self.by_dir.insert(dir.into(), Arc::downgrade(run));
        let added = &run.queue;
        self.active
            .retain(|(queue, run)| !Arc::ptr_eq(queue, added) && run.strong_count() > 0);
        self.active.push((Arc::clone(added), Arc::downgrade(run)));
    }

    /// Takes the active runs out that must be suspended.
    fn take_idle(&mut self) -> Vec<(Arc<Queue>, Weak<Run>)> {
        let is_idle = |(queue, _): &mut (Arc<Queue>, _)| !queue.has_handle();
        let idle_count = self
            .active
            .iter_mut()
            .filter_map(|run| is_idle(run).then_some(()))
            .count();
        let excess = idle_count.saturating_sub(MAX_IDLE_RUNS);
        self.active.extract_if(.., is_idle).take(excess).collect()
    }
}

/// Starts the worker of `queue`, which writes to the sink that `open` returns and checks what it has written. The thread starts
/// before the sink is opened, so that nothing is left in the file system if there is no thread.
fn start_worker(
    queue: Queue,
    options: &WriterOptions,
    open: impl FnOnce() -> Result<SinkAndWarnings>,
) -> Result<(Arc<Queue>, Worker)> {
    if options.encoder_threads == 0 {
        let problem = "expected at least 1, got 0; `unthreaded` starts no thread";
        return Err(Error::invalid("encoder_threads", problem));
    }
    if options.is_unthreaded {
        let (sink, mut warnings) = *open()?;
        let inspect = move |frames: &[u8]| warnings.check(frames);
        let queue = queue.with_inline(sink, options.sync, inspect);
        return Ok((Arc::new(queue), Worker::Inline));
    }
    let queue = Arc::new(queue);
    let (sender, worker) = spawn_worker(&queue, options.sync)?;
    sender.send(open()?).map_err(|_| {
        Error::stream(
            "start the writer's thread",
            io::ErrorKind::BrokenPipe.into(),
        )
    })?;
    Ok((queue, worker))
}

/// Starts the thread of a worker, which waits for its sink.
fn spawn_worker(queue: &Arc<Queue>, sync: SyncPolicy) -> Result<(Sender<SinkAndWarnings>, Worker)> {
    let queue = Arc::clone(queue);
    let (sender, receiver) = mpsc::channel::<SinkAndWarnings>();
    let (returner, returned) = mpsc::channel();
    thread::Builder::new()
        .name("summary-writer".into())
        .spawn(move || {
            report::report_in_background();
            // There is no sink if it could not be opened.
            let Ok(sink_and_warnings) = receiver.recv() else {
                return;
            };
            let (sink, mut warnings) = *sink_and_warnings;
            let sink = worker::run(&queue, sink, sync, |frames| warnings.check(frames));
            if let Some(sink) = sink {
                returner.send(Box::new((sink, warnings))).ok();
            }
        })
        .map_err(|error| Error::stream("start the writer's thread", error))?;
    Ok((sender, Worker::Active(returned)))
}
