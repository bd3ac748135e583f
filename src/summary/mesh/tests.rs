use super::*;

const TRIANGLE: [[f32; 3]; 3] = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

fn triangle() -> Mesh {
    Mesh::new(&TRIANGLE).unwrap()
}

/// The plugin data of each part.
fn contents(mesh: Mesh) -> Vec<MeshPluginData> {
    let values = super::mesh("", &"t".into(), mesh).into_iter();
    let contents = values.map(|value| value.metadata.unwrap().plugin_data.unwrap().content);
    contents
        .map(|content| MeshPluginData::decode(&content[..]).unwrap())
        .collect()
}

#[test]
fn each_part_is_a_value_with_the_plugin_data_of_the_mesh() {
    let mesh = Mesh::new(&[[1.0, 2.0, -0.5]]).unwrap();
    let mesh = mesh.faces(&[[0, 0, 0]]).unwrap();
    let mesh = mesh.colors(&[[1, 2, 255]]).unwrap();
    let got = super::mesh("p/", &Tag::new("t").description("d"), mesh);
    // Summary.Value, assembled by hand from the wire format. The name, the tensor's type and content, and the content type
    // differ.
    let wire = |name: &str, head: &[u8], content: &[u8], content_type: u8| {
        [
            b"\x0a",
            &[u8::try_from(name.len()).unwrap()][..],
            name.as_bytes(),                                             // tag
            head,                                                        // tensor: data type
            b"\x12\x0c\x12\x02\x08\x01\x12\x02\x08\x01\x12\x02\x08\x03", // shape: 1, 1, 3
            b"\x22",
            &[u8::try_from(content.len()).unwrap()],
            content,                                   // tensor_content
            b"\x4a\x21\x0a\x1a\x0a\x04mesh",           // metadata: plugin_data: plugin_name
            b"\x12\x12\x12\x03p/t\x18",                // content: name
            &[content_type],                           // content_type
            b"\x2a\x02{}\x32\x03\x01\x01\x03\x38\x0e", // json_config, shape, components: 2 + 4 + 8
            b"\x1a\x01d\x20\x02",                      // description; data_class: DATA_CLASS_TENSOR
        ]
        .concat()
    };
    let want = [
        wire(
            "p/t_VERTEX",
            b"\x42\x1e\x08\x01",
            b"\0\0\x80\x3f\0\0\0\x40\0\0\0\xbf",
            1,
        ),
        wire("p/t_FACE", b"\x42\x1e\x08\x03", &[0; 12], 2),
        wire("p/t_COLOR", b"\x42\x15\x08\x04", &[1, 2, 255], 3),
    ];
    let got: Vec<_> = got.iter().map(Value::encode_to_vec).collect();
    assert_eq!(got, want);
}

#[test]
fn components_are_the_parts_of_the_mesh() {
    let faces = &[[0u8, 1, 2]];
    let colors = &[[0; 3]; 3];
    for (mesh, want) in [
        (triangle(), &[2][..]),
        (triangle().faces(faces).unwrap(), &[6; 2]),
        (triangle().colors(colors).unwrap(), &[10; 2]),
        (
            triangle().colors(colors).unwrap().faces(faces).unwrap(),
            &[14; 3],
        ),
    ] {
        let components = contents(mesh).into_iter().map(|part| part.components);
        assert_eq!(components.collect::<Vec<_>>(), want);
    }
}

