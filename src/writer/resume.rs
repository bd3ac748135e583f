//! Resumes a run at a step: removes later steps from its older files, and tells the loaders in the new file.

#[cfg(feature = "object-store")]
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use prost::Message;

use super::SummaryWriter;
use super::file_name;
use super::lock;
use super::queue::Queue;
use super::run::Place;
use super::series::SeriesWarnings;
use crate::embedding;
use crate::error::{Error, Result, quoted};
use crate::event::{PluginKind, Step, WallTime};
use crate::proto::event::What;
use crate::proto::session_log::SessionStatus;
use crate::proto::summary::Value;
use crate::proto::{Event, SessionLog, SourceMetadata, Summary};
use crate::reader::{self, EventReader};
use crate::record;
use crate::report::Reporter;
#[cfg(feature = "object-store")]
use crate::store::{ObjectReader, StoreDir};
use crate::summary::{self, Tag};

/// Kinds whose values belong to the whole run, so that their step has no meaning.
const TIMELESS: [PluginKind; 2] = [PluginKind::CustomScalars, PluginKind::HParams];
/// Kinds that a program may log again each time it starts.
const LOGGED_AT_START: [PluginKind; 4] = [
    PluginKind::CustomScalars,
    PluginKind::HParams,
    PluginKind::Text,
    PluginKind::Graphs,
];
/// Names the writer of an event whose step is a number of batches, because the tag does not tell: `batch_size` may be logged
/// once an epoch. The loaders ignore it.
const BATCH_WRITER: &str = "summary-writer: batches";
/// An event file that was written in this time may still have a writer: a writer that logs writes every
/// [`flush_interval`](super::WriterOptions::flush_interval).
const RECENTLY: Duration = Duration::from_secs(5);

/// The run directories that this process has opened, with the queues of their writers.
static OPENED: Mutex<Vec<(PathBuf, Weak<Queue>)>> = Mutex::new(Vec::new());

/// Does the work of [`SummaryWriter::last_step`].
pub(super) fn last_step(logdir: &Path) -> Result<Option<i64>> {
    let reader = match EventReader::open(logdir) {
        Err(error) if is_not_found(&error) => return Ok(None),
        reader => reader?,
    };
    let mut last = None;
    for event in reader.skip_damage(true) {
        let event = event?;
        let has_step = |value| !is_timeless(value) && !is_of(value, &[PluginKind::Graphs]);
        if values(&event).iter().any(has_step) {
            last = last.max(Some(event.step));
        }
    }
    Ok(last)
}

impl SummaryWriter {
    /// Logs scalars whose step is a number of batches, and marks them as such for [`Resume`].
    pub(crate) fn batch_scalars<'a>(
        &self,
        batches: u64,
        values: impl IntoIterator<Item = (Tag<'a>, f32)>,
    ) {
        if !self.is_recording(batches) {
            return;
        }
        let values = values.into_iter();
        let value: Vec<Value> = values
            .map(|(tag, value)| summary::scalar(self.prefix(), &tag, value))
            .collect();
        if !value.is_empty() {
            let tag = || {
                value
                    .first()
                    .map_or_else(String::new, |value| value.tag.clone())
            };
            self.push_event(&Event {
                wall_time: self.now().as_secs(),
                step: self.saturated(batches.to_i64(), tag),
                what: Some(What::Summary(Summary { value })),
                source_metadata: Some(SourceMetadata {
                    writer: BATCH_WRITER.into(),
                }),
            });
        }
    }

    /// The number of batches that were trained before this run was opened.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the run was resumed without this number.
    pub(crate) fn resumed_batches(&self) -> Result<u64> {
        match self.run.options.resume {
            None => Ok(0),
            Some(Resume {
                batches: Some(batches),
                ..
            }) => Ok(batches),
            Some(Resume { step, .. }) => {
                let problem = format!(
                    "a `TrainingLogger` counts epochs and batches, so its run must be resumed by \
                     `resume_training(epoch, batches)`, got `resume({step})`"
                );
                Err(Error::invalid("training", problem))
            }
        }
    }
}

