"""Graphs: TensorBoard serves every node, and the page draws names, shapes, devices and costs."""

import re
from contextlib import suppress

import pytest
from browser import Browser
from google.protobuf import text_format
from harness import TensorBoard, eventually, eventually_holds
from tensorboard.compat.proto.config_pb2 import RunMetadata
from tensorboard.compat.proto.graph_pb2 import GraphDef

SHAPES = 'attr {{ key: "_output_shapes" value {{ list {{ {} }} }} }}'


def shapes(*of: list[int]) -> str:
    """The attribute that labels the edges from a node."""
    dims = ["shape { " + " ".join(f"dim {{ size: {size} }}" for size in shape) + " }" for shape in of]
    return SHAPES.format(" ".join(dims))


GPU = 'device: "/device:GPU:0"'
CELL = 'name: "cell" attr { key: "T" value { type: DT_HALF } }'

GRAPH = f"""
node {{ name: "pixels" op: "Placeholder" attr {{ key: "dtype" value {{ type: DT_FLOAT }} }} {shapes([-1, 784])} }}
node {{ name: "hidden/weights" op: "Variable" {GPU} {shapes([784, 128])} }}
node {{ name: "hidden/MatMul" op: "MatMul" input: ["pixels", "hidden/weights"] {GPU} {shapes([-1, 128])} }}
node {{ name: "hidden/Relu" op: "Relu" input: "hidden/MatMul" {GPU} {shapes([-1, 128])} }}
node {{ name: "hidden" op: "Split" input: "hidden/Relu" device: "/device:CPU:0"
  {SHAPES.format("shape { dim { size: -1 } dim { size: 64 } } shape { unknown_rank: true }")} }}
node {{ name: "sum" op: "Add" input: ["hidden", "hidden:1"] {shapes([])} }}
node {{ name: "call" op: "cell" input: "sum" {shapes([3])} }}
node {{ name: "loop/inner/merge" op: "Merge" input: ["pixels", "loop/inner/next"] {shapes([-1, 784])} }}
node {{ name: "loop/inner/next" op: "NextIteration" input: "loop/inner/merge" {shapes([-1, 784])} }}
node {{ name: "everything" op: "Everything" input: "^sum"
  attr {{ key: "s" value {{ s: "Größe \\"{{\\"\\n" }} }}
  attr {{ key: "bytes" value {{ s: "\\000\\377" }} }}
  attr {{ key: "i" value {{ i: -9223372036854775808 }} }}
  attr {{ key: "f" value {{ f: 0.5 }} }}
  attr {{ key: "b" value {{ b: true }} }}
  attr {{ key: "type" value {{ type: DT_INT8 }} }}
  attr {{ key: "shape" value {{ shape {{ dim {{ size: -1 }} dim {{ size: 3 }} dim {{ size: 0 }} }} }} }}
  attr {{ key: "tensor" value {{ tensor {{ dtype: DT_FLOAT tensor_shape {{ dim {{ size: 2 }} }}
    tensor_content: "\\000\\000\\300\\077\\000\\000\\000\\300" }} }} }}
  attr {{ key: "placeholder" value {{ placeholder: "T" }} }}
  attr {{ key: "func" value {{ func {{ {CELL} }} }} }}
  attr {{ key: "list s" value {{ list {{ s: ["a", "b"] }} }} }}
  attr {{ key: "list i" value {{ list {{ i: [1, -2] }} }} }}
  attr {{ key: "list f" value {{ list {{ f: [0.25, 1e30] }} }} }}
  attr {{ key: "list b" value {{ list {{ b: [true, false] }} }} }}
  attr {{ key: "list type" value {{ list {{ type: [DT_FLOAT, DT_BOOL] }} }} }}
  attr {{ key: "list shape" value {{ list {{ shape {{ }} shape {{ unknown_rank: true }} }} }} }}
  attr {{ key: "list tensor" value {{ list {{ tensor {{ dtype: DT_STRING tensor_shape {{ }} string_val: "x" }} }} }} }}
  attr {{ key: "list func" value {{ list {{ func {{ {CELL} }} }} }} }}
  attr {{ key: "list of none" value {{ list {{ }} }} }}
}}
library {{ function {{
  signature {{ name: "cell" input_arg {{ name: "x" type: DT_FLOAT }} output_arg {{ name: "y" type: DT_FLOAT }} }}
  node_def {{ name: "inner/Split" op: "Split" input: "x" }}
  node_def {{ name: "inner/Add" op: "Add" input: ["inner/Split:output:0", "inner/Split:output:1", "^x"] }}
  node_def {{ name: "y" op: "Identity" input: "inner/Add:output:0" attr {{ key: "T" value {{ type: DT_FLOAT }} }} }}
  ret {{ key: "y" value: "y:output:0" }}
}} }}
versions {{ producer: 22 }}
"""

