//! A confusion matrix as a picture: names at the left and below, and a scale of the colours at the right.

use super::ConfusionMatrix;
use crate::summary::image::canvas::{Canvas, Color, WHITE, ink_on, side};
use crate::summary::image::text::{Font, shorten};
use crate::summary::image::{Format, Image};

const MARGIN: usize = 16;
const GAP: usize = 8;
const TICK: usize = 4;
const SCALE_WIDTH: usize = 12;
const MAX_NAME_LETTERS: usize = 24;

const INK: Color = [32, 36, 44];
const QUIET_INK: Color = [98, 106, 118];
const LINE: Color = [222, 228, 236];

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
    let colors = colors();
    draw_cells(&mut canvas, &plan, matrix, &colors);
    draw_names(&mut canvas, &plan);
    draw_titles(&mut canvas, &plan);
    draw_scale(&mut canvas, &plan, &colors);
    canvas.into_image()
}

fn draw_cells(canvas: &mut Canvas, plan: &Plan, matrix: &ConfusionMatrix, colors: &[Color; 256]) {
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
            let color = color_at(colors, share);
            canvas.fill(left..left + filled, top..top + filled, color);
            if let Some(numbers) = &numbers {
                numbers.draw(canvas, left, top, *count, share, color);
            }
        }
    }
}

/// How counts are written into cells: all of them, or none.
struct Numbers {
    cell: usize,
    font: Font,
    max_letters: usize,
}

impl Numbers {
    fn fitting(cell: usize, counts: &[u64]) -> Option<Self> {
        let fits = |font: Font, padding: usize, write: fn(u64) -> String| {
            let max_letters = cell.saturating_sub(2 * padding) / font.letter_width();
            let mut texts = counts.iter().map(|count| write(*count));
            let is_high_enough = font.height() <= cell;
            let fits = is_high_enough && texts.all(|text| text.len() <= max_letters);
            fits.then_some(Self {
                cell,
                font,
                max_letters,
            })
        };
        fits(Font::LARGE, 8, |count| count.to_string())
            .or_else(|| fits(Font::SMALL, 6, |count| count.to_string()))
            .or_else(|| fits(Font::LARGE, 8, short_count))
            .or_else(|| fits(Font::SMALL, 2, short_count))
    }

