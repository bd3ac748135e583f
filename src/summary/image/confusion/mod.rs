//! Which class was taken for which: a picture, and a table.

mod colors;
mod numbers;
mod picture;

use super::Image;
use crate::error::{Error, Result};
use crate::summary::markdown_table;

/// As many as ImageNet has: two pixels each.
const MAX_CLASSES: usize = 1000;

/// How often each class was predicted as each: a row for each true class, a column for each predicted one.
///
/// ```
/// use summary_writer::ConfusionMatrix;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let truth = [0, 0, 1, 2, 2];
/// let predicted = [0, 1, 1, 2, 2];
/// let matrix = ConfusionMatrix::from_labels(&["cat", "dog", "bird"], &truth, &predicted)?;
/// summary.image("confusion/picture", matrix.to_image(), 0);
/// summary.text("confusion/table", matrix.to_markdown(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// 1 to `MAX_CLASSES`.
    classes: Vec<String>,
    /// Row by row: as many as `classes`, each as long.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// Counts row by row: `counts[truth * classes.len() + predicted]`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no classes or more than 1,000, or the number of counts is not their square.
    pub fn new(classes: &[impl AsRef<str>], counts: &[u64]) -> Result<Self> {
        let classes = check_classes(classes)?;
        let (len, given) = (classes.len(), counts.len());
        if given != len * len {
            let problem = format!("{given} are given, {len} classes need {}", len * len);
            return Err(Error::invalid("confusion counts", problem));
        }
        let counts = counts.to_vec();
        Ok(Self { classes, counts })
    }

    /// Counts examples, of which `truth` and `predicted` have the class, by its index in `classes`. No examples make a
    /// matrix of zeros.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no classes or more than 1,000, the lengths differ, or a label is no class.
    pub fn from_labels(
        classes: &[impl AsRef<str>],
        truth: &[usize],
        predicted: &[usize],
    ) -> Result<Self> {
        let classes = check_classes(classes)?;
        let len = classes.len();
        if predicted.len() != truth.len() {
            let problem = format!("{} are given, {} fit", predicted.len(), truth.len());
            return Err(Error::invalid("predicted labels", problem));
        }
        for (what, labels) in [("true labels", truth), ("predicted labels", predicted)] {
            if let Some(i) = labels.iter().position(|label| *label >= len) {
                let problem = format!("number {i} is {}, one below {len} fits", labels[i]);
                return Err(Error::invalid(what, problem));
            }
        }
        let mut counts = vec![0; len * len];
        for (truth, predicted) in truth.iter().zip(predicted) {
            counts[truth * len + predicted] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// A picture for [`SummaryWriter::image`](crate::SummaryWriter::image).
    ///
    /// A cell's colour is its share of the row, from white to dark blue, so that classes with few examples show like
    /// those with many. Its number is the count, below it the share, where there is room; what is long becomes `1.2M`.
    /// Names are shortened to 24 letters, and turned where they would not fit below their columns; of many classes only
    /// each fifth, say, is named. Letters beyond the Latin ones show as a replacement character. The size depends on the
    /// number of classes and their names: some 1,000 pixels a side for 10, 1,100 for 60, and
    /// 2,200 for 1,000.
    pub fn to_image(&self) -> Image {
        picture::draw(self)
    }

    /// A Markdown table for [`SummaryWriter::text`](crate::SummaryWriter::text): whole names and counts, those that were
    /// predicted right in bold.
    pub fn to_markdown(&self) -> String {
        let names: Vec<String> = self.classes.iter().map(|name| plain(name)).collect();
        let corner = "true \\\\ predicted";
        let header = [corner].into_iter().chain(names.iter().map(String::as_str));
        let rows = self.rows().zip(&names).enumerate();
        let rows = rows.map(|(truth, (counts, name))| {
            let cells = counts.iter().enumerate().map(move |(predicted, count)| {
                if predicted == truth {
                    format!("**{count}**")
                } else {
                    count.to_string()
                }
            });
            [name.clone()].into_iter().chain(cells)
        });
        markdown_table(header, rows)
    }

    fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.classes.len())
    }
}

fn check_classes(classes: &[impl AsRef<str>]) -> Result<Vec<String>> {
    if (1..=MAX_CLASSES).contains(&classes.len()) {
        return Ok(classes.iter().map(|name| name.as_ref().into()).collect());
    }
    let problem = format!("{} are given, 1 to {MAX_CLASSES} fit", classes.len());
    Err(Error::invalid("classes", problem))
}

/// Markdown that shows the text as it is, in a table, which escapes `|`.
fn plain(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '*' | '_' | '`' | '[' | ']' => markdown.extend(['\\', letter]),
            // No backslash helps these everywhere.
            '&' | '<' | '>' | '\\' => markdown += &format!("&#{};", u32::from(letter)),
            _ => markdown.push(letter),
        }
    }
    markdown
}

#[cfg(test)]
mod tests;
