//! The header of an image file to an image: the file stays as it is.

use imagesize::{ImageError, ImageType};

use super::{Content, Image, MAX_SIDE};
use crate::error::{Error, Result};

const WHAT: &str = "image file";
const FITTING: &str = "a PNG, JPEG or GIF file fits";
/// Of every PNG: its signature, and the head of its first chunk.
const PNG_START: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

impl Image {
    /// A PNG, JPEG or GIF file, also an animated one. TensorBoard serves it byte for byte.
    ///
    /// Format and sides are read from the file's header. What follows it is not looked at: of a damaged picture a browser
    /// shows what it can.
    ///
    /// ```
    /// use summary_writer::Image;
    /// # let path = "tests/images/rgb.jpg";
    ///
    /// let photo = Image::encoded(std::fs::read(path)?)?;
    /// assert_eq!((photo.width(), photo.height()), (31, 17));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the bytes are no such file, its header is cut off or damaged, or a side is 0.
    pub fn encoded(file: impl Into<Vec<u8>>) -> Result<Self> {
        let file = file.into();
        let image_type = match imagesize::image_type(&file) {
            Ok(image_type) => image_type,
            Err(_) => return Err(unknown(&file)),
        };
        let name = match image_type {
            ImageType::Png => "PNG",
            ImageType::Jpeg => "JPEG",
            ImageType::Gif => "GIF",
            other => {
                let other = format!("{other:?}").to_uppercase();
                let problem = format!("a file of the format {other} is given, {FITTING}");
                return Err(Error::invalid(WHAT, problem));
            }
        };
        let size = match imagesize::blob_size(&file) {
            Ok(size) if has_whole_start(&file, image_type) => size,
            Err(ImageError::IoError(_)) => {
                let problem = format!(
                    "a {name} file is given that ends within its header, after {} bytes",
                    file.len()
                );
                return Err(Error::invalid(WHAT, problem));
            }
            _ => {
                let problem = format!("a {name} file is given whose header is damaged");
                return Err(Error::invalid(WHAT, problem));
            }
        };
        let side = |side| {
            u32::try_from(side)
                .ok()
                .filter(|side| (1..=MAX_SIDE).contains(side))
        };
        let (Some(width), Some(height)) = (side(size.width), side(size.height)) else {
            let (width, height) = (size.width, size.height);
            let problem =
                format!("a {name} file of {width} x {height} pixels is given, 1 to {MAX_SIDE} fit");
            return Err(Error::invalid(WHAT, problem));
        };
        Ok(Self {
            width,
            height,
            content: Content::File(file),
        })
    }
}

/// The parts of the start that tell a format apart, beyond its first bytes.
fn has_whole_start(file: &[u8], image_type: ImageType) -> bool {
    match image_type {
        ImageType::Png => file.starts_with(PNG_START),
        ImageType::Gif => file.starts_with(b"GIF87a") || file.starts_with(b"GIF89a"),
        _ => true,
    }
}

