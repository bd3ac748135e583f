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
    /// A frame lies within its box, whose edges are rounded to whole pixels; what is beyond the image is left out. Lines
    /// and labels have sizes that can be seen on an image of this size. The copy has colour, and the opacity and bits of
    /// the image.
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

        let (format, _) = self.pixels("image with boxes")?;
        let mut canvas = Canvas::new(self.width, self.height, format.with_color());
        canvas.place(0, 0, self)?;
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
