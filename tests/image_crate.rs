//! Logging images of the crate `image`.

#![cfg(feature = "image")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageBuffer, Rgb, RgbImage, RgbaImage};
use summary_writer::proto::event::What;
use summary_writer::proto::summary::value::Value;
use summary_writer::{EventReader, Image, SummaryWriter};

/// The files of all logged images, by tag.
fn logged(log: impl Fn(&SummaryWriter)) -> Vec<(String, Vec<Vec<u8>>)> {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    log(&summary);
    summary.close().unwrap();
    let mut files = Vec::new();
    for event in EventReader::open(dir.path()).unwrap() {
        if let Some(What::Summary(values)) = event.unwrap().what {
            for value in values.value {
                let Some(Value::Tensor(tensor)) = value.value else {
                    continue;
                };
                // The width and height come first.
                let strings = tensor.string_val.iter().skip(2).map(|file| file.to_vec());
                files.push((value.tag, strings.collect()));
            }
        }
    }
    files
}

/// The samples of a PNG file, from the decoder of `png`.
fn samples(file: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut samples).unwrap();
    samples
}

#[test]
fn images_are_logged_by_value_and_by_reference() {
    let gray = GrayImage::from_raw(2, 1, vec![1, 2]).unwrap();
    let rgb = RgbImage::from_raw(1, 1, vec![3, 4, 5]).unwrap();
    let rgba = RgbaImage::from_raw(1, 1, vec![6, 7, 8, 9]).unwrap();
    let deep = ImageBuffer::<Rgb<u16>, _>::from_raw(1, 1, vec![0x0102, 0x0304, 0x0506]).unwrap();
    let dynamic = DynamicImage::from(rgb.clone());
    let ours = Image::from(&gray);
    let files = logged(|summary| {
        summary.image("gray", &gray, 0);
        summary.image("rgb", rgb.clone(), 0);
        summary.image("rgba", rgba.clone(), 0);
        summary.image("deep", &deep, 0);
        summary.image("dynamic", &dynamic, 0);
        summary.image("ours", &ours, 0);
        summary.images("several", [gray.clone(), gray.clone()], 0);
        let _default = summary.as_default();
        summary_writer::current::image("current", dynamic.clone(), 0);
    });
    let (gray, rgb) = (vec![1, 2], vec![3, 4, 5]);
    let want = [
        ("gray", vec![gray.clone()]),
        ("rgb", vec![rgb.clone()]),
        ("rgba", vec![vec![6, 7, 8, 9]]),
        ("deep", vec![vec![1, 2, 3, 4, 5, 6]]),
        ("dynamic", vec![rgb.clone()]),
        ("ours", vec![gray.clone()]),
        ("several", vec![gray.clone(), gray]),
        ("current", vec![rgb]),
    ];
    assert_eq!(files.len(), want.len());
    for ((tag, files), (want_tag, want)) in files.iter().zip(want) {
        assert_eq!(tag, want_tag);
        let samples: Vec<_> = files.iter().map(|file| samples(file)).collect();
        assert_eq!(samples, want, "{tag}");
    }
}

#[test]
fn image_without_pixels_is_rejected_and_counted() {
    let files = logged(|summary| {
        summary.image("empty", DynamicImage::new_rgb8(0, 0), 0);
        summary.image("good", GrayImage::new(1, 1), 0);
        summary.flush().unwrap();
        assert_eq!(summary.stats().rejected_count, 1);
    });
    let tags: Vec<_> = files.iter().map(|(tag, _)| tag.as_str()).collect();
    assert_eq!(tags, ["good"]);
}
