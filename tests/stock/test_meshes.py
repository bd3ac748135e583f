"""Meshes and point clouds: TensorBoard serves every number, and the page draws them in their colours."""

import base64
import io
import json

import numpy as np
import pytest
from browser import Browser
from harness import START, TensorBoard, eventually, eventually_holds
from PIL import Image

VERTEX, FACE, COLOR = 1, 2, 3
PARTS = {VERTEX: ("VERTEX", np.float32), FACE: ("FACE", np.int32), COLOR: ("COLOR", np.uint8)}


def square(z: float) -> list[list[float]]:
    return [[-1, -1, z], [1, -1, z], [1, 1, z], [-1, 1, z]]


SQUARE_FACES = [[0, 1, 2], [0, 2, 3]]
CUBE_FACES = [
    *([0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6]),
    *([0, 1, 5], [0, 5, 4], [2, 6, 7], [2, 7, 3]),
    *([0, 4, 6], [0, 6, 2], [1, 3, 7], [1, 7, 5]),
]
CUBE_CORNERS = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)])


def spiral(points: int) -> np.ndarray:
    i = np.arange(points, dtype=np.float32)
    angle, radius = i / np.float32(16), i / np.float32(512)
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius, 0 * i], axis=1)


def steps(board: TensorBoard, tag: str) -> list[tuple[int, float, dict[int, list[int]], int, dict]]:
    """The step, the wall time, the shapes of the parts, the components and the scene of each step."""
    found: dict[int, tuple] = {}
    for part in board.get("plugin/mesh/meshes", run="meshes", tag=tag):
        common = (part["step"], part["wall_time"], part["components"], part["config"])
        *same, shapes = found.setdefault(part["step"], (*common, {}))
        assert tuple(same) == common, "the parts of a step agree"
        assert part["content_type"] not in shapes
        shapes[part["content_type"]] = part["data_shape"]
    return [
        (step, wall_time, shapes, components, json.loads(config))
        for step, wall_time, components, config, shapes in found.values()
    ]


def rows(board: TensorBoard, tag: str, part: int, step: int, sample: int = 0) -> list[list[float]]:
    """The numbers of a part of a mesh, in rows of three."""
    name, number = PARTS[part]
    where = {"run": "meshes", "tag": tag, "step": str(step), "sample": str(sample)}
    _, answer = board.fetch("plugin/mesh/data", content_type=name, **where)
    return np.frombuffer(answer, number).reshape(-1, 3).tolist()


def test_meshes_are_listed_with_the_size_of_their_batch(board):
    assert board.get("plugin/mesh/tags")["meshes"] == {
        "shapes/cube": {"samples": 1},
        "shapes/pair": {"samples": 2},
        "shapes/many": {"samples": 1},
        "scenes/lit": {"samples": 1},
        "scenes/json": {"samples": 1},
        "clouds/plain": {"samples": 1},
        "clouds/coloured": {"samples": 1},
    }


def test_coloured_triangles_at_several_steps(board):
    shapes = {VERTEX: [1, 8, 3], FACE: [1, 12, 3], COLOR: [1, 8, 3]}
    scene = {"camera": {"cls": "PerspectiveCamera", "position": [3, 2.5, 3.5]}}
    wanted = [(10 * step, START + step, shapes, 2 + 4 + 8, scene) for step in range(3)]
    assert steps(board, "shapes/cube") == wanted
    for step in range(3):
        assert rows(board, "shapes/cube", VERTEX, 10 * step) == (CUBE_CORNERS * (step + 1)).tolist()
        assert rows(board, "shapes/cube", FACE, 10 * step) == CUBE_FACES
        colors = np.where(CUBE_CORNERS == 1, 255 - step, step)
        assert rows(board, "shapes/cube", COLOR, 10 * step) == colors.tolist()


def test_batch(board):
    shapes = {VERTEX: [2, 4, 3], FACE: [2, 2, 3]}
    assert steps(board, "shapes/pair") == [(-1, START, shapes, 2 + 4, {})]
    for sample, z in enumerate([0, 0.5]):
        assert rows(board, "shapes/pair", VERTEX, -1, sample) == square(z)
        assert rows(board, "shapes/pair", FACE, -1, sample) == SQUARE_FACES


