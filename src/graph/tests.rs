use super::*;
use crate::proto::{DataType, FunctionDefLibrary, NodeDef, OpDef};

fn names(graph: &Graph) -> Vec<&str> {
    graph.0.node.iter().map(|node| &*node.name).collect()
}

fn node(name: &str) -> NodeDef {
    NodeDef {
        name: name.into(),
        ..Default::default()
    }
}

#[test]
fn nodes_are_written_as_they_were_added() {
    let mut graph = GraphBuilder::new();
    let x = graph.node("x", Op::new("Split").device("GPU:1"));
    graph.node(
        "s/y",
        Op::new("Add")
            .control("x")
            .input(&x)
            .input(x.output(1))
            .input("x:0")
            .input("x:12")
            .attr("b", true)
            .attr("b", false)
            .output_shape([None, Some(3)]),
    );
    // GraphDef, assembled by hand from the wire format; the lengths are in front of what they count.
    let want = [
        &b"\x0a\x19\x0a\x01x\x12\x05Split\x22\x0d/device:GPU:1"[..], // node: name, op, device
        b"\x0a\x51\x0a\x03s/y\x12\x03Add",
        b"\x1a\x01x\x1a\x03x:1\x1a\x01x\x1a\x04x:12\x1a\x02^x", // inputs; the control last
        b"\x2a\x27\x0a\x0e_output_shapes\x12\x15\x0a\x13",      // attr: key, value: list
        b"\x3a\x11\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x02\x08\x03", // shape: -1, 3
        b"\x2a\x07\x0a\x01b\x12\x02\x28\x00", // attr: b, false
        b"\x22\x02\x08\x16",                  // versions: producer 22
    ];
    assert_eq!(graph.build().unwrap().to_graph_def(), want.concat());
}

#[test]
fn scopes_nest_and_open_again() {
    let mut graph = GraphBuilder::new();
    let inner = graph.scope("a", |graph| {
        graph.node("x", Op::new("A"));
        graph.scope("b/c", |graph| graph.node("x", Op::new("B")))
    });
    assert_eq!(inner.name(), "a/b/c/x");
    graph.scope("a", |graph| graph.node("y", Op::new("C").input("a/x")));
    graph.node("a", Op::new("D").input(&inner)); // as the scope is called
    let graph = graph.build().unwrap();
    assert_eq!(names(&graph), ["a/x", "a/b/c/x", "a/y", "a"]);
}

#[test]
fn what_the_page_draws_may_go_in_circles() {
    let mut graph = GraphBuilder::new();
    graph.node("merge", Op::new("Merge").input("next").input("merge"));
    graph.node("next", Op::new("NextIteration").input("merge"));
    assert!(graph.build().is_ok());
}

#[test]
fn a_function_that_calls_a_function_is_refused_unless_it_comes_from_elsewhere() {
    for callees in [["g", "Relu"], ["g", "f"], ["Relu", "g"]] {
        let mut graph = GraphBuilder::new();
        let mut given = GraphDef::default();
        for (name, callee) in ["f", "g"].into_iter().zip(callees) {
            let mut function = Function::new(name);
            function.node("m", Op::new("Relu"));
            function.node("n", Op::new(callee));
            given
                .library
                .get_or_insert_default()
                .function
                .push(function.clone().build().unwrap());
            graph.function(function);
        }
        graph.node("x", Op::new("f"));
        given.node.push(node("x"));
        let [caller, callee] = match callees {
            ["Relu", _] => ["g", "g"],
            _ => ["f", "g"],
        };
        assert_eq!(
            graph.build().unwrap_err().to_string(),
            format!(
                "graph: function {caller:?}: node \"n\": it calls the function {callee:?}, at which the page fails"
            )
        );
        let given = given.encode_to_vec();
        let graph = Graph::from_graph_def(&given).unwrap();
        assert_eq!(graph.to_graph_def(), given);
    }
}

