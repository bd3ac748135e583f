use super::*;
use crate::proto::attr_value::Value as AttrValue;
use crate::proto::{DataType, NodeDef};

/// Encodes a field of bytes.
fn field(number: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut message = varint((u64::from(number) << 3) | 2);
    message.extend(varint(bytes.len() as u64));
    message.extend(bytes);
    message
}

fn integer(number: u8, value: u64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn node(
    name: &str,
    op: &str,
    inputs: &[&str],
    outputs: &[&str],
    attributes: &[Vec<u8>],
) -> Vec<u8> {
    let mut node = [field(3, name), field(4, op)].concat();
    node.extend(inputs.iter().flat_map(|input| field(1, input)));
    node.extend(outputs.iter().flat_map(|output| field(2, output)));
    node.extend(attributes.iter().flat_map(|attribute| field(5, attribute)));
    field(1, node)
}

/// A value without a type; 11 is an input, 12 an output.
fn value(number: u8, name: &str) -> Vec<u8> {
    field(number, field(1, name))
}

fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    field(7, graph.concat())
}

fn nodes(bytes: &[u8]) -> Vec<NodeDef> {
    Graph::from_onnx(bytes).unwrap().0.node
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let line = |it: &NodeDef| format!("{} = {}({})", it.name, it.op, it.input.join(", "));
    nodes(bytes).iter().map(line).collect()
}

fn problem(bytes: &[u8]) -> String {
    let error = Graph::from_onnx(bytes).unwrap_err().to_string();
    error.strip_prefix("onnx: ").unwrap().to_owned()
}

#[test]
fn values_become_edges_between_nodes() {
    let bytes = model(&[
        value(11, "x"),
        node("split", "Split", &["x"], &["a", "b"], &[]),
        node("", "Add", &["b", "", "a"], &["y"], &[]),
        value(12, "y"),
    ]);
    let want = [
        "x = Placeholder()",
        "split = Split(x)",
        "y_Add = Add(split:1, split)",
        "y = Identity(y_Add)",
    ];
    assert_eq!(lines(&bytes), want);
}

#[test]
fn types_and_the_description_of_the_model_become_attributes() {
    // TypeProto { tensor_type { elem_type: 7, shape { dim { dim_param: "N" }, dim { dim_value: 3 }, dim {} } } }
    let dims = [
        field(1, field(2, "N")),
        field(1, integer(1, 3)),
        field(1, ""),
    ]
    .concat();
    let tensor = [integer(1, 7), field(2, dims)].concat();
    let typed = [
        field(1, "x"),
        field(2, field(1, &tensor)),
        field(3, "what comes in"),
    ]
    .concat();
    // Two floats of 8 bits, and a sequence of tensors.
    let small = [field(1, "y"), field(2, field(1, integer(1, 17)))].concat();
    let sequence = [
        field(1, "z"),
        field(2, field(4, field(1, field(1, tensor)))),
    ]
    .concat();
    // A map from INT64, which is 7, to FLOAT, which is 1.
    let float = field(2, field(1, integer(1, 1)));
    let map = field(5, [integer(1, 7), float].concat());
    let map = [field(1, "m"), field(2, map)].concat();
    let graph = [
        field(2, "net"),
        field(11, typed),
        field(11, map),
        field(12, small),
        field(12, sequence),
        node("n", "Relu", &["x"], &["y", "z"], &[field(1, "dtype")]),
    ];
    let about = [
        field(2, "pytorch"),
        field(3, "2.9"),
        field(8, integer(2, 21)),
        field(14, [field(1, "author"), field(2, "A. Nother")].concat()),
    ];
    let bytes = [
        about.concat(),
        field(8, [field(1, "own"), integer(2, 1)].concat()),
        model(&graph),
    ];
    let [x, m, n, y, z] = &nodes(&bytes.concat())[..] else {
        panic!()
    };
    let attr = |node: &NodeDef, name: &str| node.attr.get(name).and_then(|it| it.value.clone());
    assert_eq!(
        attr(x, "dtype"),
        Some(AttrValue::Type(DataType::DtInt64.into()))
    );
    let Some(AttrValue::Shape(shape)) = attr(x, "shape") else {
        panic!()
    };
    let dims: Vec<_> = shape.dim.iter().map(|dim| (dim.size, &*dim.name)).collect();
    assert_eq!(dims, [(-1, "N"), (3, ""), (-1, "")]);
    let text = |text: &str| Some(AttrValue::S(text.into()));
    assert_eq!(attr(x, "doc_string"), text("what comes in"));
    assert_eq!(attr(y, "dtype"), text("FLOAT8E4M3FN"));
    assert_eq!(attr(z, "dtype"), text("sequence(INT64)"));
    assert_eq!(attr(y, "model"), text("net"));
    assert_eq!(attr(y, "producer"), text("pytorch 2.9"));
    assert_eq!(attr(z, "opset"), text("ai.onnx 21, own 1"));
    assert_eq!(attr(z, "metadata.author"), text("A. Nother"));
    assert_eq!(attr(m, "dtype"), text("map(INT64, FLOAT)"));
    assert_eq!(attr(n, "model"), None);
    let Some(AttrValue::List(shapes)) = attr(n, "_output_shapes") else {
        panic!()
    };
    assert_eq!(shapes.shape.len(), 2);
}

