//! Confusion matrices, as an image and as a table.

mod picture;

use super::Image;
use super::canvas::check_letters;
use crate::error::{Error, Result};
use crate::summary::Text;

/// As many classes as ImageNet has. Each takes two pixels.
const MAX_CLASSES: usize = 1000;

/// How often a classifier predicted each class: a row for each true class, a column for each predicted class. Needs the
/// feature `png`, which is a default.
///
/// ```
/// use summary_writer::images::ConfusionMatrix;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let truth = [0, 0, 1, 2, 2];
/// let predicted = [0, 1, 1, 2, 2];
/// let matrix = ConfusionMatrix::from_labels(&["cat", "dog", "bird"], &truth, &predicted)?;
/// summary.image("confusion/picture", matrix.to_image()?, 0);
/// summary.text("confusion/table", matrix.to_markdown(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// 1 to [`MAX_CLASSES`] names.
    classes: Vec<String>,
    /// Row by row. There are as many rows and columns as classes.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// Creates a matrix from its counts, row by row: `counts[truth * classes.len() + predicted]`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no classes or more than 1,000, or if there is not one count for each pair of classes.
    pub fn new(classes: &[impl AsRef<str>], counts: &[u64]) -> Result<Self> {
        let classes = check_classes(classes)?;
        let (len, got) = (classes.len(), counts.len());
        if got != len * len {
            let problem = format!(
                "expected {}, one per pair of {len} classes, got {got}",
                len * len
            );
            return Err(Error::invalid("confusion counts", problem));
        }
        let counts = counts.to_vec();
        Ok(Self { classes, counts })
    }

    /// Counts examples. `truth` and `predicted` have the class of each example, as its index in `classes`. Without examples all
    /// counts are 0.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no classes or more than 1,000, if the number of labels differs, or if a label is not the
    /// index of a class.
    pub fn from_labels(
        classes: &[impl AsRef<str>],
        truth: &[usize],
        predicted: &[usize],
    ) -> Result<Self> {
        let classes = check_classes(classes)?;
        let len = classes.len();
        if predicted.len() != truth.len() {
            let (want, got) = (truth.len(), predicted.len());
            let problem = format!("expected {want}, one per true label, got {got}");
            return Err(Error::invalid("predicted labels", problem));
        }
        for (what, labels) in [("true labels", truth), ("predicted labels", predicted)] {
            if let Some(i) = labels.iter().position(|label| *label >= len) {
                let problem = format!(
                    "expected a class below {len}, got {} at index {i}",
                    labels[i]
                );
                return Err(Error::invalid(what, problem));
            }
        }
        let mut counts = vec![0; len * len];
        for (truth, predicted) in truth.iter().zip(predicted) {
            counts[truth * len + predicted] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// Draws an image for [`SummaryWriter::image`](crate::SummaryWriter::image).
    ///
    /// The colour of a cell is its share of the row, from white to dark blue, so that classes with few examples are as visible
    /// as those with many. If there is room, each cell has its count, and up to six classes also have the share below it. Long
    /// counts become `1.2M`. Names are shortened to 16 letters, and read upwards below their columns if they are wider than a
    /// column. With many classes only every fifth, for example, has its name.
    ///
    /// The text is legible at the 350 pixels to which the Images page scales an image. A side has about 400 pixels for up to
    /// 150 classes and up to 3,500 for 1,000; it also depends on the names.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a name has a letter that the font lacks. It has Latin letters. [`to_markdown`](Self::to_markdown)
    /// takes any script.
    pub fn to_image(&self) -> Result<Image> {
        for name in &self.classes {
            let invalid = |problem| Error::invalid("class names in an image", problem);
            check_letters(name).map_err(invalid)?;
        }
        Ok(picture::draw(self))
    }

    /// Creates a Markdown table for [`SummaryWriter::text`](crate::SummaryWriter::text), with complete names and counts. Correct
    /// predictions are bold.
    pub fn to_markdown(&self) -> String {
        let names: Vec<String> = self.classes.iter().map(|name| escape(name)).collect();
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
        Text::table(header, rows).to_string()
    }

    fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.classes.len())
    }
}

fn check_classes(classes: &[impl AsRef<str>]) -> Result<Vec<String>> {
    if (1..=MAX_CLASSES).contains(&classes.len()) {
        return Ok(classes.iter().map(|name| name.as_ref().into()).collect());
    }
    let problem = format!("expected 1 to {MAX_CLASSES}, got {}", classes.len());
    Err(Error::invalid("classes", problem))
}

