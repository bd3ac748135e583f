//! Bounding boxes, as object detectors produce them.

use std::ops::Range;

use super::Image;
use super::canvas::{Canvas, Color, Font, check_letters, ink_on, shorten};
use super::format::{Channels, Format};
use crate::error::{Error, Result};

/// The colours of boxes without a colour of their own: bright, and most colour-blind people can tell them apart.
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
/// The space to the left and right of a label's text, in pixels.
const PADDING: usize = 3;

/// A box for [`Image::with_boxes`]. Needs the feature `png`, which is a default.
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
    /// Creates a box from its edges, in pixels. The image's top left corner is at `0, 0`, its bottom right corner at
    /// `width, height`. [`Image::with_boxes`] checks the edges.
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

    /// Sets the colour: red, green and blue. Default: one of eight colours, by the index of the box.
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = Some(color);
        self
    }

    /// Adds a line of text on the colour of the box, at its top left corner: above the box if there is room, otherwise inside.
    /// The text is shortened to the width of the image. The font has Latin letters. Default: none.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

/// Drawing on an image.
impl Image {
    /// Copies the image and draws boxes on the copy: all frames in the given order, then all labels.
    ///
    /// A frame is inside its box, whose edges are rounded to whole pixels. A box that reaches beyond the image is cut off, and
    /// its frame runs along the edge of the image. Lines and labels are larger on larger images. The copy has colour, and it
    /// keeps the opacity and the bits of the image.
    ///
    /// ```
    /// use summary_writer::images::BoundingBox;
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let photo = Image::gray8(320, 240, [128; 320 * 240])?;
    /// let detections = photo.with_boxes([
    ///     BoundingBox::new(40.5, 60.2, 130.0, 200.7).label("cat 0.93"),
    ///     BoundingBox::new(180, 20, 300, 230).color([0, 255, 0]).label("truth"),
    /// ])?;
    /// summary.image("detections", detections, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`], with the number of the box, if an edge is not finite, if the right or bottom edge is before the
    /// opposite one, if the box is outside of the image, or if the font lacks a letter of the label. Also if the image is a
    /// file ([`encoded`](Self::encoded)) or an animation.
    #[doc(alias = "add_image_with_boxes")]
    #[doc(alias = "draw_bounding_boxes")]
    pub fn with_boxes(&self, boxes: impl IntoIterator<Item = BoundingBox>) -> Result<Self> {
        let image = self
            .pixels()
            .map_err(|problem| Error::invalid("image with boxes", problem))?;
        let boxes: Vec<BoundingBox> = boxes.into_iter().collect();
        let mut frames = Vec::with_capacity(boxes.len());
        for (i, each) in boxes.iter().enumerate() {
            let covered = covered(("left", each.left), ("right", each.right), image.width)
                .and_then(|x| {
                    let y = covered(("top", each.top), ("bottom", each.bottom), image.height)?;
                    Ok((x, y))
                });
            let drawable = each.label.as_deref().map_or(Ok(()), check_letters);
            let (x, y) = drawable.and(covered).map_err(|problem| {
                let label = each.label.as_ref();
                let label = label.map_or_else(String::new, |label| format!(" ({label:?})"));
                Error::invalid("boxes", format!("number {i}{label}: {problem}"))
            })?;
            frames.push((x, y, each.color.unwrap_or(COLORS[i % COLORS.len()])));
        }

        let format = image.format.widest(Format::new(Channels::Rgb, 1));
        let mut canvas = Canvas::new(image.width, image.height, format);
        canvas.place(0, 0, image);
        // One pixel for every 500 of the image's mean side, so 2 for 640 x 480.
        let line = ((image.width + image.height) / 2 / 250).max(1);
        for (x, y, color) in &frames {
            draw_frame(&mut canvas, x, y, line, *color);
        }
        let font = if line < 4 { Font::SMALL } else { Font::LARGE };
        for (each, (x, y, color)) in boxes.iter().zip(&frames) {
            if let Some(label) = &each.label {
                draw_label(&mut canvas, x.start, y.start, label, font, *color);
            }
        }
        Ok(Self {
            warning: self.warning.clone(),
            ..canvas.into_image()
        })
    }
}

