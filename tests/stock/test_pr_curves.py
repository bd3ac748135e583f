"""Precision-recall curves: they equal those that the stock package computes from the same labels and predictions."""

import sys
import types

import numpy as np
import pytest
from harness import START, TensorBoard, eventually, f32
from tensorboard.plugins.pr_curve import summary as pr_curve_summary


def stock_pr_curve(
    monkeypatch: pytest.MonkeyPatch, labels: np.ndarray, predictions: np.ndarray, **settings: object
) -> dict[str, list[float]]:
    """The curve that the stock package computes from labels and predictions, in the form that the dashboard gets."""
    # The package needs TensorFlow only to write the result.
    for name in ("tensorflow", "tensorflow.compat", "tensorflow.compat.v1"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(pr_curve_summary, "raw_data_pb", lambda name, **rows: rows)
    rows = pr_curve_summary.pb("", labels, predictions, **settings)
    shown = np.count_nonzero(rows["true_positive_counts"].astype(int) + rows["false_positive_counts"].astype(int))

    def counts(which: str) -> list[int]:
        return [int(count) for count in rows[f"{which}_counts"][:shown].astype(np.float32)]

    def shares(which: str) -> list[float]:
        return [f32(share) for share in rows[which][:shown]]

    return {
        "true_positives": counts("true_positive"),
        "false_positives": counts("false_positive"),
        "true_negatives": counts("true_negative"),
        "false_negatives": counts("false_negative"),
        "precision": shares("precision"),
        "recall": shares("recall"),
    }


def pr_curve(board: TensorBoard, tag: str) -> dict[str, list[float]]:
    """The answer of the dashboard for a tag with one curve."""
    [curve] = board.get("plugin/pr_curves/pr_curves", run="pr_curves", tag=tag)["pr_curves"]
    return curve


def test_points_of_pr_curves(board, monkeypatch):
    assert board.get("plugin/pr_curves/tags")["pr_curves"]["curve"]["description"] == "<p>a <em>curve</em></p>"

    numbers = np.arange(1000)
    predictions = (numbers * 37 % 1000).astype(np.float32) / np.float32(1000)
    labels = predictions * np.float32(3) > numbers % 4
    wanted = [
        stock_pr_curve(monkeypatch, labels, predictions),
        stock_pr_curve(monkeypatch, labels, predictions, weights=(numbers % 3)),
    ]
    curves = board.get("plugin/pr_curves/pr_curves", run="pr_curves", tag="curve")["pr_curves"]
    assert [(curve["wall_time"], curve["step"]) for curve in curves] == [(START, 0), (START + 1, 1)]
    for curve, rows in zip(curves, wanted, strict=True):
        for row, values in rows.items():
            assert curve[row] == values, row
        assert curve["thresholds"] == pytest.approx([i / 200 for i in range(len(rows["recall"]))])

    few = pr_curve(board, "few")
    for row, values in stock_pr_curve(monkeypatch, labels, predictions, num_thresholds=11).items():
        assert few[row] == values, row
    assert few["thresholds"] == pytest.approx([i / 10 for i in range(10)])

    fractions = pr_curve(board, "fractions")
    weights = (numbers % 7).astype(np.float32) / np.float32(10)
    for row, values in stock_pr_curve(monkeypatch, labels, predictions, weights=weights).items():
        assert fractions[row] == values, row


def test_points_of_a_pr_curve_of_f64(board, monkeypatch):
    numbers = np.arange(1001)
    predictions = numbers * 37 % 1001 / 1000
    wanted = stock_pr_curve(monkeypatch, numbers % 3 == 0, predictions)
    assert wanted != stock_pr_curve(monkeypatch, numbers % 3 == 0, predictions.astype(np.float32)), "rounded"
    assert len(wanted["recall"]) == 201, "a prediction of 1 counts at the last threshold"
    curve = pr_curve(board, "f64")
    for row, values in wanted.items():
        assert curve[row] == values, row
    assert curve["thresholds"] == pytest.approx([i / 200 for i in range(201)])


@pytest.mark.parametrize("label", range(3))
def test_points_of_a_pr_curve_of_one_class(board, monkeypatch, label):
    labels = np.arange(1000) ** 2 % 3
    probabilities = (np.arange(3000) % 257).reshape(1000, 3).astype(np.float32) / np.float32(256)
    wanted = stock_pr_curve(monkeypatch, labels == label, probabilities[:, label])
    curve = pr_curve(board, f"one vs rest/{label}")
    for row, values in wanted.items():
        assert curve[row] == values, row


def test_points_of_a_pr_curve_of_counts(board):
    counts = pr_curve(board, "counts")
    assert counts["true_positives"] == [3, 1]
    assert counts["false_positives"] == [1, 0]
    assert counts["true_negatives"] == [0, 1]
    assert counts["false_negatives"] == [0, 2]
    assert counts["precision"] == [0.75, 1.0]
    assert counts["recall"] == [1.0, f32(1 / 3)]


@pytest.mark.usefixtures("picture")
def test_pr_curves(board, chrome):
    chrome.get(f"{board.url}/#pr_curves")
    # The page opens the first two groups. 201 thresholds have 200 lines between them, but the page joins points that share a
    # pixel, so it draws fewer.
    eventually(lambda: set(chrome.pr_curves()), {"counts", "curve"})
    eventually(lambda: chrome.pr_curves()["counts"], [1])
    eventually(lambda: [150 < lines < 200 for lines in chrome.pr_curves()["curve"]], [True])
    assert chrome.errors() == []
