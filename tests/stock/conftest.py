"""Shared fixtures: the log of `stock_log`, a TensorBoard with each of its two loaders, and a browser for its pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, browser
from harness import REPO, TensorBoard, execute, program


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    logdir = tmp_path_factory.mktemp("log")
    execute(program("stock_log"), "write", logdir)
    return logdir


@pytest.fixture(scope="session", params=[True, False], ids=["fast", "python"])
def fast(request: pytest.FixtureRequest) -> bool:
    """Selects the loader: the data server (fast), or the Python loader."""
    return request.param


@pytest.fixture(scope="session")
def board(log: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(log, fast=fast) as board:
        yield board


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    # Without this setting, charts leave out points with outlying values.
    with browser(1400, 2000, _ignoreYOutliers=False) as chrome:
        yield chrome


@pytest.fixture
def picture(request: pytest.FixtureRequest, chrome: Browser) -> Iterator[None]:
    """Saves a screenshot in `target/screenshots` at the end of each test, even if it fails."""
    yield
    directory = REPO / "target" / "screenshots"
    directory.mkdir(parents=True, exist_ok=True)
    chrome.save_screenshot(directory / f"{request.node.name}.png")
