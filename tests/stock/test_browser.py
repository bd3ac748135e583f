"""TensorBoard's pages, in a browser, draw what the example `digits` logs, with a line for each of its runs, and what the
tests' own log has of the other kinds.

Leaves a picture of each page in `target/screenshots`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, browser
from harness import REPO, TensorBoard, eventually, train_digits

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


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    # What a line shows must not decide whether it is drawn.
    with browser(1400, 2000, _ignoreYOutliers=False) as chrome:
        yield chrome


@pytest.fixture
def picture(request: pytest.FixtureRequest, chrome: Browser) -> Iterator[None]:
    """Saves the page as the test leaves it, also one that fails."""
    yield
    directory = REPO / "target" / "screenshots"
    directory.mkdir(parents=True, exist_ok=True)
    chrome.save_screenshot(directory / f"{request.node.name}.png")


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


@pytest.mark.usefixtures("picture")
def test_pr_curves(board, chrome):
    chrome.get(f"{board.url}/#pr_curves")
    # Of three groups the page opens two. A line less than there are points: at the last of 201 thresholds nothing counts.
    # Which step shows first is the page's affair, so both are alike in that.
    eventually(chrome.pr_curves, {"counts": [1], "curve": [199]})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_custom_scalars(board, chrome):
    chrome.open_custom_scalars(board.url)
    # Lines and areas: the edge of an area is a line, too.
    charts = {"losses": [3, 0], "accuracy": [2, 1]}
    eventually(chrome.custom_scalars_charts, {"training": charts, "Größe & <b>": {}})
    assert chrome.errors() == []