#[test]
fn attributes_have_the_type_that_is_named_or_that_of_their_field() {
    let float = |value: f32| value.to_le_bytes();
    let cases = [
        (
            vec![integer(20, 1), vec![0x15], float(0.5).to_vec()],
            AttrValue::F(0.5),
        ),
        (vec![integer(3, u64::MAX)], AttrValue::I(-1)),
        (vec![integer(20, 2)], AttrValue::I(0)),
        (vec![field(4, b"\xff")], AttrValue::S(vec![0xff])),
        (
            vec![field(21, "alpha"), integer(20, 1)],
            AttrValue::Placeholder("alpha".into()),
        ),
        (
            vec![integer(20, 99)],
            AttrValue::S("unknown attribute type 99".into()),
        ),
    ];
    for (fields, want) in cases {
        let attribute = [field(1, "it"), fields.concat()].concat();
        let bytes = model(&[node("n", "N", &[], &[], std::slice::from_ref(&attribute))]);
        let got = nodes(&bytes)[0].attr["it"].value.clone();
        assert_eq!(got, Some(want), "{attribute:x?}");
    }
    let list = |fields: Vec<u8>| {
        let attribute = [field(1, "it"), fields].concat();
        let bytes = model(&[node("n", "N", &[], &[], &[attribute])]);
        nodes(&bytes)[0].attr["it"].value.clone()
    };
    let Some(AttrValue::List(ints)) = list([integer(8, 5), field(8, [6, 7])].concat()) else {
        panic!()
    };
    assert_eq!(ints.i, [5, 6, 7]);
    let Some(AttrValue::List(ints)) = list(field(8, [1; 256])) else {
        panic!()
    };
    assert_eq!(ints.i.len(), 256);
    assert_eq!(
        list(field(8, [1; 257])),
        Some(AttrValue::S("257 integers".into()))
    );
    assert_eq!(
        list(field(9, "").repeat(300)),
        Some(AttrValue::S("300 strings".into()))
    );
}

/// TensorProto { name: "w", data_type, dims, and the data }
fn tensor(data_type: u64, dims: &[u64], data: Vec<u8>) -> Vec<u8> {
    let dims = dims.iter().flat_map(|&size| integer(1, size));
    [dims.collect(), integer(2, data_type), field(8, "w"), data].concat()
}

fn constant(tensor: Vec<u8>) -> NodeDef {
    let bytes = model(&[field(5, tensor), node("n", "N", &["w"], &[], &[])]);
    nodes(&bytes).swap_remove(0)
}

