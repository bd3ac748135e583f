//! Runs to tables: of each tag its kind, how many points it has, and its steps.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use summary_writer::{FileReport, Run};

use crate::Outcome;
use crate::Result;
use crate::json::{Object, list};
use crate::progress::Progress;
use crate::shown::{Shown, count};
use crate::source;
use crate::values::Plugins;
use crate::verify;

/// By tag and kind.
type Table = BTreeMap<(String, String), Series>;

#[derive(Debug)]
struct Series {
    points: u64,
    first_step: i64,
    last_step: i64,
}

/// What is in the files of a run.
#[derive(Debug, Default)]
struct Contents {
    table: Table,
    files: Vec<FileReport>,
    is_whole: bool,
}

pub(crate) fn run(path: &Path, json: bool, out: &mut impl Write) -> Result<Outcome> {
    let Some(runs) = source::runs(path) else {
        return Ok(Outcome::Failure);
    };
    let mut progress = source::progress(&runs, true);
    let mut outcome = Outcome::Fine;
    for (place, run) in runs.iter().enumerate() {
        let contents = read(run, &mut progress)?;
        if json {
            writeln!(out, "{}", contents.to_json(run))?;
        } else {
            if place > 0 {
                writeln!(out)?;
            }
            contents.print(run, out)?;
        }
        // What has been read is seen while the next one is.
        out.flush()?;
        outcome = outcome.max(contents.outcome());
    }
    Ok(outcome)
}

fn read(run: &Run, progress: &mut Progress) -> Result<Contents> {
    let mut contents = Contents {
        is_whole: true,
        ..Default::default()
    };
    let mut plugins = Plugins::default();
    for path in &run.files {
        let report = source::read(path, progress, |event| {
            let step = event.step;
            for point in plugins.points(event) {
                let key = (point.tag, point.kind.into_owned());
                let series = contents.table.entry(key).or_insert(Series {
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
        contents.is_whole &= report.is_some();
        contents.files.extend(report);
    }
    Ok(contents)
}

impl Contents {
    fn outcome(&self) -> Outcome {
        if !self.is_whole {
            Outcome::Failure
        } else if self.files.iter().all(FileReport::is_sound) {
            Outcome::Fine
        } else {
            Outcome::Damage
        }
    }

    fn sum(&self, of: impl Fn(&FileReport) -> u64) -> u64 {
        self.files.iter().map(of).sum()
    }

    fn print(&self, run: &Run, out: &mut impl Write) -> Result {
        writeln!(
            out,
            "run {}: {}, {}, {}",
            Shown(&run.name),
            count(run.files.len() as u64, "file"),
            count(self.sum(|file| file.bytes), "byte"),
            count(self.sum(|file| file.records), "record"),
        )?;
        let title = ["tag", "kind", "points", "first step", "last step"].map(String::from);
        let mut rows = vec![title];
        rows.extend(self.table.iter().map(|((tag, kind), series)| {
            [
                Shown(tag).to_string(),
                Shown(kind).to_string(),
                series.points.to_string(),
                series.first_step.to_string(),
                series.last_step.to_string(),
            ]
        }));
        if rows.len() > 1 {
            print_table(&rows, out)?;
        }
        for file in self.files.iter().filter(|file| !verify::is_plain(file)) {
            verify::print(file, "  ", out)?;
        }
        Ok(())
    }

    fn to_json(&self, run: &Run) -> String {
        let tags = self.table.iter().map(|((tag, kind), series)| {
            Object::new()
                .text("tag", tag)
                .text("kind", kind)
                .json("points", series.points)
                .json("first_step", series.first_step)
                .json("last_step", series.last_step)
                .end()
        });
        Object::new()
            .text("run", &run.name)
            .json("bytes", self.sum(|file| file.bytes))
            .json("records", self.sum(|file| file.records))
            .json("tags", list(tags))
            .json("files", list(self.files.iter().map(verify::to_json)))
            .end()
    }
}

/// Words to the left, numbers to the right.
fn print_table(rows: &[[String; 5]], out: &mut impl Write) -> Result {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        // One tag of thousands of letters does not move the numbers out of sight.
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
