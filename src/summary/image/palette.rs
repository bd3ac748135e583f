//! Pixels to a palette of at most 256 colours, and an index for each pixel.

use std::array;
use std::collections::HashMap;

/// GIF's most.
const MAX_COLORS: usize = 256;
pub(super) const TRANSPARENT: Color = [0; 4];

/// With its opacity, which is all or nothing.
pub(super) type Color = [u8; 4];

/// Colours that are alike: of all, a range.
struct Part {
    start: usize,
    end: usize,
    mean: [f64; 3],
    /// What is lost if the mean stands for all: the sum of the squares, over the channels. The first is that of `axis`.
    error: f64,
    /// The channel in which the colours differ most.
    axis: usize,
}

/// Up to 256 colours are kept exactly. More are split into parts, each time the one that loses most, at its mean in the
/// channel in which its colours differ most.
pub(super) fn indexed(pixels: &[Color]) -> (Vec<Color>, Vec<u8>) {
    let mut sorted = pixels.to_vec();
    sorted.sort_unstable();
    let alike = sorted.chunk_by(|left, right| left == right);
    let mut colors: Vec<(Color, usize)> = alike.map(|alike| (alike[0], alike.len())).collect();
    let is_transparent = colors
        .first()
        .is_some_and(|(color, _)| *color == TRANSPARENT);
    if is_transparent {
        colors.remove(0);
    }
    let parts = split(&mut colors, MAX_COLORS - usize::from(is_transparent));

    let mut palette = Vec::with_capacity(MAX_COLORS);
    let mut indices = HashMap::with_capacity(colors.len());
    for (index, part) in (0..=u8::MAX).zip(&parts) {
        palette.push(part.color());
        let colors = &colors[part.start..part.end];
        indices.extend(colors.iter().map(|(color, _)| (*color, index)));
    }
    if is_transparent {
        indices.insert(TRANSPARENT, u8::try_from(palette.len()).unwrap_or(u8::MAX));
        palette.push(TRANSPARENT);
    }
    let index = |pixel| indices.get(pixel).copied().unwrap_or_default();
    (palette, pixels.iter().map(index).collect())
}

/// Colours, which differ, and how many pixels have each.
fn split(colors: &mut [(Color, usize)], max: usize) -> Vec<Part> {
    if colors.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![Part::of(colors, 0, colors.len())];
    while parts.len() < max {
        let several = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.end - part.start > 1);
        let worst = several.max_by(|(_, left), (_, right)| left.error.total_cmp(&right.error));
        let Some((worst, _)) = worst else { break };
        let Part {
            start,
            end,
            mean,
            axis,
            ..
        } = parts.swap_remove(worst);
        let within = &mut colors[start..end];
        within.sort_unstable_by_key(|(color, _)| color[axis]);
        let below = within.partition_point(|(color, _)| f64::from(color[axis]) <= mean[axis]);
        // Neither is empty, however a mean was rounded.
        let middle = start + below.clamp(1, within.len() - 1);
        parts.push(Part::of(colors, start, middle));
        parts.push(Part::of(colors, middle, end));
    }
    parts
}

impl Part {
    fn of(colors: &[(Color, usize)], start: usize, end: usize) -> Self {
        let (mut count, mut sums, mut squares) = (0.0, [0.0; 3], [0.0; 3]);
        for (color, pixels) in &colors[start..end] {
            let pixels = *pixels as f64;
            count += pixels;
            for channel in 0..3 {
                let sample = f64::from(color[channel]);
                sums[channel] += pixels * sample;
                squares[channel] += pixels * sample * sample;
            }
        }
        let mean = sums.map(|sum| sum / count);
        let errors: [f64; 3] = array::from_fn(|i| squares[i] - sums[i] * mean[i]);
        let axis = (0..3).max_by(|left, right| errors[*left].total_cmp(&errors[*right]));
        Self {
            start,
            end,
            mean,
            error: errors.iter().sum(),
            axis: axis.unwrap_or_default(),
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean of samples is one"
    )]
    fn color(&self) -> Color {
        let [red, green, blue] = self.mean.map(|sample| sample.round() as u8);
        [red, green, blue, u8::MAX]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each pixel, the sum of what its three channels are off, on average.
    fn off(pixels: &[Color]) -> f64 {
        let (palette, indices) = indexed(pixels);
        assert!(palette.len() <= 256);
        assert_eq!(indices.len(), pixels.len());
        let mut off = 0;
        for (pixel, index) in pixels.iter().zip(indices) {
            let color = palette[usize::from(index)];
            assert_eq!(color[3], pixel[3]);
            let channels = pixel.iter().zip(color);
            off += channels
                .map(|(a, b)| usize::from(a.abs_diff(b)))
                .sum::<usize>();
        }
        off as f64 / pixels.len() as f64
    }

    fn gradient(side: u32) -> Vec<Color> {
        let step = 256 / side;
        (0..side * side)
            .map(|i| [(i % side * step) as u8, (i / side * step) as u8, 90, 255])
            .collect()
    }

    #[test]
    fn up_to_256_colors_are_exact() {
        for side in [1, 2, 16] {
            assert_eq!(off(&gradient(side)), 0.0, "{side} x {side} colours");
        }
        let mut pixels = gradient(16);
        pixels[77] = TRANSPARENT;
        assert_eq!(off(&pixels), 0.0);
        assert_eq!(off(&[TRANSPARENT; 5]), 0.0);
        let rare = [vec![[9, 9, 9, 255]; 1 << 20], vec![[9, 9, 10, 255]]].concat();
        assert_eq!(off(&rare), 0.0, "one in a million");
        assert_eq!(indexed(&[]), (vec![], vec![]));
    }

    #[test]
    fn more_are_split_evenly() {
        // 16 x 16 parts of a gradient in two channels, each of 256 / 16 steps, whose means are 4 off in each channel.
        assert_eq!(off(&gradient(64)), 8.0);
        // And of 32 x 32 colours, 8 apart, parts of 2 x 2, whose means are 4 off in each.
        assert_eq!(off(&gradient(32)), 8.0);
        // A colour less is a little worse.
        let mut pixels = gradient(64);
        pixels[0] = TRANSPARENT;
        assert!((8.0..8.2).contains(&off(&pixels)), "{}", off(&pixels));
    }
}
