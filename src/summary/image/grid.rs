//! Several images side by side in one.

use std::borrow::Borrow;

use super::canvas::Canvas;
use super::format::Format;
use super::{Image, Pixels};
use crate::error::{Error, Result};

/// The space around each image of a grid, in pixels, as in torchvision's `make_grid`.
const PADDING: usize = 2;
/// More than a browser shows.
const MAX_GRID_BYTES: u64 = 1 << 30;
/// The longest side of a sprite that the projector accepts, in pixels.
const MAX_SPRITE_SIDE: usize = 8192;

/// Several images in one.
impl Image {
    /// Creates one image from several, row by row, with two pixels between and around them: the layout of torchvision's
    /// `make_grid`. A row has `columns` images, or all of them if there are fewer.
    ///
    /// All cells have the width of the widest image and the height of the highest one. A smaller image is in the middle of its
    /// cell. The grid has colour, opacity or 16 bits if any image has. The space between is transparent if the grid has
    /// opacity, and black otherwise.
    ///
    /// ```
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let digits = vec![Image::gray8(28, 28, [255; 28 * 28])?; 10];
    /// let grid = Image::grid(&digits, 5)?;
    /// assert_eq!((grid.width(), grid.height()), (5 * 30 + 2, 2 * 30 + 2));
    /// summary.image("digits", grid, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no images or no columns, if an image is a file ([`encoded`](Self::encoded)) or an
    /// animation, or if the grid takes more than 1 GiB.
    #[doc(alias = "make_grid")]
    pub fn grid(images: impl IntoIterator<Item: Borrow<Image>>, columns: usize) -> Result<Self> {
        let images: Vec<_> = images.into_iter().collect();
        let warning = images
            .iter()
            .find_map(|image| image.borrow().warning.clone());
        let images = all_pixels("grid images", images.iter().map(Borrow::borrow))?;
        if columns == 0 {
            return Err(Error::invalid("grid columns", "expected at least 1, got 0"));
        }
        let Some(format) = images
            .iter()
            .map(|image| image.format)
            .reduce(Format::widest)
        else {
            let problem = "expected at least 1, got none";
            return Err(Error::invalid("grid images", problem));
        };
        let columns = columns.min(images.len());
        let rows = images.len().div_ceil(columns);
        let width = images.iter().map(|image| image.width).max();
        let height = images.iter().map(|image| image.height).max();
        let cell = (width.unwrap_or_default(), height.unwrap_or_default());

        let side = |cell: usize, count: usize| {
            let cells = (cell as u64 + PADDING as u64).saturating_mul(count as u64);
            cells.saturating_add(PADDING as u64)
        };
        let (width, height) = (side(cell.0, columns), side(cell.1, rows));
        let bytes = width
            .saturating_mul(height)
            .saturating_mul(format.pixel_bytes() as u64);
        if bytes > MAX_GRID_BYTES {
            let problem = format!(
                "expected at most {MAX_GRID_BYTES} bytes together, got {width} x {height} pixels of {} bytes",
                format.pixel_bytes()
            );
            return Err(Error::invalid("grid images", problem));
        }
        Ok(Self {
            warning,
            ..tile(&images, format, columns, rows, cell, PADDING)
        })
    }

    /// Creates the sprite that the projector expects: 8-bit images of one size, without space between them. The rest is black
    /// or transparent. Images for which the sprite has no room are scaled down. Returns the size of each.
    ///
    /// There are as many rows as columns, because the projector confuses their numbers.
    pub(crate) fn sprite(images: &[&Self]) -> Result<(Self, (usize, usize))> {
        const WHAT: &str = "thumbnails";
        let pixels = all_pixels(WHAT, images.iter().copied())?;
        let size = pixels
            .first()
            .map_or((1, 1), |first| (first.width, first.height));
        let mut format = Format::RGB8;
        for (i, image) in pixels.iter().enumerate() {
            if (image.width, image.height) != size {
                let problem = format!(
                    "expected {} x {} pixels like the first one, got {} x {} for number {i}",
                    size.0, size.1, image.width, image.height
                );
                return Err(Error::invalid(WHAT, problem));
            }
            format = format.widest(image.format);
        }
        format.sample_bytes = 1;
        let (columns, cell) =
            sprite_layout(pixels.len(), size).map_err(|problem| Error::invalid(WHAT, problem))?;
        if cell == size {
            return Ok((tile(&pixels, format, columns, columns, cell, 0), cell));
        }
        let scaled: Vec<Vec<u8>> = pixels
            .iter()
            .map(|image| scale_down(*image, format, cell))
            .collect();
        let of = |bytes| Pixels {
            width: cell.0,
            height: cell.1,
            format,
            bytes,
        };
        let pixels: Vec<_> = scaled.iter().map(|bytes| of(&bytes[..])).collect();
        Ok((tile(&pixels, format, columns, columns, cell, 0), cell))
    }
}

