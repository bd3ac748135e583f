//! Camera, lights and material to the JSON that the page hands to three.js.

use std::fmt::{Display, Write};

use super::json;
use crate::error::{Error, Result};

/// How the mesh dashboard shows a mesh: from where, in which light, of what material. What is not said is the page's own.
///
/// A scene belongs to a tag: the loaders take it from the first step in the run. The page has a canvas for each mesh, and
/// a camera that the user turns from where it starts.
///
/// ```
/// use summary_writer::{Camera, Light, Material, Mesh, Scene};
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let scene = Scene::new()
///     .camera(Camera::new().position([2.0, 1.0, 3.0]).look_at([0.0; 3]).fov(50.0))?
///     .lights([Light::ambient(0.4), Light::directional([0.0, 2.0, 1.0], 0.8).color([255, 240, 220])])?
///     .material(Material::new().color([40, 90, 200]).double_sided(true))?;
/// for step in 0..3u8 {
///     let triangle = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, f32::from(step + 1), 0.0]];
///     summary.mesh("triangle", Mesh::new(&triangle)?.faces(&[[0, 1, 2]])?.scene(&scene), step);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Scene {
    /// Names, with their quotes, and values.
    members: Vec<(String, String)>,
}

impl Scene {
    /// The page's own scene.
    pub fn new() -> Self {
        Self::default()
    }

    /// A scene for what the methods below do not have: a JSON object with any of `camera`, `lights` and `material`, as
    /// stock TensorBoard takes it: `cls` is the name of a class of three.js, the rest are its parameters. A class that is
    /// not there leaves the canvas empty.
    ///
    /// ```
    /// use summary_writer::Scene;
    ///
    /// let scene = Scene::from_json(r#"{"material": {"cls": "MeshPhongMaterial", "shininess": 90}}"#)?;
    /// assert!(Scene::from_json("{'material': {}}").is_err());
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if `json` is no object, or if a member is not what the page takes apart: of `camera` and
    /// `material` an object, of `lights` an array.
    pub fn from_json(json: &str) -> Result<Self> {
        let members = json::members(json).map_err(|at| {
            Error::invalid(
                "scene",
                format!("not JSON from byte {at} on, an object fits"),
            )
        })?;
        for (name, value) in &members {
            let (open, fits) = match *name {
                r#""camera""# | r#""material""# => ('{', "an object"),
                r#""lights""# => ('[', "an array"),
                _ => continue,
            };
            if !value.starts_with(open) {
                return Err(Error::invalid(
                    "scene",
                    format!("{name} is {value}, {fits} fits"),
                ));
            }
        }
        let members = members.into_iter();
        Ok(Self {
            members: members
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        })
    }

    /// Where the mesh is seen from. Default: from in front, as far as all of it is seen.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a number of `camera` is out of its range.
    pub fn camera(self, camera: Camera) -> Result<Self> {
        Ok(self.member("camera", camera.to_json()?))
    }

    /// The lights, instead of the page's own, which are white: an ambient one of intensity 0.75, and a directional one of
    /// 0.75 from `[0, -1, 2]`. Points, and materials that are [`unlit`](Material::unlit), need none.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a number of `lights` is out of its range.
    pub fn lights(self, lights: impl IntoIterator<Item = Light>) -> Result<Self> {
        let lights = lights.into_iter().map(|light| light.to_json());
        let lights = lights.collect::<Result<Vec<_>>>()?.join(",");
        Ok(self.member("lights", format!("[{lights}]")))
    }

    /// What faces or points are made of. Default: rough grey faces, and points in the colour of the run.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a number of `material` is out of its range.
    pub fn material(self, material: Material) -> Result<Self> {
        Ok(self.member("material", material.to_json()?))
    }

    fn member(mut self, name: &str, value: String) -> Self {
        let name = format!("\"{name}\"");
        self.members.retain(|(other, _)| *other != name);
        self.members.push((name, value));
        self
    }

    pub(super) fn to_json(&self) -> String {
        let mut object = Object::default();
        for (name, value) in &self.members {
            object.put_raw(name, value);
        }
        object.close()
    }
}

