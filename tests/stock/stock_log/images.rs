//! Images of 5 x 3 pixels in every layout, and images of the crate `image`. `test_images.py` computes the same samples.

use image::{DynamicImage, ImageBuffer};
use summary_writer::{Image, SummaryWriter, Tag};

use crate::{Result, START};

const WIDTH: u32 = 5;
const HEIGHT: u32 = 3;

pub(crate) fn write(run: &SummaryWriter) -> Result {
    let run = &run.at(START);
    let (width, height) = (WIDTH, HEIGHT);
    run.image("gray8", Image::gray8(width, height, eight(1))?, 0);
    run.image(
        "gray_alpha8",
        Image::gray_alpha8(width, height, eight(2))?,
        0,
    );
    run.image("rgb8", Image::rgb8(width, height, eight(3))?, 0);
    run.image("rgba8", Image::rgba8(width, height, eight(4))?, 0);
    run.image("gray16", Image::gray16(width, height, sixteen(1))?, 0);
    run.image(
        "gray_alpha16",
        Image::gray_alpha16(width, height, sixteen(2))?,
        0,
    );
    run.image("rgb16", Image::rgb16(width, height, sixteen(3))?, 0);
    run.image("rgba16", Image::rgba16(width, height, sixteen(4))?, 0);
    run.image("gray_f32", Image::gray_f32(width, height, &floats(1))?, 0);
    run.image("rgb_f32", Image::rgb_f32(width, height, &floats(3))?, 0);
    run.image("rgba_f32", Image::rgba_f32(width, height, &floats(4))?, 0);
    run.image("rgb8_chw", Image::rgb8_chw(width, height, eight(3))?, 0);
    run.image("rgba8_chw", Image::rgba8_chw(width, height, eight(4))?, 0);
    run.image("rgb16_chw", Image::rgb16_chw(width, height, sixteen(3))?, 0);
    run.image(
        "rgba16_chw",
        Image::rgba16_chw(width, height, sixteen(4))?,
        0,
    );
    run.image(
        "rgb_f32_chw",
        Image::rgb_f32_chw(width, height, &floats(3))?,
        0,
    );
    run.image(
        "rgba_f32_chw",
        Image::rgba_f32_chw(width, height, &floats(4))?,
        0,
    );

    // Images of the crate `image`, by value and by reference.
    let gray = ImageBuffer::from_raw(width, height, eight(1)).map(DynamicImage::ImageLuma8);
    let deep = ImageBuffer::from_raw(width, height, sixteen(4)).map(DynamicImage::ImageRgba16);
    let float = ImageBuffer::from_raw(width, height, floats(3)).map(DynamicImage::ImageRgb32F);
    let wrong = "wrong number of samples";
    run.image("dynamic/gray8", gray.ok_or(wrong)?, 0);
    run.image("dynamic/rgba16", &deep.ok_or(wrong)?, 0);
    run.image("dynamic/rgb_f32", float.ok_or(wrong)?, 0);

    // Several images at several steps, of different sizes, in a scope and with a description.
    let tag = Tag::new("several")
        .description("a *few*")
        .display_name("A few");
    let scope = run.scope("scope");
    for step in 0..4_u8 {
        let images = (1..=3_u8).map(|n| {
            let side = u32::from(n + step);
            Image::gray8(side, 2, vec![n * 50 + step; 2 * usize::from(n + step)])
        });
        let images: Vec<Image> = images.collect::<std::result::Result<_, _>>()?;
        scope.at(START + f64::from(step)).images(&tag, images, step);
    }
    Ok(())
}

fn sixteen(channels: u32) -> Vec<u16> {
    let count = u16::try_from(WIDTH * HEIGHT * channels).unwrap_or_default();
    (0..count)
        .map(|i| i.wrapping_mul(5003).wrapping_add(7))
        .collect()
}

/// Returns the low bytes of the 16-bit samples.
fn eight(channels: u32) -> Vec<u8> {
    sixteen(channels)
        .iter()
        .map(|sample| sample.to_le_bytes()[0])
        .collect()
}

/// Returns samples from -0.1 to 1.1. The first and the last ones are clipped.
fn floats(channels: u32) -> Vec<f32> {
    let count = sixteen(channels).len();
    (0..count)
        .map(|i| 1.2 * i as f32 / (count - 1) as f32 - 0.1)
        .collect()
}
