//! Graphs: one of nodes with every property, one of layers, two of other programs; and the costs of nodes.

use std::time::Duration;

use summary_writer::graph::RunMetadata;
use summary_writer::graph::{Attr, Call, Function, GraphBuilder, NodeStats, Op, Shape};
use summary_writer::proto::DataType;
use summary_writer::{Graph, Layer, Model, SummaryWriter, Tag, Tensor};

use crate::{Result, START};

pub(crate) fn write(root: &SummaryWriter) -> Result {
    let run = root.run("graph")?;
    let graph = graph()?;
    run.at(START).graph(&graph);
    run.at(START + 1.0).graph(&graph); // not written, because a run has one graph
    let step = run.at(START + 2.0);
    step.run_metadata(Tag::new("step 100"), &costs(1), 100);
    step.scope("late").run_metadata("step 200", &costs(2), 200);

    let run = root.run("model")?;
    run.scope("scope").at(START).model(&model()?);
    let attention = NodeStats::new("encoder/attention")
        .device("GPU:0")
        .duration(Duration::from_micros(70))
        .memory(1 << 20);
    let hidden = NodeStats::new("encoder/hidden")
        .start(Duration::from_micros(70))
        .duration(Duration::from_micros(30))
        .memory(1 << 18);
    let metadata = RunMetadata::new().node(attention).node(hidden);
    run.at(START).run_metadata("first", &metadata, 0);

    // GraphDef { node { name: "Net/Linear[fc 1]" op: "aten::linear" }
    //            node { name: "Größe:0" op: "Relu" input: "Net/Linear[fc 1]" input: "nowhere" } }
    let given = b"\x0a\x20\x0a\x10Net/Linear[fc 1]\x12\x0caten::linear\
        \x0a\x2c\x0a\x09Gr\xc3\xb6\xc3\x9fe:0\x12\x04Relu\x1a\x10Net/Linear[fc 1]\x1a\x07nowhere";
    let run = root.run("given graph")?;
    run.at(START).graph(&Graph::from_graph_def(given)?);

    // A function that calls another function:
    // GraphDef { node { name: "p" op: "Placeholder" } node { name: "f" op: "caller" input: "p" }
    //            node { name: "g" op: "callee" input: "f" } node { name: "s/x" op: "Relu" input: "g" }
    //            library { function { signature { name: "caller" input_arg { name: "x" type: DT_FLOAT }
    //                                             output_arg { name: "y" type: DT_FLOAT } }
    //                                 node_def { name: "n" op: "callee" input: "x" }
    //                                 node_def { name: "y" op: "Identity" input: "n:output:0" }
    //                                 ret { key: "y" value: "y:output:0" } }
    //                      function { the same for "callee", with a "Relu" } } }
    let given = b"\x0a\x10\x0a\x01p\x12\x0bPlaceholder\
        \x0a\x0e\x0a\x01f\x12\x06caller\x1a\x01p\x0a\x0e\x0a\x01g\x12\x06callee\x1a\x01f\
        \x0a\x0e\x0a\x03s/x\x12\x04Relu\x1a\x01g\
        \x12\xaa\x01\
        \x0aT\x0a\x16\x0a\x06caller\x12\x05\x0a\x01x\x18\x01\x1a\x05\x0a\x01y\x18\x01\
        \x1a\x0e\x0a\x01n\x12\x06callee\x1a\x01x\
        \x1a\x19\x0a\x01y\x12\x08Identity\x1a\x0an:output:0\
        \x22\x0f\x0a\x01y\x12\x0ay:output:0\
        \x0aR\x0a\x16\x0a\x06callee\x12\x05\x0a\x01x\x18\x01\x1a\x05\x0a\x01y\x18\x01\
        \x1a\x0c\x0a\x01n\x12\x04Relu\x1a\x01x\
        \x1a\x19\x0a\x01y\x12\x08Identity\x1a\x0an:output:0\
        \x22\x0f\x0a\x01y\x12\x0ay:output:0";
    let run = root.run("given functions")?;
    run.at(START).graph(&Graph::from_graph_def(given)?);
    Ok(())
}

