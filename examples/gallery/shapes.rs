//! Mesh: a torus whose tube grows, and a cloud of points.

use std::f32::consts::TAU;

use summary_writer::{Camera, Material, Mesh, Scene, SummaryWriter};

use crate::Result;
use crate::pictures::rainbow;

/// Of quads around the ring, and around the tube.
const AROUND: u32 = 48;
const TUBE: u32 = 24;

pub(crate) fn log(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    let thickness = 0.2 + 0.3 * progress;
    let (mut vertices, mut faces, mut colors) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..AROUND {
        for j in 0..TUBE {
            let (ring, tube) = (TAU * i as f32 / AROUND as f32, TAU * j as f32 / TUBE as f32);
            let radius = 1.0 + thickness * tube.cos();
            vertices.push([
                radius * ring.cos(),
                radius * ring.sin(),
                thickness * tube.sin(),
            ]);
            colors.push(rainbow(i as f32 / AROUND as f32));
            let corner = |i: u32, j: u32| (i % AROUND) * TUBE + j % TUBE;
            let (a, b, c, d) = (
                corner(i, j),
                corner(i + 1, j),
                corner(i + 1, j + 1),
                corner(i, j + 1),
            );
            faces.extend([[a, b, c], [a, c, d]]);
        }
    }
    let camera = Camera::new()
        .position([0.0, -2.5, 2.0])
        .look_at([0.0, 0.0, 0.0]);
    let scene = Scene::new()
        .camera(camera)?
        .material(Material::new().color([255; 3]))?;
    let torus = Mesh::new(&vertices)?
        .faces(&faces)?
        .colors(&colors)?
        .scene(&scene);
    summary.mesh("torus", torus, step);

    let turns = 2.0 + 4.0 * progress;
    let spiral = |i: u16| {
        let along = f32::from(i) / 600.0;
        let angle = TAU * turns * along;
        (
            [along * angle.cos(), along * angle.sin(), 0.3 * along],
            rainbow(along),
        )
    };
    let (points, colors): (Vec<_>, Vec<_>) = (0..600).map(spiral).unzip();
    let scene = Scene::new().material(Material::new().point_size(0.02))?;
    summary.mesh(
        "spiral",
        Mesh::new(&points)?.colors(&colors)?.scene(&scene),
        step,
    );
    Ok(())
}
