//! The program `summary-writer`: inspects, verifies, repairs, merges, exports and reduces event files.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")
)]

mod arguments;
mod compact;
mod export;
mod inspect;
mod output;
mod reduce;
mod repair;
mod series;
mod source;
mod verify;

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use output::{chain, print_error};

/// The result of a command. The exit code is that of the worst one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Fine,
    Damage,
    Failure,
}

/// The error ends the program. An `io::Error` is one of standard output.
type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let outcome = run(&command, &mut out).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    // Dropping the buffer would write the rest of it a second time.
    drop(out.into_parts());
    ExitCode::from(match outcome {
        Ok(Outcome::Fine) => 0,
        Ok(Outcome::Damage) => 1,
        Ok(Outcome::Failure) => 2,
        Err(error) => match error.downcast_ref::<io::Error>() {
            // A reader such as `head` has closed the pipe.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Some(error) => {
                print_error(&format!("could not write to standard output: {error}"));
                2
            }
            None => {
                print_error(&chain(&*error));
                2
            }
        },
    })
}

fn run(command: &Command, out: &mut impl Write) -> Result<Outcome> {
    match command {
        Command::Inspect { path, json } => inspect::run(path, *json, out),
        Command::Verify { path, json } => verify::run(path, *json, out),
        Command::Repair {
            path, to, force, ..
        } => match to {
            Some(new) => repair::copy(path, new, out),
            None => repair::in_place(path, *force, out),
        },
        Command::Compact { path, out: new } => compact::run(path, new, out),
        Command::Export(options) => export::run(options, out),
        Command::Reduce(options) => reduce::run(options, out),
    }
}
