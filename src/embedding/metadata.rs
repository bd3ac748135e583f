//! The metadata file: a line of cells for each point, below a header if there are several columns.

use std::fmt::{Display, Write};

use crate::error::{Error, Result};

pub(super) fn labels(points: usize, labels: impl IntoIterator<Item: Display>) -> Result<String> {
    let rows = labels.into_iter().map(|label| [label]);
    let mut lines = String::new();
    add_rows(&mut lines, "labels", points, 1, rows)?;
    Ok(lines)
}

pub(super) fn columns<Row: IntoIterator<Item: Display>>(
    points: usize,
    names: impl IntoIterator<Item: Display>,
    rows: impl IntoIterator<Item = Row>,
) -> Result<String> {
    let what = "column names";
    let names = names.into_iter().map(|name| cell(what, name));
    let names = names.collect::<Result<Vec<_>>>()?;
    for (i, name) in names.iter().enumerate() {
        if is_blank(name) || names[..i].contains(name) {
            let problem = format!("expected unique names that are not blank, got {names:?}");
            return Err(Error::invalid(what, problem));
        }
    }
    // The dashboard takes the first line for a header if it has a tab, else for a label.
    let mut lines = match &names[..] {
        [] => return Err(Error::invalid(what, "expected at least 1, got none")),
        [_] => String::new(),
        names => names.join("\t") + "\n",
    };
    add_rows(&mut lines, "columns", points, names.len(), rows)?;
    Ok(lines)
}

fn add_rows<Row: IntoIterator<Item: Display>>(
    lines: &mut String,
    what: &'static str,
    points: usize,
    columns: usize,
    rows: impl IntoIterator<Item = Row>,
) -> Result<()> {
    let mut count = 0;
    // One more than needed shows that there are too many, also in an endless iterator.
    for row in rows.into_iter().take(points.saturating_add(1)) {
        let cells = row.into_iter().take(columns.saturating_add(1));
        let cells = cells
            .map(|value| cell(what, value))
            .collect::<Result<Vec<_>>>()?;
        if cells.len() != columns {
            let problem = format!("expected {columns} cells in each row, got {cells:?}");
            return Err(Error::invalid(what, problem));
        }
        if cells.iter().all(|cell| is_blank(cell)) {
            let problem = format!(
                "expected no blank line, because the projector skips it, got {cells:?} in row {count}"
            );
            return Err(Error::invalid(what, problem));
        }
        *lines += &cells.join("\t");
        lines.push('\n');
        count += 1;
    }
    check_count(what, count, points)
}

fn cell(what: &'static str, value: impl Display) -> Result<String> {
    let mut text = String::new();
    if write!(text, "{value}").is_err() {
        return Err(Error::invalid(
            what,
            "expected text, got an error of its `Display`",
        ));
    }
    if text.contains(['\t', '\n', '\r']) {
        let problem = format!("expected no tabs or line breaks, got {text:?}");
        return Err(Error::invalid(what, problem));
    }
    Ok(text)
}

/// Whether JavaScript's `trim` leaves nothing of the text.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}

pub(super) fn check_count(what: &'static str, count: usize, points: usize) -> Result<()> {
    if count == points {
        return Ok(());
    }
    let more = if count > points { " or more" } else { "" };
    let problem = format!("expected {points}, one per point, got {count}{more}");
    Err(Error::invalid(what, problem))
}