#[test]
fn calls_at_which_the_page_fails_are_refused() {
    let op = || Op::new("Relu");
    let call = || Op::new("f");
    for (nodes, want) in [
        (vec![("c", call()), ("d", op().input("c"))], None),
        (
            vec![
                ("x", op()),
                ("c", call().input("x")),
                ("d", op().input("c:1")),
            ],
            Some(
                "node \"d\": its input \"c:1\" is none of the 1 outputs of the function that \"c\" calls",
            ),
        ),
        (
            vec![("x", op()), ("c", call().input("x").input("x"))],
            Some("node \"c\": it has 2 inputs, at most 1 fit the function that it calls"),
        ),
        (
            vec![("x", op()), ("c", call().input("x").control("x"))],
            Some("node \"c\": it calls a function and has a control, at which the page fails"),
        ),
        (
            vec![("c", call()), ("d", op().control("c"))],
            Some("node \"d\": its control \"c\" calls a function, at which the page fails"),
        ),
    ] {
        let mut function = Function::new("f");
        let x = function.input("x", DataType::DtFloat);
        function.output("y", DataType::DtFloat, &x);
        let mut graph = GraphBuilder::new();
        graph.function(function);
        for (name, op) in nodes {
            graph.node(name, op);
        }
        let problem = graph.build().err().map(|error| error.to_string());
        assert_eq!(problem, want.map(|want| format!("graph: {want}")));
    }
    // GraphDef { node { name: "c" op: "f" } node { name: "d" op: "g" input: "c:1" }
    //            library { function { signature { name: "f" output_arg { name: "y" } } } } }
    let nodes = b"\x0a\x06\x0a\x01c\x12\x01f\x0a\x0b\x0a\x01d\x12\x01g\x1a\x03c:1";
    let library = b"\x12\x0c\x0a\x0a\x0a\x08\x0a\x01f\x1a\x03\x0a\x01y";
    let error = Graph::from_graph_def([&nodes[..], library].concat()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "graph: node \"d\": its input \"c:1\" is none of the 1 outputs of the function that \"c\" calls"
    );
}

#[test]
fn calls_are_refused_where_they_are_too_deep() {
    let deep = |count| {
        let mut call = Call::new("f");
        for _ in 1..count {
            call = Call::new("f").attr("a", [call]);
        }
        call
    };
    // In a function as deep as messages get, and a tensor in it.
    let tensor = crate::Tensor::strings([1], ["x"]).unwrap();
    let mut inner = Call::new("f").attr("a", [tensor]);
    for _ in 1..20 {
        inner = Call::new("f").attr("a", [inner]);
    }
    let mut function = Function::new("f");
    function.node("n", Op::new("N").attr("a", [inner]));
    let mut graph = GraphBuilder::new();
    graph.function(function);
    graph.node("x", Op::new("N").attr("a", deep(20)));
    let bytes = graph.build().unwrap().to_graph_def();
    assert!(Graph::from_graph_def(bytes).is_ok());

    // So many that neither dropping nor encoding them would end well.
    for count in [21, 100_000] {
        let mut graph = GraphBuilder::new();
        graph.node("x", Op::new("N").attr("b", 1).attr("a", deep(count)));
        assert_eq!(
            graph.build().unwrap_err().to_string(),
            "graph: node \"x\": its attribute \"a\" has calls more than 20 deep"
        );
        let mut graph = GraphBuilder::new();
        graph.node("x", Op::new("N").attr("a", deep(count)).attr("a", 1));
        assert!(graph.build().is_ok());
    }
}

#[test]
fn a_graph_is_as_large_as_bytes_from_elsewhere_may_be() {
    // GraphDef { node { name: "x" attr { key: "a" value { s: … } } } versions { producer: 22 } }: four numbers of fields,
    // and lengths of four bytes each, as those of about 64 Mi are; the name, the key, the versions.
    let around = 4 * (1 + 4) + 3 + 3 + 4;
    let graph = |count| {
        let mut graph = GraphBuilder::new();
        graph.node("x", Op::new("").attr("a", Attr::bytes(vec![0; count])));
        graph.build()
    };
    let largest = graph((64 << 20) - around).unwrap().to_graph_def();
    assert_eq!(largest.len(), 64 << 20);
    assert!(Graph::from_graph_def(largest).is_ok());
    assert_eq!(
        graph((64 << 20) - around + 1).unwrap_err().to_string(),
        "graph: it has 67108865 bytes, at most 67108864 fit"
    );
}

#[test]
fn a_graph_that_takes_too_much_memory_is_refused() {
    for (bytes, count) in [(&b"\x0a\0"[..], 32 << 20), (b"\x0a\x02\x2a\0", 1 << 20)] {
        let error = Graph::from_graph_def(bytes.repeat(count)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "graph: it takes more than 536870912 bytes of memory"
        );
    }
}

