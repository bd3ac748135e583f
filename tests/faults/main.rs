//! The fault campaign: whole processes on real file systems, and what happens to a program in a month of training. A
//! process is killed at any moment, a disk is full, read-only, slow, stuck or deleted, a call is interrupted, a program
//! panics, exits, aborts or forks, and many write at once.
//!
//! Each scenario runs in a process of its own under a time limit, and prints its figure: how much was tried, how many
//! records were lost against the promise, and how many processes hung. The last two must be 0. What needs rights that are
//! not to be had is skipped, with a word about what stands for it.
//!
//! The draws come from a seed, which is printed; `FAULTS_SEED` sets it. `FAULTS_KILLS` is how many processes are killed,
//! and `FAULTS_KEEP` a directory that gets the files which the killed ones left. `cargo test --test faults kill` runs the
//! scenarios with `kill` in their name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail, and this one has no harness that prints for it"
)]

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod ends;
#[cfg(unix)]
mod forks;
#[cfg(unix)]
mod full;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod ranks;
#[cfg(unix)]
mod read;
#[cfg(unix)]
mod refused;
#[cfg(unix)]
mod scenario;
#[cfg(unix)]
mod stuck;
#[cfg(unix)]
mod world;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    scenario::main()
}

#[cfg(not(unix))]
fn main() {
    println!("The fault campaign is SKIPPED: it needs the processes and signals of Unix.");
    println!("test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
}