/// Where a resumed run continues.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    /// The first step that is logged again.
    pub(super) step: i64,
    /// The number of batches that were trained before, if the run has events that count batches.
    pub(super) batches: Option<u64>,
}

/// The state of a run before it was resumed.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// The records that follow the version record in the new file.
    pub(super) start_frames: Vec<u8>,
    /// A session of hyperparameters was started.
    pub(super) has_session: bool,
    /// An older file has the graph of the run.
    pub(super) has_graph: bool,
}

impl Resume {
    /// Removes later steps from the event files and the embeddings of the run `dir`, and damaged and unfinished records. The
    /// checks in `warnings` continue after the points that are retained.
    pub(super) fn prepare(
        self,
        place: &Place,
        now: WallTime,
        reporter: &Reporter,
        warnings: &mut SeriesWarnings,
    ) -> Result<Resumed> {
        if let Some(batches) = self.batches
            && batches > 0
            && u64::try_from(self.step).is_ok_and(|epoch| epoch > batches)
        {
            let problem = format!(
                "expected at least one batch for each epoch, got {} epochs and {batches} batches; the epoch comes first",
                self.step
            );
            return Err(Error::invalid("resume_training", problem));
        }
        let dir = match place {
            Place::Local(dir) => dir,
            #[cfg(feature = "object-store")]
            Place::Store(dir) => return self.prepare_in_store(dir, now, warnings),
        };
        refuse_open_run(dir)?;
        let files = event_files(dir)?;
        let system_now = SystemTime::now();
        if let Some(path) = files.iter().find(|path| may_have_writer(path, system_now)) {
            reporter.warn(format_args!(
                "another process may still write {}: what it writes after its steps were removed is lost; \
                 stop it before the run is resumed",
                quoted(path)
            ));
        }
        let mut resumed = Resumed {
            // A loader forgets all tags from one step on, so it must not be one of the steps that are retained.
            start_frames: start_frames(self.step.max(self.first_batch()), now),
            ..Resumed::default()
        };
        let (mut first_removed, mut is_point_left) = (None, false);
        for path in files {
            reader::retain_events(&path, &mut |event| {
                let is_retained = self.note(event, &mut resumed, warnings);
                let is_point = !values(event).iter().all(is_timeless);
                if is_point && is_retained {
                    is_point_left = true;
                } else if is_point {
                    first_removed = Some(event.step.min(first_removed.unwrap_or(i64::MAX)));
                }
                is_retained
            })?;
        }
        match first_removed {
            Some(first) if is_point_left => reporter.info(format_args!(
                "the records from step {first} on were removed, because the run continues at step {}",
                self.step
            )),
            Some(first) => reporter.warn(format_args!(
                "all records were removed, from step {first} on, because the run continues at step {}; if a checkpoint was not \
                 found, do not resume",
                self.step
            )),
            None => {}
        }
        embedding::remove_steps(dir, self.step)?;
        reader::remove_leftovers(dir)?;
        Ok(resumed)
    }

    /// Notes what an event says about the run, and returns whether it is retained.
    fn note(self, event: &Event, resumed: &mut Resumed, warnings: &mut SeriesWarnings) -> bool {
        let values = values(event);
        resumed.has_session |= values.iter().any(summary::is_session_start);
        let is_retained = self.retains(event);
        if is_retained {
            resumed.has_graph |= matches!(event.what, Some(What::GraphDef(_)));
            let checked = values
                .iter()
                .filter(|value| !is_of(value, &LOGGED_AT_START));
            for value in checked {
                warnings.continue_after(&value.tag, event.step, PluginKind::of(value));
            }
        }
        is_retained
    }

