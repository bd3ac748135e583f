"""Histograms have the buckets that numpy finds for the same numbers, also the odd ones, and the pages draw them."""

import json
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from harness import START, TensorBoard, eventually, points, tags
from tensorboard.plugins.distribution.compressor import compress_histogram

RUN = "histograms"
STEPS = range(5)


def histograms(board: TensorBoard, tag: str) -> list[list]:
    """Wall time, step and buckets of each histogram, as two dashboards get them, which must agree."""
    shown = board.get("plugin/histograms/histograms", run=RUN, tag=tag)
    request = json.dumps([{"plugin": "histograms", "tag": tag, "run": RUN}])
    [answer] = board.post("plugin/timeseries/timeSeries", requests=request)
    series = [
        [point["wallTime"], point["step"], [[bin["min"], bin["max"], bin["count"]] for bin in point["bins"]]]
        for point in answer["runToSeries"][RUN]
    ]
    assert shown == series
    return shown


def distributions(board: TensorBoard, tag: str) -> list[list]:
    """Wall time, step and percentiles."""
    return board.get("plugin/distributions/distributions", run=RUN, tag=tag)


def percentiles(buckets: list[list[float]]) -> list[list[float]]:
    """What the stock package makes of buckets."""
    return [list(point) for point in compress_histogram(buckets)]


def buckets(numbers: np.ndarray, count: int = 30) -> list[list[float]]:
    """The buckets that numpy finds."""
    counts, edges = np.histogram(numbers.astype(np.float64), bins=count)
    return [[float(left), float(right), float(n)] for left, right, n in zip(edges, edges[1:], counts, strict=False)]


def weights(step: int) -> np.ndarray:
    i = np.arange(2000)
    first, second, third = (i * factor % 1009 / 1009 - 0.5 for factor in (37, 101, 443))
    return (first + second + third) * (step + 1)


def weights_f32(step: int) -> np.ndarray:
    return weights(step).astype(np.float32)


def weights_f16(step: int) -> np.ndarray:
    return weights_f32(step).astype(np.float16)


def weights_bf16(step: int) -> np.ndarray:
    """Numpy has no such numbers: the upper 16 bits of an f32, rounded, from a tie to the even one."""
    bits = weights_f32(step).view(np.uint32)
    rounded = bits + 0x7FFF + (bits >> 16 & 1)
    return (rounded & 0xFFFF0000).view(np.float32)


def weights_u8(step: int) -> np.ndarray:
    return np.clip(np.trunc(weights_f32(step) * np.float32(20) + np.float32(100)), 0, 255)


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("layer/f32", lambda step: buckets(weights_f32(step))),
        ("layer/f16", lambda step: buckets(weights_f16(step))),
        ("layer/bf16", lambda step: buckets(weights_bf16(step))),
        ("layer/u8", lambda step: buckets(weights_u8(step))),
        ("layer/fine", lambda step: buckets(weights_f32(step), 100)),
        ("layer/every second", lambda step: buckets(weights_f32(step)[1::2])),
    ],
)
def test_buckets(board: TensorBoard, tag: str, wanted: Callable[[int], list]) -> None:
    assert histograms(board, tag) == [[START, step, wanted(step)] for step in STEPS]
    assert distributions(board, tag) == [[START, step, percentiles(wanted(step))] for step in STEPS]


def test_buckets_and_their_description(board):
    wanted = [[START + step, step, buckets(weights(step))] for step in STEPS]
    assert sum(count for _, _, count in wanted[0][2]) == 2000
    assert histograms(board, "layer/weights") == wanted
    assert distributions(board, "layer/weights") == [[time, step, percentiles(rows)] for time, step, rows in wanted]
    listed = board.get("plugin/histograms/tags")[RUN]
    assert listed["layer/weights"] == {"displayName": "", "description": "<p><em>all</em> weights</p>"}
    assert board.get("plugin/timeseries/tags")["histograms"]["tagDescriptions"]["layer/weights"] == (
        "<p><em>all</em> weights</p>"
    )


