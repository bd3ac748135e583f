//! The writers that are linked into the bench: ours, `tfrecord` and `tensorboard-rs`.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use image::flat::{FlatSamples, SampleLayout};
use image::{ColorType, DynamicImage, GrayImage, RgbImage};
use peers::child::{Writer, serve};
use peers::work::{Picture, Sides};
use summary_writer::{Image, SummaryWriter};
use tensorboard_rs::summary_writer as tensorboard_rs;
use tfrecord::{EventWriter, EventWriterConfig};

/// Serves as the writer of this name.
pub fn serve_as(name: &str, data: &Path) -> Result<(), Box<dyn Error>> {
    // A panic is an answer, given by the one line that reports it.
    std::panic::set_hook(Box::new(|_| {}));
    match name {
        "summary-writer" => serve::<Ours>(data),
        "tfrecord" => serve::<Tfrecord<true>>(data),
        "tfrecord-tuned" => serve::<Tfrecord<false>>(data),
        "tensorboard-rs" => serve::<TensorboardRs>(data),
        _ => Err(format!("no writer {name:?}").into()),
    }
}

struct Ours(SummaryWriter);

impl Writer for Ours {
    fn open(dir: &Path) -> Self {
        Self(SummaryWriter::create_file_writer(dir).unwrap())
    }

    #[inline]
    fn scalar(&mut self, tag: &str, value: f32, step: u32) {
        self.0.scalar(tag, value, step);
    }

    fn histogram(&mut self, tag: &str, values: &[f32], step: u32) -> Result<(), Box<dyn Error>> {
        self.0.histogram(tag, values, step);
        Ok(())
    }

    fn image(&mut self, tag: &str, picture: &Picture, step: u32) -> Result<(), Box<dyn Error>> {
        let (sides, pixels) = (picture.sides, &picture.pixels);
        let image = match sides.channels {
            1 => Image::gray8(sides.width, sides.height, pixels),
            _ => Image::rgb8(sides.width, sides.height, pixels),
        };
        self.0.image(tag, image?, step);
        Ok(())
    }

    fn close(self) {
        self.0.close().unwrap();
    }
}

/// As it is documented it flushes after each record, and takes the images of the crate `image`. Else it does not, and is
/// given pixels with the type of their colours.
struct Tfrecord<const DOCUMENTED: bool>(EventWriter<BufWriter<File>>);

impl<const DOCUMENTED: bool> Writer for Tfrecord<DOCUMENTED> {
    fn open(dir: &Path) -> Self {
        let prefix = format!("{}/events", dir.display());
        let config = EventWriterConfig {
            auto_flush: DOCUMENTED,
        };
        Self(EventWriter::from_prefix(prefix, "", config).unwrap())
    }

    #[inline]
    fn scalar(&mut self, tag: &str, value: f32, step: u32) {
        self.0.write_scalar(tag, i64::from(step), value).unwrap();
    }

    fn histogram(&mut self, tag: &str, values: &[f32], step: u32) -> Result<(), Box<dyn Error>> {
        Ok(self.0.write_histogram(tag, i64::from(step), values)?)
    }

    fn image(&mut self, tag: &str, picture: &Picture, step: u32) -> Result<(), Box<dyn Error>> {
        let (
            Sides {
                width,
                height,
                channels,
            },
            step,
        ) = (picture.sides, i64::from(step));
        if DOCUMENTED {
            let pixels = picture.pixels.clone();
            let image = match channels {
                1 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
                _ => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
            };
            return Ok(self.0.write_image(tag, step, image.unwrap())?);
        }
        let (channels, colours) = match channels {
            1 => (1, ColorType::L8),
            _ => (3, ColorType::Rgb8),
        };
        let image = FlatSamples {
            samples: &picture.pixels[..],
            layout: SampleLayout::row_major_packed(channels, width, height),
            color_hint: Some(colours),
        };
        Ok(self.0.write_image(tag, step, &image)?)
    }

    fn close(mut self) {
        self.0.flush().unwrap();
    }
}

struct TensorboardRs(tensorboard_rs::SummaryWriter);

impl Writer for TensorboardRs {
    fn open(dir: &Path) -> Self {
        Self(tensorboard_rs::SummaryWriter::new(dir))
    }

    #[inline]
    fn scalar(&mut self, tag: &str, value: f32, step: u32) {
        self.0.add_scalar(tag, value, step as usize);
    }

    fn histogram(&mut self, _: &str, _: &[f32], _: u32) -> Result<(), Box<dyn Error>> {
        self.0.add_histogram();
        Ok(())
    }

    /// As in its example: the channels first in the shape and last in the pixels, and the width before the height.
    fn image(&mut self, tag: &str, picture: &Picture, step: u32) -> Result<(), Box<dyn Error>> {
        let sides = picture.sides;
        let shape = [sides.channels, sides.width, sides.height].map(|side| side as usize);
        self.0
            .add_image(tag, &picture.pixels, &shape, step as usize);
        Ok(())
    }

    /// Its thread has written all once it is dropped.
    fn close(self) {}
}
