//! The colours of a confusion matrix.

use std::f64::consts::PI;

use crate::summary::image::canvas::Color;

pub(super) const INK: Color = [32, 36, 44];
/// Of what must not distract.
pub(super) const QUIET_INK: Color = [98, 106, 118];
pub(super) const LINE: Color = [222, 228, 236];

/// From nearly white to dark blue, each step as visible as the others: straight in the lightness of Oklab.
pub(super) struct Scale([Color; 256]);

impl Scale {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|i| {
            let share = i as f64 / 255.0;
            let lightness = 0.985 - 0.665 * share;
            // Vivid in between, where that does not cost lightness; sRGB has little of it at either end.
            let vivid = (PI * share.powf(0.9)).sin();
            let chroma = 0.006 + 0.12 * vivid + 0.07 * share * share;
            let hue = (244.0 + 18.0 * share).to_radians();
            oklab(lightness, chroma * hue.cos(), chroma * hue.sin())
        }))
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; a share is from 0 to 1"
    )]
    pub(super) fn at(&self, share: f64) -> Color {
        self.0[usize::from((share * 255.0).round() as u8)]
    }
}

/// sRGB of Björn Ottosson's Oklab.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped"
)]
fn oklab(lightness: f64, a: f64, b: f64) -> Color {
    let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let medium = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
    ]
    .map(|light| {
        let value = if light <= 0.003_130_8 {
            12.92 * light
        } else {
            1.055 * light.powf(1.0 / 2.4) - 0.055
        };
        (value.clamp(0.0, 1.0) * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::image::canvas::{BLACK, WHITE, ink_on};

    #[test]
    fn colors_darken_evenly_and_leave_their_numbers_legible() {
        // The lightness of CIELAB, which is not what they were made from.
        let lightness = |[red, green, blue]: Color| {
            let linear = |value: u8| (f64::from(value) / 255.0).powf(2.2);
            let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
            116.0 * luminance.cbrt() - 16.0
        };
        let colors = Scale::new().0;
        let (first, last) = (lightness(colors[0]), lightness(colors[255]));
        assert!(first > 97.0 && last < 26.0, "{first} to {last}");
        for (i, color) in colors.into_iter().enumerate() {
            let even = first + (last - first) * i as f64 / 255.0;
            assert!((lightness(color) - even).abs() < 5.0, "{i}: {color:?}");
        }
        assert_eq!(ink_on(colors[0]), BLACK);
        assert_eq!(ink_on(colors[255]), WHITE);
    }
}