    fn draw(
        &self,
        canvas: &mut Canvas,
        left: usize,
        top: usize,
        count: u64,
        share: f64,
        color: Color,
    ) {
        let whole = count.to_string();
        let text = if whole.len() <= self.max_letters {
            whole
        } else {
            short_count(count)
        };
        // Zeros would hide the rest.
        let ink = if count == 0 { QUIET_INK } else { ink_on(color) };
        let has_share = count > 0 && self.cell >= 64;
        let height = self.font.height() + if has_share { Font::SMALL.height() } else { 0 };
        let top = top + (self.cell - height) / 2;
        let centered =
            |text: &str, font: Font| left + self.cell.saturating_sub(font.width(text)) / 2;
        canvas.text(centered(&text, self.font), top, &text, self.font, ink);
        if has_share {
            let (text, font) = (percent(share), Font::SMALL);
            let left = centered(&text, font);
            canvas.text(left, top + self.font.height(), &text, font, ink);
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

fn draw_scale(canvas: &mut Canvas, plan: &Plan, colors: &[Color; 256]) {
    let bottom = plan.bottom - plan.line;
    let (left, height) = (plan.scale_left(), bottom - plan.top);
    let right = left + SCALE_WIDTH;
    canvas.fill(left - 1..right + 1, plan.top - 1..bottom + 1, LINE);
    for y in 0..height {
        let share = (height - 1 - y) as f64 / (height - 1).max(1) as f64;
        let row = plan.top + y;
        canvas.fill(left..right, row..row + 1, color_at(colors, share));
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

/// Four letters at the most: 9999, 12k, 1.2M, 18E.
fn short_count(count: u64) -> String {
    if count < 10_000 {
        return count.to_string();
    }
    let (mut unit, mut letter) = (1000, 'k');
    for next in ['M', 'G', 'T', 'P', 'E'] {
        // From half a unit below it is rounded up to 1.0 of the next.
        if count < unit * 1000 - unit / 2 {
            break;
        }
        (unit, letter) = (unit * 1000, next);
    }
    let rounded = |unit: u64| count / unit + u64::from(count % unit >= unit / 2);
    match rounded(unit / 10) {
        tenths @ ..100 => format!("{}.{}{letter}", tenths / 10, tenths % 10),
        _ => format!("{}{letter}", rounded(unit)),
    }
}

/// Only what is nothing and all shows as 0% and 100%.
fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    if rounded < 1.0 && share > 0.0 {
        "<1%".into()
    } else if rounded > 99.0 && share < 1.0 {
        ">99%".into()
    } else {
        format!("{rounded}%")
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; a share is from 0 to 1"
)]
fn color_at(colors: &[Color; 256], share: f64) -> Color {
    colors[usize::from((share * 255.0).round() as u8)]
}

/// From nearly white to dark blue, each step as visible as the others: straight in the lightness of Oklab.
fn colors() -> [Color; 256] {
    std::array::from_fn(|i| {
        let share = i as f64 / 255.0;
        let lightness = 0.985 - 0.665 * share;
        let chroma = 0.006
            + 0.12 * (std::f64::consts::PI * share.powf(0.9)).sin().max(0.0)
            + 0.07 * share * share;
        let hue = (244.0 + 18.0 * share).to_radians();
        oklab(lightness, chroma * hue.cos(), chroma * hue.sin())
    })
}

/// sRGB of Björn Ottosson's Oklab.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped"
)]
fn oklab(lightness: f64, a: f64, b: f64) -> Color {
    let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let medium = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
    ]
    .map(|light| {
        let value = if light <= 0.003_130_8 {
            12.92 * light
        } else {
            1.055 * light.powf(1.0 / 2.4) - 0.055
        };
        (value.clamp(0.0, 1.0) * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_four_letters_at_the_most() {
        for (count, want) in [
            (0, "0"),
            (9_999, "9999"),
            (10_000, "10k"),
            (10_499, "10k"),
            (10_500, "11k"),
            (999_499, "999k"),
            (999_500, "1.0M"),
            (1_249_999, "1.2M"),
            (1_250_000, "1.3M"),
            (9_949_999, "9.9M"),
            (9_950_000, "10M"),
            (7_000_000_000, "7.0G"),
            (86_000_000_000_000, "86T"),
            (999_499_999_999_999_999, "999P"),
            (u64::MAX, "18E"),
        ] {
            assert_eq!(short_count(count), want, "{count}");
        }
    }

    #[test]
    fn a_share_is_rounded_but_not_to_nothing_or_all() {
        for (share, want) in [
            (0.0, "0%"),
            (0.001, "<1%"),
            (0.004, "<1%"),
            (0.006, "1%"),
            (0.505, "51%"),
            (0.994, "99%"),
            (0.9999, ">99%"),
            (1.0, "100%"),
        ] {
            assert_eq!(percent(share), want, "{share}");
        }
    }

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

    #[test]
    fn colors_darken_evenly_and_leave_their_numbers_legible() {
        // The lightness of CIELAB, which is not what they were made from.
        let lightness = |[red, green, blue]: Color| {
            let linear = |value: u8| (f64::from(value) / 255.0).powf(2.2);
            let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
            116.0 * luminance.cbrt() - 16.0
        };
        let colors = colors();
        let (first, last) = (lightness(colors[0]), lightness(colors[255]));
        assert!(first > 97.0 && last < 26.0, "{first} to {last}");
        for (i, color) in colors.into_iter().enumerate() {
            let even = first + (last - first) * i as f64 / 255.0;
            assert!((lightness(color) - even).abs() < 5.0, "{i}: {color:?}");
        }
        assert_eq!(ink_on(colors[0]), [0; 3]);
        assert_eq!(ink_on(colors[255]), WHITE);
    }

    #[test]
    fn numbers_are_in_all_cells_or_in_none() {
        let letters = |cell, counts: &[u64]| {
            Numbers::fitting(cell, counts)
                .map(|numbers| (numbers.font.height(), numbers.max_letters))
        };
        // Letters are 7 and 11 pixels wide: (96 - 16) / 11 is 7, (96 - 12) / 7 is 12, (40 - 4) / 7 is 5.
        assert_eq!(Font::SMALL.letter_width(), 7);
        assert_eq!(Font::LARGE.letter_width(), 11);
        assert_eq!(letters(96, &[9_999_999, 0]), Some((24, 7)));
        assert_eq!(letters(96, &[10_000_000, 0]), Some((16, 12)));
        assert_eq!(letters(96, &[u64::MAX, 0]), Some((24, 7)));
        assert_eq!(letters(40, &[u64::MAX, 0]), Some((16, 5)));
        assert_eq!(letters(16, &[9, 0]), Some((16, 1)));
        assert_eq!(letters(16, &[10, 0]), None);
        assert_eq!(letters(15, &[0]), None);
    }
}
