"""`TrainingLogger`: a training that stopped in the middle of an epoch, and resumed from a checkpoint."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from harness import TensorBoard, eventually, execute, points, program, tags
from test_images import pixels

# An epoch has four batches. The first program stops in epoch 4. The second program continues after epoch 1, and adds 2000 to
# its numbers.
BATCHES = [(batch, batch + 2000 * (batch > 8)) for batch in range(1, 25)]
EPOCHS = [(epoch, epoch + 2000 * (epoch > 1)) for epoch in range(6)]
EVERY_SECOND = [0, 2, 4]
# The pixel of a weight `v` is 127.5 * (1 + v), rounded: 0 is in the middle, and the largest magnitude is at an end.
SHADES = [[0, 64, 128], [159, 191, 255]]


@pytest.fixture(scope="module")
def training_board(tmp_path_factory: pytest.TempPathFactory, fast: bool) -> Iterator[TensorBoard]:
    logdir: Path = tmp_path_factory.mktemp("training")
    for first in (0, 2):
        execute(program("stock_log"), "training", logdir, first)
    with TensorBoard(logdir, fast=fast) as board:
        yield board


def test_curves(training_board):
    def plus(curve: list[tuple[int, int]], more: float) -> list[tuple[int, float]]:
        return [(step, value + more) for step, value in curve]

    assert tags(training_board, "scalars", "net/train") == {"batch_loss", "epoch_loss"}
    assert points(training_board, "net/train", "batch_loss") == BATCHES
    assert points(training_board, "net/train", "epoch_loss") == EPOCHS
    evaluation = "evaluation_loss_vs_iterations"
    assert tags(training_board, "scalars", "net/validation") == {"epoch_loss", evaluation}
    assert points(training_board, "net/validation", "epoch_loss") == plus(EPOCHS, 0.5)
    # At the end of each epoch: after 4 batches, after 8 batches and so on.
    evaluations = [(4 * (epoch + 1), value) for epoch, value in EPOCHS]
    assert points(training_board, "net/validation", evaluation) == plus(evaluations, 0.25)


def test_weights(training_board):
    images = training_board.get("plugin/images/images", run="net/train", tag="dense/kernel_0/image", sample="0")
    assert [image["step"] for image in images] == EVERY_SECOND
    for image in images:
        assert np.array_equal(pixels(training_board, image)[:, :, 0], SHADES)
    histograms = training_board.get("plugin/histograms/histograms", run="net/train", tag="dense/kernel_0/histogram")
    assert [step for _, step, _ in histograms] == EVERY_SECOND
    for _, _, buckets in histograms:
        assert (buckets[0][0], buckets[-1][1], sum(count for _, _, count in buckets)) == (-1, 1, 6)


@pytest.mark.usefixtures("picture")
def test_pages(training_board, chrome):
    chrome.open_time_series(training_board.url, tags="loss")
    charts = {"batch_loss": [24], "epoch_loss": [6] * 2, "evaluation_loss_vs_iterations": [6]}
    eventually(chrome.time_series_charts, charts)
    chrome.get(f"{training_board.url}/#images&tagFilter=.")
    eventually(lambda: chrome.images("net/train"), {"dense/kernel_0/image": [3, 2]})
    assert chrome.errors() == []