DENSE = f"""
  attr {{ key: "activation" value {{ s: "relu" }} }}
  attr {{ key: "dtype" value {{ type: DT_HALF }} }}
  attr {{ key: "weight_count" value {{ i: {64 * 32 + 32} }} }}
"""
MODEL = f"""
node {{ name: "pixels" op: "InputLayer" attr {{ key: "dtype" value {{ type: DT_FLOAT }} }} {shapes([-1, 49, 64])} }}
node {{ name: "encoder/attention" op: "MultiHeadAttention" input: "pixels" {GPU}
  attr {{ key: "num_heads" value {{ i: 4 }} }} {shapes([-1, 49, 64])} }}
node {{ name: "encoder/hidden/kernel" op: "Variable" device: "/device:GPU:1" {shapes([64, 32])} }}
node {{ name: "encoder/hidden/bias" op: "Variable" device: "/device:GPU:1" {shapes([32])} }}
node {{ name: "encoder/hidden" op: "Dense" device: "/device:GPU:1" {DENSE} {shapes([-1, 49, 32])}
  input: ["encoder/attention", "encoder/hidden/kernel", "encoder/hidden/bias"] }}
node {{ name: "sum" op: "Add" input: ["encoder/hidden", "encoder/attention", "pixels"] device: "/device:CPU:0"
  {shapes([-1, 10])} }}
versions {{ producer: 22 }}
"""


def kind(name: str, data_type: str = "") -> str:
    data_type = data_type and f'attr {{ key: "dtype" value {{ type: {data_type} }} }}'
    return f'attr {{ key: "keras_class" value {{ s: "{name}" }} }} {data_type}'


CONCEPTUAL = f"""
node {{ name: "digits/pixels" {kind("InputLayer", "DT_FLOAT")} }}
node {{ name: "digits/encoder/attention" input: "digits/pixels" {kind("MultiHeadAttention")} }}
node {{ name: "digits/encoder/hidden" input: "digits/encoder/attention" {kind("Dense", "DT_HALF")} }}
node {{ name: "digits/sum" input: ["digits/encoder/hidden", "digits/encoder/attention", "digits/pixels"] {kind("Add")} }}
"""

GIVEN = """
node { name: "Net/Linear[fc 1]" op: "aten::linear" }
node { name: "Größe:0" op: "Relu" input: ["Net/Linear[fc 1]", "nowhere"] }
"""

# A function that calls another function.
FUNCTION = """function {{
  signature {{ name: "{}" input_arg {{ name: "x" type: DT_FLOAT }} output_arg {{ name: "y" type: DT_FLOAT }} }}
  node_def {{ name: "n" op: "{}" input: "x" }}
  node_def {{ name: "y" op: "Identity" input: "n:output:0" }}
  ret {{ key: "y" value: "y:output:0" }}
}}"""
GIVEN_FUNCTIONS = f"""
node {{ name: "p" op: "Placeholder" }}
node {{ name: "f" op: "caller" input: "p" }}
node {{ name: "g" op: "callee" input: "f" }}
node {{ name: "s/x" op: "Relu" input: "g" }}
library {{ {FUNCTION.format("caller", "callee")} {FUNCTION.format("callee", "Relu")} }}
"""


def costs(times: int) -> str:
    """The costs of the nodes. All start at 1 microsecond or later, because the page ignores a start of 0."""
    output = "output { tensor_description { shape { dim { size: 32 } dim { size: 128 } } } }"
    scalar = "output { tensor_description { shape { } } }"
    return f"""step_stats {{
      dev_stats {{ {GPU}
        node_stats {{ node_name: "hidden/MatMul" all_start_micros: {5 * times + 1} all_end_rel_micros: {200 * times}
          memory {{ total_bytes: {times * 2**20} }} {output} }}
        node_stats {{ node_name: "hidden/Relu" all_start_micros: {205 * times + 1} all_end_rel_micros: 1 {output} }}
      }}
      dev_stats {{ device: "/device:CPU:0"
        node_stats {{ node_name: "sum" all_start_micros: {300 * times + 1} all_end_rel_micros: {50 * times}
          memory {{ total_bytes: 4096 }} {scalar} }}
        node_stats {{ node_name: "sum" all_start_micros: {290 * times + 1} all_end_rel_micros: {20 * times}
          memory {{ total_bytes: 8192 }} }}
        node_stats {{ node_name: "sum" all_start_micros: {350 * times + 1} all_end_rel_micros: {30 * times}
          memory {{ total_bytes: 1024 }} }}
        node_stats {{ node_name: "nowhere" all_start_micros: 1 all_end_rel_micros: {times} }}
      }}
    }}"""


