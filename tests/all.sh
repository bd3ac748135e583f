#!/usr/bin/env bash
# Runs all tests: `cargo test`, the long fault campaign, and the tests with stock TensorBoard. The latter use its HTTP API with
# both loaders, and its pages in a browser.
# Needs Rust, Python 3 and git. Installs TensorBoard in `target/venv`, and Chromium with the package manager of the system.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$PWD/target/venv

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'tests/all.sh: cannot %s\n' "$*" >&2
  exit 1
}

# Runs a step without showing its output. If the step fails, shows the last lines of the output and ends the script.
quietly() {
  local what=$1 log=target/setup.log
  shift
  "$@" >"$log" 2>&1 </dev/null || {
    tail -n 15 "$log" >&2
    fail "$what (whole output: $log)"
  }
}

# Installs packages of the system: `system_packages APT DNF PACMAN APK ZYPPER`, with the names for each package manager.
system_packages() {
  local admin=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "install $1 without root or sudo: install it yourself"
    admin=(sudo -n)
  fi
  echo "Missing: $1. Installing with the package manager of the system."
  # Each list is split into words.
  # shellcheck disable=SC2086
  if command -v apt-get >/dev/null; then
    quietly "update the package lists" "${admin[@]}" apt-get update
    quietly "install $1" "${admin[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y $1
  elif command -v dnf >/dev/null; then
    quietly "install $2" "${admin[@]}" dnf install -y $2
  elif command -v pacman >/dev/null; then
    quietly "install $3" "${admin[@]}" pacman -Sy --noconfirm $3
  elif command -v apk >/dev/null; then
    quietly "install $4" "${admin[@]}" apk add $4
  elif command -v zypper >/dev/null; then
    quietly "install $5" "${admin[@]}" zypper --non-interactive install $5
  else
    fail "install $1: found no supported package manager; install it yourself"
  fi
}

have_browser() {
  command -v chromedriver >/dev/null &&
    { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
}

command -v cargo >/dev/null || fail "find cargo: install Rust first"
command -v python3 >/dev/null || fail "find python3: install Python 3 first"
mkdir -p target

say "cargo test, no features"
cargo test --package summary-writer --no-default-features
# This also builds the programs that write logs for stock TensorBoard.
say "cargo test, all features"
cargo test --all-features
say "The long forms of the fault campaign and of the model checker"
FAULT_CAMPAIGN=long cargo test --all-features --test faults
INTERLEAVINGS=long cargo test --package interleavings

# The stamp is written last, so an environment without it is incomplete and is not used.
stamp=$(cat tests/stock/requirements.txt examples/tensorboard.txt | git hash-object --stdin)
if [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
  say "Stock TensorBoard and pytest, into target/venv (once, about half a minute)"
  python3 -c 'import venv, ensurepip' 2>/dev/null ||
    system_packages python3-venv python3-pip python python3 python3
  rm -rf "$venv"
  quietly "make target/venv" python3 -m venv "$venv"
  quietly "install tests/stock/requirements.txt" \
    "$venv/bin/pip" install --no-input --disable-pip-version-check -r tests/stock/requirements.txt
  printf '%s\n' "$stamp" >"$venv/stamp"
fi

if ! have_browser; then
  say "Chromium and its driver"
  system_packages "chromium chromium-driver" "chromium chromedriver" chromium "chromium chromium-chromedriver" "chromium chromedriver"
  have_browser || fail "find chromium and chromedriver although their packages are installed: put both on PATH"
fi

say "Tests with stock TensorBoard (screenshots: target/screenshots)"
export PYTHONDONTWRITEBYTECODE=1
# Each of the three processes runs whole files, because tests of a file share logs and servers.
"$venv/bin/python" -m pytest -q -n 3 --dist loadfile -o cache_dir="$PWD/target/pytest" tests/stock

say "All tests pass"