    /// Reads the run in an object store. Its objects stay as they are, because a TensorBoard may be reading them: the records
    /// that start the next segment make the loaders forget the later steps.
    #[cfg(feature = "object-store")]
    fn prepare_in_store(
        self,
        dir: &StoreDir,
        now: WallTime,
        warnings: &mut SeriesWarnings,
    ) -> Result<Resumed> {
        refuse_open_run(Path::new(&dir.url()))?;
        let (mut resumed, mut start_step) = (Resumed::default(), self.step);
        let objects = dir.list()?.into_iter();
        let is_event_file = |name: &str| file_name::is_event_file(OsStr::new(name));
        for object in objects.filter(|object| is_event_file(&object.name)) {
            let source = ObjectReader::open(dir.child(&object.name)?)?;
            let reader = EventReader::from_source(dir.url_of(&object.name), source);
            for event in reader.skip_damage(true) {
                let event = event?;
                if counts_batches(&event) {
                    start_step = self.step.max(self.first_batch());
                }
                self.note(&event, &mut resumed, warnings);
            }
        }
        resumed.start_frames = start_frames(start_step, now);
        Ok(resumed)
    }

    /// Retains the version record and what belongs to the whole run, except the end of a session that now continues.
    fn retains(self, event: &Event) -> bool {
        let values = values(event);
        if !values.is_empty() && values.iter().all(is_timeless) {
            return !values.iter().any(summary::is_session_end);
        }
        let end = match counts_batches(event) {
            true => self.first_batch(),
            false => self.step,
        };
        event.step < end || matches!(event.what, Some(What::FileVersion(_)))
    }

    /// The first step that is logged again by events that count batches.
    fn first_batch(self) -> i64 {
        self.batches.map_or(self.step, |batches| {
            i64::try_from(batches).map_or(i64::MAX, |batches| batches.saturating_add(1))
        })
    }
}

/// Notes that a writer of this process has opened the run directory `dir`.
pub(super) fn note_open_run(dir: &Path, queue: &Arc<Queue>) {
    let path = canonical(dir);
    let mut opened = lock(&OPENED);
    // Not at each opening, which would take longer the more runs are open.
    if opened.len().is_power_of_two() {
        opened.retain(|(_, queue)| queue.strong_count() > 0);
    }
    opened.push((path, Arc::downgrade(queue)));
}

/// Returns an error if a writer of this process has the run `dir` open: it would continue in a file that was replaced.
fn refuse_open_run(dir: &Path) -> Result<()> {
    let path = canonical(dir);
    let is_open = |queue: &Weak<Queue>| queue.upgrade().is_some_and(|queue| !queue.has_ended());
    let opened = lock(&OPENED);
    if opened
        .iter()
        .any(|(dir, queue)| *dir == path && is_open(queue))
    {
        let problem = format!(
            "{} is open in another writer of this process; close that writer first",
            quoted(dir)
        );
        return Err(Error::invalid("resume", problem));
    }
    Ok(())
}

fn canonical(dir: &Path) -> PathBuf {
    fs::canonicalize(dir).unwrap_or_else(|_| dir.into())
}

/// Returns whether another process may still write an event file. On Linux, the file of a process of this machine has a writer
/// if a process runs that has the id in its name and the name of this program. All other files may have one if they were
/// written in the last seconds.
fn may_have_writer(path: &Path, now: SystemTime) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match file_name::process_on_this_host(&name) {
        // `refuse_open_run` has looked for it.
        Some(pid) if pid == std::process::id() => false,
        Some(pid) if cfg!(target_os = "linux") => {
            let command = |process: &str| fs::read(format!("/proc/{process}/comm")).ok();
            let running = command(&pid.to_string());
            running.is_some() && running == command("self")
        }
        _ => {
            let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
            modified.is_ok_and(|modified| {
                let age = now.duration_since(modified);
                // The clock of a file server may be ahead.
                age.unwrap_or_else(|ahead| ahead.duration()) < RECENTLY
            })
        }
    }
}

