//! Resumes a run at a step: removes later steps from its older files, and tells the loaders in the new file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use prost::Message;

use super::SummaryWriter;
use crate::error::{Error, Result};
use crate::event::WallTime;
use crate::proto::event::What;
use crate::proto::session_log::SessionStatus;
use crate::proto::summary::Value;
use crate::proto::{Event, SessionLog, Summary};
use crate::reader::{self, EventReader};
use crate::record;
use crate::summary;

/// Plugins whose values belong to the whole run, so that their step has no meaning.
const TIMELESS: [&str; 2] = ["custom_scalars", "hparams"];

impl SummaryWriter {
    /// The highest step that was logged in the run directory `logdir`, without the runs in its subdirectories; `None` if
    /// there is no step or no such directory. Damage in the files is skipped. Hyperparameters, layouts of custom scalars
    /// and graphs do not count, because they have no step of their own.
    ///
    /// This reads all files of the run. Pass the next step to [`WriterOptions::resume`](super::WriterOptions::resume) to
    /// continue the run after its end, or the step of a checkpoint to continue from there.
    ///
    /// ```
    /// use summary_writer::{SummaryWriter, WriterOptions};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path().join("run");
    /// let first = SummaryWriter::last_step(&logdir)?.map_or(0, |last| last + 1);
    /// let summary = WriterOptions::new().resume(first).create_file_writer(&logdir)?;
    /// for step in first..first + 100 {
    ///     summary.scalar("loss", 0.5, step);
    /// }
    /// summary.close()?;
    /// assert_eq!(SummaryWriter::last_step(&logdir)?, Some(99));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] if the directory or a file in it cannot be read.
    pub fn last_step(logdir: impl AsRef<Path>) -> Result<Option<i64>> {
        let reader = match EventReader::open(logdir) {
            Err(error) if is_not_found(&error) => return Ok(None),
            reader => reader?,
        };
        let mut last = None;
        for event in reader.skip_damage(true) {
            let event = event?;
            if values(&event).iter().any(|value| !is_timeless(value)) {
                last = last.max(Some(event.step));
            }
        }
        Ok(last)
    }
}

/// Where a resumed run continues: the first step and the first batch that it logs again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    pub(super) step: i64,
    /// The same for tags that count batches.
    pub(super) batch: i64,
}

/// The state of a run before it was resumed.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// The records that follow the version record in the new file.
    pub(super) start_frames: Vec<u8>,
    /// A session of hyperparameters was started.
    pub(super) has_session: bool,
}

impl Resume {
    /// Removes these steps and all later ones from the event files of the run `dir`, and damaged and unfinished records.
    pub(super) fn prepare(self, dir: &Path) -> Result<Resumed> {
        let mut has_session = false;
        for path in event_files(dir)? {
            reader::retain_events(&path, &mut |event| {
                has_session |= values(event).iter().any(summary::is_session_start);
                self.retains(event)
            })?;
        }
        reader::remove_leftovers(dir)?;
        Ok(Resumed {
            // A loader forgets all tags from one step on, so it must not be one of the steps that are retained.
            start_frames: start_frames(self.step.max(self.batch)),
            has_session,
        })
    }

    /// Retains the version record and what belongs to the whole run, except the end of a session that now continues.
    fn retains(self, event: &Event) -> bool {
        let values = values(event);
        if !values.is_empty() && values.iter().all(is_timeless) {
            return !values.iter().any(summary::is_session_end);
        }
        let counts_batches =
            !values.is_empty() && values.iter().all(|value| counts_batches(&value.tag));
        let end = if counts_batches {
            self.batch
        } else {
            self.step
        };
        event.step < end || matches!(event.what, Some(What::FileVersion(_)))
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

/// Whether the step of a tag is a number of batches: a training logger names such tags so, in any scope.
fn counts_batches(tag: &str) -> bool {
    let is_evaluation = tag.ends_with("_vs_iterations");
    tag.split('/')
        .any(|part| part.starts_with("batch_") || is_evaluation && part.starts_with("evaluation_"))
}

fn values(event: &Event) -> &[Value] {
    match &event.what {
        Some(What::Summary(Summary { value })) => value,
        _ => &[],
    }
}

fn is_timeless(value: &Value) -> bool {
    let metadata = value.metadata.as_ref();
    let plugin = metadata.and_then(|metadata| metadata.plugin_data.as_ref());
    plugin.is_some_and(|plugin| TIMELESS.contains(&&*plugin.plugin_name))
}

/// Records that make a loader forget what it has read from `step` on. There are two, because the Python loader takes the
/// first one in a run for the start of the run, and only forgets at each later one.
fn start_frames(step: i64) -> Vec<u8> {
    let event = Event {
        wall_time: WallTime::from(SystemTime::now()).as_secs(),
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
