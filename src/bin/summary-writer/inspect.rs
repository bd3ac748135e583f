//! `inspect`: shows the runs with their tags, and damage.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use indicatif::ProgressBar;
use serde::Serialize;
use summary_writer::{FileReport, Run};

use crate::Outcome;
use crate::Result;
use crate::output::{Escaped, count, write_json};
use crate::source;
use crate::values::Plugins;
use crate::verify::{self, FileJson};

/// What is in the files of a run.
#[derive(Default)]
struct Contents {
    /// By tag and kind.
    series: BTreeMap<(String, String), Series>,
    files: Vec<FileReport>,
    has_unreadable_files: bool,
}

#[derive(Serialize)]
struct Series {
    points: u64,
    first_step: i64,
    last_step: i64,
}

pub(crate) fn run(path: &Path, json: bool, out: &mut impl Write) -> Result<Outcome> {
    let runs = source::runs(path)?;
    let progress = source::progress(&runs);
    let mut outcome = Outcome::Fine;
    for (index, run) in runs.iter().enumerate() {
        let contents = read(run, &progress)?;
        progress.suspend(|| {
            if json {
                write_json(&contents.to_json(run), out)?;
            } else {
                if index > 0 {
                    writeln!(out)?;
                }
                contents.print(run, out)?;
            }
            out.flush()
        })?;
        outcome = outcome.max(contents.outcome());
    }
    Ok(outcome)
}

fn read(run: &Run, progress: &ProgressBar) -> Result<Contents> {
    let mut contents = Contents::default();
    let mut plugins = Plugins::default();
    for path in &run.files {
        let report = source::read(path, progress, |event| {
            let step = event.step;
            for point in plugins.points(event) {
                let series = contents.series.entry((point.tag, point.kind));
                let series = series.or_insert(Series {
                    points: 0,
                    first_step: step,
                    last_step: step,
                });
                series.points += 1;
                series.first_step = series.first_step.min(step);
                series.last_step = series.last_step.max(step);
            }
            Ok(())
        })?;
        contents.has_unreadable_files |= report.is_none();
        contents.files.extend(report);
    }
    Ok(contents)
}

impl Contents {
    fn outcome(&self) -> Outcome {
        if self.has_unreadable_files {
            Outcome::Failure
        } else if self.files.iter().all(FileReport::is_sound) {
            Outcome::Fine
        } else {
            Outcome::Damage
        }
    }

    fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn records(&self) -> u64 {
        self.files.iter().map(|file| file.records).sum()
    }

    fn print(&self, run: &Run, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "run {}: {}, {}, {}",
            Escaped(&run.name),
            count(run.files.len() as u64, "file"),
            count(self.bytes(), "byte"),
            count(self.records(), "record"),
        )?;
        let title = ["tag", "kind", "points", "first step", "last step"].map(String::from);
        let mut rows = vec![title];
        rows.extend(self.series.iter().map(|((tag, kind), series)| {
            [
                Escaped(tag).to_string(),
                Escaped(kind).to_string(),
                series.points.to_string(),
                series.first_step.to_string(),
                series.last_step.to_string(),
            ]
        }));
        if rows.len() > 1 {
            print_table(&rows, out)?;
        }
        for file in self.files.iter().filter(|file| !verify::is_clean(file)) {
            verify::print(file, "  ", out)?;
        }
        Ok(())
    }

    fn to_json<'a>(&'a self, run: &'a Run) -> RunJson<'a> {
        let tags = self.series.iter();
        let tags = tags.map(|((tag, kind), series)| TagJson { tag, kind, series });
        RunJson {
            run: &run.name,
            bytes: self.bytes(),
            records: self.records(),
            tags: tags.collect(),
            files: self.files.iter().map(FileJson::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct RunJson<'a> {
    run: &'a str,
    bytes: u64,
    records: u64,
    tags: Vec<TagJson<'a>>,
    files: Vec<FileJson<'a>>,
}

#[derive(Serialize)]
struct TagJson<'a> {
    tag: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    series: &'a Series,
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
