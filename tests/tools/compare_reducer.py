"""Compares the statistics of `reduce` with those of the package tensorboard-reducer, as `f64`.

`tests/ranks.sh` runs it in an environment with that package: `compare_reducer.py STOCK_LOG`, with the path of the program.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from tensorboard_reducer import load_tb_events, reduce_events

OPERATIONS = ["count", "mean", "std", "min", "max", "median"]


def ours(stock_log: str, logdir: str, tag: str, join: str) -> np.ndarray:
    output = subprocess.check_output([stock_log, "statistics", logdir, tag, join], text=True)
    return np.array([[float(word) for word in line.split()] for line in output.splitlines()])


def main(stock_log: str) -> None:
    with tempfile.TemporaryDirectory() as logdir:
        subprocess.run([stock_log, "uneven", logdir], check=True)
        directories = sorted(map(str, Path(logdir).iterdir()))
        for join in ("inner", "outer"):
            loaded = load_tb_events(
                directories,
                strict_tags=False,
                strict_steps=False,
                min_runs_per_step=1 if join == "outer" else None,
            )
            theirs = reduce_events(loaded, OPERATIONS)
            for tag in loaded:
                frames = [theirs[operation][tag].sort_index() for operation in OPERATIONS]
                wanted = np.column_stack([frames[0].index.to_numpy(), *(frame.to_numpy() for frame in frames)])
                got = ours(stock_log, logdir, tag, join)
                note = ""
                if len(got) != len(wanted):
                    # Steps at which all runs have NaN: pandas counts them as missing in all runs.
                    extra = ~np.isin(got[:, 0], wanted[:, 0])
                    assert (got[extra, 1] == 0).all(), (tag, join)
                    note, got = f"; {extra.sum()} more steps, with only NaN", got[~extra]
                np.testing.assert_array_equal(got[:, :2], wanted[:, :2], err_msg=f"{tag} {join}")
                numbers = got[:, 2:], wanted[:, 2:]
                np.testing.assert_allclose(*numbers, rtol=1e-12, atol=1e-12, err_msg=f"{tag} {join}")
                worst = np.nanmax(np.abs(numbers[0] - numbers[1]) / np.maximum(1, np.abs(numbers[1])))
                print(f"{tag:8} {join}: {len(got)} steps, differences up to {worst:.1e}{note}")


if __name__ == "__main__":
    main(sys.argv[1])
