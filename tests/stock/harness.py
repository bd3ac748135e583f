"""What the tests share: our two programs, and a TensorBoard of its own for each log."""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import requests

# Seconds since the epoch of step 0, in the log that `stock_log` writes.
START = 1_700_000_000.5

REPO = Path(__file__).resolve().parents[2]

# All that TensorBoard says on stderr when it likes its log.
EXPECTED_OUTPUT = re.compile(
    r"TensorFlow installation not found - running with reduced feature set\."
    r"|TensorBoard \S+ at http://\S+ \(Press CTRL\+C to quit\)"
    r"|TensorBoard caught SIGTERM; exiting\.\.\."
    r"|"
)


@cache
def target_dir() -> Path:
    """Where cargo builds, wherever the environment or a configuration file has moved it."""
    metadata = subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=REPO)
    return Path(json.loads(metadata)["target_directory"])


def program(name: str) -> Path:
    """An example of this crate, built before the tests."""
    path = target_dir() / "release" / "examples" / name
    assert path.exists(), f"{path} is missing: run `cargo build --release --examples --all-features`"
    return path


def train_digits(logdir: Path, *arguments: str) -> None:
    """Runs the example `digits`, which logs to `logdir`."""
    command = [program("digits"), "--logdir", logdir, *arguments]
    subprocess.run(command, cwd=REPO, check=True, timeout=300, stdout=subprocess.DEVNULL)


def eventually(look: Callable[[], Any], wanted: Any, seconds: float = 30) -> None:
    """Asks again until the answer is the wanted one; fails with the last one when the time is over."""
    deadline = time.monotonic() + seconds
    while (got := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert got == wanted, f"after {seconds} s still {got!r}, not {wanted!r}"


class TensorBoard:
    """A stock TensorBoard on `logdir`: its process, from `with` to the end of the block, and its HTTP API.

    It reads the log once, and is ready when it has read all; with `follow` it looks for more every second. It says nothing
    on stderr, but for lines that match `complaint`.
    """

    def __init__(self, logdir: Path, *, fast: bool, follow: bool = False, complaint: str = ""):
        self.logdir = logdir
        self.url = ""
        self._fast = fast
        self._follow = follow
        self._expected = re.compile(f"{EXPECTED_OUTPUT.pattern}|{complaint}")

    def __enter__(self) -> Self:
        options = [
            "--host=127.0.0.1",
            "--port=0",
            f"--load_fast={str(self._fast).lower()}",
            f"--reload_interval={int(self._follow)}",
        ]
        if not self._fast and not self._follow:
            options.append("--reload_task=blocking")
        self._output = tempfile.NamedTemporaryFile("ab")
        command = [sys.executable, "-m", "tensorboard.main", f"--logdir={self.logdir}", *options]
        self._process = subprocess.Popen(command, stdout=self._output, stderr=self._output)
        try:
            eventually(self._has_address, True, 60)
            self._session = requests.Session()
            self._session.trust_env = False  # No proxy stands between this machine and itself.
            if not self._follow:
                # A run is listed once all of its files have been read.
                eventually(lambda: set(self.get("runs")), runs_of(self.logdir))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop()
        if kind is None:
            complaints = [line for line in self.output().splitlines() if not self._expected.fullmatch(line)]
            assert not complaints, "TensorBoard complains:\n" + "\n".join(complaints)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _has_address(self) -> bool:
        assert self._process.poll() is None, f"TensorBoard ended:\n{self.output()}"
        if found := re.search(r"at (http://\S+?)/? \(Press", self.output()):
            self.url = found[1]
        return bool(found)

    def output(self) -> str:
        """What the process has said so far."""
        return Path(self._output.name).read_text()

    def get(self, route: str, **query: str) -> Any:
        """The answer to GET `/data/<route>`."""
        return self._answer(self._session.get(f"{self.url}/data/{route}", params=query, timeout=30))

    def fetch(self, route: str, **query: str) -> tuple[str, bytes]:
        """Content type and body of the answer to GET `/data/<route>`."""
        response = self._session.get(f"{self.url}/data/{route}", params=query, timeout=30)
        self._check(response)
        return response.headers["Content-Type"], response.content

    def post(self, route: str, **form: str) -> Any:
        """The answer to POST `/data/<route>`."""
        return self._answer(self._session.post(f"{self.url}/data/{route}", data=form, timeout=30))

    def ask(self, route: str, **request: Any) -> Any:
        """The answer to a request in JSON, POST `/data/<route>`."""
        return self._answer(self._session.post(f"{self.url}/data/{route}", json=request, timeout=30))

    def scalars(self, run: str, tag: str) -> list[tuple[float, int, float | str]]:
        """A time series as the Scalars dashboard gets it: wall time, step, value."""
        return [tuple(point) for point in self.get("plugin/scalars/scalars", run=run, tag=tag)]

    def session_groups(self) -> dict[str, Any]:
        """The rows of the table of hyperparameters, by name."""
        answer = self.ask(
            "plugin/hparams/session_groups",
            startIndex=0,
            sliceSize=100,
            allowedStatuses=["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
            aggregationType="AGGREGATION_AVG",
            colParams=[],
        )
        return {group["name"]: group for group in answer["sessionGroups"]}

    @staticmethod
    def _check(response: requests.Response) -> None:
        assert response.ok, f"{response.status_code} {response.reason}: {response.url}\n{response.text}"

    @classmethod
    def _answer(cls, response: requests.Response) -> Any:
        cls._check(response)
        return response.json() if response.headers["Content-Type"].startswith("application/json") else response.text


def runs_of(logdir: Path) -> set[str]:
    """The runs of a log: its directories with event files, by their names relative to it."""
    return {str(file.parent.relative_to(logdir)) for file in logdir.rglob("*tfevents*")}


def f32(number: float) -> float:
    return float(np.float32(number))


def series(board: TensorBoard, run: str, tag: str) -> list[tuple[float, int, float | str]]:
    """Wall time, step and value of each point, as the Time Series dashboard gets them."""
    request = json.dumps([{"plugin": "scalars", "tag": tag}])
    [answer] = board.post("plugin/timeseries/timeSeries", requests=request)
    return [(point["wallTime"], point["step"], point["value"]) for point in answer["runToSeries"][run]]


def points(board: TensorBoard, run: str, tag: str) -> list[tuple[int, float | str]]:
    """Step and value of each point."""
    return [(step, value) for _, step, value in series(board, run, tag)]


def tags(board: TensorBoard, plugin: str, run: str) -> set[str]:
    return set(board.get(f"plugin/{plugin}/tags").get(run, ()))
