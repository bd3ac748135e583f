//! Boxes on a copy of an image, as detectors find them.

use std::ops::Range;

use super::Image;
use super::canvas::{Canvas, Color, ink_on, size};
use super::text::{Font, shorten};
use crate::error::{Error, Result};

/// Of boxes that were given none, by their index: bright, and told apart also by most of the colour-blind.
const COLORS: [Color; 8] = [
    [255, 59, 48],
    [0, 122, 255],
    [52, 199, 89],
    [255, 204, 0],
    [175, 82, 222],
    [90, 200, 250],
    [255, 149, 0],
    [255, 105, 180],
];
/// Beside a label, in pixels.
const PADDING: usize = 3;

/// A box for [`Image::with_boxes`], in pixels from the image's left and top edge.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct BoundingBox {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    color: Option<Color>,
    label: Option<String>,
}

impl BoundingBox {
    /// A box between its edges, in pixels: `0, 0` is the image's top left corner, and its width and height are the bottom
    /// right one. [`Image::with_boxes`] checks them.
    pub fn new(
        left: impl Into<f64>,
        top: impl Into<f64>,
        right: impl Into<f64>,
        bottom: impl Into<f64>,
    ) -> Self {
        Self {
            left: left.into(),
            top: top.into(),
            right: right.into(),
            bottom: bottom.into(),
            color: None,
            label: None,
        }
    }

    /// Red, green and blue. Default: one of eight that differ, by the box's index.
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = Some(color);
        self
    }

    /// A line at the top left corner, on the box's colour: above the box if there is room, else in it. It is shortened to
    /// the image's width. Letters beyond the Latin ones show as a replacement character. Default: none.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

impl Image {
    /// A copy with boxes on it: their frames in the order of the calls, then their labels, opaque.
    ///
    /// A frame lies within its box, whose edges are rounded to whole pixels. One that reaches beyond the image is cut, and
    /// has its frame along the image's edge, so that it shows. Lines and labels grow with the image. The copy has colour,
    /// and the opacity and bits of the image.
    ///
    /// ```
    /// use summary_writer::{BoundingBox, Image};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let photo = Image::gray8(320, 240, [128; 320 * 240])?;
    /// let found = photo.with_boxes([
    ///     BoundingBox::new(40.5, 60.2, 130.0, 200.7).label("cat 0.93"),
    ///     BoundingBox::new(180, 20, 300, 230).color([0, 255, 0]).label("truth"),
    /// ])?;
    /// summary.image("detections", found, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`], which names the box, if an edge is not finite, the right or bottom one is before the opposite
    /// one, or the box is wholly outside of the image.
    pub fn with_boxes(&self, boxes: impl IntoIterator<Item = BoundingBox>) -> Result<Self> {
        let boxes: Vec<BoundingBox> = boxes.into_iter().collect();
        let mut frames = Vec::with_capacity(boxes.len());
        for (i, each) in boxes.iter().enumerate() {
            let (x, y) = self.covered(each).map_err(|problem| {
                let label = each.label.as_ref();
                let label = label.map_or_else(String::new, |label| format!(" ({label:?})"));
                Error::invalid("boxes", format!("number {i}{label} {problem}"))
            })?;
            let color = each.color.unwrap_or(COLORS[i % COLORS.len()]);
            frames.push((x, y, color));
        }

        let pixels = self.pixels("image with boxes", "it")?;
        let mut canvas = Canvas::new(self.width, self.height, pixels.0.with_color());
        canvas.place(0, 0, self.width, pixels);
        // A pixel for each 500 of an image's sides, that is 2 for 640 x 480.
        let line = (size(self.width) / 2 + size(self.height) / 2) / 250;
        let line = line.max(1);
        for (x, y, color) in &frames {
            draw_frame(&mut canvas, x, y, line, *color);
        }
        let font = if line < 4 { Font::SMALL } else { Font::LARGE };
        for (each, (x, y, color)) in boxes.iter().zip(&frames) {
            if let Some(label) = &each.label {
                draw_label(&mut canvas, x.start, y.start, label, font, *color);
            }
        }
        Ok(canvas.into_image())
    }

