"""ONNX: the graphs of about two thousand models of the package `onnx` match the models, and the page draws some of them."""

import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf import text_format
from harness import TensorBoard, eventually, execute, program
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, numpy_helper
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.tensor_pb2 import TensorProto as TFTensor
from tensorboard.util.tensor_util import make_ndarray
from test_graphs import Page

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"

# The types of ONNX that TensorFlow also has, and their names in TensorFlow.
TYPES = {
    "FLOAT": "FLOAT",
    "UINT8": "UINT8",
    "INT8": "INT8",
    "UINT16": "UINT16",
    "INT16": "INT16",
    "INT32": "INT32",
    "INT64": "INT64",
    "STRING": "STRING",
    "BOOL": "BOOL",
    "FLOAT16": "HALF",
    "DOUBLE": "DOUBLE",
    "UINT32": "UINT32",
    "UINT64": "UINT64",
    "COMPLEX64": "COMPLEX64",
    "COMPLEX128": "COMPLEX128",
    "BFLOAT16": "BFLOAT16",
}

# Operators with an attribute that has the name under which this crate stores the type of the output.
HAS_DTYPE = {
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Multinomial",
    "EyeLike",
    "Bernoulli",
    "SequenceEmpty",
}

# Models with functions that call each other, nested bodies that use outer values, values without a name or a use, names
# that TensorFlow does not accept, and weights in each form.
WRITTEN = {
    "functions": """
        <ir_version: 10, opset_import: ["": 21, "local": 1, "other": 1], producer_name: "hand", producer_version: "1.5">
        agraph (float[N, 3] x) => (float[N, 3] y, float[N, 3] z) {
          s = local.twice <factor = 2.0> (x)
          y = other.twice (s)
          z, unused = local.pair (y, x, )
        }
        <domain: "local", opset_import: ["": 21, "other": 1]>
        twice <factor> (a) => (b) {
          f = Constant <value_float: float = @factor> ()
          half = other.twice (a)
          b = Mul (half, f)
        }
        <domain: "other", opset_import: ["": 21]>
        twice (a) => (b) { b = Add (a, a) }
        <domain: "local", opset_import: ["": 21]>
        pair (a, b, none) => (a, c) {
          c, d = Split <num_outputs = 2> (b, none)
        }
    """,
    "bodies": """
        <ir_version: 10, opset_import: ["": 21]>
        outer (float[N] x, bool choose, int64 count) => (float[N] y)
        <float[3] big = {1.0, 2.0, 3.0}> {
          first = Relu (x)
          y = If (choose) <
            then_branch = then () => (float[N] out) {
              sum = Add (first, big)
              out = Loop (count, choose, sum) <
                body = body (int64 i, bool go, float[N] carried) => (bool on, float[N] next) {
                  on = Identity (go)
                  twice = Add (carried, first)
                  next = Mul (twice, x)
                }
              >
            },
            else_branch = other () => (float[N] out) { out = Clip (x, , big) }
          >
        }
    """,
}

# The names of nodes, their inputs and outputs. In the second model no name has a `/`, so dots separate scopes.
NAMES = {
    "slashes": [
        ("encoder.0/Relu", ["x:0"], ["a:0"]),
        ("encoder.0/Relu", ["größe"], ["a:1"]),
        ("constructor/b", ["_y"], ["b"]),
        ("/encoder//conv/", ["a:0", "b"], ["c.0.d"]),
        ("n1", ["c.0.d", "a:1"], ["encoder/sum"]),
        ("x_0", ["encoder/sum", "b"], ["out put"]),
    ],
    "dots": [
        ("encoder.0.Relu", ["x:0"], ["a:0"]),
        ("encoder.0.Relu", ["größe"], ["a:1"]),
        ("", ["_y"], ["encoder.1.conv.out"]),
        ("", ["a:0", "encoder.1.conv.out", "a:1"], ["input.1"]),
        ("", ["input.1"], ["out put"]),
        ("", [], ["", ""]),
    ],
}
WANTED_NAMES = {
    "slashes": [
        "x_0 ._y gr__e out_put x_0_output",
        "encoder.0/Relu encoder.0/Relu_Custom constructor_/b encoder/conv n1 x_0_Custom",
    ],
    "dots": [
        "x_0 ._y gr__e out_put x_0_output",
        "encoder/0/Relu encoder/0/Relu_Custom encoder/1/conv/out input.1 out_put_Custom Custom",
    ],
}