def graph(board: TensorBoard, run: str, **query: str) -> GraphDef:
    return text_format.Parse(board.get("plugin/graphs/graph", run=run, **query), GraphDef())


@pytest.mark.parametrize(
    ("run", "query", "wanted"),
    [
        ("graph", {}, GRAPH),
        ("model", {}, MODEL),
        ("model", {"tag": "keras", "conceptual": "true"}, CONCEPTUAL),
        ("given graph", {}, GIVEN),
        ("given functions", {}, GIVEN_FUNCTIONS),
    ],
    ids=["graph", "model", "conceptual", "given", "functions"],
)
def test_graphs_are_served_node_by_node(board, run, query, wanted):
    wanted = text_format.Parse(wanted, GraphDef())
    got = graph(board, run, **query)
    for one, other in zip(got.node, wanted.node, strict=True):
        assert one == other
    assert got == wanted


def test_costs_are_served(board):
    for tag, times in [("step 100", 1), ("late/step 200", 2)]:
        got = board.get("plugin/graphs/run_metadata", run="graph", tag=tag)
        assert text_format.Parse(got, RunMetadata()) == text_format.Parse(costs(times), RunMetadata())


def test_runs_and_tags_are_listed_with_their_kinds(board):
    def tag(name: str, *kinds: str) -> dict:
        return {"tag": name} | {kind: kind in kinds for kind in ("conceptual_graph", "op_graph", "profile")}

    info = board.get("plugin/graphs/info")
    assert {run: info[run] for run in ("graph", "model", "given graph", "given functions")} == {
        "graph": {
            "run": "graph",
            "tags": {name: tag(name, "profile") for name in ("step 100", "late/step 200")},
            "run_graph": True,
        },
        "model": {
            "run": "model",
            "tags": {"keras": tag("keras", "conceptual_graph"), "first": tag("first", "profile")},
            "run_graph": True,
        },
        "given graph": {"run": "given graph", "tags": {}, "run_graph": True},
        "given functions": {"run": "given functions", "tags": {}, "run_graph": True},
    }


