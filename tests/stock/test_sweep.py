"""A sweep of 100 trials in one program, which keeps no handle of a trial: TensorBoard shows all points and sessions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import START, TensorBoard, execute, program

ROUNDS = 5
TRIALS = {f"trial {n}": n for n in range(100)}


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    logdir = tmp_path_factory.mktemp("sweep")
    # Fewer descriptors than trials.
    execute("sh", "-c", 'ulimit -n 64 && exec "$0" "$@"', program("stock_log"), "sweep", logdir)
    return logdir


@pytest.fixture(scope="module")
def board(logdir: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(logdir, fast=fast) as board:
        yield board


def test_each_trial_has_one_file(logdir):
    files = sorted(path.relative_to(logdir).parent.as_posix() for path in logdir.rglob("*") if path.is_file())
    assert files == sorted(TRIALS)


def test_each_trial_has_all_points(board):
    assert set(board.get("runs")) == set(TRIALS)

    def series(tag: str) -> dict[str, Any]:
        request = json.dumps([{"plugin": "scalars", "tag": tag}])
        [answer] = board.post("plugin/timeseries/timeSeries", requests=request)
        points = answer["runToSeries"].items()
        return {run: [(each["wallTime"], each["step"], each["value"]) for each in series] for run, series in points}

    assert series("loss") == {
        run: [(START + step, step, n + 1 / 2**step) for step in range(ROUNDS)] for run, n in TRIALS.items()
    }
    assert series("accuracy") == {run: [(START + step, step, step / 8) for step in range(ROUNDS)] for run in TRIALS}


def test_each_trial_is_a_session(board):
    rows = board.session_groups()
    assert {name: row["hparams"] for name, row in rows.items()} == {
        run: {"width": n, "optimizer": "sgd" if n % 2 else "adam"} for run, n in TRIALS.items()
    }
    sessions = {session["name"]: session for row in rows.values() for session in row["sessions"]}
    assert {(each["status"], each["startTimeSecs"]) for each in sessions.values()} == {("STATUS_SUCCESS", START)}
    metrics = {
        run: {value["name"]["tag"]: (value["value"], value["trainingStep"]) for value in session["metricValues"]}
        for run, session in sessions.items()
    }
    last = ROUNDS - 1
    assert metrics == {run: {"loss": (n + 1 / 2**last, last), "accuracy": (last / 8, last)} for run, n in TRIALS.items()}