def weights() -> Iterator[TensorProto]:
    """Initializers of each type, with data in each form, with few and with many elements."""
    for name, number in TensorProto.DataType.items():
        if name not in TYPES or name == "STRING":
            continue
        for count in (0, 1, 16, 17):
            for raw in (False, True):
                array = np.arange(count).astype(onnx.helper.tensor_dtype_to_np_dtype(number))
                data = array.tobytes() if raw else array.tolist()
                yield onnx.helper.make_tensor(f"{name}_{count}_{raw}", number, [count], data, raw=raw)
    yield onnx.helper.make_tensor("strings", TensorProto.STRING, [2, 1], [b"a", "é".encode()])
    yield onnx.helper.make_tensor("scalar", TensorProto.INT32, [], [-7])
    yield onnx.helper.make_tensor("fp8", TensorProto.FLOAT8E5M2, [2], [1.0, 2.0])
    yield TensorProto(
        name="elsewhere",
        data_type=TensorProto.FLOAT,
        dims=[1],
        data_location=TensorProto.EXTERNAL,
        external_data=[onnx.StringStringEntryProto(key="location", value="/etc/passwd")],
    )


def made() -> dict[str, ModelProto]:
    models = {name: onnx.parser.parse_model(text) for name, text in WRITTEN.items()}
    tensors = list(weights())
    nodes = [onnx.helper.make_node("Identity", [tensor.name], [f"of {tensor.name}"]) for tensor in tensors]
    output = onnx.ValueInfoProto(name=f"of {tensors[0].name}")
    models["weights"] = onnx.helper.make_model(onnx.helper.make_graph(nodes, "weights", [], [output], tensors))
    for name, nodes in NAMES.items():
        nodes = [onnx.helper.make_node("Custom", inputs, outputs, node, domain="hand") for node, inputs, outputs in nodes]
        inputs, outputs = ([onnx.ValueInfoProto(name=value) for value in values]
                           for values in (["x:0", "_y", "größe"], ["out put", "x:0"]))
        models[name] = onnx.helper.make_model(onnx.helper.make_graph(nodes, name, inputs, outputs))
    for file in sorted((DATA / "light").glob("*.onnx")):
        models[f"inferred {file.stem}"] = onnx.shape_inference.infer_shapes(onnx.load(file))
    return models


