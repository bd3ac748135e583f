"""Custom scalars: the page has the logged layout, and finds its points."""

import re

import pytest
from harness import START, TensorBoard, eventually, f32


def test_layout_of_custom_scalars(board):
    band = {"value": "band 1.5+/mean", "lower": "band 1.5+/lower", "upper": "band 1.5+/upper"}
    assert board.get("plugin/custom_scalars/layout") == {
        "version": 0,
        "category": [
            {
                "title": "training",
                "chart": [
                    {"title": "losses", "multiline": {"tag": ["losses/.*", "rate$"]}},
                    {"title": "accuracy", "margin": {"series": [band]}},
                    {"title": "literal", "multiline": {"tag": [r"rate \[%\]\Z"]}},
                ],
                "closed": False,
            },
            {
                "title": "Größe & <b>",
                "chart": [{"title": "rate", "multiline": {"tag": ["rate$"]}}],
                "closed": True,
            },
        ],
    }


def custom_scalars(board: TensorBoard, pattern: str) -> dict[str, list[tuple[float, int, float]]]:
    """The wall time, the step and the value of each point, by tag, for the tags that match."""
    answer = board.get("plugin/custom_scalars/scalars", run="custom scalars", tag=pattern)
    assert answer["regex_valid"] is True
    return {tag: [tuple(point) for point in points] for tag, points in answer["tag_to_events"].items()}


def test_points_of_custom_scalars(board):
    steps = range(1, 20)
    train = [(START + step, step, f32(8 / step)) for step in steps]
    validation = [(START + step, step, f32(9 / step)) for step in steps]
    wanted = {"losses/train": [(START, 0, 8.0), *train], "losses/validation": validation}
    assert custom_scalars(board, "losses/.*") == wanted
    assert custom_scalars(board, "rate$") == {"rate": [(START + step, step, 0.5 * step) for step in steps]}

    # The request that the page makes for the tags of a margin.
    band = {"band 1.5+/mean": 0, "band 1.5+/lower": -1, "band 1.5+/upper": 2}
    wanted = {tag: [(START + step, step, float(step + more)) for step in steps] for tag, more in band.items()}
    assert custom_scalars(board, "|".join(map(re.escape, band))) == wanted

    assert custom_scalars(board, r"rate \[%\]\Z") == {"rate [%]": [(START + step, step, 50.0 * step) for step in steps]}

    # `Category::multiline` rejects this pattern, because the page would show an empty chart.
    wrong = board.get("plugin/custom_scalars/scalars", run="custom scalars", tag="[")
    assert wrong == {"regex_valid": False, "tag_to_events": {}}


@pytest.mark.usefixtures("picture")
def test_custom_scalars(board, chrome):
    chrome.open_custom_scalars(board.url)
    # Lines and areas. The edge of an area counts as a line.
    charts = {"losses": [3, 0], "accuracy": [2, 1], "literal": [1, 0]}
    eventually(chrome.custom_scalars_charts, {"training": charts, "Größe & <b>": {}})
    assert chrome.errors() == []
