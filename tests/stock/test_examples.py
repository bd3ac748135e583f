"""Examples: every page of TensorBoard draws their data in a browser."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from harness import REPO, TensorBoard, eventually, eventually_holds, execute, program, tags, train_digits
from test_embeddings import open_projector, select, shown
from test_graphs import Page, below
from test_hparams import table
from test_histograms import drawn_distributions, drawn_histograms
from test_meshes import canvases

EPOCHS = 3
BATCHES = EPOCHS * 45  # 1,437 images, 32 in a batch
RUNS = [f"{name}{child}" for name in ("baseline", "dropout") for child in ("", "/train", "/validation")]
# The number of runs that log a tag, and the number of points in each run.
CHARTS = {
    **{f"batch_{metric}": (2, BATCHES) for metric in ("accuracy", "learning_rate", "loss")},
    **{f"epoch_{metric}": (2, EPOCHS) for metric in ("learning_rate", "steps_per_second")},
    **{f"epoch_{metric}": (4, EPOCHS) for metric in ("accuracy", "loss")},
    **{f"recall/{which}": (2, EPOCHS) for which in ("highest", "lowest", "mean")},
}
HELD_OUT = 360  # images
# A page draws this many without scrolling.
SCALARS = "^(batch_(accuracy|learning_rate|loss)$|epoch_|recall/)"


@pytest.fixture(scope="module")
def digits_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    logdir = tmp_path_factory.mktemp("digits")
    train_digits(logdir, f"--epochs={EPOCHS}")
    return logdir


@pytest.fixture(scope="module")
def digits_board(digits_log: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(digits_log, fast=fast) as board:
        yield board


@pytest.fixture(scope="module")
def gallery_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    logdir = tmp_path_factory.mktemp("gallery")
    execute(program("gallery"), logdir)
    return logdir


@pytest.fixture(scope="module")
def gallery_board(gallery_log: Path, fast: bool) -> Iterator[TensorBoard]:
    with TensorBoard(gallery_log, fast=fast) as board:
        yield board


@pytest.mark.usefixtures("picture")
def test_time_series(digits_board, chrome):
    chrome.open_time_series(digits_board.url, tags=SCALARS)
    wanted = {tag: [points] * runs for tag, (runs, points) in CHARTS.items()}
    eventually(chrome.time_series_charts, wanted)
    eventually(chrome.time_series_runs, RUNS)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_scalars(digits_board, chrome):
    chrome.open_scalars(digits_board.url, tags=SCALARS)
    eventually(chrome.scalars_charts, {tag: runs for tag, (runs, _) in CHARTS.items()})
    eventually(chrome.selected_runs, RUNS)
    assert chrome.errors() == []


def configurations(chrome: Browser) -> dict[str, list[list[str]]]:
    """The tables of settings, by the runs that have one."""
    return {run: rows for run, rows in chrome.texts().items() if run in ("baseline", "dropout")}


@pytest.mark.usefixtures("picture")
def test_text(digits_board, chrome):
    chrome.get(f"{digits_board.url}/#text")
    runs = {"baseline", "dropout"}
    eventually(lambda: {run for run, rows in configurations(chrome).items() if rows}, runs)
    tables = configurations(chrome)
    for table in tables.values():
        assert table[0] == ["setting", "value"]
        assert ["epochs", str(EPOCHS)] in table
    assert tables["baseline"] != tables["dropout"]
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_images(digits_board, chrome):
    chrome.get(f"{digits_board.url}/#images&tagFilter=^(confusion|filters|misclassified|samples)")
    # 16 cells of 8 pixels, and 17 gaps of 2 pixels.
    width = 16 * 10 + 2
    eventually(
        lambda: chrome.images("baseline/train"), {"filters/hidden": [width, 8 * 10 + 2], "samples": [width, 6 * 10 + 2]}
    )
    eventually(lambda: set(chrome.images("baseline/validation")), {"confusion/picture", "misclassified/images"})
    eventually(lambda: all(size and min(size) > 8 for size in chrome.images("baseline/validation").values()), True)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_histograms(digits_board, chrome):
    chrome.get(f"{digits_board.url}/#histograms&tagFilter=^activations|/(kernel|gradient)/")
    parts = ("kernel", "gradient")
    layers = [f"{layer}/{part}/histogram" for layer in ("hidden", "output") for part in parts]
    wanted = dict.fromkeys(["activations/hidden", *layers], EPOCHS)
    eventually(lambda: {tag: count for tag, count in drawn_histograms(chrome).items() if tag in wanted}, wanted)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_pr_curves(digits_board, chrome):
    chrome.get(f"{digits_board.url}/#pr_curves&tagFilter=.")
    # One curve for each of the two runs.
    eventually(lambda: {tag: len(curves) for tag, curves in chrome.pr_curves().items()}, {f"digit/{n}": 2 for n in range(10)})
    eventually(lambda: all(lines > 1 for curves in chrome.pr_curves().values() for lines in curves), True)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_custom_scalars(digits_board, chrome):
    chrome.open_custom_scalars(digits_board.url)
    # The loss and the accuracy of four runs each. For two runs, a line and the two edges of the area around it.
    charts = {"loss and accuracy per epoch": [8, 0], "recall of the classes": [4, 2]}
    eventually(chrome.custom_scalars_charts, {"digits": charts})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_graph(digits_board, chrome):
    page = Page(chrome, digits_board, "baseline")
    page.open("hidden")
    hidden = {"hidden/kernel": "kernel", "hidden/bias": "bias", "hidden/(hidden)": "(hidden)"}
    eventually(lambda: below(page.labels(), "hidden"), hidden)
    # Images of 8 by 8 pixels, 128 units.
    edges = {
        "pixels--hidden": "?×64",
        "hidden/kernel--hidden/(hidden)": "64×128",
        "hidden/bias--hidden/(hidden)": "128",
        "hidden--dropout": "?×128",
        "dropout--output": "?×128",
    }
    eventually(lambda: {edge: label for edge, label in page.edges().items() if "~~" not in edge}, edges)
    page.select("hidden/(hidden)")
    card = {"activation": '{"s":"relu"}', "weight_count": f'{{"i":{64 * 128 + 128}}}'}
    eventually(page.card, card)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_conceptual_graph(digits_board, chrome):
    page = Page(chrome, digits_board, "baseline", "keras")
    page.open("digits")
    layers = {f"digits/{name}": name for name in ("pixels", "hidden", "dropout", "output")}
    eventually(lambda: below(page.labels(), "digits"), layers)
    edges = {"digits/pixels--digits/hidden", "digits/hidden--digits/dropout", "digits/dropout--digits/output"}
    eventually(lambda: {edge for edge in page.edges() if "~~" not in edge}, edges)
    page.select("digits/hidden")
    eventually(page.card, {"keras_class": '{"s":"Dense"}'})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_projector(digits_board, chrome):
    open_projector(digits_board, chrome)
    eventually(lambda: shown(chrome, "points", "dimension", "columns", "drawn"), ["360", "128", ["digit", "predicted"], HELD_OUT])
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_digits_sweep(tmp_path, fast, chrome):
    train_digits(tmp_path, "--epochs=1", "--sweep")
    with TensorBoard(tmp_path, fast=fast) as board:
        chrome.get(f"{board.url}/#hparams")
        trials = [f"rate {rate}, dropout {dropout}" for rate in ("0.001", "0.005", "0.02") for dropout in ("0", "0.2", "0.5")]
        eventually(lambda: sorted(row[0] for row in table(chrome)[1:]), sorted(trials))

        def has_accuracies() -> None:
            titles, *rows = table(chrome)
            assert {"learning_rate", "dropout", "epochs", "validation.epoch_accuracy"} <= set(titles)
            cells = [row[titles.index("validation.epoch_accuracy")] for row in rows]
            assert all(cell and 0.1 < float(cell) <= 1 for cell in cells), cells

        eventually_holds(has_accuracies)
        assert chrome.errors() == []


# The steps of each tag of the gallery, by dashboard, and the number of samples in a step.
EVERY, EVEN, FIFTH = [*range(20)], [*range(0, 20, 2)], [*range(0, 20, 5)]
GALLERY_SCALARS = ["decay", "decay/lower", "decay/upper", "waves/cosine", "waves/damped", "waves/sine"]
GALLERY_STEPS = {
    "histograms": {"counted": EVERY, "wandering": EVERY},
    "images": {
        "animation": [0, 6, 12, 18],
        **dict.fromkeys(["batch", "boxes", "confusion/picture", "file", "grid", "interference"], EVEN),
    },
    "audio": dict.fromkeys(["sounds/chord", "sounds/left to right", "sounds/tones"], FIFTH),
    "text": {"confusion/table": EVEN, "notes": FIFTH, "table": FIFTH, "tensor": FIFTH},
    "pr_curves": {"better and better": EVERY},
    "mesh": {"spiral": EVEN, "torus": EVEN, "two of a batch": EVEN},
}
GALLERY_SAMPLES = {"images": {"batch": 3}, "audio": {"sounds/tones": 3}, "mesh": {"two of a batch": 2}}
ONE_POINT = {"images": "images", "audio": "audio", "text": "text", "histograms": "histograms", "mesh": "meshes"}


@pytest.mark.parametrize("plugin", GALLERY_STEPS)
def test_gallery_steps(gallery_board, plugin):
    wanted = GALLERY_STEPS[plugin]
    assert tags(gallery_board, plugin, "gallery") == set(wanted)
    samples = GALLERY_SAMPLES.get(plugin, {})
    for tag, steps in wanted.items():
        for sample in range(samples.get(tag, 1)):
            query = {"run": "gallery", "tag": tag, "sample": str(sample)}
            if plugin == "pr_curves":
                points = gallery_board.get("plugin/pr_curves/pr_curves", **query)["gallery"]
            else:
                points = gallery_board.get(f"plugin/{plugin}/{ONE_POINT[plugin]}", **query)
            # The answer has a list for each histogram, and a point for each part of a mesh.
            got = [point["step"] if isinstance(point, dict) else point[1] for point in points]
            assert sorted(set(got)) == steps, (tag, sample)
    if samples:
        listed = gallery_board.get(f"plugin/{plugin}/tags")["gallery"]
        assert {tag: about["samples"] for tag, about in listed.items()} == {tag: samples.get(tag, 1) for tag in wanted}


def test_gallery_steps_of_scalars(gallery_board):
    runs = {"gallery": GALLERY_SCALARS} | {f"trial {n}": ["accuracy", "loss"] for n in (1, 2, 3)}
    for run, wanted in runs.items():
        assert tags(gallery_board, "scalars", run) == set(wanted)
        for tag in wanted:
            assert [step for _, step, _ in gallery_board.scalars(run, tag)] == EVERY, (run, tag)


def test_gallery_steps_of_embeddings_and_costs(gallery_board):
    eventually(lambda: gallery_board.get("plugins_listing")["projector"]["enabled"], True)
    found = gallery_board.get("plugin/projector/info", run="gallery")["embeddings"]
    shapes = {each["tensorName"]: each["tensorShape"] for each in found}
    assert shapes == {f"clusters:{step:05}": [200, 8] for step in (0, 9, 18)}
    about = gallery_board.get("plugin/graphs/info")["gallery"]
    assert about["run_graph"]
    assert set(about["tags"]) == {"keras", *(f"step {step}" for step in FIFTH)}


def test_gallery_files_are_served_as_they_are(gallery_board):
    names = ["rgba.png", "rgb.jpg", "progressive.jpg", "three_frames.gif"]
    images = gallery_board.get("plugin/images/images", run="gallery", tag="file", sample="0")
    for n, image in enumerate(images):
        _, file = gallery_board.fetch(f"plugin/images/individualImage?{image['query']}")
        assert file == (REPO / "tests" / "data" / "images" / names[n % 4]).read_bytes(), n


@pytest.mark.usefixtures("picture")
def test_gallery_scalars(gallery_board, chrome):
    chrome.open_time_series(gallery_board.url, tags="^(waves|decay|loss)")
    eventually(chrome.time_series_charts, dict.fromkeys(GALLERY_SCALARS, [20]) | {"loss": [20] * 3})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_custom_scalars(gallery_board, chrome):
    chrome.open_custom_scalars(gallery_board.url)
    eventually(chrome.custom_scalars_charts, {"gallery": {"all waves": [3, 0], "decay": [2, 1]}})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_images(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#images&tagFilter=.")

    def sizes() -> dict[str, list[int] | None]:
        return {tag: size for tag, size in chrome.images("gallery").items() if tag != "confusion/picture"}

    # Four columns and three rows of 16 pixels, with 2 pixels between and around them.
    wanted = {"batch": [16, 16], "file": [31, 17], "grid": [74, 56]}
    wanted |= dict.fromkeys(["animation", "boxes", "interference"], [96, 96])
    eventually(sizes, wanted)
    eventually(lambda: min(chrome.images("gallery")["confusion/picture"] or [0]) > 100, True)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_audio(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#audio&tagFilter=.")
    seconds = """
        return Object.fromEntries(deep(document, "tf-audio-loader").map(loader => {
          const player = deep(loader.shadowRoot, "audio")[0];
          return [`${loader.tag} ${loader.sample}`, player && player.duration];
        }));
    """
    wanted = {"sounds/chord 0": 0.5, "sounds/left to right 0": 0.5} | {f"sounds/tones {n}": 0.25 for n in range(3)}
    eventually(lambda: chrome.ask(seconds), pytest.approx(wanted, abs=0.01))
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_distributions(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#distributions&tagFilter=.")
    eventually(lambda: drawn_distributions(chrome), {"counted": [8, 20], "wandering": [8, 20]})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_histograms(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#histograms&tagFilter=.")
    eventually(lambda: drawn_histograms(chrome), {"counted": 20, "wandering": 20})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_text(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#text&tagFilter=.")
    rows = """
        const texts = deep(document, "tf-text-loader");
        return Object.fromEntries(texts.map(text => [text.tag, deep(text.shadowRoot, "h1, tr").length]));
    """
    # Headings and rows of each tag: `notes` has a heading at four steps, `table` a header and two rows, `tensor` three rows.
    # `confusion/table` has a header and three rows at ten steps.
    eventually(lambda: chrome.ask(rows), {"notes": 4, "table": 4 * 3, "tensor": 4 * 3, "confusion/table": 10 * 4})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_pr_curves(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#pr_curves&tagFilter=.")
    eventually(lambda: {tag: min(lines) > 20 for tag, lines in chrome.pr_curves().items() if lines}, {"better and better": True})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_hparams(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#hparams")
    eventually(lambda: [row[0] for row in table(chrome)[1:]], ["trial 1", "trial 2", "trial 3"])
    wanted = {"lr", "optimizer", "nesterov", "loss", "accuracy", "sgd", "adam", "true", "0.10000"}
    eventually(lambda: wanted <= {cell for row in table(chrome) for cell in row}, True)
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_meshes(gallery_board, chrome):
    chrome.get(f"{gallery_board.url}/#mesh&tagFilter=.")

    def drawn() -> set[str]:
        return {title for title, picture in canvases(chrome).items() if picture.drawn.mean() > 0.01}

    batch = [f"two of a batch, sample: {n} of 2, step 18" for n in (1, 2)]
    eventually(drawn, {"torus, step 18", "spiral, step 18", *batch})
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_projector(gallery_board, chrome):
    open_projector(gallery_board, chrome)
    names = [f"clusters:{step:05}" for step in (0, 9, 18)]
    eventually(lambda: sorted(shown(chrome, "tensors")[0] or []), names)
    for name in names:
        select(chrome, name)
        eventually(lambda: shown(chrome, "points", "dimension", "drawn"), ["200", "8", 200])
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_graph(gallery_board, chrome):
    page = Page(chrome, gallery_board, "gallery", "step 15")
    page.choose("compute_time")
    page.open("features")
    inside = {"features/pool": "pool", "features/conv": "conv"}
    eventually(lambda: inside.items() <= below(page.labels(), "features").items(), True)
    eventually(lambda: {"image", "features", "flatten", "classes"} <= page.labels().keys(), True)
    page.select("features/pool")
    # The cost grows from 30 microseconds at step 0 to twice as much at step 19.
    eventually(lambda: page.card().get("Compute Time"), f"{int(30 * (1 + 15 / 19))} µs")
    assert chrome.errors() == []


@pytest.mark.usefixtures("picture")
def test_gallery_conceptual_graph(gallery_board, chrome):
    page = Page(chrome, gallery_board, "gallery", "keras")
    page.open("network")
    layers = {f"network/{layer}" for layer in ("image", "features", "flatten", "classes")}
    eventually(lambda: layers <= page.labels().keys(), True)
    page.select("network/classes")
    eventually(page.card, {"keras_class": '{"s":"Dense"}'})
    assert chrome.errors() == []


@pytest.fixture(scope="module")
def observed_board(tmp_path_factory: pytest.TempPathFactory, fast: bool) -> Iterator[TensorBoard]:
    logdir = tmp_path_factory.mktemp("observed")
    execute(program("observed"), logdir)
    with TensorBoard(logdir, fast=fast) as board:
        yield board


STEPS = [*range(60)]
BATCH, WAITING = 64, 100


def test_observed_values(observed_board):
    (run,) = observed_board.get("runs")
    about = observed_board.get("plugin/scalars/tags")[run]
    requests = "requests/route=predict"
    assert set(about) == {requests, "duration/train", "gradient", "loss", "slope"}
    assert about["slope"]["description"] == "<p>of the model that answers</p>"
    curves = {tag: observed_board.scalars(run, tag) for tag in about}
    assert {tag: [step for _, step, _ in points] for tag, points in curves.items()} == dict.fromkeys(about, STEPS)
    values = {tag: np.array([value for _, _, value in points]) for tag, points in curves.items()}
    # A step trains on a batch. More samples may wait, and one more may be on its way.
    trained = BATCH * (np.array(STEPS) + 1)
    assert np.all(trained <= values[requests])
    assert np.all(values[requests] <= trained + WAITING + 1)
    # The truth is 2 x + 1, with noise of a variance of 0.1 ** 2 / 12.
    assert values["loss"][0] > 1
    assert values["loss"][-1] < 0.01
    assert values["slope"][-1] == pytest.approx(2, abs=0.1)
    assert tags(observed_board, "histograms", run) == {"error", "latency"}
    # A step has no histogram if all of its samples waited already. The right edge of the last bucket is the largest error.
    errors = observed_board.get("plugin/histograms/histograms", run=run, tag="error")
    largest = [buckets[-1][1] for _, _, buckets in errors]
    assert largest[0] > 2
    assert largest[-1] < 0.2
    # The service logs a text for the models 20 and 40. It may end before it sees the last one, 60.
    [tag] = tags(observed_board, "text", run)
    assert tag.startswith("log/observed:")
    texts = observed_board.get("plugin/text/text", run=run, tag=tag)
    assert len(texts) >= 2


@pytest.mark.usefixtures("picture")
def test_observed_page(observed_board, chrome):
    chrome.open_time_series(observed_board.url, tags="^(requests|duration|loss|slope)")
    wanted = dict.fromkeys(["requests/route=predict", "duration/train", "loss", "slope"], [60])
    eventually(chrome.time_series_charts, wanted)
    assert chrome.errors() == []


@pytest.fixture(scope="module")
def reinforcement_board(tmp_path_factory: pytest.TempPathFactory, fast: bool) -> Iterator[TensorBoard]:
    logdir = tmp_path_factory.mktemp("reinforcement")
    execute(program("reinforcement"), logdir)
    with TensorBoard(logdir, fast=fast) as board:
        yield board


EPISODES = [*range(500)]
EPISODE_TAGS = {f"episode/{name}" for name in ("return", "length", "exploration_rate", "total_steps")}


def test_reinforcement_returns_rise(reinforcement_board):
    environments = [run for run in reinforcement_board.get("runs") if "environment-" in run]
    assert len(environments) == 4
    for run in environments:
        assert tags(reinforcement_board, "scalars", run) == EPISODE_TAGS
        curves = {tag: reinforcement_board.scalars(run, tag) for tag in EPISODE_TAGS}
        assert all([step for _, step, _ in points] == EPISODES for points in curves.values())
        values = {tag: np.array([value for _, _, value in points]) for tag, points in curves.items()}
        returns, lengths = values["episode/return"], values["episode/length"]
        # Random moves mostly end in a hole, with a return below -1. The shortest way to the goal has 10 steps: 1 - 9 * 0.01.
        # The last random moves cost some episodes.
        assert returns[:50].mean() < -0.5
        assert returns[-50:].mean() > 0.3
        assert np.median(returns[-50:]) > 0.8
        assert lengths.min() >= 2
        assert np.median(lengths[-50:]) <= 14
        rates = values["episode/exploration_rate"]
        assert rates[0] == 1
        assert rates[-1] == pytest.approx(0.05)
        assert np.all(np.diff(rates) <= 0)
        assert np.all(np.diff(values["episode/total_steps"]) > 0)


@pytest.mark.usefixtures("picture")
def test_reinforcement_page(reinforcement_board, chrome):
    chrome.open_time_series(reinforcement_board.url, tags="^episode")
    eventually(chrome.time_series_charts, {tag: [500] * 4 for tag in EPISODE_TAGS})
    assert chrome.errors() == []