class Page:
    """The Graphs page, newly opened for a run and a tag."""

    def __init__(self, chrome: Browser, board: TensorBoard, run: str, tag: str = "Default"):
        self.chrome = chrome
        chrome.get(f"{board.url}/#graphs")
        for choice in (run, tag):
            eventually(lambda choice=choice: choice in self._choices("paper-item"), True)
            self._choose("paper-item", choice)

    def choose(self, name: str) -> None:
        """Chooses a graph type or a colour scheme."""
        eventually(lambda: name in self._choices("paper-radio-button:not([disabled])"), True)
        self._choose("paper-radio-button", name)

    def open(self, scope: str) -> None:
        """Opens a scope with double clicks. A page that is still loading ignores the first ones."""

        def is_open() -> bool:
            return any(name.startswith(f"{scope}/") for name in self.labels())

        def opens() -> bool:
            self._click(scope, "dblclick")
            with suppress(AssertionError):
                eventually(is_open, True, 10)
            return is_open()

        eventually(opens, True)

    def select(self, node: str) -> None:
        """Shows the card of a node with clicks. The page selects a scope some time after it opens, so it may need several."""

        def selected() -> str:
            self._click(node, "click")
            return self.chrome.ask('return deep(document, "tf-graph-board")[0].selectedNode;')

        eventually(selected, node)

    def labels(self) -> dict[str, str]:
        """The label of each node."""
        # The text is followed by its tooltip.
        written = "text => [...text.childNodes].filter(child => child.nodeType === Node.TEXT_NODE).map(e => e.data).join('')"
        return self._ask("g.node", f"e => [e.dataset.name, deep(e, ':scope > text').map({written}).pop()]")

    def edges(self) -> dict[str, str]:
        """The label of each edge."""
        return self._ask("g.edge", "e => [e.dataset.edge, e.textContent]")

    def colors(self) -> dict[str, list[str]]:
        """The colours of each node."""
        found = self._ask(
            "g.node",
            """e => {
              const shape = deep(e, ":scope > .nodeshape > .nodecolortarget")[0];
              const fill = shape ? shape.style.fill : "";
              // The fill of a node with several devices is a gradient.
              const stops = fill.startsWith("url") ? e.getRootNode().getElementById(fill.slice(6, -2)) : null;
              return [e.dataset.name, stops ? deep(stops, "stop").map(stop => stop.getAttribute("stop-color")) : [fill]];
            }""",
        )
        return {name: sorted(set(map(rgb, colors))) for name, colors in found.items()}

    def legend(self) -> dict[str, str]:
        """The colours of the legend, by name."""
        found = self.chrome.ask("""
            const rows = deep(document, ".color-legend-row").filter(row => row.offsetParent !== null);
            return Object.fromEntries(rows.map(row => [
              row.textContent.trim(),
              (deep(row, "tf-graph-icon")[0] || {}).fillOverride || "",
            ]));
        """)
        return {name: rgb(color) for name, color in found.items()}

    def card(self) -> dict[str, str]:
        """The attributes and the costs on the card of the selected node."""
        cells = self.chrome.ask("""
            const cards = deep(document, "tf-node-info").map(e => e.shadowRoot);
            const cells = cards.flatMap(e => deep(e, ".attr-left, .attr-right, .sub-list-table-cell"));
            return cells.filter(e => e.offsetParent !== null).map(e => e.textContent.trim());
        """)
        return dict(zip(cells[::2], cells[1::2], strict=True))

    def _ask(self, selector: str, entry: str) -> dict:
        return self.chrome.ask(f"""
            const found = deep(document, "tf-graph-scene").flatMap(e => deep(e.shadowRoot, "{selector}"));
            return Object.fromEntries(found.map({entry}));
        """)

    def _choices(self, selector: str) -> list[str]:
        return self.chrome.ask(f"""
            const found = deep(document, "tf-graph-controls").flatMap(e => deep(e.shadowRoot, "{selector}"));
            return found.map(e => e.name || e.textContent.trim());
        """)

    def _choose(self, selector: str, name: str) -> None:
        self.chrome.ask(f"""
            const found = deep(document, "tf-graph-controls").flatMap(e => deep(e.shadowRoot, "{selector}"));
            found.find(e => (e.name || e.textContent.trim()) === "{name}").click();
        """)

    def _click(self, node: str, event: str) -> None:
        eventually(lambda: node in self.labels(), True)
        self.chrome.ask(f"""
            const node = deep(document, "g.node").find(e => e.dataset.name === "{node}");
            deep(node, ":scope > .nodeshape > .nodecolortarget")[0].dispatchEvent(new MouseEvent("{event}", {{bubbles: true}}));
        """)


def rgb(color: str) -> str:
    """Converts the different notations of colours on the page to one."""
    if found := re.fullmatch(r"#(.{1,2})(.{1,2})(.{1,2})", color):
        return f"rgb({', '.join(str(int((part * 2)[:2], 16)) for part in found.groups())})"
    return color


def below(found: dict, scope: str) -> dict:
    """The items in an open scope, without the marks of the page at its edge."""
    return {name: each for name, each in found.items() if name.startswith(f"{scope}/") and "~~" not in name}


