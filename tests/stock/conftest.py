"""The log that `stock_log` writes, a TensorBoard on it, once for each of its two loaders, and a browser to look at it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, browser
from harness import REPO, TensorBoard, program


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    logdir = tmp_path_factory.mktemp("log")
    subprocess.run([program("stock_log"), "write", logdir], check=True, timeout=60)
    return logdir


@pytest.fixture(scope="session", params=[True, False], ids=["fast", "python"])
def fast(request: pytest.FixtureRequest) -> bool:
    """Which loader: the data server, or the one in Python."""
    return request.param


@pytest.fixture(scope="session")
def board(log: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(log, fast=fast) as board:
        yield board


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    # What a line shows must not decide whether it is drawn.
    with browser(1400, 2000, _ignoreYOutliers=False) as chrome:
        yield chrome


@pytest.fixture
def picture(request: pytest.FixtureRequest, chrome: Browser) -> Iterator[None]:
    """Saves the page as the test leaves it, also one that fails, in `target/screenshots`."""
    yield
    directory = REPO / "target" / "screenshots"
    directory.mkdir(parents=True, exist_ok=True)
    chrome.save_screenshot(directory / f"{request.node.name}.png")
