"""Killed processes: the stock reader and both loaders read their files up to the last whole record.

The files come from the fault campaign (`tests/faults`). It writes the number of records of each tag next to each file. A value
is half its step. Some files are also cut within their last record, as after a power failure.
"""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from harness import REPO, TensorBoard, tags
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2

# The number of points of a series that TensorBoard keeps. It always keeps the last one.
KEPT = 1000

Counts = dict[str, int]


def event_file(run: Path) -> Path:
    [file] = run.glob("*tfevents*")
    return file


def cut(run: Path, copy: Path, counts: Counts, left: int) -> Counts:
    """Copies a run with only `left` bytes of its last record. Returns the number of records of each tag in the copy."""
    data, start, after = event_file(run).read_bytes(), 0, 0
    while after + 12 <= len(data):
        end = after + 16 + struct.unpack_from("<Q", data, after)[0]
        if end > len(data):
            break
        start, after = after, end
    copy.mkdir()
    (copy / "cut.tfevents").write_bytes(data[: start + left])
    last = event_pb2.Event.FromString(data[start + 12 : after - 4])
    return {tag: count - (tag == last.summary.value[0].tag) for tag, count in counts.items()}


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> tuple[Path, dict[str, Counts]]:
    """A log of killed processes, and the number of records of each tag in each run."""
    logdir = tmp_path_factory.mktemp("killed")
    command = ["cargo", "test", "--all-features", "--test", "faults", "--", "kill"]
    environment = os.environ | {"FAULTS_KEEP": str(logdir)}
    subprocess.run(command, cwd=REPO, env=environment, check=True, timeout=1800)
    runs = {}
    for run in sorted(logdir.iterdir()):
        if not (run / "expected.txt").exists():
            shutil.rmtree(run)  # The process was killed before it wrote its first record.
            continue
        pairs = [line.rsplit(" ", 1) for line in (run / "expected.txt").read_text().splitlines()]
        runs[run.name] = {tag: int(count) for tag, count in pairs}
    for name, left in zip([name for name, counts in runs.items() if counts], (1, 11, 13, 30, 41)):
        copy = logdir / f"{name} cut to {left}"
        runs[copy.name] = cut(logdir / name, copy, runs[name], left)
    assert sum(counts != {} for counts in runs.values()) > 5, "something was logged"
    return logdir, runs


def test_stock_reader_reads_files_of_killed_processes_up_to_the_last_whole_record(killed):
    logdir, runs = killed
    for run, counts in runs.items():
        file = event_file(logdir / run)
        records = list(event_file_loader.RawEventFileLoader(str(file)).Load())
        rest = file.read_bytes()[sum(16 + len(record) for record in records) :]
        assert len(rest) < 12 or len(rest) < 16 + struct.unpack_from("<Q", rest)[0], f"{run}: there is another whole record"
        first, *events = map(event_pb2.Event.FromString, records)
        assert first.file_version == "brain.Event:2", run
        steps = {tag: [] for tag in counts}
        for event in events:
            [value] = event.summary.value
            steps[value.tag].append(event.step)
            if value.tag.startswith("loss"):
                assert value.simple_value == 0.5 * event.step, run
        for tag, count in counts.items():
            assert len(steps[tag]) == count, (run, tag)
            if tag.startswith("loss"):
                assert steps[tag] == list(range(count)), (run, tag)


def test_loaders_show_files_of_killed_processes_up_to_the_last_whole_record(killed, fast):
    logdir, runs = killed
    with TensorBoard(logdir, fast=fast) as board:
        assert set(board.get("runs")) == set(runs)
        for run, counts in runs.items():
            there = {tag: count for tag, count in counts.items() if count > 0}
            losses = {tag: count for tag, count in there.items() if tag.startswith("loss")}
            assert tags(board, "scalars", run) == set(losses), run
            assert tags(board, "text", run) == {tag for tag in there if tag.startswith("notes")}, run
            for tag, count in losses.items():
                steps = [step for _, step, _ in board.scalars(run, tag)]
                assert all(value == 0.5 * step for _, step, value in board.scalars(run, tag)), (run, tag)
                assert steps[-1] == count - 1, (run, tag)
                if count <= KEPT:
                    assert steps == list(range(count)), (run, tag)
