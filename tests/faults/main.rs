//! The fault campaign: processes log while something goes wrong. A process is killed, panics, exits or forks. A disk is full,
//! refuses writes, becomes read-only, hangs or loses a directory. Many processes log at the same time.
//!
//! Each scenario runs in its own process with a time limit. It prints one line: how often the fault happened, and how many
//! records were lost beyond the table in `src/what_can_be_lost.rs`. It fails if a record was lost, an assertion failed or the
//! process hung. A scenario is skipped if this process lacks the rights that it needs.
//!
//! - `cargo test --test faults` runs the short form, a few seconds. `cargo test --test faults kill` runs the scenarios with
//!   `kill` in their names only.
//! - `FAULT_CAMPAIGN=long` repeats each fault about ten times more often. `tests/all.sh` runs this form.
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
