"""A pytest plugin: shows the logs in TensorBored, a fork of TensorBoard, instead of TensorBoard. It is run by hand.

    python3 -m venv target/tensorbored && target/tensorbored/bin/pip install --pre tensorbored
    PYTHONPATH=tests/tools:tests/stock target/venv/bin/python -m pytest -p in_tensorbored tests/stock/test_examples.py -k "gallery and python"

With TensorBored 2.21.0rc1779976795, 21 of 22 tests pass. What differs from TensorBoard:

- Custom Scalars: it draws the lines of the chart "all waves" twice, so `test_gallery_custom_scalars` fails.
- Images: it opens the tags `animation` and `batch`, and shows `boxes`, `confusion`, `file`, `grid` and `interference` after a
  click on the title of their group. On the page Text, this holds for `table` and `tensor`. This plugin clicks.
- It cannot use the data server of TensorBoard: without `--load_fast=false` it warns, and then reads logs with Python. With
  `--load_fast=true` it does not start.
"""

from pathlib import Path
from typing import Any

import browser
import harness

PROGRAM = Path(__file__).parent.parent.parent / "target" / "tensorbored" / "bin" / "tensorbored"
start, get = harness.TensorBoard._start, harness.TensorBoard.get
ask, errors = browser.Browser.ask, browser.Browser.errors


def start_tensorbored(self: harness.TensorBoard, command: list[str]) -> None:
    """Replaces the program, which is `python -m tensorboard.main`."""
    start(self, [str(PROGRAM), *command[3:]])


def get_as_tensorboard(self: harness.TensorBoard, route: str, **query: str) -> Any:
    """The list of runs has an object for each run."""
    answer = get(self, route, **query)
    return [run["name"] for run in answer] if route == "runs" else answer


def ask_with_open_groups(self: browser.Browser, script: str) -> Any:
    """Clicks on the titles of the closed groups first."""
    ask(self, """
        for (const group of deep(document, "tf-category-paginated-view"))
          if (!group.opened) deep(group.shadowRoot, "button.heading").forEach(title => title.click());
    """)
    return ask(self, script)


# Its pages request two files that need not exist, and print that a run has no colour.
EXPECTED_ERRORS = ("/data/build_info - ", "/data/profile - ", "missing from shared color map")


def unexpected_errors(self: browser.Browser) -> list[str]:
    return [error for error in errors(self) if not any(expected in error for expected in EXPECTED_ERRORS)]


harness.TensorBoard._start = start_tensorbored
harness.TensorBoard.get = get_as_tensorboard
browser.Browser.ask = ask_with_open_groups
browser.Browser.errors = unexpected_errors
harness.eventually.__defaults__ = (60,)
