//! Drawn images: grids, boxes, and confusion matrices with their tables.

use summary_writer::images::{BoundingBox, ConfusionMatrix};
use summary_writer::{Image, SummaryWriter, Tag};

use crate::{Result, START};

pub(crate) fn write(run: &SummaryWriter) -> Result {
    let run = &run.at(START);
    // The images have different sizes.
    let digits = (0..7_u8).map(|n| gray(6 + u32::from(n % 2), 4 + u32::from(n % 3), n));
    let digits: Vec<Image> = digits.collect::<Result<_>>()?;
    let tag = Tag::new("grid/gray").description("*seven*");
    run.image(tag, Image::grid(&digits, 3)?, 0);
    let deep = Image::rgb16(2, 1, [0, 1000, 2000, 3000, 4000, 65535])?;
    let mixed = [
        Image::gray_alpha8(2, 1, [10, 20, 30, 40])?,
        deep,
        gray(2, 1, 0)?,
    ];
    run.image("grid/mixed", Image::grid(mixed, 10)?, 0);

    let photo = gray(120, 80, 3)?;
    let boxes = || {
        [
            BoundingBox::new(10.4, 20.6, 50.5, 60.0),
            BoundingBox::new(-5.0, 30.0, 7.0, 95.0).color([1, 2, 3]),
        ]
    };
    run.image("boxes/plain", photo.with_boxes(boxes())?, 0);
    let deep: Vec<u16> = (0..40 * 30 * 4).map(|i| i * 13).collect();
    let deep = Image::rgba16(40, 30, deep)?;
    let inside = BoundingBox::new(3, 4, 30, 20).color([0, 128, 255]);
    run.image("boxes/deep", deep.with_boxes([inside])?, 0);
    let labels = ["cat 0.93", "Größe", "at the edge: moved to fit", "perdu"];
    let labelled = (0..).zip(labels).map(|(i, label)| {
        let left = 25.0 + 60.0 * i as f32;
        BoundingBox::new(left, 20.0 + 40.0 * i as f32, left + 100.0, 190.0).label(label)
    });
    run.image("boxes/labels", gray(320, 200, 1)?.with_boxes(labelled)?, 0);

    let values: Vec<f32> = (0..12).map(|i| (i * i) as f32 - 20.0).collect();
    run.image("heat map", Image::heat_map(4, 3, &values)?, 0);

    for classes in [2, 10, 60, 300] {
        let counts: Vec<u64> = (0..classes)
            .flat_map(|truth| (0..classes).map(move |predicted| count(truth, predicted)))
            .collect();
        let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
        let matrix = ConfusionMatrix::new(&names, &counts)?;
        let tag = format!("confusion/{classes}");
        run.image(&tag, matrix.to_image()?, 0);
        if classes == 10 {
            run.text("confusion table/10", matrix.to_markdown(), 0);
        }
    }
    let names = ["a|b", r"*c* \ <i>d</i>"];
    let odd = ConfusionMatrix::from_labels(&names, &[0, 0, 1], &[0, 1, 1])?;
    run.text("confusion table/odd", odd.to_markdown(), 0);
    Ok(())
}

/// A pattern that is different for each `n`.
fn gray(width: u32, height: u32, n: u8) -> Result<Image> {
    let pixels = (0..width * height).map(|i| (i * 7).to_le_bytes()[0].wrapping_add(40 * n));
    Ok(Image::gray8(width, height, pixels.collect::<Vec<u8>>())?)
}

/// Returns counts that are large on the diagonal. Every seventh row is 0, except for the first.
fn count(truth: u64, predicted: u64) -> u64 {
    if truth > 0 && truth.is_multiple_of(7) {
        0
    } else if truth == predicted {
        900
    } else {
        (truth * 31 + predicted * 17) % 50
    }
}
