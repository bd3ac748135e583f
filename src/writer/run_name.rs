//! What a report begins with, for a program may write many runs.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;

/// The directory of a run and a colon, for what follows; nothing for a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunName(Option<Arc<Path>>);

impl RunName {
    pub(crate) fn of(dir: Option<&Path>) -> Self {
        Self(dir.map(Into::into))
    }

    /// An error that names no file gets the directory.
    pub(crate) fn with_dir(&self, error: Error) -> Error {
        match &self.0 {
            Some(dir) => error.in_file(dir),
            None => error,
        }
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(dir) => write!(f, "{dir:?}: "),
            None => Ok(()),
        }
    }
}