fn all_pixels<'a>(
    what: &'static str,
    images: impl Iterator<Item = &'a Image>,
) -> Result<Vec<Pixels<'a>>> {
    let pixels = images.enumerate().map(|(i, image)| {
        image
            .pixels()
            .map_err(|problem| Error::invalid(what, format!("number {i}: {problem}")))
    });
    pixels.collect()
}

/// The number of columns and rows of a sprite for `count` images, and the size at which they have room.
fn sprite_layout(
    count: usize,
    (width, height): (usize, usize),
) -> Result<(usize, (usize, usize)), String> {
    let root = count.isqrt();
    let columns = (root + usize::from(root * root < count)).max(1);
    let longest = width.max(height);
    let room = (MAX_SPRITE_SIDE / columns).min(longest);
    if room == 0 {
        let most = MAX_SPRITE_SIDE * MAX_SPRITE_SIDE;
        return Err(format!("expected at most {most}, got {count}"));
    }
    let scaled = |side: usize| (side * room / longest).max(1);
    Ok((columns, (scaled(width), scaled(height))))
}

/// Makes an image of 8-bit samples smaller. Each pixel is the mean of those that it covers.
fn scale_down(image: Pixels<'_>, format: Format, (width, height): (usize, usize)) -> Vec<u8> {
    let bytes = image.format.convert(image.bytes, format);
    let channels = format.channels.count();
    let mut scaled = Vec::with_capacity(width * height * channels);
    for y in 0..height {
        let rows = y * image.height / height..(y + 1) * image.height / height;
        for x in 0..width {
            let columns = x * image.width / width..(x + 1) * image.width / width;
            let count = rows.len() * columns.len();
            for channel in 0..channels {
                let covered = rows.clone().flat_map(|row| {
                    let start = row * image.width;
                    columns.clone().map(move |column| start + column)
                });
                let sum: usize = covered
                    .map(|i| usize::from(bytes[i * channels + channel]))
                    .sum();
                let mean = (sum + count / 2) / count.max(1);
                scaled.push(u8::try_from(mean).unwrap_or(u8::MAX));
            }
        }
    }
    scaled
}

