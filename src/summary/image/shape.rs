//! The shape of an array to channels and sides.

use super::{Channels, MAX_SIDE};
use crate::error::{Error, Result};

/// What the three axes of an image are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Axes {
    #[cfg_attr(
        not(feature = "ndarray"),
        expect(dead_code, reason = "tensors have it not")
    )]
    HeightWidthChannels,
    ChannelsHeightWidth,
}

/// Channels, width and height. An image of two axes is gray. `advice` is what to do about a shape that does not fit, of which
/// it is given the sizes.
pub(super) fn check(
    what: &'static str,
    shape: &[usize],
    axes: Axes,
    advice: impl Fn(&[usize]) -> &'static str,
) -> Result<(Channels, u32, u32)> {
    let (channels, height, width) = match (shape, axes) {
        (&[height, width], _) => (1, height, width),
        (&[height, width, channels], Axes::HeightWidthChannels) => (channels, height, width),
        (&[channels, height, width], Axes::ChannelsHeightWidth) => (channels, height, width),
        _ => (0, 0, 0),
    };
    let channels = match channels {
        1 => Channels::Gray,
        2 => Channels::GrayAlpha,
        3 => Channels::Rgb,
        4 => Channels::Rgba,
        _ => {
            let axes = match axes {
                Axes::HeightWidthChannels => "[height, width, channels]",
                Axes::ChannelsHeightWidth => "[channels, height, width]",
            };
            let advice = advice(shape);
            let problem = format!(
                "shape {shape:?} is given, [height, width] or {axes} with 1 to 4 channels fits{advice}"
            );
            return Err(Error::invalid(what, problem));
        }
    };
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(width @ 1..=MAX_SIDE), Ok(height @ 1..=MAX_SIDE)) => Ok((channels, width, height)),
        _ => {
            let problem = format!("shape {shape:?} is given, sides of 1 to {MAX_SIDE} pixels fit");
            Err(Error::invalid(what, problem))
        }
    }
}
