//! Handles that log less than they are told, or to more than one run.

use std::fmt;
use std::iter;
use std::sync::{Arc, Mutex, OnceLock};

use super::chunks::MakeFrame;
use super::tray::Tray;
use super::{Run, SummaryWriter, WriterOptions, enter};
use crate::error::{Error, Result};
use crate::event::Step;

/// What a call of a handle has to ask, and whom else to tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Detour {
    /// All must hold.
    conditions: Vec<Condition>,
    /// Handles of other runs; only these runs matter, not how the handles are.
    others: Vec<SummaryWriter>,
}

#[derive(Clone)]
enum Condition {
    Never,
    /// 0 is never.
    Every(u64),
    If(Arc<dyn Fn(i64) -> bool + Send + Sync>),
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("Never"),
            Self::Every(steps) => write!(f, "Every({steps})"),
            Self::If(_) => f.write_str("If"),
        }
    }
}

impl Condition {
    fn holds(&self, step: i64) -> bool {
        match self {
            Self::Never => false,
            Self::Every(steps) => *steps != 0 && step.unsigned_abs().is_multiple_of(*steps),
            Self::If(condition) => condition(step),
        }
    }
}

impl Detour {
    fn holds(&self, step: i64) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.holds(step))
    }

    /// The same for the runs below.
    pub(super) fn child(&self, name: &str) -> Result<Self> {
        let others = self.others.iter().map(|other| other.run(name));
        Ok(Self {
            conditions: self.conditions.clone(),
            others: others.collect::<Result<_>>()?,
        })
    }
}

