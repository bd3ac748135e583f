"""Scalars, texts and tensors: both loaders return every point, with its step, wall time and exact value.

The tests use the HTTP API of the page. The expected values come from the same formulas as in `stock_log`.
"""

import html
import itertools
import math
import re

import pytest
from harness import START, f32, points, runs_of, series, tags
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

LONG_TAG = "x" * (1 << 20)


def test_all_runs_are_listed(board, log):
    assert set(board.get("runs")) == runs_of(log) == {
        ".",
        "plain",
        "types",
        "steps",
        "tags",
        "descriptions",
        "text",
        "validation",
        "validation/fold 1",
        "Läufe & more, 50 %",
        "numbers",
        "together",
        "scopes",
        "tensors",
        "images",
        "image files",
        "drawn images",
        "audio",
        "pr_curves",
        "meshes",
        "histograms",
        "graph",
        "model",
        "given graph",
        "given functions",
        "events",
        "custom scalars",
        "embeddings",
        "hparams/a",
        "hparams/a/validation",
        "hparams/b",
        "hparams/c",
        "hparams/killed",
        "hparams/trial 1",
        "hparams/trial 2",
        "twins",
    }  # fmt: skip


def test_a_thousand_points(board):
    wanted = [(START + 0.25 * step, step, f32(0.1 * step)) for step in range(1000)]
    assert series(board, "plain", "loss") == wanted
    assert board.scalars("plain", "loss") == wanted, "the Scalars dashboard"


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("f32", 2.0**-126),
        ("f32 subnormal", 2.0**-149),
        ("f64", f32(math.pi)),
        ("f64 too large", "Infinity"),
        ("f64 too small", 0.0),
        ("i64", 2.0**24 + 4),  # 2^24 + 3 is between two f32, and is rounded to the even one.
        ("i64 lowest", -(2.0**63)),
        ("u64 highest", 2.0**64),
        ("u8", 255.0),
        ("i8", -128.0),
        # 0.1 is 1.6 / 16. The nearest number to 1.6 is 1638 / 2^10 in an f16, and 205 / 2^7 in a bf16.
        ("f16", 1638 / 2**14),
        ("bf16", 205 / 2**11),
    ],
)
def test_number_types(board, tag, value):
    assert points(board, "types", tag) == [(0, value)]


def test_bools(board):
    assert points(board, "types", "bool") == [(0, 0.0), (1, 1.0)]


def test_steps(board):
    highest = 2**63 - 1
    assert points(board, "steps", "i64") == [(-5, 1.0), (0, 2.0), (2**53 + 1, 3.0), (highest, 4.0)]
    assert points(board, "steps", "u64") == [(7, 1.0), (highest, 2.0)]
    assert points(board, "steps", "usize") == [(7, 1.0)]


TAGS = [
    "with spaces",
    " ",
    "a/b/c",
    "/leading",
    "trailing/",
    "double//slash",
    "Größe/Δ損失",
    "🦀",
    "\"double\" and 'single'",
    "?a=b&c#d%20%+e",
    "<b>markup</b> {{braces}}",
    "back\\slash",
    "tab\tand\nnewline",
    "nul\0byte",
    "",
    LONG_TAG,
]


def test_all_tags_are_listed_as_given(board):
    assert tags(board, "scalars", "tags") == set(TAGS)


@pytest.mark.parametrize("index", range(len(TAGS)), ids=[repr(tag)[:30] for tag in TAGS])
def test_tag(board, index):
    tag, wanted = TAGS[index], [(1, float(index)), (2, float(index))]
    assert points(board, "tags", tag) == wanted
    if tag != LONG_TAG:  # The Scalars dashboard puts the tag into a URL, for which this one is too long.
        assert [(step, value) for _, step, value in board.scalars("tags", tag)] == wanted


def test_description_and_display_name(board):
    html = "<p><strong>mean</strong> over the batch</p>"
    listed = board.get("plugin/scalars/tags")["descriptions"]
    assert listed["loss"] == {"displayName": "Mean loss", "description": html}
    assert listed["plain"]["description"] == ""
    assert listed["plain"]["displayName"] in ("", "plain"), "the loader in Python fills it in"
    assert board.get("plugin/timeseries/tags")["scalars"]["tagDescriptions"]["loss"] == html
    assert points(board, "descriptions", "loss") == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert points(board, "descriptions", "plain") == [(0, 1.0)]


def test_described_scalar_is_a_tensor_for_other_tools(log):
    """Checks what the docs of `Tag::description` say: tbparse and tensorboard-reducer use this class of the stock package."""
    accumulator = EventAccumulator(str(log / "descriptions")).Reload()
    assert accumulator.Tags()["scalars"] == ["plain"]
    assert set(accumulator.Tags()["tensors"]) == {"loss", "described/tensor"}


def test_text(board):
    assert tags(board, "text", "text") == {"report", "a tag/with spaces", "made/table", "made/odd table", "made/raw"}
    first, second = board.get("plugin/text/text", run="text", tag="report")
    html = first.pop("text")
    assert first == {"wall_time": START, "step": 0}
    assert "<h1>Größe</h1>" in html
    assert "<table>" in html
    assert "<th>a</th>" in html
    assert "<td>2</td>" in html
    assert "<pre><code>let x = 1 &lt; 2;\n</code></pre>" in html
    assert "<strong>bold</strong>" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>" not in html
    assert second == {"wall_time": START + 1, "step": 1, "text": "<p>second</p>"}