    /// The pixels that are in the box, across and down: at least one.
    fn covered(&self, each: &BoundingBox) -> Result<(Range<usize>, Range<usize>), String> {
        let across = ("left", each.left, "right", each.right, self.width);
        let down = ("top", each.top, "bottom", each.bottom, self.height);
        let range = |(first, start, last, end, side): (&str, f64, &str, f64, u32)| {
            for (name, edge) in [(first, start), (last, end)] {
                if !edge.is_finite() {
                    return Err(format!("has {name} {edge}, a finite number fits"));
                }
            }
            if end < start {
                return Err(format!(
                    "has {first} {start} and {last} {end}, {last} at {first} or after it fits"
                ));
            }
            let limit = f64::from(side);
            if end <= 0.0 || start >= limit {
                return Err(format!(
                    "has {first} {start} and {last} {end}, what overlaps 0 to {side} fits"
                ));
            }
            let start = whole(start).min(size(side) - 1);
            let end = whole(end).clamp(start + 1, size(side));
            Ok(start..end)
        };
        Ok((range(across)?, range(down)?))
    }
}

/// Rounded; below 0 it is 0, and beyond what a side can be it is more than that.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates as said"
)]
fn whole(edge: f64) -> usize {
    edge.round() as usize
}

fn draw_frame(canvas: &mut Canvas, x: &Range<usize>, y: &Range<usize>, line: usize, color: Color) {
    let (x_line, y_line) = (line.min(x.len()), line.min(y.len()));
    canvas.fill(x.clone(), y.start..y.start + y_line, color);
    canvas.fill(x.clone(), y.end - y_line..y.end, color);
    canvas.fill(x.start..x.start + x_line, y.clone(), color);
    canvas.fill(x.end - x_line..x.end, y.clone(), color);
}

