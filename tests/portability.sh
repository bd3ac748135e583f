#!/usr/bin/env bash
# Runs the unit and integration tests on other systems and processors, and with the oldest compiler that Cargo.toml allows. Each
# target is a function below. On two cores, qemu makes it last an hour, so `.ci/run` does not run it.
#
#     tests/portability.sh                  # all targets
#     tests/portability.sh windows s390x    # some of them
#
# It needs Debian 12, root (for apt-get), Node (for wasm) and rustup, from which it gets the standard library of each target.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/target/portability
# A test program that needs longer hangs.
limit_secs=7200
# All features except two. candle-core 0.11 needs a newer compiler than 1.88, and a dependency of it needs 64-bit atomics.
# object-store needs a C compiler for each target.
features=cli,half,image,metrics,ndarray,onnx,serde,tracing
mkdir -p "$work"

windows() {
  install wine64 gcc-mingw-w64-x86-64-posix
  prepare_wine
  run_tests x86_64-pc-windows-gnu x86_64-w64-mingw32-gcc-posix /usr/lib/wine/wine64
}

i686() {
  install gcc-i686-linux-gnu libc6-dev-i386-cross
  run_tests i686-unknown-linux-gnu i686-linux-gnu-gcc
}

aarch64() {
  install gcc-aarch64-linux-gnu libc6-dev-arm64-cross
  install_qemu
  run_tests aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc
}

# Big-endian.
s390x() {
  install gcc-s390x-linux-gnu libc6-dev-s390x-cross
  install_qemu
  run_tests s390x-unknown-linux-gnu s390x-linux-gnu-gcc
}

# It has no 64-bit atomics.
powerpc() {
  check powerpc-unknown-linux-gnu
}

macos() {
  check aarch64-apple-darwin
}

wasm() {
  rustup target add wasm32-unknown-unknown
  cargo build --manifest-path tests/wasm/Cargo.toml --target wasm32-unknown-unknown --target-dir "$work/wasm"
  node tests/wasm/run.mjs "$work/wasm/wasm32-unknown-unknown/debug/wasm.wasm"
}

# The oldest compiler: the library, the program, the tests and the examples compile, and the tests pass.
msrv() {
  local version
  version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  rustup toolchain install "$version" --profile minimal
  cargo "+$version" check --package summary-writer --all-targets --features "$features" --target-dir "$work/msrv"
  cargo "+$version" test --package summary-writer --lib --tests --no-fail-fast --target-dir "$work/msrv"
}

install() {
  {
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
  } >"$work/apt.log" 2>&1 || { tail "$work/apt.log"; return 1; }
}

# Only checks that the library compiles.
check() {
  rustup target add "$1"
  cargo check --package summary-writer --features "$features" --target "$1" --target-dir "$work/$1"
}

# Registers qemu, so that the system starts programs of other processors, also those that a test starts.
install_qemu() {
  install qemu-user-binfmt binfmt-support
  update-binfmts --enable
}

# Creates a Windows directory. Wine 8 has no `ProcessPrng`, from which Rust's standard library gets random numbers.
prepare_wine() {
  export WINEPREFIX=$work/wine WINEDEBUG=-all
  local system=$WINEPREFIX/drive_c/windows/system32
  [ ! -e "$system/bcryptprimitives.dll" ] || return 0
  /usr/lib/wine/wine64 wineboot -i >/dev/null 2>&1
  x86_64-w64-mingw32-gcc-posix -shared -s -x c -o "$system/bcryptprimitives.dll" - -ladvapi32 <<'SHIM'
#include <stddef.h>
unsigned char __stdcall SystemFunction036(void *bytes, unsigned long count);
__declspec(dllexport) int __stdcall ProcessPrng(void *bytes, size_t count) { return SystemFunction036(bytes, count); }
SHIM
}

# Builds the tests that need no other package, with the default features, and runs each program. Prints a line of figures for
# each, and the tests that fail. Arguments: the target, the linker, and the program that runs the tests, if any.
run_tests() {
  local target=$1 linker=$2 runner=${3:-}
  rustup target add "$target"
  local variable=${target^^}
  export "CARGO_TARGET_${variable//-/_}_LINKER=$linker"
  # Programs are linked statically, so that they need no libraries of their system.
  export "CARGO_TARGET_${variable//-/_}_RUSTFLAGS=-C target-feature=+crt-static"
  local build=(cargo test --package summary-writer --lib --tests --no-run --target "$target" --target-dir "$work/$target")
  "${build[@]}" 2>"$work/$target.build.log" || { tail -n 40 "$work/$target.build.log"; return 1; }
  local programs program is_failed=0
  programs=$("${build[@]}" --message-format=json 2>/dev/null | grep -o '"executable":"[^"]*"' | cut -d'"' -f4)
  for program in $programs; do
    local log=$work/$target.${program##*/}.log
    timeout "$limit_secs" ${runner:+"$runner"} "$program" >"$log" 2>&1 </dev/null || is_failed=1
    local result
    # The last line, because the tests that a test starts print one, too.
    result=$(grep -ao '^test result: [^;]*; [^;]*; [^;]*' "$log" | tail -n 1 || true)
    printf '%-40s %s\n' "${program##*/}" "${result:-no result within $limit_secs s, or a crash}"
    grep -a '^test .*FAILED$' "$log" || true
  done
  return "$is_failed"
}

all=(msrv windows i686 aarch64 s390x powerpc macos wasm)
[ $# -gt 0 ] || set -- "${all[@]}"
for target in "$@"; do
  [[ " ${all[*]} " == *" $target "* ]] || { echo "unknown target $target, expected one of: ${all[*]}" >&2; exit 1; }
done
# Saves time and gigabytes.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
failed=()
for target in "$@"; do
  echo "== $target"
  # In a process of its own, so that `set -e` holds in the function and a failure does not stop the other targets.
  (set -e; "$target") &
  wait $! || failed+=("$target")
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
