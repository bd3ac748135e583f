"""TensorBoard's pages, in a browser, draw what the example `digits` logs, with a line for each of its runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import TensorBoard, eventually, train_digits

EPOCHS = 3
BATCHES = EPOCHS * 45  # 1,437 images, 32 a batch
RUNS = [f"{name}{child}" for name in ("baseline", "dropout") for child in ("", "/train", "/validation")]
# How many runs log a tag, and how many points each.
CHARTS = {
    "accuracy/batch": (2, BATCHES),
    "accuracy/epoch": (4, EPOCHS),
    "learning_rate/batch": (2, BATCHES),
    "learning_rate/epoch": (2, EPOCHS),
    "loss/batch": (2, BATCHES),
    "loss/epoch": (4, EPOCHS),
    "throughput/samples_per_second": (2, EPOCHS),
}


@pytest.fixture(scope="module")
def digits_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    logdir = tmp_path_factory.mktemp("digits")
    train_digits(logdir, f"--epochs={EPOCHS}")
    return logdir


@pytest.fixture(scope="module")
def digits_board(digits_log: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(digits_log, fast=fast) as board:
        yield board


@pytest.mark.usefixtures("picture")
def test_time_series(digits_board, chrome):
    chrome.open_time_series(digits_board.url, tags=".")
    wanted = {tag: [points] * runs for tag, (runs, points) in CHARTS.items()}
    eventually(chrome.time_series_charts, wanted)
    assert chrome.time_series_runs() == RUNS
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_scalars(digits_board, chrome):
    chrome.open_scalars(digits_board.url, tags=".")
    eventually(chrome.scalars_charts, {tag: runs for tag, (runs, _) in CHARTS.items()})
    assert chrome.selected_runs() == RUNS
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_text(digits_board, chrome):
    chrome.get(f"{digits_board.url}/#text")
    eventually(lambda: {run for run, table in chrome.texts().items() if table}, {"baseline", "dropout"})
    tables = chrome.texts()
    for table in tables.values():
        assert table[0] == ["setting", "value"]
        assert ["epochs", str(EPOCHS)] in table
    assert tables["baseline"] != tables["dropout"]
    assert chrome.errors() == []
