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
    assert_eq!(graph.build().unwrap().to_bytes(), want.concat());
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
fn functions_may_call_each_other_in_circles() {
    let mut graph = GraphBuilder::new();
    for (name, callee) in [("f", "g"), ("g", "f"), ("h", "h")] {
        let mut function = Function::new(name);
        function.node("n", Op::new(callee));
        graph.function(function);
    }
    graph.node("x", Op::new("f"));
    assert!(graph.build().is_ok());
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
            "graph: function \"f\": two inputs have the name \"x\"",
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
    assert_eq!(graph.to_bytes(), b"\x0a\x03\x0a\x01x");
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
        assert!(error.contains("bytes are no GraphDef: "), "{end}: {error}");
    }
    // A call within a call, a thousand times.
    let mut attr = Attr::from(1);
    for _ in 0..1000 {
        attr = Call::new("f").attr("a", attr).into();
    }
    let mut deep = graph(&["x"]);
    deep.node[0].attr.insert("a".into(), attr.0);
    let error = Graph::from_graph_def(deep.encode_to_vec()).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}
