//! A cube at three steps, a square and batches of it, clouds of points, and scenes.

use summary_writer::mesh::{Camera, Light, Material, Scene};
use summary_writer::{Mesh, SummaryWriter, Tag};

use crate::{Result, START};

/// The faces of a cube, counter-clockwise as seen from outside. The bits 0, 1 and 2 of a vertex number are its x, y and z.
const CUBE: [[u8; 3]; 12] = [
    [0, 2, 3],
    [0, 3, 1],
    [4, 5, 7],
    [4, 7, 6],
    [0, 1, 5],
    [0, 5, 4],
    [2, 6, 7],
    [2, 7, 3],
    [0, 4, 6],
    [0, 6, 2],
    [1, 3, 7],
    [1, 7, 5],
];
const SQUARE: [[u32; 3]; 2] = [[0, 1, 2], [0, 2, 3]];

pub(crate) fn write(run: &SummaryWriter) -> Result {
    let tag = Tag::new("shapes/cube").description("a *cube*");
    let aside = Scene::new().camera(Camera::new().position([3.0, 2.5, 3.5]))?;
    let bit = |i: u8, bit: u8| f32::from(i >> bit & 1);
    for step in 0..3u8 {
        let size = f32::from(step + 1);
        let corner = |i| [size * bit(i, 0), size * bit(i, 1), size * bit(i, 2)];
        let corners: [_; 8] = std::array::from_fn(|i| corner(u8::try_from(i).unwrap_or_default()));
        let colors =
            corners.map(|corner| corner.map(|side| if side > 0.0 { 255 - step } else { step }));
        let cube = Mesh::new(&corners)?
            .faces(&CUBE)?
            .colors(&colors)?
            .scene(&aside);
        run.at(START + f64::from(step)).mesh(&tag, cube, 10 * step);
    }

    let square = |z: f64| {
        Mesh::new(&[
            [-1.0, -1.0, z],
            [1.0, -1.0, z],
            [1.0, 1.0, z],
            [-1.0, 1.0, z],
        ])
    };
    let pair = Mesh::batch([square(0.0)?, square(0.5)?])?.faces(&SQUARE)?;
    run.at(START).mesh("shapes/pair", pair, -1);

    // The largest number of vertices that the page can index. The last ones are the square.
    let mut many = vec![[-1.0f32, -1.0, 0.0]; 65_531];
    many.extend([
        [-1.0, -1.0, 0.0],
        [1.0, -1.0, 0.0],
        [1.0, 1.0, 0.0],
        [-1.0, 1.0, 0.0],
    ]);
    let last = SQUARE.map(|face| face.map(|vertex| vertex + 65_531));
    run.at(START)
        .mesh("shapes/many", Mesh::new(&many)?.faces(&last)?, 0);

    // Seen from the right and from behind, so red is on the left.
    let scene = Scene::new()
        .camera(
            Camera::new()
                .position([0.0, 0.0, -3.0])
                .look_at([0.0, 0.0, 0.0])
                .fov(50.0),
        )?
        .lights([
            Light::ambient(0.5),
            Light::directional([0.0, 0.0, -1.0], 0.5).color([255, 255, 0]),
        ])?
        .material(Material::new().double_sided(true).color([255; 3]))?;
    let colors = [[0, 0, 255], [255, 0, 0], [255, 0, 0], [0, 0, 255]];
    let lit = square(0.0)?.faces(&SQUARE)?.colors(&colors)?.scene(&scene);
    run.scope("scenes").at(START).mesh("lit", lit, 0);
    let scene =
        Scene::from_json(r##"{"material": {"cls": "MeshBasicMaterial", "color": "#00ff00"}}"##)?;
    let json = square(0.0)?.faces(&SQUARE)?.scene(&scene);
    run.scope("scenes").at(START).mesh("json", json, 0);

    // Each step has more points. The last ones have colours.
    let spiral = |i: u16| {
        let angle = f32::from(i) / 16.0;
        [
            angle.cos() * f32::from(i) / 512.0,
            angle.sin() * f32::from(i) / 512.0,
            0.0,
        ]
    };
    for step in 1..3u16 {
        let points: Vec<_> = (0..256 * step).map(spiral).collect();
        run.at(START)
            .mesh("clouds/plain", Mesh::new(&points)?, step);
    }
    let points: Vec<_> = (0..512).map(spiral).collect();
    let colors: Vec<_> = (0..=255).flat_map(|i| [[255, 0, i]; 2]).collect();
    let scene = Scene::new().material(Material::new().point_size(0.05))?;
    let cloud = Mesh::new(&points)?.colors(&colors)?.scene(&scene);
    run.at(START).mesh("clouds/coloured", cloud, 0);
    Ok(())
}
