"""Makes the pictures of TensorBoard for the README, from new runs of the examples.

By hand, after tests/all.sh: `target/venv/bin/python tests/stock/screenshot.py`.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from browser import Browser, browser
from harness import REPO, TensorBoard, eventually, execute, program, train_digits
from test_embeddings import open_projector, shown
from test_hparams import table
from test_histograms import drawn_histograms
from test_meshes import canvases

PICTURE = REPO / "examples" / "digits" / "tensorboard.png"
PAGES = REPO / "examples" / "pages"
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
# Shows only the charts, with all points, without the settings at the side and the table below.
SETTINGS = {"timeSeriesSettingsPaneOpened": False, "stepSelectorEnabled": False, "ignoreOutliers": False}


def time_series(chrome: Browser, board: TensorBoard) -> None:
    chrome.open_time_series(board.url, TAGS)
    eventually(chrome.time_series_charts, LINES)


def images(chrome: Browser, board: TensorBoard) -> None:
    chrome.get(f"{board.url}/#images&tagFilter=^(filters|confusion)")
    wanted = {"baseline/train": "filters/hidden", "baseline/validation": "confusion/picture"}
    eventually(lambda: all((chrome.images(run) or {}).get(tag) for run, tag in wanted.items()), True)


def histograms(chrome: Browser, board: TensorBoard) -> None:
    chrome.get(f"{board.url}/#histograms&tagFilter=^activations|kernel")
    eventually(lambda: drawn_histograms(chrome).get("activations/hidden"), 20)


def custom_scalars(chrome: Browser, board: TensorBoard) -> None:
    chrome.open_custom_scalars(board.url)
    charts = {"loss and accuracy per epoch": [8, 0], "recall of the classes": [4, 2]}
    eventually(chrome.custom_scalars_charts, {"digits": charts})


def projector(chrome: Browser, board: TensorBoard) -> None:
    open_projector(board, chrome)
    eventually(lambda: shown(chrome, "points", "drawn"), ["360", 360])
    # The loading message of the page fades slowly.
    eventually(lambda: chrome.ask("return deep(document, 'iron-overlay-backdrop').length"), 0)


def sweep(chrome: Browser, board: TensorBoard) -> None:
    chrome.get(f"{board.url}/#hparams")
    eventually(lambda: len(table(chrome)), 10)


def mesh(chrome: Browser, board: TensorBoard) -> None:
    chrome.get(f"{board.url}/#mesh&tagFilter=.")
    # Two meshes, and a batch of two.
    eventually(lambda: [bool(picture.drawn.mean() > 0.01) for picture in canvases(chrome).values()], [True] * 4)


Take = Callable[[Browser, TensorBoard], None]


def take(logdir: Path, pictures: dict[Path, Take], width: int, height: int) -> None:
    with TensorBoard(logdir, fast=True) as board:
        for path, show in pictures.items():
            with browser(width, height, _tb_global_settings=SETTINGS) as chrome:
                show(chrome, board)
                chrome.save_screenshot(path)
            print(f"Wrote {path.relative_to(REPO)}, {path.stat().st_size // 1024} KiB")


def main() -> None:
    PAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as parent:
        digits, trials, gallery = (Path(parent) / name for name in ("digits", "sweep", "gallery"))
        train_digits(digits)
        train_digits(trials, "--epochs=5", "--sweep")
        execute(program("gallery"), gallery)
        take(digits, {PICTURE: time_series}, 1400, 850)
        pages = [images, histograms, custom_scalars, projector]
        take(digits, {PAGES / f"{page.__name__}.png": page for page in pages}, 1000, 640)
        take(trials, {PAGES / "hparams.png": sweep}, 1000, 640)
        take(gallery, {PAGES / "mesh.png": mesh}, 1000, 640)


if __name__ == "__main__":
    main()