LEAST = 5e-324
LEAST_F32 = 2.0**-149
ENDS_F32 = np.array([-1, 0, 1]) * float(np.finfo(np.float32).max)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("equal", [[0.25, 0.25, 7.0]]),
        ("one", [[3.0, 3.0, 1.0]]),
        ("none", []),
        ("only NaN", []),
        # Edge i is i / 15 times the least number, rounded. Of equal edges the last one counts.
        (
            "least",
            [[0.0, 0.0, 0.0]] * 7
            + [[0.0, LEAST, 1.0]]
            + [[LEAST, LEAST, 0.0]] * 14
            + [[LEAST, 2 * LEAST, 1.0]]
            + [[2 * LEAST, 2 * LEAST, 0.0]] * 6
            + [[2 * LEAST, 2 * LEAST, 1.0]],
        ),
        ("least f32", buckets(np.array([-LEAST_F32, 0, 2 * LEAST_F32]))),
        ("largest f32", buckets(ENDS_F32)),
        # 2^24 and 2 more, which no f32 tells from 2^24.
        ("many", [*buckets(np.array([0.0, 1.0]))[:-1], [1 / 30 * 29, 1.0, 2.0**24 + 1]]),
        # 2^53 + 1 is no f64: 2^53 counts twice.
        ("beyond 2^53", buckets(2.0**53 + np.array([0, 0, 60]))),
        ("outlier", buckets(np.array([0.0, 0.5, 1.0, 1e9]))),
        ("bools", buckets(np.array([0.0, 1.0, 1.0]))),
        ("counted", [[-1.0, 0.0, 1.5], [0.0, 0.0, 0.0], [0.0, 2.5, 4.0]]),
        ("counted nothing", [[0.0, 1.0, 0.0], [1.0, 2.0, 0.0]]),
    ],
)
def test_odd_numbers(board, name, wanted):
    assert histograms(board, f"odd/{name}") == [[START, 0, wanted]]
    assert distributions(board, f"odd/{name}") == [[START, 0, percentiles(wanted)]]


@pytest.fixture(scope="module")
def wide_board(log: Path, fast: bool) -> Iterator[TensorBoard]:
    """One that is asked for percentiles of what is wide, and says that they overflow."""
    complaint = r".*compressor\.py:\d+: RuntimeWarning: overflow encountered in scalar multiply|  return y0 \+ .*"
    with TensorBoard(log, fast=fast, complaint=complaint) as board:
        yield board


def test_numbers_wider_apart_than_an_f64_holds(wide_board):
    # Numpy refuses them: a thousandth of them has the same buckets.
    wanted = [[left * 1e3, right * 1e3, count] for left, right, count in buckets(np.array([-1e305, 0, 1e305]))]
    near = [[pytest.approx(left, abs=1e294), pytest.approx(right, abs=1e294), count] for left, right, count in wanted]
    got = histograms(wide_board, "width/±1e308")
    assert got == [[START + step, step, near] for step in range(2)]
    assert (got[0][2][0][0], got[0][2][-1][1]) == (-1e308, 1e308)
    for _, _, points in distributions(wide_board, "width/±1e308"):
        assert [number for _, number in points] == [-1e308, *["Infinity"] * 7, 1e308]


@pytest.mark.parametrize("width", ["1e308", "3e305", "1e-310"])
def test_wide_and_narrow_numbers(board, width):
    # In fractions, for numpy adds up a width that is itself rounded, to one part in 10^12 of the narrow one.
    edges = [float(Fraction(float(width)) * i / 30) for i in range(31)]
    # Both ends, and what is in the middle.
    counts = [1.0 if i in (0, 15, 29) else 0.0 for i in range(30)]
    got = histograms(board, f"width/{width}")
    for _, _, rows in got:
        assert [count for *_, count in rows] == counts
        assert [rows[0][0], *(right for _, right, _ in rows)] == pytest.approx(edges, rel=4e-16, abs=0)
        assert [left for left, *_ in rows[1:]] == [right for _, right, _ in rows[:-1]]
    assert [(time, step) for time, step, _ in got] == [(START, 0), (START + 1, 1)]


def test_what_is_not_finite_is_a_scalar(board):
    steps = [[0, 1, 1.5, 2, 0], [1, 2], [0, 1, 1.5, 2, 2]]
    wanted = [[START, step, buckets(np.array(numbers))] for step, numbers in enumerate(steps)]
    assert histograms(board, "odd/diverging") == wanted
    assert points(board, RUN, "odd/diverging/non_finite") == [(1, 3.0)]
    assert points(board, RUN, "odd/only NaN/non_finite") == [(0, 3.0)]
    assert tags(board, "scalars", RUN) == {"odd/diverging/non_finite", "odd/only NaN/non_finite"}
    assert board.get("plugin/scalars/tags")[RUN]["odd/diverging/non_finite"] == {
        "displayName": "D/non_finite",
        "description": "<p>How many values were NaN or infinite: the histogram leaves them out.</p>",
    }