/// Draws each image in the middle of its cell, whose width and height are `cell`.
fn tile(
    images: &[Pixels<'_>],
    format: Format,
    columns: usize,
    rows: usize,
    cell: (usize, usize),
    padding: usize,
) -> Image {
    let (across, down) = (cell.0 + padding, cell.1 + padding);
    let mut canvas = Canvas::new(columns * across + padding, rows * down + padding, format);
    for (i, image) in images.iter().enumerate() {
        let left = padding + i % columns * across + (cell.0 - image.width) / 2;
        let top = padding + i / columns * down + (cell.1 - image.height) / 2;
        canvas.place(left, top, *image);
    }
    canvas.into_image()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samples of a row of an 8-bit gray image.
    fn row(image: &Image, y: usize) -> &[u8] {
        let pixels = image.pixels().unwrap();
        assert_eq!(pixels.format.pixel_bytes(), 1);
        &pixels.bytes[y * pixels.width..][..pixels.width]
    }

    #[test]
    fn a_grid_has_two_pixels_around_each_image() {
        let images: Vec<Image> = (1..=3)
            .map(|n| Image::gray8(2, 1, [n, 10 * n]).unwrap())
            .collect();
        let grid = Image::grid(&images, 2).unwrap();
        assert_eq!((grid.width(), grid.height()), (10, 8));
        for y in [0, 1, 3, 4, 6, 7] {
            assert_eq!(row(&grid, y), [0; 10], "row {y}");
        }
        assert_eq!(row(&grid, 2), [0, 0, 1, 10, 0, 0, 2, 20, 0, 0]);
        assert_eq!(row(&grid, 5), [0, 0, 3, 30, 0, 0, 0, 0, 0, 0]);
        // There are never more columns than images.
        let line = Image::grid(images, usize::MAX).unwrap();
        assert_eq!((line.width(), line.height()), (14, 5));
    }

    #[test]
    fn a_smaller_image_is_in_the_middle_of_its_cell() {
        let wide = Image::gray8(4, 1, [7; 4]).unwrap();
        let high = Image::gray8(1, 3, [9; 3]).unwrap();
        let grid = Image::grid([&wide, &high], 2).unwrap();
        assert_eq!((grid.width(), grid.height()), (14, 7));
        assert_eq!(row(&grid, 2), [0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]);
        assert_eq!(row(&grid, 3), [0, 0, 7, 7, 7, 7, 0, 0, 0, 9, 0, 0, 0, 0]);
    }

    #[test]
    fn a_grid_loses_nothing_of_its_images() {
        let gray = Image::gray_alpha8(1, 1, [0x12, 0x34]).unwrap();
        let deep = Image::rgb16(1, 1, [0x0102, 0x0304, 0x0506]).unwrap();
        let plain = Image::gray8(1, 1, [0x77]).unwrap();
        let grid = Image::grid([gray, deep, plain], 3).unwrap();
        let mut want = vec![0; 11 * 4];
        want.extend([0; 4]);
        want.extend([0x1212, 0x1212, 0x1212, 0x3434, 0, 0, 0, 0, 0, 0, 0, 0]);
        want.extend([0x0102, 0x0304, 0x0506, 0xffff, 0, 0, 0, 0, 0, 0, 0, 0]);
        want.extend([0x7777, 0x7777, 0x7777, 0xffff, 0, 0, 0, 0, 0, 0, 0, 0]);
        let row = want.split_off(11 * 4 + 4);
        let want = [&[0; 2 * 11 * 4 + 8][..], &row, &[0; 2 * 11 * 4]].concat();
        assert_eq!(grid, Image::rgba16(11, 5, want).unwrap());
    }

    #[test]
    fn invalid_grids_are_rejected() {
        let wide = Image::gray8(1 << 20, 1, vec![0; 1 << 20]).unwrap();
        let high = Image::gray8(1, 1 << 20, vec![0; 1 << 20]).unwrap();
        let file = Image::encoded(b"GIF89a\x03\0\x02\0\0\0\0").unwrap();
        let moving = Image::animation([Image::gray8(3, 2, [9; 6]).unwrap()], 10).unwrap();
        for (images, columns, want) in [
            (vec![], 3, "grid images: expected at least 1, got none"),
            (vec![&wide], 0, "grid columns: expected at least 1, got 0"),
            (
                vec![&wide, &high],
                2,
                "grid images: expected at most 1073741824 bytes together, got 2097158 x 1048580 pixels of 1 bytes",
            ),
            (
                vec![&wide, &file],
                2,
                "grid images: number 1: expected pixels, got an encoded file",
            ),
            (
                vec![&moving, &wide],
                2,
                "grid images: number 0: expected pixels, got an animation",
            ),
        ] {
            let error = Image::grid(images, columns).unwrap_err();
            assert_eq!(error.to_string(), want);
        }
    }

    #[test]
    fn a_sprite_has_its_images_row_by_row_in_8_bit_colour() {
        // Five images of 2 x 1 pixels need three columns and rows.
        let images = [
            Image::gray8(2, 1, [1, 2]).unwrap(),
            Image::rgb8(2, 1, [3, 4, 5, 6, 7, 8]).unwrap(),
            Image::gray16(2, 1, [0x0909, 0x0a0a]).unwrap(),
            Image::rgb16(2, 1, [0x0b0b, 0x0c0c, 0x0d0d, 0x0e0e, 0x0f0f, 0xffff]).unwrap(),
            Image::gray8(2, 1, [16, 17]).unwrap(),
        ];
        let (sprite, _) = Image::sprite(&images.each_ref()).unwrap();
        let want = [
            [[1, 1, 1], [2, 2, 2], [3, 4, 5], [6, 7, 8], [9; 3], [10; 3]],
            [
                [11, 12, 13],
                [14, 15, 255],
                [16; 3],
                [17; 3],
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
    fn a_sprite_has_opacity_if_an_image_has() {
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
        let (sprite, _) = Image::sprite(&images.each_ref()).unwrap();
        assert_eq!(
            sprite,
            Image::rgba8(2, 4, want.as_flattened().as_flattened()).unwrap()
        );
    }

    #[test]
    fn a_sprite_has_as_many_rows_as_columns_and_at_most_8192_pixels() {
        for (count, size, columns, cell) in [
            (1, (28, 28), 1, (28, 28)),
            (2, (28, 28), 2, (28, 28)),
            (4, (28, 28), 2, (28, 28)),
            (5, (28, 28), 3, (28, 28)),
            (100, (40, 10), 10, (40, 10)),
            (101, (40, 10), 11, (40, 10)),
            (85_264, (28, 28), 292, (28, 28)), // 8192 / 28 is 292
            (85_265, (28, 28), 293, (27, 27)), // 8192 / 293 is 27
            (4, (4096, 8), 2, (4096, 8)),
            (5, (4096, 8), 3, (2730, 5)), // 8192 / 3 is 2730, and 8 * 2730 / 4096 is 5.3
            (1, (8192, 8192), 1, (8192, 8192)),
            (1, (1, 16_384), 1, (1, 8192)),
        ] {
            assert_eq!(
                sprite_layout(count, size),
                Ok((columns, cell)),
                "{count} of {size:?}"
            );
        }
        let want = "expected at most 67108864, got 67108865";
        assert_eq!(sprite_layout(8192 * 8192 + 1, (1, 1)), Err(want.into()));
    }

    #[test]
    fn thumbnails_without_room_are_scaled_down() {
        // Two pixels become one, and the rows stay: the means of 0 and 255, and of 3 and 4, rounded up.
        let image = Image::gray8(4, 2, [0, 255, 3, 4, 1, 1, 9, 11]).unwrap();
        let scaled = scale_down(image.pixels().unwrap(), Format::RGB8, (2, 2));
        assert_eq!(scaled, [128, 128, 128, 4, 4, 4, 1, 1, 1, 10, 10, 10]);
        // Five columns of 3 become two, of the first two and the last three.
        let image = Image::gray8(5, 1, [1, 3, 6, 6, 9]).unwrap();
        let scaled = scale_down(image.pixels().unwrap(), Format::RGB8, (2, 1));
        assert_eq!(scaled, [2, 2, 2, 7, 7, 7]);
        let wide = Image::gray8(16_384, 2, vec![7; 2 * 16_384]).unwrap();
        let (sprite, cell) = Image::sprite(&[&wide]).unwrap();
        assert_eq!(cell, (8192, 1));
        assert_eq!(sprite, Image::rgb8(8192, 1, vec![7; 3 * 8192]).unwrap());
    }

    #[test]
    fn invalid_sprites_are_rejected() {
        let (small, other) = (
            Image::gray8(1, 2, [0; 2]).unwrap(),
            Image::gray8(2, 1, [0; 2]).unwrap(),
        );
        let file = Image::encoded(small.encode().unwrap()).unwrap();
        for (images, want) in [
            (
                vec![&small, &small, &other],
                "expected 1 x 2 pixels like the first one, got 2 x 1 for number 2",
            ),
            (
                vec![&small, &file],
                "number 1: expected pixels, got an encoded file",
            ),
        ] {
            let error = Image::sprite(&images).unwrap_err();
            assert_eq!(error.to_string(), format!("thumbnails: {want}"));
        }
    }
}
