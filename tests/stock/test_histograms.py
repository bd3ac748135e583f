"""Histograms have the buckets of stock `tf.summary.histogram`, and the pages draw them."""

import json
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from harness import START, TensorBoard, eventually, points, tags
from tensorboard.plugins.distribution.compressor import compress_histogram
from tensorboard.plugins.histogram.summary import histogram_pb
from tensorboard.util.tensor_util import make_ndarray

RUN = "histograms"
STEPS = range(5)

Rows = list[list[float]]


def histograms(board: TensorBoard, tag: str) -> list[tuple[float, int, Rows]]:
    """The wall time, the step and the buckets of each histogram. Two dashboards get them, and must agree."""
    shown = board.get("plugin/histograms/histograms", run=RUN, tag=tag)
    request = json.dumps([{"plugin": "histograms", "tag": tag, "run": RUN}])
    [answer] = board.post("plugin/timeseries/timeSeries", requests=request)
    series = [
        [point["wallTime"], point["step"], [[bin["min"], bin["max"], bin["count"]] for bin in point["bins"]]]
        for point in answer["runToSeries"][RUN]
    ]
    assert shown == series
    return [tuple(point) for point in shown]


def distributions(board: TensorBoard, tag: str) -> list[list]:
    """The wall time, the step and the percentiles of each histogram."""
    return board.get("plugin/distributions/distributions", run=RUN, tag=tag)


def percentiles(rows: Rows) -> list[list[float]]:
    """The percentiles that the stock package computes from buckets."""
    return [list(point) for point in compress_histogram(rows)]


def check(rows: Rows, numbers: Iterable[float], count: int = 30, error: float = 1e-11) -> None:
    """Compares buckets with the formula, in exact arithmetic.

    A number whose distance from an edge is at most `error`, in widths of a bucket, may be in either bucket.
    """
    fractions = [Fraction(float(number)) for number in numbers]
    low, width = min(fractions), (max(fractions) - min(fractions)) / count
    largest = max(abs(number) for number in fractions)
    edges = [low + width * i for i in range(count + 1)]
    got = [row[0] for row in rows] + [rows[-1][1]]
    # The smallest edges are rounded to a multiple of 5e-324.
    rounding = max(largest * Fraction(1e-15), Fraction(5e-324))
    assert all(abs(Fraction(edge) - want) <= rounding for edge, want in zip(got, edges, strict=True))
    assert [right for _, right, _ in rows[:-1]] == got[1:-1]
    positions = np.sort([float((number - low) / width) for number in fractions])
    counted = np.cumsum([n for _, _, n in rows])
    for i in range(1, count):
        least, most = np.searchsorted(positions, [i - error, i + error])
        assert least <= counted[i - 1] <= most
    assert counted[-1] == len(fractions)


def weights(step: int) -> np.ndarray:
    i = np.arange(2000)
    first, second, third = (i * factor % 1009 / 1009 - 0.5 for factor in (37, 101, 443))
    return (first + second + third) * (step + 1)


def weights_f32(step: int) -> np.ndarray:
    return weights(step).astype(np.float32)


def weights_f16(step: int) -> np.ndarray:
    return weights_f32(step).astype(np.float16)


def weights_bf16(step: int) -> np.ndarray:
    """Numpy has no `bf16`. It is the upper 16 bits of an f32, rounded half to even."""
    bits = weights_f32(step).view(np.uint32)
    rounded = bits + 0x7FFF + (bits >> 16 & 1)
    return (rounded & 0xFFFF0000).view(np.float32)


def weights_u8(step: int) -> np.ndarray:
    return np.clip(np.trunc(weights_f32(step) * np.float32(20) + np.float32(100)), 0, 255)


@pytest.mark.parametrize(
    ("tag", "numbers", "count"),
    [
        ("layer/f32", weights_f32, 30),
        ("layer/f16", weights_f16, 30),
        ("layer/bf16", weights_bf16, 30),
        ("layer/u8", weights_u8, 30),
        ("layer/fine", weights_f32, 100),
        ("layer/every second", lambda step: weights_f32(step)[1::2], 30),
    ],
)
def test_buckets(board: TensorBoard, tag: str, numbers: Callable[[int], np.ndarray], count: int) -> None:
    got = histograms(board, tag)
    assert [(time, step) for time, step, _ in got] == [(START, step) for step in STEPS]
    for _, step, rows in got:
        # These types are computed in f32.
        check(rows, numbers(step), count, error=1e-5)
    assert distributions(board, tag) == [[time, step, percentiles(rows)] for time, step, rows in got]


def stock_rows(numbers: np.ndarray) -> Rows:
    """The buckets of the stock package."""
    [value] = histogram_pb("a", numbers).value
    return make_ndarray(value.tensor).tolist()


