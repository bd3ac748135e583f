"""Image files: TensorBoard serves encoded files byte for byte, and animations have the right frames."""

import io

import numpy as np
import pytest
from harness import REPO, START, TensorBoard, eventually
from PIL import Image

FILES = {
    "rgba.png": "image/png",
    "rgb.jpg": "image/jpeg",
    "progressive.jpg": "image/jpeg",
    "three_frames.gif": "image/gif",
}
ANIMATIONS = {"few": (7, 4), "holes": (5, 3), "many": (64, 64)}


def served(board: TensorBoard, tag: str) -> tuple[str, bytes]:
    [image] = board.get("plugin/images/images", run="image files", tag=tag, sample="0")
    assert (image["wall_time"], image["step"]) == (START, 0)
    return board.fetch(f"plugin/images/individualImage?{image['query']}")


@pytest.mark.parametrize("name", FILES)
def test_file_is_served_byte_for_byte(board, name):
    assert served(board, f"encoded/{name}") == (FILES[name], (REPO / "tests" / "data" / "images" / name).read_bytes())


def frames(board: TensorBoard, name: str, mode: str = "RGB") -> tuple[list[np.ndarray], list[int]]:
    """The pixels of each frame, and its duration in milliseconds."""
    content_type, file = served(board, f"animated/{name}")
    assert content_type == "image/gif"
    animation = Image.open(io.BytesIO(file))
    assert animation.size == ANIMATIONS[name]
    assert animation.info["loop"] == 0, "for ever"
    pixels, delays = [], []
    for n in range(animation.n_frames):
        animation.seek(n)
        pixels.append(np.asarray(animation.convert(mode)).astype(int))
        delays.append(animation.info["duration"])
    return pixels, delays


def test_animation_with_few_colours_is_exact(board):
    pixels, delays = frames(board, "few")
    # At 30 frames per second, a frame takes 3 1/3 hundredths of a second. So the frames start after 0, 3, 7, 10, 13 and 17
    # hundredths, and the last one ends after 20.
    assert delays == [30, 40, 30, 30, 40, 30]
    for n, frame in enumerate(pixels):
        wanted = np.zeros((4, 7, 3), int)
        wanted[:, :, 2] = n
        wanted[:, n] = [200, 100, 0]
        assert np.array_equal(frame, wanted), n


def test_partly_transparent_animation(board):
    pixels, delays = frames(board, "holes", "RGBA")
    assert delays == [20, 20, 20], "browsers slow down what is faster"
    for n, frame in enumerate(pixels):
        # The previous frame is cleared.
        is_there = np.arange(15).reshape(3, 5) % 2 == n % 2
        assert np.array_equal(frame[..., 3], np.where(is_there, 255, 0)), n
        assert (frame[is_there] == (200, 100, 50, 255)).all(), n


def test_animation_with_many_colours_is_close(board):
    pixels, delays = frames(board, "many")
    assert delays == [500, 500]
    for n, frame in enumerate(pixels):
        x, y = np.meshgrid(np.arange(64), np.arange(64))
        wanted = np.stack([4 * x, 4 * y, np.full_like(x, 100 * n)], axis=2)
        # 4,096 colours become 256. Pillow's median cut says what a quantizer can reach here.
        pillow = Image.fromarray(wanted.astype(np.uint8)).quantize(256).convert("RGB")
        reachable = abs(np.asarray(pillow).astype(int) - wanted)
        off = abs(frame - wanted)
        assert off.mean() <= 1.25 * reachable.mean()
        assert off.max() <= 2 * reachable.max()


@pytest.mark.usefixtures("picture")
def test_image_files_page(board, chrome):
    chrome.get(f"{board.url}/#images&tagFilter=^(encoded|animated)/&runFilter=^image files$")

    sizes = {name: Image.open(REPO / "tests" / "data" / "images" / name).size for name in FILES}
    wanted = {f"encoded/{name}": list(size) for name, size in sizes.items()}
    wanted |= {f"animated/{name}": list(size) for name, size in ANIMATIONS.items()}
    eventually(lambda: chrome.images("image files"), wanted)
    assert chrome.errors() == []
