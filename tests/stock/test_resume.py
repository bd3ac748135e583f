"""Resuming: a run that resumes at an earlier step has one session and one curve, without the old points."""

from pathlib import Path

from harness import TensorBoard, eventually, execute, program

OLD = [(step, step) for step in range(10)]
KEPT = OLD[:6]
NEW = [(step, 600 + step) for step in range(6, 16)]


def log(run: Path, first: int) -> None:
    execute(program("stock_log"), "resume", run, first)


def test_resumed_run(tmp_path, fast):
    def curve(tag: str) -> list[tuple[int, float]]:
        if tag not in board.get("plugin/scalars/tags").get("run", ()):
            return []
        return [(step, value) for _, step, value in board.scalars("run", tag)]

    log(tmp_path / "run", 0)
    # The Python loader prints how many points it drops.
    with TensorBoard(tmp_path, fast=fast, follow=True, complaint=r".*(Purging|purge).*") as board:
        eventually(lambda: curve("warmup"), OLD)
        log(tmp_path / "run", 6)
        eventually(lambda: curve("loss"), KEPT + NEW)
        # The fast loader keeps the points of a tag that is not logged again.
        eventually(lambda: curve("warmup"), OLD if fast else KEPT)

    with TensorBoard(tmp_path, fast=fast) as board:
        assert curve("loss") == KEPT + NEW
        assert curve("warmup") == KEPT
        sessions = board.session_groups()["run"]["sessions"]
        assert [session["status"] for session in sessions] == ["STATUS_SUCCESS"]
