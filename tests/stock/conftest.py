"""The log that `write_log.rs` writes, and a TensorBoard on it, once for each of its two loaders."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import TensorBoard, program


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
