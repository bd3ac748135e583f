//! Where the crate works, and what differs there.
//!
//! Rust 1.88 or later. Everything is compiled and tested with Rust 1.95. Rust 1.88 itself was not tried: a lint of Clippy checks
//! that the library uses no newer part of the standard library, and no dependency in `Cargo.lock` states a newer version.
//!
//! | platform | what was tested, with the default features unless the row says more | passed: unit tests, and integration tests |
//! |---|---|---|
//! | Linux, x86-64 | everything, with each feature, stock TensorBoard and a browser: `tests/all.sh` | all |
//! | Linux, i686 (32-bit) | unit and integration tests | 336 of 336, and 100 of 100 |
//! | Linux, s390x (big-endian) | most unit tests, under qemu | 276 of 277: one starts its own program, which is not possible there |
//! | Linux, aarch64 | `tests/portability.sh aarch64` tests it under qemu; this was not done for this version | |
//! | Windows, x86-64 | unit and integration tests, under wine 8 | 330 of 330, and 74 of 74 |
//! | Linux, powerpc (no 64-bit atomics) | it compiles | |
//! | macOS, aarch64 | it compiles: `cargo check --target aarch64-apple-darwin` | |
//! | WebAssembly without an operating system | `tests/wasm` logs into memory in Node 20; see below | all |
//!
//! `tests/portability.sh` runs these tests, except for the first and the last two rows. `tests/README.md` says how to run the last one.
//!
//! # Windows
//!
//! - If a program has a file open and does not allow others to delete it, the file cannot be replaced. Python opens files in
//!   this way. So
//!   [`resume`](crate::WriterOptions::resume), [`repair_in_place`](crate::reader::repair_in_place) and
//!   [`embedding`](crate::SummaryWriter::embedding) try for half a second. Then they return an error, and the old file stays.
//!   Stop TensorBoard if this happens.
//! - No part of the name of a [`run`](crate::SummaryWriter::run) may end in a dot or a space, because Windows removes them.
//! - Names that differ only in case are one directory, and so one run. This also holds for most disks of macOS.
//! - A directory cannot be moved while a writer has a file open in it.
//!
//! # WebAssembly
//!
//! There are no threads, so a writer is always [`unthreaded`](crate::WriterOptions::unthreaded): each call writes before it returns. Without a clock, as
//! in a browser, set one with [`clock`](crate::WriterOptions::clock). There are no files, so the writer needs a
//! [sink](crate::WriterOptions::to_sink).