fn unknown(file: &[u8]) -> Error {
    let start = file.get(..8).unwrap_or(file).escape_ascii();
    let problem = match file.len() {
        0 => format!("no bytes are given, {FITTING}"),
        len => format!("{len} bytes are given that begin with \"{start}\", {FITTING}"),
    };
    Error::invalid(WHAT, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, &[u8]); 4] = [
        ("PNG", include_bytes!("../../../tests/images/rgba.png")),
        ("JPEG", include_bytes!("../../../tests/images/rgb.jpg")),
        (
            "JPEG",
            include_bytes!("../../../tests/images/progressive.jpg"),
        ),
        (
            "GIF",
            include_bytes!("../../../tests/images/three_frames.gif"),
        ),
    ];

    #[test]
    fn a_file_stays_as_it_is_and_its_sides_are_read() {
        for (name, file) in FILES {
            let image = Image::encoded(file).unwrap();
            assert_eq!((image.width(), image.height()), (31, 17), "{name}");
            assert_eq!(image.bytes(), file.len());
            assert_eq!(image.encode().unwrap(), file, "{name}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut random = fastrand::Rng::with_seed(7);
        for (name, file) in FILES {
            let mut fitting = 0;
            for end in 0..file.len() {
                match Image::encoded(&file[..end]) {
                    Ok(image) => {
                        assert_eq!((image.width(), image.height()), (31, 17), "{name}, {end}");
                        fitting += 1;
                    }
                    Err(Error::Invalid { .. }) => assert_eq!(fitting, 0, "{name}, {end}"),
                    Err(error) => panic!("{error}"),
                }
            }
            assert!((1..file.len() - 9).contains(&fitting), "{name}: {fitting}");
            for i in 0..file.len() {
                for bit in 0..8 {
                    let mut file = file.to_vec();
                    file[i] ^= 1 << bit;
                    if let Ok(image) = Image::encoded(file) {
                        assert!(image.width() > 0 && image.height() > 0);
                    }
                }
            }
        }
        for len in 0..20_000 {
            let mut file: Vec<u8> = (0..len % 200).map(|_| random.u8(..)).collect();
            // Of those without any start that is known hardly one gets far.
            let (_, start) = FILES[len % 4];
            let known = random.usize(..24).min(file.len());
            file[..known].copy_from_slice(&start[..known]);
            if let Ok(image) = Image::encoded(file) {
                assert!(image.width() > 0 && image.height() > 0);
            }
        }
    }

    #[test]
    fn what_is_no_file_of_an_image_is_refused_by_what_it_is() {
        let png = |start: &[u8], width: u32, height: u32| {
            [start, &width.to_be_bytes(), &height.to_be_bytes()].concat()
        };
        for (file, want) in [
            (
                vec![],
                "image file: no bytes are given, a PNG, JPEG or GIF file fits",
            ),
            (
                b"<html>\n<body>not found".to_vec(),
                "image file: 22 bytes are given that begin with \"<html>\\n<\", a PNG, JPEG or GIF file fits",
            ),
            (
                b"\x89PNG".to_vec(),
                "image file: 4 bytes are given that begin with \"\\x89PNG\", a PNG, JPEG or GIF file fits",
            ),
            (
                b"RIFF\x1a\0\0\0WEBPVP8L".to_vec(),
                "image file: a file of the format WEBP is given, a PNG, JPEG or GIF file fits",
            ),
            (
                b"BM0123456789abc".to_vec(),
                "image file: a file of the format BMP is given, a PNG, JPEG or GIF file fits",
            ),
            (
                FILES[0].1[..23].to_vec(),
                "image file: a PNG file is given that ends within its header, after 23 bytes",
            ),
            (
                // As a transfer leaves it that takes the file for text.
                png(b"\x89PNG\n\x1a\n\0\0\0\rIHDRxx", 1, 1),
                "image file: a PNG file is given whose header is damaged",
            ),
            (
                png(PNG_START, 0, 5),
                "image file: a PNG file of 0 x 5 pixels is given, 1 to 2147483647 fit",
            ),
            (
                png(PNG_START, 1, 1 << 31),
                "image file: a PNG file of 1 x 2147483648 pixels is given, 1 to 2147483647 fit",
            ),
            (
                b"GIF89a\x05\0\0\0\0\0\0".to_vec(),
                "image file: a GIF file of 5 x 0 pixels is given, 1 to 2147483647 fit",
            ),
            (
                b"\xff\xd8\xff\xe0\0\x04\0\0abcdefgh".to_vec(),
                "image file: a JPEG file is given whose header is damaged",
            ),
            (
                FILES[1].1[..30].to_vec(),
                "image file: a JPEG file is given that ends within its header, after 30 bytes",
            ),
        ] {
            assert_eq!(Image::encoded(file).unwrap_err().to_string(), want);
        }
    }
}