#[test]
fn what_is_no_graph_is_refused_by_the_name_of_the_node() {
    let rule = "ASCII letters, digits, `.`, and after the first also `_`, `-`, `>`, `\\`, `/` fit";
    let op = || Op::new("Relu");
    for (nodes, want) in [
        (vec![], "graph: it has no node, one or more fit".to_owned()),
        (
            vec![("a", op()), ("a", op())],
            "graph: node \"a\": another node has its name".into(),
        ),
        (
            vec![("a", op().input("b:1"))],
            "graph: node \"a\": it has the input \"b\", no node has that name".into(),
        ),
        (
            vec![("a", op()), ("b", op().control("^a"))],
            "graph: node \"b\": it has the control \"^a\", no node has that name".into(),
        ),
        (
            vec![("a b", op())],
            format!("graph: node \"a b\": its name has ' ' at byte 1, {rule}"),
        ),
        (
            vec![("a/Größe", op())],
            format!("graph: node \"a/Größe\": its name has 'ö' at byte 4, {rule}"),
        ),
        (
            vec![("", op())],
            "graph: node \"\": its name is empty before the first `/`, any other text fits".into(),
        ),
        (
            vec![("constructor/a", op())],
            "graph: node \"constructor/a\": its name begins with \"constructor\", a word of JavaScript, at which the page fails".into(),
        ),
        (
            vec![("a", Op::new("toString"))],
            "graph: node \"a\": its op is \"toString\", a word of JavaScript, at which the page fails".into(),
        ),
    ] {
        let mut graph = GraphBuilder::new();
        for (name, op) in nodes {
            graph.node(name, op);
        }
        assert_eq!(graph.build().unwrap_err().to_string(), want);
    }
}

