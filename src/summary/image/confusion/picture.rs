//! A confusion matrix as a picture: names at the left and below, and a scale of the colours at the right.

use super::ConfusionMatrix;
use super::colors::{INK, LINE, QUIET_INK, Scale};
use super::numbers::{Numbers, short_count};
use crate::summary::image::canvas::{Canvas, WHITE, side};
use crate::summary::image::text::{Font, shorten};
use crate::summary::image::{Format, Image};

const MARGIN: usize = 16;
const GAP: usize = 8;
const TICK: usize = 4;
const SCALE_WIDTH: usize = 12;
const MAX_NAME_LETTERS: usize = 24;

/// Where things are, in pixels.
struct Plan {
    /// Of a cell, with the line at its right and lower edge.
    cell: usize,
    /// 0 where cells are too small for one.
    line: usize,
    /// Of the first cell.
    left: usize,
    top: usize,
    /// Beyond the last cell.
    right: usize,
    bottom: usize,
    /// Shortened.
    names: Vec<String>,
    /// Of so many classes one is named.
    every: usize,
    names_width: usize,
    are_names_flat: bool,
    headline: String,
}

impl Plan {
    fn new(matrix: &ConfusionMatrix) -> Self {
        let count = matrix.classes.len();
        let cell = cell_size(count);
        let names = matrix.classes.iter();
        let names: Vec<String> = names.map(|name| shorten(name, MAX_NAME_LETTERS)).collect();
        let widths = names.iter().map(|name| Font::SMALL.width(name));
        let names_width = widths.max().unwrap_or_default();
        let left = MARGIN + Font::SMALL.height() + GAP + names_width + GAP;
        let top = MARGIN + Font::SMALL.height() + GAP;
        let mut steps = [1, 2, 5].into_iter();
        Self {
            cell,
            line: usize::from(cell >= 12),
            left,
            top,
            right: left + count * cell,
            bottom: top + count * cell,
            names,
            // A cell has 2 pixels or more.
            every: steps
                .find(|every| every * cell >= Font::SMALL.height())
                .unwrap_or(10),
            names_width,
            are_names_flat: names_width + 6 <= cell,
            headline: headline(matrix),
        }
    }

    /// The first pixel of a class, across from `left` or down from `top`.
    fn offset(&self, class: usize) -> usize {
        class * self.cell
    }

    fn canvas(&self) -> Canvas {
        let headline_right = self.left + Font::SMALL_BOLD.width(&self.headline);
        let width = self.scale_caption_left() + Font::SMALL.width("100%") + MARGIN;
        let names_height = if self.are_names_flat {
            Font::SMALL.height()
        } else {
            self.names_width
        };
        let height = self.bottom + GAP + names_height + GAP + Font::SMALL.height() + MARGIN;
        let width = width.max(headline_right + MARGIN);
        let mut canvas = Canvas::new(side(width), side(height), Format::RGB8);
        canvas.fill(0..width, 0..height, WHITE);
        canvas
    }

    fn scale_left(&self) -> usize {
        self.right + 2 * GAP
    }

    fn scale_caption_left(&self) -> usize {
        self.scale_left() + SCALE_WIDTH + GAP
    }
}

/// Large for few classes, then high enough for a name beside each, then what keeps the picture below some 2,000 pixels.
fn cell_size(count: usize) -> usize {
    if count <= 80 {
        (800 / count).clamp(16, 96)
    } else {
        (1280 / count).max(2)
    }
}

pub(super) fn draw(matrix: &ConfusionMatrix) -> Image {
    let plan = Plan::new(matrix);
    let mut canvas = plan.canvas();
    let scale = Scale::new();
    draw_cells(&mut canvas, &plan, matrix, &scale);
    draw_names(&mut canvas, &plan);
    draw_titles(&mut canvas, &plan);
    draw_scale(&mut canvas, &plan, &scale);
    canvas.into_image()
}

fn draw_cells(canvas: &mut Canvas, plan: &Plan, matrix: &ConfusionMatrix, scale: &Scale) {
    canvas.fill(
        plan.left - 1..plan.right + 1 - plan.line,
        plan.top - 1..plan.bottom + 1 - plan.line,
        LINE,
    );
    let numbers = Numbers::fitting(plan.cell, &matrix.counts);
    for (truth, counts) in matrix.rows().enumerate() {
        let total = sum(counts);
        for (predicted, count) in counts.iter().enumerate() {
            let (left, top) = (
                plan.left + plan.offset(predicted),
                plan.top + plan.offset(truth),
            );
            let filled = plan.cell - plan.line;
            let share = *count as f64 / total.max(1) as f64;
            let color = scale.at(share);
            canvas.fill(left..left + filled, top..top + filled, color);
            if let Some(numbers) = &numbers {
                numbers.draw(canvas, left, top, *count, share, color);
            }
        }
    }
}

