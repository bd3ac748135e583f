//! Turns the command line into options, or into a message that says what would have fitted.

use std::num::NonZeroU16;
use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Trains a digit classifier twice, without and with dropout, and logs both for TensorBoard.

Usage: cargo run --release --example digits -- [options]

Options:
  --logdir DIR  write the runs below DIR, one training in each
                [default: a new directory in logs/digits]
  --epochs N    passes over the training data, 1 to 65535 [default: 20]
  --sweep       train a grid of nine learning rates and dropouts instead, to compare on the HParams page
  --view        then start TensorBoard on the runs; installs it under target/ if PATH has none
  --help        print this";

pub(crate) struct Options {
    pub(crate) logdir: Option<PathBuf>,
    pub(crate) epochs: u16,
    pub(crate) sweep: bool,
    pub(crate) view: bool,
    pub(crate) help: bool,
}

impl Options {
    pub(crate) fn parse(mut arguments: lexopt::Parser) -> Result<Self, String> {
        let mut options = Self {
            logdir: None,
            epochs: 20,
            sweep: false,
            view: false,
            help: false,
        };
        let hint = |error: lexopt::Error| format!("{error}; --help lists the options");
        while let Some(argument) = arguments.next().map_err(hint)? {
            match argument {
                Long("logdir") => {
                    let dir = PathBuf::from(arguments.value().map_err(hint)?);
                    if dir.as_os_str().is_empty() {
                        return Err("--logdir takes a directory, not an empty string".into());
                    }
                    options.logdir = Some(dir);
                }
                Long("epochs") => {
                    let value = arguments.value().map_err(hint)?;
                    let epochs: NonZeroU16 = value.parse().map_err(|_| {
                        format!("--epochs takes a whole number from 1 to 65535, not {value:?}")
                    })?;
                    options.epochs = epochs.get();
                }
                Long("sweep") => options.sweep = true,
                Long("view") => options.view = true,
                Short('h') | Long("help") => options.help = true,
                other => return Err(hint(other.unexpected())),
            }
        }
        Ok(options)
    }
}
