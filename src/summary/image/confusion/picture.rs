//! A confusion matrix as an image: coloured cells with counts, names to the left and below, and a colour scale to the right.

use super::ConfusionMatrix;
use crate::summary::image::Image;
use crate::summary::image::canvas::{Canvas, Color, Font, WHITE, ink_on, interpolate, shorten};
use crate::summary::image::format::Format;

/// The Images page shows an image 350 pixels wide, whatever its size is. The text must be legible there, so the matrix is about
/// as large, or the text grows with it.
const MATRIX_SIDE: usize = 300;
const MAX_CELL: usize = 72;
/// A smaller cell would vanish if the image is shown in its own size.
const MIN_CELL: usize = 2;
const MARGIN: usize = 8;
const GAP: usize = 4;
const TICK: usize = 3;
const SCALE_WIDTH: usize = 12;
const MAX_NAME_LETTERS: usize = 16;
/// Smaller cells have no lines between them.
const MIN_CELL_WITH_LINE: usize = 12;
/// Smaller cells have no share below their count.
const MIN_CELL_WITH_SHARE: usize = 48;

const INK: Color = [32, 36, 44];
/// For text that is less important.
const GRAY_INK: Color = [98, 106, 118];
const LINE: Color = [222, 228, 236];

/// The colours for shares of 0, 1/8, 2/8 and so on. Their lightness in Oklab falls evenly.
const SHADES: [Color; 9] = [
    [247, 251, 254],
    [189, 228, 255],
    [141, 202, 255],
    [102, 174, 249],
    [73, 147, 228],
    [56, 120, 199],
    [45, 95, 164],
    [37, 71, 126],
    [29, 49, 89],
];

/// Sizes and positions in pixels.
struct Layout {
    /// The side of a cell, with the line at its right and bottom.
    cell: usize,
    line: usize,
    /// How often each pixel of the text and of the space around it is repeated.
    zoom: usize,
    font: Font,
    bold: Font,
    /// The edges of the cells.
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    /// The shortened names.
    names: Vec<String>,
    names_width: usize,
    names_are_upright: bool,
    /// One class in so many has its name.
    name_step: usize,
}

impl Layout {
    fn new(matrix: &ConfusionMatrix) -> Self {
        let count = matrix.classes.len();
        let cell = (MATRIX_SIDE / count).clamp(MIN_CELL, MAX_CELL);
        let zoom = (count * cell).div_ceil(MATRIX_SIDE);
        let (font, bold) = (Font::SMALL.zoom(zoom), Font::SMALL_BOLD.zoom(zoom));
        let names = matrix.classes.iter();
        let names: Vec<String> = names.map(|name| shorten(name, MAX_NAME_LETTERS)).collect();
        let widths = names.iter().map(|name| font.width(name));
        let names_width = widths.max().unwrap_or_default();
        let letter_height = font.height();
        let left = MARGIN * zoom + letter_height + GAP * zoom + names_width + GAP * zoom;
        let top = MARGIN * zoom + letter_height + GAP * zoom;
        let mut steps = [1, 2, 5, 10, 20, 50].into_iter();
        Self {
            cell,
            line: usize::from(cell >= MIN_CELL_WITH_LINE),
            zoom,
            font,
            bold,
            left,
            top,
            right: left + count * cell,
            bottom: top + count * cell,
            names,
            names_width,
            names_are_upright: names_width + 2 * GAP > cell,
            name_step: steps
                .find(|step| step * cell >= letter_height)
                .unwrap_or(100),
        }
    }

    fn scale_left(&self) -> usize {
        self.right + 2 * GAP * self.zoom
    }

    fn scale_caption_left(&self) -> usize {
        self.scale_left() + (SCALE_WIDTH + GAP) * self.zoom
    }