#[test]
fn little_data_is_read_from_each_field() {
    let value = |tensor: Vec<u8>| match constant(tensor).attr.get("value")?.value.clone() {
        Some(AttrValue::Tensor(tensor)) => Some(tensor),
        other => panic!("{other:?}"),
    };
    let got = |data_type, data| value(tensor(data_type, &[2], data)).unwrap();
    let floats = [1.5f32.to_le_bytes(), (-2f32).to_le_bytes()].concat();
    assert_eq!(got(1, field(9, &floats)).float_val, [1.5, -2.0]);
    assert_eq!(got(1, field(4, &floats)).float_val, [1.5, -2.0]);
    let one_by_one = [
        vec![0x25],
        floats[..4].to_vec(),
        vec![0x25],
        floats[4..].to_vec(),
    ]
    .concat();
    assert_eq!(got(1, one_by_one).float_val, [1.5, -2.0]);
    let negative = [varint(-7i64 as u64), varint(300)].concat();
    assert_eq!(got(6, field(5, &negative)).int_val, [-7, 300]);
    assert_eq!(got(7, field(7, &negative)).int64_val, [-7, 300]);
    assert_eq!(got(5, field(5, &negative)).int_val, [-7, 300], "16 bits");
    assert_eq!(got(3, field(9, [0xff, 3])).int_val, [-1, 3]);
    assert_eq!(got(2, field(9, [0xff, 3])).int_val, [255, 3]);
    assert_eq!(got(9, field(5, [1, 0])).bool_val, [true, false]);
    assert_eq!(
        got(10, field(9, [0, 0x3c, 0, 0xc0])).half_val,
        [0x3c00, 0xc000]
    );
    assert_eq!(got(12, field(11, [5, 6])).uint32_val, [5, 6]);
    assert_eq!(
        got(14, field(4, [floats.clone(), floats].concat())).scomplex_val,
        [1.5, -2.0, 1.5, -2.0]
    );
    let strings = got(8, [field(6, "a"), field(6, [0xff])].concat());
    assert_eq!(strings.string_val, [&b"a"[..], b"\xff"]);

    for (why, dims, data) in [
        ("17 elements", &[17][..], field(9, [0; 17])),
        ("too few", &[3], field(9, [0; 2])),
        ("none", &[1], vec![]),
        ("no number", &[u64::MAX], field(9, [0; 1])),
        (
            "a product beyond all",
            &[1 << 40, 1 << 40],
            field(9, [0; 1]),
        ),
    ] {
        assert_eq!(value(tensor(2, dims, data)), None, "{why}");
    }
    assert_eq!(
        value(tensor(2, &[0], vec![])).map(|it| it.int_val),
        Some(vec![])
    );
    let elsewhere = constant(tensor(2, &[1], [field(9, [1]), integer(14, 1)].concat()));
    assert_eq!(
        elsewhere.attr["is_external"].value,
        Some(AttrValue::B(true))
    );
    assert!(!elsewhere.attr.contains_key("value"));
}

#[test]
fn weights_are_left_out() {
    let weights = |count: usize| {
        let data = field(9, vec![0x3f; count]);
        let attribute = [
            field(1, "value"),
            field(5, tensor(2, &[count as u64], data.clone())),
        ];
        model(&[
            field(5, tensor(2, &[count as u64], data)),
            node("c", "Constant", &[], &["c"], &[attribute.concat()]),
            node("n", "N", &["w", "c"], &[], &[]),
        ])
    };
    let size = |bytes: &[u8]| Graph::from_onnx(bytes).unwrap().to_graph_def().len();
    assert!(size(&weights(10 << 20)) < size(&weights(17)) + 20);
}

#[test]
fn weights_are_not_copied() {
    let weights = field(5, tensor(2, &[1000], field(9, [0; 1000])));
    let bytes = Bytes::from(model(&[weights]));
    let model = ModelProto::decode(bytes.clone()).unwrap();
    let raw_data = &model.graph.unwrap().initializer[0].raw_data;
    assert_eq!(raw_data.len(), 1000);
    assert!(bytes.as_ptr_range().contains(&raw_data.as_ptr()));
}

#[test]
fn bodies_become_scopes_and_see_the_values_around_them() {
    let inner = [
        value(11, "i"),
        node("", "Add", &["i", "x"], &["sum"], &[]),
        value(12, "sum"),
    ];
    let body = [field(1, "body"), field(6, inner.concat()), integer(20, 5)].concat();
    let none = node("", "Relu", &["x"], &[""], &[]);
    let bodies = [field(1, "more"), field(11, &none), field(11, &none)].concat();
    let bytes = model(&[
        value(11, "x"),
        node("/loop", "Loop", &["x"], &["y"], &[body, bodies]),
        value(12, "y"),
    ]);
    let want = [
        "x = Placeholder()",
        "loop = Loop(x, ^loop/body/sum)",
        "loop/body/i = Placeholder()",
        "loop/body/sum_Add = Add(loop/body/i, x)",
        "loop/body/sum = Identity(loop/body/sum_Add)",
        "loop/more_0/Relu = Relu(x)",
        "loop/more_1/Relu = Relu(x)",
        "y = Identity(loop)",
    ];
    assert_eq!(lines(&bytes), want);
    let loop_node = &nodes(&bytes)[1];
    assert_eq!(
        loop_node.attr["body"].value,
        Some(AttrValue::S("loop/body".into()))
    );
}