fn draw_names(canvas: &mut Canvas, plan: &Plan) {
    let (font, half) = (Font::SMALL, Font::SMALL.height() / 2);
    for (class, name) in plan.names.iter().enumerate().step_by(plan.every) {
        let middle = plan.offset(class) + (plan.cell - plan.line) / 2;
        let (across, down) = (plan.left + middle, plan.top + middle);
        let width = font.width(name);
        canvas.text(plan.left - GAP - width, down - half, name, font, INK);
        if plan.are_names_flat {
            canvas.text(across - width / 2, plan.bottom + GAP, name, font, INK);
        } else {
            let bottom = plan.bottom + GAP + width;
            canvas.text_upwards(across - half, bottom, name, font, INK);
        }
        if plan.every > 1 {
            canvas.fill(plan.left - TICK..plan.left, down..down + 1, QUIET_INK);
            canvas.fill(
                across..across + 1,
                plan.bottom..plan.bottom + TICK,
                QUIET_INK,
            );
        }
    }
}

fn draw_titles(canvas: &mut Canvas, plan: &Plan) {
    let font = Font::SMALL_BOLD;
    canvas.text(plan.left, MARGIN - GAP / 2, &plan.headline, font, INK);
    let half = |text: &str| font.width(text) / 2;
    let across = (plan.left + plan.right) / 2 - half("predicted");
    let below = canvas.height() - MARGIN - font.height();
    canvas.text(across, below, "predicted", font, QUIET_INK);
    let bottom = (plan.top + plan.bottom) / 2 + half("true");
    canvas.text_upwards(MARGIN, bottom, "true", font, QUIET_INK);
}

fn draw_scale(canvas: &mut Canvas, plan: &Plan, scale: &Scale) {
    let bottom = plan.bottom - plan.line;
    let (left, height) = (plan.scale_left(), bottom - plan.top);
    let right = left + SCALE_WIDTH;
    canvas.fill(left - 1..right + 1, plan.top - 1..bottom + 1, LINE);
    for y in 0..height {
        let share = (height - 1 - y) as f64 / (height - 1).max(1) as f64;
        let row = plan.top + y;
        canvas.fill(left..right, row..row + 1, scale.at(share));
    }
    let (left, font) = (plan.scale_caption_left(), Font::SMALL);
    let lowest = plan.bottom - font.height();
    canvas.text(left, plan.top, "100%", font, QUIET_INK);
    canvas.text(left, lowest, "0%", font, QUIET_INK);
    let caption = "share of row";
    let width = font.width(caption);
    if width + 2 * (font.height() + GAP) <= height {
        let bottom = (plan.top + plan.bottom + width) / 2;
        canvas.text_upwards(left, bottom, caption, font, QUIET_INK);
    }
}

fn headline(matrix: &ConfusionMatrix) -> String {
    let total = sum(&matrix.counts);
    if total == 0 {
        return "no examples".into();
    }
    let right = sum(matrix.counts.iter().step_by(matrix.classes.len() + 1));
    let accuracy = 100.0 * right as f64 / total as f64;
    let total = match u64::try_from(total) {
        Ok(total @ ..1_000_000) => total.to_string(),
        total => short_count(total.unwrap_or(u64::MAX)),
    };
    format!("accuracy {accuracy:.1}% of {total}")
}

fn sum<'a>(counts: impl IntoIterator<Item = &'a u64>) -> u128 {
    counts.into_iter().copied().map(u128::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headline_has_the_share_that_was_right() {
        for (counts, want) in [
            ([0; 4], "no examples"),
            ([3, 1, 2, 2], "accuracy 62.5% of 8"),
            ([1_500_000, 0, 0, 0], "accuracy 100.0% of 1.5M"),
            ([0, u64::MAX, u64::MAX, 0], "accuracy 0.0% of 18E"),
        ] {
            let matrix = ConfusionMatrix::new(&["a", "b"], &counts).unwrap();
            assert_eq!(headline(&matrix), want);
        }
    }
}
