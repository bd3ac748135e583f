"""Makes the pictures of TensorBoard in `examples/`, from new runs of the examples.

Run it by hand, after tests/all.sh: `target/venv/bin/python tests/tools/screenshot.py`. To make only some of the pictures, add
their names: `screenshot.py hparams mesh`. Look at each picture before you commit it.
"""

import base64
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# The browser and the servers are those of the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "stock"))

from browser import Browser, browser
from harness import REPO, TensorBoard, eventually, execute, program, train_digits
from test_embeddings import open_projector, shown
from test_histograms import drawn_histograms
from test_hparams import table
from test_meshes import canvases

EPOCHS = 18
# The points of each line, by chart. An epoch has 45 batches.
LINES = {
    "batch_learning_rate": [45 * EPOCHS] * 2,
    "batch_loss": [45 * EPOCHS] * 2,
    "epoch_accuracy": [EPOCHS] * 4,
    "epoch_loss": [EPOCHS] * 4,
}
# Shows only the charts, with all points, without the settings at the side and the table below. The list of runs is wide enough
# for their colours.
SETTINGS = {
    "timeSeriesSettingsPaneOpened": False,
    "stepSelectorEnabled": False,
    "ignoreOutliers": False,
    "sideBarWidthInPercent": 25,
}

Box = dict[str, float]


def box(chrome: Browser, elements: str, margin: int = 0) -> Box:
    """The smallest rectangle around elements, which are a JavaScript expression."""
    return chrome.ask(f"""
        const boxes = {elements}.map(element => element.getBoundingClientRect());
        const least = side => Math.floor(Math.min(...boxes.map(box => box[side]))) - {margin};
        const most = side => Math.ceil(Math.max(...boxes.map(box => box[side]))) + {margin};
        const [x, y] = [least("left"), least("top")];
        return {{ x, y, width: most("right") - x, height: most("bottom") - y }};
    """)


# Each of these functions opens a page, waits until it is complete, and returns the part of it that the picture shows.


def tensorboard(chrome: Browser, board: TensorBoard) -> Box:
    chrome.open_time_series(board.url, "batch_(learning|loss)|epoch_(accuracy|loss)")
    eventually(chrome.time_series_charts, LINES)
    return box(chrome, "[document.body]")


def images(chrome: Browser, board: TensorBoard) -> Box:
    # In other time zones, the time of an image has two lines.
    chrome.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Atlantic/Reykjavik"})
    chrome.get(f"{board.url}/#images&tagFilter=^(boxes|confusion)")
    eventually(lambda: [bool(chrome.images("gallery").get(tag)) for tag in ("boxes", "confusion/picture")], [True] * 2)
    # The style of the page cuts off the top of the run's name.
    chrome.ask("""for (const image of deep(document, "tf-image-loader")) image.style.overflow = "visible";""")
    return box(chrome, 'deep(document, "tf-image-loader").slice(0, 2)', margin=12)


def histograms(chrome: Browser, board: TensorBoard) -> Box:
    chrome.get(f"{board.url}/#histograms&tagFilter=^activations|hidden/kernel/histogram")
    eventually(lambda: drawn_histograms(chrome).get("activations/hidden"), EPOCHS)
    return box(chrome, 'deep(document, "tf-histogram-loader").slice(0, 4)', margin=12)


def custom_scalars(chrome: Browser, board: TensorBoard) -> Box:
    chrome.open_custom_scalars(board.url)
    eventually(chrome.custom_scalars_charts, {"gallery": {"all waves": [3, 0], "decay": [2, 1]}})
    charts = "tf-custom-scalar-multi-line-chart-card, tf-custom-scalar-margin-chart-card"
    return box(chrome, f'deep(document, "{charts}")', margin=12)