    fn canvas(&self, headline: &str, has_scale: bool) -> Canvas {
        let headline_right = self.left + self.bold.width(headline);
        let cells_right = match has_scale {
            true => self.scale_caption_left() + self.font.width("100%"),
            false => self.right,
        };
        let width = headline_right.max(cells_right) + MARGIN * self.zoom;
        let letter_height = self.font.height();
        let names_height = if self.names_are_upright {
            self.names_width
        } else {
            letter_height
        };
        let space = (2 * GAP + MARGIN) * self.zoom;
        let height = self.bottom + names_height + letter_height + space;
        let mut canvas = Canvas::new(width, height, Format::RGB8);
        canvas.fill(0..width, 0..height, WHITE);
        canvas
    }
}

pub(super) fn draw(matrix: &ConfusionMatrix) -> Image {
    let layout = Layout::new(matrix);
    let headline = headline(matrix);
    let style = CountStyle::for_cells(layout.cell, &matrix.counts);
    let has_scale = style.is_none();
    let mut canvas = layout.canvas(&headline, has_scale);
    draw_cells(&mut canvas, &layout, matrix, style);
    draw_names(&mut canvas, &layout);
    draw_titles(&mut canvas, &layout, &headline);
    if has_scale {
        draw_scale(&mut canvas, &layout);
    }
    canvas.into_image()
}

fn draw_cells(
    canvas: &mut Canvas,
    layout: &Layout,
    matrix: &ConfusionMatrix,
    style: Option<CountStyle>,
) {
    let Layout {
        cell,
        line,
        left,
        top,
        right,
        bottom,
        ..
    } = *layout;
    canvas.fill(left - 1..right + 1 - line, top - 1..bottom + 1 - line, LINE);
    for (counts, top) in matrix.rows().zip((top..).step_by(cell)) {
        let total = sum(counts);
        for (count, left) in counts.iter().zip((left..).step_by(cell)) {
            let share = *count as f64 / total.max(1) as f64;
            let color = shade(share);
            canvas.fill(left..left + cell - line, top..top + cell - line, color);
            if let Some(style) = &style {
                style.draw(canvas, left, top, *count, total, color);
            }
        }
    }
}

fn draw_names(canvas: &mut Canvas, layout: &Layout) {
    let (font, half, gap) = (layout.font, layout.font.height() / 2, GAP * layout.zoom);
    let (tick, line) = (TICK * layout.zoom, layout.zoom);
    for (class, name) in layout.names.iter().enumerate().step_by(layout.name_step) {
        let middle = class * layout.cell + (layout.cell - layout.line) / 2;
        let (x, y) = (layout.left + middle, layout.top + middle);
        let width = font.width(name);
        canvas.text(layout.left - gap - width, y - half, name, font, INK);
        let below = layout.bottom + gap;
        if layout.names_are_upright {
            canvas.text_upwards(x - half, below + width, name, font, INK);
        } else {
            canvas.text(x - width / 2, below, name, font, INK);
        }
        if layout.name_step > 1 {
            canvas.fill(layout.left - tick..layout.left, y..y + line, GRAY_INK);
            canvas.fill(x..x + line, layout.bottom..layout.bottom + tick, GRAY_INK);
        }
    }
}

fn draw_titles(canvas: &mut Canvas, layout: &Layout, headline: &str) {
    let (font, margin) = (layout.bold, MARGIN * layout.zoom);
    canvas.text(layout.left, margin, headline, font, INK);
    let half = |text: &str| font.width(text) / 2;
    let left = (layout.left + layout.right) / 2 - half("predicted");
    let top = canvas.height() - margin - font.height();
    canvas.text(left, top, "predicted", font, GRAY_INK);
    let bottom = (layout.top + layout.bottom) / 2 + half("true");
    canvas.text_upwards(margin, bottom, "true", font, GRAY_INK);
}

