use prost::Message;

use super::graph_def::MAX_GRAPH_DEF_BYTES;
use super::*;
use crate::proto::{DataType, FunctionDefLibrary, GraphDef, NodeDef, OpDef};

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
fn nodes_are_encoded_in_the_order_of_their_addition() {
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
    // GraphDef, assembled by hand from the wire format.
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
fn scopes_can_be_nested_and_opened_again() {
    let mut graph = GraphBuilder::new();
    let inner = graph.scope("a", |graph| {
        graph.node("x", Op::new("A"));
        graph.scope("b/c", |graph| graph.node("x", Op::new("B")))
    });
    assert_eq!(inner.name(), "a/b/c/x");
    graph.scope("a", |graph| graph.node("y", Op::new("C").input("a/x")));
    graph.node("a", Op::new("D").input(&inner)); // has the name of the scope
    let graph = graph.build().unwrap();
    assert_eq!(names(&graph), ["a/x", "a/b/c/x", "a/y", "a"]);
}

#[test]
fn edges_may_form_a_cycle() {
    let mut graph = GraphBuilder::new();
    graph.node("merge", Op::new("Merge").input("next").input("merge"));
    graph.node("next", Op::new("NextIteration").input("merge"));
    assert!(graph.build().is_ok());
}

#[test]
fn a_function_that_calls_a_function_is_accepted_only_from_bytes() {
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
                "graph: function {caller:?}: node \"n\": expected no call, because the page fails at calls in functions, got one of {callee:?}"
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
                "node \"d\": expected one of the 1 outputs of the function that \"c\" calls as input, got \"c:1\"",
            ),
        ),
        (
            vec![("x", op()), ("c", call().input("x").input("x"))],
            Some("node \"c\": expected at most 1 inputs, as many as the function has, got 2"),
        ),
        (
            vec![("x", op()), ("c", call().input("x").control("x"))],
            Some(
                "node \"c\": expected no control of a call of a function, because the page fails at it",
            ),
        ),
        (
            vec![("c", call()), ("d", op().control("c"))],
            Some(
                "node \"d\": expected a control that calls no function, because the page fails at it, got \"c\"",
            ),
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
        "graph: node \"d\": expected one of the 1 outputs of the function that \"c\" calls as input, got \"c:1\""
    );
}

#[test]
fn calls_nested_too_deep_are_refused() {
    let deep = |count| {
        let mut call = Call::new("f");
        for _ in 1..count {
            call = Call::new("f").attr("a", [call]);
        }
        call
    };
    // The deepest messages: a tensor in nested calls in a function.
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

    // Dropping or encoding the second would overflow the stack.
    for count in [21, 100_000] {
        let mut graph = GraphBuilder::new();
        graph.node("x", Op::new("N").attr("b", 1).attr("a", deep(count)));
        assert_eq!(
            graph.build().unwrap_err().to_string(),
            "graph: node \"x\": expected calls nested at most 20 deep in attribute \"a\", got more"
        );
        let mut graph = GraphBuilder::new();
        graph.node("x", Op::new("N").attr("a", deep(count)).attr("a", 1));
        assert!(graph.build().is_ok());
    }
}

#[test]
fn a_graph_has_at_most_64_mib() {
    // GraphDef { node { name: "x" attr { key: "a" value { s: … } } } versions { producer: 22 } }: four fields with lengths
    // of four bytes each, and the name, the key and the versions.
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
        "graph: expected a graph of at most 67108864 bytes, got 67108865"
    );
}