/// Where a mesh is seen from, at the start.
///
/// The axes are right-handed: x to the right, y up, z to the viewer. The page moves a mesh that has faces so that the
/// middle of its bounding box is the origin; points stay where they are.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Camera {
    position: Option<[f32; 3]>,
    look_at: Option<[f32; 3]>,
    fov: Option<f32>,
    near: Option<f32>,
}

impl Camera {
    /// The page's own camera.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where it stands. Default: in front of the middle of the mesh, as far as all of it is seen. From about three times
    /// that distance nothing is drawn any more.
    pub fn position(mut self, position: [f32; 3]) -> Self {
        self.position = Some(position);
        self
    }

    /// The point in the middle of the canvas, around which it turns. Default: the middle of the mesh.
    pub fn look_at(mut self, point: [f32; 3]) -> Self {
        self.look_at = Some(point);
        self
    }

    /// The angle from the lower to the upper edge of the canvas, in degrees: between 0 and 180. Default: 75.
    pub fn fov(mut self, degrees: f32) -> Self {
        self.fov = Some(degrees);
        self
    }

    /// What is nearer is not drawn: above 0. Default: 0.1, which hides all of a mesh that is smaller than about that.
    pub fn near(mut self, distance: f32) -> Self {
        self.near = Some(distance);
        self
    }

    fn to_json(&self) -> Result<String> {
        let mut object = Object::default();
        object.put("cls", "\"PerspectiveCamera\"");
        if let Some(position) = self.position {
            object.put("position", point("camera position", position)?);
        }
        if let Some(look_at) = self.look_at {
            object.put("lookAt", point("camera look_at", look_at)?);
        }
        if let Some(fov) = self.fov {
            check(
                "camera fov",
                fov,
                fov > 0.0 && fov < 180.0,
                "between 0 and 180",
            )?;
            object.put("fov", fov);
        }
        if let Some(near) = self.near {
            check(
                "camera near",
                near,
                is_positive(near),
                "a finite one above 0",
            )?;
            object.put("near", near);
        }
        Ok(object.close())
    }
}

/// A light of a scene. Intensity is 0 or more; at 1 in all, a face across the light has its full colour.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Light {
    class: &'static str,
    color: [u8; 3],
    intensity: f32,
    position: Option<[f32; 3]>,
}

impl Light {
    /// Light from everywhere.
    pub fn ambient(intensity: f32) -> Self {
        Self::of("AmbientLight", intensity, None)
    }

    /// Parallel light from `position` to the origin, as of a sun.
    pub fn directional(position: [f32; 3], intensity: f32) -> Self {
        Self::of("DirectionalLight", intensity, Some(position))
    }

    /// Light from `position` to all sides, as of a lamp.
    pub fn point(position: [f32; 3], intensity: f32) -> Self {
        Self::of("PointLight", intensity, Some(position))
    }

    /// Red, green, blue. Default: white.
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = color;
        self
    }

    fn of(class: &'static str, intensity: f32, position: Option<[f32; 3]>) -> Self {
        Self {
            class,
            color: [255; 3],
            intensity,
            position,
        }
    }

    fn to_json(&self) -> Result<String> {
        let intensity = self.intensity;
        check(
            "light intensity",
            intensity,
            intensity >= 0.0 && intensity.is_finite(),
            "a finite one of 0 or more",
        )?;
        let mut object = Object::default();
        object.put("cls", format_args!("\"{}\"", self.class));
        object.put("color", color(self.color));
        object.put("intensity", intensity);
        if let Some(position) = self.position {
            object.put("position", point("light position", position)?);
        }
        Ok(object.close())
    }
}

/// What faces or points are made of.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Material {
    class: Option<&'static str>,
    color: Option<[u8; 3]>,
    opacity: Option<f32>,
    point_size: Option<f32>,
    wireframe: bool,
    double_sided: bool,
    flat: bool,
}

impl Material {
    /// The page's own material: a rough one for faces, squares for points.
    pub fn new() -> Self {
        Self::default()
    }

    /// Faces that need no light: each pixel has the colour of the vertices around it, unchanged, or that of
    /// [`color`](Self::color), by default white as the background is.
    pub fn unlit() -> Self {
        Self {
            class: Some("MeshBasicMaterial"),
            color: Some([255; 3]),
            ..Self::default()
        }
    }