@pytest.fixture(scope="module")
def models() -> dict[str, ModelProto]:
    """All models, by run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Some models test overflows of numbers, which cause warnings.
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    found = {file.relative_to(DATA).as_posix().replace("/", " "): file for file in sorted(DATA.rglob("*.onnx"))}
    models = {name.removesuffix(".onnx"): onnx.load(file, load_external_data=False) for name, file in found.items()}
    models |= {f"node {case.name}": case.model for case in cases}
    models |= made()
    assert len(models) > 2000
    return models


@pytest.fixture(scope="module")
def runs(models: dict[str, ModelProto], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run for each model."""
    files, logdir = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("runs")
    for name, model in models.items():
        (files / f"{name}.onnx").write_bytes(model.SerializeToString())
    command = [program("onnx"), *sorted(files.iterdir()), logdir]
    done = subprocess.run(command, check=False, timeout=600, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return logdir


def logged(run: Path) -> GraphDef:
    """The graph of a run."""
    [file] = run.iterdir()
    [graph] = [event.graph_def for event in LegacyEventFileLoader(str(file)).Load() if event.HasField("graph_def")]
    return GraphDef.FromString(graph)


@dataclass
class Scope:
    """The values of a graph: the node that each comes from, and its known type and shape."""

    outer: "Scope | None" = None
    sources: dict[str, tuple[str, int] | None] = field(default_factory=dict)
    types: dict[str, TypeProto] = field(default_factory=dict)

    def source(self, value: str) -> tuple[str, int] | None:
        """The node and the number of its output, or `None` for an argument that the call of a function leaves out."""
        return self.sources[value] if value in self.sources else self.outer.source(value)


class Comparison:
    """Visits a model in the order of the nodes of the graph, and compares each node with the model."""

    def __init__(self, model: ModelProto, graph: GraphDef):
        assert len({node.name for node in graph.node}) == len(graph.node)
        self.functions = {(function.domain, function.name): function for function in model.functions}
        self.nodes = iter(graph.node)
        self.edges: list[tuple[NodeDef, list[str], Scope, list[str]]] = []
        self.graph(model.graph, Scope(), "")
        assert next(self.nodes, None) is None
        # Now all values are known.
        for node, values, scope, controls in self.edges:
            sources = [scope.source(value) for value in values if value]
            wanted = [f"{name}:{port}" if port else name for name, port in filter(None, sources)]
            assert list(node.input) == [*wanted, *(f"^{name}" for name in controls)], node.name

    def graph(self, graph: GraphProto, scope: Scope, prefix: str) -> list[str]:
        """Returns the names of the nodes of its outputs."""
        scope.types |= {each.name: each.type for each in [*graph.value_info, *graph.output, *graph.input]}
        constants = {tensor.name for tensor in graph.initializer}
        for value in graph.input:
            if value.name not in constants:
                node = self.next("Placeholder", value.name, prefix)
                scope.sources[value.name] = node.name, 0
                check_types(node, [value.name], scope)
        for tensor in graph.initializer:
            node = self.next("Const", tensor.name, prefix)
            scope.sources[tensor.name] = node.name, 0
            check_constant(node, tensor)
        return self.body(graph.node, [value.name for value in graph.output], scope, prefix)

    def call(self, function: FunctionProto, call: NodeProto, caller: Scope, prefix: str) -> list[str]:
        """Returns the names of the nodes of its outputs."""
        given = [*call.input, *[""] * len(function.input)]
        sources = [caller.source(value) if value else None for value in given]
        scope = Scope(None, dict(zip(function.input, sources)), {each.name: each.type for each in function.value_info})
        return self.body(function.node, function.output, scope, prefix)

    def body(self, nodes: list[NodeProto], outputs: list[str], scope: Scope, prefix: str) -> list[str]:
        for wanted in nodes:
            op = "Const" if (wanted.domain, wanted.op_type) == ("", "Constant") else wanted.op_type
            node = self.next(op, wanted.name or next(filter(None, wanted.output), ""), prefix)
            for port, value in enumerate(wanted.output):
                scope.sources.setdefault(value, (node.name, port))
            check_types(node, wanted.output, scope)
            check_attributes(node, wanted)
            controls = []
            for attribute in wanted.attribute:
                graphs = [(attribute.name, attribute.g)] if attribute.type == AttributeProto.GRAPH else []
                for name, body in [*graphs, *((f"{attribute.name}_{i}", g) for i, g in enumerate(attribute.graphs))]:
                    controls += self.graph(body, Scope(scope), f"{node.name}/{name}/")
            if function := self.functions.get((wanted.domain, wanted.op_type)):
                controls += self.call(function, wanted, scope, f"{node.name}/")
            self.edges.append((node, wanted.input, scope, controls))
        nodes = [self.next("Identity", value, prefix) for value in outputs]
        for node, value in zip(nodes, outputs):
            check_types(node, [value], scope)
            self.edges.append((node, [value], scope, []))
        return [node.name for node in nodes]

    def next(self, op: str, name: str, prefix: str) -> NodeDef:
        """The next node. It must have this op, and this name unless TensorFlow does not accept the name."""
        node = next(self.nodes)
        assert node.op == op, (node.name, name)
        assert node.name.startswith(prefix)
        assert re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", node.name)
        parts = [re.sub(r"[^A-Za-z0-9_.\\>-]", "_", part) for part in name.split("/") if part]
        forms = {"/".join(parts or [op])}
        forms |= {form.replace(".", "/") for form in forms}
        # The second node with a name gets a suffix. Some words cannot be names.
        fits = any(re.fullmatch(rf"\.?{re.escape(form)}(_\w+)?(/.*)?", node.name.removeprefix(prefix)) for form in forms)
        assert fits or "constructor" in name, (node.name, name)
        return node


def check_types(node: NodeDef, values: list[str], scope: Scope) -> None:
    """Checks the types and shapes of the outputs, if one of them is known."""
    types = [scope.types.get(value, TypeProto()) for value in values]
    if not any(each.WhichOneof("value") for each in types):
        assert "_output_shapes" not in node.attr
        assert "dtype" not in node.attr or node.op in {*HAS_DTYPE, "Const"}, node.name
        return
    for shape, each in zip(node.attr["_output_shapes"].list.shape, types, strict=True):
        tensor = each.sparse_tensor_type if each.HasField("sparse_tensor_type") else each.tensor_type
        assert shape.unknown_rank == (not tensor.HasField("shape"))
        wanted = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim]
        assert [dim.size for dim in shape.dim] == wanted, node.name
        assert [dim.name for dim in shape.dim] == [dim.dim_param for dim in tensor.shape.dim]
    if len(types) == 1 and types[0].HasField("tensor_type") and node.op not in HAS_DTYPE:
        check_dtype(node, types[0].tensor_type.elem_type)
    if node.op == "Placeholder":
        assert node.attr["shape"].shape == node.attr["_output_shapes"].list.shape[0]


