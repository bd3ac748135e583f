"""Shared code of the tests: the programs of this crate, and a TensorBoard for each log."""

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

# The wall time of step 0 in the log of `stock_log`.
START = 1_700_000_000.5

REPO = Path(__file__).resolve().parents[2]

# The only lines that TensorBoard prints on stderr if it has no problem with the log.
EXPECTED_OUTPUT = re.compile(
    r"TensorFlow installation not found - running with reduced feature set\."
    r"|TensorBoard \S+ at http://\S+ \(Press CTRL\+C to quit\)"
    r"|TensorBoard caught SIGTERM; exiting\.\.\."
    r"|"
)


@cache
def target_dir() -> Path:
    """The target directory of cargo. The environment or a configuration file may change it."""
    metadata = subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=REPO)
    return Path(json.loads(metadata)["target_directory"])


def program(name: str) -> Path:
    """The path of an example of this crate, or of its program `summary-writer`. They are built before the tests."""
    directory = target_dir() / "debug"
    path = directory / name if name == "summary-writer" else directory / "examples" / name
    assert path.exists(), f"{path} is missing: run `cargo build --all-features --bins --examples`"
    return path


def train_digits(logdir: Path, *arguments: str) -> None:
    """Runs the example `digits`, which logs to `logdir`."""
    execute(program("digits"), "--logdir", logdir, *arguments)


# Long enough for a busy machine. A test that passes does not wait this long.
PATIENCE_SECONDS = 120


def eventually(look: Callable[[], Any], wanted: Any, seconds: float = PATIENCE_SECONDS) -> None:
    """Calls `look` until it returns the wanted answer. Fails with the last answer after `seconds`."""
    deadline = time.monotonic() + seconds
    while (got := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert got == wanted, f"after {seconds} s still {got!r}, not {wanted!r}"


def eventually_holds(check: Callable[[], None], seconds: float = PATIENCE_SECONDS) -> None:
    """Calls `check` until its assertions hold. Raises the last error after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (AssertionError, KeyError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def execute(*command: object) -> None:
    """Runs a program without showing its output. It must succeed."""
    subprocess.run(list(map(str, command)), cwd=REPO, check=True, timeout=600, stdout=subprocess.DEVNULL)


class TensorBoard:
    """A stock TensorBoard for `logdir`: its process, which runs during a `with` block, and its HTTP API.

    It reads the log once, and is ready when it has read everything. With `follow`, it looks for new data every second. On
    stderr, it may print only lines that match `complaint`. It need not list the runs in `unlisted`. `logdir` may be the URL of
    a store, which TensorBoard finds in `environment`.
    """

    def __init__(
        self,
        logdir: Path | str,
        *options: str,
        fast: bool,
        follow: bool = False,
        complaint: str = "",
        unlisted: frozenset[str] = frozenset(),
        environment: dict[str, str] | None = None,
    ):
        self.logdir = logdir
        self._environment = environment
        self._options = options
        self._unlisted = unlisted
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
            *self._options,
        ]
        if not self._fast and not self._follow:
            options.append("--reload_task=blocking")
        command = [sys.executable, "-m", "tensorboard.main", f"--logdir={self.logdir}", *options]
        try:
            # TensorBoard waits only ten seconds for its data server. A busy machine may need more, so try again.
            for _ in range(3):
                self._start(command)
                # The Python loader reads the whole log first.
                eventually(self._has_started, True, 600)
                if self.url:
                    break
            assert self.url, f"TensorBoard ended:\n{self.output()}"
            self._session = requests.Session()
            self._session.trust_env = False  # Use no proxy.
            if not self._follow and isinstance(self.logdir, Path):
                # A run is listed when all of its files have been read.
                wanted = runs_of(self.logdir) - self._unlisted
                eventually(lambda: set(self.get("runs")) - self._unlisted, wanted)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop()
        if kind is None:
            complaints = [line for line in self.output().splitlines() if not self._expected.fullmatch(line)]
            assert not complaints, "TensorBoard printed:\n" + "\n".join(complaints)

    def _start(self, command: list[str]) -> None:
        self._output = tempfile.NamedTemporaryFile("ab")
        self._process = subprocess.Popen(command, stdout=self._output, stderr=self._output, env=self._environment)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _has_started(self) -> bool:
        """True if it has printed its address, or has ended without one."""
        has_ended = self._process.poll() is not None
        if found := re.search(r"at (http://\S+?)/? \(Press", self.output()):
            self.url = found[1]
        return bool(self.url) or has_ended

    def output(self) -> str:
        """Everything that the process has printed so far."""
        return Path(self._output.name).read_text()

    def get(self, route: str, **query: str) -> Any:
        """The answer to GET `/data/<route>`."""
        return self._answer(self.request(route, **query))

    def request(self, route: str, **query: str) -> requests.Response:
        """The answer to GET `/data/<route>`, which may be an error."""
        return self._session.get(f"{self.url}/data/{route}", params=query, timeout=PATIENCE_SECONDS)

    def fetch(self, route: str, **query: str) -> tuple[str, bytes]:
        """Content type and body of the answer to GET `/data/<route>`."""
        response = self.request(route, **query)
        self._check(response)
        return response.headers["Content-Type"], response.content

    def post(self, route: str, **form: str) -> Any:
        """The answer to POST `/data/<route>`."""
        return self._answer(self._session.post(f"{self.url}/data/{route}", data=form, timeout=PATIENCE_SECONDS))

    def ask(self, route: str, **request: Any) -> Any:
        """The answer to a request in JSON, POST `/data/<route>`."""
        return self._answer(self._session.post(f"{self.url}/data/{route}", json=request, timeout=PATIENCE_SECONDS))

    def scalars(self, run: str, tag: str) -> list[tuple[float, int, float | str]]:
        """A time series as the Scalars dashboard gets it: wall time, step, value."""
        return [tuple(point) for point in self.get("plugin/scalars/scalars", run=run, tag=tag)]

    def session_groups(self, *filters: dict[str, Any]) -> dict[str, Any]:
        """The rows of the hyperparameter table that match the filters, by name."""
        answer = self.ask(
            "plugin/hparams/session_groups",
            startIndex=0,
            sliceSize=100,
            allowedStatuses=["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
            aggregationType="AGGREGATION_AVG",
            colParams=filters,
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
    """The runs of a log: the names of its directories with event files."""
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
