"""Growing logs: both loaders show new points and new runs while TensorBoard runs."""

import subprocess
import time

from harness import TensorBoard, eventually, program


def test_growing_log(tmp_path, fast):
    writer = subprocess.Popen([program("stock_log"), "grow", tmp_path], stdin=subprocess.PIPE, text=True)

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
    finally:
        writer.kill()
        writer.wait()
