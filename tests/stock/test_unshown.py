"""Data that TensorBoard does not show as logged: unusual names, meshes that change, and columns of two types."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import TensorBoard, execute, program

NAMES = [
    "plain",
    "spaces and ünïcode",
    "marks '<>&?#%+=,;:|`~!@$^*()[]{}",
    'quote"',
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "delete\x7f",
    "control\x85",
]
# The fast loader makes a URL from JSON, and cannot decode the escapes in it.
UNSERVABLE = {name for name in NAMES if any(c in '"\\' or c < " " for c in name)}


@pytest.fixture(scope="module")
def unshown_board(tmp_path_factory: pytest.TempPathFactory, fast: bool) -> Iterator[TensorBoard]:
    logdir: Path = tmp_path_factory.mktemp("unshown")
    execute(program("stock_log"), "unshown", logdir)
    with TensorBoard(logdir, fast=fast) as board:
        yield board


def is_served(board: TensorBoard, route: str, **query: str) -> bool:
    response = board.request(route, **query)
    assert response.status_code in (200, 400), response.text
    return response.ok


@pytest.mark.parametrize("name", NAMES)
def test_names_of_blobs(unshown_board, fast, name):
    wanted = not fast or name not in UNSERVABLE
    for run, tag in [("tags", name), (f"runs/{name}", "tag")]:
        for plugin, route in [("images", "individualImage"), ("audio", "individualAudio")]:
            listed = f"plugin/{plugin}/{plugin}"
            [sample] = unshown_board.get(listed, run=run, tag=f"{tag}/{plugin.removesuffix('s')}", sample="0")
            assert is_served(unshown_board, f"plugin/{plugin}/{route}?{sample['query']}") == wanted
        assert is_served(unshown_board, "plugin/graphs/run_metadata", run=run, tag=f"{tag}/nodes") == wanted
        assert unshown_board.scalars(run, f"{tag}/scalar")[0][1:] == (0, 0.5)
    assert is_served(unshown_board, "plugin/graphs/graph", run=f"runs/{name}") == wanted
    conceptual = {"tag": "keras", "conceptual": "true"}
    assert is_served(unshown_board, "plugin/graphs/graph", run=f"runs/{name}", **conceptual) == wanted


def test_mesh_has_the_form_of_its_first_step(unshown_board):
    parts = unshown_board.get("plugin/mesh/meshes", run="mesh", tag="triangle")
    vertices = [part for part in parts if part["content_type"] == 1]
    forms = [(part["step"], part["components"], part["config"], part["data_shape"]) for part in vertices]
    # The logged second step has colours (8), a material and a batch of two.
    assert forms == [(step, 2, "{}", [1, 3, 3]) for step in (0, 1)]


def test_filter_of_a_column_of_numbers_and_text_hides_the_numbers(unshown_board):
    [column] = unshown_board.ask("plugin/hparams/experiment", experimentName="")["hparamInfos"]
    assert column["type"] == "DATA_TYPE_STRING"
    assert set(unshown_board.session_groups()) == {"hparams/text", "hparams/number"}
    every_box_is_ticked = {"hparam": "clip", "filterDiscrete": column["domainDiscrete"]}
    assert set(unshown_board.session_groups(every_box_is_ticked)) == {"hparams/text"}
