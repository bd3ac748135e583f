//! Files of PNG, JPEG and GIF: what they are and their sides, from their first bytes.

use super::{Content, Image, MAX_SIDE};
use crate::error::{Error, Result};

/// The signature, and the length and name of the chunk that comes first.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
/// The start of an image, and the first byte of the marker behind it.
const JPEG: &[u8] = b"\xff\xd8\xff";
const GIFS: [&[u8]; 2] = [b"GIF87a", b"GIF89a"];

/// Formats that people have at hand and that do not fit: where bytes of theirs stand, these, and the name.
const OTHERS: &[(usize, &[u8], &str)] = &[
    (0, b"BM", "BMP"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyphei", "HEIF"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"JXL ", "JPEG XL"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML"),
];

impl Image {
    /// A PNG, JPEG or GIF file, also one that moves. It is written as it is.
    ///
    /// Its first bytes are looked at, up to its sides, and no pixel: of a file that is cut or damaged behind them a browser
    /// shows what it can. The sides are those of its header, before any turn that a camera has noted in it.
    ///
    /// ```
    /// use summary_writer::Image;
    ///
    /// let problem = Image::encoded(b"BM, as a bitmap begins").unwrap_err();
    /// assert_eq!(problem.to_string(), "encoded image: 22 bytes of BMP are given, PNG, JPEG or GIF fits");
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if it begins as none of the three, ends before its sides are told, or has a side of 0.
    pub fn encoded(file: impl Into<Vec<u8>>) -> Result<Self> {
        let file = file.into();
        let (width, height) =
            sides(&file).map_err(|problem| Error::invalid("encoded image", problem))?;
        Ok(Self {
            width,
            height,
            content: Content::File(file),
        })
    }
}

/// Width and height, or why there are none.
fn sides(file: &[u8]) -> Result<(u32, u32), String> {
    let (format, sides) = if let Some(header) = file.strip_prefix(PNG) {
        ("PNG", png_sides(header))
    } else if file.starts_with(JPEG) {
        ("JPEG", jpeg_sides(file)?)
    } else if let Some(header) = GIFS.iter().find_map(|gif| file.strip_prefix(*gif)) {
        ("GIF", gif_sides(header))
    } else {
        return Err(foreign(file));
    };
    let Some((width, height)) = sides else {
        let given = file.len();
        return Err(format!(
            "{given} bytes of {format} are given that end before its sides are told"
        ));
    };
    if [width, height]
        .iter()
        .all(|side| (1..=MAX_SIDE).contains(side))
    {
        Ok((width, height))
    } else {
        Err(format!(
            "a {format} of {width} x {height} pixels is given, sides of 1 to {MAX_SIDE} fit"
        ))
    }
}

fn png_sides(header: &[u8]) -> Option<(u32, u32)> {
    let (width, rest) = header.split_first_chunk()?;
    let height = rest.first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

fn gif_sides(header: &[u8]) -> Option<(u32, u32)> {
    let (width, rest) = header.split_first_chunk()?;
    let height = rest.first_chunk()?;
    Some((
        u16::from_le_bytes(*width).into(),
        u16::from_le_bytes(*height).into(),
    ))
}

/// Looks for the segment that starts a frame. Segments are a marker, their length, which counts itself, and content.
fn jpeg_sides(file: &[u8]) -> Result<Option<(u32, u32)>, String> {
    let mut rest = file.get(2..).unwrap_or_default();
    loop {
        let at = file.len() - rest.len();
        let marker = match rest {
            // Any number of them may stand before a marker's last byte.
            [0xff, 0xff, ..] => {
                rest = &rest[1..];
                continue;
            }
            [0xff, marker, after @ ..] => {
                rest = after;
                *marker
            }
            [] | [0xff] => return Ok(None),
            [other, ..] => {
                return Err(format!(
                    "a JPEG is given that has {other:#04x} at byte {at}, where a marker begins with 0xff"
                ));
            }
        };
        match marker {
            0x01 | 0xd0..=0xd7 => continue, // They have no content.
            0xd8..=0xda => {
                return Err(format!(
                    "a JPEG is given that has marker {marker:#04x} at byte {at}, before its sides are told"
                ));
            }
            _ => {}
        }
        let Some((len, content)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        // Huffman tables, an extension and arithmetic conditioning have numbers amid those of the frames.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Ok(frame_sides(content));
        }
        rest = rest
            .get(u16::from_be_bytes(*len).max(2).into()..)
            .unwrap_or_default();
    }
}

/// Behind a byte for the precision; the height comes first.
fn frame_sides(content: &[u8]) -> Option<(u32, u32)> {
    let [_, h0, h1, w0, w1] = *content.first_chunk()?;
    let side = |bytes| u16::from_be_bytes(bytes).into();
    Some((side([w0, w1]), side([h0, h1])))
}

fn foreign(file: &[u8]) -> String {
    let given = file.len();
    let begins = |(at, bytes, _): &&(usize, &[u8], _)| {
        file.get(*at..).is_some_and(|file| file.starts_with(bytes))
    };
    if let Some((_, _, name)) = OTHERS.iter().find(begins) {
        return format!("{given} bytes of {name} are given, PNG, JPEG or GIF fits");
    }
    let first = file.get(..8).unwrap_or(file).escape_ascii();
    format!("{given} bytes are given that begin with \"{first}\", PNG, JPEG or GIF fits")
}

#[cfg(test)]
mod tests;
