"""Hyperparameters: the table has a row for each session group, with its metrics and the status of its sessions."""

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from harness import START, TensorBoard, eventually, execute, f32, program


MAX = sys.float_info.max


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, fast: bool) -> Iterator[TensorBoard]:
    """A TensorBoard for a log with an explicit experiment."""
    logdir = tmp_path_factory.mktemp("experiment")
    execute(program("stock_log"), "experiment", logdir)
    with TensorBoard(logdir, fast=fast) as board:
        yield board


def columns(board: TensorBoard) -> tuple[dict[str, Any], list[Any]]:
    """The fields that are set, for each hyperparameter by name, and for each metric."""
    experiment = board.ask("plugin/hparams/experiment", experimentName="")

    def said(info: dict[str, Any]) -> dict[str, Any]:
        nothing = ("", False, "DATA_TYPE_UNSET", "DATASET_UNKNOWN")
        return {key: value for key, value in info.items() if value not in nothing}

    hparams = {info.pop("name"): said(info) for info in experiment["hparamInfos"]}
    return hparams, [said({**info, "name": metric(info["name"])}) for info in experiment["metricInfos"]]


def metric(name: dict[str, str]) -> str:
    return f"{name['group']}/{name['tag']}" if name["group"] else name["tag"]


def metrics(row: dict[str, Any]) -> dict[str, float | str]:
    return {metric(value["name"]): value["value"] for value in row["metricValues"]}


def test_columns_are_found_without_an_experiment(board):
    hparams, metric_infos = columns(board)
    for info in hparams.values():
        if "domainDiscrete" in info:
            info["domainDiscrete"].sort()
    assert hparams == {
        "lr": {"type": "DATA_TYPE_FLOAT64", "domainInterval": {"minValue": 0.001, "maxValue": 5}, "differs": True},
        "augment": {"type": "DATA_TYPE_BOOL", "domainDiscrete": [False, True], "differs": True},
        "optimizer": {
            "type": "DATA_TYPE_STRING",
            # TensorBoard quotes it here. The cells have it without quotes.
            "domainDiscrete": ["Gr\\u00f6\\u00dfe \\\"<b>\\\"", "adam"],
            "differs": True,
        },
        # Infinity and NaN were logged. NaN is left out.
        "clip": {"type": "DATA_TYPE_FLOAT64", "domainInterval": {"minValue": 1, "maxValue": MAX}, "differs": True},
        "depth": {"type": "DATA_TYPE_FLOAT64", "domainInterval": {"minValue": 4, "maxValue": 4}},
        # 2**64 - 1 was logged.
        "seed": {"type": "DATA_TYPE_FLOAT64", "domainInterval": {"minValue": 2**64, "maxValue": 2**64}},
        "layers": {"type": "DATA_TYPE_STRING", "domainDiscrete": ["[64, 64, 10]"]},
        "optimizer.name": {"type": "DATA_TYPE_STRING", "domainDiscrete": ["Sgd"]},
        "optimizer.momentum": {"type": "DATA_TYPE_FLOAT64", "domainInterval": {"minValue": 0.9, "maxValue": 0.9}},
        "optimizer.nesterov": {"type": "DATA_TYPE_BOOL", "domainDiscrete": [False]},
    }
    assert metric_infos == [{"name": "validation/accuracy"}, {"name": "error rate"}, {"name": "loss"}]


def test_each_session_has_its_own_hyperparameters_and_metrics(board):
    got = {name: (row["hparams"], metrics(row)) for name, row in board.session_groups().items()}
    assert got == {
        # The first hyperparameters that were logged, and the last points of the metrics.
        "hparams/a": (
            {"lr": 0.1, "depth": 4, "augment": True, "optimizer": "adam", "seed": 2**64},
            {"loss": f32(1 / 5), "validation/accuracy": 0.5},
        ),
        "hparams/b": (
            {
                "lr": 0.01,
                "optimizer.name": "Sgd",
                "optimizer.momentum": 0.9,
                "optimizer.nesterov": False,
                "layers": "[64, 64, 10]",
            },
            {"loss": 0.75, "error rate": 0.5},
        ),
        "hparams/c": ({"lr": 0.001, "augment": False, "clip": MAX}, {"loss": "NaN"}),
        "hparams/killed": ({"lr": 3, "optimizer": 'Größe "<b>"'}, {"loss": 4}),
        "trials": ({"lr": 5, "clip": 1}, {"loss": (0.25 + 0.5) / 2}),
    }


def test_columns_of_numbers_are_filtered(board):
    def found(name: str, low: float, high: float) -> set[str]:
        interval = {"minValue": low, "maxValue": high}
        return set(board.session_groups({"hparam": name, "filterInterval": interval, "excludeMissingValues": True}))

    assert found("clip", 1, MAX) == {"hparams/c", "trials"}
    assert found("clip", 0, 2) == {"trials"}
    assert found("seed", 0, 2**64) == {"hparams/a"}