/// A function of the domain "own" with the inputs a and b, and the output o, which its node makes.
fn function(name: &str, nodes: &[Vec<u8>]) -> Vec<u8> {
    // Nodes have the number 7 in a function and 1 in a graph.
    let nodes = nodes.iter().map(|node| [&[0x3a], &node[1..]].concat());
    let arguments = [
        field(4, "a"),
        field(4, "b"),
        field(5, "o"),
        field(10, "own"),
    ];
    let parts = [
        field(1, name),
        arguments.concat(),
        nodes.flatten().collect(),
    ];
    field(25, parts.concat())
}

fn call(name: &str, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    let node = node("", name, inputs, outputs, &[]);
    let Some((_, len)) = node.split_first_chunk::<2>() else {
        panic!()
    };
    field(1, [len, &field(7, "own")].concat())
}

#[test]
fn functions_are_expanded_in_each_call() {
    let bytes = [
        model(&[
            value(11, "x"),
            call("f", &["x", "x"], &["y"]),
            call("f", &["y"], &["z"]),
            value(12, "z"),
        ]),
        function("f", &[call("g", &["a", "b"], &["o"])]),
        function("g", &[node("sum", "Add", &["a", "b"], &["o"], &[])]),
        function("f", &[]), // another of the same name
    ];
    let want = [
        "x = Placeholder()",
        "y = f(x, x, ^y/o)",
        "y/o_g = g(x, x, ^y/o_g/o)",
        "y/o_g/sum = Add(x, x)",
        "y/o_g/o = Identity(y/o_g/sum)",
        "y/o = Identity(y/o_g)",
        "z_f = f(y, ^z_f/o)",
        "z_f/o_g = g(y, ^z_f/o_g/o)",
        "z_f/o_g/sum = Add(y)",
        "z_f/o_g/o = Identity(z_f/o_g/sum)",
        "z_f/o = Identity(z_f/o_g)",
        "z = Identity(z_f)",
    ];
    assert_eq!(lines(&bytes.concat()), want);
}

#[test]
fn graphs_that_break_the_rules_of_onnx_are_shown() {
    let circle = [
        node("a", "A", &["b"], &["a"], &[]),
        node("b", "B", &["a"], &["b"], &[]),
        node("c", "C", &["c"], &["c"], &[]),
    ];
    assert_eq!(lines(&model(&circle)), ["a = A(b)", "b = B(a)", "c = C(c)"]);
    let doubles = [
        value(11, "x"),
        value(11, "x"),
        node("a", "A", &["x"], &["v"], &[]),
        node("a", "A", &["v"], &["v"], &[]),
        node("", "", &["v"], &[], &[]),
        node("", "", &[""], &["", ""], &[]),
        node("", "valueOf", &[], &[], &[]),
        value(12, "v"),
        value(12, "v"),
    ];
    let want = [
        "x = Placeholder()",
        "x_input = Placeholder()",
        "a = A(x)",
        "a_A = A(a)",
        "unnamed = (a)",
        "unnamed_1 = ()",
        "valueOf_ = valueOf_()",
        "v = Identity(a)",
        "v_output = Identity(a)",
    ];
    assert_eq!(lines(&model(&doubles)), want);
}

#[test]
fn bytes_that_are_not_a_model_are_refused() {
    for (bytes, want) in [
        (&b""[..], "expected a model with a graph, got one without"),
        // 0x50, 0x4b: the field 10 with the number 75; 0x03: the field 0.
        (
            b"PK\x03\x04",
            r#"expected an ONNX model, got 4 bytes that start with "PK\x03\x04": "#,
        ),
        // 0x89, 0x50: the field 1281 of eight bytes, of which there are two.
        (
            b"\x89PNG",
            r#"expected an ONNX model, got 4 bytes that start with "\x89PNG": "#,
        ),
    ] {
        let problem = problem(bytes);
        assert!(problem.starts_with(want), "{problem}");
    }
    assert_eq!(
        Graph::from_onnx(model(&[])).unwrap_err().to_string(),
        "graph: expected 1 to 131072 nodes, got 0"
    );
    for (graph, want) in [
        (
            node("a", "A", &["x"], &[], &[]),
            "node \"a\": expected an input that something makes, got \"x\"",
        ),
        (
            value(12, "y"),
            "node \"y\": expected an input that something makes, got \"y\"",
        ),
    ] {
        assert_eq!(problem(&model(&[graph])), want);
    }
    let cut = model(&[node("s/a", "A", &[], &[], &[integer(3, 1)[..1].to_vec()])]);
    let problem = problem(&cut);
    assert!(problem.contains("NodeProto.attribute"), "{problem}");
}