    /// Faces whose colour is their direction, to the viewer: red grows to the right, green up, blue to the viewer.
    pub fn normals() -> Self {
        Self {
            class: Some("MeshNormalMaterial"),
            ..Self::default()
        }
    }

    /// Red, green, blue; colours of vertices are multiplied by it, 255 for 1. Default: of faces 160, 160, 160, so white
    /// shows the colours of vertices brighter; of points with colours white, of others the colour of the run.
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = Some(color);
        self
    }

    /// From 0, which cannot be seen, to 1. Default: 1.
    pub fn opacity(mut self, opacity: f32) -> Self {
        self.opacity = Some(opacity);
        self
    }

    /// The side of a point's square, in units of the vertices: above 0. Default: 0.005, which suits a cloud of about 1
    /// across; of a much larger one, points are a pixel each.
    pub fn point_size(mut self, side: f32) -> Self {
        self.point_size = Some(side);
        self
    }

    /// Whether the edges of faces are drawn instead of the faces. Default: `false`.
    pub fn wireframe(mut self, wireframe: bool) -> Self {
        self.wireframe = wireframe;
        self
    }

    /// Whether a face is seen from behind, too. Default: `false`, it is seen from where its vertices go round
    /// counter-clockwise.
    pub fn double_sided(mut self, double_sided: bool) -> Self {
        self.double_sided = double_sided;
        self
    }

    /// Whether each face is lit as a flat one. Default: `false`, light runs smoothly over faces that share vertices.
    pub fn flat(mut self, flat: bool) -> Self {
        self.flat = flat;
        self
    }

    fn to_json(&self) -> Result<String> {
        let mut object = Object::default();
        if let Some(class) = self.class {
            object.put("cls", format_args!("\"{class}\""));
        }
        if let Some(rgb) = self.color {
            object.put("color", color(rgb));
        }
        if let Some(opacity) = self.opacity {
            let fits = (0.0..=1.0).contains(&opacity);
            check("material opacity", opacity, fits, "from 0 to 1")?;
            object.put("opacity", opacity);
            object.put("transparent", true);
        }
        if let Some(side) = self.point_size {
            let what = "material point_size";
            check(what, side, is_positive(side), "a finite one above 0")?;
            object.put("size", side);
        }
        if self.wireframe {
            object.put("wireframe", true);
        }
        if self.double_sided {
            object.put("side", DOUBLE_SIDE);
        }
        if self.flat {
            object.put("flatShading", true);
        }
        Ok(object.close())
    }
}

/// As three.js numbers it.
const DOUBLE_SIDE: u8 = 2;

/// A JSON object, while it is written.
#[derive(Default)]
struct Object(String);

impl Object {
    /// A value that is JSON as it displays.
    fn put(&mut self, name: &str, value: impl Display) {
        self.put_raw(&format_args!("\"{name}\""), &value);
    }

    fn put_raw(&mut self, quoted: &dyn Display, value: &dyn Display) {
        let before = if self.0.is_empty() { '{' } else { ',' };
        // Unreachable: a `String` takes all that is written to it.
        write!(self.0, "{before}{quoted}:{value}").ok();
    }

    fn close(self) -> String {
        if self.0.is_empty() {
            "{}".into()
        } else {
            self.0 + "}"
        }
    }
}

fn color([red, green, blue]: [u8; 3]) -> String {
    format!("\"#{red:02x}{green:02x}{blue:02x}\"")
}

fn point(what: &'static str, point: [f32; 3]) -> Result<String> {
    if point.iter().all(|number| number.is_finite()) {
        let [x, y, z] = point;
        return Ok(format!("[{x},{y},{z}]"));
    }
    Err(Error::invalid(
        what,
        format!("{point:?} is given, finite numbers fit"),
    ))
}

fn is_positive(number: f32) -> bool {
    number > 0.0 && number.is_finite()
}

fn check(what: &'static str, number: f32, is_fitting: bool, fits: &str) -> Result<()> {
    if is_fitting {
        return Ok(());
    }
    Err(Error::invalid(
        what,
        format!("{number} is given, {fits} fits"),
    ))
}
