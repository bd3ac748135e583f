//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Train a digit classifier twice, without and with dropout, and log both for TensorBoard.
#[derive(Parser)]
#[command(name = "digits")]
pub(crate) struct Options {
    /// Write each training to a directory in DIR, which may be a URL such as s3://bucket/logs with the feature object-store
    /// [default: a new directory in logs/digits]
    #[arg(long, value_name = "DIR")]
    pub(crate) logdir: Option<PathBuf>,
    /// Number of passes over the training data
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) epochs: u16,
    /// Train nine combinations of learning rate and dropout instead, to compare them
    #[arg(long)]
    pub(crate) sweep: bool,
    /// Start TensorBoard afterwards. Installs it in target/ if it is not on PATH
    #[arg(long)]
    pub(crate) view: bool,
}