RAW_TEXTS = [
    "__init__.py 2*3*4 a_b_c\nsecond line\n    # indented\n\n\n- after *blank* lines",
    "<b>&amp;</b> [link](http://a.b) \\_ | a |\n|---|\n",
    "```rust\nlet x = 1;\n```\n~~~",
    "\n\n  größer\n\n",
    "",
]


def test_preformatted_text_is_shown_as_it_is(board):
    texts = [text["text"] for text in board.get("plugin/text/text", run="text", tag="made/raw")]
    shown = [re.fullmatch(r"<pre><code>([^<]*)</code></pre>", text)[1] for text in texts]
    assert list(map(html.unescape, shown)) == [raw.removesuffix("\n") + "\n" for raw in RAW_TEXTS]


def test_markdown_table(board):
    [table] = board.get("plugin/text/text", run="text", tag="made/table")
    cells = re.findall(r"<t[hd]>(.*?)</t[hd]>", table["text"])
    assert list(map(html.unescape, cells)) == [
        *("left", "right"),
        *("a|b", "two lines"),
        *(r"<code>x\|y</code>", "<em>z</em>"),
        *("a|b", r"a\|b"),
        *("`u", "v`"),
    ]


def test_cells_of_any_letters(board):
    [table] = board.get("plugin/text/text", run="text", tag="made/odd table")
    _, *rows = re.findall(r"<tr>(.*?)</tr>", table["text"], re.DOTALL)
    cells = [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in rows]
    assert len(cells) == sum(4**count for count in range(5))
    assert [row for row in cells if len(row) != 3 or row[0] != row[1] or row[2] != "end"] == []
    # Cells without backslashes and code are shown unchanged. Markdown changes the others.
    shown = {"".join(letters) for count in range(5) for letters in itertools.product("a`|", repeat=count)}
    assert {row[0] for row in cells} >= {cell for cell in shown if cell.count("`") < 2}


@pytest.mark.parametrize(
    ("run", "value"),
    [(".", 0.0), ("validation", 1.0), ("validation/fold 1", 2.0), ("Läufe & more, 50 %", 3.0)],
)
def test_runs(board, run, value):
    assert series(board, run, "where") == [(START, 0, value)]


def test_numbers_that_are_not_finite(board):
    got = points(board, "numbers", "odd")
    assert got == [(0, "NaN"), (1, 1.0), (2, "Infinity"), (3, "-Infinity"), (4, 0.0), (5, (2 - 2.0**-23) * 2.0**127)]
    assert math.copysign(1, got[4][1]) == -1, "-0.0 keeps its sign"


def test_values_of_one_event(board):
    assert tags(board, "scalars", "together") == {f"metric/{k}" for k in range(10)}
    for k in range(10):
        wanted = [(START + step, step, 10.0 * step + k) for step in range(5)]
        assert series(board, "together", f"metric/{k}") == wanted, k
    listed = board.get("plugin/scalars/tags")["together"]
    assert listed["metric/0"]["description"] == "<p>the first of <em>ten</em></p>"


def test_scopes(board):
    wanted = {"encoder/loss": 1.0, "encoder/layer 1/loss": 2.0, "encoder/a": 3.0, "encoder/b": 4.0, "loss": 5.0}
    assert tags(board, "scalars", "scopes") == set(wanted)
    for tag, value in wanted.items():
        assert points(board, "scopes", tag) == [(0, value)], tag
    assert tags(board, "text", "scopes") == {"encoder/notes"}


def test_tensors_for_other_dashboards(board):
    [table] = board.get("plugin/text/text", run="tensors", tag="table")
    cells = [f"<td><p>{cell}</p></td>" for cell in ("left", "right", "1", "2")]
    assert [cell for cell in cells if cell in table["text"]] == cells

    buckets = [[-1.0, 0.0, 3.0], [0.0, 1.0, 4.0], [1.0, 2.0, 5.0]]
    assert board.get("plugin/histograms/histograms", run="tensors", tag="weights") == [[START, 0, buckets]]

    [clip] = board.get("plugin/audio/audio", run="tensors", tag="clip", sample="0")
    assert clip["contentType"] == "audio/wav"
    assert board.get(f"plugin/audio/individualAudio?{clip['query']}") == "RIFF"

    [described] = board.get("plugin/text/text", run="descriptions", tag="described/tensor")
    assert "<td><p>cell</p></td>" in described["text"]


def test_whole_events(board):
    graph = 'node {\n  name: "a"\n  op: "Const"\n}\nnode {\n  name: "b"\n  op: "Relu"\n  input: "a"\n}\n'
    assert board.get("plugin/graphs/info")["events"]["run_graph"] is True
    assert board.get("plugin/graphs/graph", run="events", conceptual="false") == graph
    assert series(board, "events", "loss") == [(START, 7, 0.25)]


def test_two_writers_of_one_directory(board, log):
    assert len(list((log / "twins").iterdir())) == 2
    assert points(board, "twins", "first") == [(step, float(step)) for step in range(10)]
    assert points(board, "twins", "second") == [(step, float(-step)) for step in range(10)]