def check_dtype(node: NodeDef, number: int) -> None:
    name = TensorProto.DataType.Name(number)
    dtype = node.attr["dtype"]
    if name in TYPES:
        assert dtype == AttrValue(type=f"DT_{TYPES[name]}"), node.name
    else:
        assert dtype == AttrValue(s=name.encode()), node.name


def check_constant(node: NodeDef, tensor: TensorProto) -> None:
    check_dtype(node, tensor.data_type)
    [shape] = node.attr["_output_shapes"].list.shape
    assert [dim.size for dim in shape.dim] == list(tensor.dims)
    assert node.attr["shape"].shape == shape
    if "value" in node.attr:
        check_data(node.attr["value"].tensor, tensor)
    else:
        assert not is_small(tensor), node.name


def is_small(tensor: TensorProto) -> bool:
    """Whether the graph should have the data."""
    here = tensor.data_location != TensorProto.EXTERNAL
    return here and np.prod(tensor.dims) <= 16 and TensorProto.DataType.Name(tensor.data_type) in TYPES


def check_data(ours: TFTensor, tensor: TensorProto) -> None:
    assert is_small(tensor)
    wanted = numpy_helper.to_array(tensor)
    if wanted.size == 0:
        assert [dim.size for dim in ours.tensor_shape.dim] == list(tensor.dims)
        return
    # The stock package cannot read some of these types, and reads others only in part.
    if unsigned := ours.uint32_val or ours.uint64_val:
        got = np.array(unsigned, wanted.dtype).reshape(wanted.shape)
    elif ours.half_val:
        got = np.array(ours.half_val, np.uint16).view(wanted.dtype).reshape(wanted.shape)
    else:
        got = make_ndarray(ours)
    if tensor.data_type == TensorProto.STRING:
        wanted = np.array([*tensor.string_data], dtype=object).reshape(wanted.shape)
    assert got.shape == wanted.shape
    assert got.tolist() == wanted.tolist() or got.tobytes() == wanted.tobytes()


def type_name(of: TypeProto) -> str:
    """The name of a type in this crate."""
    match of.WhichOneof("value"):
        case "tensor_type":
            return TensorProto.DataType.Name(of.tensor_type.elem_type)
        case "sparse_tensor_type":
            return f"sparse({TensorProto.DataType.Name(of.sparse_tensor_type.elem_type)})"
        case "sequence_type":
            return f"sequence({type_name(of.sequence_type.elem_type)})"
        case "optional_type":
            return f"optional({type_name(of.optional_type.elem_type)})"
        case other:
            pytest.fail(f"this test does not compare types of kind {other}")