def projector(chrome: Browser, board: TensorBoard) -> Box:
    open_projector(board, chrome)
    eventually(lambda: shown(chrome, "points", "drawn"), ["360", 360])
    chrome.ask("""
        const [menu] = deep(document, "paper-dropdown-menu").filter(menu => menu.label === "Color by");
        menu.querySelector("paper-listbox").selected = "digit";
    """)
    # The loading message of the page fades slowly.
    eventually(lambda: chrome.ask("return deep(document, 'iron-overlay-backdrop').length"), 0)
    chrome.switch_to.default_content()
    # The pane at the right is empty until somebody searches.
    page = box(chrome, 'deep(document, "iframe")')
    return {**page, "width": page["width"] - 301}


def hparams(chrome: Browser, board: TensorBoard) -> Box:
    chrome.get(f"{board.url}/#hparams")
    eventually(lambda: len(table(chrome)), 10)
    # All trials have the same number of epochs. Their names need a wider column.
    chrome.ask("""
        deep(document, "paper-checkbox").find(box => box.innerText.trim() === "epochs").click();
        deep(document, "vaadin-grid-column")[0].width = "14em";
    """)
    eventually(lambda: len(table(chrome)[0]), 6)
    return box(chrome, 'deep(document, "tf-hparams-sessions-pane")')


def mesh(chrome: Browser, board: TensorBoard) -> Box:
    chrome.get(f"{board.url}/#mesh&tagFilter=.")
    # Two meshes, and a batch of two.
    eventually(lambda: [bool(picture.drawn.mean() > 0.01) for picture in canvases(chrome).values()], [True] * 4)
    # The page draws all meshes below each other, and cannot filter their tags.
    chrome.ask("""
        const others = deep(document, "tf-mesh-loader").filter(mesh => mesh.tag !== "torus");
        for (const mesh of others) mesh.style.display = "none";
    """)
    return box(chrome, 'deep(document, "tf-mesh-loader").filter(mesh => mesh.tag === "torus").slice(0, 1)', margin=12)


# For each picture: the log, and the size of the page. At this width, no chart, column or title is cut off.
PICTURES: dict[Callable[[Browser, TensorBoard], Box], tuple[str, int, int]] = {
    tensorboard: ("digits", 1030, 844),
    images: ("gallery", 1100, 900),
    histograms: ("digits", 1030, 900),
    custom_scalars: ("gallery", 1030, 900),
    projector: ("digits", 1400, 820),
    hparams: ("sweep", 1260, 520),
    mesh: ("gallery", 1000, 1000),
}
LOGS: dict[str, Callable[[Path], None]] = {
    "digits": lambda logdir: train_digits(logdir, f"--epochs={EPOCHS}"),
    "sweep": lambda logdir: train_digits(logdir, "--epochs=5", "--sweep"),
    "gallery": lambda logdir: execute(program("gallery"), logdir),
}


def take(show: Callable[[Browser, TensorBoard], Box], board: TensorBoard, width: int, height: int) -> None:
    name = f"{show.__name__}.png"
    path = REPO / "examples" / ("digits" if show is tensorboard else "pages") / name
    with browser(width, height, _tb_global_settings=SETTINGS, _ignoreYOutliers=False) as chrome:
        part = show(chrome, board)
        picture = chrome.execute_cdp_cmd("Page.captureScreenshot", {"clip": {**part, "scale": 1}})
    path.write_bytes(base64.b64decode(picture["data"]))
    print(f"Wrote {path.relative_to(REPO)}, {path.stat().st_size // 1024} KiB")


def main() -> None:
    wanted = sys.argv[1:] or [show.__name__ for show in PICTURES]
    with tempfile.TemporaryDirectory() as parent:
        for log, write in LOGS.items():
            pictures = {show: size for show, (of, *size) in PICTURES.items() if of == log and show.__name__ in wanted}
            if pictures:
                logdir = Path(parent) / log
                write(logdir)
                with TensorBoard(logdir, fast=True) as board:
                    for show, size in pictures.items():
                        take(show, board, *size)


if __name__ == "__main__":
    main()