fn draw_scale(canvas: &mut Canvas, layout: &Layout) {
    let (top, bottom) = (layout.top, layout.bottom - layout.line);
    let (left, height) = (layout.scale_left(), bottom - top);
    let right = left + SCALE_WIDTH * layout.zoom;
    canvas.fill(left - 1..right + 1, top - 1..bottom + 1, LINE);
    for y in 0..height {
        let share = 1.0 - y as f64 / (height - 1).max(1) as f64;
        canvas.fill(left..right, top + y..top + y + 1, shade(share));
    }
    let (left, font) = (layout.scale_caption_left(), layout.font);
    canvas.text(left, top, "100%", font, GRAY_INK);
    canvas.text(left, layout.bottom - font.height(), "0%", font, GRAY_INK);
    let caption = "share of row";
    let width = font.width(caption);
    if width + 2 * (font.height() + GAP * layout.zoom) <= height {
        let bottom = (top + layout.bottom + width) / 2;
        canvas.text_upwards(left, bottom, caption, font, GRAY_INK);
    }
}

/// The colour for a share of 0 to 1.
fn shade(share: f64) -> Color {
    interpolate(&SHADES, share)
}

fn headline(matrix: &ConfusionMatrix) -> String {
    let total = sum(&matrix.counts);
    if total == 0 {
        return "no examples".into();
    }
    let correct = sum(matrix.counts.iter().step_by(matrix.classes.len() + 1));
    let accuracy = percent(correct, total, 1);
    let total = match u64::try_from(total) {
        Ok(total @ ..1_000_000) => total.to_string(),
        total => short_count(total.unwrap_or(u64::MAX)),
    };
    format!("accuracy {accuracy} of {total}")
}

fn sum<'a>(counts: impl IntoIterator<Item = &'a u64>) -> u128 {
    counts.into_iter().copied().map(u128::from).sum()
}

/// How the counts of all cells are written.
struct CountStyle {
    cell: usize,
    font: Font,
    write: fn(u64) -> String,
}

impl CountStyle {
    /// The largest style with room for all counts.
    fn for_cells(cell: usize, counts: &[u64]) -> Option<Self> {
        let whole: fn(u64) -> String = |count| count.to_string();
        let styles = [
            (Font::LARGE, 6, whole),
            (Font::SMALL, 2, whole),
            (Font::SMALL, 0, short_count),
        ];
        let has_room = |(font, padding, write): &(Font, usize, fn(u64) -> String)| {
            let width = cell.saturating_sub(2 * padding);
            let mut texts = counts.iter().map(|count| write(*count));
            font.height() <= cell && texts.all(|text| font.width(&text) <= width)
        };
        let (font, _, write) = styles.into_iter().find(has_room)?;
        Some(Self { cell, font, write })
    }

    fn draw(
        &self,
        canvas: &mut Canvas,
        left: usize,
        top: usize,
        count: u64,
        total: u128,
        color: Color,
    ) {
        // Many black zeros would hide the other counts.
        let ink = if count == 0 { GRAY_INK } else { ink_on(color) };
        let mut lines = vec![((self.write)(count), self.font)];
        if count > 0 && self.cell >= MIN_CELL_WITH_SHARE {
            lines.push((percent(count.into(), total, 0), Font::SMALL));
        }
        let height: usize = lines.iter().map(|(_, font)| font.height()).sum();
        let mut top = top + (self.cell - height) / 2;
        for (text, font) in lines {
            let left = left + self.cell.saturating_sub(font.width(&text)) / 2;
            canvas.text(left, top, &text, font, ink);
            top += font.height();
        }
    }
}

