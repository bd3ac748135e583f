//! Many small images to one that holds them all, as the projector wants it.

use super::{Content, Format, Image};
use crate::error::{Error, Result};

/// The longest side that the projector takes, in pixels.
const MAX_SIDE: usize = 8192;
const WHAT: &str = "thumbnails";

impl Image {
    /// Puts `images`, which are of one size, side by side and row by row, in 8 bits. What is left is black, or transparent.
    ///
    /// There are as many rows as columns, whatever the sides of an image: the projector finds the row of an image by the
    /// number of rows, where it should take that of columns.
    pub(crate) fn sprite(images: &[&Self]) -> Result<Self> {
        let size = images.first().map_or((1, 1), |image| image.size());
        let (width, height) = size;
        if let Some(i) = images.iter().position(|image| image.size() != size) {
            let (w, h) = images[i].size();
            let problem =
                format!("number {i} has {w} x {h} pixels, {width} x {height} as number 0 fit");
            return Err(Error::invalid(WHAT, problem));
        }
        let columns = columns(images.len(), width, height)?;
        let mut format = Format::RGB8;
        let mut pixels = Vec::with_capacity(images.len());
        for (i, image) in images.iter().enumerate() {
            let (of_image, bytes) = image.pixels(WHAT, format_args!("number {i}"))?;
            format = format.widest(of_image);
            pixels.push((of_image, bytes));
        }
        format.sample_bytes = 1;
        let line_bytes = width * format.pixel_bytes();
        let mut bytes = vec![0; line_bytes * columns * height * columns];
        let bands = bytes.chunks_exact_mut(line_bytes * columns * height);
        for (band, images) in bands.zip(pixels.chunks(columns)) {
            for (column, (of_image, pixels)) in images.iter().enumerate() {
                let converted = of_image.convert(pixels, format);
                let lines = band
                    .chunks_exact_mut(line_bytes)
                    .skip(column)
                    .step_by(columns);
                for (to, from) in lines.zip(converted.chunks_exact(line_bytes)) {
                    to.copy_from_slice(from);
                }
            }
        }
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        Ok(Self {
            width: side(width * columns),
            height: side(height * columns),
            content: Content::Pixels { format, bytes },
        })
    }

    fn size(&self) -> (usize, usize) {
        let pixels = |side: u32| usize::try_from(side).unwrap_or(usize::MAX);
        (pixels(self.width), pixels(self.height))
    }
}

/// How many columns, and as many rows, have room for `count` images.
fn columns(count: usize, width: usize, height: usize) -> Result<usize> {
    let root = count.isqrt();
    let columns = (root + usize::from(root * root < count)).max(1);
    let most = MAX_SIDE / width.max(height);
    if columns > most {
        let most = most * most;
        let problem = format!(
            "{count} of {width} x {height} pixels are given, {most} fit into {MAX_SIDE} x {MAX_SIDE}"
        );
        return Err(Error::invalid(WHAT, problem));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_stand_row_by_row_in_their_own_colours() {
        // Of 2 x 1 pixels, five of them: three columns and rows.
        let images = [
            Image::gray8(2, 1, [1, 2]).unwrap(),
            Image::rgb8(2, 1, [3, 4, 5, 6, 7, 8]).unwrap(),
            Image::gray16(2, 1, [0x0909, 0x0a0a]).unwrap(),
            Image::rgb16(2, 1, [0x0b0b, 0x0c0c, 0x0d0d, 0x0e0e, 0x0f0f, 0xffff]).unwrap(),
            Image::gray8(2, 1, [16, 17]).unwrap(),
        ];
        let sprite = Image::sprite(&images.each_ref()).unwrap();
        let want = [
            [
                [1, 1, 1],
                [2, 2, 2],
                [3, 4, 5],
                [6, 7, 8],
                [9, 9, 9],
                [10, 10, 10],
            ],
            [
                [11, 12, 13],
                [14, 15, 255],
                [16, 16, 16],
                [17, 17, 17],
                [0; 3],
                [0; 3],
            ],
            [[0; 3]; 6],
        ];
        assert_eq!(
            sprite,
            Image::rgb8(6, 3, want.as_flattened().as_flattened()).unwrap()
        );
    }

    #[test]
    fn one_with_opacity_gives_it_to_all() {
        let images = [
            Image::rgb8(1, 2, [1, 2, 3, 4, 5, 6]).unwrap(),
            Image::rgba16(1, 2, [0x0700, 0x0800, 0x0900, 0x0aff, 1, 2, 3, 4]).unwrap(),
            Image::gray_alpha8(1, 2, [11, 12, 13, 14]).unwrap(),
        ];
        // 0x0aff of 16 bits is nearer to 11 of 8.
        let want = [
            [[1, 2, 3, 255], [7, 8, 9, 11]],
            [[4, 5, 6, 255], [0; 4]],
            [[11, 11, 11, 12], [0; 4]],
            [[13, 13, 13, 14], [0; 4]],
        ];
        let sprite = Image::sprite(&images.each_ref()).unwrap();
        assert_eq!(
            sprite,
            Image::rgba8(2, 4, want.as_flattened().as_flattened()).unwrap()
        );
    }

    #[test]
    fn there_are_as_many_rows_as_columns() {
        for ((count, width, height), want) in [
            ((1, 28, 28), 1),
            ((2, 28, 28), 2),
            ((4, 28, 28), 2),
            ((5, 28, 28), 3),
            ((100, 40, 10), 10),
            ((101, 40, 10), 11),
            ((85_264, 28, 28), 292), // 8192 / 28 is 292
            ((4, 4096, 8), 2),
            ((1, 8192, 8192), 1),
        ] {
            assert_eq!(
                columns(count, width, height).unwrap(),
                want,
                "{count} of {width} x {height}"
            );
        }
    }

    #[test]
    fn what_is_no_sprite_is_refused_by_number_and_size() {
        let (small, other) = (
            Image::gray8(1, 2, [0; 2]).unwrap(),
            Image::gray8(2, 1, [0; 2]).unwrap(),
        );
        let file = Image::encoded(small.encode().unwrap()).unwrap();
        let large = Image::gray8(8193, 1, [0; 8193]).unwrap();
        for (images, want) in [
            (
                vec![&small, &small, &other],
                "thumbnails: number 2 has 2 x 1 pixels, 1 x 2 as number 0 fit",
            ),
            (
                vec![&small, &file],
                "thumbnails: number 1 is an encoded file, one of pixels fits",
            ),
            (
                vec![&large],
                "thumbnails: 1 of 8193 x 1 pixels are given, 0 fit into 8192 x 8192",
            ),
        ] {
            assert_eq!(Image::sprite(&images).unwrap_err().to_string(), want);
        }
        assert_eq!(
            columns(85_265, 28, 28).unwrap_err().to_string(),
            "thumbnails: 85265 of 28 x 28 pixels are given, 85264 fit into 8192 x 8192"
        );
        assert!(columns(5, 4096, 8).is_err());
        assert!(columns(usize::MAX, u32::MAX as usize, 1).is_err());
    }
}