/// The pixels between two named edges: at least one.
fn covered(
    (first, start): (&str, f64),
    (last, end): (&str, f64),
    side: usize,
) -> Result<Range<usize>, String> {
    for (name, edge) in [(first, start), (last, end)] {
        if !edge.is_finite() {
            return Err(format!("expected a finite number for {name}, got {edge}"));
        }
    }
    if end < start {
        return Err(format!(
            "expected {last} to be at least {first}, got {first} {start} and {last} {end}"
        ));
    }
    if end <= 0.0 || start >= side as f64 {
        return Err(format!(
            "expected {first} and {last} to overlap the image's 0 to {side}, got {first} {start} and {last} {end}"
        ));
    }
    let start = round(start).min(side - 1);
    let end = round(end).clamp(start + 1, side);
    Ok(start..end)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a negative number becomes 0, and a large one usize::MAX"
)]
fn round(edge: f64) -> usize {
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

    /// The rows of an image: `#` is red, `.` is gray.
    fn shape(image: &Image) -> Vec<String> {
        let pixels = image.pixels().unwrap();
        assert_eq!(pixels.format, Format::RGB8);
        let letter = |pixel: &[u8]| match pixel {
            [255, 0, 0] => '#',
            [9, 9, 9] => '.',
            _ => panic!("{pixel:?}"),
        };
        let rows = pixels.bytes.chunks(pixels.width * 3);
        rows.map(|row| row.chunks(3).map(letter).collect())
            .collect()
    }

    #[test]
    fn a_frame_is_inside_its_rounded_edges_and_the_image() {
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
    fn default_colors_follow_the_index_and_later_frames_cover_earlier_ones() {
        let black = Image::rgb8(10, 1, [0; 30]).unwrap();
        let boxes = (0..10_u8).map(|i| BoundingBox::new(i, 0, 10, 1));
        let image = black.with_boxes(boxes).unwrap();
        // Each box covers the previous one except for its first pixel. There are eight colours.
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
    fn a_label_is_above_or_inside_its_box_and_inside_the_image() {
        let gray = Image::gray8(60, 60, [9; 3600]).unwrap();
        // The columns and rows of all drawn pixels, which are red or have text on them.
        let plate = |each: BoundingBox| {
            let image = gray.with_boxes([each.color(RED)]).unwrap();
            let bytes = image.pixels().unwrap().bytes;
            let drawn = (0..3600).filter(|i| bytes[i * 3..][..3] != [9, 9, 9]);
            let drawn: Vec<_> = drawn.map(|i| (i % 60, i / 60)).collect();
            let columns = drawn.iter().map(|(x, _)| *x);
            let rows = drawn.iter().map(|(_, y)| *y);
            (
                columns.clone().min().unwrap()..columns.max().unwrap() + 1,
                rows.clone().min().unwrap()..rows.max().unwrap() + 1,
            )
        };
        // A letter has 7 x 16 pixels, and there are 3 pixels at either side.
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
    fn an_invalid_box_is_rejected_with_its_number() {
        let image = Image::gray8(64, 48, [0; 64 * 48]).unwrap();
        let good = || BoundingBox::new(1, 2, 3, 4);
        for (each, want) in [
            (
                BoundingBox::new(f32::NAN, 0.0, 1.0, 1.0).label("cat"),
                "number 1 (\"cat\"): expected a finite number for left, got NaN",
            ),
            (
                BoundingBox::new(0, 0, 1, f64::INFINITY),
                "number 1: expected a finite number for bottom, got inf",
            ),
            (
                BoundingBox::new(5, 0, 4.5, 1),
                "number 1: expected right to be at least left, got left 5 and right 4.5",
            ),
            (
                BoundingBox::new(0, 9, 1, 8),
                "number 1: expected bottom to be at least top, got top 9 and bottom 8",
            ),
            (
                BoundingBox::new(-2, 0, 0, 1),
                "number 1: expected left and right to overlap the image's 0 to 64, got left -2 and right 0",
            ),
            (
                BoundingBox::new(0, 48, 1, 50),
                "number 1: expected top and bottom to overlap the image's 0 to 48, got top 48 and bottom 50",
            ),
        ] {
            let error = image.with_boxes([good(), each]).unwrap_err();
            assert_eq!(error.to_string(), format!("boxes: {want}"));
        }
    }

    #[test]
    fn boxes_need_pixels() {
        let file = Image::encoded(b"GIF89a\x03\0\x02\0\0\0\0").unwrap();
        let moving = Image::animation([Image::gray8(3, 2, [9; 6]).unwrap()], 10).unwrap();
        for (image, got) in [(file, "an encoded file"), (moving, "an animation")] {
            let error = image
                .with_boxes([BoundingBox::new(0, 0, 1, 1)])
                .unwrap_err();
            let want = format!("image with boxes: expected pixels, got {got}");
            assert_eq!(error.to_string(), want);
        }
    }
}
