use super::*;
use crate::proto::attr_value::Value as AttrValue;
use crate::proto::{DataType, NodeDef};

/// A field of bytes, as the wire has it.
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
fn types_and_what_is_told_of_the_model_are_attributes() {
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
    let graph = [
        field(2, "net"),
        field(11, typed),
        field(12, small),
        field(12, sequence),
        node("n", "Relu", &["x"], &["y", "z"], &[field(1, "dtype")]),
    ];
    let about = [
        field(2, "pytorch"),
        field(3, "2.9"),
        field(8, integer(2, 21)),
    ];
    let bytes = [
        about.concat(),
        field(8, [field(1, "own"), integer(2, 1)].concat()),
        model(&graph),
    ];
    let [x, n, y, z] = &nodes(&bytes.concat())[..] else {
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
    assert_eq!(attr(n, "model"), None);
    let Some(AttrValue::List(shapes)) = attr(n, "_output_shapes") else {
        panic!()
    };
    assert_eq!(shapes.shape.len(), 2);
}

#[test]
fn attributes_are_of_the_kind_that_is_named_or_there() {
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
            AttrValue::S("an attribute of the kind 99".into()),
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
fn little_data_is_there_in_whichever_field_it_stands() {
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
fn weights_stay_in_the_file() {
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
    assert!(size(&weights(100 << 20)) < size(&weights(17)) + 20);
}

#[test]
fn bodies_are_scopes_that_see_what_is_around_them() {
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
    // The nodes of a function have another number than those of a graph.
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
fn functions_show_in_each_of_their_calls() {
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
fn graphs_that_break_the_rules_are_shown_as_they_are() {
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
fn what_is_no_model_is_refused() {
    for (bytes, want) in [
        (&b""[..], "it has no graph: is it a model?"),
        // 0x50, 0x4b: field 10, the number 75; 0x03: field 0 of type 3.
        (
            b"PK\x03\x04",
            "byte 2, in ModelProto: wire type 3, 0, 1, 2 and 5 fit",
        ),
        // 0x89, 0x50: field 1281 of type 1, eight bytes, of which there are two.
        (
            b"\x89PNG",
            "byte 2, in ModelProto: the end of it within a field",
        ),
    ] {
        assert_eq!(problem(bytes), want);
    }
    assert_eq!(
        Graph::from_onnx(model(&[])).unwrap_err().to_string(),
        "graph: it has no node, one or more fit"
    );
    for (graph, want) in [
        (
            vec![node("a", "A", &["x"], &[], &[])],
            "node \"a\": nothing makes the value \"x\" that it takes",
        ),
        (
            vec![value(12, "y")],
            "node \"y\": nothing makes the value \"y\" that it takes",
        ),
        (
            vec![node("s/a", "A", &[], &[], &[integer(3, 1)[..1].to_vec()])],
            "byte 15, in AttributeProto: the end of it within a field",
        ),
    ] {
        assert_eq!(problem(&model(&graph)), want);
    }
}

#[test]
fn a_model_that_is_cut_is_refused_or_another_one() {
    let parts = [
        value(11, "x"),
        field(5, tensor(1, &[2], field(9, [0; 8]))),
        node("a", "A", &["x", "w"], &["y"], &[]),
        value(12, "y"),
    ];
    let bytes = model(&parts);
    for end in 0..bytes.len() {
        assert!(Graph::from_onnx(&bytes[..end]).is_err(), "{end}");
    }
    let graph = parts.concat();
    let mut start = 0;
    for part in &parts {
        for end in start + 1..start + part.len() {
            let bytes = field(7, &graph[..end]);
            assert_eq!(
                problem(&bytes),
                cut("GraphProto", part, end - start, bytes.len())
            );
        }
        start += part.len();
    }
    let without_output = field(7, &graph[..graph.len() - parts[3].len()]);
    assert_eq!(nodes(&without_output).len(), 3);
    let announced = [&b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"[..], &bytes].concat();
    let left = bytes.len();
    let want = format!(
        "byte 10, in ModelProto: {} bytes are announced, {left} are left",
        i64::MAX
    );
    assert_eq!(problem(&announced), want);
}

/// What is wrong with a message of which the last field has `end` of its bytes only, where the file ends: the number and the
/// length of the field are a byte each.
fn cut(kind: &str, field: &[u8], end: usize, file_len: usize) -> String {
    let left = match end {
        1 => return format!("byte {file_len}, in {kind}: the end of it within a field"),
        _ => end - 2,
    };
    let announced = field.len() - 2;
    let at = file_len - left;
    format!("byte {at}, in {kind}: {announced} bytes are announced, {left} are left")
}

#[test]
fn a_message_that_is_cut_is_refused_by_its_byte_and_kind() {
    // Messages in each other, with their numbers in the one around.
    let paths: [&[(u8, &str)]; 6] = [
        &[
            (7, "GraphProto"),
            (1, "NodeProto"),
            (5, "AttributeProto"),
            (5, "TensorProto"),
        ],
        &[
            (7, "GraphProto"),
            (1, "NodeProto"),
            (5, "AttributeProto"),
            (6, "GraphProto"),
            (5, "TensorProto"),
        ],
        &[
            (7, "GraphProto"),
            (11, "ValueInfoProto"),
            (2, "TypeProto"),
            (1, "TypeProto.Tensor"),
            (2, "TensorShapeProto"),
            (1, "Dimension"),
        ],
        &[
            (7, "GraphProto"),
            (15, "SparseTensorProto"),
            (1, "TensorProto"),
        ],
        &[(25, "FunctionProto"), (7, "NodeProto")],
        &[(8, "OperatorSetIdProto")],
    ];
    let inner = field(14, "abc");
    for path in paths {
        for depth in 1..=path.len() {
            for end in 1..inner.len() {
                let mut bytes = inner[..end].to_vec();
                for (number, _) in path[..depth].iter().rev() {
                    bytes = field(*number, bytes);
                }
                let graph = field(7, ""); // the last counts
                let is_of_graph = path[0].0 == 7;
                let file = match is_of_graph {
                    true => bytes,
                    false => [graph, bytes].concat(),
                };
                let (_, kind) = path[depth - 1];
                assert_eq!(problem(&file), cut(kind, &inner, end, file.len()));
            }
        }
    }
}

/// Refused by its limit, before it has taken what it asks for.
fn is_refused_soon(bytes: &[u8], want: &str) {
    let got = problem(bytes);
    assert!(got.contains(want), "{got}, not {want}");
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
    assert!(Graph::from_onnx(nested(64)).is_ok());
    is_refused_soon(
        &nested(65),
        "it is in bodies and functions 64 deep, no more fit",
    );
    is_refused_soon(
        &nested(1000),
        "it is in bodies and functions 64 deep, no more fit",
    );
    let mut r#type = Vec::new();
    for _ in 0..1000 {
        r#type = field(4, field(1, r#type));
    }
    let value = field(11, [field(1, "x"), field(2, r#type)].concat());
    is_refused_soon(&model(&[value]), "types are nested more than 8 deep");
}

#[test]
fn functions_that_call_themselves_are_refused() {
    let bytes = [
        model(&[call("f", &[], &["y"])]),
        function("f", &[call("f", &[], &["o"])]),
    ];
    is_refused_soon(
        &bytes.concat(),
        "it is in bodies and functions 64 deep, no more fit",
    );
    // Each calls the next ten times: 10^20 nodes.
    let mut bytes = model(&[call("f0", &[], &["y"])]);
    for index in 0..20 {
        let calls = vec![call(&format!("f{}", index + 1), &[], &["o"]); 10];
        bytes.extend(function(&format!("f{index}"), &calls));
    }
    is_refused_soon(&bytes, "it has more than 131072 nodes");
}

#[test]
fn functions_that_are_long_are_not_read_for_ever() {
    // A body of 8 MiB in each of 100,000 calls.
    let attribute = [field(1, "a"), field(31, vec![1; 8 << 20])].concat();
    let body = [node("n", "N", &[], &["o"], &[attribute])];
    let calls = vec![call("f", &[], &["y"]); 100_000];
    let bytes = [model(&calls), function("f", &body)].concat();
    is_refused_soon(
        &bytes,
        "functions have more than 268435456 bytes in their calls",
    );
}

#[test]
fn huge_counts_are_refused() {
    // Messages of two bytes: nodes. What others take in memory is tested where it is counted.
    let nodes = |count| field(7, b"\x0a\0".repeat(count));
    assert!(Graph::from_onnx(nodes(131_072)).is_ok());
    is_refused_soon(&nodes(131_073), "it has more than 131072 nodes");
    is_refused_soon(
        &nodes(5_000_000),
        "it takes more than 536870912 bytes of memory",
    );
}

#[test]
fn large_models_are_taken() {
    let weights = (0..20_000).map(|index| {
        let name = field(8, format!("model.layers.{index}.weight"));
        field(
            5,
            [tensor(1, &[4096, 4096], field(9, [0; 300])), name].concat(),
        )
    });
    let nodes = (0..60_000).map(|index| {
        let attribute = [field(1, "axes"), field(8, [1, 2])].concat();
        let weights = format!("model.layers.{}.weight", index % 20_000);
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
        80_000
    );
}

#[test]
fn names_that_are_long_do_not_multiply() {
    // A value of a long name in 100,000 places, which are short in the file.
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

/// Files that the package `onnx` has written: functions, bodies, and initializers of each type.
const FILES: [&[u8]; 3] = [
    include_bytes!("../../../tests/golden/functions.onnx"),
    include_bytes!("../../../tests/golden/bodies.onnx"),
    include_bytes!("../../../tests/golden/weights.onnx"),
];

#[test]
fn damaged_files_give_a_graph_or_an_error() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut errors = 0;
    for file in FILES {
        assert!(Graph::from_onnx(file).is_ok());
        for _ in 0..3000 {
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
    assert!((1000..9000).contains(&errors), "{errors} of 9000");
}

/// Changes a bit or a byte, cuts the end off, or puts a piece of a file elsewhere, over what is there or in between.
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
