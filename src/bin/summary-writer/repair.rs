//! `repair`: writes files with only the sound records.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use summary_writer::reader::{FileReport, repair_in_place, repair_to};

use crate::Outcome;
use crate::Result;
use crate::output::{Escaped, chain, count, print_error};
use crate::source;
use crate::verify;

/// A file that changed more recently may have a writer. Writers flush several times a second while they log, but a step
/// may take long.
const MIN_AGE: Duration = Duration::from_secs(60);

pub(crate) fn copy(path: &Path, new: &Path, out: &mut impl Write) -> Result<Outcome> {
    source::runs(path)?;
    for file in &repair_to(path, new)?.files {
        print(&file.path, &format!("copied, {}", changes(file)), out)?;
    }
    Ok(Outcome::Fine)
}

pub(crate) fn in_place(path: &Path, force: bool, out: &mut impl Write) -> Result<Outcome> {
    let runs = source::runs(path)?;
    let progress = source::progress(&runs);
    let mut outcome = Outcome::Fine;
    for path in runs.iter().flat_map(|run| &run.files) {
        // This comes before the file is read, because `repair_in_place` notices only what is written after that.
        let may_have_writer = !force && !is_old(path);
        let Some(report) = source::read(path, &progress, |_| Ok(()))? else {
            outcome = Outcome::Failure;
            continue;
        };
        let (of_file, text) = if verify::is_clean(&report) {
            (Outcome::Fine, "sound".into())
        } else if let Some(text) = source::not_an_event_file(&report) {
            (Outcome::Damage, format!("unchanged: {text}"))
        } else if report.records == 0 {
            (Outcome::Damage, "unchanged: it has no sound record".into())
        } else if may_have_writer {
            let text = "unchanged: it changed in the last minute, so it may have a writer (--force repairs it)";
            (Outcome::Damage, text.into())
        } else {
            match repair_in_place(path) {
                Ok(report) => {
                    let changes = report.files.first().map(changes).unwrap_or_default();
                    (Outcome::Fine, format!("repaired, {changes}"))
                }
                Err(error) => {
                    progress.suspend(|| print_error(&chain(&error)));
                    (Outcome::Failure, "not repaired".into())
                }
            }
        };
        progress.suspend(|| {
            print(path, &text, out)?;
            out.flush()
        })?;
        outcome = outcome.max(of_file);
    }
    Ok(outcome)
}

/// A file with a time in the future counts as changed just now.
fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= MIN_AGE))
}

fn print(path: &Path, text: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {text}", Escaped(&path.to_string_lossy()))
}

fn changes(report: &FileReport) -> String {
    let kept = count(report.records, "record");
    let lost = report.damaged_bytes + report.unfinished_bytes;
    if lost == 0 {
        return kept;
    }
    format!("{kept} kept, {} left out", count(lost, "byte"))
}
