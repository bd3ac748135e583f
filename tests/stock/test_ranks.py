"""Many processes log to one logdir, and their runs are reduced to one, while they grow and afterwards.

`tests/ranks.sh` runs the long forms: 64 ranks for a minute, 1,000 ranks, and a comparison with the package
tensorboard-reducer.
"""

import csv
import io
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from harness import START, TensorBoard, eventually, execute, f32, points, program, runs_of, tags

IS_LONG = os.environ.get("RANKS") == "long"
CHART = "mean and standard deviation of the runs"

# The variables, and the rank, the size and the directory that the process prints.
ENVIRONMENTS = {
    "torchrun": ("RANK=3 WORLD_SIZE=8 LOCAL_RANK=1 TORCHELASTIC_RUN_ID=run7", "3 8 run7"),
    "torchrun without an id": ("RANK=3 WORLD_SIZE=8 LOCAL_RANK=1 TORCHELASTIC_RUN_ID=none", "3 8 job"),
    "torchrun under srun": (
        "RANK=3 WORLD_SIZE=8 TORCHELASTIC_RUN_ID=run7 SLURM_PROCID=1 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2",
        "3 8 run7",
    ),
    "Open MPI": ("OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=8 PMIX_RANK=3", "3 8 job"),
    "PMIx": ("PMIX_RANK=3", "3 - job"),
    "MPICH": ("PMI_RANK=3 PMI_SIZE=8", "3 8 job"),
    "jsrun": ("JSM_NAMESPACE_RANK=3 JSM_NAMESPACE_SIZE=8", "3 8 job"),
    "srun": ("SLURM_PROCID=3 SLURM_NTASKS=64 SLURM_JOB_ID=71 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=8", "3 8 71.0"),
    "sbatch": ("SLURM_PROCID=0 SLURM_NTASKS=64 SLURM_JOB_ID=71", "- - job"),
    "one process": ("LOCAL_RANK=3", "- - job"),
}


def variables(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_process_finds_its_rank_and_the_directory_of_its_start(name, tmp_path):
    environment, wanted = ENVIRONMENTS[name]
    command = [program("stock_log"), "rank", tmp_path, "2", "0"]
    answer = subprocess.run(command, env=variables(environment), check=True, capture_output=True, text=True, timeout=60)
    rank, size, logdir = answer.stdout.split()
    assert f"{rank} {size} {Path(logdir).name}" == wanted
    assert answer.stderr == ""
    # Rank 3 does not write to `main`.
    assert runs_of(Path(logdir)) == ({".", "main"} if rank == "-" else {"rank-00003"})


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ("RANK=x WORLD_SIZE=8", 'RANK must be a rank, a number from 0, got "x": it is ignored'),
        ("RANK=3 WORLD_SIZE=8 PMI_RANK=2 PMI_SIZE=8", "RANK is 3 and PMI_RANK is 2, in worlds of the same size"),
    ],
)
def test_wrong_variable_is_reported_once(environment, complaint, tmp_path):
    command = [program("stock_log"), "rank", tmp_path, "2", "0"]
    answer = subprocess.run(command, env=variables(environment), check=True, capture_output=True, text=True, timeout=60)
    [line] = answer.stderr.splitlines()
    assert line.startswith(f"summary-writer: {complaint}")


@pytest.mark.skipif(not shutil.which("mpirun"), reason="mpirun is not installed: tests/ranks.sh installs it")
def test_ranks_of_mpirun(tmp_path):
    count = 4
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", count, program("stock_log")]
    command = [*map(str, command), "rank", str(tmp_path), "3", "0"]
    output = subprocess.check_output(command, text=True, timeout=120)
    assert sorted(line.split()[:2] for line in output.splitlines()) == [[str(i), str(count)] for i in range(count)]
    assert runs_of(tmp_path / "job") == {"main", *(f"rank-{i:05}" for i in range(count))}


