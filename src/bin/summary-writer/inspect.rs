//! `inspect`: shows the runs with their tags, and damage.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::Result;
use crate::output::{Escaped, chain, count, print_error, write_json};
use crate::series::{RunSeries, Series};
use crate::source;
use crate::verify::{self, FileJson};

/// The contents of a run, as `--json` shows them.
#[derive(Serialize)]
struct RunJson<'a> {
    run: &'a str,
    bytes: u64,
    records: u64,
    tags: Vec<Series<'a>>,
    files: Vec<FileJson<'a>>,
}

pub(crate) fn run(path: &Path, json: bool, out: &mut impl Write) -> Result<Outcome> {
    let runs = source::runs(path)?;
    let progress = source::progress(&runs);
    let mut outcome = Outcome::Fine;
    for (index, run) in runs.iter().enumerate() {
        let mut series = RunSeries::default();
        let mut files = Vec::new();
        for path in &run.files {
            let report = source::read(path, &progress, |event| {
                series.add(event);
                Ok(())
            })?;
            outcome = outcome.max(source::outcome(report.as_ref()));
            files.extend(report);
        }
        match run.embeddings() {
            Ok(names) => names
                .into_iter()
                .for_each(|name| series.add_embedding(name)),
            Err(error) => {
                progress.suspend(|| print_error(&chain(&error)));
                outcome = outcome.max(Outcome::Damage);
            }
        }
        let contents = RunJson {
            run: &run.name,
            bytes: files.iter().map(|file| file.bytes).sum(),
            records: files.iter().map(|file| file.records).sum(),
            tags: series.series().collect(),
            files: files.iter().map(FileJson::new).collect(),
        };
        progress.suspend(|| {
            if json {
                write_json(&contents, out)?;
            } else {
                let separator = if index > 0 { "\n" } else { "" };
                write!(out, "{separator}")?;
                print(&contents, run.files.len(), out)?;
                for file in files.iter().filter(|file| !verify::is_clean(file)) {
                    verify::print(file, "  ", out)?;
                }
            }
            out.flush()
        })?;
    }
    Ok(outcome)
}

fn print(contents: &RunJson<'_>, file_count: usize, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "run {}: {}, {}, {}",
        Escaped(contents.run),
        count(file_count as u64, "file"),
        count(contents.bytes, "byte"),
        count(contents.records, "record"),
    )?;
    if contents.tags.is_empty() {
        return Ok(());
    }
    let title = ["tag", "kind", "points", "first step", "last step"].map(String::from);
    let rows = contents.tags.iter().map(|series| {
        [
            Escaped(series.tag).to_string(),
            Escaped(series.kind).to_string(),
            series.points.to_string(),
            series.first_step.to_string(),
            series.last_step.to_string(),
        ]
    });
    let rows: Vec<_> = [title].into_iter().chain(rows).collect();
    let notes = contents.tags.iter().map(|series| series.note.as_deref());
    print_table(&rows, [None].into_iter().chain(notes), out)
}

/// Aligns words to the left and numbers to the right. A note follows its row.
fn print_table<'a>(
    rows: &[[String; 5]],
    notes: impl Iterator<Item = Option<&'a str>>,
    out: &mut impl Write,
) -> io::Result<()> {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        // A very long tag must not move the numbers of all others out of sight.
        widths.max().unwrap_or(0).min(60)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    for ([tag, kind, numbers @ ..], note) in rows.iter().zip(notes) {
        write!(out, "  {tag:0$}  {kind:1$}", widths[0], widths[1])?;
        for (number, width) in numbers.iter().zip(&widths[2..]) {
            write!(out, "  {number:>width$}")?;
        }
        if let Some(note) = note {
            write!(out, "  {}", Escaped(note))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