#[test]
fn a_function_has_the_nodes_that_the_page_looks_for() {
    let mut cell = Function::new("__cell");
    let x = cell.input("x", DataType::DtFloat);
    let sum = cell.scope("s", |cell| {
        let parts = cell.node("Split", Op::new("Split").input(&x));
        cell.node("Add", Op::new("Add").input(&parts).input(parts.output(1)))
    });
    cell.node("z", Op::new("Tanh").input(&sum).control("x"));
    cell.output("y", DataType::DtFloat, &sum);
    cell.output("z", DataType::DtFloat, "z");
    let mut graph = GraphBuilder::new();
    graph.function(cell);
    graph.node("a", Op::new("__cell"));
    let graph = graph.build().unwrap().0;

    let function = &graph.library.unwrap().function[0];
    let signature = function.signature.as_ref().unwrap();
    assert_eq!(signature.name, "__cell");
    assert_eq!(signature.input_arg[0].name, "x");
    assert_eq!(signature.input_arg[0].r#type, 1);
    let nodes: Vec<_> = function
        .node_def
        .iter()
        .map(|node| (&*node.name, &*node.op, node.input.join(" ")))
        .collect();
    let want = [
        ("s/Split", "Split", "x".to_owned()),
        ("s/Add", "Add", "s/Split:output:0 s/Split:output:1".into()),
        ("z", "Tanh", "s/Add:output:0 ^x".into()),
        ("y", "Identity", "s/Add:output:0".into()),
    ];
    assert_eq!(nodes, want);
    let ret = [("y", "y:output:0"), ("z", "z:output:0")];
    assert_eq!(
        function.ret,
        ret.map(|(name, value)| (name.into(), value.into())).into()
    );
}

#[test]
fn what_is_no_function_is_refused_by_its_name() {
    let function = |name: &str, inputs: &[&str], op: Op| {
        let mut function = Function::new(name);
        for input in inputs {
            function.input(*input, DataType::DtFloat);
        }
        function.node("n", op);
        function
    };
    // An input, two nodes, and outputs that are the input or the node of their name, or another node.
    let with_outputs = |outputs: &[&str]| {
        let mut function = function("f", &["x"], Op::new("Relu"));
        function.node("m", Op::new("Relu"));
        for &output in outputs {
            let value = if output == "m" { "n" } else { output };
            function.output(output, DataType::DtFloat, value);
        }
        function
    };
    let op = || Op::new("Relu");
    for (functions, want) in [
        (
            vec![function("a/b", &[], op())],
            "graph: function \"a/b\": its name is empty or has a `/`, any other text fits",
        ),
        (
            vec![function("f", &[], op()), function("f", &[], op())],
            "graph: function \"f\": another function has its name",
        ),
        (
            vec![function("f", &["x", "x"], op())],
            "graph: function \"f\": two inputs or outputs have the name \"x\"",
        ),
        (
            vec![with_outputs(&["x"])],
            "graph: function \"f\": two inputs or outputs have the name \"x\"",
        ),
        (
            vec![with_outputs(&["n", "n"])],
            "graph: function \"f\": two inputs or outputs have the name \"n\"",
        ),
        (
            vec![with_outputs(&["m"])],
            "graph: function \"f\": node \"m\": another node has its name",
        ),
        (
            vec![function("f", &["n"], op())],
            "graph: function \"f\": node \"n\": another node has its name",
        ),
        (
            vec![function("f", &["x"], op().input("y"))],
            "graph: function \"f\": node \"n\": it has the input \"y\", no node has that name",
        ),
    ] {
        let mut graph = GraphBuilder::new();
        graph.node("x", op());
        for function in functions {
            graph.function(function);
        }
        assert_eq!(graph.build().unwrap_err().to_string(), want);
    }
}

#[test]
fn bytes_from_elsewhere_are_taken_as_they_are() {
    // Names as PyTorch's, an input from nowhere.
    let torch = GraphDef {
        node: vec![NodeDef {
            name: "Net/Linear[fc 1]/bias".into(),
            op: "aten::linear".into(),
            input: vec!["nowhere".into(), "^x:0".into()],
            ..Default::default()
        }],
        ..Default::default()
    };
    let graph = Graph::from_graph_def(torch.encode_to_vec()).unwrap();
    assert_eq!(graph.0, torch);
    // Unknown fields: debug_info of the graph (5), experimental_type of a node (7).
    let more = b"\x0a\x07\x0a\x01x\x3a\x02\x08\x01\x2a\x02\x08\x01";
    let graph = Graph::from_graph_def(more).unwrap();
    assert_eq!(graph.to_graph_def(), b"\x0a\x03\x0a\x01x");
}

#[test]
fn bytes_that_are_no_graph_are_refused() {
    let graph = |nodes: &[&str]| GraphDef {
        node: nodes.iter().map(|name| node(name)).collect(),
        ..Default::default()
    };
    let mut twice = graph(&["x"]);
    let function = crate::proto::FunctionDef {
        signature: Some(OpDef {
            name: "f".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    twice.library = Some(FunctionDefLibrary {
        function: vec![function.clone(), function],
        gradient: Vec::new(),
    });
    for (bytes, want) in [
        (vec![], "graph: it has no node, one or more fit"),
        (
            graph(&["x", "y", "x"]).encode_to_vec(),
            "graph: node \"x\": another node has its name",
        ),
        (
            graph(&[""]).encode_to_vec(),
            "graph: node \"\": its name is empty before the first `/`, any other text fits",
        ),
        (
            graph(&["toString"]).encode_to_vec(),
            "graph: node \"toString\": its name begins with \"toString\", a word of JavaScript, at which the page fails",
        ),
        (
            twice.encode_to_vec(),
            "graph: function \"f\": another function has its name",
        ),
        (
            vec![0; MAX_GRAPH_DEF_BYTES + 1],
            "graph: 67108865 bytes are given, at most 67108864 fit",
        ),
    ] {
        assert_eq!(Graph::from_graph_def(bytes).unwrap_err().to_string(), want);
    }
    let bytes = graph(&["long name", "y"]).encode_to_vec();
    for end in (1..bytes.len()).filter(|&end| end != bytes.len() - 5) {
        let error = Graph::from_graph_def(&bytes[..end])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("graph: byte "), "{end}: {error}");
    }
    let error = Graph::from_graph_def(b"\x0a\x03\x0a\x01\xff").unwrap_err();
    let want = "graph: 5 bytes are no GraphDef: ";
    assert!(error.to_string().starts_with(want), "{error}");
}

#[test]
fn messages_are_as_deep_as_any_reader_takes_them() {
    // A node, its attribute and the value are three messages, a call, its attribute and the value three more.
    let nested = |depth: usize| {
        let empty = vec![0x0a, 0]; // a list in a value
        let mut value = if depth.is_multiple_of(3) {
            Vec::new()
        } else {
            empty
        };
        for _ in 1..depth / 3 {
            value = field(10, field(2, field(2, value)));
        }
        field(1, [field(1, "x"), field(5, field(2, value))].concat())
    };
    let limit = "messages are more than 100 deep in each other";
    for (depth, is_taken) in [(99, true), (100, true), (102, false), (3000, false)] {
        let bytes = nested(depth);
        // The crate that decodes has the same limit.
        assert_eq!(GraphDef::decode(&bytes[..]).is_ok(), is_taken, "{depth}");
        match Graph::from_graph_def(&bytes) {
            Ok(graph) => assert!(is_taken && graph.to_graph_def().len() <= bytes.len()),
            Err(error) => assert!(!is_taken && error.to_string().ends_with(limit), "{error}"),
        }
    }
}

/// A field of bytes, as the wire has it.
fn field(tag: u32, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut field = Vec::new();
    prost::encoding::bytes::encode(tag, &bytes.as_ref().to_vec(), &mut field);
    field
}