def test_buckets_are_those_of_the_stock_package(board):
    got = histograms(board, "layer/weights")
    assert [(time, step) for time, step, _ in got] == [(START + step, step) for step in STEPS]
    for _, step, rows in got:
        for row, wanted in zip(rows, stock_rows(weights(step)), strict=True):
            assert row == pytest.approx(wanted, rel=1e-14)
    assert distributions(board, "layer/weights") == [[time, step, percentiles(rows)] for time, step, rows in got]


def test_descriptions(board):
    listed = board.get("plugin/histograms/tags")[RUN]
    assert listed["layer/weights"] == {"displayName": "", "description": "<p><em>all</em> weights</p>"}
    assert board.get("plugin/timeseries/tags")["histograms"]["tagDescriptions"]["layer/weights"] == (
        "<p><em>all</em> weights</p>"
    )


LEAST_F32 = 2.0**-149
MAX_F32 = float(np.finfo(np.float32).max)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("odd/least", [0, 5e-324, 1e-323]),
        ("odd/least f32", [-LEAST_F32, 0, 2 * LEAST_F32]),
        ("odd/largest f32", [-MAX_F32, 0, MAX_F32]),
        # An f64 cannot store 2^53 + 1, so 2^53 counts twice.
        ("odd/beyond 2^53", [2.0**53, 2.0**53, 2.0**53 + 60]),
        ("odd/outlier", [0, 0.5, 1, 1e9]),
        ("odd/bools", [0, 1, 1]),
        ("width/±1e308", [-1e308, 0, 1e308]),
        ("width/1e308", [0, 5e307, 1e308]),
        ("width/3e305", [0, 1.5e305, 3e305]),
        ("width/1e-310", [0, 5e-311, 1e-310]),
    ],
)
def test_unusual_numbers(board, name, numbers):
    got = histograms(board, name)
    assert [step for _, step, _ in got] == ([0, 1] if name.startswith("width") else [0])
    for _, _, rows in got:
        check(rows, numbers)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("equal", stock_rows(np.full(7, 0.25))),
        ("one", stock_rows(np.array([3.0]))),
        ("none", stock_rows(np.array([]))),
        ("only NaN", stock_rows(np.array([]))),
        ("counted", [[-1.0, 0.0, 1.5], [0.0, 0.0, 0.0], [0.0, 2.5, 4.0]]),
        ("counted nothing", [[0.0, 1.0, 0.0], [1.0, 2.0, 0.0]]),
    ],
)
def test_few_buckets(board, name, wanted):
    assert histograms(board, f"odd/{name}") == [(START, 0, wanted)]
    assert distributions(board, f"odd/{name}") == [[START, 0, percentiles(wanted)]]


def test_counts_beyond_the_precision_of_f32(board):
    [(_, _, rows)] = histograms(board, "odd/many")
    # 4,096 times 4,096 ones, and one more. An f32 cannot store 2^24 + 1.
    assert [count for _, _, count in rows] == [1.0] + [0.0] * 28 + [2.0**24 + 1]


def test_numbers_that_are_not_finite_are_counted_in_a_scalar(board):
    steps = [[0, 1, 1.5, 2, 0], [1, 2], [0, 1, 1.5, 2, 2]]
    got = histograms(board, "odd/diverging")
    assert [(time, step) for time, step, _ in got] == [(START, 0), (START, 1), (START, 2)]
    for _, step, rows in got:
        check(rows, steps[step])
    assert points(board, RUN, "odd/diverging/non_finite") == [(1, 3.0)]
    assert points(board, RUN, "odd/only NaN/non_finite") == [(0, 3.0)]
    assert tags(board, "scalars", RUN) == {"odd/diverging/non_finite", "odd/only NaN/non_finite"}
    assert board.get("plugin/scalars/tags")[RUN]["odd/diverging/non_finite"] == {
        "displayName": "D/non_finite",
        "description": "<p>How many values were NaN or infinite: the histogram leaves them out.</p>",
    }


# The number of histograms of each tag. The pages show only the first twelve tags of the group `odd`.
LAYER = {f"layer/{name}": len(STEPS) for name in ("bf16", "every second", "f16", "f32", "fine", "u8", "weights")}
ODD = {
    "odd/beyond 2^53": 1,
    "odd/bools": 1,
    "odd/counted": 1,
    "odd/counted nothing": 1,
    "odd/diverging": 3,
    "odd/equal": 1,
    "odd/largest f32": 1,
    "odd/many": 1,
    "odd/none": 1,
    "odd/one": 1,
}


def only(wanted: dict, drawn: dict) -> dict:
    """The drawn items of the wanted tags."""
    return {tag: what for tag, what in drawn.items() if tag in wanted}


