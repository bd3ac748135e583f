//! The program `summary-writer`: what is in event files, what is damaged in them, and what is sound, to new files.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")
)]

mod arguments;
mod export;
mod inspect;
mod json;
mod progress;
mod repair;
mod shown;
mod source;
mod values;
mod verify;

use std::error::Error;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use arguments::{Command, HELP};
use shown::Shown;

/// What a command found, as the exit code says it: the worst of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Fine,
    Damage,
    Failure,
}

/// The reason to stop at once: standard output takes no more.
type Result<T = (), E = io::Error> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let command = match Command::parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(problem) => {
            complain(&problem);
            return ExitCode::from(2);
        }
    };
    let stdout = io::stdout().lock();
    let is_terminal = stdout.is_terminal();
    let mut out = BufWriter::with_capacity(64 << 10, stdout);
    let outcome = run(&command, &mut out, is_terminal).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    // What the buffer still has is not written a second time when it is dropped.
    drop(out.into_parts());
    ExitCode::from(match outcome {
        Ok(Outcome::Fine) => 0,
        Ok(Outcome::Damage) => 1,
        Ok(Outcome::Failure) => 2,
        // `head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            complain(&format!("could not write to standard output: {error}"));
            2
        }
    })
}

fn run(command: &Command, out: &mut impl Write, is_terminal: bool) -> Result<Outcome> {
    match command {
        Command::Help => out.write_all(HELP.as_bytes()).map(|()| Outcome::Fine),
        Command::Version => {
            writeln!(out, "summary-writer {}", env!("CARGO_PKG_VERSION")).map(|()| Outcome::Fine)
        }
        Command::Inspect { path, json } => inspect::run(path, *json, out),
        Command::Verify { path, json } => verify::run(path, *json, out),
        Command::Repair { path, to } => repair::run(path, to, out),
        Command::Export(options) => export::run(options, out, is_terminal),
    }
}

/// Says on standard error what is wrong. If nobody can hear it there, the exit code says it.
fn complain(problem: &str) {
    writeln!(io::stderr(), "summary-writer: {}", Shown(problem)).ok();
}

/// An error and its sources.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}