def test_point_clouds(board):
    plain = steps(board, "clouds/plain")
    assert [(step, parts, scene) for step, _, _, parts, scene in plain] == [(1, 2, {}), (2, 2, {})]
    for step in (1, 2):
        points = rows(board, "clouds/plain", VERTEX, step)
        # Another library computes the cosine.
        np.testing.assert_allclose(points, spiral(256 * step), rtol=1e-5, atol=1e-6, strict=False)

    shapes = {VERTEX: [1, 512, 3], COLOR: [1, 512, 3]}
    scene = {"material": {"size": 0.05}}
    assert steps(board, "clouds/coloured") == [(0, START, shapes, 2 + 8, scene)]
    assert rows(board, "clouds/coloured", VERTEX, 0) == rows(board, "clouds/plain", VERTEX, 2)
    assert rows(board, "clouds/coloured", COLOR, 0) == [[255, 0, i // 2] for i in range(512)]


def test_scenes(board):
    [(step, wall_time, shapes, components, scene)] = steps(board, "scenes/lit")
    shape = [1, 4, 3]
    assert (step, wall_time, shapes) == (0, START, {VERTEX: shape, FACE: [1, 2, 3], COLOR: shape})
    assert components == 2 + 4 + 8
    assert scene == {
        "camera": {"cls": "PerspectiveCamera", "position": [0, 0, -3], "lookAt": [0, 0, 0], "fov": 50},
        "lights": [
            {"cls": "AmbientLight", "color": "#ffffff", "intensity": 0.5},
            {"cls": "DirectionalLight", "color": "#ffff00", "intensity": 0.5, "position": [0, 0, -1]},
        ],
        "material": {"color": "#ffffff", "side": 2},
    }
    [(*_, scene)] = steps(board, "scenes/json")
    assert scene == {"material": {"cls": "MeshBasicMaterial", "color": "#00ff00"}}


class Picture:
    """The pixels of a canvas with a white background, in red, green and blue."""

    def __init__(self, url: str):
        png = base64.b64decode(url.removeprefix("data:image/png;base64,"))
        self.pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
        self.drawn = (self.pixels != 255).any(axis=2)

    def box(self) -> tuple[int, int, int, int]:
        """The first and the last row and column with a drawn pixel."""
        down, across = np.flatnonzero(self.drawn.any(axis=1)), np.flatnonzero(self.drawn.any(axis=0))
        return down[0], down[-1], across[0], across[-1]

    def size(self) -> tuple[float, float]:
        """The height and the width of the drawing, relative to the height of the canvas."""
        top, bottom, left, right = self.box()
        height = len(self.pixels)
        return (bottom - top + 1) / height, (right - left + 1) / height

    def ratio(self) -> float:
        """The width of the canvas divided by its height."""
        height, width = self.drawn.shape
        return width / height

    def row(self) -> np.ndarray:
        """The pixels of the middle row of the drawing, without its blurred edges."""
        top, bottom, left, right = self.box()
        return self.pixels[(top + bottom) // 2, left + 2 : right - 1]


def canvases(chrome: Browser) -> dict[str, Picture]:
    """The picture of each mesh, by its tag and the text above it."""
    # A canvas keeps its pixels until the frame ends. The page requests each frame in the one before, so it draws before this
    # code runs.
    return {
        title: Picture(url)
        for title, url in chrome.ask("""
            const [first] = deep(document, "tf-category-paginated-view");
            const cards = first ? deep(first, "tf-mesh-loader") : [];
            const look = () => cards.flatMap(card => {
              const labels = deep(card.shadowRoot, "tf-card-heading")[0].innerText.split("\\n");
              const title = [card.tag, ...labels.filter(label => /^(step|sample)/.test(label))].join(", ");
              return deep(card.shadowRoot, "canvas").map(canvas => [title, canvas.toDataURL()]);
            });
            return new Promise(resolve => requestAnimationFrame(() => resolve(look())));
        """)
    }


def cube_size(side: float) -> np.ndarray:
    """The height and the width of the cube, relative to the height of the canvas. The camera looks at its middle."""
    eye = np.array([3, 2.5, 3.5])
    back = eye / np.linalg.norm(eye)
    right = np.cross([0, 1, 0], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    seen = (CUBE_CORNERS - 0.5) * side - eye
    depth = -seen @ back
    return np.array([np.ptp(seen @ axis / depth) for axis in (up, right)]) / (2 * np.tan(np.radians(75 / 2)))


# The tolerance of a size, relative to the height of the canvas: a pixel or two.
NEAR = {"abs": 0.02}


def check_pictures(pictures: dict[str, Picture]) -> None:
    """Checks the sizes and colours that follow from the camera and the lights of the page."""
    # The camera shows 1.25 times the height of the mesh, so the mesh fills 0.8 of the canvas.
    green = pictures["scenes/json, step 0"]
    assert green.size() == pytest.approx((0.8, 0.8), **NEAR)
    assert green.row() == pytest.approx(np.tile([0, 255, 0], (len(green.row()), 1)), abs=10)

    # A grey of 160 in the two lights of the page: 0.75, and 0.75 * 2 / sqrt(5) from the side, and a little gloss.
    for title in pictures:
        if title.startswith(("shapes/pair", "shapes/many")):
            grey = pictures[title]
            assert grey.size() == pytest.approx((0.8, 0.8), **NEAR), title
            assert grey.drawn.mean() == pytest.approx(np.prod(grey.size()) / grey.ratio(), **NEAR), title
            assert grey.row() == pytest.approx(160 * (0.75 + 0.75 * 2 / 5**0.5), abs=10), title

    # The camera is at a distance of 3 behind, with an angle of 50 degrees, so it shows a height of 6 * tan(25). Left and right
    # are swapped: the right side, which is blue without the yellow light, is on the left. Red gets all light.
    lit = pictures["scenes/lit, step 0"]
    side = 2 / (6 * np.tan(np.radians(25)))
    assert lit.size() == pytest.approx((side, side), **NEAR)
    row = lit.row()
    share = np.linspace(0, 1, len(row))
    assert row[:, 0] == pytest.approx(255 * (1 - share), abs=10)
    assert row[:, 2] == pytest.approx(127.5 * share, abs=10)
    assert (row[:, 1] <= 10).all()

    # The larger side fills the canvas. A point takes a pixel or more.
    width, height, _ = np.ptp(spiral(512), axis=0)
    for title in ("clouds/plain, step 2", "clouds/coloured, step 0"):
        wanted = 0.8 * np.array([height, width]) / max(width, height)
        assert pictures[title].size() == pytest.approx(wanted, abs=0.03), title
    plain = pictures["clouds/plain, step 2"]
    assert plain.drawn.sum() > 100
    # All points have the colour of the run. They cover pixels partly, so colours are between it and white.
    colors = 255 - plain.pixels[plain.drawn]
    darkest = colors[colors.sum(axis=1).argmax()]
    assert np.abs(colors - np.outer(colors @ darkest / (darkest @ darkest), darkest)).max() < 10
    spots = pictures["clouds/coloured, step 0"]
    full = spots.pixels[(np.abs(spots.pixels[..., :2] - [255, 0]) < 10).all(axis=2)]
    assert len(full) > 1000, "red is all there, green is not"
    assert np.ptp(full[:, 2]) > 200, "blue goes from the middle outwards"

    # Three sides of the cube show all corners except the black one, each in its colour.
    cube = pictures["shapes/cube, step 20"]
    assert cube.size() == pytest.approx(cube_size(3), **NEAR)
    colors = cube.pixels[cube.drawn]
    assert len(np.unique(colors, axis=0)) > 100
    for color in range(3):
        others = np.delete(colors, color, axis=1).max(axis=1)
        assert (colors[:, color] > 4 * others).any(), "red, green and blue corners"


@pytest.mark.usefixtures("picture")
def test_mesh_page(board, chrome):
    chrome.get(f"{board.url}/#mesh")
    titles = {
        "shapes/cube, step 20",
        "shapes/pair, sample: 1 of 2, step -1",
        "shapes/pair, sample: 2 of 2, step -1",
        "shapes/many, step 0",
        "scenes/lit, step 0",
        "scenes/json, step 0",
        "clouds/plain, step 2",
        "clouds/coloured, step 0",
    }

    pictures = {}

    def all_are_drawn() -> None:
        pictures.update({title: picture for title, picture in canvases(chrome).items() if picture.drawn.any()})
        assert set(pictures) == titles
        check_pictures(pictures)

    eventually_holds(all_are_drawn)
    chrome.ask("""deep(document, "tf-mesh-loader").forEach(card => { card._stepIndex = 0; });""")
    eventually(lambda: "shapes/cube, step 0" in canvases(chrome), True)

    def small_cube() -> bool:
        shown = canvases(chrome).get("shapes/cube, step 0")
        return shown is not None and shown.drawn.any() and shown.size() == pytest.approx(cube_size(1), **NEAR)

    eventually(small_cube, True)
    assert chrome.errors() == []
