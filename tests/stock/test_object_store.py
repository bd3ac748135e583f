"""Object stores: runs in real servers on loopback, which stock TensorBoard watches, and which fail on command.

`OBJECT_STORES=s3,gs,az` selects the servers; `s3` is the default. `OBJECT_STORES_LONG=1` tests with the default flush interval
and an outage of 20 seconds. tests/cloud.sh sets both.
"""

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import png
import pytest
from harness import REPO, TensorBoard, eventually, points, program, series, tags
from store_servers import Proxy, Store, bare_environment, running
from test_embeddings import open_projector, shown

SCHEMES = os.environ.get("OBJECT_STORES", "s3").split(",")
IS_LONG = bool(os.environ.get("OBJECT_STORES_LONG"))
# The default of the crate is 10 seconds for a new run.
INTERVAL_SECONDS = 10 if IS_LONG else 1
INTERVAL = () if IS_LONG else ("--flush-interval", "1")
OUTAGE_SECONDS = 20 if IS_LONG else 6
# How much later than planned something may happen on a busy machine.
SLACK_SECONDS = 5
# Only these lines are due: the Python loader prints how many points it drops, and the servers are no real clouds.
COMPLAINT = r".*(Purging|purge|urllib3|Boto3|warn).*"


@pytest.fixture(scope="session", params=SCHEMES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with running(request.param) as store:
        yield store


@pytest.fixture
def proxy(store: Store) -> Iterator[Proxy]:
    with Proxy(store.port) as proxy:
        yield proxy


def start(store: Store, *arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen:
    """Starts `store_log`."""
    command = [program("store_log"), *map(str, arguments)]
    environment = environment or store.environment()
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> dict[str, Any]:
    """Waits for `store_log`, and returns what it prints at its end."""
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(output)


def run(store: Store, *arguments: object) -> dict[str, Any]:
    return finish(start(store, *arguments))


def line(first: int, last: int, offset: float = 0) -> list[list[float]]:
    """The points that `store_log` logs."""
    return [[step, step / 2 + offset] for step in range(first, last)]


def board(store: Store, logdir: str, *, follow: bool, complaint: str = COMPLAINT) -> TensorBoard:
    if store.scheme != "s3":
        complaint = ".*"  # The file systems of fsspec print errors when TensorBoard ends during a request.
    samples = "--samples_per_plugin=scalars=1000000"
    return TensorBoard(logdir, samples, fast=False, follow=follow, complaint=complaint, environment=store.environment())


def curve(board: TensorBoard, run: str = "run") -> list[list[float]]:
    if "loss" not in tags(board, "scalars", run):
        return []
    return [list(point) for point in points(board, run, "loss")]


def test_points_arrive_while_the_program_runs(store, chrome, picture):
    logdir = store.logdir()
    count = 10 * (INTERVAL_SECONDS + SLACK_SECONDS)
    started = time.time()
    # Once a page is open, the projector prints a traceback about the embedding: see the next test.
    with board(store, logdir, follow=True, complaint=".*") as watching:
        writer = start(store, "write", f"{logdir}/run", "--kinds", "--rate", 10, "--points", count, *INTERVAL)
        eventually(lambda: bool(curve(watching)), True)
        assert writer.poll() is None, "the first points arrive while the program runs"
        seen_after = time.time() - series(watching, "run", "loss")[0][0]
        assert seen_after < INTERVAL_SECONDS + SLACK_SECONDS, "in the store within 15 s"
        stats = finish(writer)
        assert (stats["error"], stats["rejected"], stats["pending_bytes"], stats["retries"]) == (None, 0, 0, 0)
        eventually(lambda: curve(watching), line(0, count))
        assert all(started <= wall_time <= time.time() for wall_time, _, _ in series(watching, "run", "loss"))
        eventually(lambda: curve(watching, "run/validation"), line(0, 1))

        [image] = watching.get("plugin/images/images", run="run", tag="pixels", sample="0")
        _, file = watching.fetch(f"plugin/images/individualImage?{image['query']}")
        _, _, rows, _ = png.Reader(io.BytesIO(file)).asRGB()
        assert [list(row) for row in rows] == [[255, 0, 0, 0, 255, 0], [0, 0, 255, 255, 255, 255]]
        [[_, step, buckets]] = watching.get("plugin/histograms/histograms", run="run", tag="weights")
        assert (step, sum(count for _, _, count in buckets)) == (0, 4)

        chrome.get(f"{watching.url}/#images")
        eventually(lambda: chrome.images("run"), {"pixels": [2, 2]})
        assert chrome.errors() == []

    read = run(store, "read", logdir)
    assert read["is_sound"]
    assert read["runs"] == {"run": line(0, count), "run/validation": line(0, 1)}


# Copies a logdir with the file systems of TensorBoard.
COPY = """
import os, sys
from tensorboard.compat.tensorflow_stub.io import gfile
url, target = sys.argv[1:]
for directory, _, names in gfile.walk(url):
    for name in names:
        path = os.path.join(target, (directory.rstrip("/") + "/" + name).split("/logs/")[1])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with gfile.GFile(directory.rstrip("/") + "/" + name, "rb") as source, open(path, "wb") as copy:
            copy.write(source.read())
"""


def test_copied_logdir_shows_the_embedding(store, chrome, picture, tmp_path):
    logdir = store.logdir()
    run(store, "write", f"{logdir}/run", "--kinds", "--points", 1)
    request = {"run": "run", "name": "words:00000", "num_rows": "10"}
    # TensorBoard 2.21 takes the URL of the run for a local path, so it finds the vectors in no store.
    with board(store, logdir, follow=False, complaint=".*") as remote:
        assert remote.request("plugin/projector/tensor", **request).status_code == 500
    subprocess.run([sys.executable, "-c", COPY, logdir, tmp_path], env=store.environment(), check=True, timeout=60)
    with TensorBoard(tmp_path, fast=True) as copy:
        _, numbers = copy.fetch("plugin/projector/tensor", **request)
        assert np.frombuffer(numbers, "<f4").tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0]
        open_projector(copy, chrome)
        wanted = ["4", "3", ["one", "two", "three", "four"], 4]
        eventually(lambda: shown(chrome, "points", "dimension", "labels", "drawn"), wanted)
        assert chrome.errors() == []


def test_resumed_run_is_one_curve(store):
    logdir = store.logdir()
    with board(store, logdir, follow=True) as watching:
        run(store, "write", f"{logdir}/run", "--points", 50)
        eventually(lambda: curve(watching), line(0, 50))
        before = run(store, "read", logdir)
        run(store, "write", f"{logdir}/run", "--resume", 30, "--first", 30, "--points", 50, "--offset", 1000)
        eventually(lambda: curve(watching), line(0, 30) + line(30, 80, 1000))
    with board(store, logdir, follow=False) as fresh:
        assert curve(fresh) == line(0, 30) + line(30, 80, 1000)
    after = run(store, "read", logdir)
    assert after["is_sound"]
    assert after["runs"]["run"] == line(0, 50) + line(30, 80, 1000), "nothing is rewritten"
    assert after["files"][:1] == before["files"] and len(after["files"]) == 2


def test_program_reads_a_store(store, tmp_path):
    def call(name: str, *arguments: str) -> subprocess.CompletedProcess:
        command = [program("summary-writer"), name, *arguments]
        return subprocess.run(command, env=store.environment(), capture_output=True, text=True, timeout=60)

    logdir = store.logdir()
    run(store, "write", f"{logdir}/run", "--points", 50)
    assert call("verify", logdir).returncode == 0
    inspected = call("inspect", logdir)
    assert inspected.returncode == 0 and re.search(r"loss +scalars +50 +0 +49\n", inspected.stdout), inspected.stdout
    exported = [json.loads(row) for row in call("export", logdir, "--format", "jsonl").stdout.splitlines()]
    assert [[row["step"], row["value"]] for row in exported] == line(0, 50)
    repaired = call("repair", logdir, "--to", str(tmp_path / "copy"))
    assert repaired.returncode != 0 and logdir in repaired.stderr, repaired.stderr
    missing = call("verify", f"{logdir}/no-such-run")
    assert missing.returncode != 0 and "no-such-run" in missing.stderr, missing.stderr


def test_compacted_run_is_one_object_and_the_same_curve(store):
    logdir, compacted = store.logdir(), store.logdir()
    run(store, "write", f"{logdir}/run", "--points", 50)
    run(store, "write", f"{logdir}/run", "--resume", 30, "--first", 30, "--points", 50, "--offset", 1000)
    # 12 MB of noise, so two parts of 8 MiB at most.
    run(store, "write", f"{logdir}/large", "--points", 60, "--images", 1)
    before = run(store, "read", logdir)
    command = [program("summary-writer"), "compact", logdir, "--out", compacted]
    subprocess.run(command, env=store.environment(), check=True, timeout=300)
    after = run(store, "read", compacted)
    assert after["is_sound"]
    assert after["runs"] == before["runs"] and after["runs"]["large"] == line(0, 60)
    assert len(before["files"]) > 2 and len(after["files"]) == 2
    assert run(store, "read", logdir) == before, "the old objects stay"
    with board(store, compacted, follow=False) as fresh:
        assert curve(fresh) == line(0, 30) + line(30, 80, 1000)
    again = subprocess.run(command, env=store.environment(), capture_output=True, text=True, timeout=300)
    assert again.returncode != 0 and "could not create" in again.stderr


def test_outage_loses_and_doubles_nothing(store, proxy):
    logdir = store.logdir()
    modes = ["refuse", "hang", "cut", "throttle", "delay"]
    seconds = 2 * OUTAGE_SECONDS + SLACK_SECONDS
    arguments = ["--rate", 100, "--points", 100 * seconds, "--flush-interval", 0.3]
    writer = start(store, "write", f"{logdir}/run", *arguments, environment=store.environment(proxy.port))
    eventually(lambda: bool(run(store, "read", logdir)["runs"]), True)
    for mode in modes:
        proxy.mode = mode
        time.sleep(OUTAGE_SECONDS / len(modes))
        eventually(lambda mode=mode: mode in proxy.counts, True)  # The writer pauses for up to 5 seconds.
    proxy.mode = "pass"
    assert writer.poll() is None, "the outage is in the middle"
    stats = finish(writer)
    assert (stats["error"], stats["rejected"], stats["pending_bytes"]) == (None, 0, 0)
    assert stats["retries"] > 0
    assert stats["slowest_call_seconds"] < 1, "the training never waits"
    read = run(store, "read", logdir)
    assert read["is_sound"]
    assert read["runs"]["run"] == line(0, 100 * seconds)
    with board(store, logdir, follow=False) as fresh:
        assert curve(fresh) == line(0, 100 * seconds)


def test_store_that_takes_one_write_of_an_object_per_second_gets_every_point(store, proxy):
    # The limit of Google Cloud Storage: https://docs.cloud.google.com/storage/quotas
    logdir = store.logdir()
    proxy.mode = "limit"
    arguments = ["--rate", 20, "--points", 100, "--flush-interval", 0.3]
    stats = finish(start(store, "write", f"{logdir}/run", *arguments, environment=store.environment(proxy.port)))
    assert (stats["error"], stats["rejected"], stats["pending_bytes"], stats["retries"]) == (None, 0, 0, 0)
    assert proxy.counts["limited"] > 0
    assert run(store, "read", logdir)["runs"] == {"run": line(0, 100)}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_server_that_stops_and_starts_again_has_every_point(scheme):
    # No program listens at the port meanwhile. moto is empty when it starts again. The writer has the newest segment in memory,
    # so it arrives whole once there is a bucket.
    with running(scheme) as store:
        logdir = store.logdir()
        count = 20 * (OUTAGE_SECONDS + 3 * SLACK_SECONDS)
        writer = start(store, "write", f"{logdir}/run", "--rate", 20, "--points", count, "--flush-interval", 1)
        eventually(lambda: bool(run(store, "read", logdir)["runs"]), True)
        store.stop()
        time.sleep(OUTAGE_SECONDS)
        assert writer.poll() is None, "the outage is in the middle"
        store.start()
        if not store.is_on_disk:
            store.create_bucket()
        stats = finish(writer)
        assert (stats["error"], stats["rejected"], stats["pending_bytes"]) == (None, 0, 0)
        assert stats["retries"] > 0
        assert stats["slowest_call_seconds"] < 1, "the training never waits"
        read = run(store, "read", logdir)
        assert read["is_sound"]
        assert read["runs"] == {"run": line(0, count)}
        with board(store, logdir, follow=False) as fresh:
            assert curve(fresh) == line(0, count)


def test_close_gives_up_and_keeps_the_rest_on_the_disk(store, proxy, tmp_path):
    logdir = store.logdir()
    arguments = ["--rate", 10, "--points", 40, "--flush-interval", 0.5, "--close-timeout", 2, "--spill-dir", tmp_path]
    writer = start(store, "write", f"{logdir}/run", *arguments, environment=store.environment(proxy.port))
    eventually(lambda: proxy.segment_count > 0, True)
    proxy.mode = "hang"
    stats = finish(writer)
    assert str(tmp_path) in stats["error"]
    in_store = run(store, "read", logdir)["runs"]["run"]
    spilled = run(store, "read", tmp_path)["runs"]
    assert in_store + next(iter(spilled.values())) == line(0, 40)


def test_killed_program_loses_the_last_interval_at_most(store):
    logdir = store.logdir()
    writer = start(store, "write", f"{logdir}/run", "--rate", 100, *INTERVAL)
    uploaded = lambda: len(run(store, "read", logdir)["runs"].get("run", []))
    eventually(lambda: uploaded() > 0, True)
    first = uploaded()
    eventually(lambda: uploaded() > first, True)
    killed = time.time()
    writer.kill()
    writer.wait()
    read = run(store, "read", logdir)
    assert read["is_sound"]
    assert read["runs"]["run"] == line(0, len(read["runs"]["run"]))
    assert killed - read["last_wall_time"] < INTERVAL_SECONDS + SLACK_SECONDS


def test_two_writers_in_a_run_are_reported(store):
    logdir = store.logdir()
    arguments = ["write", f"{logdir}/run", "--rate", 10, "--points", 60, "--flush-interval", 0.5]
    writers = [start(store, *arguments) for _ in range(2)]
    outputs = [writer.communicate(timeout=120) for writer in writers]
    for output, errors in outputs:
        assert json.loads(output)["other_writers"] == 1
        assert "the directory has another writer" in errors
    # Both are readable.
    read = run(store, "read", logdir)
    assert read["is_sound"] and sorted(read["runs"]["run"]) == sorted(2 * line(0, 60))


def test_opening_fails_within_ten_seconds(store):
    logdir, elsewhere = f"{store.logdir()}/run", f"{store.scheme}://no-such-bucket/logs/run"
    cases = {  # The mode of the proxy, the URL, and what the message names.
        "wrong bucket": ("pass", elsewhere, ["no-such-bucket"]),
        "no credentials": (None, logdir, [store.root, store.credentials]),
        "no server": ("refuse", logdir, [store.root]),
        "server hangs": ("hang", logdir, [store.root]),
        "no permission": ("forbid", logdir, [store.root, *store.credentials_in_use]),
    }
    with ExitStack() as proxies:
        started, writers = time.monotonic(), {}
        for problem, (mode, url, _) in cases.items():
            proxy = proxies.enter_context(Proxy(store.port))
            proxy.mode = mode
            environment = store.environment(proxy.port) if mode else bare_environment()
            writers[problem] = start(store, "write", url, environment=environment)
        for problem, writer in writers.items():
            _, errors = writer.communicate(timeout=60)
            print(f"{problem}: {errors}")
            assert writer.returncode != 0
            assert time.monotonic() - started < 10 + SLACK_SECONDS, problem
            missing = [name for name in cases[problem][2] if name not in errors]
            assert not missing, f"{problem}: {errors}"


def test_suite_of_the_crate_passes(store):
    command = ["cargo", "test", "--all-features", "--test", "object_store"]
    environment = store.environment() | store.suite_settings() | {"SUMMARY_WRITER_TEST_STORE_URL": store.logdir()}
    tests = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=600)
    assert tests.returncode == 0, tests.stdout + tests.stderr
