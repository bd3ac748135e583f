//! `verify`: shows the damage in files.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use summary_writer::reader::{DamageKind, FileReport};

use crate::Outcome;
use crate::Result;
use crate::output::{Escaped, count, write_json};
use crate::series::RunSeries;
use crate::source;

pub(crate) fn run(path: &Path, json: bool, out: &mut impl Write) -> Result<Outcome> {
    let runs = source::runs(path)?;
    let progress = source::progress(&runs);
    let mut outcome = Outcome::Fine;
    for run in &runs {
        let mut series = RunSeries::default();
        for path in &run.files {
            let report = source::read(path, &progress, |event| {
                series.add(event);
                Ok(())
            })?;
            outcome = outcome.max(source::outcome(report.as_ref()));
            let Some(report) = report else { continue };
            progress.suspend(|| {
                if json {
                    write_json(&FileJson::new(&report), out)?;
                } else {
                    print(&report, "", out)?;
                }
                out.flush()
            })?;
        }
        let hidden = series.series().filter(|series| series.note.is_some());
        let hidden_tags: BTreeSet<_> = hidden.map(|series| series.tag).collect();
        let hidden_count = hidden_tags.len() as u64;
        if hidden_count > 0 && !json {
            let (name, tags) = (Escaped(&run.name), count(hidden_count, "tag"));
            progress.suspend(|| {
                writeln!(
                    out,
                    "run {name}: TensorBoard leaves out points of {tags}; `summary-writer inspect` shows which and why"
                )
            })?;
        }
    }
    Ok(outcome)
}

/// True if the file has neither damage nor an unfinished record.
pub(crate) fn is_clean(report: &FileReport) -> bool {
    report.is_sound() && report.unfinished_bytes == 0
}

pub(crate) fn print(report: &FileReport, indent: &str, out: &mut impl Write) -> io::Result<()> {
    let path = report.path.to_string_lossy();
    write!(out, "{indent}{}: ", Escaped(&path))?;
    if let Some(text) = source::not_an_event_file(report) {
        return writeln!(out, "{text}");
    }
    let records = count(report.records, "sound record");
    if report.is_sound() {
        writeln!(out, "{records}")?;
    } else {
        let damages = count(report.damage_count, "damage");
        let bytes = count(report.damaged_bytes, "byte");
        writeln!(out, "{records}, {damages} of {bytes}")?;
    }
    for damage in &report.damages {
        writeln!(out, "{indent}  {damage}")?;
    }
    let more = report.damage_count - report.damages.len() as u64;
    if more > 0 {
        writeln!(out, "{indent}  and {more} more")?;
    }
    if report.unfinished_bytes > 0 {
        let bytes = count(report.unfinished_bytes, "byte");
        writeln!(out, "{indent}  {bytes} of an unfinished record at the end")?;
    }
    Ok(())
}

#[derive(Serialize)]
pub(crate) struct FileJson<'a> {
    file: Cow<'a, str>,
    is_event_file: bool,
    bytes: u64,
    records: u64,
    damage_count: u64,
    damaged_bytes: u64,
    unfinished_bytes: u64,
    damages: Vec<DamageJson>,
}

#[derive(Serialize)]
struct DamageJson {
    offset: u64,
    bytes: u64,
    kind: &'static str,
    records_after: u64,
}

impl<'a> FileJson<'a> {
    pub(crate) fn new(report: &'a FileReport) -> Self {
        let damages = report.damages.iter().map(|damage| DamageJson {
            offset: damage.offset,
            bytes: damage.bytes,
            kind: kind_name(damage.kind),
            records_after: damage.records_after,
        });
        Self {
            file: report.path.to_string_lossy(),
            is_event_file: report.is_event_file(),
            bytes: report.bytes,
            records: report.records,
            damage_count: report.damage_count,
            damaged_bytes: report.damaged_bytes,
            unfinished_bytes: report.unfinished_bytes,
            damages: damages.collect(),
        }
    }
}

fn kind_name(kind: DamageKind) -> &'static str {
    match kind {
        DamageKind::Length => "length",
        DamageKind::Payload => "payload",
        DamageKind::Truncated => "truncated",
        DamageKind::Zeros => "zeros",
        DamageKind::NotAnEvent => "not_an_event",
        DamageKind::WallTime => "wall_time",
        _ => "other",
    }
}