def test_status_of_sessions(board):
    sessions = {session["name"]: session for row in board.session_groups().values() for session in row["sessions"]}
    assert {name: session["status"] for name, session in sessions.items()} == {
        "hparams/a": "STATUS_SUCCESS",
        "hparams/b": "STATUS_SUCCESS",
        "hparams/c": "STATUS_FAILURE",
        "hparams/killed": "STATUS_UNKNOWN",
        "hparams/trial 1": "STATUS_FAILURE",
        "hparams/trial 2": "STATUS_FAILURE",
    }
    for name, session in sessions.items():
        assert session["startTimeSecs"] == START, name
    ends = {name: session["endTimeSecs"] for name, session in sessions.items()}
    assert (ends["hparams/killed"], ends["hparams/trial 1"], ends["hparams/trial 2"]) == (0, START + 60, START + 60)
    for name in ("a", "b", "c"):
        session = sessions[f"hparams/{name}"]
        last = max(value["wallTimeSecs"] for value in session["metricValues"])
        assert last <= session["endTimeSecs"] <= time.time(), name


def test_sessions_of_a_group_are_one_row(board):
    trials = board.session_groups()["trials"]["sessions"]
    assert {session["name"]: metrics(session) for session in trials} == {
        "hparams/trial 1": {"loss": 0.25},
        "hparams/trial 2": {"loss": 0.5},
    }


def test_columns_of_an_experiment(planned):
    assert columns(planned) == (
        {
            "any": {},
            "augment": {"type": "DATA_TYPE_BOOL", "domainDiscrete": [True, False]},
            "depth": {"type": "DATA_TYPE_FLOAT64", "domainDiscrete": [2, 4]},
            "lr": {
                "type": "DATA_TYPE_FLOAT64",
                "domainInterval": {"minValue": 0.001, "maxValue": 1},
                "displayName": "learning rate",
                "description": "of the *first* epoch",
            },
            "optimizer": {"type": "DATA_TYPE_STRING", "domainDiscrete": ["adam", "sgd"]},
        },
        [
            {"name": "loss", "displayName": "Loss"},
            {"name": "validation/accuracy", "description": "of *all*", "datasetType": "DATASET_VALIDATION"},
        ],
    )
    got = {name: metrics(row) for name, row in planned.session_groups().items()}
    assert got == {
        "one": {"loss": f32(0.2), "validation/accuracy": f32(3 * 0.1)},
        "two": {"loss": f32(0.02), "validation/accuracy": f32(0.03)},
        # The run of the logdir itself.
        ".": {"loss": 1.5},
    }


def table(chrome: Browser) -> list[list[str]]:
    """The rows of the table. The first row has the titles."""
    return chrome.ask("""
        const grids = deep(document, "tf-hparams-table-view").flatMap(view => deep(view.shadowRoot, "vaadin-grid"));
        const slots = row => [...row.querySelectorAll(":not([part~=details-cell]) > slot")];
        const cells = row => slots(row).map(slot => slot.assignedNodes()[0].innerText.trim());
        return grids.flatMap(grid => [...grid.shadowRoot.querySelectorAll("#header tr, #items tr")].map(cells));
    """)


@pytest.mark.usefixtures("picture")
def test_hparams(board, chrome):
    chrome.get(f"{board.url}/#hparams")
    titles = ["Trial ID", "Show Metrics", "augment", "clip", "lr", "optimizer", "depth"]
    wanted = [
        [*titles, "validation.accuracy", "error rate", "loss"],
        ["hparams/a", "", "true", "", "0.10000", "adam", "4.0000", "0.50000", "", "0.20000"],
        ["hparams/b", "", "", "", "0.010000", "", "", "", "0.50000", "0.75000"],
        ["hparams/c", "", "false", "1.7977e+308", "0.0010000", "", "", "", "", "NaN"],
        ["hparams/killed", "", "", "", "3.0000", 'Größe "<b>"', "", "", "", "4.0000"],
        ["trials", "", "", "1.0000", "5.0000", "", "", "", "", "0.37500"],
    ]
    eventually(lambda: table(chrome), wanted)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_hparams_of_an_experiment(planned, chrome):
    chrome.get(f"{planned.url}/#hparams")
    titles = ["Trial ID", "Show Metrics", "any", "augment", "depth", "learning rate", "optimizer"]
    wanted = [
        [*titles, "Loss", "validation.accuracy"],
        [".", "", "", "", "", "0.50000", "", "1.5000", ""],
        ["one", "", "text", "true", "4.0000", "0.10000", "adam", "0.20000", "0.30000"],
        ["two", "", "text", "true", "4.0000", "0.010000", "sgd", "0.020000", "0.030000"],
    ]
    eventually(lambda: table(chrome), wanted)
    # The page does not show descriptions, such as "of the *first* epoch" of lr.
    assert chrome.ask("""return deep(document, "*").filter(each => each.textContent.includes("epoch")).length;""") == 0

    # A line for each session that has a value on all seven axes.
    chrome.ask("""deep(document, "paper-tab")[1].click();""")
    lines = """
        const plots = deep(document, "tf-hparams-parallel-coords-plot");
        const lines = plots.flatMap(plot => deep(plot.shadowRoot, ".foreground path"));
        return lines.map(line => line.getAttribute("d").split("L").length);
    """
    eventually(lambda: chrome.ask(lines), [7, 7])
    assert chrome.errors() == []
