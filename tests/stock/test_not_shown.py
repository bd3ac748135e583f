"""Checks what the page `not_shown` of the docs says about TensorBoard, and the counts of `summary-writer inspect`.

`stock_log not_shown` writes two logs: `main`, to which the fixture `log` adds event files of other writers, and `unusual`.
"""

import base64
import gzip
import inspect
import json
import math
import re
import shutil
import subprocess
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser
from harness import REPO, TensorBoard, eventually, execute, f32, program
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.context import RequestContext
from tensorboard.data import server_ingester
from tensorboard.plugins.core.core_plugin import CorePluginLoader
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.grpc_util import ChannelCredsType
from tensorboard.util.tensor_util import make_ndarray, make_tensor_proto
from test_graphs import Page
from test_meshes import canvases

# Event files of other writers.
GOLDEN = REPO / "tests" / "data" / "golden"

# For each plugin: the route of the points, and how many points of a tag the fast loader and the Python loader keep.
KINDS = {
    "scalars": ("scalars", 1000, 1000),
    "histograms": ("histograms", 100, 500),
    "images": ("images", 10, 10),
    "audio": ("audio", 10, 10),
    "text": ("text", 100, 10),
    "pr_curves": ("pr_curves", 100, 100),
    "mesh": ("meshes", 100, 10),
}

# The number of histograms that the pages show, of those that the loader keeps.
SHOWN_HISTOGRAMS = 51

# The fast loader does not list the empty file.
UNLISTED = frozenset({"empty", "compressed"})


# Names and ops of nodes that the Graphs page cannot draw, and one node that it can draw.
GRAPHS = [("constructor", "Relu"), ("__root__", "Relu"), ("a", "constructor"), ("a", "Relu")]


# The tags of PR curves, and their counts of examples.
CURVES = [("large", 2.0**62), ("overflow", 2.0**63), ("infinite", math.inf)]


# The unusual names of tags and runs.
NAMES = [
    "plain",
    "spaces and ünïcode",
    "marks '<>&?#%+=,;:|`~!@$^*()[]{}",
    'quote"',
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "delete\x7f",
    "control\x85",
]
# The fast loader makes a URL from JSON, and cannot decode the escapes in it.
UNSERVABLE = {name for name in NAMES if any(c in '"\\' or c < " " for c in name)}


def scalar(tag: str, step: int) -> bytes:
    value = Summary.Value(tag=tag, simple_value=step)
    return Event(wall_time=1_700_000_000 + step, step=step, summary=Summary(value=[value])).SerializeToString()


