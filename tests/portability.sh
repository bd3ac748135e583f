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
# It needs Debian 12, root (for apt-get) and a toolchain of rustup with the target x86_64-pc-windows-gnu. The standard library
# of the other targets is compiled from its sources by Debian's newer compiler, which is unpacked below target/portability and
# changes nothing elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/target/portability
rust=$work/rust/usr
targets=("${@:-windows i686 aarch64 s390x powerpc}")
read -ra targets <<<"${targets[*]}"
# A test that needs longer hangs. Some unit tests take many minutes under qemu.
limit_secs=7200
mkdir -p "$work"

install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$work/apt.log" 2>&1 ||
    { tail "$work/apt.log"; exit 1; }
}

# Unpacks Debian's compiler and the sources of its standard library.
unpack_rust() {
  [ ! -x "$work/rustc" ] || return 0
  mkdir -p "$work/deb" "$work/rust"
  # The compiler needs the exact versions of the last two. `apt-cache depends --recurse rustc-web` names them.
  (cd "$work/deb" && apt-get download rustc-web rust-web-src libstd-rust-web-dev libstd-rust-web-1.96 libllvm22)
  for package in "$work"/deb/*.deb; do dpkg-deb -x "$package" "$work/rust"; done
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$rust/lib/x86_64-linux-gnu" "$rust/bin/rustc" >"$work/rustc"
  chmod +x "$work/rustc"
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

# Builds the tests for a target and runs each program. Arguments: a name, the target, the linker, the program that runs the
# tests, and options of Cargo.
run_tests() {
  local name=$1 target=$2 linker=$3 runner=$4
  shift 4
  echo "== $name"
  local variable=${target^^}
  export "CARGO_TARGET_${variable//-/_}_LINKER=$linker"
  # The tests that need no other package, with the default features.
  local build=(cargo test --package summary-writer --lib --tests --no-run --target "$target" --target-dir "$work/$name" "$@")
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
  local name=$1 target=$2 linker=$3 runner=$4
  unpack_rust
  RUSTC=$work/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C target-feature=+crt-static" \
    run_tests "$name" "$target" "$linker" "$runner" -Zbuild-std
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
      unpack_rust
      echo "== powerpc"
      # A dependency of candle needs 64-bit atomics.
      RUSTC=$work/rustc RUSTC_BOOTSTRAP=1 cargo check --package summary-writer -Zbuild-std \
        --features cli,half,image,metrics,ndarray,onnx,serde,tracing \
        --target powerpc-unknown-linux-gnu --target-dir "$work/powerpc"
      ;;
    *)
      echo "unknown target $target" >&2
      exit 1
      ;;
  esac
done
