//! Files that are already encoded: PNG, JPEG and GIF.

use super::{Content, Image, MAX_SIDE};
use crate::error::{Error, Result};

/// From a PNG, JPEG or GIF file.
impl Image {
    /// Takes a PNG, JPEG or GIF file as it is. Animated files stay animated.
    ///
    /// Only the header is read, because the dashboard needs the sides of the image; a browser shows what it can of a file that
    /// is damaged after its header. A rotation that a camera has noted in the file does not change
    /// [`width`](Self::width) and [`height`](Self::height).
    ///
    /// ```
    /// use summary_writer::Image;
    ///
    /// let error = Image::encoded(b"BM, as a bitmap begins").unwrap_err();
    /// let problem = "expected a PNG, JPEG or GIF file with a complete header, got 22 bytes that start with \"BM, as a bit\"";
    /// assert_eq!(error.to_string(), format!("encoded image: {problem}"));
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the file is of another format, ends within its header, or has a side of 0.
    pub fn encoded(file: impl Into<Vec<u8>>) -> Result<Self> {
        let file = file.into();
        let (width, height) =
            sides(&file).map_err(|problem| Error::invalid("encoded image", problem))?;
        Ok(Self {
            width,
            height,
            content: Content::File(file),
            warning: None,
        })
    }
}

fn sides(file: &[u8]) -> Result<(u32, u32), String> {
    let Ok(size) = imagesize::blob_size(file) else {
        let start = file.get(..12).unwrap_or(file).escape_ascii();
        return Err(format!(
            "expected a PNG, JPEG or GIF file with a complete header, got {} bytes that start with \"{start}\"",
            file.len()
        ));
    };
    match (u32::try_from(size.width), u32::try_from(size.height)) {
        (Ok(width @ 1..=MAX_SIDE), Ok(height @ 1..=MAX_SIDE)) => Ok((width, height)),
        _ => Err(format!(
            "expected sides of 1 to {MAX_SIDE} pixels, got {} x {}",
            size.width, size.height
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of 31 x 17 pixels (tests/data/images/README.md says who made them), and the length of their headers.
    const FILES: [(&[u8], usize); 4] = [
        // The signature, the length and name of a chunk, and the two sides.
        (include_bytes!("../../../tests/data/images/rgba.png"), 24),
        // A hex dump shows that the segments of the frames start at bytes 280 and 158; the sides end 9 bytes later.
        (
            include_bytes!("../../../tests/data/images/rgb.jpg"),
            280 + 9,
        ),
        (
            include_bytes!("../../../tests/data/images/progressive.jpg"),
            158 + 9,
        ),
        // The signature and the two sides are 10 bytes; `imagesize` reads at least 12.
        (
            include_bytes!("../../../tests/data/images/three_frames.gif"),
            12,
        ),
    ];
    const SIDES: (u32, u32) = (31, 17);

    #[test]
    fn files_of_other_programs_are_kept_as_they_are() {
        for (file, _) in FILES {
            let image = Image::encoded(file).unwrap();
            assert_eq!((image.width(), image.height()), SIDES);
            assert_eq!(image.bytes(), file.len());
            assert!(image.encode().unwrap() == file);
        }
    }

    #[test]
    fn a_file_needs_a_complete_header() {
        for (file, header_len) in FILES {
            for len in 0..=file.len() {
                match Image::encoded(&file[..len]) {
                    Ok(image) => {
                        assert!(len >= header_len, "{len} bytes");
                        assert_eq!((image.width(), image.height()), SIDES, "{len} bytes");
                    }
                    Err(_) => assert!(len < header_len, "{len} bytes"),
                }
            }
        }
    }

    #[test]
    fn damaged_files_never_panic() {
        let mut random = fastrand::Rng::with_seed(1);
        for (file, header_len) in FILES {
            for bit in 0..8 * file.len() {
                let mut damaged = file.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                match Image::encoded(damaged) {
                    Ok(image) => {
                        let sides = (image.width(), image.height());
                        assert!(sides == SIDES || bit / 8 < header_len, "bit {bit}");
                    }
                    Err(_) => assert!(bit / 8 < header_len, "bit {bit}"),
                }
            }
            for _ in 0..20_000 {
                let kept = random.usize(..=header_len);
                let noise =
                    (0..random.usize(..64)).map(|_| [random.u8(..), 0xff][random.usize(..2)]);
                let damaged: Vec<u8> = file[..kept].iter().copied().chain(noise).collect();
                if let Ok(image) = Image::encoded(damaged) {
                    assert!(image.width() > 0 && image.height() > 0);
                }
            }
        }
    }

    #[test]
    fn other_files_are_rejected() {
        let no_image = |got: &str| {
            format!("expected a PNG, JPEG or GIF file with a complete header, got {got}")
        };
        let sides = |got: &str| format!("expected sides of 1 to 2147483647 pixels, got {got}");
        let png = |sides: &[u8; 8]| [&b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], sides].concat();
        for (file, problem) in [
            (vec![], no_image("0 bytes that start with \"\"")),
            (
                b"RIFF\x24\0\0\0WEBPVP8 ".to_vec(),
                no_image("16 bytes that start with \"RIFF$\\x00\\x00\\x00WEBP\""),
            ),
            (
                b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01".to_vec(),
                no_image(
                    "12 bytes that start with \"\\xff\\xd8\\xff\\xe0\\x00\\x10JFIF\\x00\\x01\"",
                ),
            ),
            (b"GIF87a\0\0\x02\x01\0\0".to_vec(), sides("0 x 258")),
            (png(b"\0\0\0\x01\0\0\0\0"), sides("1 x 0")),
            (png(b"\x80\0\0\0\0\0\0\x01"), sides("2147483648 x 1")),
        ] {
            let error = Image::encoded(file).unwrap_err();
            assert_eq!(error.to_string(), format!("encoded image: {problem}"));
        }
    }
}
