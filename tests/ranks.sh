#!/usr/bin/env bash
# Many ranks and many seeds, by hand: 64 processes for a minute, 1,000 processes, `mpirun`, the comparison with the package
# tensorboard-reducer, and the time and memory of a reduction of 1,000 runs of 10,000 steps. `tests/all.sh` has the short forms.
#
# Run tests/all.sh before: it makes target/venv and installs Chromium. This needs Debian and root (for apt-get) if mpirun or
# GNU time are missing. It takes about ten minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/target/ranks
mkdir -p "$work"

if ! command -v mpirun >/dev/null || ! command -v /usr/bin/time >/dev/null; then
  apt-get update >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openmpi-bin time >"$work/apt.log" 2>&1
fi

echo "== Real processes"
cargo build --all-features --bins --examples
export PYTHONDONTWRITEBYTECODE=1
RANKS=long target/venv/bin/python -m pytest -q -o cache_dir="$PWD/target/pytest" tests/stock/test_ranks.py

echo "== Comparison with tensorboard-reducer"
if [ ! -x "$work/venv/bin/tb-reducer" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --no-input --disable-pip-version-check tensorboard-reducer
fi
"$work/venv/bin/python" tests/tools/compare_reducer.py target/debug/examples/stock_log

echo "== 1,000 runs of 10,000 steps"
cargo build --release --features cli,half,image,serde --bin summary-writer --example stock_log
rm -rf "$work/seeds" "$work/reduced"
target/release/examples/stock_log seeds "$work/seeds" 1000 10000
(
  ulimit -n 256
  /usr/bin/time -f "%e s, %M KiB at most" target/release/summary-writer reduce "$work/seeds" --out "$work"
)
rm -rf "$work/seeds"
