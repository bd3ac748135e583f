//! What can go wrong, sorted by what the caller can do about it.

use std::error;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. A message never repeats its source: print the chain.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The system refused `action`. A writer keeps what it could not write and tries again; a reader may be asked again.
    Io {
        /// What was tried: a verb and its object.
        action: &'static str,
        /// The file or directory, where it is known.
        path: Option<Arc<Path>>,
        /// What the system said; shared, for one failure of a writer's thread is told to every caller that asks.
        source: Arc<io::Error>,
    },

    /// A checksum disagrees. In [`Part::Length`] the rest of the file is lost, in [`Part::Payload`] one record.
    Corrupt {
        /// Where the record starts, in bytes from the start of the file.
        offset: u64,
        /// Which bytes are damaged.
        part: Part,
        /// The masked CRC-32C of the bytes that are there.
        got: u32,
        /// The masked CRC-32C that stands beside them.
        want: u32,
    },

    /// The header announces more than the reader was told to accept.
    TooLarge {
        /// Where the record starts, in bytes from the start of the file.
        offset: u64,
        /// The announced length of the payload, in bytes.
        len: u64,
        /// The reader's limit, in bytes.
        limit: u64,
    },

    /// A sound record that is not an event. The next one can be read.
    Decode {
        /// Where the record starts, in bytes from the start of the file.
        offset: u64,
        /// What the decoder said: a `prost::DecodeError`.
        // Under that name it would be in every program that handles an error, with all that prints and drops one.
        source: Arc<dyn error::Error + Send + Sync>,
    },

    /// An argument is unusable. Nothing was written; the writer is fine.
    Invalid {
        /// Which argument.
        what: &'static str,
        /// What was given and what fits.
        problem: Box<str>,
    },

    /// The time that the caller gave is over. The writer keeps what waits, and writes it once it can.
    TimedOut {
        /// What still waits for the operating system, in bytes.
        pending_bytes: u64,
    },

    /// The writer was closed, or this process is a fork of the one that opened it.
    Closed,
}

const _: () = assert!(size_of::<Error>() <= 64); // an `Err` is moved through every call

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io {
                action,
                path: Some(path),
                ..
            } => write!(f, "could not {action} {path:?}"),
            Self::Io { action, .. } => write!(f, "could not {action}"),
            Self::Corrupt {
                offset,
                part,
                got,
                want,
            } => write!(
                f,
                "damaged record at byte {offset}: CRC of the {part} is {got:#010x}, file says {want:#010x}"
            ),
            Self::TooLarge { offset, len, limit } => write!(
                f,
                "record at byte {offset} has {len} bytes, the limit is {limit}"
            ),
            Self::Decode { offset, .. } => write!(f, "record at byte {offset} is not an event"),
            Self::Invalid { what, problem } => write!(f, "{what}: {problem}"),
            Self::TimedOut { pending_bytes } => write!(
                f,
                "the time is over, and {pending_bytes} bytes still wait to be written"
            ),
            Self::Closed => f.write_str("the summary writer is closed in this process"),
        }
    }
}

/// With its sources, on one line: so `main` and `expect` say it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Chain(self), f)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source.as_ref()),
            Self::Decode { source, .. } => Some(source.as_ref()),
            Self::Corrupt { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. }
            | Self::TimedOut { .. }
            | Self::Closed => None,
        }
    }
}

/// The part of a record that a checksum guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The eight bytes that announce the payload's length.
    Length,
    /// The payload.
    Payload,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "length",
            Self::Payload => "payload",
        })
    }
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: Some(path.into()),
            source: Arc::new(source),
        }
    }

    pub(crate) fn stream(action: &'static str, source: io::Error) -> Self {
        Self::Io {
            action,
            path: None,
            source: Arc::new(source),
        }
    }

    pub(crate) fn invalid(what: &'static str, problem: impl Into<Box<str>>) -> Self {
        Self::Invalid {
            what,
            problem: problem.into(),
        }
    }

    /// Names the file in an error of a room that knows bytes only.
    pub(crate) fn in_file(self, file: &Path) -> Self {
        match self {
            Self::Io {
                action,
                path: None,
                source,
            } => Self::Io {
                action,
                path: Some(file.into()),
                source,
            },
            other => other,
        }
    }
}

/// An error and its sources on one line, for a log.
pub(crate) struct Chain<'a>(pub(crate) &'a Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        let mut source = error::Error::source(self.0);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_main_prints_says_what_was_tried_and_why_it_failed() {
        let denied = io::Error::other("permission denied");
        let error = Error::io("create the directory", Path::new("runs/a"), denied);
        let want = "could not create the directory \"runs/a\": permission denied";
        assert_eq!(format!("{error:?}"), want);
        assert_eq!(
            error.to_string(),
            "could not create the directory \"runs/a\""
        );
        assert_eq!(
            format!("{:?}", Error::Closed),
            "the summary writer is closed in this process"
        );
    }
}