#[test]
fn errors_name_the_node() {
    let rule = "expected a name of ASCII letters, digits, `.`, and after the first character `_`, `-`, `>`, `\\`, `/`";
    let op = || Op::new("Relu");
    for (nodes, want) in [
        (vec![], "graph: expected 1 to 131072 nodes, got 0".to_owned()),
        (
            vec![("a", op()), ("a", op())],
            "graph: node \"a\": expected a unique name, got that of another node".into(),
        ),
        (
            vec![("a", op().input("b:1"))],
            "graph: node \"a\": expected the name of a node as input, got \"b\"".into(),
        ),
        (
            vec![("a", op()), ("b", op().control("^a"))],
            "graph: node \"b\": expected the name of a node as control, got \"^a\"".into(),
        ),
        (
            vec![("a b", op())],
            format!("graph: node \"a b\": {rule}, got ' ' at byte 1"),
        ),
        (
            vec![("a/Größe", op())],
            format!("graph: node \"a/Größe\": {rule}, got 'ö' at byte 4"),
        ),
        (
            vec![("", op())],
            "graph: node \"\": expected a name that is not empty and does not begin with `/`".into(),
        ),
        (
            vec![("constructor/a", op())],
            "graph: node \"constructor/a\": expected another start of the name, because the page fails at it, got \"constructor\"".into(),
        ),
        (
            vec![("a", Op::new("toString"))],
            "graph: node \"a\": expected another op, because the page fails at it, got \"toString\"".into(),
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
fn a_function_has_a_node_for_each_output() {
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
fn errors_name_the_function() {
    let function = |name: &str, inputs: &[&str], op: Op| {
        let mut function = Function::new(name);
        for input in inputs {
            function.input(*input, DataType::DtFloat);
        }
        function.node("n", op);
        function
    };
    // Outputs have the value of their own name, except `m`, whose value is another node.
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
            "graph: function \"a/b\": expected a name that is not empty and has no `/`",
        ),
        (
            vec![function("f", &[], op()), function("f", &[], op())],
            "graph: function \"f\": expected a unique name, got that of another function",
        ),
        (
            vec![function("f", &["x", "x"], op())],
            "graph: function \"f\": expected arguments with unique names, got \"x\" twice",
        ),
        (
            vec![with_outputs(&["x"])],
            "graph: function \"f\": expected arguments with unique names, got \"x\" twice",
        ),
        (
            vec![with_outputs(&["n", "n"])],
            "graph: function \"f\": expected arguments with unique names, got \"n\" twice",
        ),
        (
            vec![with_outputs(&["m"])],
            "graph: function \"f\": node \"m\": expected a unique name, got that of another node",
        ),
        (
            vec![function("f", &["n"], op())],
            "graph: function \"f\": node \"n\": expected a unique name, got that of another node",
        ),
        (
            vec![function("f", &["x"], op().input("y"))],
            "graph: function \"f\": node \"n\": expected the name of a node as input, got \"y\"",
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
fn graphs_of_other_programs_are_kept() {
    // A name of PyTorch, and an input that is not a node.
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
fn bytes_that_are_not_a_graph_are_refused() {
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
        (vec![], "graph: expected 1 to 131072 nodes, got 0"),
        (
            graph(&["x", "y", "x"]).encode_to_vec(),
            "graph: node \"x\": expected a unique name, got that of another node",
        ),
        (
            graph(&[""]).encode_to_vec(),
            "graph: node \"\": expected a name that is not empty and does not begin with `/`",
        ),
        (
            graph(&["toString"]).encode_to_vec(),
            "graph: node \"toString\": expected another start of the name, because the page fails at it, got \"toString\"",
        ),
        (
            twice.encode_to_vec(),
            "graph: function \"f\": expected a unique name, got that of another function",
        ),
        (
            vec![0; MAX_GRAPH_DEF_BYTES + 1],
            "graph: expected a graph of at most 67108864 bytes, got 67108865",
        ),
    ] {
        assert_eq!(Graph::from_graph_def(bytes).unwrap_err().to_string(), want);
    }
    let bytes = graph(&["long name", "y"]).encode_to_vec();
    for end in (1..bytes.len()).filter(|&end| end != bytes.len() - 5) {
        let error = Graph::from_graph_def(&bytes[..end])
            .unwrap_err()
            .to_string();
        let want = format!("graph: expected a GraphDef, got {end} bytes that start with ");
        assert!(error.starts_with(&want), "{error}");
    }
    let error = Graph::from_graph_def(b"\x0a\x03\x0a\x01\xff")
        .unwrap_err()
        .to_string();
    let want =
        "graph: expected a GraphDef, got 5 bytes that start with \"\\n\\x03\\n\\x01\\xff\": ";
    assert!(error.starts_with(want), "{error}");
    assert!(
        error.contains("NodeDef.name") && error.contains("UTF-8"),
        "{error}"
    );
}

#[test]
fn a_graph_has_at_most_131072_nodes() {
    let graph = |count: u32, function_count: u32| {
        let nodes = |count: u32| (0..count).map(|index| node(&index.to_string())).collect();
        let function = crate::proto::FunctionDef {
            node_def: nodes(function_count),
            ..Default::default()
        };
        let graph = GraphDef {
            node: nodes(count),
            library: Some(FunctionDefLibrary {
                function: vec![function],
                gradient: Vec::new(),
            }),
            versions: None,
        };
        Graph::from_graph_def(graph.encode_to_vec())
    };
    assert!(graph(131_070, 2).is_ok());
    for (count, function_count) in [(131_070, 3), (131_073, 0)] {
        assert_eq!(
            graph(count, function_count).unwrap_err().to_string(),
            "graph: expected 1 to 131072 nodes, got 131073"
        );
    }
}

#[test]
fn messages_nested_more_than_100_deep_are_refused() {
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
    for depth in [99, 100] {
        let bytes = nested(depth);
        let graph = Graph::from_graph_def(&bytes).unwrap();
        assert!(graph.to_graph_def().len() <= bytes.len());
    }
    for depth in [102, 3000] {
        let error = Graph::from_graph_def(nested(depth))
            .unwrap_err()
            .to_string();
        assert!(error.contains("recursion limit reached"), "{error}");
        assert!(error.len() < 300, "{error}");
    }
}

/// Encodes a field of bytes.
fn field(number: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(bytes.as_ref().len(), &mut field).unwrap();
    field.extend(bytes.as_ref());
    field
}
