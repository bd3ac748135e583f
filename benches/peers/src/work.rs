//! The work of the writers. Its name and its data files are the same for writers in Rust and in Python.
//!
//! A file of values has little-endian `f32` numbers. A file of pixels has the rows from top to bottom, with interleaved
//! channels.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Scalar { tags: usize },
    Histogram { values: usize },
    Image(Sides),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    pub width: u32,
    pub height: u32,
    pub channels: u32,
}

pub struct Picture {
    pub sides: Sides,
    pub pixels: Vec<u8>,
}

/// Examples: `scalar-100`, `histogram-1000`, `image-256x256x3`.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar { tags } => write!(f, "scalar-{tags}"),
            Self::Histogram { values } => write!(f, "histogram-{values}"),
            Self::Image(Sides {
                width,
                height,
                channels,
            }) => write!(f, "image-{width}x{height}x{channels}"),
        }
    }
}

impl FromStr for Work {
    type Err = Box<dyn Error>;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let (kind, size) = name.split_once('-').ok_or("no size")?;
        let sizes: Vec<u32> = size.split('x').map(str::parse).collect::<Result<_, _>>()?;
        match (kind, &sizes[..]) {
            ("scalar", &[tags]) => Ok(Self::Scalar {
                tags: tags.try_into()?,
            }),
            ("histogram", &[values]) => Ok(Self::Histogram {
                values: values.try_into()?,
            }),
            ("image", &[width, height, channels]) => Ok(Self::Image(Sides {
                width,
                height,
                channels,
            })),
            _ => Err(format!("unknown work {name:?}").into()),
        }
    }
}

/// Returns tags of four letters.
pub fn tags(count: usize) -> Vec<String> {
    match count {
        1 => vec!["loss".into()],
        _ => (0..count).map(|i| format!("t{i:03}")).collect(),
    }
}

/// Returns the scalar of a step. Steps start at 1.
pub fn scalar(step: u32) -> f32 {
    (step % 1000) as f32
}

/// Writes numbers that are roughly normally distributed, like weights: sums of uniform random numbers.
pub fn write_values(path: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let mut random = Random(7);
    let values = (0..count).map(|_| (0..12).map(|_| random.next()).sum::<f64>() - 6.0);
    let bytes: Vec<u8> = values
        .flat_map(|value| (value as f32).to_le_bytes())
        .collect();
    Ok(fs::write(path, bytes)?)
}

pub fn read_values(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let (values, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty());
    Ok(values.iter().copied().map(f32::from_le_bytes).collect())
}

/// Writes the pixels of a picture that resembles a photograph: smooth, with the noise of a sensor.
pub fn write_pixels(path: &Path, sides: Sides) -> Result<(), Box<dyn Error>> {
    let mut random = Random(1);
    let mut pixels = Vec::new();
    for y in 0..sides.height {
        for x in 0..sides.width {
            for channel in 0..sides.channels {
                let (x, y, c) = (f64::from(x), f64::from(y), f64::from(channel));
                let light = (x * 0.021 + c).sin() * (y * 0.017 - c).cos() * 90.0 + 128.0;
                pixels.push((light + random.next() * 8.0 - 4.0) as u8);
            }
        }
    }
    Ok(fs::write(path, pixels)?)
}

pub fn read_picture(path: &Path, sides: Sides) -> Result<Picture, Box<dyn Error>> {
    let pixels = fs::read(path)?;
    Ok(Picture { sides, pixels })
}

/// Marsaglia's xorshift64*. It is good enough for data, and gives the same numbers in every version.
struct Random(u64);

impl Random {
    /// Returns a number from 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }
}
