//! Embeddings at several steps, with labels, columns and thumbnails, with unusual tags and unusual shapes.

use std::fs;
use std::path::Path;

use summary_writer::{Embedding, Image, SummaryWriter};

use crate::{Result, START};

const POINTS: u16 = 60;
const DIMENSIONS: u16 = 5;

pub(crate) fn write(logdir: &Path, run: &SummaryWriter) -> Result {
    run.at(START).scalar("loss", 1.0, 0);

    // Files of another writer, which must stay.
    let dir = logdir.join("embeddings");
    fs::write(dir.join("theirs.tsv"), "1\t2\t3\n4\t5\t6\n7\t8\t9\n")?;
    fs::write(
        dir.join("projector_config.pbtxt"),
        "# Not ours.\nembeddings: < tensor_name: 'theirs' tensor_path: 'theirs.tsv' >",
    )?;

    // The second embedding of a tag and a step replaces the first.
    let rows: Vec<[f64; 5]> = (0..POINTS).map(|i| row(i, 0)).collect();
    run.embedding(Embedding::from_rows("plain", &rows)?.labels(0..POINTS)?, 0)?;
    for step in 0..3 {
        let rows: Vec<[f64; 5]> = (0..POINTS).map(|i| row(i, 7 * step)).collect();
        run.embedding(Embedding::from_rows("plain", &rows)?, step)?;
    }

    let numbers = [
        0.1,
        -0.0,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        f32::MAX,
        f32::MIN,
        16_777_217.0,
        1.0 / 3.0,
        1e-5,
    ];
    let odd = Embedding::new("numbers", &numbers, 3)?;
    run.embedding(odd.labels(["Größe", "損失 <b>", "\"a'\\"])?, 0)?;

    let vectors: Vec<f32> = (0..POINTS * DIMENSIONS).map(|i| draw(i).into()).collect();
    let pictured = Embedding::new("pictures", &vectors, usize::from(DIMENSIONS))?;
    let cells = (0..POINTS).map(|i| {
        let split = if i % 7 == 0 { "" } else { "train" };
        [format!("point {i}"), split.into(), (i % 10).to_string()]
    });
    let pictured = pictured.columns(["name", "split", "class"], cells)?;
    let pictured = pictured.thumbnails(
        (0..POINTS)
            .map(thumbnail)
            .collect::<std::result::Result<Vec<_>, _>>()?,
    )?;
    run.scope("scope").embedding(pictured, 12_345)?;

    let gray = (0..3_u8).map(|i| Image::gray8(2, 3, [i, 10, 20, 30, 40, 50 + i]));
    let gray: Vec<Image> = gray.collect::<std::result::Result<_, _>>()?;
    let opaque = Embedding::new("opaque", &[0.0, 1.0, 2.0], 1)?;
    run.embedding(opaque.thumbnails(&gray)?, 0)?;

    // Six points in different colours. They hide each other only when seen from a few sides.
    let corners = [
        [3_i8, 0, 0],
        [-3, 0, 0],
        [0, 2, 0],
        [0, -2, 0],
        [0, 0, 1],
        [0, 0, -1],
    ];
    let plain = COLORS.map(|color| Image::rgb8(8, 8, color.repeat(64)));
    let plain: Vec<Image> = plain.into_iter().collect::<std::result::Result<_, _>>()?;
    let corners = corners.map(|corner| corner.map(f32::from));
    let octahedron = Embedding::from_rows("octahedron", corners)?;
    run.embedding(octahedron.thumbnails(&plain)?, 0)?;

    for (i, tag) in (0_u8..).zip(ODD_TAGS) {
        let number = f32::from(i);
        let points = Embedding::from_rows(*tag, [[number, 1.0], [2.0, number]])?;
        run.embedding(
            points.labels([format!("first of {i}"), "second".into()])?,
            -1,
        )?;
    }
    Ok(())
}

const COLORS: [[u8; 3]; 6] = [
    [255, 0, 0],
    [0, 160, 0],
    [0, 0, 255],
    [255, 128, 0],
    [128, 0, 255],
    [0, 160, 160],
];

const ODD_TAGS: &[&str] = &[
    "a/b",
    "a_b",
    "A_b",
    "../../up",
    "",
    " ",
    "Größe/Δ損失",
    "name:0",
    "C:\\x",
    "nul\0byte",
    "\"double\" and 'single'",
    "?a=b&c#d%20%+e",
    "tab\tand\r\nnewline",
    "x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x1",
    "x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x2",
];

fn draw(i: u16) -> u16 {
    i.wrapping_mul(5003) % 1000
}

fn row(i: u16, shift: u16) -> [f64; 5] {
    [0, 1, 2, 3, 4].map(|k| f64::from(draw(i * DIMENSIONS + k + shift)) / 1000.0)
}

/// Returns a square thumbnail: the upper half in the colour of the point, the lower half black. The pixel layouts differ.
fn thumbnail(i: u16) -> summary_writer::Result<Image> {
    let (width, height) = (6, 4);
    let [gray, red] = [i * 4, 255 - i * 4];
    let pixels = |pixel: &[u16]| -> Vec<u16> {
        (0..24_u16)
            .flat_map(|n| {
                pixel
                    .iter()
                    .map(move |sample| if n < 12 { *sample } else { 0 })
            })
            .collect()
    };
    let bytes = |pixel: &[u16]| -> Vec<u8> {
        pixels(pixel)
            .iter()
            .map(|sample| sample.to_le_bytes()[0])
            .collect()
    };
    match i % 4 {
        0 => Image::rgb8(width, height, bytes(&[red, gray, 0])),
        1 => Image::rgba8(width, height, bytes(&[0, red, gray, 128])),
        2 => Image::gray16(width, height, pixels(&[gray * 257])),
        _ => Image::gray_alpha8(width, height, bytes(&[red, 255])),
    }
}