@pytest.mark.usefixtures("picture")
def test_graph(board, chrome):
    page = Page(chrome, board, "graph")
    page.open("hidden")
    hidden = {"hidden/weights": "weights", "hidden/MatMul": "MatMul", "hidden/Relu": "Relu", "hidden/(hidden)": "(hidden)"}
    eventually(lambda: below(page.labels(), "hidden"), hidden)
    outside = {"pixels", "hidden", "sum", "call", "loop", "everything", "__function_library__cell"}
    eventually(lambda: {name for name in page.labels() if "/" not in name and "~~" not in name}, outside)
    edges = {
        "pixels--hidden": "?×784",
        "hidden/weights--hidden/MatMul": "784×128",
        "hidden/MatMul--hidden/Relu": "?×128",
        "hidden/Relu--hidden/(hidden)": "?×128",
        "hidden--sum": "?×64",
        "sum--call": "scalar",
        "sum--everything": "scalar",
        "pixels--loop": "?×784",
    }
    eventually(lambda: {edge: label for edge, label in page.edges().items() if "~~" not in edge}, edges)
    page.choose("device")
    eventually(lambda: set(page.legend()), {"GPU:0", "CPU:0", "unknown device"})

    def has_colors_of_devices() -> None:
        legend, colors = page.legend(), page.colors()
        assert len(set(legend.values())) == 3
        for node, device in [("MatMul", "GPU:0"), ("weights", "GPU:0"), ("Relu", "GPU:0"), ("(hidden)", "CPU:0")]:
            assert colors[f"hidden/{node}"] == [legend[device]], node
        assert colors["pixels"] == [legend["unknown device"]]

    eventually_holds(has_colors_of_devices)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_circle_function_and_attributes(board, chrome):
    page = Page(chrome, board, "graph")
    page.open("loop")
    page.open("loop/inner")
    circle = {"loop/inner/merge--loop/inner/next": "?×784", "loop/inner/next--loop/inner/merge": "?×784"}
    eventually(lambda: {edge: label for edge, label in page.edges().items() if edge in circle}, circle)

    # The function, inside the node that calls it.
    page.open("call")
    page.open("call/inner")
    inside = {"call/x", "call/y", "call/inner", "call/inner/Split", "call/inner/Add"}
    eventually(lambda: inside <= page.labels().keys(), True)
    edges = {"call/x--call/inner", "call/inner--call/y", "call/inner/Split--call/inner/Add"}
    eventually(lambda: edges <= page.edges().keys(), True)

    page.select("everything")
    eventually(lambda: "list of none" in page.card(), True)
    assert page.card() == {
        "s": r'{"s":"Gr\\303\\266\\303\\237e \\\"{\\\"\\n"}',
        "bytes": r'{"s":"\\000\\377"}',
        "i": '{"i":-9223372036854776000}',  # The page has no integers.
        "f": '{"f":0.5}',
        "b": '{"b":true}',
        "type": '{"type":"DT_INT8"}',
        "shape": '{"shape":{"dim":[{"size":-1},{"size":3},{}]}}',
        "tensor": r'{"tensor":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":2}]},'
        r'"tensor_content":"\\000\\000\\300?\\000\\000\\000\\300"}}',
        "placeholder": '{"placeholder":"T"}',
        "func": '{"func":{"name":"cell","attr":{"key":"T","value":{"type":"DT_HALF"}}}}',
        "list s": '{"list":{"s":["a","b"]}}',
        "list i": '{"list":{"i":[1,-2]}}',
        "list f": '{"list":{"f":[0.25,1e+30]}}',
        "list b": '{"list":{"b":[true,false]}}',
        "list type": '{"list":{"type":["DT_FLOAT","DT_BOOL"]}}',
        "list shape": '{"list":{"shape":[{},{"unknown_rank":true}]}}',
        "list tensor": '{"list":{"tensor":[{"dtype":"DT_STRING","tensor_shape":{},"string_val":"x"}]}}',
        "list func": '{"list":{"func":[{"name":"cell","attr":{"key":"T","value":{"type":"DT_HALF"}}}]}}',
        "list of none": '{"list":{}}',
    }
    assert chrome.errors() == []


def redness(color: list[str]) -> int:
    """The distance of a colour from grey or white, which mean no cost."""
    assert len(color) == 1
    parts = re.findall(r"\d+", color[0])
    assert len(parts) == 3, color
    red, green, blue = map(int, parts)
    return 2 * red - green - blue


