"""Makes the README's picture of the example `digits` in TensorBoard, from a fresh run with its defaults.

By hand, after tests/all.sh: `target/venv/bin/python tests/stock/screenshot.py`.
"""

import tempfile
from pathlib import Path

from browser import browser
from harness import REPO, TensorBoard, eventually, train_digits

PICTURE = REPO / "examples" / "digits" / "tensorboard.png"
TAGS = "batch_(accuracy|learning|loss)|epoch_(accuracy|loss|steps)"
# The points of each line, by chart.
LINES = {
    "batch_accuracy": [900] * 2,
    "batch_learning_rate": [900] * 2,
    "batch_loss": [900] * 2,
    "epoch_accuracy": [20] * 4,
    "epoch_loss": [20] * 4,
    "epoch_steps_per_second": [20] * 2,
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