# How many histograms each tag has; of the group `odd` the pages show the first twelve.
LAYER = {f"layer/{name}": len(STEPS) for name in ("bf16", "every second", "f16", "f32", "fine", "u8", "weights")}
ODD = {
    "odd/beyond 2^53": 1,
    "odd/bools": 1,
    "odd/counted": 1,
    "odd/counted nothing": 1,
    "odd/diverging": 3,
    "odd/equal": 1,
    "odd/largest f32": 1,
    "odd/least": 1,
    "odd/least f32": 1,
    "odd/many": 1,
    "odd/none": 1,
    "odd/one": 1,
}


def drawn_histograms(chrome: Browser) -> dict[str, int]:
    """How many histograms each chart of the Histograms dashboard draws, by its tag."""
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
    eventually(lambda: drawn_histograms(chrome), LAYER | ODD)
    assert chrome.errors() == []


def drawn_distributions(chrome: Browser) -> dict[str, list[int]]:
    """How many areas each chart of the Distributions dashboard draws, and over how many steps, by its tag."""
    return chrome.ask("""
        const charts = deep(document, "tf-distribution-loader").map(chart => {
          const areas = deep(chart.shadowRoot, "path.area").map(path => path.getAttribute("d"))
            .filter(d => d && !d.includes("NaN"));
          // The upper edge goes forth, the lower one back.
          return [chart.tag, [areas.length, Math.max(0, ...areas.map(d => d.match(/[ML]/g).length / 2))]];
        });
        return Object.fromEntries(charts);
    """)


@pytest.mark.usefixtures("picture")
def test_distributions(board, chrome):
    chrome.get(f"{board.url}/#distributions")
    # Between nine percentiles are eight areas.
    eventually(lambda: drawn_distributions(chrome), {tag: [8, steps] for tag, steps in (LAYER | ODD).items()})
    assert chrome.errors() == []


def drawn_cards(chrome: Browser) -> dict[str, int]:
    """How many histograms each card of the Time Series dashboard draws, by its tag."""
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
    chrome.open_time_series(board.url, "layer/|odd/(equal|least$|none|one)")
    # Here one without buckets has an axis and no outline.
    odd = {"odd/equal": 1, "odd/least": 1, "odd/none": 0, "odd/one": 1}
    eventually(lambda: drawn_cards(chrome), LAYER | odd)
    assert chrome.errors() == []


# What the pages do not draw, beside what they do: how many histograms of each tag.
WIDTHS = {"layer/f32": 5, "width/1e-310": 2, "width/1e308": 2, "width/3e305": 2, "width/±1e308": 0}
WIDE_TAGS = "^(layer/f32$|width/)"


def other_errors(chrome: Browser) -> list[str]:
    """What the console reports, but for shapes whose numbers overflow."""
    overflow = r"attribute (d|transform): Expected number, .*(NaN|undefined)"
    return [error for error in chrome.errors() if not re.search(overflow, error)]


def axis_numbers(chrome: Browser) -> dict[str, list[str]]:
    """What stands at the axis across, by tag."""
    return chrome.ask("""
        const charts = deep(document, "tf-histogram-loader").map(chart => [
          chart.tag,
          deep(chart.shadowRoot, ".axis.x text").map(text => text.textContent).filter(text => text),
        ]);
        return Object.fromEntries(charts);
    """)


@pytest.mark.usefixtures("picture")
def test_wide_histograms(wide_board, chrome):
    chrome.get(f"{wide_board.url}/#histograms&tagFilter={WIDE_TAGS}")
    # Behind those that match are the groups, of which the first are open.
    eventually(lambda: {tag: count for tag, count in drawn_histograms(chrome).items() if tag in WIDTHS}, WIDTHS)
    numbers = axis_numbers(chrome)
    assert {tag for tag in WIDTHS if len(numbers[tag]) > 5} == {"layer/f32", "width/1e308", "width/3e305"}
    assert other_errors(chrome) == []


@pytest.mark.usefixtures("picture")
def test_wide_distributions(wide_board, chrome):
    chrome.get(f"{wide_board.url}/#distributions&tagFilter={WIDE_TAGS}")
    wanted = {tag: [8, steps] for tag, steps in WIDTHS.items()} | {"width/1e308": [0, 0], "width/±1e308": [0, 0]}
    eventually(lambda: {tag: areas for tag, areas in drawn_distributions(chrome).items() if tag in WIDTHS}, wanted)
    assert other_errors(chrome) == []


@pytest.mark.usefixtures("picture")
def test_wide_histograms_in_time_series(wide_board, chrome):
    chrome.open_time_series(wide_board.url, WIDE_TAGS)
    eventually(lambda: drawn_cards(chrome), WIDTHS)
    assert other_errors(chrome) == []
