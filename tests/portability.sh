#!/usr/bin/env bash
# Runs the unit and integration tests on other systems and processors: Windows (under wine), i686, aarch64 and s390x (under
# qemu), and checks that the library compiles for powerpc, which has no 64-bit atomics. Prints a line of figures for each
# test program. On two cores it takes half an hour for Windows and i686, and hours under qemu, so `.ci/run` does not run it.
#
# Under qemu, tests that start their own program fail, because the system cannot start a program of another processor.
#
#     tests/portability.sh                  # all targets
#     tests/portability.sh windows s390x    # some of them
#
# It needs Debian 12, root (for apt-get) and rustup, from which it gets the standard library of each target.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/target/portability
targets=("${@:-windows i686 aarch64 s390x powerpc}")
read -ra targets <<<"${targets[*]}"
# A test that needs longer hangs. Some unit tests take many minutes under qemu.
limit_secs=7200
mkdir -p "$work"

install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$work/apt.log" 2>&1 ||
    { tail "$work/apt.log"; exit 1; }
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

# Builds the tests for a target and runs each program. Arguments: a name, the target, the linker, and the program that runs the
# tests.
run_tests() {
  local name=$1 target=$2 linker=$3 runner=$4
  echo "== $name"
  rustup target add "$target"
  local variable=${target^^}
  export "CARGO_TARGET_${variable//-/_}_LINKER=$linker"
  # The tests that need no other package, with the default features.
  local build=(cargo test --package summary-writer --lib --tests --no-run --target "$target" --target-dir "$work/$name")
  "${build[@]}" 2>"$work/$name.build.log" || { tail -n 40 "$work/$name.build.log"; return 1; }
  local programs program
  programs=$("${build[@]}" --message-format=json 2>/dev/null | grep -o '"executable":"[^"]*"' | cut -d'"' -f4)
  for program in $programs; do
    local log=$work/$name.${program##*/}.log
    # shellcheck disable=SC2086
    timeout "$limit_secs" $runner "$program" >"$log" 2>&1 </dev/null || true
    local result
    result=$(grep -ao '^test result: [^;]*; [^;]*; [^;]*' "$log" || echo "no result within $limit_secs s, or a crash")
    printf '%-40s %s\n' "${program##*/}" "$result"
    grep -a '^test .*FAILED$' "$log" || true
  done
}

# Tests a Linux target. Programs are linked statically, so that they need no libraries of their system.
run_linux_tests() {
  RUSTFLAGS="-C target-feature=+crt-static" run_tests "$@"
}

apt-get update >/dev/null
for target in "${targets[@]}"; do
  case $target in
    windows)
      install wine64 gcc-mingw-w64-x86-64-posix
      prepare_wine
      run_tests windows x86_64-pc-windows-gnu x86_64-w64-mingw32-gcc-posix /usr/lib/wine/wine64
      ;;
    i686)
      install gcc-i686-linux-gnu libc6-dev-i386-cross
      run_linux_tests i686 i686-unknown-linux-gnu i686-linux-gnu-gcc ""
      ;;
    aarch64)
      install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
      run_linux_tests aarch64 aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc qemu-aarch64
      ;;
    s390x)
      install gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user
      run_linux_tests s390x s390x-unknown-linux-gnu s390x-linux-gnu-gcc qemu-s390x
      ;;
    powerpc)
      echo "== powerpc"
      rustup target add powerpc-unknown-linux-gnu
      # A dependency of candle needs 64-bit atomics.
      cargo check --package summary-writer \
        --features cli,half,image,metrics,ndarray,onnx,serde,tracing \
        --target powerpc-unknown-linux-gnu --target-dir "$work/powerpc"
      ;;
    *)
      echo "unknown target $target" >&2
      exit 1
      ;;
  esac
done