@pytest.mark.usefixtures("picture")
def test_costs(board, chrome):
    page = Page(chrome, board, "graph", "step 100")
    page.choose("memory")
    page.open("hidden")

    def has_shades(*nodes: str) -> None:
        """Checks that the nodes are ordered from red to grey. The last node has no cost."""
        colors = page.colors()
        shades = [redness(colors.get(node, [])) for node in nodes]
        assert shades == sorted(shades, reverse=True)
        assert len(set(shades)) == len(nodes)
        assert shades[-1] == 0

    # 1 MiB, 8 KiB, none.
    eventually_holds(lambda: has_shades("hidden/MatMul", "sum", "pixels"))
    page.choose("compute_time")
    # 200, 90 and 1 microseconds, none.
    eventually_holds(lambda: has_shades("hidden/MatMul", "sum", "hidden/Relu", "pixels"))
    page.select("hidden/MatMul")
    costs = {
        "Device": "/device:GPU:0",
        "Memory": "1 MB",
        "Compute Time": "200 µs",
        "Tensor Output Sizes": "[32, 128]",
    }
    eventually(page.card, costs)
    # This node ran three times, from 290 to 380 microseconds.
    page.select("sum")
    costs = {"Device": "/device:CPU:0", "Memory": "8 KB", "Compute Time": "90 µs", "Tensor Output Sizes": "scalar"}
    eventually(page.card, costs)
    eventually(lambda: {"GPU:0", "CPU:0"} <= page.legend().keys(), True)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_model(board, chrome):
    page = Page(chrome, board, "model")
    page.open("encoder")
    page.open("encoder/hidden")
    inside = {
        "encoder/attention": "attention",
        "encoder/hidden": "hidden",
        "encoder/hidden/kernel": "kernel",
        "encoder/hidden/bias": "bias",
        "encoder/hidden/(hidden)": "(hidden)",
    }
    eventually(lambda: below(page.labels(), "encoder"), inside)
    edges = {
        "pixels--encoder": "?×49×64",
        "pixels--sum": "?×49×64",
        "encoder/attention--encoder/hidden": "?×49×64",
        "encoder/hidden/kernel--encoder/hidden/(hidden)": "64×32",
        "encoder/hidden/bias--encoder/hidden/(hidden)": "32",
        "encoder--sum": "2 tensors",
    }
    eventually(lambda: {edge: label for edge, label in page.edges().items() if "~~" not in edge}, edges)
    page.choose("device")
    eventually(lambda: set(page.legend()), {"GPU:0", "GPU:1", "CPU:0", "unknown device"})

    def has_colors_of_devices() -> None:
        legend, colors = page.legend(), page.colors()
        assert len(set(legend.values())) == 4
        for node, device in [("encoder/attention", "GPU:0"), ("encoder/hidden/kernel", "GPU:1"), ("sum", "CPU:0")]:
            assert colors[node] == [legend[device]], node

    eventually_holds(has_colors_of_devices)
    page.select("encoder/hidden/(hidden)")
    attributes = {
        "activation": '{"s":"relu"}',
        "dtype": '{"type":"DT_HALF"}',
        "weight_count": '{"i":2080}',
        "Device": "/device:GPU:1",
    }
    eventually(page.card, attributes)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_costs_of_a_model(board, chrome):
    page = Page(chrome, board, "model", "first")
    page.choose("compute_time")
    page.open("encoder")
    page.select("encoder/attention")
    costs = {
        "num_heads": '{"i":4}',
        "Device": "/device:GPU:0",
        "Memory": "1 MB",
        "Compute Time": "70 µs",
    }
    eventually(page.card, costs)
    # The node of the layer is inside.
    page.open("encoder/hidden")
    page.select("encoder/hidden/(hidden)")
    eventually(lambda: page.card().get("Compute Time"), "30 µs")

    def attention_costs_more() -> None:
        colors = page.colors()
        assert redness(colors["encoder/attention"]) > redness(colors["encoder/hidden/(hidden)"]) > 0

    eventually_holds(attention_costs_more)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_conceptual_graph(board, chrome):
    page = Page(chrome, board, "model", "keras")
    page.open("digits")
    page.open("digits/encoder")
    inside = {
        "digits/pixels": "pixels",
        "digits/encoder": "encoder",
        "digits/encoder/attention": "attention",
        "digits/encoder/hidden": "hidden",
        "digits/sum": "sum",
    }
    eventually(lambda: below(page.labels(), "digits"), inside)
    edges = {
        "digits/pixels--digits/encoder",
        "digits/pixels--digits/sum",
        "digits/encoder/attention--digits/encoder/hidden",
        "digits/encoder--digits/sum",
    }
    eventually(lambda: {edge for edge in page.edges() if "~~" not in edge}, edges)
    page.select("digits/encoder/hidden")
    eventually(page.card, {"keras_class": '{"s":"Dense"}', "dtype": '{"type":"DT_HALF"}'})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_graph_from_elsewhere(board, chrome):
    page = Page(chrome, board, "given graph")
    page.open("Net")
    labels = {"Net": "Net", "Net/Linear[fc 1]": "Linear[fc 1]", "Größe:0": "Größe:0"}
    eventually(lambda: {name: label for name, label in page.labels().items() if "~~" not in name}, labels)
    eventually(lambda: "Net--Größe:0" in page.edges(), True)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_functions_from_elsewhere(board, chrome):
    page = Page(chrome, board, "given functions")
    page.open("g")
    page.open("s")
    eventually(lambda: {"p", "f", "g", "g/n", "s", "s/x"} <= page.labels().keys(), True)
    eventually(lambda: {"f--g", "g--s"} <= page.edges().keys(), True)
    assert chrome.errors() == []