#[test]
fn a_batch_has_its_meshes_in_order() {
    let raised = TRIANGLE.map(|[x, y, z]| [x, y, z + 1.0]);
    let black = triangle().colors(&[[0; 3]; 3]).unwrap();
    let white = Mesh::new(&raised).unwrap().colors(&[[9; 3]; 3]).unwrap();
    let batch = Mesh::batch([black.clone(), white.clone(), black.clone()]).unwrap();
    let whole = [TRIANGLE, raised, TRIANGLE].concat().concat();
    let whole: Vec<u8> = whole.into_iter().flat_map(f32::to_le_bytes).collect();
    assert_eq!(batch.vertices.content, whole);
    let colors = [[0u8; 9], [9; 9], [0; 9]].concat();
    assert_eq!(batch.colors.as_ref().unwrap().content, colors);
    assert_eq!(contents(batch.clone())[1].shape, [3, 3, 3]);

    // A batch can be part of a batch, and its faces are repeated for each mesh.
    let grown = Mesh::batch([batch, white]).unwrap();
    let grown = grown.faces(&[[0, 1, 2], [2, 1, 0]]).unwrap();
    assert_eq!(contents(grown.clone())[1].shape, [4, 2, 3]);
    let face: Vec<u8> = [0, 1, 2, 2, 1, 0i32]
        .into_iter()
        .flat_map(i32::to_le_bytes)
        .collect();
    assert_eq!(grown.faces.unwrap().content, face.repeat(4));
}

#[test]
fn invalid_meshes_are_refused() {
    let faced = || triangle().faces(&[[0, 1, 2]]).unwrap();
    let colored = || triangle().colors(&[[0; 3]; 3]).unwrap();
    let none: [[f32; 3]; 0] = [];
    for (result, want) in [
        (Mesh::new(&none), "vertices: expected at least 1, got none"),
        (
            Mesh::new(&[[0.0; 3], [1.0, f64::NAN, 2.0]]),
            "vertices: expected finite coordinates, got [1.0, NaN, 2.0] at index 1",
        ),
        (
            Mesh::new(&[[0.0, 0.0, -1e39]]),
            "vertices: expected finite coordinates, got [0.0, 0.0, -inf] at index 0",
        ),
        (
            triangle().faces::<i32>(&[]),
            "faces: expected at least 1, got none",
        ),
        (
            triangle().faces(&[[0, 1, 2], [1, 2, 3]]),
            "faces: expected indices below 3, the number of vertices, got 3 in the face at index 1",
        ),
        (
            triangle().faces(&[[0, -1, 2]]),
            "faces: expected indices below 3, the number of vertices, got -1 in the face at index 0",
        ),
        (
            triangle().faces(&[[u64::MAX; 3]]),
            "faces: expected indices below 3, the number of vertices, got 18446744073709551615 in the face at index 0",
        ),
        (
            triangle().colors(&[[0; 3]; 2]),
            "colors: expected 3, one per vertex, got 2",
        ),
        (
            triangle().colors(&[]),
            "colors: expected 3, one per vertex, got 0",
        ),
        (Mesh::batch([]), "meshes: expected at least 1, got none"),
        (
            Mesh::batch([triangle(), Mesh::new(&TRIANGLE[..2]).unwrap()]),
            "meshes: expected 3 vertices, as many as the first mesh, got 2 at index 1",
        ),
        (
            Mesh::batch([triangle(), triangle(), faced()]),
            "meshes: expected 0 faces, as many as the first mesh, got 1 at index 2",
        ),
        (
            Mesh::batch([faced(), triangle()]),
            "meshes: expected 1 faces, as many as the first mesh, got 0 at index 1",
        ),
        (
            Mesh::batch([colored(), triangle()]),
            "meshes: expected 3 colors, as many as the first mesh, got 0 at index 1",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), want);
    }
}

#[test]
fn meshes_that_stock_tensorboard_cannot_show_are_oversized() {
    // 2.5 MiB are 2,621,440 bytes: 218,453 rows of 12 bytes and 4 bytes.
    let points = vec![[0f32; 3]; 218_454];
    assert!(!Mesh::new(&points[..218_453]).unwrap().is_oversized());
    let mesh = Mesh::new(&points).unwrap();
    assert!(mesh.is_oversized());
    let mesh = Mesh::new(&points[..65_537]).unwrap();
    assert!(
        !mesh
            .clone()
            .faces(&[[0, 1, 65_534]])
            .unwrap()
            .is_oversized()
    );
    assert!(
        mesh.clone()
            .faces(&[[0, 65_535, 2]])
            .unwrap()
            .is_oversized()
    );
    let faces = vec![[0, 1, 2]; 218_454];
    assert!(mesh.clone().faces(&faces).unwrap().is_oversized());
    assert!(
        !Mesh::batch([mesh.clone(), mesh.clone(), mesh.clone()])
            .unwrap()
            .is_oversized()
    );
    assert!(Mesh::batch(vec![mesh; 4]).unwrap().is_oversized());
}

