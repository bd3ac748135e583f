use super::*;

/// The sides, channels, bits and samples of the file, from the decoder of `png`. 16-bit samples have their high byte first.
fn decoded(image: &Image) -> (u32, u32, ColorType, BitDepth, Vec<u8>) {
    let file = image.encode().unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    (
        info.width,
        info.height,
        info.color_type,
        info.bit_depth,
        samples,
    )
}

/// Samples for 5 x 3 pixels, which all differ in both bytes.
fn samples(channels: u16) -> Vec<u16> {
    (0..15 * channels).map(|i| i * 1021 + 7).collect()
}

#[test]
fn every_8_bit_layout_keeps_its_samples() {
    type Layout8 = fn(u32, u32, Vec<u8>) -> Result<Image>;
    let layouts: [(Layout8, u16, ColorType); 4] = [
        (Image::gray8, 1, ColorType::Grayscale),
        (Image::gray_alpha8, 2, ColorType::GrayscaleAlpha),
        (Image::rgb8, 3, ColorType::Rgb),
        (Image::rgba8, 4, ColorType::Rgba),
    ];
    for (layout, channels, color) in layouts {
        let want: Vec<u8> = samples(channels).iter().map(|s| *s as u8).collect();
        let image = layout(5, 3, want.clone()).unwrap();
        assert_eq!((image.width(), image.height()), (5, 3));
        assert_eq!(decoded(&image), (5, 3, color, BitDepth::Eight, want));
    }
}

#[test]
fn every_16_bit_layout_keeps_its_samples() {
    type Layout16 = fn(u32, u32, Vec<u16>) -> Result<Image>;
    let layouts: [(Layout16, u16, ColorType); 4] = [
        (Image::gray16, 1, ColorType::Grayscale),
        (Image::gray_alpha16, 2, ColorType::GrayscaleAlpha),
        (Image::rgb16, 3, ColorType::Rgb),
        (Image::rgba16, 4, ColorType::Rgba),
    ];
    for (layout, channels, color) in layouts {
        let samples = samples(channels);
        let want = samples.iter().flat_map(|s| s.to_be_bytes()).collect();
        let image = layout(5, 3, samples).unwrap();
        assert_eq!(decoded(&image), (5, 3, color, BitDepth::Sixteen, want));
    }
}

#[test]
fn channels_first_layouts_make_the_same_image() {
    for channels in [3, 4] {
        let pixels = samples(channels);
        let planes: Vec<u16> = (0..usize::from(channels))
            .flat_map(|channel| pixels.iter().skip(channel).step_by(channels.into()))
            .copied()
            .collect();
        let bytes = |samples: &[u16]| -> Vec<u8> { samples.iter().map(|s| *s as u8).collect() };
        let (of_planes, of_pixels) = if channels == 3 {
            (Image::rgb16_chw(5, 3, &planes), Image::rgb16(5, 3, &pixels))
        } else {
            (
                Image::rgba16_chw(5, 3, &planes),
                Image::rgba16(5, 3, &pixels),
            )
        };
        assert_eq!(of_planes.unwrap(), of_pixels.unwrap());
        let (of_planes, of_pixels) = if channels == 3 {
            (
                Image::rgb8_chw(5, 3, bytes(&planes)),
                Image::rgb8(5, 3, bytes(&pixels)),
            )
        } else {
            (
                Image::rgba8_chw(5, 3, bytes(&planes)),
                Image::rgba8(5, 3, bytes(&pixels)),
            )
        };
        assert_eq!(of_planes.unwrap(), of_pixels.unwrap());
    }
}

#[cfg(feature = "half")]
#[test]
fn intensities_may_have_16_bits() {
    use half::{bf16, f16};

    // 0.75 has two bits, and 0.75 * 255 is 191.25.
    let want = Image::gray8(2, 1, [191, 255]).unwrap();
    let samples = [0.75, 1.0];
    assert_eq!(
        Image::gray_f32(2, 1, &samples.map(f16::from_f32)).unwrap(),
        want
    );
    assert_eq!(
        Image::gray_f32(2, 1, &samples.map(bf16::from_f32)).unwrap(),
        want
    );
    let batch = Image::batch_nchw([1, 1, 1, 2], &samples.map(bf16::from_f32));
    assert_eq!(batch.unwrap(), [want]);
}