#[test]
fn models_that_are_cut_are_refused() {
    let bytes = model(&[
        value(11, "x"),
        field(5, tensor(1, &[2], field(9, [0; 8]))),
        node("a", "A", &["x", "w"], &["y"], &[]),
        value(12, "y"),
    ]);
    for end in 0..bytes.len() {
        assert!(Graph::from_onnx(&bytes[..end]).is_err(), "{end}");
    }
    // A graph that announces 2^63 - 1 bytes.
    let huge = [&b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"[..], &bytes].concat();
    is_refused(&huge, "expected an ONNX model");
}

fn is_refused(bytes: &[u8], want: &str) {
    let got = problem(bytes);
    assert!(got.contains(want), "{got}, not {want}");
    assert!(got.len() < 300, "{got}");
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |depth| {
        let mut graph = node("n", "N", &[], &[], &[]);
        for _ in 0..depth {
            let attribute = [field(1, "g"), field(6, graph)].concat();
            graph = node("n", "N", &[], &[], &[attribute]);
        }
        field(7, graph)
    };
    // A model, and a graph, a node and an attribute for each body, are 100 messages.
    assert!(Graph::from_onnx(nested(32)).is_ok());
    is_refused(&nested(33), "recursion limit reached");
    is_refused(&nested(1000), "recursion limit reached");
    let mut r#type = Vec::new();
    for _ in 0..1000 {
        r#type = field(4, field(1, r#type));
    }
    let value = field(11, [field(1, "x"), field(2, r#type)].concat());
    is_refused(&model(&[value]), "recursion limit reached");
}

#[test]
fn functions_that_call_themselves_are_refused() {
    let bytes = [
        model(&[call("f", &[], &["y"])]),
        function("f", &[call("f", &[], &["o"])]),
    ];
    is_refused(
        &bytes.concat(),
        "expected bodies and calls of functions nested at most 64 deep, got more",
    );
}

#[test]
fn functions_that_call_each_other_exponentially_often_are_refused() {
    // Each calls the next ten times: 10^20 nodes.
    let mut bytes = model(&[call("f0", &[], &["y"])]);
    for index in 0..20 {
        let calls = vec![call(&format!("f{}", index + 1), &[], &["o"]); 10];
        bytes.extend(function(&format!("f{index}"), &calls));
    }
    is_refused(
        &bytes,
        "expected at most 131072 nodes, with those of bodies and of functions in each call, got more",
    );
}

#[test]
fn functions_with_too_many_bytes_in_all_their_calls_are_refused() {
    // A function of 8 MiB in each of 40 calls.
    let attribute = [field(1, "a"), field(4, vec![1; 8 << 20])].concat();
    let body = [node("n", "N", &[], &["o"], &[attribute])];
    let calls = vec![call("f", &[], &["y"]); 40];
    let bytes = [model(&calls), function("f", &body)].concat();
    is_refused(
        &bytes,
        "expected functions of at most 268435456 bytes in all their calls, got more up to here",
    );
}

#[test]
fn too_many_nodes_are_refused() {
    let nodes = |count| field(7, b"\x0a\0".repeat(count));
    assert!(Graph::from_onnx(nodes(131_072)).is_ok());
    is_refused(&nodes(131_073), "expected at most 131072 nodes");
}

#[test]
fn models_of_2_gib_are_refused() {
    // Zeros that are never read take no memory.
    assert_eq!(
        Graph::from_onnx(vec![0; 1 << 31]).unwrap_err().to_string(),
        "onnx: expected a model of at most 2147483647 bytes, got 2147483648"
    );
}

#[test]
fn a_tensor_that_declares_more_elements_than_memory_has_is_only_named() {
    let bytes = model(&[field(5, tensor(1, &[1 << 40, 1 << 40], vec![]))]);
    let [constant] = &nodes(&bytes)[..] else {
        panic!()
    };
    assert!(!constant.attr.contains_key("value"));
    let Some(AttrValue::Shape(shape)) = &constant.attr["shape"].value else {
        panic!()
    };
    assert_eq!(shape.dim[0].size, 1 << 40);
}

#[test]
fn shapes_and_names_that_are_used_often_are_refused_beyond_64_mib() {
    // A dimension with a name of 10,000 bytes for 10,000 outputs.
    let dims = field(2, field(1, field(2, "d".repeat(10_000))));
    let typed = [
        field(1, "x"),
        field(2, field(1, [integer(1, 1), dims].concat())),
    ]
    .concat();
    let outputs = node("n", "N", &[], &["x"; 10_000], &[]);
    let want = "expected a graph of at most 67108864 bytes without weights, got more";
    is_refused(&model(&[field(13, typed), outputs]), want);
    // A name of 400 bytes for 200,000 inputs.
    let long = node(&"a".repeat(400), "N", &[], &["v"], &[]);
    let inputs = node("n", "N", &["v"; 200_000], &[], &[]);
    is_refused(&model(&[long, inputs]), want);
    // A description of 1000 bytes for 100,000 outputs.
    let outputs = value(12, "v").repeat(100_000);
    let made = node("n", "N", &[], &["v"], &[]);
    let bytes = [field(6, "d".repeat(1000)), model(&[made, outputs])].concat();
    is_refused(&bytes, want);
}

#[test]
fn large_models_are_accepted() {
    let weights = (0..5_000).map(|index| {
        let name = field(8, format!("model.layers.{index}.weight"));
        field(
            5,
            [tensor(1, &[4096, 4096], field(9, [0; 300])), name].concat(),
        )
    });
    let nodes = (0..15_000).map(|index| {
        let attribute = [field(1, "axes"), field(8, [1, 2])].concat();
        let weights = format!("model.layers.{}.weight", index % 5_000);
        let output = format!("/model/layers.{index}/MatMul_output_0");
        let inputs = [&*weights, &*weights];
        node(
            &format!("/model/layers.{index}/MatMul"),
            "MatMul",
            &inputs,
            &[&output],
            &vec![attribute; 4],
        )
    });
    let graph: Vec<_> = weights.chain(nodes).collect();
    assert_eq!(
        Graph::from_onnx(model(&graph)).unwrap().0.node.len(),
        20_000
    );
}

#[test]
fn long_names_are_cut() {
    // A node with a long name is the input of 50,000 others.
    let name = "a/".repeat(100_000);
    let mut graph = vec![node(&name, "N", &[], &["v"], &[])];
    graph.extend(vec![node("n", "N", &["v"], &[], &[]); 50_000]);
    assert!(
        Graph::from_onnx(model(&graph))
            .unwrap()
            .to_graph_def()
            .len()
            < 40 << 20
    );
}

/// Files that the package `onnx` wrote: functions, bodies, and initializers of each type.
const FILES: [&[u8]; 3] = [
    include_bytes!("../../../tests/data/golden/functions.onnx"),
    include_bytes!("../../../tests/data/golden/bodies.onnx"),
    include_bytes!("../../../tests/data/golden/weights.onnx"),
];

#[test]
fn damaged_files_give_a_graph_or_an_error() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut errors = 0;
    for file in FILES {
        assert!(Graph::from_onnx(file).is_ok());
        for _ in 0..1000 {
            let mut bytes = file.to_vec();
            for _ in 0..random.usize(1..4) {
                damage(&mut bytes, &mut random);
            }
            match Graph::from_onnx(&bytes) {
                Ok(graph) => assert!(Graph::from_graph_def(graph.to_graph_def()).is_ok()),
                Err(error) => {
                    assert!(error.to_string().len() < 600, "{error}");
                    errors += 1;
                }
            }
        }
    }
    assert!((300..3000).contains(&errors), "{errors} of 3000");
}

/// Changes a bit or a byte, cuts the end off, or inserts a piece of a file or overwrites bytes with it.
fn damage(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let Some(at) = random.choice(0..bytes.len()) else {
        return;
    };
    let file = FILES[random.usize(..FILES.len())];
    let from = random.usize(..file.len());
    let piece = &file[from..(from + random.usize(..100)).min(file.len())];
    match random.u8(..5) {
        0 => bytes[at] ^= 1 << random.u8(..8),
        1 => bytes[at] = random.u8(..),
        2 => bytes.truncate(at),
        3 => drop(bytes.splice(at..at, piece.iter().copied())),
        _ => drop(bytes.splice(
            at..(at + piece.len()).min(bytes.len()),
            piece.iter().copied(),
        )),
    }
}
