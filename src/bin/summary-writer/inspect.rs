//! `inspect`: shows the runs with their tags, and damage.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use summary_writer::reader::ValueDecoder;

use crate::Outcome;
use crate::Result;
use crate::output::{Escaped, count, write_json};
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

#[derive(Serialize)]
struct Series<'a> {
    tag: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    points: Points,
}

#[derive(Clone, Copy, Serialize)]
struct Points {
    points: u64,
    first_step: i64,
    last_step: i64,
}

pub(crate) fn run(path: &Path, json: bool, out: &mut impl Write) -> Result<Outcome> {
    let runs = source::runs(path)?;
    let progress = source::progress(&runs);
    let mut outcome = Outcome::Fine;
    for (index, run) in runs.iter().enumerate() {
        let mut points = BTreeMap::new();
        let mut decoder = ValueDecoder::new();
        let mut files = Vec::new();
        for path in &run.files {
            let report = source::read(path, &progress, |event| {
                let step = event.step;
                for (tag, value) in decoder.decode(event) {
                    let kind = source::kind(&value).to_owned();
                    points
                        .entry((tag, kind))
                        .or_insert(Points::none(step))
                        .add(step);
                }
                Ok(())
            })?;
            outcome = outcome.max(source::outcome(report.as_ref()));
            files.extend(report);
        }
        let series = points
            .iter()
            .map(|((tag, kind), &points)| Series { tag, kind, points });
        let contents = RunJson {
            run: &run.name,
            bytes: files.iter().map(|file| file.bytes).sum(),
            records: files.iter().map(|file| file.records).sum(),
            tags: series.collect(),
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

impl Points {
    fn none(step: i64) -> Self {
        Self {
            points: 0,
            first_step: step,
            last_step: step,
        }
    }

    fn add(&mut self, step: i64) {
        self.points += 1;
        self.first_step = self.first_step.min(step);
        self.last_step = self.last_step.max(step);
    }
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
            series.points.points.to_string(),
            series.points.first_step.to_string(),
            series.points.last_step.to_string(),
        ]
    });
    print_table(&[title].into_iter().chain(rows).collect::<Vec<_>>(), out)
}

/// Aligns words to the left and numbers to the right.
fn print_table(rows: &[[String; 5]], out: &mut impl Write) -> io::Result<()> {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        // A very long tag must not move the numbers of all others out of sight.
        widths.max().unwrap_or(0).min(60)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    for [tag, kind, numbers @ ..] in rows {
        write!(out, "  {tag:0$}  {kind:1$}", widths[0], widths[1])?;
        for (number, width) in numbers.iter().zip(&widths[2..]) {
            write!(out, "  {number:>width$}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
