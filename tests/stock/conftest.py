"""The log that `stock_log` writes, a TensorBoard on it for each of its two loaders, and a browser that opens its pages."""

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
    """Selects the loader: the data server, or the one in Python."""
    return request.param


@pytest.fixture(scope="session")
def board(log: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(log, fast=fast) as board:
        yield board


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    # A chart must draw all points of a line, whatever their values are.
    with browser(1400, 2000, _ignoreYOutliers=False) as chrome:
        yield chrome


@pytest.fixture
def picture(request: pytest.FixtureRequest, chrome: Browser) -> Iterator[None]:
    """Saves the page at the end of the test, also of one that fails, in `target/screenshots`."""
    yield
    directory = REPO / "target" / "screenshots"
    directory.mkdir(parents=True, exist_ok=True)
    chrome.save_screenshot(directory / f"{request.node.name}.png")
