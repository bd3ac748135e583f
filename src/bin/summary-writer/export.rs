//! `export`: writes points as lines of CSV or JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::Outcome;
use crate::Result;
use crate::arguments::{Export, Format};
use crate::output::{Escaped, Number, complain, count, write_json};
use crate::source;
use crate::values::{Content, Plugins};

#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    tag: &'a str,
    kind: &'a str,
    step: i64,
    wall_time: Number,
    #[serde(flatten)]
    content: Content,
}

pub(crate) fn run(options: &Export, out: &mut impl Write, is_terminal: bool) -> Result<Outcome> {
    let runs = source::runs(&options.path)?;
    let missing_run = |name: &&String| runs.iter().all(|run| run.name != **name);
    if let Some(name) = options.runs.iter().find(missing_run) {
        return Err(format!("there is no run {name:?} in {:?}", options.path).into());
    }
    let mut sink = Sink::new(options.format, out)?;
    let progress = if is_terminal {
        ProgressBar::hidden()
    } else {
        source::progress(&runs)
    };
    let mut outcome = Outcome::Fine;
    let mut missing: BTreeSet<&str> = options.tags.iter().map(String::as_str).collect();
    let is_wanted = |list: &[String], name: &String| list.is_empty() || list.contains(name);
    let wanted = runs
        .iter()
        .filter(|run| is_wanted(&options.runs, &run.name));
    for run in wanted {
        let mut plugins = Plugins::default();
        for path in &run.files {
            let report = source::read(path, &progress, |event| {
                let (step, wall_time) = (event.step, event.wall_time);
                for point in plugins.points(event) {
                    if !is_wanted(&options.tags, &point.tag) {
                        continue;
                    }
                    missing.remove(&*point.tag);
                    sink.write(&Line {
                        run: &run.name,
                        tag: &point.tag,
                        kind: &point.kind,
                        step,
                        wall_time: wall_time.into(),
                        content: point.content(),
                    })?;
                }
                Ok(())
            })?;
            match report {
                Some(report) if report.is_sound() => {}
                Some(report) => {
                    let damages = count(report.damage_count, "damage");
                    let problem = format!("{path:?} has {damages}; `verify` shows where");
                    progress.suspend(|| complain(&problem));
                    outcome = outcome.max(Outcome::Damage);
                }
                None => outcome = Outcome::Failure,
            }
        }
    }
    drop(progress);
    sink.finish()?;
    for tag in missing {
        complain(&format!(
            "there is no tag {tag:?} in the exported runs of {:?}",
            options.path
        ));
        outcome = Outcome::Failure;
    }
    Ok(outcome)
}

enum Sink<W: Write> {
    Csv {
        writer: Box<csv::Writer<W>>,
        /// The number of points that are not scalars, by kind.
        left_out: BTreeMap<String, u64>,
    },
    Jsonl(W),
}

impl<W: Write> Sink<W> {
    fn new(format: Format, out: W) -> io::Result<Self> {
        if format == Format::Jsonl {
            return Ok(Self::Jsonl(out));
        }
        // The header is there even without a point.
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(out);
        let header = ["run", "tag", "step", "wall_time", "value"];
        writer.write_record(header).map_err(io_error)?;
        Ok(Self::Csv {
            writer: Box::new(writer),
            left_out: BTreeMap::new(),
        })
    }

    fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        match self {
            Self::Csv { writer, left_out } => {
                let Content::Scalar { value } = line.content else {
                    *left_out.entry(line.kind.to_owned()).or_default() += 1;
                    return Ok(());
                };
                let row = (line.run, line.tag, line.step, line.wall_time, value);
                writer.serialize(row).map_err(io_error)
            }
            Self::Jsonl(out) => write_json(line, out),
        }
    }

    fn finish(self) -> io::Result<()> {
        let Self::Csv {
            mut writer,
            left_out,
        } = self
        else {
            return Ok(());
        };
        writer.flush()?;
        if !left_out.is_empty() {
            let kinds: Vec<_> = left_out
                .iter()
                .map(|(kind, points)| format!("{points} of {}", Escaped(kind)))
                .collect();
            complain(&format!(
                "CSV has only scalars; left out: {} (--format jsonl has them)",
                kinds.join(", ")
            ));
        }
        Ok(())
    }
}

/// Keeps the kind of the error, which the conversion of the crate `csv` does not.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
