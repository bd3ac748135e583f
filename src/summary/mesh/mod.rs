//! Vertices, faces and colours to the values of one step of a mesh: a tag for each of these parts.

mod json;
mod scene;

#[cfg(test)]
mod tests;

use std::fmt::Display;

use prost::Message;

pub use scene::{Camera, Light, Material, Scene};

use super::{Scalar, Tag, tensor_value};
use crate::error::{Error, Result};
use crate::proto::mesh::MeshPluginData;
use crate::proto::mesh::mesh_plugin_data::ContentType;
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataClass, DataType, TensorProto, TensorShapeProto};

/// A reader keeps a hundred steps, and has to serve all of a tag in one message of 256 MiB.
const MAX_SERVED_BYTES: usize = 5 << 19;
/// The page keeps the indices of faces in 16 bits, and to WebGL the highest is none.
const MAX_DRAWN_INDEX: i32 = 0xfffe;

/// Triangles or points in space, or several of equal size.
///
/// Let all steps of a tag have the same parts, the same [`Scene`], and as many meshes in a batch: the loaders take these
/// from the first step in the run. The number of vertices and faces may change.
///
/// Stock TensorBoard draws faces of the first 65,535 vertices, and serves a hundred steps of 2.5 MiB: 218,453 vertices or
/// faces. A mesh beyond that is written all the same; it is reported once, and counted in
/// [`Stats::oversized_mesh_count`](crate::Stats::oversized_mesh_count).
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Mesh {
    /// How many meshes.
    batch: i32,
    vertices: Part,
    faces: Option<Part>,
    colors: Option<Part>,
    /// The largest in `faces`.
    last_index: i32,
    scene: String,
}

/// Three numbers to a row, as many rows for each mesh of the batch.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    rows: i32,
    content: Vec<u8>,
}

impl Mesh {
    /// A cloud of points: x, y and z of each, of any number type, written as `f32`. Let its middle be near z = 0: that
    /// is what the page's camera steps back from, by the size of the cloud.
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
    /// // Numbers without rows.
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
                let problem = format!("number {i} is {vertex:?}, finite numbers fit");
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

    /// Several meshes that are logged as one, and shown beside each other. They have equal numbers of vertices, of faces
    /// and of colours; the scene is that of the first.
    ///
    /// ```
    /// use summary_writer::Mesh;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// // Of a tensor of shape [2, 5, 3].
    /// let numbers = [0.5f32; 2 * 5 * 3];
    /// let clouds = numbers.chunks(5 * 3).map(|cloud| Mesh::new(cloud.as_chunks().0));
    /// let clouds: Vec<Mesh> = clouds.collect::<Result<_, _>>()?;
    /// summary.mesh("clouds", Mesh::batch(clouds)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no `meshes`, or if one of them is unlike the first.
    pub fn batch(meshes: impl IntoIterator<Item = Mesh>) -> Result<Self> {
        let mut meshes = meshes.into_iter();
        let Some(mut all) = meshes.next() else {
            return Err(Error::invalid("meshes", "none are given, one or more fit"));
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

    /// Triangles: of each the numbers of its three vertices, from 0, of any integer type, counter-clockwise as seen from
    /// outside. Of a batch, the faces of each mesh in it.
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
    /// [`Error::Invalid`] if there are no faces, or if one names a vertex that is not there.
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
                    let problem =
                        format!("number {i} names vertex {vertex}, one below {vertices} fits");
                    return Err(Error::invalid("faces", problem));
                };
                self.last_index = self.last_index.max(index);
                content.extend(index.to_le_bytes());
            }
        }
        self.faces = Some(Part::repeated("faces", rows, &content, self.batch)?);
        Ok(self)
    }

    /// Red, green and blue of each vertex. Of a batch, the colours of each mesh in it.
    ///
    /// Faces show them in the light, and darkened by the grey of their material; with [`Material::unlit`] they show as
    /// they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are not as many as vertices.
    pub fn colors(mut self, colors: &[[u8; 3]]) -> Result<Self> {
        let rows = self.vertices.rows;
        if i32::try_from(colors.len()) != Ok(rows) {
            let problem = format!("{} are given, {rows} fit", colors.len());
            return Err(Error::invalid("colors", problem));
        }
        let content = colors.as_flattened();
        self.colors = Some(Part::repeated("colors", rows, content, self.batch)?);
        Ok(self)
    }

    /// Camera, lights and material. Default: those of the page.
    pub fn scene(mut self, scene: &Scene) -> Self {
        self.scene = scene.to_json();
        self
    }

    /// Whether stock TensorBoard may not serve it, or draws other faces.
    pub(crate) fn is_oversized(&self) -> bool {
        let parts = [
            Some(&self.vertices),
            self.faces.as_ref(),
            self.colors.as_ref(),
        ];
        let mut parts = parts.into_iter().flatten();
        self.last_index > MAX_DRAWN_INDEX || parts.any(|part| part.content.len() > MAX_SERVED_BYTES)
    }
}

impl Part {
    /// The rows of one mesh for each of the batch.
    fn repeated(what: &'static str, rows: i32, content: &[u8], batch: i32) -> Result<Self> {
        let batch = usize::try_from(batch).ok();
        let batch = batch.filter(|batch| content.len().checked_mul(*batch).is_some());
        let content = content.repeat(batch.ok_or_else(|| too_many(what))?);
        Ok(Self { rows, content })
    }

    /// Puts a part of mesh number `i` behind those of the meshes before it.
    fn join(i: usize, what: &str, all: Option<&mut Self>, part: Option<Self>) -> Result<()> {
        let rows = |part: Option<&Self>| part.map_or(0, |part| part.rows);
        let (wanted, given) = (rows(all.as_deref()), rows(part.as_ref()));
        if given != wanted {
            let problem = format!("number {i} has {given} {what}, {wanted} as in the first fit");
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
        Ok(0) => Err(Error::invalid(what, "none are given, one or more fit")),
        Ok(count) => Ok(count),
        Err(_) => Err(too_many(what)),
    }
}

fn too_many(what: &'static str) -> Error {
    let problem = format!("more are given than fit: {}", i32::MAX);
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
            tensor_content: part.content,
            ..Default::default()
        };
        tensor_value(prefix, &tag, plugin_data, DataClass::Tensor, tensor)
    });
    values.collect()
}
