use serde_json::json;

use super::*;
use crate::proto::attr_value::Value as Data;
use crate::proto::summary::value::Value as Tensor;

fn nodes(model: &Model) -> Vec<(String, String, String)> {
    let nodes = model.graph.0.node.iter();
    nodes
        .map(|node| (node.name.clone(), node.op.clone(), node.input.join(" ")))
        .collect()
}

fn named(nodes: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    nodes
        .iter()
        .map(|&(name, op, inputs)| (name.into(), op.into(), inputs.into()))
        .collect()
}

fn keras(model: &Model) -> serde_json::Value {
    let Some(Tensor::Tensor(tensor)) = &model.keras.value else {
        panic!("no tensor");
    };
    serde_json::from_slice(&tensor.string_val[0]).unwrap()
}

#[test]
fn each_layer_takes_the_one_before() {
    let model = Model::new(
        "m",
        [
            Layer::input_layer("x", [None, Some(3)]).data_type(DataType::DtHalf),
            Layer::new("d", "Dense")
                .weight("kernel", [3, 2])
                .weight("bias", [2])
                .param("units", 2)
                .device("GPU:0")
                .output_shape([None, Some(2)]),
            Layer::new("s", "Say \"hi\\\"\n"),
        ],
    )
    .unwrap();
    let want = [
        ("x", "InputLayer", ""),
        ("d/kernel", "Variable", ""),
        ("d/bias", "Variable", ""),
        ("d", "Dense", "x d/kernel d/bias"),
        ("s", "Say \"hi\\\"\n", "d"),
    ];
    assert_eq!(nodes(&model), named(&want));
    let dense = &model.graph.0.node[3];
    assert_eq!(dense.device, "/device:GPU:0");
    assert_eq!(model.graph.0.node[2].device, "/device:GPU:0");
    assert_eq!(dense.attr["units"].value, Some(Data::I(2)));
    assert_eq!(dense.attr["weight_count"].value, Some(Data::I(3 * 2 + 2)));
    assert!(!model.graph.0.node[4].attr.contains_key("weight_count"));

    let tensor = |name: &str| json!({ "class_name": "__keras_tensor__", "config": { "keras_history": [name, 0, 0] } });
    let want = json!({
        "class_name": "Functional",
        "config": {
            "name": "m",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "config": { "name": "x", "dtype": "float16" },
                    "name": "x",
                    "inbound_nodes": [],
                },
                {
                    "class_name": "Dense",
                    "config": { "name": "d" },
                    "name": "d",
                    "inbound_nodes": [{ "args": [tensor("x")], "kwargs": {} }],
                },
                {
                    "class_name": "Say \"hi\\\"\n",
                    "config": { "name": "s" },
                    "name": "s",
                    "inbound_nodes": [{ "args": [tensor("d")], "kwargs": {} }],
                },
            ],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["s", 0, 0]],
        },
    });
    assert_eq!(keras(&model), want);
    assert_eq!(model.keras.tag, "keras");
}

#[test]
fn inputs_are_looked_up_in_the_innermost_block_first() {
    let block = |name: &str| {
        Layer::block(
            name,
            [
                Layer::new("a", "A"),
                Layer::new("b", "B"),
                Layer::new("add", "Add").input("b").input("x"),
            ],
        )
    };
    let model = Model::new(
        "m",
        [
            Layer::input_layer("x", [1]),
            Layer::input_layer("y", [1]),
            block("first").input("x").input("y").device("GPU:1"),
            Layer::block("outer", [block("second"), Layer::new("x", "X").input("x")]),
            Layer::new("end", "End")
                .input("first")
                .input("outer/second/a")
                .input("outer"),
        ],
    )
    .unwrap();
    let want = [
        ("x", "InputLayer", ""),
        ("y", "InputLayer", ""),
        ("first/a", "A", "x y"),
        ("first/b", "B", "first/a"),
        ("first/add", "Add", "first/b x"),
        ("outer/second/a", "A", "first/add"),
        ("outer/second/b", "B", "outer/second/a"),
        ("outer/second/add", "Add", "outer/second/b outer/x"),
        ("outer/x", "X", "x"),
        ("end", "End", "first/add outer/second/a outer/x"),
    ];
    assert_eq!(nodes(&model), named(&want));
    assert_eq!(model.graph.0.node[4].device, "/device:GPU:1");
    assert_eq!(model.graph.0.node[5].device, "");
    let config = &keras(&model)["config"];
    assert_eq!(config["input_layers"], json!([["x", 0, 0], ["y", 0, 0]]));
    let outputs = json!([["outer/second/add", 0, 0], ["end", 0, 0]]);
    assert_eq!(config["output_layers"], outputs);
    // Several inputs are a list, which is a single argument.
    let args = &config["layers"][2]["inbound_nodes"][0]["args"];
    assert_eq!(args[0].as_array().unwrap().len(), 2, "{args}");
}

#[test]
fn errors_name_the_layer() {
    let layer = |name: &str| Layer::new(name, "Dense");
    let mut deep = layer("x");
    for _ in 0..100 {
        deep = Layer::block("b", [deep]);
    }
    assert!(Model::new("m", [deep.clone()]).is_ok());
    // Dropping or printing that many would overflow the stack.
    for _ in 0..100_000 {
        deep = Layer::block("b", [layer("y"), deep]);
    }
    let rule = "expected a name of ASCII letters, digits, `.`, and after the first character `_`, `-`, `>`, `\\`, `/`";
    for (name, layers, want) in [
        ("m", vec![], "model: expected at least 1 layer, got none".to_owned()),
        ("a b", vec![layer("x")], format!("model: \"a b\": {rule}, got ' ' at byte 1")),
        (
            "m",
            vec![layer("x"), layer("x")],
            "model: layer \"x\": expected a unique name, got that of another layer or block".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x")]), layer("b")],
            "model: layer \"b\": expected a unique name, got that of another layer or block".into(),
        ),
        (
            "m",
            vec![layer("x").weight("w", [1]).weight("w", [1])],
            "model: node \"x/w\": expected a unique name, got that of another node".into(),
        ),
        (
            "m",
            vec![layer("hidden 1")],
            format!("model: node \"hidden 1\": {rule}, got ' ' at byte 6"),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x").input("y")])],
            "model: layer \"b/x\": expected the name of another layer as input, got \"y\"".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x").input("b")])],
            "model: layer \"b/x\": expected the name of another layer as input, got \"b\"".into(),
        ),
        (
            "m",
            vec![Layer::new("x", "Größe")],
            "model: layer \"x\": expected a kind of ASCII text, got \"Größe\"".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [])],
            "model: layer \"b\": expected at least 1 layer in the block, got none".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x")]).param("units", 1)],
            "model: layer \"b\": a block can have only inputs and a device; give weights, parameters, shape and type to its layers".into(),
        ),
        (
            "m",
            vec![deep],
            "model: layer \"b\": expected blocks nested at most 100 deep, got more".into(),
        ),
    ] {
        assert_eq!(Model::new(name, layers).unwrap_err().to_string(), want);
    }
}
