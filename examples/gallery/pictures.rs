//! Images page: pixels, a batch, a grid, boxes, files, an animation and a confusion matrix.

use std::f32::consts::TAU;

use summary_writer::images::{BoundingBox, ConfusionMatrix};
use summary_writer::{Image, SummaryWriter};

use crate::Result;

const SIDE: u32 = 96;
/// Image files. Other programs can read them with `std::fs::read`.
const FILES: [&[u8]; 4] = [
    include_bytes!("../../tests/data/images/rgba.png"),
    include_bytes!("../../tests/data/images/rgb.jpg"),
    include_bytes!("../../tests/data/images/progressive.jpg"),
    include_bytes!("../../tests/data/images/three_frames.gif"),
];

pub(crate) fn log(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    if !step.is_multiple_of(2) {
        return Ok(()); // TensorBoard keeps only ten steps of each tag.
    }
    summary.image("interference", interference(progress)?, step);

    let swatches = (0..12).map(|n| swatch(progress + n as f32 / 12.0));
    let swatches = swatches.collect::<Result<Vec<_>>>()?;
    summary.image("grid", Image::grid(&swatches, 4)?, step);
    summary.images("batch", swatches.into_iter().take(3), step);

    let left = 8.0 + 40.0 * progress;
    let boxes = [
        BoundingBox::new(left, 20.0, left + 36.0, 56.0).label("wave"),
        BoundingBox::new(30.0, 60.0, 90.0, 90.0).color([255, 200, 0]),
    ];
    summary.image("boxes", interference(0.3)?.with_boxes(boxes)?, step);

    let right = 40 + u64::from(step) * 2;
    let counts = [right, 9, 4, 6, right, 8, 2, 7, right];
    let matrix = ConfusionMatrix::new(&["cat", "dog", "fox"], &counts)?;
    summary.image("confusion/picture", matrix.to_image()?, step);
    summary.text("confusion/table", matrix.to_markdown(), step);

    if step.is_multiple_of(6) {
        let frames = (0..8).map(|frame| bouncing(progress, frame as f32 / 8.0));
        let frames = frames.collect::<Result<Vec<_>>>()?;
        summary.image("animation", Image::animation(frames, 8.0)?, step);
    }

    let file = FILES[usize::from(step / 2) % FILES.len()];
    summary.image("file", Image::encoded(file)?, step);
    Ok(())
}

/// A ball that jumps higher at each step.
fn bouncing(progress: f32, time: f32) -> Result<Image> {
    let radius = 8.0;
    let height = (0.2 + 0.8 * progress) * 4.0 * time * (1.0 - time);
    let center_y = SIDE as f32 - radius - height * (SIDE as f32 - 2.0 * radius);
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let distance = (x as f32 - 48.0).hypot(y as f32 - center_y);
            let is_ball = distance < radius;
            pixels.extend(if is_ball {
                rainbow(progress)
            } else {
                [24, 28, 36]
            });
        }
    }
    Ok(Image::rgb8(SIDE, SIDE, pixels)?)
}

/// Waves from two sources. One source moves.
fn interference(phase: f32) -> Result<Image> {
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let wave = |center_x: f32, center_y: f32| {
                let distance = (x as f32 - center_x).hypot(y as f32 - center_y);
                (distance / 3.0 - TAU * phase).sin()
            };
            let height = 0.25 * (wave(24.0, 48.0) + wave(48.0 + 24.0 * phase, 48.0));
            pixels.extend([0.2 + 0.5 * height, 0.5 + height, 0.8 + 0.4 * height]);
        }
    }
    Ok(Image::rgb_f32(SIDE, SIDE, &pixels)?)
}

/// A small square in one colour of the rainbow.
pub(crate) fn swatch(hue: f32) -> Result<Image> {
    Ok(Image::rgb8(16, 16, rainbow(hue).repeat(16 * 16))?)
}

/// A colour of the colour wheel. A `hue` of 1 is the same as 0.
pub(crate) fn rainbow(hue: f32) -> [u8; 3] {
    [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|shift| (140.0 + 110.0 * (TAU * (hue - shift)).cos()) as u8)
}
