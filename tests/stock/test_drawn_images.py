"""Drawn images: grids, boxes, heat maps and confusion matrices have the pixels that numpy computes."""

import html
import re

import numpy as np
import pytest
from harness import TensorBoard, eventually
from test_images import pixels

CLASSES = [2, 10, 60, 300]


def drawn(board: TensorBoard, tag: str) -> np.ndarray:
    """The samples of an image of the run, with the axes row, column and channel."""
    [image] = board.get("plugin/images/images", run="drawn images", tag=tag, sample="0")
    return pixels(board, image)


def gray(width: int, height: int, n: int) -> np.ndarray:
    """As in `drawn_images.rs`."""
    return ((np.arange(width * height) * 7 + 40 * n) % 256).reshape(height, width, 1)


def grid(images: list[np.ndarray], columns: int) -> np.ndarray:
    """A grid whose cells have the size of the largest image. Images are centred, with two pixels between cells."""
    cell_height, cell_width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    sides = rows * (cell_height + 2) + 2, columns * (cell_width + 2) + 2
    wanted = np.zeros((*sides, images[0].shape[2]), int)
    for i, image in enumerate(images):
        height, width, _ = image.shape
        top = 2 + i // columns * (cell_height + 2) + (cell_height - height) // 2
        left = 2 + i % columns * (cell_width + 2) + (cell_width - width) // 2
        wanted[top : top + height, left : left + width] = image
    return wanted


def framed(image: np.ndarray, left: int, top: int, right: int, bottom: int, color: tuple) -> np.ndarray:
    """A frame of one pixel. The edges are whole pixels."""
    mask = np.zeros(image.shape[:2], bool)
    mask[top:bottom, left:right] = True
    mask[top + 1 : bottom - 1, left + 1 : right - 1] = False
    return np.where(mask[..., None], color, image)


def test_all_are_listed(board):
    listed = board.get("plugin/images/tags")["drawn images"]
    tags = {f"confusion/{classes}" for classes in CLASSES}
    assert set(listed) == tags | {"heat map", "grid/gray", "grid/mixed", "boxes/plain", "boxes/deep", "boxes/labels"}
    assert listed["grid/gray"]["description"] == "<p><em>seven</em></p>"
    assert {each["samples"] for each in listed.values()} == {1}


def test_grid(board):
    images = [gray(6 + n % 2, 4 + n % 3, n) for n in range(7)]
    assert np.array_equal(drawn(board, "grid/gray"), grid(images, 3))


def test_grid_of_several_formats(board):
    deep = [[0, 1000, 2000, 0xFFFF], [3000, 4000, 65535, 0xFFFF]]
    shallow = [[0x0A0A] * 3 + [0x1414], [0x1E1E] * 3 + [0x2828]]
    plain = [[0, 0, 0, 0xFFFF], [0x0707, 0x0707, 0x0707, 0xFFFF]]
    wanted = grid([np.array([image]) for image in (shallow, deep, plain)], 10)
    assert np.array_equal(drawn(board, "grid/mixed"), wanted)


def test_boxes(board):
    wanted = np.repeat(gray(120, 80, 3), 3, axis=2)
    wanted = framed(wanted, 10, 21, 51, 60, (255, 59, 48))
    wanted = framed(wanted, 0, 30, 7, 80, (1, 2, 3))
    assert np.array_equal(drawn(board, "boxes/plain"), wanted)


def test_boxes_on_16_bits_with_opacity(board):
    wanted = ((np.arange(40 * 30 * 4) * 13) % 65536).reshape(30, 40, 4)
    wanted = framed(wanted, 3, 4, 30, 20, (0, 128 * 257, 65535, 65535))
    assert np.array_equal(drawn(board, "boxes/deep"), wanted)


# The colours of `viridis(9)` in R.
VIRIDIS = "440154 472D7B 3B528B 2C728E 21918C 28AE80 5EC962 ADDC30 FDE725"


def test_heat_map(board):
    colors = np.array([list(bytes.fromhex(color)) for color in VIRIDIS.split()])
    shares = np.arange(12) ** 2 / 121
    wanted = [np.interp(shares, np.linspace(0, 1, 9), colors[:, channel]) for channel in range(3)]
    got = drawn(board, "heat map")
    assert got.shape == (3, 4, 3)
    assert np.abs(got.reshape(12, 3) - np.transpose(wanted)).max() <= 0.501


