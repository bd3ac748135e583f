"""A run that stopped and went on from an earlier step: one session, one curve, without a step back or an old tail."""

import subprocess
from pathlib import Path

from harness import TensorBoard, eventually, program

OLD = [(step, step) for step in range(10)]
KEPT = OLD[:6]
NEW = [(step, 600 + step) for step in range(6, 16)]


def log(run: Path, first: int) -> None:
    subprocess.run([program("stock_log"), "resume", run, str(first)], check=True, timeout=60)


def test_resumed_run(tmp_path, fast):
    def curve(tag: str) -> list[tuple[int, float]]:
        if tag not in board.get("plugin/scalars/tags").get("run", ()):
            return []
        return [(step, value) for _, step, value in board.scalars("run", tag)]

    log(tmp_path / "run", 0)
    # The Python loader says what it forgets.
    with TensorBoard(tmp_path, fast=fast, follow=True, complaint=r".*(Purging|purge).*") as board:
        eventually(lambda: curve("warmup"), OLD)
        log(tmp_path / "run", 6)
        eventually(lambda: curve("loss"), KEPT + NEW)
        # The fast loader keeps what it has of a tag that nobody logs again.
        assert curve("warmup") == (OLD if fast else KEPT)

    with TensorBoard(tmp_path, fast=fast) as board:
        assert curve("loss") == KEPT + NEW
        assert curve("warmup") == KEPT
        sessions = board.session_groups()["run"]["sessions"]
        assert [session["status"] for session in sessions] == ["STATUS_SUCCESS"]
