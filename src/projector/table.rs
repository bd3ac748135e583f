//! Labels to the lines of a metadata file: of one column without a header, of several with one.

use std::fmt::{Display, Write};

use crate::error::{Error, Result};

pub(super) fn labels(points: usize, labels: impl IntoIterator<Item: Display>) -> Result<String> {
    let mut lines = String::new();
    let mut count = 0;
    // One more is enough to know that there are too many.
    for label in labels.into_iter().take(points.saturating_add(1)) {
        let start = lines.len();
        let place = || format!("number {count}");
        put_cell(&mut lines, label, "labels", place)?;
        if is_blank(&lines[start..]) {
            return Err(blank("labels", &place()));
        }
        lines.push('\n');
        count += 1;
    }
    check_count("labels", count, points)?;
    Ok(lines)
}

pub(super) fn columns<Row: IntoIterator<Item: Display>>(
    points: usize,
    names: impl IntoIterator<Item: Display>,
    rows: impl IntoIterator<Item = Row>,
) -> Result<String> {
    let names = checked_names(names)?;
    // The dashboard takes a first line with a tab for a header, and any other for a label.
    let mut lines = match &names[..] {
        [_] => String::new(),
        names => names.join("\t") + "\n",
    };
    let mut count = 0;
    for row in rows.into_iter().take(points.saturating_add(1)) {
        let start = lines.len();
        let mut cells = row.into_iter();
        for (i, name) in names.iter().enumerate() {
            let Some(cell) = cells.next() else {
                return Err(cell_count(count, i, names.len()));
            };
            if i > 0 {
                lines.push('\t');
            }
            let place = || format!("column {name:?} of row {count}");
            put_cell(&mut lines, cell, "columns", place)?;
        }
        if cells.next().is_some() {
            return Err(cell_count(count, "more", names.len()));
        }
        if is_blank(&lines[start..]) {
            return Err(blank("columns", &format!("row {count}")));
        }
        lines.push('\n');
        count += 1;
    }
    check_count("columns", count, points)?;
    Ok(lines)
}

fn checked_names(names: impl IntoIterator<Item: Display>) -> Result<Vec<String>> {
    const WHAT: &str = "column names";
    let mut checked: Vec<String> = Vec::new();
    for name in names {
        let mut text = String::new();
        let place = || format!("number {}", checked.len());
        put_cell(&mut text, name, WHAT, place)?;
        if is_blank(&text) {
            return Err(blank(WHAT, &place()));
        }
        if checked.contains(&text) {
            let problem = format!("{text:?} is given twice, a name of its own fits");
            return Err(Error::invalid(WHAT, problem));
        }
        checked.push(text);
    }
    if checked.is_empty() {
        return Err(Error::invalid(WHAT, "none are given, 1 or more fit"));
    }
    Ok(checked)
}

fn put_cell(
    lines: &mut String,
    cell: impl Display,
    what: &'static str,
    place: impl Fn() -> String,
) -> Result<()> {
    let start = lines.len();
    let problem = if write!(lines, "{cell}").is_err() {
        "cannot be displayed".into()
    } else if lines[start..].contains(['\t', '\n', '\r']) {
        let cell = &lines[start..];
        format!("is {cell:?}, text without tabs and line breaks fits")
    } else {
        return Ok(());
    };
    Err(Error::invalid(what, place() + " " + &problem))
}

/// Whether the dashboard leaves the line out: it is blank to JavaScript.
fn is_blank(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}

fn blank(what: &'static str, place: &str) -> Error {
    Error::invalid(
        what,
        format!("{place} is blank, which the projector leaves out: any other text fits"),
    )
}

fn cell_count(row: usize, given: impl Display, wanted: usize) -> Error {
    let problem = format!("row {row} has {given} cells, {wanted} fit");
    Error::invalid("columns", problem)
}

pub(super) fn check_count(what: &'static str, given: usize, points: usize) -> Result<()> {
    if given == points {
        return Ok(());
    }
    let given = if given > points {
        "more".into()
    } else {
        given.to_string()
    };
    let problem = format!("{given} are given, {points} fit: as many as there are vectors");
    Err(Error::invalid(what, problem))
}
