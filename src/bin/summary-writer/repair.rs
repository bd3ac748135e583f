//! Files to files of what is sound in them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use summary_writer::{FileReport, repair_in_place, repair_to};

use crate::Outcome;
use crate::Result;
use crate::arguments::To;
use crate::chain;
use crate::complain;
use crate::shown::{Shown, count};
use crate::source;
use crate::verify;

/// A file that changed later than this ago may have a writer. Those flush several times a second while they log, but a
/// step may take long.
const QUIET: Duration = Duration::from_secs(60);

pub(crate) fn run(path: &Path, to: &To, out: &mut impl Write) -> Result<Outcome> {
    match to {
        To::New(new) => copy(path, new, out),
        To::InPlace { force } => in_place(path, *force, out),
    }
}

fn copy(path: &Path, new: &Path, out: &mut impl Write) -> Result<Outcome> {
    if source::runs(path).is_none() {
        return Ok(Outcome::Failure);
    }
    match repair_to(path, new) {
        Ok(report) => {
            for file in &report.files {
                line(&file.path, &format!("copied, {}", changes(file)), out)?;
            }
            Ok(Outcome::Fine)
        }
        Err(error) => {
            complain(&chain(&error));
            Ok(Outcome::Failure)
        }
    }
}

fn in_place(path: &Path, force: bool, out: &mut impl Write) -> Result<Outcome> {
    let Some(runs) = source::runs(path) else {
        return Ok(Outcome::Failure);
    };
    let mut progress = source::progress(&runs, true);
    let mut outcome = Outcome::Fine;
    for path in runs.iter().flat_map(|run| &run.files) {
        // Asked before the file is read: what is written meanwhile is seen when it is repaired.
        let is_quiet = is_quiet(path);
        let Some(report) = source::read(path, &mut progress, |_| Ok(()))? else {
            outcome = Outcome::Failure;
            continue;
        };
        let (found, text) = if verify::is_plain(&report) {
            (Outcome::Fine, "sound".into())
        } else if report.records == 0 {
            (
                Outcome::Damage,
                "left as it is: it has no sound record".into(),
            )
        } else if !force && !is_quiet {
            let problem = "it changed in the last minute, so its writer may be at it";
            (
                Outcome::Damage,
                format!("left as it is: {problem} (--force repairs it)"),
            )
        } else {
            match repair_in_place(path) {
                Ok(report) => {
                    let changes = report.files.first().map(changes).unwrap_or_default();
                    (Outcome::Fine, format!("repaired, {changes}"))
                }
                Err(error) => {
                    complain(&chain(&error));
                    (Outcome::Failure, "not repaired".into())
                }
            }
        };
        line(path, &text, out)?;
        outcome = outcome.max(found);
        out.flush()?;
    }
    Ok(outcome)
}

/// Whether the file has not changed lately. One from the future has, as far as is known.
fn is_quiet(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= QUIET))
}

fn line(path: &Path, text: &str, out: &mut impl Write) -> Result {
    writeln!(out, "{}: {text}", Shown(&path.to_string_lossy()))
}

fn changes(report: &FileReport) -> String {
    let kept = count(report.records, "record");
    let lost = report.damaged_bytes + report.unfinished_bytes;
    if lost == 0 {
        return kept;
    }
    format!("{kept} kept, {} left out", count(lost, "byte"))
}