RANKS, STEPS, PAUSE_MILLIS, PATIENCE = (64, 240, 250, 10) if IS_LONG else (8, 60, 50, 3)
KILLED, LATE = 3, RANKS - 1


def start_rank(base: Path, rank: int) -> subprocess.Popen:
    command = [program("stock_log"), "rank", base, str(STEPS), str(PAUSE_MILLIS)]
    environment = {"RANK": str(rank), "WORLD_SIZE": str(RANKS)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of several processes, in `job`. One is killed and one is started late. It is reduced while it runs, and
    afterwards, to `means`."""
    base = tmp_path_factory.mktemp("training")
    job = base / "job"
    reduce = [program("summary-writer"), "reduce", job, "--run=rank-*"]
    job.mkdir()
    means = base / "means"
    live = subprocess.Popen(
        [*reduce, "--out", means / "live", "--join=outer", "--follow", f"--expect={RANKS - 1}", f"--patience={PATIENCE}"],
        stderr=(base / "stderr").open("w"),
    )
    processes = {rank: start_rank(base, rank) for rank in range(RANKS) if rank != LATE}
    time.sleep(STEPS * PAUSE_MILLIS / 1000 / 3)
    processes[KILLED].kill()
    processes[LATE] = start_rank(base, LATE)
    for rank, process in processes.items():
        assert (process.wait(600) == 0) == (rank != KILLED)
    # It ends once no run grows.
    assert live.wait(600) == 0
    execute(*reduce, "--out", means, "--join=outer")
    return base


@pytest.fixture(scope="module")
def training_board(training: Path, fast: bool) -> Iterator[TensorBoard]:
    # Not with the ranks: above 40 runs, the page of the band selects none.
    with TensorBoard(training / "means", fast=fast) as board:
        yield board


def loss(rank: int, step: int) -> float:
    return (17 * rank + 5 * step) % 101 / 8


def steps_of(training: Path, rank: int) -> int:
    command = [program("summary-writer"), "export", training / "job" / f"rank-{rank:05}", "--tag=loss"]
    rows = csv.DictReader(io.StringIO(subprocess.check_output(command, text=True)))
    return sum(1 for row in rows)


def statistics(values: list[float]) -> dict[str, float]:
    # The deviation of one value is not defined, and the band has no width.
    std = np.std(values, ddof=1) if len(values) > 1 else 0.0
    mean = np.mean(values)
    wanted = {
        "loss": mean,
        "loss/count": len(values),
        "loss/max": max(values),
        "loss/mean+std": mean + std,
        "loss/mean-std": mean - std,
        "loss/median": np.median(values),
        "loss/min": min(values),
    }
    return wanted | ({"loss/std": std} if len(values) > 1 else {})


def assert_series(board: TensorBoard, run: str, values: list[list[float]]) -> None:
    wanted: dict[str, list[tuple[int, float]]] = {}
    for step, each in enumerate(values):
        for tag, value in statistics(each).items():
            wanted.setdefault(tag, []).append((step, float(value)))
    assert tags(board, "scalars", run) == set(wanted)
    for tag, series in wanted.items():
        got = points(board, run, tag)
        assert [step for step, _ in got] == [step for step, _ in series]
        # The file has `f32` numbers.
        np.testing.assert_allclose([value for _, value in got], [value for _, value in series], rtol=1e-6, atol=1e-6)


def test_finished_ranks_are_reduced_exactly(training, training_board):
    lengths = {rank: steps_of(training, rank) for rank in range(RANKS)}
    assert 0 < lengths[KILLED] < STEPS
    assert all(length == STEPS for rank, length in lengths.items() if rank != KILLED)
    values = [[loss(rank, step) for rank in lengths if step < lengths[rank]] for step in range(STEPS)]
    assert_series(training_board, "reduced", values)


def test_live_reduction_leaves_out_a_killed_rank_from_its_last_step_on(training, training_board):
    alive = steps_of(training, KILLED)
    counts = dict(points(training_board, "live/reduced", "loss/count"))
    values = []
    for step in range(STEPS):
        ranks = [rank for rank in range(RANKS) if rank != LATE and (rank != KILLED or step < alive)]
        # The late rank counts from the step on where it has caught up, which depends on the time.
        if counts[step] > len(ranks):
            ranks.append(LATE)
        values.append([loss(rank, step) for rank in ranks])
    assert counts[0] == RANKS - 1
    assert_series(training_board, "live/reduced", values)
    complaints = (training / "stderr").read_text()
    assert f'the run "rank-{KILLED:05}" has not grown for {PATIENCE} s' in complaints


@pytest.mark.usefixtures("picture")
def test_band_of_many_ranks(training_board, chrome):
    chrome.open_custom_scalars(training_board.url)
    # A line and an area for each of the two runs. The edge of an area counts as a line.
    eventually(chrome.custom_scalars_charts, {CHART: {"loss": [4, 2]}})
    assert chrome.errors() == []


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("seeds")
    execute(program("stock_log"), "seeds", base, 7, 50)
    return base


def test_seeds_have_the_statistics_of_numpy(seeds, tmp_path, fast):
    execute(program("summary-writer"), "reduce", seeds, "--out", tmp_path, "--run=seed-000[0-4]")
    with TensorBoard(tmp_path, fast=fast) as board:
        assert_series(board, "reduced", [[loss(run, step) for run in range(5)] for step in range(50)])
        [first, *_] = board.scalars("reduced", "loss")
        # The latest of the wall times of step 0, which is that of run 4.
        assert first == (START + 4 / 1024, 0, f32(np.mean([loss(run, 0) for run in range(5)])))


def test_layout_has_tags_that_appear_later(tmp_path, fast):
    runs, means = tmp_path / "runs", tmp_path / "means"
    execute(program("stock_log"), "seeds", runs / "early", 1, 10)
    command = [program("summary-writer"), "reduce", runs, "--out", means, "--follow", "--expect=1", "--patience=3"]
    live = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def layouts() -> int:
        return sum(path.read_bytes().count(b"custom_scalars__config__") for path in means.rglob("*tfevents*"))

    eventually(layouts, 1)
    execute(program("stock_log"), "uneven", runs / "late")
    assert live.wait(600) == 0
    assert layouts() > 1
    with TensorBoard(means, fast=fast) as board:
        [category] = board.get("plugin/custom_scalars/layout")["category"]
    titles = [chart["title"] for chart in category["chart"]]
    assert titles == ["even", "loss", "nan", "offset", "some", "uneven"]


@pytest.mark.skipif(not IS_LONG, reason="tests/ranks.sh runs it")
def test_thousand_ranks_in_one_directory(tmp_path, capsys):
    count = 1000
    command = [program("stock_log"), "rank", tmp_path, "50", "1000"]
    processes = []
    for rank in range(count):
        environment = {"RANK": str(rank), "WORLD_SIZE": str(count)}
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
    eventually(lambda: len(runs_of(tmp_path / "job")) == count + 1, True)
    descriptors = [len(list(Path(f"/proc/{process.pid}/fd").iterdir())) for process in processes[:2]]
    for process in processes:
        assert process.wait(600) == 0
    files = [path for path in (tmp_path / "job").rglob("*") if path.is_file()]
    assert len(files) == count + 1
    with capsys.disabled():
        print(f"\n{len(files)} files; descriptors of rank 0: {descriptors[0]}, of rank 1: {descriptors[1]}")
    for fast in (True, False):
        begin = time.monotonic()
        with TensorBoard(tmp_path, fast=fast) as board:
            ready = time.monotonic() - begin
            begin = time.monotonic()
            assert len(board.get("runs")) == count + 1
            listing = time.monotonic() - begin
        with capsys.disabled():
            print(f"load_fast={fast}: all runs are read after {ready:.1f} s, and listed in {listing * 1000:.0f} ms")
