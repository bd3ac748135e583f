//! Texts in Markdown, text that is shown as it is, and tables.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::iter;

use super::{Tag, plugin, tensor_value};
use crate::proto::summary::Value;
use crate::proto::{DataClass, DataType, TensorProto};

/// Markdown for [`SummaryWriter::text`](crate::SummaryWriter::text).
///
/// ```
/// use summary_writer::Text;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let config = "[model]\nfile = \"__init__.py\"\nsize = 2*3*4\n";
/// summary.text("config", Text::preformatted(config), 0);
///
/// // With a heading.
/// summary.text("config", format!("# Config\n\n{}", Text::preformatted(config)), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Text(String);

impl Text {
    /// Creates a block of code that shows a text as it is: with its line breaks, its spaces, and all characters that have a
    /// meaning in Markdown or HTML. TensorBoard shows a tab as spaces up to the next multiple of four columns, and leaves out
    /// most control characters.
    pub fn preformatted(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        // The block ends at a line of exactly as many backticks as it begins with.
        let longest = text.split(|c| c != '`').map(str::len).max();
        let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
        let line_end = if text.ends_with('\n') { "" } else { "\n" };
        Self(format!("{fence}\n{text}{line_end}{fence}\n"))
    }

    /// Creates a table of `rows` under `header`.
    ///
    /// A cell is Markdown on one line. A line break becomes a space. A `|` is escaped unless it is already; between backticks it
    /// is shown as `\|`. Backticks that do not close are written as `&#96;`, because they would take in the next cells. Short
    /// rows are filled with empty cells.
    ///
    /// ```
    /// use summary_writer::Text;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let table = Text::table(["setting", "value"], [["optimizer", "Adam"], ["batch", "32"]]);
    /// assert_eq!(table.to_string(), "| setting | value |\n|---|---|\n| optimizer | Adam |\n| batch | 32 |\n");
    /// summary.text("config", table, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn table<Row>(
        header: impl IntoIterator<Item: Display>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Self
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
        Self(line(&header) + &rule + &rows)
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tensor of rank 0, because the dashboard shows any other rank as a table.
pub(crate) fn text(prefix: &str, tag: &Tag<'_>, markdown: &str) -> Value {
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        string_val: vec![markdown.as_bytes().to_vec()],
        ..Default::default()
    };
    tensor_value(prefix, tag, plugin("text"), DataClass::Tensor, tensor)
}

/// Escapes a cell. For the dashboard, a cell ends at each `|` of the row that is neither escaped nor in code.
fn cell(content: impl Display) -> String {
    let content = content.to_string().replace(['\n', '\r'], " ");
    let tokens = tokens(&content);
    // The index of the last run of backticks, by its length.
    let last: HashMap<usize, usize> = tokens
        .iter()
        .map(|token| backticks(token))
        .zip(0..)
        .collect();
    let mut cell = String::with_capacity(content.len());
    let mut code_end = 0;
    for (i, token) in tokens.iter().enumerate() {
        let (escaped, run) = match token.strip_prefix("\\`") {
            Some(run) => ("\\`", run),
            None => ("", &token[..backticks(token)]),
        };
        if *token == "|" {
            cell += "\\|";
        } else if i < code_end || run.is_empty() {
            cell += token;
        } else if last.get(&run.len()).is_some_and(|last| *last > i) {
            let ends = |other: &&str| backticks(other) == run.len();
            let code = tokens[i + 1..].iter().take_while(|other| !ends(other));
            code_end = i + 1 + code.count() + 1;
            cell += token;
        } else {
            cell += escaped;
            cell.extend(iter::repeat_n("&#96;", run.len()));
        }
    }
    cell
}

/// Splits a cell into what the dashboard takes as one token: two backslashes, an escaped `|`, a run of backticks of which the
/// first may be escaped, a `|`, and the text between these.
fn tokens(mut text: &str) -> Vec<&str> {
    const SPECIAL: [char; 3] = ['\\', '`', '|'];
    let mut tokens = Vec::new();
    while let Some(first) = text.chars().next() {
        let rest = &text[first.len_utf8()..];
        let more = match first {
            '\\' if rest.starts_with(['\\', '|']) => 1,
            '\\' | '`' => rest.len() - rest.trim_start_matches('`').len(),
            '|' => 0,
            _ => rest.find(SPECIAL).unwrap_or(rest.len()),
        };
        let (token, after) = text.split_at(first.len_utf8() + more);
        tokens.push(token);
        text = after;
    }
    tokens
}

fn backticks(token: &str) -> usize {
    token.bytes().filter(|byte| *byte == b'`').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fence_is_longer_than_the_backticks_of_the_text() {
        for (text, want) in [
            ("", "```\n\n```\n"),
            ("a", "```\na\n```\n"),
            ("a\n", "```\na\n```\n"),
            ("a\n\n", "```\na\n\n```\n"),
            ("`a``", "```\n`a``\n```\n"),
            ("```\na\n```", "````\n```\na\n```\n````\n"),
            ("````` ``", "``````\n````` ``\n``````\n"),
        ] {
            assert_eq!(Text::preformatted(text).as_ref(), want, "{text:?}");
        }
    }

    #[test]
    fn all_rows_of_a_table_have_the_same_number_of_cells() {
        let rows = [vec!["a|b", "x\ny"], vec![], vec!["1", "2", "3"]];
        let want = "| k | v |  |\n|---|---|---|\n| a\\|b | x y |  |\n|  |  |  |\n| 1 | 2 | 3 |\n";
        assert_eq!(Text::table(["k", "v"], rows).0, want);
    }

    #[test]
    fn a_cell_does_not_end_early_or_take_in_the_next() {
        for (content, want) in [
            (r"a|b", r"a\|b"),
            (r"a\|b", r"a\|b"),
            (r"a\\|b", r"a\\\|b"),
            (r"a\\\|b", r"a\\\|b"),
            (r"||\", r"\|\|\"),
            ("`a|b`", r"`a\|b`"),
            ("`a", "&#96;a"),
            ("``a`b", "&#96;&#96;a&#96;b"),
            ("``a`b``", "``a`b``"),
            // An escaped backtick does not begin code. But it ends code, where a backslash does not escape.
            (r"\`a`", r"\`a&#96;"),
            (r"`a\`", r"`a\`"),
            (r"\``a`", r"\``a`"),
            (r"\``a", r"\`&#96;a"),
            (r"\\`a", r"\\&#96;a"),
            ("größer `ß` | ü", r"größer `ß` \| ü"),
        ] {
            assert_eq!(cell(content), want, "{content}");
        }
    }

    #[test]
    fn cells_are_anything_that_can_be_displayed() {
        let rows =
            [("lr", 0.5), ("momentum", 0.9)].map(|(name, value)| [name.into(), value.to_string()]);
        assert_eq!(
            Text::table(["", ""], rows).0,
            "|  |  |\n|---|---|\n| lr | 0.5 |\n| momentum | 0.9 |\n"
        );
        assert_eq!(Text::table::<[u8; 0]>([1.5], []).0, "| 1.5 |\n|---|\n");
    }
}
