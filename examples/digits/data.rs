//! Turns the compressed table of handwritten digits into pixels and labels, split and batched.

use std::error::Error;
use std::io::{BufRead, BufReader};

use fastrand::Rng;
use flate2::read::GzDecoder;

/// Pixels of an image, 8 × 8.
pub(crate) const PIXELS: usize = 64;
pub(crate) const SIDE: u32 = 8;
/// Digits 0 to 9.
pub(crate) const CLASSES: usize = 10;

// Compiled in, so that the example runs from any directory.
const TABLE: &[u8] = include_bytes!("../data/digits.csv.gz");

/// A set of images with the digits they show: the whole data, a split of it or a batch.
pub(crate) struct Digits {
    /// Brightness 0 to 1, shape (images, `PIXELS`), row-major.
    pub(crate) pixels: Vec<f32>,
    /// Shape (images,), each below `CLASSES`.
    pub(crate) labels: Vec<usize>,
}

impl Digits {
    pub(crate) fn load() -> Result<Self, Box<dyn Error>> {
        let mut digits = Self {
            pixels: Vec::new(),
            labels: Vec::new(),
        };
        for line in BufReader::new(GzDecoder::new(TABLE)).lines() {
            let line = line?;
            let values = line
                .split(',')
                .map(str::parse::<u8>)
                .collect::<Result<Vec<_>, _>>()?;
            match values.split_last() {
                Some((&label, pixels))
                    if usize::from(label) < CLASSES && pixels.len() == PIXELS =>
                {
                    digits.labels.push(label.into());
                    digits
                        .pixels
                        .extend(pixels.iter().map(|&grey| f32::from(grey) / 16.0));
                }
                _ => return Err(format!("not a digit: {line}").into()),
            }
        }
        Ok(digits)
    }

    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Brightness of the pixels of each image.
    pub(crate) fn images(&self) -> impl Iterator<Item = &[f32]> {
        self.pixels.chunks_exact(PIXELS)
    }

    /// Every image in one of two sets, at random: `percent` of them in the first.
    pub(crate) fn split(&self, percent: usize, rng: &mut Rng) -> (Self, Self) {
        let order = self.shuffled(rng);
        let (first, second) = order.split_at(self.len() * percent / 100);
        (self.select(first), self.select(second))
    }

    /// Every image once, in a new random order, `size` at a time; the last batch may be smaller.
    pub(crate) fn batches(&self, size: usize, rng: &mut Rng) -> impl Iterator<Item = Self> {
        let order = self.shuffled(rng);
        (0..order.len())
            .step_by(size)
            .map(move |start| self.select(&order[start..order.len().min(start + size)]))
    }

    fn shuffled(&self, rng: &mut Rng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        rng.shuffle(&mut order);
        order
    }

    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let image = |&i: &usize| &self.pixels[i * PIXELS..(i + 1) * PIXELS];
        Self {
            pixels: indices.iter().flat_map(image).copied().collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
        }
    }
}