def append(path: Path, *payloads: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        for payload in payloads:
            RecordWriter(file).write(payload)


def flip(path: Path, at: int, bits: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= bits
    path.write_bytes(data)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("not_shown")
    execute(program("stock_log"), "not_shown", parent)
    return parent


@pytest.fixture(scope="module")
def log(logs: Path) -> Path:
    logdir = logs / "main"
    for path in GOLDEN.glob("*.tfevents"):
        run = logdir / "others" / path.stem
        run.mkdir(parents=True)
        shutil.copy(path, run)
    version = Event(wall_time=1, file_version="brain.Event:2").SerializeToString()
    append(logdir / "version" / "tfevents", version)
    empty = logdir / "empty" / "tfevents"
    append(empty)
    for name in ("length", "checksum"):
        path = logdir / name / "tfevents"
        append(path, version, scalar("loss", 1), scalar("loss", 2))
        # The first byte of the length, and the last byte of the checksum of the payload.
        at = path.stat().st_size - (len(scalar("loss", 2)) + 16 if name == "length" else 1)
        flip(path, at)
        append(path, scalar("loss", 3))
    # So many runs that the Scalars page does not select them.
    for number in range(41):
        append(logdir / f"few/{number}/tfevents", *(scalar("loss", step) for step in range(3)))
    # The last byte of the payload of step 2 has the sign of the number.
    path = logdir / "payload" / "tfevents"
    append(path, version, scalar("loss", 1), scalar("loss", 2))
    flip(path, path.stat().st_size - 5, 0x80)
    append(path, scalar("loss", 3))
    for name, between in [("cut", b"\x2a" + bytes(7)), ("zeros", bytes(50))]:
        path = logdir / name / "tfevents"
        append(path, version, scalar("loss", 1))
        with path.open("ab") as file:
            file.write(between)
        append(path, scalar("loss", 2))
    nan = Event(wall_time=math.nan, step=2).SerializeToString()
    append(logdir / "NaN" / "tfevents", version, scalar("loss", 1), nan, scalar("loss", 3))
    for name, op in GRAPHS:
        graph = GraphDef(node=[NodeDef(name=name, op=op), NodeDef(name="other", op="Relu", input=[name])])
        graph_def = Event(wall_time=1, graph_def=graph.SerializeToString()).SerializeToString()
        append(logdir / "graphs" / f"{name} {op}" / "tfevents", version, graph_def)
    for kind in ("Dense", "Größe"):
        layer = {"class_name": kind, "config": {"name": "a"}, "name": "a", "inbound_nodes": []}
        ends = {"input_layers": [["a", 0, 0]], "output_layers": [["a", 0, 0]]}
        model = {"class_name": "Functional", "config": {"name": "m", "layers": [layer], **ends}}
        metadata = SummaryMetadata(plugin_data={"plugin_name": "graph_keras_model", "content": b"1"})
        value = Summary.Value(tag=kind, tensor=make_tensor_proto(json.dumps(model)), metadata=metadata)
        event = Event(wall_time=1, summary=Summary(value=[value]))
        append(logdir / "graphs" / "kind" / "tfevents", version, event.SerializeToString())
    for tag, number in CURVES:
        metadata = SummaryMetadata(plugin_data={"plugin_name": "pr_curves"}, data_class="DATA_CLASS_TENSOR")
        value = Summary.Value(tag=tag, tensor=make_tensor_proto(np.full((6, 2), number, np.float32)), metadata=metadata)
        append(logdir / "curves" / "tfevents", Event(wall_time=1, summary=Summary(value=[value])).SerializeToString())
    append(logdir / "other name" / "events.out", version, scalar("loss", 1))
    compressed = logdir / "compressed" / "tfevents.gz"
    compressed.parent.mkdir()
    compressed.write_bytes(gzip.compress((logdir / "version" / "tfevents").read_bytes()))
    return logdir


@pytest.fixture(scope="module")
def board(log: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(log, fast=fast, complaint=".*", unlisted=UNLISTED) as board:
        yield board


@pytest.fixture(scope="module")
def unusual_board(logs: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(logs / "unusual", fast=fast) as board:
        yield board


def get(board: TensorBoard, kind: str, run: str, tag: str) -> Any:
    """The points of a tag. The list is empty if the loader has none."""
    if (route := KINDS[kind][0]) == "meshes":
        tag = tag.rsplit("_", 1)[0]
    response = board.request(f"plugin/{kind}/{route}", run=run, tag=tag, sample="0")
    if response.status_code == 404:
        return []
    answer = response.json()
    if kind == "pr_curves":
        return answer[run]
    if kind == "mesh":  # The answer has all parts of a mesh.
        parts = {point["content_type"] for point in answer}
        return [point for point in answer if point["content_type"] == min(parts)]
    return answer


def count(board: TensorBoard, kind: str, run: str, tag: str) -> int:
    return len(get(board, kind, run, tag))


def steps(board: TensorBoard, run: str) -> list[int]:
    return [step for _, step, _ in get(board, "scalars", run, "loss")]


def test_inspect_counts_what_the_fast_loader_shows(board, log, fast):
    command = [program("summary-writer"), "inspect", "--json", log]
    output = subprocess.run(command, stdout=subprocess.PIPE).stdout
    noted = 0
    for run in map(json.loads, output.splitlines()):
        # Other tests check these runs: TensorBoard takes samples, gives up damaged files, and fails with unusual curves.
        if run["run"] in ("many", "curves", "checksum", "length", "payload", "cut", "zeros", "NaN", "compressed"):
            continue
        for tag in run["tags"]:
            if "shown" not in tag:
                continue
            noted += "note" in tag
            kind, name = tag["kind"], tag["tag"]
            # The Python loader shows the text as a scalar, and one image or clip for each step.
            shown = tag["shown"] if fast or kind in ("images", "audio") else tag["points"]
            if name != "two kinds" or fast:
                assert count(board, kind, run["run"], name) == shown, (run["run"], tag)
    # 12 in the run `steps`, 3 in `odd`, and 5 of other writers: PyTorch's float64; TensorFlow's float64, int32, and float32 of
    # rank 2; the steps 0, -1 and -2 of TensorBoard's own writer.
    assert noted == 12 + 3 + 5


def exported(number: float) -> float | str:
    """A number as the export writes it in JSON."""
    if math.isnan(number):
        return "NaN"
    return number if math.isfinite(number) else f"{'-' if number < 0 else ''}Infinity"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.tfevents")), ids=lambda path: path.stem)
def test_export_gives_the_values_of_the_stock_reader(path):
    plugins: dict[str, str] = {}
    wanted = []
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            plugin = plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
            if plugin not in ("scalars", "histograms", "text"):
                continue
            array = make_ndarray(value.tensor)
            if plugin == "scalars":
                content = exported(array.item())
            elif plugin == "histograms":
                content = np.float32(array).tolist()
            else:
                texts = [text.decode() for text in array.flatten()]
                content = texts if array.shape else texts[0]
            wanted.append((value.tag, event.step, event.wall_time, content))
    output = subprocess.check_output([program("summary-writer"), "export", "--format=jsonl", path])
    lines = [line for line in map(json.loads, output.splitlines()) if line["kind"] in ("scalars", "histograms", "text")]
    got = [(line["tag"], line["step"], line["wall_time"], line.get("value", line.get("buckets"))) for line in lines]
    for (tag, step, time, content), (*place, value) in zip(got, wanted, strict=True):
        assert [tag, step, time] == place
        if isinstance(content, list) and isinstance(content[0], list):
            content = np.float32(content).tolist()  # The stock reader rounds old histograms.
        # The export writes an `f32` with few digits. The stock reader returns the same number as an `f64`.
        is_f32 = isinstance(content, float) and content != value
        assert (f32(content) if is_f32 else content) == value, tag


def test_one_loader_shows_the_points_of_a_repeated_step(board, fast):
    assert steps_of(board, "back") == ([0, 1, 2, 5] if fast else [0, 1, 2, 3, 4, 2, 5])
    assert steps_of(board, "no step") == ([0] if fast else [0] * 5)


def steps_of(board: TensorBoard, tag: str) -> list[int]:
    return [step for _, step, _ in get(board, "scalars", "steps", tag)]


MANY = [
    *[("scalars", "scalar", 1010), ("histograms", "histogram", 510), ("images", "image", 110), ("audio", "audio", 110)],
    *[("text", "text", 110), ("pr_curves", "curve", 110), ("mesh", "mesh_VERTEX", 110)],
]


def test_samples(board, fast):
    for kind, tag, _ in MANY:
        kept = KINDS[kind][1 if fast else 2]
        assert count(board, kind, "many", tag) == min(kept, SHOWN_HISTOGRAMS if kind == "histograms" else kept), kind
    assert get(board, "scalars", "many", "scalar")[-1][1] == 1009, "the last one is always kept"
    assert get(board, "images", "many", "image")[-1]["step"] == 109


# With the limit 0, TensorBoard still serves histograms, but no other kind.
@pytest.mark.parametrize("number", [0, 5000])
def test_samples_per_plugin(log, fast, number):
    option = "--samples_per_plugin=" + ",".join(f"{kind}={number}" for kind in KINDS)
    with TensorBoard(log / "many", option, fast=fast) as board:
        for kind, tag, points in MANY:
            wanted = SHOWN_HISTOGRAMS if kind == "histograms" else min(number, points)
            assert count(board, kind, ".", tag) == wanted, kind


def test_files_without_data(board, fast):
    runs = set(board.get("runs"))
    assert "version" in runs
    assert "other name" not in runs
    assert ("empty" in runs) is not fast
    listed = {run for run, tags in board.get("plugin/scalars/tags").items() if tags}
    assert listed.isdisjoint({"version", "empty", "compressed"})


def test_damaged_files_end_early(board, fast):
    assert steps(board, "length") == [1]
    # The data of this file is right.
    assert steps(board, "checksum") == ([1, 2, 3] if fast else [1])
    values = [value for _, _, value in get(board, "scalars", "payload", "loss")]
    assert values == ([1, -2, 3] if fast else [1])
    assert steps(board, "cut") == steps(board, "zeros") == [1]
    assert steps(board, "NaN") == ([1] if fast else [1, 3])


def test_tags(board, fast):
    tags = board.get("plugin/scalars/tags")["odd"]
    assert tags["described late"]["description"] == ""
    assert "of no plugin" not in tags
    # This tag has the older form.
    tensorboardx = board.get("plugin/scalars/tags")["others/tensorboardX-kinds"]["odd/described"]
    assert (tensorboardx["description"] == "") is fast
    assert get(board, "scalars", "odd", "1970")[0][0] == 0
    assert get(board, "text", "odd", "html")[0]["text"] == "<p>&lt;i&gt;x&lt;/i&gt;</p>"
    assert get(board, "text", "steps", "two kinds") == []
    values = [value for _, _, value in get(board, "scalars", "steps", "two kinds")]
    assert values == ([0, 1, 2] if fast else [0, 1, 2, 3, "x"])


def test_a_run_as_the_logdir(log, fast, chrome):
    with TensorBoard(log / "odd", fast=fast, complaint=".*") as board:
        assert "." in board.get("runs")
        row = board.session_groups()["."]
        assert (row["hparams"], row["metricValues"]) == ({"lr": 0.5}, [])
        assert count(board, "scalars", ".", "loss") == 1
        if not fast:  # The pages are the same.
            return
        # The lines and areas of a margin whose tags have the same steps, and of a margin whose tags have different steps.
        chrome.open_custom_scalars(board.url)
        eventually(lambda: chrome.custom_scalars_charts().get("bands"), {"even": [2, 1], "uneven": [0, 0]})
        # The page draws only one side of a face, and uses 16-bit indices of vertices.
        chrome.get(f"{board.url}/#mesh")
        wanted = {"front": True, "back": False, "small index": True, "large index": False}
        eventually(lambda: drawn_meshes(chrome), wanted)


def drawn_meshes(chrome: Browser) -> dict[str, bool]:
    """Whether the page draws anything, by the tag of the mesh."""
    return {title.split(",")[0]: bool(picture.drawn.any()) for title, picture in canvases(chrome).items()}


def test_hparams_finds_metrics_of_the_logdir_in_other_runs(board):
    [metric] = board.session_groups()["."]["metricValues"]
    assert (metric["name"]["tag"], metric["value"]) == ("loss", 0.5)


def test_layouts_of_all_runs_are_one_page(board):
    titles = [category["title"] for category in board.get("plugin/custom_scalars/layout")["category"]]
    # The first layout is ours, the other is that of PyTorch and tensorboardX.
    assert set(titles) == {"bands", "c"}


def test_kinds_of_layers_are_ascii(board):
    answers = [
        board.request("plugin/graphs/graph", run="graphs/kind", tag=tag, conceptual="true") for tag in ("Dense", "Größe")
    ]
    assert [answer.status_code for answer in answers] == [200, 500]


@pytest.mark.filterwarnings("ignore")
def test_pr_curves_add_counts_in_64_bits(board):
    shown = []
    for tag, _ in CURVES:
        answer = board.request("plugin/pr_curves/pr_curves", run="curves", tag=tag)
        shown.append(len(answer.json()["curves"][0]["recall"]) if answer.ok else answer.status_code)
    # TensorBoard leaves out the last thresholds if their counts add up to 0. In 64-bit integers, those of `overflow` do.
    assert shown == [2, 1, 500]


def test_other_plugins_need_a_data_class(tmp_path, fast):
    """No stock page shows such values, so this test calls the loaders directly."""
    for tag, data_class in [("without", "DATA_CLASS_UNKNOWN"), ("with", "DATA_CLASS_TENSOR")]:
        metadata = SummaryMetadata(plugin_data={"plugin_name": "mine"}, data_class=data_class)
        value = Summary.Value(tag=tag, tensor=make_tensor_proto(0.5), metadata=metadata)
        append(tmp_path / "run" / "tfevents", Event(wall_time=1, summary=Summary(value=[value])).SerializeToString())
    if fast:
        ingester = server_ingester.SubprocessServerDataIngester(
            server_binary=server_ingester.get_server_binary(),
            logdir=str(tmp_path),
            reload_interval=1,
            channel_creds_type=ChannelCredsType.LOCAL,
        )
        ingester.start()
        provider = ingester.data_provider
    else:
        multiplexer = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
        multiplexer.Reload()
        provider = MultiplexerDataProvider(multiplexer, str(tmp_path))
    context = RequestContext()
    eventually(
        lambda: set(provider.list_tensors(context, experiment_id="", plugin_name="mine").get("run", ())), {"with"}
    )


def test_audio_with_fewer_clips_at_a_step(board):
    answers = [board.request("plugin/audio/audio", run="odd", tag="uneven", sample=str(n)) for n in (0, 1)]
    assert [answer.status_code for answer in answers] == [200, 500]


def test_projector_looks_for_embeddings_when_a_new_run_appears(board, log):
    def names() -> list[str]:
        return [embedding["tensorName"] for embedding in board.get("plugin/projector/info", run="odd")["embeddings"]]

    assert names() == ["points:00000"]
    config = log / "odd" / "projector_config.pbtxt"
    old = config.read_text()
    config.write_text(old + old.replace("points:00000", "points:00001"))
    assert names() == ["points:00000"]
    config.write_text(old)
    page = board.request("plugin/projector/projector_binary.js").text
    assert "/info?run=${" in page, "it does not encode the name of a run"
    rows = re.search(r"num_rows=\$\{(\w+)\}", page)[1]
    assert re.search(rf"\b{rows}=1e5\b", page), "the points that it asks for"


def test_a_list_of_directories(log, fast):
    """TensorBoard reads the list as one directory, which does not exist, and prints no error."""
    with TensorBoard(Path(f"{log}/few,{log}/many"), fast=fast) as board:
        assert board.get("runs") == []


def test_flags():
    parser = ArgumentParser()
    CorePluginLoader().define_flags(parser)
    assert parser.get_default("reload_interval") == 5
    assert parser.get_default("max_reload_threads") == 1
    assert '"grpc.max_receive_message_length", 1024 * 1024 * 256' in inspect.getsource(server_ingester)


def test_growing_files(tmp_path, fast):
    def see(run: str, wanted: list[int]) -> None:
        eventually(lambda: steps(board, run), wanted)

    def pass_time() -> None:
        """When the second point is there, TensorBoard has looked at all runs since the first one."""
        for _ in range(2):
            clock.append(len(clock))
            append(tmp_path / "clock" / "tfevents", scalar("loss", clock[-1]))
            see("clock", clock)

    def add(run: str, file: str, *points: int) -> None:
        append(tmp_path / run / file, *(scalar("loss", step) for step in points))

    add("clock", "tfevents", 0)
    clock = [0]
    add("two writers", "1.tfevents", 0)
    add("two writers", "2.tfevents", 10)
    add("replaced", "tfevents", 0, 1)
    with TensorBoard(tmp_path, fast=fast, follow=True, complaint=".*") as board:
        see("two writers", [0, 10])
        add("two writers", "1.tfevents", 1)
        new = tmp_path / "new"
        append(new, *(scalar("loss", step) for step in range(3)))
        new.rename(tmp_path / "replaced" / "tfevents")
        add("two writers", "2.tfevents", 11)
        see("two writers", [0, 1, 11] if fast else [0, 10, 11])
        pass_time()
        assert steps(board, "replaced") == ([0, 1] if fast else [0, 1, 2])
        assert steps(board, "two writers") == ([0, 1, 11] if fast else [0, 10, 11])

        # This record is not an event, because it has a key without a value.
        append(tmp_path / "bad" / "tfevents", scalar("loss", 0), b"\x10", scalar("loss", 1))
        if fast:
            see("bad", [0])
            pass_time()
            assert steps(board, "bad") == [0]
            return
        eventually(lambda: "Exception in thread Reloader" in board.output(), True)
        append(tmp_path / "clock" / "tfevents", scalar("loss", 99))
        assert steps(board, "clock") == clock
    shutil.rmtree(tmp_path / "bad")
    with TensorBoard(tmp_path, "--reload_multifile=true", fast=False, complaint=".*") as board:
        assert steps(board, "two writers") == [0, 1, 10, 11]


def is_served(board: TensorBoard, route: str, **query: str) -> bool:
    response = board.request(route, **query)
    assert response.status_code in (200, 400), response.text
    return response.ok


@pytest.mark.parametrize("name", NAMES)
def test_names_of_blobs(unusual_board, fast, name):
    wanted = not fast or name not in UNSERVABLE
    for run, tag in [("tags", name), (f"runs/{name}", "tag")]:
        for plugin, route in [("images", "individualImage"), ("audio", "individualAudio")]:
            listed = f"plugin/{plugin}/{plugin}"
            [sample] = unusual_board.get(listed, run=run, tag=f"{tag}/{plugin.removesuffix('s')}", sample="0")
            assert is_served(unusual_board, f"plugin/{plugin}/{route}?{sample['query']}") == wanted
        assert is_served(unusual_board, "plugin/graphs/run_metadata", run=run, tag=f"{tag}/nodes") == wanted
        assert unusual_board.scalars(run, f"{tag}/scalar")[0][1:] == (0, 0.5)
    assert is_served(unusual_board, "plugin/graphs/graph", run=f"runs/{name}") == wanted
    conceptual = {"tag": "keras", "conceptual": "true"}
    assert is_served(unusual_board, "plugin/graphs/graph", run=f"runs/{name}", **conceptual) == wanted


def test_mesh_has_the_form_of_its_first_step(unusual_board):
    parts = unusual_board.get("plugin/mesh/meshes", run="mesh", tag="triangle")
    vertices = [part for part in parts if part["content_type"] == 1]
    forms = [(part["step"], part["components"], part["config"], part["data_shape"]) for part in vertices]
    # The logged second step has colours (8), a material and a batch of two.
    assert forms == [(step, 2, "{}", [1, 3, 3]) for step in (0, 1)]


def test_filter_of_a_column_of_numbers_and_text_hides_the_numbers(unusual_board):
    [column] = unusual_board.ask("plugin/hparams/experiment", experimentName="")["hparamInfos"]
    assert column["type"] == "DATA_TYPE_STRING"
    assert set(unusual_board.session_groups()) == {"hparams/text", "hparams/number"}
    every_box_is_ticked = {"hparam": "clip", "filterDiscrete": column["domainDiscrete"]}
    assert set(unusual_board.session_groups(every_box_is_ticked)) == {"hparams/text"}


@pytest.fixture(scope="module")
def page(log: Path) -> Iterator[TensorBoard]:
    """A TensorBoard for tests of the pages, which are the same for both loaders."""
    with TensorBoard(log, fast=True, complaint=".*", unlisted=UNLISTED) as board:
        yield board


def selected(chrome: Browser) -> list[list[str]]:
    """The runs that the Scalars page selects. Waits for its list of runs."""
    return chrome.ask("""
        const selectors = deep(document, "tf-runs-selector").filter(each => each.runs && each.runs.length);
        return selectors.map(each => each.selectedRuns);
    """)


def test_many_runs_are_not_selected(log, chrome, tmp_path):
    for number in range(501):
        append(tmp_path / f"{number}/tfevents", scalar("loss", 0))
    with TensorBoard(log / "few", fast=True) as few, TensorBoard(tmp_path, fast=True) as many:
        chrome.get(f"{few.url}/#scalars")
        eventually(lambda: selected(chrome), [[]])
        # The URL stores the selection.
        state = base64.b64encode(b'{"10": true}').decode()
        chrome.get(f"{few.url}/#scalars&runSelectionState={state}")
        eventually(lambda: selected(chrome), [["10"]])
        for board, ticks in [(few, [True]), (many, [False])]:
            chrome.get(f"{board.url}/?tagFilter=loss#timeseries")
            eventually(lambda: chrome.ask("""
                const boxes = deep(document, "runs-data-table tb-data-table-content-row input[type=checkbox]");
                return [...new Set(boxes.map(box => box.checked))];
            """), ticks)  # fmt: skip


def test_charts_and_settings(page, chrome):
    chrome.get(f"{page.url}/?forceSVG=true&tagFilter=odd/values#timeseries")
    # Each of the three runs has a pale line, a strong line, and a triangle for its numbers that are not finite.
    eventually(lambda: chrome.ask("""
        const shapes = deep(document, "scalar-card .series-view > svg path");
        return shapes.filter(shape => shape.style.display !== "none")
          .map(shape => `${shape.getAttribute("class")} ${shape.style.opacity}`).sort();
    """), sorted(["null 0.25"] * 3 + ["null 1"] * 3 + ["triangle 1"] * 3))  # fmt: skip
    settings = chrome.ask("""
        const input = name => deep(document, `.scalars-${name} input`)[0];
        return [input("smoothing").value, input("ignore-outliers").checked];
    """)
    assert settings == ["0.6", True]
    chrome.ask("""deep(document, "settings-button button")[0].click();""")
    period = """const input = deep(document, "settings-dialog input.reload-period")[0];"""
    eventually(lambda: chrome.ask(period + "return input && input.value;"), "30")
    reloads = """const box = deep(document, "settings-dialog input[type=checkbox]")[0];"""
    assert chrome.ask(reloads + "return box.checked;") is False
    chrome.ask(reloads + "box.click();")
    for seconds, is_valid in [("30", True), ("29", False)]:
        chrome.ask(period + f"input.value = '{seconds}'; input.dispatchEvent(new Event('input'));")
        eventually(lambda: chrome.ask(period + "return input.matches('.ng-valid');"), is_valid)


def test_filter_in_the_address(page, chrome):
    chrome.get(f"{page.url}/?forceSVG=true&tagFilter=back#timeseries")
    eventually(lambda: list(chrome.time_series_charts()), ["back"])


@pytest.mark.parametrize(("name", "op"), GRAPHS)
def test_graphs_that_the_page_cannot_draw(log, chrome, name, op):
    # The page first opens any run, so the log must have only one.
    with TensorBoard(log / "graphs" / f"{name} {op}", fast=True) as board:
        chrome.errors()
        graph = Page(chrome, board, ".")
        if (name, op) == ("a", "Relu"):
            eventually(lambda: {"a", "other"} <= graph.labels().keys(), True)
            assert chrome.errors() == []
        else:
            eventually(lambda: bool(chrome.errors()), True)
            assert "other" not in graph.labels()
