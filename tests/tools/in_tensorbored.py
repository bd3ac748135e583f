"""A pytest plugin: shows the logs in TensorBored, a fork of TensorBoard, instead of TensorBoard. It is run by hand.

    python3 -m venv target/tensorbored && target/tensorbored/bin/pip install --pre tensorbored
    PYTHONPATH=tests/tools:tests/stock target/venv/bin/python -m pytest -p in_tensorbored tests/stock/test_examples.py -k "gallery and python"

With TensorBored 2.21.0rc1779976795, all tests pass except three. It opens only the first two groups of the pages Images, Text and
Mesh, and shows the others after a click. It draws each line of Custom Scalars twice. It cannot use the data server of
TensorBoard, so it warns, and reads logs with Python.
"""

from pathlib import Path
from typing import Any

import browser
import harness

PROGRAM = Path(__file__).parent.parent.parent / "target" / "tensorbored" / "bin" / "tensorbored"
start, get, errors = harness.TensorBoard._start, harness.TensorBoard.get, browser.Browser.errors


def start_tensorbored(self: harness.TensorBoard, command: list[str]) -> None:
    """Replaces the program, which is `python -m tensorboard.main`."""
    start(self, [str(PROGRAM), *command[3:]])


def get_as_tensorboard(self: harness.TensorBoard, route: str, **query: str) -> Any:
    """The list of runs has an object for each run."""
    answer = get(self, route, **query)
    return [run["name"] for run in answer] if route == "runs" else answer


def errors_of_pages(self: browser.Browser) -> list[str]:
    """Its pages request a route that its server does not have."""
    return [error for error in errors(self) if "/data/build_info" not in error]


harness.TensorBoard._start = start_tensorbored
harness.TensorBoard.get = get_as_tensorboard
browser.Browser.errors = errors_of_pages
harness.eventually.__defaults__ = (30,)