/// Escapes text for Markdown. `Text::table` escapes `|`.
fn escape(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '*' | '_' | '`' | '[' | ']' => markdown.extend(['\\', letter]),
            // A backslash does not escape these everywhere.
            '&' | '<' | '>' | '\\' => markdown += &format!("&#{};", u32::from(letter)),
            _ => markdown.push(letter),
        }
    }
    markdown
}

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::*;

    #[test]
    fn labels_are_counted_by_truth_and_prediction() {
        let truth = [0, 0, 0, 2, 2, 1];
        let predicted = [0, 1, 1, 2, 0, 1];
        let matrix = ConfusionMatrix::from_labels(&["a", "b", "c"], &truth, &predicted).unwrap();
        let counts = [1, 2, 0, 0, 1, 0, 1, 0, 1];
        let want = ConfusionMatrix::new(&["a", "b", "c"], &counts).unwrap();
        assert_eq!(matrix, want);
        let none = ConfusionMatrix::from_labels(&["a"], &[], &[]).unwrap();
        assert_eq!(none, ConfusionMatrix::new(&["a"], &[0]).unwrap());
    }

    #[test]
    fn the_table_has_a_row_for_each_true_class() {
        let matrix = ConfusionMatrix::new(&["a|b", "*c*\n<d>"], &[1, 2, 3, u64::MAX]).unwrap();
        let want = "\
| true \\\\ predicted | a\\|b | \\*c\\* &#60;d&#62; |
|---|---|---|
| a\\|b | **1** | 2 |
| \\*c\\* &#60;d&#62; | 3 | **18446744073709551615** |
";
        assert_eq!(matrix.to_markdown(), want);
    }

    #[test]
    fn any_matrix_has_an_image_of_bounded_size() {
        let long = "w".repeat(1000);
        for (names, len, count) in [
            (["", "Größe", "\n\0", &long], 4, u64::MAX),
            (["a"; 4], 1, 0),
            (["a"; 4], 2, 0),
            ([&long; 4], 17, 123_456),
            (["name"; 4], 80, 7),
            (["name"; 4], 81, 7),
            ([&long; 4], 1000, 1),
        ] {
            let names: Vec<&str> = names.into_iter().cycle().take(len).collect();
            let matrix = ConfusionMatrix::new(&names, &vec![count; len * len]).unwrap();
            let image = matrix.to_image().unwrap();
            let pixels = image.pixels().unwrap();
            assert_eq!(pixels.format, Format::RGB8, "{len} classes");
            let (width, height) = (pixels.width, pixels.height);
            assert_eq!(width * height * 3, pixels.bytes.len(), "{len} classes");
            assert!(
                width.max(height) <= 3500,
                "{len} classes: {width} x {height}"
            );
        }
    }

    #[test]
    fn a_class_name_that_the_font_lacks_is_an_error_of_the_image_only() {
        let matrix = ConfusionMatrix::new(&["dog", "猫"], &[1; 4]).unwrap();
        let want = "class names in an image: expected Latin letters, digits and signs, which the font has, got '猫' in \"猫\"";
        assert_eq!(matrix.to_image().unwrap_err().to_string(), want);
        assert!(matrix.to_markdown().contains("| 猫 |"));
    }

    #[test]
    fn invalid_matrices_are_rejected() {
        let none: [&str; 0] = [];
        let two = ["a", "b"];
        for (result, want) in [
            (
                ConfusionMatrix::new(&none, &[]),
                "classes: expected 1 to 1000, got 0",
            ),
            (
                ConfusionMatrix::from_labels(&["a"; 1001], &[], &[]),
                "classes: expected 1 to 1000, got 1001",
            ),
            (
                ConfusionMatrix::new(&two, &[1, 2, 3]),
                "confusion counts: expected 4, one per pair of 2 classes, got 3",
            ),
            (
                ConfusionMatrix::from_labels(&two, &[0, 1], &[0]),
                "predicted labels: expected 2, one per true label, got 1",
            ),
            (
                ConfusionMatrix::from_labels(&two, &[0, 2], &[0, 0]),
                "true labels: expected a class below 2, got 2 at index 1",
            ),
            (
                ConfusionMatrix::from_labels(&two, &[0, 1], &[7, 0]),
                "predicted labels: expected a class below 2, got 7 at index 0",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
    }
}
