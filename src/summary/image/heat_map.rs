//! Heat maps: numbers as colours.

use super::canvas::{Color, interpolate};
use super::{Channels, Image};
use crate::error::{Error, Result};
use crate::summary::Scalar;

/// The colours of matplotlib's `viridis` at 0, 1/8, 2/8 and so on.
const VIRIDIS: [Color; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];
/// Not in the map.
const GRAY: Color = [128; 3];

/// Numbers as colours.
impl Image {
    /// Creates a heat map of `height * width` numbers, row by row, for example of attention weights or of a feature map. The
    /// lowest number is dark blue, the highest one yellow: the colour map `viridis`.
    ///
    /// Infinities count as the lowest or the highest number. NaN is gray. If all numbers are equal, they are dark blue. The
    /// colours of two heat maps are not comparable, because each has a range of its own; a
    /// [`histogram`](crate::SummaryWriter::histogram) of the numbers shows the range.
    ///
    /// ```
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let attention = [[0.9f32, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.3, 0.7]];
    /// summary.image("attention", Image::heat_map(3, 3, attention.as_flattened())?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if a side is 0, or if the number of `values` does not match the sides.
    #[doc(alias = "colormap")]
    #[doc(alias = "imshow")]
    #[doc(alias = "viridis")]
    pub fn heat_map(width: u32, height: u32, values: &[impl Scalar]) -> Result<Self> {
        let expected = u64::from(width) * u64::from(height);
        if values.len() as u64 != expected {
            let got = values.len();
            let problem = format!("expected {expected} for {width} x {height} pixels, got {got}");
            return Err(Error::invalid("heat map values", problem));
        }
        let numbers = values.iter().map(|value| f64::from(value.to_f32()));
        let finite = numbers.clone().filter(|number| number.is_finite());
        let low = finite.clone().fold(f64::INFINITY, f64::min);
        let high = finite.fold(f64::NEG_INFINITY, f64::max);
        let range = if high > low { high - low } else { 1.0 };
        let pixels = numbers.flat_map(|number| match (number - low) / range {
            share if share.is_nan() => GRAY,
            share => interpolate(&VIRIDIS, share.clamp(0.0, 1.0)),
        });
        Self::from_u8(Channels::Rgb, width, height, &pixels.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOWEST: Color = VIRIDIS[0];
    const HIGHEST: Color = VIRIDIS[8];

    fn colors(values: &[f64]) -> Vec<Color> {
        let width = values.len() as u32;
        let image = Image::heat_map(width, 1, values).unwrap();
        image.pixels().unwrap().bytes.as_chunks().0.to_vec()
    }

    #[test]
    fn colours_reach_from_the_lowest_to_the_highest_number() {
        // 5 is in the middle of 1 and 9, and 2 is an eighth: number 1 of the map. 1.5 is between the first two:
        // (68 + 71) / 2 is 69.5, (1 + 45) / 2 is 23, (84 + 123) / 2 is 103.5.
        let want = [LOWEST, VIRIDIS[4], VIRIDIS[1], [70, 23, 104], HIGHEST];
        assert_eq!(colors(&[1.0, 5.0, 2.0, 1.5, 9.0]), want);
        assert_eq!(colors(&[3.0, 3.0]), [LOWEST; 2]);
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let want = [HIGHEST, GRAY, LOWEST, HIGHEST, LOWEST];
        assert_eq!(colors(&[inf, nan, -inf, 2.0, 1.0]), want);
        assert_eq!(colors(&[nan]), [GRAY]);
        // The range of all floats.
        let max = f64::from(f32::MAX);
        assert_eq!(colors(&[-max, 0.0, max]), [LOWEST, VIRIDIS[4], HIGHEST]);
    }

    #[test]
    fn values_are_row_by_row() {
        let got = Image::heat_map(3, 2, &[0u8, 1, 2, 3, 4, 8]).unwrap();
        assert_eq!((got.width(), got.height()), (3, 2));
        let last = got.pixels().unwrap().bytes[3 * 5..].to_vec();
        assert_eq!(last, HIGHEST);
        let error = Image::heat_map(3, 2, &[0u8; 5]).unwrap_err();
        let want = "heat map values: expected 6 for 3 x 2 pixels, got 5";
        assert_eq!(error.to_string(), want);
        assert!(Image::heat_map(0, 2, &[0u8; 0]).is_err());
    }
}
