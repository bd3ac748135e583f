//! Loads the handwritten digits, splits them into two sets, and makes batches.

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

/// Images and the digits that they show: the whole data, a split or a batch.
pub(crate) struct Digits {
    /// Brightness from 0 to 1. The shape is (images, `PIXELS`), row-major.
    pub(crate) pixels: Vec<f32>,
    /// The digit of each image.
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

    /// Returns the pixels of each image.
    pub(crate) fn images(&self) -> impl Iterator<Item = &[f32]> {
        self.pixels.chunks_exact(PIXELS)
    }

    /// Splits the images at random into two sets. The first one gets `percent` of them.
    pub(crate) fn split(&self, percent: usize, rng: &mut Rng) -> (Self, Self) {
        let order = self.shuffled(rng);
        let (first, second) = order.split_at(self.len() * percent / 100);
        (self.select(first), self.select(second))
    }

    /// Returns batches of `size` images, in a new random order. The last batch may be smaller.
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
