//! Several images to one, side by side.

use std::borrow::Borrow;

use super::canvas::{Canvas, size};
use super::{Format, Image};
use crate::error::{Error, Result};

/// Around each image, in pixels: what torchvision's `make_grid` leaves.
const PADDING: u32 = 2;
/// More than a browser shows.
const MAX_BYTES: u64 = 1 << 30;

impl Image {
    /// Several images side by side, row by row from the top left, with two pixels between and around them: the layout of
    /// torchvision's `make_grid`. A row has `columns` images, or all if there are fewer.
    ///
    /// All cells are as wide as the widest image and as high as the highest one; a smaller image is in the middle of its
    /// cell. The grid has colour, opacity or 16 bits if an image has. What no image covers is transparent if the grid has
    /// opacity, else black.
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
    /// [`Error::Invalid`] if there are no images or no columns, or the grid has more than 1 GiB.
    pub fn grid(images: impl IntoIterator<Item: Borrow<Image>>, columns: usize) -> Result<Self> {
        let images: Vec<_> = images.into_iter().collect();
        let images: Vec<&Image> = images.iter().map(Borrow::borrow).collect();
        if columns == 0 {
            return Err(Error::invalid("grid columns", "0 are given, 1 or more fit"));
        }
        let columns = columns.min(images.len());
        let mut format = None;
        let mut pixels = Vec::with_capacity(images.len());
        for (i, image) in images.iter().enumerate() {
            let (of_image, bytes) = image.pixels("grid images", format_args!("number {i}"))?;
            format = Some(format.map_or(of_image, |format: Format| format.widest(of_image)));
            pixels.push((of_image, bytes));
        }
        let Some(format) = format else {
            return Err(Error::invalid(
                "grid images",
                "none are given, 1 or more fit",
            ));
        };
        let cell_width = longest(&images, Self::width);
        let cell_height = longest(&images, Self::height);
        let rows = images.len().div_ceil(columns);
        let (width, height) = check_sides(
            grid_side(cell_width, columns),
            grid_side(cell_height, rows),
            format,
        )?;

        let mut canvas = Canvas::new(width, height, format);
        // Sums and products of what has room in memory, as the canvas is there.
        let padding = size(PADDING);
        let (cell_width, cell_height) = (size(cell_width), size(cell_height));
        for (i, (image, pixels)) in images.into_iter().zip(pixels).enumerate() {
            let (row, column) = (i / columns, i % columns);
            let left = column * (cell_width + padding) + padding;
            let top = row * (cell_height + padding) + padding;
            canvas.place(
                left + (cell_width - size(image.width())) / 2,
                top + (cell_height - size(image.height())) / 2,
                image.width(),
                pixels,
            );
        }
        Ok(canvas.into_image())
    }
}

fn longest(images: &[&Image], side: fn(&Image) -> u32) -> u32 {
    images.iter().map(|image| side(image)).max().unwrap_or(0)
}

/// In pixels; saturates, beyond what fits by far.
fn grid_side(cell: u32, count: usize) -> u64 {
    (u64::from(cell) + u64::from(PADDING))
        .saturating_mul(count as u64)
        .saturating_add(PADDING.into())
}

fn check_sides(width: u64, height: u64, format: Format) -> Result<(u32, u32)> {
    let pixel_bytes = format.pixel_bytes() as u64;
    let bytes = width.saturating_mul(height).saturating_mul(pixel_bytes);
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(width), Ok(height)) if bytes <= MAX_BYTES => Ok((width, height)),
        _ => {
            let problem = format!(
                "{width} x {height} pixels of {pixel_bytes} bytes are needed, {MAX_BYTES} bytes fit"
            );
            Err(Error::invalid("grid images", problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samples of a row of a gray image of 8 bits.
    fn row(image: &Image, y: usize) -> &[u8] {
        let (format, bytes) = image.pixels("image", "it").unwrap();
        assert_eq!(format.pixel_bytes(), 1);
        let width = size(image.width());
        &bytes[y * width..][..width]
    }

    #[test]
    fn images_stand_row_by_row_with_two_pixels_around_each() {
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
        // As many columns as images, if more are asked for; images may be given away.
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
    fn a_grid_has_what_one_of_its_images_has() {
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
    fn what_makes_no_grid_is_refused_by_name() {
        let wide = Image::gray8(1 << 20, 1, vec![0; 1 << 20]).unwrap();
        let high = Image::gray8(1, 1 << 20, vec![0; 1 << 20]).unwrap();
        let none: [Image; 0] = [];
        for (got, want) in [
            (
                Image::grid(&none, 3),
                "grid images: none are given, 1 or more fit",
            ),
            (
                Image::grid([&wide], 0),
                "grid columns: 0 are given, 1 or more fit",
            ),
            (
                Image::grid([&wide, &high], 2),
                "grid images: 2097158 x 1048580 pixels of 1 bytes are needed, 1073741824 bytes fit",
            ),
        ] {
            assert_eq!(got.unwrap_err().to_string(), want);
        }
        let file = Image::encoded(b"GIF89a\x03\0\x02\0\0\0\0").unwrap();
        let error = Image::grid([&wide, &file], 2).unwrap_err();
        let want = "grid images: number 1 is an encoded file, one of pixels fits";
        assert_eq!(error.to_string(), want);
        {
            let moving = Image::animation([Image::gray8(3, 2, [9; 6]).unwrap()], 10).unwrap();
            let error = Image::grid([moving, wide], 2).unwrap_err();
            let want = "grid images: number 0 is an animation, one of pixels fits";
            assert_eq!(error.to_string(), want);
        }
        // The largest of these products is beyond 2^64.
        assert!(check_sides(u64::MAX, u64::MAX, Format::RGB8).is_err());
        assert_eq!(grid_side(u32::MAX, usize::MAX), u64::MAX);
    }
}
