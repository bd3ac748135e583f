//! Shows the progress of a training: a bar in a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};

use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::net::Score;

pub(crate) struct Progress {
    name: String,
    bar: ProgressBar,
    plain: bool,
    epochs: u16,
}

impl Progress {
    /// Starts the bar. `batches` is the number of batches in all epochs.
    pub(crate) fn new(name: &str, epochs: u16, batches: usize) -> Result<Self, TemplateError> {
        let style = ProgressStyle::with_template("{prefix:8} {wide_bar} {msg}")?;
        let mut bar = ProgressBar::new(batches as u64)
            .with_style(style)
            .with_prefix(name.to_owned())
            .with_finish(ProgressFinish::AndLeave);
        // The bar is drawn on standard error, and indicatif hides it if that is not a terminal.
        let plain = bar.is_hidden() || !io::stdout().is_terminal();
        if plain {
            bar = ProgressBar::hidden();
        }
        Ok(Self {
            name: name.to_owned(),
            bar,
            plain,
            epochs,
        })
    }

    pub(crate) fn batch(&self) {
        self.bar.inc(1);
    }

    /// Shows the results of an epoch, counted from 0.
    pub(crate) fn epoch(&self, epoch: u16, train: Score, validation: Score) {
        let (name, done, epochs) = (&self.name, epoch + 1, self.epochs);
        let numbers = format!(
            "epoch {done:>2}/{epochs}  loss {:.4}  accuracy {:.3}  validation {:.3}",
            train.loss(),
            train.accuracy(),
            validation.accuracy(),
        );
        // About ten lines per training, independent of its length.
        if self.plain && (done % epochs.div_ceil(10) == 0 || done == epochs) {
            println!("{name:8} {numbers}");
        }
        self.bar.set_message(numbers);
    }
}