def check_attributes(node: NodeDef, wanted: NodeProto) -> None:
    # The fields of the node become attributes. A real attribute with the same name replaces them.
    texts = {"domain": wanted.domain, "doc_string": wanted.doc_string}
    ours = {name: text for name, text in texts.items() if text and (name, text) != ("domain", "ai.onnx")}
    theirs = {attribute.name for attribute in wanted.attribute}
    # `check_types` checks these.
    assert node.attr.keys() - {"_output_shapes", "dtype"} == (theirs | ours.keys()) - {"_output_shapes", "dtype"}
    for name in ours.keys() - theirs:
        assert node.attr[name] == AttrValue(s=ours[name].encode()[:1000]), node.name
    for attribute in wanted.attribute:
        got = node.attr[attribute.name]
        if attribute.ref_attr_name:
            assert got == AttrValue(placeholder=attribute.ref_attr_name)
            continue
        match attribute.type:
            case AttributeProto.FLOAT:
                assert got.WhichOneof("value") == "f"
                np.testing.assert_equal(got.f, attribute.f)
            case AttributeProto.INT:
                assert got == AttrValue(i=attribute.i)
            case AttributeProto.STRING:
                assert got == AttrValue(s=attribute.s)
            case AttributeProto.FLOATS:
                assert got == AttrValue(list={"f": attribute.floats})
            case AttributeProto.INTS:
                assert got == AttrValue(list={"i": attribute.ints})
            case AttributeProto.STRINGS:
                assert got == AttrValue(list={"s": attribute.strings})
            case AttributeProto.TENSOR:
                tensor = got.tensor
                assert [dim.size for dim in tensor.tensor_shape.dim] == list(attribute.t.dims)
                if is_small(attribute.t):
                    check_data(tensor, attribute.t)
                else:
                    only_shape = TFTensor(dtype=tensor.dtype, tensor_shape=tensor.tensor_shape)
                    assert tensor == only_shape
            case AttributeProto.GRAPH:
                assert got == AttrValue(s=f"{node.name}/{attribute.name}".encode())
            case AttributeProto.TYPE_PROTO:
                assert got == AttrValue(list={"s": [type_name(attribute.tp).encode()]})
            case AttributeProto.SPARSE_TENSOR:
                assert [dim.size for dim in got.tensor.tensor_shape.dim] == list(attribute.sparse_tensor.dims)
            case other:
                pytest.fail(f"{node.name}: this test does not compare attributes of kind {other}")


def test_graphs_are_those_of_the_models(models, runs):
    for name, model in models.items():
        try:
            Comparison(model, logged(runs / name))
        except Exception as error:
            error.add_note(f"in the model {name!r}")
            raise


@pytest.mark.parametrize("name", NAMES)
def test_names(runs, name):
    names = [node.name for node in logged(runs / name).node]
    outputs = ["out_put", "x_0_output"]
    assert [*names[:3], *outputs, *names[3:-2]] == " ".join(WANTED_NAMES[name]).split()
    assert names[-2:] == outputs