/// A count in at most four letters: 9999, 12k, 1.2M, 18E.
fn short_count(count: u64) -> String {
    if count < 10_000 {
        return count.to_string();
    }
    let (mut unit, mut letter) = (1000, 'k');
    for next in ['M', 'G', 'T', 'P', 'E'] {
        // From half a unit below, the count is rounded up to 1.0 of the next unit.
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

/// A part of a whole as a percentage. Only a part of 0 is 0%, and only the whole is 100%.
fn percent(part: u128, whole: u128, decimals: u8) -> String {
    let percentage = 100.0 * part as f64 / whole.max(1) as f64;
    let step = 10f64.powi(-i32::from(decimals));
    if part > 0 && percentage < step {
        format!("<{step}%")
    } else if part < whole && percentage > 100.0 - step {
        format!(">{}%", 100.0 - step)
    } else {
        format!("{percentage:.*}%", usize::from(decimals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::image::canvas::BLACK;

    #[test]
    fn the_headline_has_the_accuracy() {
        for (counts, want) in [
            ([0; 4], "no examples"),
            ([3, 1, 2, 2], "accuracy 62.5% of 8"),
            ([1_500_000, 0, 0, 0], "accuracy 100.0% of 1.5M"),
            ([1_000_000, 3, 5, 7], "accuracy >99.9% of 1.0M"),
            ([0, u64::MAX, u64::MAX, 0], "accuracy 0.0% of 18E"),
        ] {
            let matrix = ConfusionMatrix::new(&["a", "b"], &counts).unwrap();
            assert_eq!(headline(&matrix), want);
        }
    }

    #[test]
    fn shades_darken_evenly_and_have_legible_counts() {
        // The lightness of CIELAB, which is another model than the one that the shades were made with.
        let lightness = |[red, green, blue]: Color| {
            let linear = |value: u8| (f64::from(value) / 255.0).powf(2.2);
            let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
            116.0 * luminance.cbrt() - 16.0
        };
        let (first, last) = (lightness(shade(0.0)), lightness(shade(1.0)));
        assert!(first > 97.0 && last < 26.0, "{first} to {last}");
        for i in 0..=255 {
            let share = f64::from(i) / 255.0;
            let even = first + (last - first) * share;
            assert!((lightness(shade(share)) - even).abs() < 5.0, "{share}");
        }
        assert_eq!(ink_on(shade(0.0)), BLACK);
        assert_eq!(ink_on(shade(1.0)), WHITE);
    }

    #[test]
    fn counts_are_in_all_cells_or_in_none() {
        let written = |cell, counts: &[u64]| {
            CountStyle::for_cells(cell, counts)
                .map(|style| (style.font.height(), (style.write)(counts[0])))
        };
        let style = |height, text: &str| Some((height, text.to_owned()));
        // Letters are 7 and 11 pixels wide: (72 - 12) / 11 is 5, (72 - 4) / 7 is 9, (29 - 4) / 7 is 3, 29 / 7 is 4.
        assert_eq!(Font::SMALL.letter_width(), 7);
        assert_eq!(Font::LARGE.letter_width(), 11);
        assert_eq!(written(72, &[99_999, 0]), style(24, "99999"));
        assert_eq!(written(72, &[100_000, 0]), style(16, "100000"));
        assert_eq!(written(72, &[u64::MAX, 0]), style(16, "18E"));
        assert_eq!(written(29, &[999, 0]), style(16, "999"));
        assert_eq!(written(29, &[9_999, 0]), style(16, "9999"));
        assert_eq!(written(29, &[10_000, 0]), style(16, "10k"));
        assert_eq!(written(16, &[9, 0]), style(16, "9"));
        assert_eq!(written(16, &[100, 0]), None);
        assert_eq!(written(15, &[0]), None);
    }

    #[test]
    fn a_short_count_has_at_most_four_letters() {
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
    fn a_share_is_not_rounded_to_0_or_100_percent() {
        for (part, decimals, want) in [
            (0, 0, "0%"),
            (1, 0, "<1%"),
            (9_999, 0, "<1%"),
            (10_000, 0, "1%"),
            (505_001, 0, "51%"),
            (990_000, 0, "99%"),
            (990_001, 0, ">99%"),
            (1_000_000, 0, "100%"),
            (0, 1, "0.0%"),
            (999, 1, "<0.1%"),
            (1_000, 1, "0.1%"),
            (625_000, 1, "62.5%"),
            (999_000, 1, "99.9%"),
            (999_999, 1, ">99.9%"),
            (1_000_000, 1, "100.0%"),
        ] {
            assert_eq!(percent(part, 1_000_000, decimals), want, "{part}");
        }
        // As floats the two numbers are equal.
        let total = u128::from(u64::MAX);
        assert_eq!(percent(total - 1, total, 1), ">99.9%");
    }
}
