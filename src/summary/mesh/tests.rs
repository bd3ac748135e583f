use super::*;

const TRIANGLE: [[f32; 3]; 3] = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

fn triangle() -> Mesh {
    Mesh::new(&TRIANGLE).unwrap()
}

/// What the page is told of each part.
fn contents(mesh: Mesh) -> Vec<MeshPluginData> {
    let values = super::mesh("", &"t".into(), mesh).into_iter();
    let contents = values.map(|value| value.metadata.unwrap().plugin_data.unwrap().content);
    contents
        .map(|content| MeshPluginData::decode(&content[..]).unwrap())
        .collect()
}

#[test]
fn each_part_is_a_value_with_what_it_has_to_know_of_the_mesh() {
    let mesh = Mesh::new(&[[1.0, 2.0, -0.5]]).unwrap();
    let mesh = mesh.faces(&[[0, 0, 0]]).unwrap();
    let mesh = mesh.colors(&[[1, 2, 255]]).unwrap();
    let got = super::mesh("p/", &Tag::new("t").description("d"), mesh);
    // Summary.Value, assembled by hand from the wire format: what differs is the part's name, the tensor's type and
    // content, and the content type.
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
fn the_parts_that_are_there_are_the_components() {
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
fn a_batch_is_its_meshes_one_after_the_other() {
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

    // A batch grows by a batch, and what it is given has each of its meshes.
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
fn what_is_no_mesh_is_refused_by_name() {
    let faced = || triangle().faces(&[[0, 1, 2]]).unwrap();
    let colored = || triangle().colors(&[[0; 3]; 3]).unwrap();
    let none: [[f32; 3]; 0] = [];
    for (result, want) in [
        (
            Mesh::new(&none),
            "vertices: none are given, one or more fit",
        ),
        (
            Mesh::new(&[[0.0; 3], [1.0, f64::NAN, 2.0]]),
            "vertices: number 1 is [1.0, NaN, 2.0], finite numbers fit",
        ),
        (
            Mesh::new(&[[0.0, 0.0, -1e39]]),
            "vertices: number 0 is [0.0, 0.0, -inf], finite numbers fit",
        ),
        (
            triangle().faces::<i32>(&[]),
            "faces: none are given, one or more fit",
        ),
        (
            triangle().faces(&[[0, 1, 2], [1, 2, 3]]),
            "faces: number 1 names vertex 3, one below 3 fits",
        ),
        (
            triangle().faces(&[[0, -1, 2]]),
            "faces: number 0 names vertex -1, one below 3 fits",
        ),
        (
            triangle().faces(&[[u64::MAX; 3]]),
            "faces: number 0 names vertex 18446744073709551615, one below 3 fits",
        ),
        (
            triangle().colors(&[[0; 3]; 2]),
            "colors: 2 are given, 3 fit",
        ),
        (triangle().colors(&[]), "colors: 0 are given, 3 fit"),
        (Mesh::batch([]), "meshes: none are given, one or more fit"),
        (
            Mesh::batch([triangle(), Mesh::new(&TRIANGLE[..2]).unwrap()]),
            "meshes: number 1 has 2 vertices, 3 as in the first fit",
        ),
        (
            Mesh::batch([triangle(), triangle(), faced()]),
            "meshes: number 2 has 1 faces, 0 as in the first fit",
        ),
        (
            Mesh::batch([faced(), triangle()]),
            "meshes: number 1 has 0 faces, 1 as in the first fit",
        ),
        (
            Mesh::batch([colored(), triangle()]),
            "meshes: number 1 has 0 colors, 3 as in the first fit",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), want);
    }
}

#[test]
fn what_stock_tensorboard_cannot_show_is_oversized() {
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
fn a_scene_is_what_was_said_and_nothing_else() {
    let scene = |scene: Result<Scene>| {
        contents(triangle().scene(&scene.unwrap()))[0]
            .json_config
            .clone()
    };
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
            r#"{"camera":{"cls":"PerspectiveCamera","position":[0.5,-0.0000001,3000000000],"lookAt":[0,0,0],"fov":60,"near":0.001}}"#,
        ),
        (
            Scene::new().lights([Light::ambient(1.0), lamp]),
            r##"{"lights":[{"cls":"AmbientLight","color":"#ffffff","intensity":1},{"cls":"PointLight","color":"#ff00ab","intensity":0.25,"position":[1,2,3]}]}"##,
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
        // The last of a kind counts.
        (
            Scene::from_json(r#"{ "fog": "\"", "material": {"cls": "X"}, "camera": {} }"#)
                .and_then(|scene| scene.material(Material::new().point_size(0.5))),
            r#"{"fog":"\"","camera":{},"material":{"size":0.5}}"#,
        ),
    ] {
        assert_eq!(scene(given), want);
    }
}

#[test]
fn what_is_no_scene_is_refused_by_name() {
    let scene = Scene::new;
    for (result, want) in [
        (
            scene().camera(Camera::new().position([0.0, f32::NAN, 0.0])),
            "camera position: [0.0, NaN, 0.0] is given, finite numbers fit",
        ),
        (
            scene().camera(Camera::new().look_at([f32::INFINITY; 3])),
            "camera look_at: [inf, inf, inf] is given, finite numbers fit",
        ),
        (
            scene().camera(Camera::new().fov(180.0)),
            "camera fov: 180 is given, between 0 and 180 fits",
        ),
        (
            scene().camera(Camera::new().near(0.0)),
            "camera near: 0 is given, a finite one above 0 fits",
        ),
        (
            scene().lights([Light::ambient(0.0), Light::ambient(-0.5)]),
            "light intensity: -0.5 is given, a finite one of 0 or more fits",
        ),
        (
            scene().lights([Light::directional([f32::NAN; 3], 1.0)]),
            "light position: [NaN, NaN, NaN] is given, finite numbers fit",
        ),
        (
            scene().material(Material::new().opacity(f32::NAN)),
            "material opacity: NaN is given, from 0 to 1 fits",
        ),
        (
            scene().material(Material::new().point_size(f32::INFINITY)),
            "material point_size: inf is given, a finite one above 0 fits",
        ),
        (
            Scene::from_json("{'lights': []}"),
            "scene: not JSON from byte 1 on, an object fits",
        ),
        (
            Scene::from_json(r#"{"lights": null}"#),
            "scene: \"lights\" is null, an array fits",
        ),
        (
            Scene::from_json(r#"{"camera": 3}"#),
            "scene: \"camera\" is 3, an object fits",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), want);
    }
}