fn graph() -> Result<Graph> {
    let mut graph = GraphBuilder::new();
    graph.function(cell());
    let pixels = Op::new("Placeholder").attr("dtype", DataType::DtFloat);
    let pixels = graph.node("pixels", pixels.output_shape([None, Some(784)]));
    let hidden = graph.scope("hidden", |graph| {
        let device = |op| Op::new(op).device("GPU:0");
        let weights = graph.node("weights", device("Variable").output_shape([784, 128]));
        let product = device("MatMul").input(&pixels).input(&weights);
        let product = graph.node("MatMul", product.output_shape([None, Some(128)]));
        let relu = device("Relu").input(&product);
        graph.node("Relu", relu.output_shape([None, Some(128)]))
    });
    // A node with the name of a scope, and on another device.
    let split = Op::new("Split").input(&hidden).device("CPU:0");
    let split = split
        .output_shape([None, Some(64)])
        .output_shape(Shape::unknown());
    let split = graph.node("hidden", split);
    let sum = Op::new("Add").input(&split).input(split.output(1));
    let sum = graph.node("sum", sum.output_shape(Shape::scalar()));
    graph.node("call", Op::new("cell").input(&sum).output_shape([3]));

    // A cycle.
    graph.scope("loop/inner", |graph| {
        let merge = Op::new("Merge").input(&pixels).input("loop/inner/next:0");
        let merge = graph.node("merge", merge.output_shape([None, Some(784)]));
        let next = Op::new("NextIteration").input(&merge);
        graph.node("next", next.output_shape([None, Some(784)]))
    });

    let call = Call::new("cell").attr("T", DataType::DtHalf);
    let everything = Op::new("Everything")
        .control(&sum)
        .attr("s", "Größe \"{\"\n")
        .attr("bytes", Attr::bytes([0, 255]))
        .attr("i", i64::MIN)
        .attr("f", 0.5)
        .attr("b", true)
        .attr("type", DataType::DtInt8)
        .attr("shape", Shape::from([None, Some(3), Some(0)]))
        .attr("tensor", Tensor::new([2], &[1.5f32, -2.0])?)
        .attr("placeholder", Attr::placeholder("T"))
        .attr("func", call.clone())
        .attr("list s", ["a", "b"])
        .attr("list i", [1, -2])
        .attr("list f", [0.25f32, 1e30])
        .attr("list b", vec![true, false])
        .attr("list type", [DataType::DtFloat, DataType::DtBool])
        .attr("list shape", [Shape::scalar(), Shape::unknown()])
        .attr("list tensor", [Tensor::strings([], ["x"])?])
        .attr("list func", [call])
        .attr("list of none", Vec::<i32>::new());
    graph.node("everything", everything);
    Ok(graph.build()?)
}

fn cell() -> Function {
    let mut cell = Function::new("cell");
    let x = cell.input("x", DataType::DtFloat);
    let parts = cell.node("inner/Split", Op::new("Split").input(&x));
    let sum = Op::new("Add")
        .input(&parts)
        .input(parts.output(1))
        .control(&x);
    let sum = cell.node("inner/Add", sum);
    cell.output("y", DataType::DtFloat, &sum);
    cell
}

fn costs(times: u32) -> RunMetadata {
    let micros = |count| Duration::from_micros(count) * times;
    let again = |start, duration, bytes| {
        let stats = NodeStats::new("sum").start(micros(start));
        stats.duration(micros(duration)).memory(bytes)
    };
    RunMetadata::new()
        .node(
            NodeStats::new("hidden/MatMul")
                .device("GPU:0")
                .start(micros(5))
                .duration(micros(200))
                .memory(u64::from(times) << 20)
                .output_shape([32, 128]),
        )
        .node(
            NodeStats::new("hidden/Relu")
                .device("/device:GPU:0")
                .start(micros(205))
                .duration(Duration::from_nanos(300))
                .output_shape([32, 128]),
        )
        .node(
            NodeStats::new("sum")
                .start(micros(300))
                .duration(micros(50))
                .memory(4096)
                .output_shape(Shape::scalar()),
        )
        .node(again(290, 20, 8192))
        .node(again(350, 30, 1024))
        .node(NodeStats::new("nowhere").duration(micros(1)))
}

fn model() -> Result<Model> {
    let encoder = [
        Layer::new("attention", "MultiHeadAttention")
            .param("num_heads", 4)
            .output_shape([None, Some(49), Some(64)])
            .device("GPU:0"),
        Layer::new("hidden", "Dense")
            .weight("kernel", [64, 32])
            .weight("bias", [32])
            .param("activation", "relu")
            .data_type(DataType::DtHalf)
            .output_shape([None, Some(49), Some(32)]),
    ];
    Ok(Model::new(
        "digits",
        [
            Layer::input_layer("pixels", [None, Some(49), Some(64)]).data_type(DataType::DtFloat),
            Layer::block("encoder", encoder).device("GPU:1"),
            Layer::new("sum", "Add")
                .input("encoder")
                .input("encoder/attention")
                .input("pixels")
                .device("CPU:0")
                .output_shape([None, Some(10)]),
        ],
    )?)
}
