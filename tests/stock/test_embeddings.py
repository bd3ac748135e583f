"""Embeddings: TensorBoard serves every number, label and pixel, and the projector draws them."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
from browser import Browser
from google.protobuf import text_format
from harness import TensorBoard, eventually
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

POINTS, DIMENSIONS = 60, 5
PICTURES = "scope/pictures:12345"
ODD_NAMES = [
    "a/b:-0001",
    "a_b:-0001",
    "A_b:-0001",
    "../../up:-0001",
    ":-0001",
    " :-0001",
    "Größe/Δ損失:-0001",
    "name:0:-0001",
    "C:\\x:-0001",
    "nul\0byte:-0001",
    "\"double\" and 'single':-0001",
    "?a=b＆c＃d％20％＋e:-0001",
    "tab␉and␍␊newline:-0001",
    "x123456789" * 10 + "x1:-0001",
    "x123456789" * 10 + "x2:-0001",
]
NAMES = ["theirs", "plain:00000", "plain:00001", "plain:00002", "numbers:00000", PICTURES, "opaque:00000", "octahedron:00000", *ODD_NAMES]


def draw(i: np.ndarray) -> np.ndarray:
    return i * 5003 % 65536 % 1000


def tensor(board: TensorBoard, name: str) -> np.ndarray:
    """The vectors that the page gets, one per row."""
    content_type, numbers = board.fetch("plugin/projector/tensor", run="embeddings", name=name, num_rows="100000")
    assert content_type == "application/octet-stream"
    return np.frombuffer(numbers, "<f4").reshape(info(board, name)["tensorShape"])


def info(board: TensorBoard, name: str) -> dict[str, Any]:
    [found] = [each for each in infos(board) if each["tensorName"] == name]
    return found


def infos(board: TensorBoard) -> list[dict[str, Any]]:
    return board.get("plugin/projector/info", run="embeddings")["embeddings"]


def metadata(board: TensorBoard, name: str) -> str:
    return board.get("plugin/projector/metadata", run="embeddings", name=name, num_rows="100000")


def sprite(board: TensorBoard, name: str) -> np.ndarray:
    """The samples of the sprite, with the axes row, column and channel."""
    content_type, file = board.fetch("plugin/projector/sprite_image", run="embeddings", name=name)
    assert content_type == "image/png"
    width, height, rows, about = png.Reader(io.BytesIO(file)).read()
    assert about["bitdepth"] == 8
    return np.array([list(row) for row in rows]).reshape(height, width, about["planes"])


def thumbnail(i: int) -> np.ndarray:
    """The thumbnail that `stock_log` draws for a point: the upper half in its colour, the lower half black."""
    gray, red = i * 4, 255 - i * 4
    pixel, rest = [
        ([red, gray, 0, 255], [0, 0, 0, 255]),
        ([0, red, gray, 128], [0, 0, 0, 0]),
        ([gray, gray, gray, 255], [0, 0, 0, 255]),
        ([red, red, red, 255], [0, 0, 0, 0]),
    ][i % 4]
    return np.array([[pixel] * 6] * 2 + [[rest] * 6] * 2)


def test_stock_parser_reads_the_config(log: Path):
    config = text_format.Parse((log / "embeddings" / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert [each.tensor_name for each in config.embeddings] == NAMES
    paths = [path for each in config.embeddings for path in (each.tensor_path, each.metadata_path, each.sprite.image_path)]
    paths = [path for path in paths if path]
    assert len({path.lower() for path in paths}) == len(paths) - 2, "only `A_b` has files that differ in their case alone"
    files = {str(file.relative_to(log / "embeddings")) for file in (log / "embeddings").rglob("*") if file.is_file()}
    others = {name for name in files if "tfevents" in name} | {"projector_config.pbtxt"}
    assert files == {*paths, *others}, "the configuration refers to every file"


def test_all_embeddings_are_listed(board):
    assert board.get("plugin/projector/runs") == ["embeddings"]
    shapes = {each["tensorName"]: each["tensorShape"] for each in infos(board)}
    assert list(shapes) == NAMES
    odd = dict.fromkeys(ODD_NAMES, [2, 3])
    plain = {f"plain:{step:05}": [POINTS, DIMENSIONS] for step in range(3)}
    others = {"theirs": [3, 3], "numbers:00000": [3, 3], PICTURES: [POINTS, DIMENSIONS], "opaque:00000": [3, 3], "octahedron:00000": [6, 3]}
    assert shapes == {**odd, **plain, **others}


@pytest.mark.parametrize("step", range(3))
def test_vectors_at_each_step(board, step):
    i = np.arange(POINTS * DIMENSIONS).reshape(POINTS, DIMENSIONS)
    wanted = (draw(i + 7 * step) / 1000).astype(np.float32)
    assert tensor(board, f"plain:{step:05}").tolist() == wanted.tolist()
    assert "metadataPath" not in info(board, f"plain:{step:05}"), "the labels went with what was written over"


def test_vectors_of_another_writer(board):
    assert tensor(board, "theirs").tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_numbers_of_the_whole_range(board):
    limits = np.finfo(np.float32)
    wanted = [0.1, -0.0, limits.tiny, limits.smallest_subnormal, limits.max, limits.min, 16777217, 1 / 3, 1e-5]
    got = tensor(board, "numbers:00000")
    assert got.tobytes() == np.array(wanted, np.float32).tobytes(), got
    assert metadata(board, "numbers:00000") == "Größe\n損失 <b>\n\"a'\\\n"


def test_columns_and_thumbnails(board):
    i = np.arange(POINTS * DIMENSIONS).reshape(POINTS, DIMENSIONS)
    assert tensor(board, PICTURES).tolist() == draw(i).tolist()
    rows = [f"point {i}\t{'train' if i % 7 else ''}\t{i % 10}\n" for i in range(POINTS)]
    assert metadata(board, PICTURES) == "name\tsplit\tclass\n" + "".join(rows)

    assert info(board, PICTURES)["sprite"]["singleImageDim"] == [6, 4]
    # The sprite has 8 columns and 8 rows, because the page computes the row of a thumbnail from the number of rows.
    pixels = sprite(board, PICTURES)
    assert pixels.shape == (8 * 4, 8 * 6, 4)
    for i in range(POINTS):
        y, x = i // 8 * 4, i % 8 * 6
        wanted = thumbnail(i)
        assert pixels[y : y + 4, x : x + 6].tolist() == wanted.tolist(), i


def test_thumbnails_without_opacity(board):
    gray = [[0, 10, 1, 10], [20, 30] * 2, [40, 50, 40, 51], [2, 10, 0, 0], [20, 30, 0, 0], [40, 52, 0, 0]]
    assert sprite(board, "opaque:00000").tolist() == [[[sample] * 3 for sample in row] for row in gray]
    assert tensor(board, "opaque:00000").tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]


@pytest.mark.parametrize("number", range(len(ODD_NAMES)), ids=[repr(name)[:30] for name in ODD_NAMES])
def test_odd_tags(board, number):
    name = ODD_NAMES[number]
    assert tensor(board, name).tolist() == [[number, 1, 0], [2, number, 0]]
    assert metadata(board, name) == f"first of {number}\nsecond\n"


# In the page's innermost frame.
SHOWN = """
    const [projector] = deep(document, "vz-projector");
    const shown = selector => deep(projector.shadowRoot, selector).map(element => element.innerText.trim());
    const menu = label => deep(projector.shadowRoot, "paper-dropdown-menu").filter(menu => menu.label?.match(label))
      .flatMap(menu => [...menu.querySelectorAll("paper-item")].map(item => item.getAttribute("label") ?? item.value));
    const data = projector?.dataSet;
    // Until then, the page draws the previous embedding.
    return data && projector.projection?.dataSet === data && {
      points: shown("span.numDataPoints").join(),
      dimension: shown("span.dim").join(),
      tensors: menu("tensors? found"),
      columns: menu("^Label by$"),
      labels: data.points.map(point => point.metadata.name ?? point.metadata.label),
      drawn: data.points.filter(point => [0, 1, 2].every(axis => isFinite(point.projections[`pca-${axis}`]))).length,
    };
