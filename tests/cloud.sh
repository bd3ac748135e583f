#!/usr/bin/env bash
# Tests object stores with one server on loopback for each cloud: moto for S3, gcp-storage-emulator for Google Cloud Storage and
# Azurite for Azure. Stock TensorBoard watches the runs. The outages and the flush intervals have their real length.
# Run it by hand: it needs Rust, Python 3, Chromium with its driver, and Node with npm. Installs the rest in `target/cloud`.
# `tests/cloud.sh gs` tests one store; more arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

stores=${1:-s3,gs,az}
shift || true
cloud=$PWD/target/cloud
venv=$cloud/venv
mkdir -p "$cloud"

say() { printf '\n== %s\n' "$*"; }

# Each stamp is written last, so an environment without it is incomplete.
stamp=$(cat tests/stock/requirements-cloud.txt tests/stock/requirements.txt examples/tensorboard.txt | git hash-object --stdin)
if [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ]; then
  say "Stock TensorBoard, fsspec and the servers in Python, into target/cloud/venv (once, about a minute)"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check -r tests/stock/requirements-cloud.txt
  printf '%s\n' "$stamp" >"$venv/stamp"
fi
azurite=3.35.0
if [ "$(cat "$cloud/node/stamp" 2>/dev/null)" != "$azurite" ]; then
  say "Azurite $azurite, into target/cloud/node (once, about a minute)"
  rm -rf "$cloud/node"
  npm install --prefix "$cloud/node" --no-audit --no-fund --silent "azurite@$azurite"
  printf '%s\n' "$azurite" >"$cloud/node/stamp"
fi

say "The programs"
cargo build --all-features --example store_log
cargo test --all-features --test object_store --no-run

say "Tests with $stores (screenshots: target/screenshots)"
export PYTHONDONTWRITEBYTECODE=1 OBJECT_STORES_LONG=1 OBJECT_STORES=$stores
"$venv/bin/python" -m pytest -q -o cache_dir="$cloud/pytest" --durations=0 tests/stock/test_object_store.py "$@"
