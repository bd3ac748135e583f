"""Repairs: both loaders and the stock reader read all sound records of files that were damaged and repaired."""

import random
from pathlib import Path

from harness import TensorBoard, execute, points, program
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

STEPS = range(40)


def repair(*arguments: object) -> None:
    execute(program("summary-writer"), "repair", *arguments)


def write(run: Path) -> Path:
    """Writes steps that go back, like a program that evaluates from time to time. Tag `b` is three steps behind tag `a`."""
    writer = EventFileWriter(str(run))
    for step in STEPS:
        for tag, at in [("a", step), ("b", step - 3)]:
            value = Summary.Value(tag=tag, simple_value=at)
            writer.add_event(Event(wall_time=1_700_000_000 + step, step=at, summary=Summary(value=[value])))
    writer.close()
    [path] = run.iterdir()
    return path


def frames(file: bytes) -> list[tuple[int, int]]:
    """The start and the end of each record."""
    found, at = [], 0
    while at < len(file):
        end = at + 16 + int.from_bytes(file[at : at + 8], "little")
        found.append((at, end))
        at = end
    return found


def test_repaired_files(tmp_path, fast):
    chance = random.Random(2026)
    damaged, repaired = tmp_path / "damaged", tmp_path / "repaired"
    wanted: dict[str, list[bytes]] = {}
    for run, lost in [
        ("version", {0}),
        ("length", {5}),
        ("neighbours", {20, 21, 22}),
        ("many", set(chance.sample(range(1, 80), 15))),
        ("last", {80}),
    ]:
        path = write(damaged / run)
        file = bytearray(path.read_bytes())
        records = frames(file)
        assert len(records) == 81  # the version record, and two records per step
        wanted[run] = [bytes(file[start + 12 : end - 4]) for i, (start, end) in enumerate(records) if i not in lost]
        for i in lost:
            start, end = records[i]
            # Damages some lengths, after which the loaders give up the file, and some payloads.
            at = start + chance.randrange(12) if i % 2 == 0 or run == "length" else chance.randrange(start + 12, end)
            file[at] ^= 1 << chance.randrange(8)
        path.write_bytes(file + file[records[7][0] : records[7][1] - 1])  # and an unfinished record
    repair(damaged, "--to", repaired)

    with TensorBoard(repaired, fast=fast) as board:
        for run, payloads in wanted.items():
            [path] = (repaired / run).iterdir()
            got = list(RawEventFileLoader(str(path)).Load())
            if run == "version":
                assert Event.FromString(got[0]).file_version == "brain.Event:2"
                got = got[1:]
            assert got == payloads, run
            events = [Event.FromString(payload) for payload in payloads]
            for tag in "ab":
                values = [(event.step, value) for event in events for value in event.summary.value if value.tag == tag]
                wanted_points = [(step, value.simple_value) for step, value in values]
                assert points(board, run, tag) == wanted_points, (run, tag)

    # A repair in place gives the same files.
    repair(damaged, "--in-place", "--force")
    for run in wanted:
        [mine], [theirs] = (damaged / run).iterdir(), (repaired / run).iterdir()
        assert mine.read_bytes() == theirs.read_bytes(), run
