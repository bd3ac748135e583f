//! Camera, lights and material of a mesh: the JSON that the page passes to three.js.

use serde_json::{Map, Value, json};

use super::shortest_f64;
use crate::error::{Error, Result};

/// How the mesh dashboard shows a mesh: camera, lights and material. The page has a default for each part that is not set.
///
/// A scene belongs to a tag, because TensorBoard takes it from the first step in the run. The page has a canvas for each
/// mesh. Users can turn the camera from its initial position.
///
/// ```
/// use summary_writer::mesh::{Camera, Light, Material, Scene};
/// use summary_writer::Mesh;
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
pub struct Scene(Map<String, Value>);

impl Scene {
    /// Creates the page's default scene.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a scene from JSON, for settings that the methods below do not have. It is an object with any of `camera`,
    /// `lights` and `material`. In each of them, `cls` is the name of a three.js class, and the other members are its
    /// parameters. The canvas stays empty if three.js does not have the class.
    ///
    /// ```
    /// use summary_writer::mesh::Scene;
    ///
    /// let scene = Scene::from_json(r#"{"material": {"cls": "MeshPhongMaterial", "shininess": 90}}"#)?;
    /// assert!(Scene::from_json("{'material': {}}").is_err());
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if `json` is not a JSON object, if its `camera` or `material` is not an object, or if its
    /// `lights` is not an array.
    pub fn from_json(json: &str) -> Result<Self> {
        let invalid = |problem| Error::invalid("scene", problem);
        let members: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| invalid(format!("expected a JSON object, got an error: {error}")))?;
        for (name, value) in &members {
            let (is_valid, expected) = match name.as_str() {
                "camera" | "material" => (value.is_object(), "an object"),
                "lights" => (value.is_array(), "an array"),
                _ => continue,
            };
            if !is_valid {
                return Err(invalid(format!(
                    "expected {expected} for `{name}`, got {value}"
                )));
            }
        }
        Ok(Self(members))
    }

    /// Sets the camera. Default: in front of the mesh, so far away that all of it is visible.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a number of `camera` is out of range.
    pub fn camera(mut self, camera: Camera) -> Result<Self> {
        self.0.insert("camera".into(), camera.to_json()?);
        Ok(self)
    }

    /// Replaces the lights. Default: two white lights, an ambient one of intensity 0.75, and a directional one of 0.75
    /// from `[0, -1, 2]`. Points and [`unlit`](Material::unlit) materials need no light.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a number of `lights` is out of range.
    pub fn lights(mut self, lights: impl IntoIterator<Item = Light>) -> Result<Self> {
        let lights = lights.into_iter().map(|light| light.to_json());
        self.0
            .insert("lights".into(), lights.collect::<Result<_>>()?);
        Ok(self)
    }

    /// Sets the material of the faces or points. Default: rough grey faces, and points in the colour of the run.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a number of `material` is out of range.
    pub fn material(mut self, material: Material) -> Result<Self> {
        self.0.insert("material".into(), material.to_json()?);
        Ok(self)
    }

    pub(super) fn to_json(&self) -> String {
        Value::from(self.0.clone()).to_string()
    }
}

/// The initial camera of a mesh.
///
/// The axes are right-handed: x to the right, y up, z towards the viewer. The page moves a mesh that has faces so that the
/// centre of its bounding box is the origin. It does not move points.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Camera {
    position: Option<[f32; 3]>,
    look_at: Option<[f32; 3]>,
    fov: Option<f32>,
    near: Option<f32>,
}

impl Camera {
    /// Creates the page's default camera.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the position. Default: in front of the centre of the mesh, so far away that all of it is visible. Nothing is
    /// drawn from more than about three times that distance.
    pub fn position(mut self, position: [f32; 3]) -> Self {
        self.position = Some(position);
        self
    }

    /// Sets the point at the centre of the canvas. The camera turns around it. Default: the centre of the mesh.
    pub fn look_at(mut self, point: [f32; 3]) -> Self {
        self.look_at = Some(point);
        self
    }

    /// Sets the vertical field of view in degrees, above 0 and below 180. Default: 75.
    pub fn fov(mut self, degrees: f32) -> Self {
        self.fov = Some(degrees);
        self
    }

    /// Sets the distance, above 0, from which on objects are drawn. Default: 0.1, which hides meshes smaller than about
    /// that.
    pub fn near(mut self, distance: f32) -> Self {
        self.near = Some(distance);
        self
    }

    fn to_json(&self) -> Result<Value> {
        let mut json = json!({"cls": "PerspectiveCamera"});
        if let Some(position) = self.position {
            json["position"] = point("camera position", position)?;
        }
        if let Some(look_at) = self.look_at {
            json["lookAt"] = point("camera look_at", look_at)?;
        }
        if let Some(fov) = self.fov {
            let is_valid = fov > 0.0 && fov < 180.0;
            json["fov"] = number(
                "camera fov",
                fov,
                is_valid,
                "a number above 0 and below 180",
            )?;
        }
        if let Some(near) = self.near {
            json["near"] = positive("camera near", near)?;
        }
        Ok(json)
    }
}

/// A light of a scene. Intensities are 0 or more. A face across a light of intensity 1 has its full colour.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Light {
    class: &'static str,
    color: [u8; 3],
    intensity: f32,
    position: Option<[f32; 3]>,
}

