//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Train a digit classifier twice, without and with dropout, and log both for TensorBoard.
#[derive(Parser)]
#[command(name = "digits")]
pub(crate) struct Options {
    /// Write the runs below DIR, one training in each [default: a new directory in logs/digits]
    #[arg(long, value_name = "DIR")]
    pub(crate) logdir: Option<PathBuf>,
    /// Passes over the training data
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) epochs: u16,
    /// Train a grid of nine learning rates and dropouts instead, to compare on the HParams page
    #[arg(long)]
    pub(crate) sweep: bool,
    /// Then start TensorBoard on the runs; installs it under target/ if PATH has none
    #[arg(long)]
    pub(crate) view: bool,
}
