//! Points to lines of CSV or JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use crate::Outcome;
use crate::Result;
use crate::arguments::{Export, Format};
use crate::complain;
use crate::json::{Object, digits, digits_f32, number};
use crate::shown::{Shown, count};
use crate::source;
use crate::values::{Plugins, Point};

/// Where a point is.
struct Place<'a> {
    run: &'a str,
    step: i64,
    wall_time: f64,
}

pub(crate) fn run(options: &Export, out: &mut impl Write, is_terminal: bool) -> Result<Outcome> {
    let Some(runs) = source::runs(&options.path) else {
        return Ok(Outcome::Failure);
    };
    if let Some(name) = options
        .runs
        .iter()
        .find(|&name| runs.iter().all(|run| run.name != *name))
    {
        complain(&format!("there is no run {name:?} in {:?}", options.path));
        return Ok(Outcome::Failure);
    }
    let mut sink = Sink::new(options.format, out)?;
    // The points that fly by are progress enough.
    let mut progress = source::progress(&runs, !is_terminal);
    let mut outcome = Outcome::Fine;
    let mut missing: BTreeSet<&str> = options.tags.iter().map(String::as_str).collect();
    let is_wanted = |list: &[String], name: &String| list.is_empty() || list.contains(name);
    for run in runs
        .iter()
        .filter(|run| is_wanted(&options.runs, &run.name))
    {
        let mut plugins = Plugins::default();
        for path in &run.files {
            let report = source::read(path, &mut progress, |event| {
                let place = Place {
                    run: &run.name,
                    step: event.step,
                    wall_time: event.wall_time,
                };
                let points = plugins.points(event).into_iter();
                for point in points.filter(|point| is_wanted(&options.tags, &point.tag)) {
                    missing.remove(&*point.tag);
                    sink.put(&place, &point)?;
                }
                Ok(())
            })?;
            match report {
                Some(report) if report.is_sound() => {}
                Some(report) => {
                    let damages = count(report.damage_count, "damage");
                    let path = &report.path;
                    complain(&format!("{path:?} has {damages}, which `verify` tells"));
                    outcome = outcome.max(Outcome::Damage);
                }
                None => outcome = Outcome::Failure,
            }
        }
    }
    sink.end()?;
    for tag in missing {
        complain(&format!(
            "there is no tag {tag:?} in what is exported of {:?}",
            options.path
        ));
        outcome = Outcome::Failure;
    }
    Ok(outcome)
}

enum Sink<W: Write> {
    /// And the points that have no place in it, by kind.
    Csv(Box<csv::Writer<W>>, BTreeMap<String, u64>),
    JsonLines(W),
}

impl<W: Write> Sink<W> {
    fn new(format: Format, out: W) -> Result<Self> {
        Ok(match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                let title = ["run", "tag", "step", "wall_time", "value"];
                writer.write_record(title).map_err(refused)?;
                Self::Csv(Box::new(writer), BTreeMap::new())
            }
            Format::JsonLines => Self::JsonLines(out),
        })
    }

    fn put(&mut self, place: &Place<'_>, point: &Point) -> Result {
        match self {
            Self::Csv(writer, others) => {
                let Some(scalar) = point.scalar() else {
                    *others.entry(point.kind.clone().into_owned()).or_default() += 1;
                    return Ok(());
                };
                let (step, wall_time) = (place.step.to_string(), digits(place.wall_time));
                let value = digits_f32(scalar);
                let row = [place.run, &point.tag, &step, &wall_time, &value];
                writer.write_record(row).map_err(refused)
            }
            Self::JsonLines(out) => {
                let object = Object::new()
                    .text("run", place.run)
                    .text("tag", &point.tag)
                    .text("kind", &point.kind)
                    .json("step", place.step)
                    .json("wall_time", number(place.wall_time));
                writeln!(out, "{}", point.describe(object).end())
            }
        }
    }

    fn end(self) -> Result {
        let Self::Csv(mut writer, others) = self else {
            return Ok(());
        };
        writer.flush()?;
        if !others.is_empty() {
            let others: Vec<_> = others
                .iter()
                .map(|(kind, points)| format!("{points} of {}", Shown(kind)))
                .collect();
            let others = others.join(", ");
            complain(&format!(
                "CSV is for scalars; left out: {others} (--format jsonl has them)"
            ));
        }
        Ok(())
    }
}

/// What the sink said, for the conversion of the crate hides that a pipe is broken.
fn refused(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
