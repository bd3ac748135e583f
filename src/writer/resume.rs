//! A run that stopped and goes on from a step: its older files end before that, and the new one says where it begins.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use prost::Message;

use super::SummaryWriter;
use crate::error::{Error, Result};
use crate::event::WallTime;
use crate::files::{self, Salvage};
use crate::proto::event::What;
use crate::proto::session_log::SessionStatus;
use crate::proto::summary::Value;
use crate::proto::{Event, SessionLog, Summary};
use crate::record;
use crate::summary;

/// Plugins whose values belong to the whole run. Their step is for form's sake.
const TIMELESS: [&str; 2] = ["custom_scalars", "hparams"];

impl SummaryWriter {
    /// The highest step that was logged in the run directory `logdir`, not in runs below it; `None` if there is none, or no
    /// such directory. Damaged files are read as far as they are sound. Hyperparameters, layouts of custom scalars and
    /// graphs have no step of their own and do not count.
    ///
    /// It reads all files of the run. With [`WriterOptions::resume`](super::WriterOptions::resume) a run goes on behind
    /// its end, or with the step of a checkpoint from that on.
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
        let mut last = None;
        for path in event_files(logdir.as_ref())? {
            let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
            for event in Salvage::new(&path, file) {
                let event = event?;
                if values(&event).iter().any(|value| !is_timeless(value)) {
                    last = last.max(Some(event.step));
                }
            }
        }
        Ok(last)
    }
}

/// Where a resumed run continues: its first steps that are to be logged again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    pub(super) step: i64,
    /// The same for tags that count batches.
    pub(super) batch: i64,
}

/// What a resumed run has from before.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// The records that follow the version record in the new file.
    pub(super) start_frames: Vec<u8>,
    /// A session of hyperparameters was started.
    pub(super) has_session: bool,
}

impl Resume {
    /// Removes the steps to be logged again from the event files of the run `dir`, together with damaged and unfinished
    /// records.
    pub(super) fn prepare(self, dir: &Path) -> Result<Resumed> {
        let mut has_session = false;
        for path in event_files(dir)? {
            files::keep_only(&path, &mut |event| {
                has_session |= values(event).iter().any(summary::is_session_start);
                stays(event, self)
            })?;
        }
        files::remove_leftovers(dir)?;
        Ok(Resumed {
            // A loader forgets all tags from one step on, so it must not be one of the steps that stay.
            start_frames: start_frames(self.step.max(self.batch)),
            has_session,
        })
    }
}

fn event_files(dir: &Path) -> Result<Vec<PathBuf>> {
    match files::event_files(dir) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found,
    }
}

/// The version record stays, and so does what belongs to the whole run, but for the end that the session has not come to.
fn stays(event: &Event, from: Resume) -> bool {
    let values = values(event);
    if !values.is_empty() && values.iter().all(is_timeless) {
        return !values.iter().any(summary::is_session_end);
    }
    let counts_batches = !values.is_empty() && values.iter().all(|value| is_of_batches(&value.tag));
    let end = if counts_batches {
        from.batch
    } else {
        from.step
    };
    event.step < end || matches!(event.what, Some(What::FileVersion(_)))
}

/// As a training logger names them, in any scope.
fn is_of_batches(tag: &str) -> bool {
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

/// Records that have a loader that watched the run forget what it had read from `step` on. The Python loader takes the
/// first one of a run for its start, and forgets at each that follows: one would do nothing where there was none before.
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