impl Light {
    /// Creates a light from all directions.
    pub fn ambient(intensity: f32) -> Self {
        Self::new("AmbientLight", intensity, None)
    }

    /// Creates parallel light from `position` to the origin, like that of the sun.
    pub fn directional(position: [f32; 3], intensity: f32) -> Self {
        Self::new("DirectionalLight", intensity, Some(position))
    }

    /// Creates a light at `position` that shines in all directions, like a lamp.
    pub fn point(position: [f32; 3], intensity: f32) -> Self {
        Self::new("PointLight", intensity, Some(position))
    }

    /// Sets red, green and blue. Default: white.
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = color;
        self
    }

    fn new(class: &'static str, intensity: f32, position: Option<[f32; 3]>) -> Self {
        Self {
            class,
            color: [255; 3],
            intensity,
            position,
        }
    }

    fn to_json(&self) -> Result<Value> {
        let is_valid = self.intensity >= 0.0 && self.intensity.is_finite();
        let intensity = number(
            "light intensity",
            self.intensity,
            is_valid,
            "a finite number of at least 0",
        )?;
        let mut json =
            json!({"cls": self.class, "color": color(self.color), "intensity": intensity});
        if let Some(position) = self.position {
            json["position"] = point("light position", position)?;
        }
        Ok(json)
    }
}

/// The material of faces or points.
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
    /// Creates the page's default material: rough faces, square points.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a material for faces that need no light. It shows the colours of the vertices unchanged, or
    /// [`color`](Self::color), which is white by default, like the background.
    pub fn unlit() -> Self {
        Self {
            class: Some("MeshBasicMaterial"),
            color: Some([255; 3]),
            ..Self::default()
        }
    }

    /// Creates a material that colours faces by their direction: red grows to the right, green up, blue towards the viewer.
    pub fn normals() -> Self {
        Self {
            class: Some("MeshNormalMaterial"),
            ..Self::default()
        }
    }

    /// Sets red, green and blue. The colours of vertices are multiplied by them, with 255 as 1. Default for faces: 160,
    /// 160, 160, so that white shows the colours of vertices brighter. Default for points: white if they have colours,
    /// otherwise the colour of the run.
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = Some(color);
        self
    }

    /// Sets the opacity, from 0 (invisible) to 1. Default: 1.
    pub fn opacity(mut self, opacity: f32) -> Self {
        self.opacity = Some(opacity);
        self
    }

    /// Sets the side of a point's square, above 0, in the unit of the vertices. Default: 0.005, which suits a cloud of
    /// size 1. Points of much larger clouds are one pixel each.
    pub fn point_size(mut self, side: f32) -> Self {
        self.point_size = Some(side);
        self
    }

    /// Draws the edges of faces instead of the faces. Default: `false`.
    pub fn wireframe(mut self, wireframe: bool) -> Self {
        self.wireframe = wireframe;
        self
    }

    /// Draws both sides of faces. Default: `false`, only the side from which the vertices are in counter-clockwise order.
    pub fn double_sided(mut self, double_sided: bool) -> Self {
        self.double_sided = double_sided;
        self
    }

    /// Lights each face as a flat one. Default: `false`, light is smooth across faces that share vertices.
    pub fn flat(mut self, flat: bool) -> Self {
        self.flat = flat;
        self
    }

    fn to_json(&self) -> Result<Value> {
        let mut json = json!({});
        if let Some(class) = self.class {
            json["cls"] = class.into();
        }
        if let Some(rgb) = self.color {
            json["color"] = color(rgb);
        }
        if let Some(opacity) = self.opacity {
            let is_valid = (0.0..=1.0).contains(&opacity);
            json["opacity"] = number(
                "material opacity",
                opacity,
                is_valid,
                "a number from 0 to 1",
            )?;
            json["transparent"] = true.into();
        }
        if let Some(side) = self.point_size {
            json["size"] = positive("material point_size", side)?;
        }
        if self.wireframe {
            json["wireframe"] = true.into();
        }
        if self.double_sided {
            json["side"] = DOUBLE_SIDE.into();
        }
        if self.flat {
            json["flatShading"] = true.into();
        }
        Ok(json)
    }
}

/// The number that three.js has for it.
const DOUBLE_SIDE: u8 = 2;

fn color([red, green, blue]: [u8; 3]) -> Value {
    format!("#{red:02x}{green:02x}{blue:02x}").into()
}

fn point(what: &'static str, point: [f32; 3]) -> Result<Value> {
    if point.iter().all(|number| number.is_finite()) {
        return Ok(point.map(shortest_f64).as_slice().into());
    }
    let problem = format!("expected finite coordinates, got {point:?}");
    Err(Error::invalid(what, problem))
}

fn positive(what: &'static str, value: f32) -> Result<Value> {
    let is_valid = value > 0.0 && value.is_finite();
    number(what, value, is_valid, "a finite number above 0")
}

fn number(what: &'static str, value: f32, is_valid: bool, expected: &str) -> Result<Value> {
    if is_valid {
        return Ok(shortest_f64(value).into());
    }
    let problem = format!("expected {expected}, got {value}");
    Err(Error::invalid(what, problem))
}
