//! A path to the runs there, and their files to sound events.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use summary_writer::proto::Event;
use summary_writer::{FileReport, Run, Salvage, find_runs};

use crate::Result;
use crate::chain;
use crate::complain;
use crate::progress::{Progress, Watched};

/// The runs at `path`. If there are none, that is said.
pub(crate) fn runs(path: &Path) -> Option<Vec<Run>> {
    match find_runs(path) {
        Ok(runs) if runs.is_empty() => {
            complain(&format!("there are no event files in {path:?}"));
            None
        }
        Ok(runs) => Some(runs),
        Err(error) => {
            complain(&chain(&error));
            None
        }
    }
}

pub(crate) fn progress(runs: &[Run], wanted: bool) -> Progress {
    let len = |file: &PathBuf| fs::metadata(file).map_or(0, |metadata| metadata.len());
    let all_bytes = runs.iter().flat_map(|run| &run.files).map(len).sum();
    Progress::new(all_bytes, wanted)
}

/// Gives each sound event of a file to `each`, and then says what is in the file. If it cannot be read, that is said, and
/// the answer is `None`.
pub(crate) fn read(
    path: &Path,
    progress: &mut Progress,
    mut each: impl FnMut(Event) -> Result,
) -> Result<Option<FileReport>> {
    let read = match File::open(path) {
        Ok(source) => {
            let mut salvage = Salvage::new(path, Watched { source, progress });
            loop {
                match salvage.next() {
                    Some(Ok(event)) => each(event)?,
                    Some(Err(error)) => break Err(chain(&error)),
                    None => break salvage.into_report().map_err(|error| chain(&error)),
                }
            }
        }
        Err(error) => Err(format!("could not open {path:?}: {error}")),
    };
    progress.clear();
    Ok(read.map_err(|problem| complain(&problem)).ok())
}
