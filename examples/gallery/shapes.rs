//! Mesh page: a torus with a growing tube, a batch of two meshes, and a cloud of points.

use std::f32::consts::TAU;

use summary_writer::mesh::{Camera, Material, Scene};
use summary_writer::{Mesh, SummaryWriter};

use crate::Result;
use crate::pictures::rainbow;

pub(crate) fn log(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    if !step.is_multiple_of(2) {
        return Ok(()); // One of TensorBoard's loaders keeps only ten steps of each mesh.
    }
    let thickness = 0.2 + 0.3 * progress;
    summary.mesh("torus", torus(48, 24, thickness)?, step);

    let coarse = [0.1, 0.6].map(|thickness| torus(12, 6, thickness + 0.3 * progress));
    let coarse = coarse.into_iter().collect::<Result<Vec<_>>>()?;
    summary.mesh("two of a batch", Mesh::batch(coarse)?, step);

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

/// Returns a torus with `around` quads around the ring and `tube` quads around the tube.
fn torus(around: u32, tube: u32, thickness: f32) -> Result<Mesh> {
    let (mut vertices, mut faces, mut colors) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..around {
        for j in 0..tube {
            let part = i as f32 / around as f32;
            let (ring, turn) = (TAU * part, TAU * j as f32 / tube as f32);
            let radius = 1.0 + thickness * turn.cos();
            vertices.push([
                radius * ring.cos(),
                radius * ring.sin(),
                thickness * turn.sin(),
            ]);
            colors.push(rainbow(part));
            let corner = |i: u32, j: u32| (i % around) * tube + j % tube;
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
        .position([0.0, -1.4, 1.8])
        .look_at([0.0, -0.15, -0.3]);
    let scene = Scene::new()
        .camera(camera)?
        .material(Material::new().color([255; 3]))?;
    Ok(Mesh::new(&vertices)?
        .faces(&faces)?
        .colors(&colors)?
        .scene(&scene))
}
