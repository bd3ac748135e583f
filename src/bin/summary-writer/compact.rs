//! `compact`: merges the event files of each run into one.

use std::io::Write;
use std::path::Path;

use summary_writer::reader::compact;

use crate::Outcome;
use crate::Result;
use crate::output::{Escaped, count};
use crate::source;

pub(crate) fn run(path: &Path, new: &Path, out: &mut impl Write) -> Result<Outcome> {
    let runs = source::runs(path)?;
    let report = compact(path, new)?;
    let records = report.files.iter().map(|file| file.records).sum();
    let (files, records) = (
        count(report.files.len() as u64, "file"),
        count(records, "record"),
    );
    let new = new.to_string_lossy();
    writeln!(
        out,
        "{}: {files} of {} with {records} are merged and compared",
        Escaped(&new),
        count(runs.len() as u64, "run")
    )?;
    for file in &report.files {
        if !file.is_sound() {
            let path = file.path.to_string_lossy();
            writeln!(out, "{}: damage was left out", Escaped(&path))?;
        }
    }
    Ok(match report.is_sound() {
        true => Outcome::Fine,
        false => Outcome::Damage,
    })
}
