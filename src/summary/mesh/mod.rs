//! Meshes: vertices, faces and colours, each of which is a value with a tag of its own.

mod scene;

#[cfg(test)]
mod tests;

use std::fmt::Display;

use prost::Message;

pub use scene::{Camera, Light, Material, Scene};

use super::{Scalar, Tag, shortest_f64, tensor_value};
use crate::error::{Error, Result};
use crate::proto::mesh::MeshPluginData;
use crate::proto::mesh::mesh_plugin_data::ContentType;
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataClass, DataType, TensorProto, TensorShapeProto};

/// TensorBoard keeps a hundred steps of a tag, and serves them in one message of at most 256 MiB.
const MAX_SERVED_BYTES: usize = 5 << 19;
/// The page stores the indices of faces in 16 bits. The largest one is not an index in WebGL.
const MAX_DRAWN_INDEX: i32 = 0xfffe;

/// Triangles or points in space, or a batch of several meshes of equal size.
///
/// All steps of a tag should have the same parts, the same [`Scene`] and the same batch size, because TensorBoard takes
/// these from the first step in the run. The number of vertices and faces may change. A tag that changes the others is
/// reported, and [`Stats::changed_mesh_count`](crate::Stats::changed_mesh_count) counts it.
///
/// Stock TensorBoard draws only faces of the first 65,535 vertices, and serves only steps of at most 2.5 MiB, which is
/// 218,453 vertices or faces. A larger mesh is still written. The first one is reported, and
/// [`Stats::oversized_mesh_count`](crate::Stats::oversized_mesh_count) counts them.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Mesh {
    /// The number of meshes.
    batch: i32,
    vertices: Part,
    faces: Option<Part>,
    colors: Option<Part>,
    /// The largest index in `faces`.
    last_index: i32,
    scene: String,
}

/// The form that TensorBoard takes from the first step of a tag: whether there are faces and colours, the batch size, the scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MeshForm(bool, bool, i32, String);

/// Rows of three numbers. Each mesh of the batch has the same number of rows.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    rows: i32,
    content: Vec<u8>,
}

impl Mesh {
    /// Creates a cloud of points from their x, y and z, which are written as `f32`. The centre should be near z = 0,
    /// because the page's camera moves away from there by the size of the cloud.
    ///
    /// ```
    /// use summary_writer::Mesh;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    /// let colors = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]];
    /// summary.mesh("corners", Mesh::new(&corners)?.colors(&colors)?, 0);
    ///
    /// // A flat slice of numbers.
    /// let flat = [0.5f32; 30];
    /// summary.mesh("cloud", Mesh::new(flat.as_chunks().0)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no vertices, or if a number is not finite as an `f32`.
    pub fn new(vertices: &[[impl Scalar; 3]]) -> Result<Self> {
        let rows = count("vertices", vertices.len())?;
        let mut content = Vec::with_capacity(size_of_val(vertices));
        for (i, vertex) in vertices.iter().enumerate() {
            let vertex = vertex.map(Scalar::to_f32);
            if !vertex.iter().all(|number| number.is_finite()) {
                let problem = format!("expected finite coordinates, got {vertex:?} at index {i}");
                return Err(Error::invalid("vertices", problem));
            }
            content.extend(vertex.map(f32::to_le_bytes).as_flattened());
        }
        Ok(Self {
            batch: 1,
            vertices: Part { rows, content },
            faces: None,
            colors: None,
            last_index: 0,
            scene: Scene::new().to_json(),
        })
    }

    /// Combines several meshes into one, which the page shows next to each other. They must have the same numbers of
    /// vertices, faces and colours. The scene is that of the first.
    ///
    /// ```
    /// use summary_writer::Mesh;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// // The numbers of a tensor of shape [2, 5, 3].
    /// let numbers = [0.5f32; 2 * 5 * 3];
    /// let clouds = numbers.chunks(5 * 3).map(|cloud| Mesh::new(cloud.as_chunks().0));
    /// let clouds: Vec<Mesh> = clouds.collect::<Result<_, _>>()?;
    /// summary.mesh("clouds", Mesh::batch(clouds)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no `meshes`, or if the sizes of one differ from those of the first.
    pub fn batch(meshes: impl IntoIterator<Item = Mesh>) -> Result<Self> {
        let mut meshes = meshes.into_iter();
        let Some(mut all) = meshes.next() else {
            return Err(empty("meshes"));
        };
        for (i, mesh) in (1..).zip(meshes) {
            Part::join(i, "vertices", Some(&mut all.vertices), Some(mesh.vertices))?;
            Part::join(i, "faces", all.faces.as_mut(), mesh.faces)?;
            Part::join(i, "colors", all.colors.as_mut(), mesh.colors)?;
            all.last_index = all.last_index.max(mesh.last_index);
            let batch = all.batch.checked_add(mesh.batch);
            all.batch = batch.ok_or_else(|| too_many("meshes"))?;
        }
        Ok(all)
    }

