//! The writers that are linked into the bench: this crate, `tfrecord` and `tensorboard-rs`.

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

/// Runs the writer of this name.
pub fn serve_as(name: &str, data: &Path) -> Result<(), Box<dyn Error>> {
    // The answer reports the panic, so nothing else is printed.
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

/// `DOCUMENTED` uses it as its documentation shows: it flushes after each record, and takes images of the crate `image`.
/// Otherwise it does not flush, and takes pixels with a colour type.
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

    /// As in its example: the shape is channels, width, height; the pixels have interleaved channels.
    fn image(&mut self, tag: &str, picture: &Picture, step: u32) -> Result<(), Box<dyn Error>> {
        let sides = picture.sides;
        let shape = [sides.channels, sides.width, sides.height].map(|side| side as usize);
        self.0
            .add_image(tag, &picture.pixels, &shape, step as usize);
        Ok(())
    }

    /// Its drop waits until its thread has written all data.
    fn close(self) {}
}