def test_labels(board):
    image = drawn(board, "boxes/labels")
    assert image.shape == (200, 320, 3)
    # The label is above its box at 25, 20. It has 8 letters of 7 x 16 pixels, and 3 pixels on both sides.
    plate = image[4:20, 25 : 25 + 8 * 7 + 6]
    red = (plate == (255, 59, 48)).all(axis=2)
    assert red[:, :3].all()
    assert red[:, -3:].all()
    assert 0.5 < red.mean() < 0.95, "the letters"
    assert (plate.min(axis=(0, 1)) < 40).all(), "which are black"


def counts(classes: int) -> np.ndarray:
    """As in `drawn_images.rs`, by truth and prediction."""
    truth, predicted = np.mgrid[:classes, :classes]
    made = np.where(truth == predicted, 900, (truth * 31 + predicted * 17) % 50)
    return np.where((truth > 0) & (truth % 7 == 0), 0, made)


LINE = (222, 228, 236)


@pytest.mark.parametrize("classes", CLASSES)
def test_confusion_matrix(board, classes):
    image = drawn(board, f"confusion/{classes}")
    # The frame has the longest horizontal lines of its colour. The colour scale is to the right of it.
    line = (image == LINE).all(axis=2)
    rows = np.flatnonzero(line.sum(axis=1) > image.shape[1] // 3)
    top, bottom = rows[0] + 1, rows[-1]
    left = np.flatnonzero(line[top])[0] + 1
    side = bottom - top
    cell, rest = divmod(side + 1, classes)
    if rest:  # There are no lines between the cells.
        cell, rest = divmod(side, classes)
    assert rest == 0
    assert cell >= 2
    assert max(image.shape) < 1500

    # A pixel of each cell that no number covers: the middle of small cells, the corner of large ones.
    inset = cell // 2 if cell <= 16 else 2
    sampled = image[top + inset : bottom : cell, left + inset : left + side : cell]
    assert sampled.shape == (classes, classes, 3)
    made = counts(classes)
    share = made / np.maximum(made.sum(axis=1, keepdims=True), 1)
    brightness = sampled.sum(axis=2)
    # A higher share is darker, over all cells.
    order = np.argsort(share, axis=None, kind="stable")
    steps = np.diff(brightness.ravel()[order])
    assert (steps <= 0).all()
    assert (brightness[share == 0] > 3 * 245).all()
    assert (brightness[share > 0.8] < 3 * 100).all()
    # Equal shares have the same colour. Shares that differ by a percent have different colours.
    for equal in np.unique(share):
        assert len(np.unique(sampled[share == equal], axis=0)) == 1, equal
    assert len(np.unique(brightness)) >= len(np.unique(np.round(share * 100)))

    # Large cells show their numbers, small ones only a colour. The names are on the left and below.
    first = image[top : top + cell - 1, left : left + cell - 1].reshape(-1, 3)
    assert (len(np.unique(first, axis=0)) > 1) == (classes <= 10), "a number in the first cell"
    assert (image[top:bottom, : left - 1].max(axis=2) < 90).any(), "names at the left"
    assert (image[bottom + 1 :, left : left + side].max(axis=2) < 90).any(), "names below"


def cells(board: TensorBoard, tag: str) -> list[str]:
    """The cells of a table on the Text page, as HTML with decoded entities."""
    [text] = board.get("plugin/text/text", run="drawn images", tag=tag)
    return [html.unescape(cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", text["text"])]


def test_table_of_a_confusion_matrix(board):
    names = [f"class {class_}" for class_ in range(10)]
    wanted = [r"true \ predicted", *names]
    for truth, (name, row) in enumerate(zip(names, counts(10), strict=True)):
        wanted.append(name)
        wanted += [f"<strong>{n}</strong>" if i == truth else str(n) for i, n in enumerate(row)]
    assert cells(board, "confusion table/10") == wanted


def test_names_that_look_like_markup(board):
    names = ["a|b", r"*c* \ <i>d</i>"]
    first, second = [names[0], "<strong>1</strong>", "1"], [names[1], "0", "<strong>1</strong>"]
    assert cells(board, "confusion table/odd") == [r"true \ predicted", *names, *first, *second]


@pytest.mark.usefixtures("picture")
def test_drawn_images_page(board, chrome):
    # The filter puts these tags into one group, which the page opens.
    chrome.get(f"{board.url}/#images&tagFilter=^(boxes|confusion|grid|heat)&runFilter=^drawn images$")
    wanted = {tag: list(drawn(board, tag).shape[1::-1]) for tag in board.get("plugin/images/tags")["drawn images"]}
    eventually(lambda: chrome.images("drawn images"), wanted)
    assert chrome.errors() == []
