use super::*;

/// Of 31 x 17 pixels, and how many of their bytes it takes to tell that. Who made them: tests/images/README.md.
const FILES: [(&[u8], usize); 4] = [
    // Signature, length and name of a chunk and two sides.
    (include_bytes!("../../../../tests/images/rgba.png"), 24),
    // The segments of their frames start at bytes 280 and 158, as a hex dump shows; the sides are behind 5 bytes of them.
    (include_bytes!("../../../../tests/images/rgb.jpg"), 280 + 9),
    (
        include_bytes!("../../../../tests/images/progressive.jpg"),
        158 + 9,
    ),
    (
        include_bytes!("../../../../tests/images/three_frames.gif"),
        10,
    ),
];
const SIDES: (u32, u32) = (31, 17);

#[test]
fn files_of_another_program_are_taken_as_they_are() {
    for (file, _) in FILES {
        let image = Image::encoded(file).unwrap();
        assert_eq!((image.width(), image.height()), SIDES);
        assert_eq!(image.bytes(), file.len());
        assert!(image.encode().unwrap() == file);
    }
}

#[test]
fn a_file_that_is_cut_is_refused_until_its_sides_are_told() {
    for (file, end) in FILES {
        for len in 0..=file.len() {
            let got = Image::encoded(&file[..len]).map(|image| (image.width(), image.height()));
            match got {
                Ok(got) => assert!(len >= end && got == SIDES, "{len} bytes: {got:?}"),
                Err(_) => assert!(len < end, "{len} bytes"),
            }
        }
    }
}

#[test]
fn a_damaged_file_is_an_image_or_an_error() {
    let mut random = fastrand::Rng::with_seed(1);
    for (file, end) in FILES {
        for bit in 0..8 * file.len() {
            let mut damaged = file.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match Image::encoded(damaged) {
                Ok(image) => {
                    let got = (image.width(), image.height());
                    assert!(got == SIDES || bit / 8 < end, "bit {bit}: {got:?}");
                }
                Err(_) => assert!(bit / 8 < end, "bit {bit}"),
            }
        }
        for _ in 0..20_000 {
            let kept = random.usize(..=end);
            let noise = (0..random.usize(..64)).map(|_| [random.u8(..), 0xff][random.usize(..2)]);
            let damaged: Vec<u8> = file[..kept].iter().copied().chain(noise).collect();
            if let Ok(image) = Image::encoded(damaged) {
                assert!(image.width() > 0 && image.height() > 0);
            }
        }
    }
}

#[test]
fn a_jpeg_may_fill_up_before_a_marker() {
    // An empty segment, 0xff three times instead of once, and the frame: 8 bits, 0x0102 high, 0x0304 wide.
    let file = b"\xff\xd8\xff\xe1\0\x02\xff\xff\xff\xc0\0\x0b\x08\x01\x02\x03\x04\x01";
    let image = Image::encoded(file).unwrap();
    assert_eq!((image.width(), image.height()), (0x0304, 0x0102));
}

#[test]
fn what_is_no_image_is_refused_with_what_it_is() {
    let png = |sides: &[u8]| [PNG, sides].concat();
    for (file, want) in [
        (
            vec![],
            "0 bytes are given that begin with \"\", PNG, JPEG or GIF fits",
        ),
        (
            b"no \"image\"\n".to_vec(),
            "11 bytes are given that begin with \"no \\\"imag\", PNG, JPEG or GIF fits",
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\x04CgBI".to_vec(),
            "16 bytes are given that begin with \"\\x89PNG\\r\\n\\x1a\\n\", PNG, JPEG or GIF fits",
        ),
        (
            b"BM\0\0".to_vec(),
            "4 bytes of BMP are given, PNG, JPEG or GIF fits",
        ),
        (
            b"RIFF\x24\0\0\0WEBPVP8 ".to_vec(),
            "16 bytes of WebP are given, PNG, JPEG or GIF fits",
        ),
        (
            b"\0\0\0\x1cftypavif".to_vec(),
            "12 bytes of AVIF are given, PNG, JPEG or GIF fits",
        ),
        (
            b"GIF89a\x01\0\x01".to_vec(),
            "9 bytes of GIF are given that end before its sides are told",
        ),
        (
            b"GIF87a\0\0\x02\x01".to_vec(),
            "a GIF of 0 x 258 pixels is given, sides of 1 to 2147483647 fit",
        ),
        (
            png(b"\0\0\0\x01\0\0\0\0"),
            "a PNG of 1 x 0 pixels is given, sides of 1 to 2147483647 fit",
        ),
        (
            png(b"\x80\0\0\0\0\0\0\x01"),
            "a PNG of 2147483648 x 1 pixels is given, sides of 1 to 2147483647 fit",
        ),
        (
            b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(),
            "10 bytes of JPEG are given that end before its sides are told",
        ),
        (
            b"\xff\xd8\xff\xe0\0\x03?!".to_vec(),
            "a JPEG is given that has 0x21 at byte 7, where a marker begins with 0xff",
        ),
        (
            b"\xff\xd8\xff\xd0\xff\xd9".to_vec(),
            "a JPEG is given that has marker 0xd9 at byte 4, before its sides are told",
        ),
        (
            b"\xff\xd8\xff\xc4\0\x02\xff\xc1\0\x0b\x08\0\0\0\x09\x01".to_vec(),
            "a JPEG of 9 x 0 pixels is given, sides of 1 to 2147483647 fit",
        ),
    ] {
        let error = Image::encoded(file).unwrap_err().to_string();
        assert_eq!(error, format!("encoded image: {want}"));
    }
}
