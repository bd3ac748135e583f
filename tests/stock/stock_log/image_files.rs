//! Encoded image files, and animations with few and with many colours.

use summary_writer::{Image, SummaryWriter};

use crate::{Result, START};

pub(crate) fn write(run: &SummaryWriter) -> Result {
    let run = &run.at(START);
    let files: [(&str, &[u8]); 4] = [
        ("rgba.png", include_bytes!("../../data/images/rgba.png")),
        ("rgb.jpg", include_bytes!("../../data/images/rgb.jpg")),
        (
            "progressive.jpg",
            include_bytes!("../../data/images/progressive.jpg"),
        ),
        (
            "three_frames.gif",
            include_bytes!("../../data/images/three_frames.gif"),
        ),
    ];
    for (name, file) in files {
        run.image(format!("encoded/{name}"), Image::encoded(file)?, 0);
    }

    // Two colours: a column that moves to the right.
    let frames = (0..6_u8).map(|n| {
        let pixels = (0..4)
            .flat_map(|_| (0..7).map(move |x| if x == n { [200, 100, 0] } else { [0, 0, n] }));
        Image::rgb8(7, 4, pixels.flatten().collect::<Vec<u8>>())
    });
    let frames = frames.collect::<std::result::Result<Vec<_>, _>>()?;
    run.image("animated/few", Image::animation(frames, 30.0)?, 0);

    // The frames alternate which pixels are transparent. Browsers slow down this frame rate.
    let frames = (0..3_u8).map(|n| {
        let opacity = |i: u8| if i % 2 == n % 2 { 255 } else { 0 };
        let pixels = (0..15).flat_map(|i| [200, 100, 50, opacity(i)]);
        Image::rgba8(5, 3, pixels.collect::<Vec<u8>>())
    });
    let frames = frames.collect::<std::result::Result<Vec<_>, _>>()?;
    run.image("animated/holes", Image::animation(frames, 60)?, 0);

    // Each pixel has a different colour.
    let frames = (0..2_u8).map(|n| {
        let pixels = (0..64_u8).flat_map(|y| (0..64_u8).map(move |x| [4 * x, 4 * y, 100 * n]));
        Image::rgb8(64, 64, pixels.flatten().collect::<Vec<u8>>())
    });
    let frames = frames.collect::<std::result::Result<Vec<_>, _>>()?;
    run.image("animated/many", Image::animation(frames, 2.0)?, 0);
    Ok(())
}
