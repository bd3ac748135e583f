//! A run while it is open: its event file, and the thread behind it.

use std::mem;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::clips::ClipCounts;
use super::place::Place;
use super::resume::Past;
use super::run_name::RunName;
use super::series::{Found, Series};
use super::session::Session;
use super::sink::{EventFile, Paths, Sink};
use super::tray::Tray;
use super::worker::{self, SyncPolicy};
use super::{WriterOptions, enter, frames};
use crate::error::{Error, Result};

/// One event file and its thread, shared by all handles.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) tray: Arc<Tray>,
    /// Taken when the thread is joined.
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(super) options: WriterOptions,
    pub(super) paths: Option<Arc<Paths>>,
    /// The runs below that were asked for through this one, which keeps them open.
    pub(super) children: Mutex<Vec<Arc<Run>>>,
    /// Where this run is among all that have come from one call of `create_file_writer`; a stream has no place.
    pub(super) place: Option<Place>,
    pub(super) session: Arc<Session>,
    pub(super) saturated_step_count: AtomicU64,
    pub(super) replaced_wall_time_count: AtomicU64,
    pub(super) oversized_mesh_count: AtomicU64,
    pub(super) clip_counts: Arc<ClipCounts>,
    pub(super) found: Arc<Found>,
    /// Calls with a graph. The first is written.
    pub(super) graph_count: AtomicU64,
}

impl Run {
    pub(super) fn to_file(options: WriterOptions, place: Place) -> Result<Self> {
        let synced = options.sync != SyncPolicy::Never;
        let suffix = options.filename_suffix.clone();
        let (dir, resume) = (place.dir.clone(), options.resume);
        let mut past = Past::default();
        // The file's first record is written at once: opening is the place to fail.
        let run = Self::start(options, &[], Some(place), || {
            if let Some(resume) = resume {
                past = resume.prepare(&dir)?;
            }
            let first = frames::version_frame();
            EventFile::create(&dir, suffix, first, &past.start_frames, synced).map(Sink::File)
        })?;
        if let Some(end_frame) = past.session {
            run.session.go_on(end_frame);
        }
        Ok(run)
    }

    /// Starts a worker with `first` to write to what `open` gives. The thread comes before the sink: if it cannot be had,
    /// nothing is left behind.
    pub(super) fn start(
        options: WriterOptions,
        first: &[u8],
        place: Option<Place>,
        open: impl FnOnce() -> Result<Sink>,
    ) -> Result<Self> {
        let found = Arc::new(Found::default());
        let run_name = RunName::of(place.as_ref().map(|place| place.dir.as_path()));
        let mut series = Series::new(Arc::clone(&found), run_name.clone());
        let tray = Arc::new(Tray::new(options.limits(), run_name, first));
        let opened = Arc::new(OnceLock::<Mutex<Option<Sink>>>::new());
        let thread = {
            let tray = Arc::clone(&tray);
            let opened = Arc::clone(&opened);
            let sync = options.sync;
            thread::Builder::new()
                .name("summary-writer".into())
                .spawn(move || {
                    let sink = enter(opened.wait()).take();
                    if let Some(sink) = sink {
                        worker::run(&tray, sink, sync, |frames| series.watch(frames));
                    }
                })
                .map_err(|error| Error::stream("start the writer's thread", error))?
        };
        let sink = open();
        let paths = match &sink {
            Ok(Sink::File(file)) => Some(Arc::clone(file.paths())),
            _ => None,
        };
        let (sink, outcome) = match sink {
            Ok(sink) => (Some(sink), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // Also after an error: the thread waits. A channel does the same in 25 KiB of a program that has no other.
        opened.get_or_init(|| Mutex::new(sink));
        outcome?;
        let mut run = Self::of(tray, options);
        run.thread = Mutex::new(Some(thread));
        run.paths = paths;
        run.place = place;
        run.found = found;
        Ok(run)
    }

    /// A run without a thread and a place.
    pub(super) fn of(tray: Arc<Tray>, options: WriterOptions) -> Self {
        let clip_counts = Arc::new(ClipCounts::new(tray.run_name.clone()));
        Self {
            tray,
            thread: Mutex::default(),
            options,
            paths: None,
            children: Mutex::default(),
            place: None,
            session: Arc::default(),
            saturated_step_count: AtomicU64::new(0),
            replaced_wall_time_count: AtomicU64::new(0),
            oversized_mesh_count: AtomicU64::new(0),
            clip_counts,
            found: Arc::default(),
            graph_count: AtomicU64::new(0),
        }
    }

    pub(super) fn close(&self) -> Result<()> {
        if self.tray.process.is_forked() {
            return Err(Error::Closed);
        }
        let outcome = self.tray.close(&self.session.end_frame());
        self.join();
        let children = mem::take(&mut *enter(&self.children));
        children.into_iter().fold(outcome, |outcome, run| {
            outcome.and(match Arc::try_unwrap(run) {
                Ok(run) => run.close(),
                Err(run) => run.flush(Duration::MAX),
            })
        })
    }

    fn join(&self) {
        let Some(thread) = enter(&self.thread).take() else {
            return;
        };
        // What its own sink or logger drops, the worker cannot wait for.
        if !self.tray.is_worker() && thread.join().is_err() {
            log::error!(
                "{}the sink of the summary writer panicked",
                self.tray.run_name
            );
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.tray.process.is_forked() {
            // The thread is not here, neither to be joined nor to be let go.
            let thread = self
                .thread
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            mem::forget(thread.take());
        } else {
            // An error was reported when it happened.
            self.close().ok();
        }
    }
}