fn event_files(dir: &Path) -> Result<Vec<PathBuf>> {
    match reader::event_files(dir) {
        Err(error) if is_not_found(&error) => Ok(Vec::new()),
        files => files,
    }
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// Returns whether the step of an event is a number of batches.
fn counts_batches(event: &Event) -> bool {
    let metadata = event.source_metadata.as_ref();
    metadata.is_some_and(|metadata| metadata.writer == BATCH_WRITER)
}

fn values(event: &Event) -> &[Value] {
    match &event.what {
        Some(What::Summary(Summary { value })) => value,
        _ => &[],
    }
}

fn is_timeless(value: &Value) -> bool {
    is_of(value, &TIMELESS)
}

fn is_of(value: &Value, kinds: &[PluginKind]) -> bool {
    PluginKind::of(value).is_some_and(|kind| kinds.contains(&kind))
}

/// Records that make a loader forget what it has read from `step` on. There are two, because the Python loader takes the
/// first one in a run for the start of the run, and only forgets at each later one.
fn start_frames(step: i64, now: WallTime) -> Vec<u8> {
    let event = Event {
        wall_time: now.as_secs(),
        step,
        what: Some(What::SessionLog(SessionLog {
            status: SessionStatus::Start.into(),
            ..Default::default()
        })),
        ..Default::default()
    };
    let mut frame = Vec::new();
    record::append_frame(&event.encode_to_vec(), &mut frame);
    frame.repeat(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::file_name::{FileName, OlderFiles};

    #[test]
    fn file_that_was_written_in_the_last_seconds_may_have_a_writer() {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let own = FileName::after(&OlderFiles::default(), "").to_string();
        for (name, age_secs, want) in [
            ("events.out.tfevents.0000000001.elsewhere.1.0", 0, true),
            ("events.out.tfevents.0000000001.elsewhere.1.0", 4, true),
            ("events.out.tfevents.0000000001.elsewhere.1.0", 6, false),
            ("tfevents", 0, true),
            (&*own, 0, false),
        ] {
            let path = dir.path().join(name);
            let file = fs::File::create(&path).unwrap();
            file.set_modified(now - Duration::from_secs(age_secs))
                .unwrap();
            assert_eq!(may_have_writer(&path, now), want, "{name}, {age_secs} s");
        }
    }

    #[test]
    fn run_stays_open_until_its_worker_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let limits = crate::WriterOptions::new().limits();
        let queue = Queue::new(limits, Arc::default(), Reporter::default(), b"");
        let queue = Arc::new(queue);
        note_open_run(dir.path(), &queue);
        queue.begin_close(b"").unwrap(); // as a close whose timeout is over
        assert!(refuse_open_run(dir.path()).is_err());
        queue.end(None);
        assert!(refuse_open_run(dir.path()).is_ok());
    }

    /// The process that the next test starts. It ends when its input does.
    #[cfg(target_os = "linux")]
    const WAITS: &str = "SUMMARY_WRITER_TEST_WAITS";

    #[cfg(target_os = "linux")]
    #[test]
    fn process_that_waits() {
        if std::env::var_os(WAITS).is_some() {
            io::copy(&mut io::stdin(), &mut io::sink()).unwrap();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn file_of_a_process_that_runs_may_have_a_writer() {
        use std::io::Read;
        use std::process::{Command, Stdio};

        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer::resume::tests::process_that_waits"])
            .env(WAITS, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It has the name of the program once it prints something.
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut [0]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let own = FileName::after(&OlderFiles::default(), "").to_string();
        let of_pid =
            |pid: u32| own.replace(&format!(".{}.", std::process::id()), &format!(".{pid}."));
        let path = dir.path().join(of_pid(child.id()));
        fs::write(&path, "").unwrap();
        let now = SystemTime::now();
        let later = now + Duration::from_secs(3600);
        assert!(may_have_writer(&path, later));
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        assert!(!may_have_writer(&path, now), "it has ended");
        let path = dir.path().join(of_pid(1));
        fs::write(&path, "").unwrap();
        assert!(!may_have_writer(&path, now), "it is another program");
    }
}
