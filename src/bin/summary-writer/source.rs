//! Finds the runs at a path and reads their files, with a progress bar.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use summary_writer::EventReader;
use summary_writer::proto::Event;
use summary_writer::reader::Value;
use summary_writer::reader::{FileReport, Run, find_runs, open};

use crate::Outcome;
use crate::Result;
use crate::output::{chain, print_error};

/// Returns the runs at `path`, at least one.
pub(crate) fn runs(path: &Path) -> Result<Vec<Run>> {
    let runs = find_runs(path)?;
    if runs.is_empty() {
        return Err(format!("there are no event files in \"{}\"", path.display()).into());
    }
    Ok(runs)
}

/// Returns a bar for the bytes of all files. It is hidden unless standard error is a terminal. Suspend it to print.
///
/// For objects of a store, it shows the bytes that were read, because their sizes would need a request for each.
pub(crate) fn progress(runs: &[Run]) -> ProgressBar {
    let len = |file: &PathBuf| fs::metadata(file).map_or(0, |metadata| metadata.len());
    let total_bytes = runs.iter().flat_map(|run| &run.files).map(len).sum();
    if total_bytes == 0 {
        let style = ProgressStyle::with_template("{spinner} {decimal_bytes}");
        return ProgressBar::new_spinner()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    }
    let style = ProgressStyle::with_template("{wide_bar} {decimal_bytes} of {decimal_total_bytes}");
    ProgressBar::new(total_bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Passes each sound event of a file to `each`, and returns what is in the file. Complains and returns `None` if the file
/// cannot be read.
pub(crate) fn read(
    path: &Path,
    progress: &ProgressBar,
    mut each: impl FnMut(Event) -> Result,
) -> Result<Option<FileReport>> {
    let report = match open(path) {
        Ok(file) => {
            let source = progress.wrap_read(file);
            let mut reader = EventReader::from_source(path, source).skip_damage(true);
            loop {
                match reader.next() {
                    Some(Ok(event)) => each(event)?,
                    Some(Err(error)) => break Err(chain(&error)),
                    None => break Ok(reader.report().files.pop()),
                }
            }
        }
        Err(error) => Err(chain(&error)),
    };
    Ok(report.unwrap_or_else(|problem| {
        progress.suspend(|| print_error(&problem));
        None
    }))
}

/// Says that a file is not an event file, and what it looks like. Returns `None` for an event file.
pub(crate) fn not_an_event_file(report: &FileReport) -> Option<String> {
    if report.is_event_file() {
        return None;
    }
    let mut start = Vec::new();
    let read = open(&report.path).map(|file| file.take(4).read_to_end(&mut start));
    let format = read.ok().and_then(|_| format_of(&start));
    let format = format.map(|format| format!("; it begins like {format}"));
    Some("not an event file".to_owned() + &format.unwrap_or_default())
}

fn format_of(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x1f, 0x8b, ..] => Some("a gzip file, which TensorBoard does not decompress"),
        [0x89, b'P', b'N', b'G', ..] => Some("a PNG image"),
        [b'P', b'K', 3, 4, ..] => Some("a zip archive"),
        // Field 1 is the version of the format, a small number. One of the fields 2 to 8 follows; all of them have a length.
        [
            0x08,
            1..32,
            0x12 | 0x1a | 0x22 | 0x2a | 0x32 | 0x3a | 0x42,
            ..,
        ] => Some("an ONNX model"),
        _ => None,
    }
}

/// The outcome for a file, from the result of [`read`].
pub(crate) fn outcome(report: Option<&FileReport>) -> Outcome {
    match report {
        Some(report) if report.is_sound() => Outcome::Fine,
        Some(_) => Outcome::Damage,
        None => Outcome::Failure,
    }
}

/// The kind of a value: the name of the plugin that shows it.
pub(crate) fn kind(value: &Value) -> &str {
    match value.plugin_name() {
        "" => "unknown",
        name => name,
    }
}