    /// Adds triangles. Each has the indices of its three vertices, counter-clockwise when seen from the outside. All meshes
    /// of a batch get the same faces.
    ///
    /// ```
    /// use summary_writer::Mesh;
    ///
    /// let square = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]];
    /// let square = Mesh::new(&square)?.faces(&[[0, 1, 2], [0, 2, 3]])?;
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no faces, or if an index is not less than the number of vertices.
    pub fn faces<I>(mut self, faces: &[[I; 3]]) -> Result<Self>
    where
        I: Copy + Display + TryInto<i32>,
    {
        let rows = count("faces", faces.len())?;
        let vertices = self.vertices.rows;
        self.last_index = 0;
        let mut content = Vec::with_capacity(size_of_val(faces));
        for (i, face) in faces.iter().enumerate() {
            for vertex in face {
                let index = (*vertex).try_into().ok();
                let Some(index) = index.filter(|index| (0..vertices).contains(index)) else {
                    let problem = format!(
                        "expected indices below {vertices}, the number of vertices, got {vertex} in the face at index {i}"
                    );
                    return Err(Error::invalid("faces", problem));
                };
                self.last_index = self.last_index.max(index);
                content.extend(index.to_le_bytes());
            }
        }
        self.faces = Some(Part::repeated("faces", rows, &content, self.batch)?);
        Ok(self)
    }

    /// Sets red, green and blue of each vertex. All meshes of a batch get the same colours.
    ///
    /// On faces, they are lit, and darkened by the grey of the default material. [`Material::unlit`] shows them unchanged.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the number of colours is not the number of vertices.
    pub fn colors(mut self, colors: &[[u8; 3]]) -> Result<Self> {
        let rows = self.vertices.rows;
        if i32::try_from(colors.len()) != Ok(rows) {
            let problem = format!("expected {rows}, one per vertex, got {}", colors.len());
            return Err(Error::invalid("colors", problem));
        }
        let content = colors.as_flattened();
        self.colors = Some(Part::repeated("colors", rows, content, self.batch)?);
        Ok(self)
    }

    /// Sets camera, lights and material. Default: those of the page.
    pub fn scene(mut self, scene: &Scene) -> Self {
        self.scene = scene.to_json();
        self
    }

    pub(crate) fn form(&self) -> MeshForm {
        let (has_faces, has_colors) = (self.faces.is_some(), self.colors.is_some());
        MeshForm(has_faces, has_colors, self.batch, self.scene.clone())
    }

    /// True if stock TensorBoard may fail to serve the mesh, or draws other faces.
    pub(crate) fn is_oversized(&self) -> bool {
        // A colour has 3 bytes, a vertex 12: colours are never the larger part.
        let faces_len = self.faces.as_ref().map_or(0, |faces| faces.content.len());
        self.last_index > MAX_DRAWN_INDEX
            || self.vertices.content.len().max(faces_len) > MAX_SERVED_BYTES
    }
}

impl Part {
    /// Repeats the rows of one mesh for each mesh of the batch.
    fn repeated(what: &'static str, rows: i32, content: &[u8], batch: i32) -> Result<Self> {
        let batch = usize::try_from(batch).ok();
        let batch = batch.filter(|batch| content.len().checked_mul(*batch).is_some());
        let content = content.repeat(batch.ok_or_else(|| too_many(what))?);
        Ok(Self { rows, content })
    }

    /// Appends a part of the mesh at index `i` to those of the meshes before it.
    fn join(i: usize, what: &str, all: Option<&mut Self>, part: Option<Self>) -> Result<()> {
        let rows = |part: Option<&Self>| part.map_or(0, |part| part.rows);
        let (wanted, given) = (rows(all.as_deref()), rows(part.as_ref()));
        if given != wanted {
            let problem = format!(
                "expected {wanted} {what}, as many as the first mesh, got {given} at index {i}"
            );
            return Err(Error::invalid("meshes", problem));
        }
        if let (Some(all), Some(part)) = (all, part) {
            all.content.extend(part.content);
        }
        Ok(())
    }
}

fn count(what: &'static str, given: usize) -> Result<i32> {
    match i32::try_from(given) {
        Ok(0) => Err(empty(what)),
        Ok(count) => Ok(count),
        Err(_) => Err(too_many(what)),
    }
}

fn empty(what: &'static str) -> Error {
    Error::invalid(what, "expected at least 1, got none")
}

fn too_many(what: &'static str) -> Error {
    let problem = format!("expected at most {} elements, got more", i32::MAX);
    Error::invalid(what, problem)
}

pub(crate) fn mesh(prefix: &str, tag: &Tag<'_>, mesh: Mesh) -> Vec<Value> {
    let parts = [
        (ContentType::Vertex, DataType::DtFloat, Some(mesh.vertices)),
        (ContentType::Face, DataType::DtInt32, mesh.faces),
        (ContentType::Color, DataType::DtUint8, mesh.colors),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(content_type, data_type, part)| Some((content_type, data_type, part?)));
    let parts: Vec<_> = parts.collect();
    let bits = parts
        .iter()
        .map(|(content_type, ..)| 1 << i32::from(*content_type));
    let content = MeshPluginData {
        name: [prefix, &tag.name].concat(),
        json_config: mesh.scene,
        components: bits.sum(),
        ..Default::default()
    };
    let values = parts.into_iter().map(|(content_type, data_type, part)| {
        let shape = [mesh.batch, part.rows, 3];
        let tag = Tag {
            name: [&tag.name, "_", content_type.as_str_name()].concat().into(),
            ..tag.clone()
        };
        let content = MeshPluginData {
            content_type: content_type.into(),
            shape: shape.into(),
            ..content.clone()
        };
        let plugin_data = PluginData {
            plugin_name: "mesh".into(),
            content: content.encode_to_vec(),
        };
        let dim = shape.map(|size| Dim {
            size: size.into(),
            ..Default::default()
        });
        let tensor = TensorProto {
            dtype: data_type.into(),
            tensor_shape: Some(TensorShapeProto {
                dim: dim.into(),
                unknown_rank: false,
            }),
            tensor_content: part.content.into(),
            ..Default::default()
        };
        tensor_value(prefix, &tag, plugin_data, DataClass::Tensor, tensor)
    });
    values.collect()
}
