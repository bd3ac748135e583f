"""Images: TensorBoard serves every pixel, for every pixel layout."""

import io

import numpy as np
import png
import pytest
from harness import START, TensorBoard, eventually

WIDTH, HEIGHT = 5, 3
CHANNELS = {"gray": 1, "gray_alpha": 2, "rgb": 3, "rgba": 4}


def served(board: TensorBoard, tag: str, sample: int = 0) -> list[dict]:
    """The entry of each step on the dashboard."""
    return board.get("plugin/images/images", run="images", tag=tag, sample=str(sample))


def pixels(board: TensorBoard, image: dict) -> np.ndarray:
    """The samples of a PNG, with the axes row, column and channel."""
    content_type, file = board.fetch(f"plugin/images/individualImage?{image['query']}")
    assert content_type == "image/png"
    width, height, rows, info = png.Reader(io.BytesIO(file)).read()
    return np.array([list(row) for row in rows]).reshape(height, width, info["planes"])


def samples(layout: str) -> np.ndarray:
    """The samples that `images.rs` logs, with the axes row, column and channel."""
    name = layout.removesuffix("_chw")
    channels = CHANNELS[name.removesuffix("_f32").rstrip("168")]
    count = WIDTH * HEIGHT * channels
    if name.endswith("f32"):
        floats = np.float32(1.2) * np.arange(count, dtype=np.float32) / np.float32(count - 1) - np.float32(0.1)
        flat = np.floor(np.clip(floats, 0, 1).astype(np.float64) * 255 + 0.5).astype(int)
    else:
        flat = (np.arange(count) * 5003 + 7) % (1 << 16)
        flat = flat if name.endswith("16") else flat % 256
    if layout.endswith("_chw"):
        return flat.reshape(channels, HEIGHT, WIDTH).transpose(1, 2, 0)
    return flat.reshape(HEIGHT, WIDTH, channels)


LAYOUTS = [f"{name}{kind}" for name in CHANNELS for kind in ("8", "16", "_f32") if name + kind != "gray_alpha_f32"]
LAYOUTS += [f"{name}{kind}_chw" for name in ("rgb", "rgba") for kind in ("8", "16", "_f32")]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout(board, layout):
    [image] = served(board, layout)
    assert (image["wall_time"], image["step"]) == (START, 0)
    wanted = samples(layout)
    # Checks the formula: the samples differ enough to show a wrong order.
    assert len(np.unique(wanted)) > WIDTH * HEIGHT // 2
    assert np.array_equal(pixels(board, image), wanted)


DYNAMIC = ["gray8", "rgba16", "rgb_f32"]


@pytest.mark.parametrize("layout", DYNAMIC)
def test_layout_of_the_crate_image(board, layout):
    [image] = served(board, f"dynamic/{layout}")
    assert (image["wall_time"], image["step"]) == (START, 0)
    assert np.array_equal(pixels(board, image), samples(layout))


def test_all_layouts_are_listed(board):
    dynamic = {f"dynamic/{layout}" for layout in DYNAMIC}
    assert set(board.get("plugin/images/tags")["images"]) == {*LAYOUTS, *dynamic, "scope/several"}


def test_several_images_of_several_steps(board):
    listed = board.get("plugin/images/tags")["images"]["scope/several"]
    assert listed == {"displayName": "A few", "description": "<p>a <em>few</em></p>", "samples": 3}
    for n in (1, 2, 3):
        images = served(board, "scope/several", n - 1)
        assert [(image["wall_time"], image["step"]) for image in images] == [(START + step, step) for step in range(4)]
        for step, image in enumerate(images):
            wanted = np.full((2, n + step, 1), n * 50 + step)
            assert np.array_equal(pixels(board, image), wanted), (n, step)


@pytest.mark.usefixtures("picture")
def test_images_page(board, chrome):
    # The filter puts these tags into one group, which the page opens.
    chrome.get(f"{board.url}/#images&tagFilter=^(gray|rgb|scope)&runFilter=^images$")

    wanted = {tag: [WIDTH, HEIGHT] for tag in LAYOUTS} | {"scope/several": [1 + 3, 2]}
    # The page shows the first twelve tags of a group.
    eventually(lambda: len(chrome.images("images")), 12)
    eventually(lambda: {tag: size for tag, size in chrome.images("images").items() if size != wanted[tag]}, {})
    assert chrome.errors() == []
