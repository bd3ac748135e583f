"""Makes the README's picture of the example `digits` in TensorBoard, from a fresh run with its defaults.

By hand, after tests/all.sh: `target/venv/bin/python tests/stock/screenshot.py`.
"""

import tempfile
from pathlib import Path

from browser import browser
from harness import REPO, TensorBoard, eventually, train_digits

PICTURE = REPO / "examples" / "digits" / "tensorboard.png"
TAGS = "accuracy|loss|rate/batch|throughput"
# The points of each line, by chart.
LINES = {
    "accuracy/batch": [900] * 2,
    "accuracy/epoch": [20] * 4,
    "learning_rate/batch": [900] * 2,
    "loss/batch": [900] * 2,
    "loss/epoch": [20] * 4,
    "throughput/samples_per_second": [20] * 2,
}
# The charts alone and whole: no settings beside them, no table below, nothing cut off.
SETTINGS = {"timeSeriesSettingsPaneOpened": False, "stepSelectorEnabled": False, "ignoreOutliers": False}


def main() -> None:
    with tempfile.TemporaryDirectory() as logdir:
        train_digits(Path(logdir))
        page = browser(1400, 850, _tb_global_settings=SETTINGS)
        with TensorBoard(Path(logdir), fast=True) as board, page as chrome:
            chrome.open_time_series(board.url, TAGS)
            eventually(chrome.time_series_charts, LINES)
            chrome.save_screenshot(PICTURE)
    print(f"Wrote {PICTURE.relative_to(REPO)}, {PICTURE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