fn draw_label(canvas: &mut Canvas, left: usize, top: usize, label: &str, font: Font, color: Color) {
    let room = canvas.width().saturating_sub(2 * PADDING);
    let label = shorten(label, room / font.letter_width());
    if label.is_empty() {
        return;
    }
    let width = font.width(&label) + 2 * PADDING;
    let left = left.min(canvas.width() - width);
    let top = top.checked_sub(font.height()).unwrap_or(top);
    canvas.fill(left..left + width, top..top + font.height(), color);
    canvas.text(left + PADDING, top, &label, font, ink_on(color));
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Color = [255, 0, 0];

    /// By rows: `#` is red, `.` is gray.
    fn shape(image: &Image) -> Vec<String> {
        let (format, bytes) = image.pixels("image", "it").unwrap();
        assert_eq!(format.pixel_bytes(), 3);
        let letter = |pixel: &[u8]| match pixel {
            [255, 0, 0] => '#',
            [9, 9, 9] => '.',
            _ => panic!("{pixel:?}"),
        };
        let rows = bytes.chunks(size(image.width()) * 3);
        rows.map(|row| row.chunks(3).map(letter).collect())
            .collect()
    }

    #[test]
    fn a_frame_lies_within_its_rounded_edges_and_the_image() {
        let gray = Image::gray8(7, 5, [9; 35]).unwrap();
        let framed = |left, top, right, bottom| {
            let each = BoundingBox::new(left, top, right, bottom).color(RED);
            shape(&gray.with_boxes([each]).unwrap())
        };
        let want = [".......", ".####..", ".#..#..", ".####..", "......."];
        assert_eq!(framed(0.6, 1.4, 5.4, 3.9), want);
        let want = ["###....", "#.#....", "###....", ".......", "......."];
        assert_eq!(framed(-9.0, -1e300, 3.0, 3.0), want);
        let want = [".......", ".......", ".......", ".......", "......#"];
        assert_eq!(framed(6.9, 4.9, 1e300, 4.9), want);
        let want = ["#######", "#.....#", "#.....#", "#.....#", "#######"];
        assert_eq!(framed(0.0, 0.0, 7.0, 5.0), want);
        assert_eq!(shape(&gray.with_boxes([]).unwrap()), ["......."; 5]);
    }

    #[test]
    fn colors_follow_the_index_and_later_frames_lie_on_top() {
        let black = Image::rgb8(10, 1, [0; 30]).unwrap();
        let boxes = (0..10_u8).map(|i| BoundingBox::new(i, 0, 10, 1));
        let image = black.with_boxes(boxes).unwrap();
        // Each box but the last is overdrawn from its second pixel on; there are eight colours.
        let want: Vec<u8> = COLORS.into_iter().cycle().take(10).flatten().collect();
        assert_eq!(image, Image::rgb8(10, 1, want).unwrap());
    }

    #[test]
    fn a_copy_keeps_opacity_and_bits() {
        let each = || [BoundingBox::new(1, 0, 2, 1).color([1, 2, 255])];
        let gray = Image::gray_alpha16(2, 1, [0x1234, 0x5678, 0, 0]).unwrap();
        let want = [
            0x1234, 0x1234, 0x1234, 0x5678, 0x0101, 0x0202, 0xffff, 0xffff,
        ];
        let want = Image::rgba16(2, 1, want).unwrap();
        assert_eq!(gray.with_boxes(each()).unwrap(), want);
        let color = Image::rgba8(2, 1, [5, 6, 7, 8, 0, 0, 0, 0]).unwrap();
        let want = Image::rgba8(2, 1, [5, 6, 7, 8, 1, 2, 255, 255]).unwrap();
        assert_eq!(color.with_boxes(each()).unwrap(), want);
    }

    #[test]
    fn a_label_is_above_its_box_or_in_it_and_within_the_image() {
        let gray = Image::gray8(60, 60, [9; 3600]).unwrap();
        // The pixels of the plate, red or with ink on them: columns and rows.
        let plate = |each: BoundingBox| {
            let image = gray.with_boxes([each.color(RED)]).unwrap();
            let (_, bytes) = image.pixels("image", "it").unwrap();
            let drawn = (0..3600).filter(|i| bytes[i * 3..][..3] != [9, 9, 9]);
            let drawn: Vec<_> = drawn.map(|i| (i % 60, i / 60)).collect();
            let columns = drawn.iter().map(|(x, _)| *x);
            let rows = drawn.iter().map(|(_, y)| *y);
            (
                columns.clone().min().unwrap()..columns.max().unwrap() + 1,
                rows.clone().min().unwrap()..rows.max().unwrap() + 1,
            )
        };
        // A letter is 7 x 16 pixels, and 3 pixels are at either side.
        let at = |x, y| BoundingBox::new(x, y, x + 1, y + 1);
        assert_eq!(plate(at(10, 30).label("ab")), (10..30, 14..31));
        assert_eq!(plate(at(10, 15).label("ab")), (10..30, 15..31));
        assert_eq!(plate(at(59, 30).label("ab")), (40..60, 14..31));
        assert_eq!(plate(at(20, 30).label("abcdefghij")), (5..60, 14..31));
        assert_eq!(plate(at(20, 59).label("")), (20..21, 59..60));
        let tiny = Image::gray8(5, 2, [9; 10]).unwrap();
        let want = tiny.with_boxes([at(1, 1)]).unwrap();
        assert_eq!(tiny.with_boxes([at(1, 1).label("ab")]).unwrap(), want);
    }

    #[test]
    fn a_box_that_cannot_be_drawn_is_refused_by_its_number() {
        let image = Image::gray8(64, 48, [0; 64 * 48]).unwrap();
        let good = || BoundingBox::new(1, 2, 3, 4);
        for (each, want) in [
            (
                BoundingBox::new(f32::NAN, 0.0, 1.0, 1.0).label("cat"),
                "boxes: number 1 (\"cat\") has left NaN, a finite number fits",
            ),
            (
                BoundingBox::new(0, 0, 1, f64::INFINITY),
                "boxes: number 1 has bottom inf, a finite number fits",
            ),
            (
                BoundingBox::new(5, 0, 4.5, 1),
                "boxes: number 1 has left 5 and right 4.5, right at left or after it fits",
            ),
            (
                BoundingBox::new(0, 9, 1, 8),
                "boxes: number 1 has top 9 and bottom 8, bottom at top or after it fits",
            ),
            (
                BoundingBox::new(-2, 0, 0, 1),
                "boxes: number 1 has left -2 and right 0, what overlaps 0 to 64 fits",
            ),
            (
                BoundingBox::new(0, 48, 1, 50),
                "boxes: number 1 has top 48 and bottom 50, what overlaps 0 to 48 fits",
            ),
        ] {
            let error = image.with_boxes([good(), each]).unwrap_err();
            assert_eq!(error.to_string(), want);
        }
    }

    #[test]
    fn an_image_without_pixels_is_refused() {
        let each = || [BoundingBox::new(0, 0, 1, 1)];
        let file = Image::encoded(b"GIF89a\x03\0\x02\0\0\0\0").unwrap();
        let error = file.with_boxes(each()).unwrap_err();
        let want = "image with boxes: it is an encoded file, one of pixels fits";
        assert_eq!(error.to_string(), want);
        {
            let frame = Image::gray8(3, 2, [9; 6]).unwrap();
            let moving = Image::animation([frame], 10).unwrap();
            let error = moving.with_boxes(each()).unwrap_err();
            let want = "image with boxes: it is an animation, one of pixels fits";
            assert_eq!(error.to_string(), want);
        }
    }
}