"""


@pytest.fixture
def small_page(chrome: Browser) -> Iterator[None]:
    """A small page. The points rotate all the time, and without a GPU a large page is drawn too slowly."""

    def resize(width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    width, height = chrome.ask("return [innerWidth, innerHeight]")
    resize(1100, 700)
    yield
    resize(width, height)


def open_projector(board: TensorBoard, chrome: Browser) -> None:
    # After the first request, TensorBoard looks for embeddings, which takes a moment.
    eventually(lambda: board.get("plugins_listing")["projector"]["enabled"], True)
    chrome.get(f"{board.url}/#projector")
    for _ in range(2):
        eventually(lambda: len(chrome.ask('return deep(document, "iframe")')), 1)
        chrome.switch_to.frame(chrome.ask('return deep(document, "iframe")')[0])


def shown(chrome: Browser, *what: str) -> list[Any]:
    found = chrome.ask(SHOWN) or {}
    return [found.get(each) for each in what]


def select(chrome: Browser, name: str) -> None:
    """Chooses an embedding in the list."""
    chrome.ask(f"""
        const menus = deep(document, "paper-dropdown-menu");
        const [menu] = menus.filter(menu => menu.label.match("tensors? found"));
        menu.querySelector("paper-listbox").selected = {json.dumps(name)};
    """)


def picture_of_points(chrome: Browser) -> np.ndarray:
    """The pixels of the picture without the panels at its sides, in red, green and blue."""
    chrome.switch_to.default_content()
    width, height, rows, about = png.Reader(io.BytesIO(chrome.get_screenshot_as_png())).read()
    pixels = np.array([list(row) for row in rows], int).reshape(height, width, about["planes"])
    return pixels[150:, 330:780, :3].reshape(-1, 3)


def has_colour(pixels: np.ndarray, colour: tuple[int, ...]) -> bool:
    """True if more than a few pixels have roughly this colour. Scaling a thumbnail blends its edges."""
    return int((np.abs(pixels - colour).max(axis=1) < 16).sum()) > 5


@pytest.mark.usefixtures("small_page", "picture")
def test_projector_draws_thumbnails(board, chrome):
    open_projector(board, chrome)
    labels = [f"point {i}" for i in range(POINTS)]
    wanted = [str(POINTS), str(DIMENSIONS), ["name", "split", "class"], labels, POINTS]
    eventually(lambda: shown(chrome, "points", "dimension", "columns", "labels", "drawn"), wanted)
    [tensors] = shown(chrome, "tensors")
    assert sorted(tensors) == sorted(NAMES)
    # Only the thumbnail of the first point has this colour on the page.
    eventually(lambda: has_colour(picture_of_points(chrome), (255, 0, 0)), True)
    assert chrome.errors() == []


OCTAHEDRON = {(255, 0, 0), (0, 160, 0), (0, 0, 255), (255, 128, 0), (128, 0, 255), (0, 160, 160)}


@pytest.mark.usefixtures("small_page", "picture")
def test_projector_draws_the_thumbnail_of_each_point(board, chrome):
    open_projector(board, chrome)
    eventually(lambda: shown(chrome, "points"), [str(POINTS)])
    select(chrome, "octahedron:00000")
    eventually(lambda: shown(chrome, "points", "drawn"), ["6", 6])
    # The page computes the row of a thumbnail from the number of rows. So in a sprite with more columns than rows, it never
    # shows some of them. The points rotate, so a point may be far away or outside of the picture for a while.
    seen = set()

    def look() -> set:
        pixels = picture_of_points(chrome)
        seen.update(colour for colour in OCTAHEDRON if has_colour(pixels, colour))
        return seen

    eventually(look, OCTAHEDRON)
    assert chrome.errors() == []


@pytest.mark.usefixtures("small_page", "picture")
def test_projector_opens_each_embedding(board, chrome):
    open_projector(board, chrome)
    eventually(lambda: shown(chrome, "points"), [str(POINTS)])
    for number, name in enumerate(ODD_NAMES):
        select(chrome, name)
        wanted = ["2", "3", [f"first of {number}", "second"], 2]
        eventually(lambda wanted=wanted: shown(chrome, "points", "dimension", "labels", "drawn"), wanted)
    for step in range(3):
        select(chrome, f"plain:{step:05}")
        eventually(lambda: shown(chrome, "points", "dimension", "labels", "drawn"), ["60", "5", [None] * 60, 60])
    # Points without thumbnails are coloured discs. Everything else in the picture is grey.
    eventually(lambda: int((np.ptp(picture_of_points(chrome), axis=1) > 50).sum()) > 100, True)
    assert chrome.errors() == []


@pytest.mark.usefixtures("small_page")
def test_points_and_labels_that_the_projector_leaves_out(log, tmp_path, chrome):
    """Another writer may write an embedding of one point, and a blank label."""
    [events] = (log / "embeddings").glob("*tfevents*")
    shutil.copy(events, tmp_path)
    config = ProjectorConfig()
    for name, rows in [("two", "1\t2\t3\n4\t5\t6\n"), ("one", "1\t2\t3\n")]:
        (tmp_path / f"{name}.tsv").write_text(rows)
        config.embeddings.add(tensor_name=name, tensor_path=f"{name}.tsv", metadata_path="labels.tsv")
    (tmp_path / "labels.tsv").write_text("first\n\nsecond\n")
    (tmp_path / "projector_config.pbtxt").write_text(text_format.MessageToString(config))
    with TensorBoard(tmp_path, fast=True) as board:
        open_projector(board, chrome)
        eventually(lambda: shown(chrome, "points", "tensors", "labels"), ["2", ["two"], ["first", "second"]], 60)
