//! Markdown, and tables in it.

use std::fmt::Display;
use std::iter;

use super::{Tag, plugin, tensor_value};
use crate::proto::summary::Value;
use crate::proto::{DataClass, DataType, TensorProto};

/// Of rank 0: any other rank shows as a table.
pub(crate) fn text(prefix: &str, tag: &Tag<'_>, markdown: &str) -> Value {
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        string_val: vec![markdown.as_bytes().to_vec()],
        ..Default::default()
    };
    tensor_value(prefix, tag, plugin("text"), DataClass::Tensor, tensor)
}

/// A Markdown table of `rows`, below `header`, for [`SummaryWriter::text`](crate::SummaryWriter::text).
///
/// A cell is Markdown on one line: a line break in it becomes a space, and `|` is escaped, which shows as `\|` between
/// backticks. A row that is shorter than another ends in empty cells.
///
/// ```
/// use summary_writer::markdown_table;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let table = markdown_table(["setting", "value"], [["optimizer", "Adam"], ["batch", "32"]]);
/// assert_eq!(table, "| setting | value |\n|---|---|\n| optimizer | Adam |\n| batch | 32 |\n");
/// summary.text("config", table, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn markdown_table<Row>(
    header: impl IntoIterator<Item: Display>,
    rows: impl IntoIterator<Item = Row>,
) -> String
where
    Row: IntoIterator<Item: Display>,
{
    let header: Vec<String> = header.into_iter().map(cell).collect();
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| row.into_iter().map(cell).collect())
        .collect();
    let columns = iter::once(&header)
        .chain(&rows)
        .map(Vec::len)
        .max()
        .unwrap_or_default();
    let line = |cells: &[String]| {
        let filled = cells
            .iter()
            .map(String::as_str)
            .chain(iter::repeat(""))
            .take(columns);
        filled.fold(String::from("|"), |line, cell| line + " " + cell + " |") + "\n"
    };
    let rule = format!("|{}\n", "---|".repeat(columns));
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(&header) + &rule + &rows
}

fn cell(content: impl Display) -> String {
    content
        .to_string()
        .replace(['\n', '\r'], " ")
        .replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_as_many_cells_in_each_row_whatever_they_hold() {
        let rows = [vec!["a|b", "x\ny"], vec![], vec!["1", "2", "3"]];
        let want = "| k | v |  |\n|---|---|---|\n| a\\|b | x y |  |\n|  |  |  |\n| 1 | 2 | 3 |\n";
        assert_eq!(markdown_table(["k", "v"], rows), want);
    }

    #[test]
    fn a_table_takes_what_can_be_displayed() {
        let rows =
            [("lr", 0.5), ("momentum", 0.9)].map(|(name, value)| [name.into(), value.to_string()]);
        assert_eq!(
            markdown_table(["", ""], rows),
            "|  |  |\n|---|---|\n| lr | 0.5 |\n| momentum | 0.9 |\n"
        );
        assert_eq!(markdown_table::<[u8; 0]>([1.5], []), "| 1.5 |\n|---|\n");
    }
}
