//! Where the crate works, and what differs there.
//!
//! Rust 1.88 or later. `candle-core` 0.11 does not compile with Rust 1.88, but with 1.95. Versions 0.9.2 and 0.10.2 compile with
//! both: `cargo update candle-core@0.11 --precise 0.10.2`.
//!
//! | platform | what was tested, with Rust 1.95 and the default features unless the row says more | passed: unit tests, and integration tests |
//! |---|---|---|
//! | Linux, x86-64 | everything, with each feature, stock TensorBoard and a browser: `tests/all.sh` | all |
//! | Linux, x86-64, Rust 1.88 | the library, the program, the tests and the examples compile with all features except `candle` and `object-store` | |
//! | | unit and integration tests, *of an earlier version* | 340 of 340, and 100 of 101: a forked child needed more than a minute on a busy machine |
//! | Linux, i686 (32-bit) | unit and integration tests | 365 of 365, and 108 of 108 |
//! | Linux, s390x (big-endian) | unit tests and nearly half of the integration tests, under qemu, *of an earlier version* | 340 of 340, and 46 of 46 |
//! | Linux, aarch64 | half of the integration tests, and not all unit tests, under qemu, *of an earlier version* | 52 of 52 integration tests |
//! | Windows, x86-64 | unit and integration tests, under wine 8 | 360 of 360, and 84 of 84 |
//! | Linux, powerpc (no 64-bit atomics) | it compiles, with all features except `candle` and `object-store` | |
//! | macOS, aarch64 | it compiles, with all features except `candle` and `object-store` | |
//! | WebAssembly without an operating system | `tests/wasm` logs into memory in Node 20; see below | all |
//!
//! `tests/portability.sh` runs all rows except the first one. An earlier version has fewer tests, and its results do not cover
//! what changed since. Windows has fewer integration tests, because forks, signals and full disks are tested on Unix only.
//!
//! # Windows
//!
//! The tests ran under wine, never on Windows itself. So no test has shown what happens while a deleted file stays in its
//! directory because another program has it open, or while a virus scanner has a new file open.
//!
//! - If a program has a file open and does not allow others to delete it, the file cannot be replaced. Python opens files in
//!   this way. So
//!   [`resume`](crate::WriterOptions::resume), [`repair_in_place`](crate::reader::repair_in_place) and
//!   [`embedding`](crate::SummaryWriter::embedding) try for half a second. Then they return an error, and the old file stays.
//!   Stop TensorBoard if this happens.
//! - No part of the name of a [`run`](crate::SummaryWriter::run) may end in a dot or a space, because Windows removes them.
//! - A [suffix](crate::WriterOptions::filename_suffix) of a file name must not have a `:` or end in a dot or a space. Windows
//!   would write the data to a hidden stream of the file, or remove the end.
//! - Names that differ only in case are one directory, and so one run. This also holds for most disks of macOS.
//! - A directory cannot be moved while a writer has a file open in it.
//!
//! # WebAssembly
//!
//! There are no threads, so a writer is always [`unthreaded`](crate::WriterOptions::unthreaded): each call writes before it
//! returns. Without a clock, as in a browser, set one with [`clock`](crate::WriterOptions::clock). There are no files, so the
//! writer needs a [sink](crate::WriterOptions::to_sink).