def test_weights_stay_in_the_file(tmp_path):
    sizes = []
    for count in (1000, 10_000_000):
        weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[count], raw_data=bytes(4 * count))
        node = onnx.helper.make_node("Relu", ["w"], ["y"])
        graph = onnx.helper.make_graph([node], "g", [], [onnx.ValueInfoProto(name="y")], [weights])
        file = tmp_path / f"{count}.onnx"
        file.write_bytes(onnx.helper.make_model(graph).SerializeToString())
        execute(program("onnx"), file, tmp_path / str(count))
        file.unlink()
        sizes.append(logged(tmp_path / str(count)).ByteSize())
    # A larger size takes some more bytes, in two places.
    assert sizes[0] < sizes[1] < sizes[0] + 10


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        ([], 2, ["required arguments"]),
        (["a.onnx"], 2, ["required arguments"]),
        (["a.onnx", "b.onnx"], 2, ["expected the log directory", "b.onnx"]),
        (["a/x.onnx", "b/x.onnx", "logs"], 2, ["a/x.onnx", "b/x.onnx"]),
        (["--fast"], 2, ["--fast"]),
        (["nowhere.onnx", "logs"], 1, ["nowhere.onnx", "No such file or directory"]),
        (["broken.onnx", "logs"], 1, ["broken.onnx"]),
    ],
)
def test_error_of_the_program_names_the_problem(tmp_path, arguments, code, named):
    (tmp_path / "broken.onnx").write_bytes(b"\x3a\x09\x0a")
    command = [program("onnx"), *arguments]
    done = subprocess.run(command, check=False, timeout=600, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert done.returncode == code
    assert [words for words in named if words not in done.stderr] == []
    assert not (tmp_path / "logs").exists()


@pytest.fixture(scope="module")
def onnx_board(runs, tmp_path_factory, fast) -> Iterator[TensorBoard]:
    """A TensorBoard for a few of the models."""
    logdir = tmp_path_factory.mktemp("shown")
    for run in SHOWN:
        shutil.copytree(runs / run, logdir / run)
    with TensorBoard(logdir, fast=fast) as board:
        yield board


SHOWN = ["inferred light_resnet50", "bodies", "functions"]


@pytest.mark.parametrize("run", SHOWN)
def test_graphs_are_served(onnx_board, runs, run):
    got = onnx_board.get("plugin/graphs/graph", run=run)
    assert text_format.Parse(got, GraphDef()) == logged(runs / run)


def inside(page: Page) -> tuple[dict[str, str], dict[str, str]]:
    """The labels of nodes and edges, without the marks of the page at the edges of scopes."""
    return tuple({name: text for name, text in them.items() if "~~" not in name} for them in (page.labels(), page.edges()))


# Moves the node to the middle of the page, in a readable size.
ZOOM = """
    const [scene] = deep(document, "tf-graph-scene");
    const [root] = deep(scene.shadowRoot, "#root");
    const node = deep(root, "g.node").find(e => e.dataset.name === name);
    root.setAttribute("transform", "");
    const box = node.getBoundingClientRect(), frame = scene.getBoundingClientRect();
    const x = frame.x + frame.width / 2 - 1.5 * (box.x - frame.x), y = frame.height / 2 - 1.5 * (box.y - frame.y);
    root.setAttribute("transform", `translate(${x - frame.x},${y})scale(1.5)`);
"""


@pytest.mark.usefixtures("picture")
def test_resnet50(models, onnx_board, chrome):
    run = "inferred light_resnet50"
    graph = models[run].graph
    shapes = {value.name: value.type.tensor_type.shape.dim for value in [*graph.value_info, *graph.output]}
    made = {node.output[0]: node for node in graph.node}
    # The page draws the scope with the weights and the input as one node.
    wanted = {
        f"{made[value].name}--{node.name}": "×".join(str(dim.dim_value) for dim in shapes[value])
        for node in graph.node
        if node.name
        for value in node.input
        if value in made and made[value].name
    }
    assert len(wanted) > 150
    page = Page(chrome, onnx_board, run)

    def drawn() -> dict[str, str]:
        return {edge: text for edge, text in inside(page)[1].items() if "gpu_0" not in edge}

    eventually(drawn, wanted)
    eventually(lambda: "gpu_0--n0" in inside(page)[1], True)
    labels, edges = inside(page)
    assert edges["gpu_0--n0"] == "1×3×224×224"
    assert edges["n0--n1"] == "1×64×112×112"
    assert edges["n174--n175"] == "1×1000"
    assert labels == {node.name: node.name for node in graph.node if node.name} | {"gpu_0": "gpu_0"}
    page.select("n4")
    eventually(lambda: page.card().get("kernel_shape"), '{"list":{"i":[1,1]}}')
    chrome.ask(f"const name = 'n4'; {ZOOM}")
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_bodies(onnx_board, chrome):
    page = Page(chrome, onnx_board, "bodies")
    for scope in ("y_If", "y_If/then_branch", "y_If/then_branch/out_Loop", "y_If/then_branch/out_Loop/body"):
        page.open(scope)
    loop = "y_If/then_branch/out_Loop"
    nodes = {f"{loop}/body/{name}" for name in ("i", "go", "carried", "twice", "next", "next_Mul", "on", "on_Identity")}
    eventually(lambda: nodes <= inside(page)[0].keys(), True)
    assert {name for name in inside(page)[0] if name.startswith(f"{loop}/body/")} == nodes
    wanted = {
        f"{loop}/body/carried--{loop}/body/twice": "?",
        f"{loop}/body/next_Mul--{loop}/body/next": "?",
        f"{loop}/body/go--{loop}/body/on_Identity": "scalar",
        f"{loop}/body--{loop}/(out_Loop)": "2 tensors",
        f"{loop}--y_If/then_branch/out": "?",
        "y_If/else_branch--y_If/(y_If)": "?",
        "x--first": "?",
        "y_If--y": "?",
    }
    eventually(lambda: {edge: text for edge, text in page.edges().items() if edge in wanted}, wanted)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_functions(onnx_board, chrome):
    page = Page(chrome, onnx_board, "functions")
    for scope in ("s", "s/half"):
        page.open(scope)
    nodes = {"x", "y", "z", "s", "y_twice", "z_pair", "s/(s)", "s/b", "s/b_Mul"}
    nodes |= {f"s/half{name}" for name in ("", "/(half)", "/b", "/b_Add")}
    eventually(lambda: set(inside(page)[0]), nodes)
    wanted = {"s/half--s/b_Mul": "", "s/b_Mul--s/b": "", "s/b--s/(s)": "", "s/half/b--s/half/(half)": "", "z_pair--z": "?×3"}
    eventually(lambda: {edge: text for edge, text in page.edges().items() if edge in wanted}, wanted)
    page.select("s/(s)")
    eventually(page.card, {"domain": '{"s":"local"}', "factor": '{"f":2}'})
    assert chrome.errors() == []