#[test]
fn a_scene_has_only_the_parts_that_were_set() {
    let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
    let scene =
        |scene: Result<Scene>| parse(&contents(triangle().scene(&scene.unwrap()))[0].json_config);
    let camera = Camera::new().position([0.5, -1e-7, 3e9]).look_at([0.0; 3]);
    let lamp = Light::point([1.0, 2.0, 3.0], 0.25).color([255, 0, 171]);
    let thin = Material::unlit()
        .double_sided(true)
        .wireframe(true)
        .opacity(0.5);
    for (given, want) in [
        (Ok(Scene::new()), "{}"),
        (
            Scene::new().camera(camera.fov(60.0).near(0.001)),
            r#"{"camera":{"cls":"PerspectiveCamera","position":[0.5,-1e-7,3e9],"lookAt":[0.0,0.0,0.0],"fov":60.0,"near":0.001}}"#,
        ),
        (
            Scene::new().lights([Light::ambient(1.0), lamp]),
            r##"{"lights":[{"cls":"AmbientLight","color":"#ffffff","intensity":1.0},{"cls":"PointLight","color":"#ff00ab","intensity":0.25,"position":[1.0,2.0,3.0]}]}"##,
        ),
        (Scene::new().lights([]), r#"{"lights":[]}"#),
        (
            Scene::new().material(thin),
            r##"{"material":{"cls":"MeshBasicMaterial","color":"#ffffff","opacity":0.5,"transparent":true,"wireframe":true,"side":2}}"##,
        ),
        (
            Scene::new().material(Material::normals().flat(true)),
            r#"{"material":{"cls":"MeshNormalMaterial","flatShading":true}}"#,
        ),
        (Scene::new().material(Material::new()), r#"{"material":{}}"#),
        // The last material counts.
        (
            Scene::from_json(r#"{ "fog": "\"", "material": {"cls": "X"}, "camera": {} }"#)
                .and_then(|scene| scene.material(Material::new().point_size(0.5))),
            r#"{"fog":"\"","camera":{},"material":{"size":0.5}}"#,
        ),
    ] {
        assert_eq!(scene(given), parse(want));
    }
}

#[test]
fn invalid_scenes_are_refused() {
    let scene = Scene::new;
    for (result, want) in [
        (
            scene().camera(Camera::new().position([0.0, f32::NAN, 0.0])),
            "camera position: expected finite coordinates, got [0.0, NaN, 0.0]",
        ),
        (
            scene().camera(Camera::new().look_at([f32::INFINITY; 3])),
            "camera look_at: expected finite coordinates, got [inf, inf, inf]",
        ),
        (
            scene().camera(Camera::new().fov(180.0)),
            "camera fov: expected a number above 0 and below 180, got 180",
        ),
        (
            scene().camera(Camera::new().near(0.0)),
            "camera near: expected a finite number above 0, got 0",
        ),
        (
            scene().lights([Light::ambient(0.0), Light::ambient(-0.5)]),
            "light intensity: expected a finite number of at least 0, got -0.5",
        ),
        (
            scene().lights([Light::directional([f32::NAN; 3], 1.0)]),
            "light position: expected finite coordinates, got [NaN, NaN, NaN]",
        ),
        (
            scene().material(Material::new().opacity(f32::NAN)),
            "material opacity: expected a number from 0 to 1, got NaN",
        ),
        (
            scene().material(Material::new().point_size(f32::INFINITY)),
            "material point_size: expected a finite number above 0, got inf",
        ),
        (
            Scene::from_json("{'lights': []}"),
            "scene: expected a JSON object, got an error: key must be a string at line 1 column 2",
        ),
        (
            Scene::from_json(r#"{"lights": null}"#),
            "scene: expected an array for `lights`, got null",
        ),
        (
            Scene::from_json(r#"{"camera": 3}"#),
            "scene: expected an object for `camera`, got 3",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), want);
    }
}