def drawn_histograms(chrome: Browser) -> dict[str, int]:
    """The number of histograms in each chart of the Histograms dashboard, by tag."""
    return chrome.ask("""
        const charts = deep(document, "tf-histogram-loader").map(chart => [
          chart.tag,
          deep(chart.shadowRoot, ".histogram path.outline").map(path => path.getAttribute("d"))
            .filter(d => d && !d.match(/NaN|undefined/)).length,
        ]);
        return Object.fromEntries(charts);
    """)


@pytest.mark.usefixtures("picture")
def test_histograms(board, chrome):
    chrome.get(f"{board.url}/#histograms")
    eventually(lambda: only(LAYER | ODD, drawn_histograms(chrome)), LAYER | ODD)
    # The page draws 30 buckets and two ends for any number of buckets.
    corners = """
        const charts = deep(document, "tf-histogram-loader").flatMap(chart => deep(chart.shadowRoot, ".histogram path.outline"));
        return [...new Set(charts.map(path => path.getAttribute("d").split("L").length))];
    """
    assert chrome.ask(corners) == [32]
    assert chrome.errors() == []


def drawn_distributions(chrome: Browser) -> dict[str, list[int]]:
    """The number of areas and of steps in each chart of the Distributions dashboard, by tag."""
    return chrome.ask("""
        const charts = deep(document, "tf-distribution-loader").map(chart => {
          const areas = deep(chart.shadowRoot, "path.area").map(path => path.getAttribute("d"))
            .filter(d => d && !d.includes("NaN"));
          // The path of an area follows its upper edge, and then its lower edge back.
          return [chart.tag, [areas.length, Math.max(0, ...areas.map(d => d.match(/[ML]/g).length / 2))]];
        });
        return Object.fromEntries(charts);
    """)


@pytest.mark.usefixtures("picture")
def test_distributions(board, chrome):
    chrome.get(f"{board.url}/#distributions")
    # Nine percentiles have eight areas between them.
    wanted = {tag: [8, steps] for tag, steps in (LAYER | ODD).items()}
    eventually(lambda: only(wanted, drawn_distributions(chrome)), wanted)
    assert chrome.errors() == []


def drawn_cards(chrome: Browser) -> dict[str, int]:
    """The number of histograms in each card of the Time Series dashboard, by tag."""
    return chrome.ask("""
        const cards = deep(document, "histogram-card").map(card => [
          card.querySelector(".tag").textContent,
          [...card.querySelectorAll(".histogram path")].map(path => path.getAttribute("d"))
            .filter(d => d && !d.match(/NaN|undefined/)).length,
        ]);
        return Object.fromEntries(cards);
    """)


@pytest.mark.usefixtures("picture")
def test_histograms_in_time_series(board, chrome):
    chrome.open_time_series(board.url, "layer/|odd/(equal|none|one)")
    odd = {"odd/equal": 1, "odd/none": 1, "odd/one": 1}
    eventually(lambda: drawn_cards(chrome), LAYER | odd)
    assert chrome.errors() == []


# The browser decides how much of a range beyond 1e304 is drawn. So these tests look at the ordinary tag next to such ranges.
WIDE_TAGS = "^(layer/f32$|width/)"


@pytest.fixture(scope="module")
def wide_board(log: Path, fast: bool) -> Iterator[TensorBoard]:
    """A TensorBoard that may report that the percentiles of wide histograms overflow."""
    complaint = r".*compressor\.py:\d+: RuntimeWarning: overflow encountered in scalar multiply|  return y0 \+ .*"
    with TensorBoard(log, fast=fast, complaint=complaint) as board:
        yield board


@pytest.fixture
def ignore_errors(chrome: Browser) -> Iterator[None]:
    """Discards what the console reports about charts whose numbers overflow."""
    yield
    chrome.errors()


@pytest.mark.usefixtures("picture", "ignore_errors")
def test_histograms_next_to_wide_ones(wide_board, chrome):
    chrome.get(f"{wide_board.url}/#histograms&tagFilter={WIDE_TAGS}")
    eventually(lambda: drawn_histograms(chrome).get("layer/f32"), 5)


@pytest.mark.usefixtures("picture", "ignore_errors")
def test_distributions_next_to_wide_ones(wide_board, chrome):
    chrome.get(f"{wide_board.url}/#distributions&tagFilter={WIDE_TAGS}")
    eventually(lambda: drawn_distributions(chrome).get("layer/f32"), [8, 5])


@pytest.mark.usefixtures("picture", "ignore_errors")
def test_histograms_next_to_wide_ones_in_time_series(wide_board, chrome):
    chrome.open_time_series(wide_board.url, WIDE_TAGS)
    eventually(lambda: drawn_cards(chrome).get("layer/f32"), 5)
