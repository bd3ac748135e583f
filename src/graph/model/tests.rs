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

fn json(model: &Model) -> String {
    let Some(Tensor::Tensor(tensor)) = &model.keras.value else {
        panic!("no tensor");
    };
    String::from_utf8(tensor.string_val[0].clone()).unwrap()
}

#[test]
fn a_row_of_layers_is_chained() {
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

    let tensor = |name| {
        format!(
            r#"{{"class_name":"__keras_tensor__","config":{{"keras_history":["{name}",0,0]}}}}"#
        )
    };
    let want = [
        r#"{"class_name":"Functional","config":{"name":"m","layers":["#,
        r#"{"class_name":"InputLayer","config":{"name":"x","dtype":"float16"},"name":"x","inbound_nodes":[]},"#,
        r#"{"class_name":"Dense","config":{"name":"d"},"name":"d","inbound_nodes":[{"args":["#,
        &tensor("x"),
        r#"],"kwargs":{}}]},"#,
        r#"{"class_name":"Say \"hi\\\"\u000a","config":{"name":"s"},"name":"s","inbound_nodes":[{"args":["#,
        &tensor("d"),
        r#"],"kwargs":{}}]}"#,
        r#"],"input_layers":[["x",0,0]],"output_layers":[["s",0,0]]}}"#,
    ];
    assert_eq!(json(&model), want.concat());
    assert_eq!(model.keras.tag, "keras");
}

#[test]
fn names_are_looked_up_from_the_inside_out() {
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
    let json = json(&model);
    assert!(
        json.ends_with(r#""input_layers":[["x",0,0],["y",0,0]],"output_layers":[["outer/second/add",0,0],["end",0,0]]}}"#)
    );
    assert!(
        json.contains(r#"[{"args":[[{"class_name":"__keras_tensor__""#),
        "{json}"
    );
}

#[test]
fn what_is_no_model_is_refused_by_the_name_of_the_layer() {
    let layer = |name: &str| Layer::new(name, "Dense");
    let mut deep = layer("x");
    for _ in 0..100 {
        deep = Layer::block("b", [deep]);
    }
    assert!(Model::new("m", [deep.clone()]).is_ok());
    // So many that neither dropping nor printing them would end well.
    for _ in 0..100_000 {
        deep = Layer::block("b", [layer("y"), deep]);
    }
    let rule = "ASCII letters, digits, `.`, and after the first also `_`, `-`, `>`, `\\`, `/` fit";
    for (name, layers, want) in [
        ("m", vec![], "model: it has no layer, one or more fit".to_owned()),
        ("a b", vec![layer("x")], format!("model: \"a b\": its name has ' ' at byte 1, {rule}")),
        (
            "m",
            vec![layer("x"), layer("x")],
            "model: layer \"x\": another layer or block has its name".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x")]), layer("b")],
            "model: layer \"b\": another layer or block has its name".into(),
        ),
        (
            "m",
            vec![layer("x").weight("w", [1]).weight("w", [1])],
            "model: node \"x/w\": another node has its name".into(),
        ),
        (
            "m",
            vec![layer("hidden 1")],
            format!("model: node \"hidden 1\": its name has ' ' at byte 6, {rule}"),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x").input("y")])],
            "model: layer \"b/x\": it has the input \"y\", no other layer has that name".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x").input("b")])],
            "model: layer \"b/x\": it has the input \"b\", no other layer has that name".into(),
        ),
        (
            "m",
            vec![Layer::new("x", "Größe")],
            "model: layer \"x\": its kind is \"Größe\", ASCII text fits".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [])],
            "model: layer \"b\": the block has no layer, one or more fit".into(),
        ),
        (
            "m",
            vec![Layer::block("b", [layer("x")]).param("units", 1)],
            "model: layer \"b\": a block has inputs and a device; weights, parameters, shape and type are its layers'".into(),
        ),
        (
            "m",
            vec![deep],
            "model: layer \"b\": blocks are nested more than 100 deep".into(),
        ),
    ] {
        assert_eq!(Model::new(name, layers).unwrap_err().to_string(), want);
    }
}