impl SummaryWriter {
    /// A writer that writes nothing, opens no file and has no thread: for processes that are not to log, as all ranks of a
    /// training but the first. Its calls cost a few nanoseconds, and succeed. So do its runs, scopes and so on, which are
    /// disabled, too.
    ///
    /// ```
    /// use summary_writer::SummaryWriter;
    /// # let dir = tempfile::tempdir()?;
    /// # let (logdir, rank) = (dir.path(), 1);
    ///
    /// let summary = match rank {
    ///     0 => SummaryWriter::create_file_writer(logdir)?,
    ///     _ => SummaryWriter::disabled(),
    /// };
    /// summary.scalar("loss", 0.5, 0);
    /// summary.close()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disabled() -> Self {
        let options = WriterOptions::new();
        let tray = Arc::new(Tray::ended(options.limits()));
        Self::of(Arc::new(Run::of(tray, options))).when(Condition::Never)
    }

    /// A handle that logs only what has a step that is a multiple of `steps`, 0 among them: for what is worth logging now and
    /// then. With 0 it logs nothing. What has no step of its own, as a graph, counts as step 0.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// # let weights = [0.5f32];
    /// let sparse = summary.record_every(100);
    /// for step in 0..1000 {
    ///     summary.scalar("loss", 0.5, step);
    ///     sparse.histogram("weights", &weights, step); // counted and logged at steps 0, 100, 200 ...
    ///     if sparse.is_recording(step) {
    ///         // What is dear to have.
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn record_every(&self, steps: u64) -> Self {
        self.when(Condition::Every(steps))
    }

    /// A handle that logs only what has a step for which `condition` holds, and the conditions that this handle has
    /// already. It is asked on the caller's thread.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let evaluating = Arc::new(AtomicBool::new(false));
    /// let asked = Arc::clone(&evaluating);
    /// let summary = summary.record_if(move |_step| asked.load(Ordering::Relaxed));
    /// summary.scalar("score", 1, 0); // not logged
    /// evaluating.store(true, Ordering::Relaxed);
    /// summary.scalar("score", 2, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn record_if(&self, condition: impl Fn(i64) -> bool + Send + Sync + 'static) -> Self {
        self.when(Condition::If(Arc::new(condition)))
    }

    /// Whether this handle logs what has this step: `false` of a [disabled](Self::disabled) writer, else what
    /// [`record_every`](Self::record_every) and [`record_if`](Self::record_if) say.
    pub fn is_recording(&self, step: impl Step) -> bool {
        self.detour.is_none() || self.is_recorded(step.to_i64())
    }

    /// A handle that logs to the run of `other`, too: the same records, which are made once, with the prefix, the clock and
    /// the conditions of this handle; those of `other` do not matter, and of a disabled one there is nothing to log to.
    /// Flushing and closing it is that of both, and [`run`](Self::run) opens a run below each; [`stats`](Self::stats) and
    /// [`path`](Self::path) are of the first.
    ///
    /// ```
    /// use summary_writer::{SummaryWriter, WriterOptions};
    /// # let dir = tempfile::tempdir()?;
    /// # let (fast_disk, archive) = (dir.path().join("a"), dir.path().join("b"));
    ///
    /// let summary = SummaryWriter::create_file_writer(fast_disk)?;
    /// let archive = WriterOptions::new().create_file_writer(archive)?;
    /// let summary = summary.tee(&archive);
    /// summary.scalar("loss", 0.5, 0); // in both
    /// summary.close()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tee(&self, other: &SummaryWriter) -> Self {
        let mut detour = self.detour.as_deref().cloned().unwrap_or_default();
        for other in [other].into_iter().chain(other.others()) {
            let is_known = |known: &Self| Arc::ptr_eq(&known.run, &other.run);
            if !other.is_disabled() && !is_known(self) && !detour.others.iter().any(is_known) {
                detour.others.push(other.clone());
            }
        }
        Self {
            detour: Some(Arc::new(detour)),
            ..self.clone()
        }
    }

    pub(super) fn is_disabled(&self) -> bool {
        let is_never = |condition: &Condition| matches!(condition, Condition::Never);
        let detour = self.detour.as_deref();
        detour.is_some_and(|detour| detour.conditions.iter().any(is_never))
    }

    fn when(&self, condition: Condition) -> Self {
        let mut detour = self.detour.as_deref().cloned().unwrap_or_default();
        detour.conditions.push(condition);
        Self {
            detour: Some(Arc::new(detour)),
            ..self.clone()
        }
    }

    /// [`is_recording`](Self::is_recording), of a step that may be the nearest one.
    #[inline]
    pub(super) fn is_recorded(&self, step: Result<i64, i64>) -> bool {
        let step = step.unwrap_or_else(|nearest| nearest);
        self.detour
            .as_deref()
            .is_none_or(|detour| detour.holds(step))
    }

    /// The handles beside this one that a tee has.
    pub(super) fn others(&self) -> &[SummaryWriter] {
        let detour = self.detour.as_deref();
        detour.map_or(&[], |detour| &detour.others)
    }

    /// The runs that this handle logs to.
    pub(super) fn runs(&self) -> impl Iterator<Item = &Run> {
        let others = self.others().iter().map(|other| &*other.run);
        iter::once(&*self.run).chain(others)
    }

    /// For each run that this handle logs to, a handle of that alone, with the prefix and the clock of this one.
    pub(super) fn each(&self) -> impl Iterator<Item = Self> {
        let of = |handle: &Self| Self {
            visit: Arc::clone(&handle.visit),
            run: Arc::clone(&handle.run),
            prefix: self.prefix.clone(),
            wall_time: self.wall_time,
            detour: None,
        };
        iter::once(of(self)).chain(self.others().iter().map(of))
    }

    /// Puts a frame in the tray, or in those of all runs.
    #[inline]
    pub(super) fn put(&self, frame: &[u8]) {
        self.run.tray.accept(frame);
        for other in self.others() {
            other.run.tray.accept(frame);
        }
    }

    /// Puts a record whose frame is made later in the tray, or in those of all runs, of which the first that gets there
    /// makes it.
    pub(super) fn put_deferred(
        &self,
        bytes: usize,
        make_frame: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        if self.others().is_empty() {
            return self.run.tray.defer(bytes, make_frame);
        }
        let shared = Arc::new(Shared {
            make_frame: Mutex::new(Some(Box::new(make_frame))),
            frame: OnceLock::new(),
        });
        for run in self.runs() {
            let shared = Arc::clone(&shared);
            let append = move |out: &mut Vec<u8>| shared.append_to(out);
            run.tray.defer(bytes, append);
        }
    }
}

/// A frame for several trays.
struct Shared {
    /// Taken by who makes it.
    make_frame: Mutex<Option<Box<MakeFrame>>>,
    frame: OnceLock<Result<Vec<u8>>>,
}

impl Shared {
    fn append_to(&self, out: &mut Vec<u8>) -> Result<()> {
        let frame = self.frame.get_or_init(|| {
            let Some(make_frame) = enter(&self.make_frame).take() else {
                return Err(Error::invalid("record", "its encoder panicked"));
            };
            let mut frame = Vec::new();
            make_frame(&mut frame).map(|()| frame)
        });
        out.extend_from_slice(frame.as_ref().map_err(Error::clone)?);
        Ok(())
    }
}
