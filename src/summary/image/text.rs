//! Letters on a canvas: Noto Sans Mono, the Latin ones.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::canvas::{Canvas, Color};

/// A letter that the font lacks.
const UNKNOWN: char = '\u{fffd}';

/// All its letters are of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    weight: FontWeight,
    height: RasterHeight,
}

impl Font {
    pub(super) const SMALL: Self = Self {
        weight: FontWeight::Regular,
        height: RasterHeight::Size16,
    };
    pub(super) const SMALL_BOLD: Self = Self {
        weight: FontWeight::Bold,
        height: RasterHeight::Size16,
    };
    pub(super) const LARGE: Self = Self {
        weight: FontWeight::Regular,
        height: RasterHeight::Size24,
    };

    /// Of a line, in pixels.
    pub(super) fn height(self) -> usize {
        self.height.val()
    }

    /// Of a letter, in pixels.
    pub(super) fn letter_width(self) -> usize {
        get_raster_width(self.weight, self.height)
    }

    /// Of a line, in pixels.
    pub(super) fn width(self, text: &str) -> usize {
        text.chars().count() * self.letter_width()
    }

    /// How much of each pixel of a line is covered: x from its left, y from its top, and 1 to 255.
    fn pixels(self, text: &str) -> impl Iterator<Item = (usize, usize, u8)> {
        let lefts = (0..).step_by(self.letter_width());
        lefts.zip(text.chars()).flat_map(move |(left, letter)| {
            let letter = self.letter(letter);
            let rows = letter.into_iter().enumerate();
            rows.flat_map(move |(y, row)| {
                let covered = (left..).zip(row).filter(|(_, coverage)| *coverage > 0);
                covered.map(move |(x, coverage)| (x, y, coverage))
            })
        })
    }

    /// By rows.
    fn letter(self, letter: char) -> Vec<Vec<u8>> {
        if letter == '…' {
            return self.ellipsis();
        }
        let letter = if letter.is_control() || letter.is_whitespace() {
            ' '
        } else {
            letter
        };
        let known = |letter| get_raster(letter, self.weight, self.height);
        let raster = known(letter).or_else(|| known(UNKNOWN));
        raster.map_or_else(Vec::new, |raster| {
            raster.rows().map(<[u8]>::to_vec).collect()
        })
    }

    /// The font has none: three dots on the base line, in the width of one letter.
    fn ellipsis(self) -> Vec<Vec<u8>> {
        let mut rows = self.letter('.');
        let dot_width = (self.letter_width() / 6).max(1);
        for row in &mut rows {
            let coverage = row.iter().copied().max().unwrap_or_default();
            for (x, pixel) in row.iter_mut().enumerate() {
                let is_dot = x / dot_width % 2 == 1 && x / dot_width < 6;
                *pixel = if is_dot { coverage } else { 0 };
            }
        }
        rows
    }
}

impl Canvas {
    /// Draws a line from its top left corner.
    pub(super) fn text(&mut self, left: usize, top: usize, text: &str, font: Font, color: Color) {
        for (x, y, coverage) in font.pixels(text) {
            self.ink(left + x, top + y, color, coverage);
        }
    }

    /// Draws a line that reads upwards, and begins right above `bottom`.
    pub(super) fn text_upwards(
        &mut self,
        left: usize,
        bottom: usize,
        text: &str,
        font: Font,
        color: Color,
    ) {
        for (x, y, coverage) in font.pixels(text) {
            if let Some(row) = bottom.checked_sub(x + 1) {
                self.ink(left + y, row, color, coverage);
            }
        }
    }
}

/// The text, or its beginning and an ellipsis, in `max_letters`.
pub(super) fn shorten(text: &str, max_letters: usize) -> String {
    if text.chars().count() <= max_letters {
        return text.to_owned();
    }
    let Some(kept) = max_letters.checked_sub(1) else {
        return String::new();
    };
    let kept: String = text.chars().take(kept).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{BLACK, WHITE};
    use super::super::{Format, Image};
    use super::*;

    fn is_dark(image: &Image, x: usize, y: usize) -> bool {
        let (_, bytes) = image.pixels("image", "it").unwrap();
        bytes[(y * 24 + x) * 3] < 128
    }

    #[test]
    fn a_line_reads_upwards_as_it_reads_to_the_right() {
        let paper = || {
            let mut canvas = Canvas::new(24, 24, Format::RGB8);
            canvas.fill(0..24, 0..24, WHITE);
            canvas
        };
        let (mut flat, mut turned) = (paper(), paper());
        flat.text(1, 2, "L…", Font::SMALL, BLACK);
        turned.text_upwards(2, 23, "L…", Font::SMALL, BLACK);
        let (flat, turned) = (flat.into_image(), turned.into_image());
        for x in 0..24 {
            for y in 0..24 {
                assert_eq!(
                    is_dark(&flat, x, y),
                    is_dark(&turned, y, 23 - x),
                    "{x}, {y}"
                );
            }
        }
        // An L has a foot at the right and nothing above it.
        let dark = |x: usize| (0..24).filter(|y| is_dark(&flat, x, *y)).count();
        assert!((1..8).any(|x| dark(x) >= 8), "its stem");
        assert_eq!(dark(6), 1, "its foot");
        assert_eq!(
            (8..15).map(dark).filter(|dark| *dark > 0).count(),
            3,
            "dots"
        );
    }

    #[test]
    fn what_the_font_lacks_and_what_is_beyond_the_edge_is_no_failure() {
        for text in [
            "",
            "損失🦀",
            "a\nb\0\u{301}\u{ad}",
            "ÄŐŉ ſ…",
            &"w".repeat(1000),
        ] {
            let mut canvas = Canvas::new(24, 24, Format::RGB8);
            canvas.text(20, 20, text, Font::LARGE, WHITE);
            canvas.text_upwards(20, 3, text, Font::SMALL_BOLD, WHITE);
            canvas.text(1000, 1000, text, Font::SMALL, WHITE);
        }
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        for (text, letters, want) in [
            ("horse", 5, "horse"),
            ("horses", 5, "hors…"),
            ("Größenwahn", 4, "Grö…"),
            ("a b", 2, "a…"),
            ("ab cd", 4, "ab…"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
            ("", 0, ""),
        ] {
            assert_eq!(shorten(text, letters), want, "{text}, {letters}");
        }
    }
}