#[test]
fn intensities_are_rounded_and_clamped() {
    // 0.5 * 255 is 127.5, and 0.1 * 255 is 25.5; 1/255 less a hair is 0.9990.
    for (intensity, want) in [
        (0.0, 0),
        (1.0, 255),
        (0.5, 128),
        (0.099, 25),
        (0.00391, 1),
        (0.0019, 0),
        (-0.0, 0),
        (-3.0, 0),
        (7.5, 255),
        (f64::NAN, 0),
        (f64::INFINITY, 255),
        (f64::NEG_INFINITY, 0),
    ] {
        let got = Image::gray_f32(1, 1, &[intensity]).unwrap();
        assert_eq!(got.pixels().unwrap().bytes, [want], "{intensity}");
        let got = Image::gray_f32(1, 1, &[intensity as f32]).unwrap();
        assert_eq!(got.pixels().unwrap().bytes, [want], "{intensity} as f32");
    }
    let planes = [[1.0f32, 0.0], [0.0, 1.0], [0.5, 0.5]].concat();
    let want = Image::rgb8(2, 1, [255, 0, 128, 0, 255, 128]);
    let got = Image::rgb_f32_chw(2, 1, &planes);
    assert_eq!(got.unwrap(), want.unwrap());
    let pixels = [0.0, 0.2, 0.4, 0.6];
    let want = Image::rgba8(1, 1, [0, 51, 102, 153]).unwrap();
    assert_eq!(Image::rgba_f32(1, 1, &pixels).unwrap(), want);
    assert_eq!(Image::rgba_f32_chw(1, 1, &pixels).unwrap(), want);
    let want = Image::rgb8(1, 1, [0, 51, 102]).unwrap();
    assert_eq!(Image::rgb_f32(1, 1, &pixels[..3]).unwrap(), want);
    let want = Image::gray8(2, 2, [0, 51, 102, 153]).unwrap();
    assert_eq!(Image::gray_f32(2, 2, &pixels).unwrap(), want);
}

#[test]
fn the_value_has_the_sides_of_the_first_image_and_all_files() {
    let first = Image::gray8(2, 1, [1, 2]).unwrap();
    let second = Image::gray8(7, 3, [0; 21]).unwrap();
    let got = images("a/", &Tag::new("b"), &[first.clone(), second.clone()]).unwrap();
    assert_eq!(got.tag, "a/b");
    let Some(crate::proto::summary::value::Value::Tensor(tensor)) = got.value else {
        panic!("{got:?}");
    };
    assert_eq!(tensor.tensor_shape.unwrap().dim[0].size, 4);
    assert_eq!(tensor.string_val[..2], [b"2", b"1"]);
    assert_eq!(tensor.string_val[2], first.encode().unwrap());
    assert_eq!(tensor.string_val[3], second.encode().unwrap());
}

#[test]
fn invalid_sides_and_samples_are_rejected() {
    for (result, want) in [
        (
            Image::rgb8(3, 2, [0; 17]),
            "image pixels: expected 18 samples, 3 for each of 3 x 2 pixels, got 17",
        ),
        (
            Image::gray8(0, 2, []),
            "image width: expected 1 to 2147483647 pixels, got 0",
        ),
        (
            Image::rgba16(2, 0, []),
            "image height: expected 1 to 2147483647 pixels, got 0",
        ),
        (
            Image::gray8(u32::MAX, 1, []),
            "image width: expected 1 to 2147483647 pixels, got 4294967295",
        ),
        (
            Image::rgba8(i32::MAX as u32, i32::MAX as u32, []),
            "image pixels: expected 18446744056529682436 samples, 4 for each of 2147483647 x 2147483647 pixels, got 0",
        ),
        (
            Image::rgb8_chw(1, 1, [0; 4]),
            "image pixels: expected 3 samples, 3 for each of 1 x 1 pixels, got 4",
        ),
        (
            Image::rgba16_chw(1, 1, []),
            "image pixels: expected 4 samples, 4 for each of 1 x 1 pixels, got 0",
        ),
        (
            Image::rgb_f32_chw(0, 1, &[0.5f32; 0]),
            "image width: expected 1 to 2147483647 pixels, got 0",
        ),
        (
            Image::gray_f32(2, 2, &[0.5f32]),
            "image pixels: expected 4 samples, 1 for each of 2 x 2 pixels, got 1",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), want);
    }
}
