//! The fault campaign: processes that log while something goes wrong. A process is killed, panics, exits or forks; a disk is
//! full, refuses writes, turns read-only, hangs or loses its directory; many processes log at once.
//!
//! Each scenario runs in a process of its own under a time limit and prints one line: how often the fault was tried, and
//! how many records were lost against the promise. It fails if a record was lost, an assertion failed or the process hung.
//! A scenario that needs rights this process does not have is skipped.
//!
//! - `cargo test --test faults` runs the short form, a few seconds; `cargo test --test faults kill` only the scenarios with
//!   `kill` in their name.
//! - `FAULT_CAMPAIGN=long` repeats each fault about ten times as often. `tests/all.sh` runs this form.
//! - `FAULTS_SEED` sets the seed of the random numbers, which is printed.
//! - `FAULTS_KEEP` names a directory that gets the files of the killed processes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and this one prints its own results"
)]

#[cfg(unix)]
mod campaign;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod ends;
#[cfg(unix)]
mod environment;
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
mod stuck;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    campaign::main()
}

#[cfg(not(unix))]
fn main() {
    println!("SKIPPED: the fault campaign needs the processes and signals of Unix.");
    println!("test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
}
