"""Growing logs: both loaders show new points and new runs while TensorBoard runs."""

import subprocess
import time

import pytest
from harness import TensorBoard, eventually, program


# A file of 100 bytes has its version record and one or two scalars.
@pytest.mark.parametrize("max_file_bytes", [2**40, 100])
def test_growing_log(tmp_path, fast, max_file_bytes):
    command = [program("stock_log"), "grow", tmp_path, str(max_file_bytes)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)

    def log_point(run: str, step: int) -> None:
        writer.stdin.write(f"{run} {step}\n")
        writer.stdin.flush()

    def steps(run: str) -> list[int]:
        if "loss" not in board.get("plugin/scalars/tags").get(run, ()):
            return []
        got = board.scalars(run, "loss")
        assert all(value == 3.0 * step and started <= wall_time <= time.time() for wall_time, step, value in got)
        return [step for _, step, _ in got]

    started = time.time()
    try:
        with TensorBoard(tmp_path, fast=fast, follow=True) as board:
            for step in range(4):
                log_point("train", step)
                eventually(lambda: steps("train"), list(range(step + 1)))
            log_point("validation", 0)
            eventually(lambda: steps("validation"), [0])
            log_point("train", 4)
            eventually(lambda: steps("train"), [0, 1, 2, 3, 4])
            writer.stdin.close()
            assert writer.wait(120) == 0
            file_count = len(list((tmp_path / "train").iterdir()))
            assert file_count == 1 if max_file_bytes > 100 else file_count >= 3
    finally:
        writer.kill()
        writer.wait()
