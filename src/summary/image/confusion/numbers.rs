//! Counts and shares in the cells of a confusion matrix.

use super::colors::QUIET_INK;
use crate::summary::image::canvas::{Canvas, Color, ink_on};
use crate::summary::image::text::Font;

/// How counts are written into cells: all of them, or none.
pub(super) struct Numbers {
    cell: usize,
    font: Font,
    max_letters: usize,
}

impl Numbers {
    pub(super) fn fitting(cell: usize, counts: &[u64]) -> Option<Self> {
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

    pub(super) fn draw(
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

/// Four letters at the most: 9999, 12k, 1.2M, 18E.
pub(super) fn short_count(count: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
