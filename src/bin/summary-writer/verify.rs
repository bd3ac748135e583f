//! Files to lines that say what is damaged.

use std::io::Write;
use std::path::Path;

use summary_writer::{DamageKind, FileReport};

use crate::Outcome;
use crate::Result;
use crate::json::{Object, list};
use crate::shown::{Shown, count};
use crate::source;

pub(crate) fn run(path: &Path, json: bool, out: &mut impl Write) -> Result<Outcome> {
    let Some(runs) = source::runs(path) else {
        return Ok(Outcome::Failure);
    };
    let mut progress = source::progress(&runs, true);
    let mut outcome = Outcome::Fine;
    for path in runs.iter().flat_map(|run| &run.files) {
        let Some(report) = source::read(path, &mut progress, |_| Ok(()))? else {
            outcome = Outcome::Failure;
            continue;
        };
        if json {
            writeln!(out, "{}", to_json(&report))?;
        } else {
            print(&report, "", out)?;
        }
        out.flush()?;
        if !report.is_sound() {
            outcome = outcome.max(Outcome::Damage);
        }
    }
    Ok(outcome)
}

/// Whether there is nothing to tell of.
pub(crate) fn is_plain(report: &FileReport) -> bool {
    report.is_sound() && report.unfinished_bytes == 0
}

pub(crate) fn print(report: &FileReport, indent: &str, out: &mut impl Write) -> Result {
    let path = report.path.to_string_lossy();
    write!(out, "{indent}{}: ", Shown(&path))?;
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

pub(crate) fn to_json(report: &FileReport) -> String {
    let damages = report.damages.iter().map(|damage| {
        Object::new()
            .json("offset", damage.offset)
            .json("bytes", damage.bytes)
            .text("kind", kind(damage.kind))
            .json("records_after", damage.records_after)
            .end()
    });
    Object::new()
        .text("file", &report.path.to_string_lossy())
        .json("bytes", report.bytes)
        .json("records", report.records)
        .json("damage_count", report.damage_count)
        .json("damaged_bytes", report.damaged_bytes)
        .json("unfinished_bytes", report.unfinished_bytes)
        .json("damages", list(damages))
        .end()
}

fn kind(kind: DamageKind) -> &'static str {
    match kind {
        DamageKind::Length => "length",
        DamageKind::Payload => "payload",
        DamageKind::Cut => "cut",
        DamageKind::Zeros => "zeros",
        DamageKind::NotAnEvent => "not_an_event",
        DamageKind::WallTime => "wall_time",
        _ => "other",
    }
}
