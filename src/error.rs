//! The crate's error type. Each variant is a case that a caller handles differently.

use std::error;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// A message does not repeat its source, so print the whole chain, as `anyhow` does with `{:#}`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused `action`. A writer keeps what it could not write and tries again; a reader can be asked
    /// again.
    #[error("could not {action}{}", after_space(path.as_deref()))]
    Io {
        /// What was tried: a verb and its object.
        action: &'static str,
        /// The file or directory, if it is known.
        path: Option<Arc<Path>>,
        /// The error of the operating system.
        source: io::Error,
    },

    /// A checksum does not match. With [`Part::Length`] the rest of the file is lost, with [`Part::Payload`] one record.
    #[error(
        "damaged record at byte {offset}: CRC of the {part} is {got:#010x}, file says {want:#010x}{}",
        foreign(*offset, *part)
    )]
    Corrupt {
        /// Where the record starts, in bytes from the start of the file.
        offset: u64,
        /// Which bytes are damaged.
        part: Part,
        /// The masked CRC-32C of the bytes in the file.
        got: u32,
        /// The masked CRC-32C stored next to them.
        want: u32,
    },

    /// The header announces a longer payload than the reader accepts.
    #[error("record at byte {offset} has {len} bytes, the limit is {limit}")]
    TooLarge {
        /// Where the record starts, in bytes from the start of the file.
        offset: u64,
        /// The announced length of the payload, in bytes.
        len: u64,
        /// The reader's limit, in bytes.
        limit: u64,
    },

    /// The checksums of a record match, but its payload is not an event. The next record can be read.
    #[error("record at byte {offset} is not an event")]
    Decode {
        /// Where the record starts, in bytes from the start of the file.
        offset: u64,
        /// Why the payload could not be decoded.
        source: prost::DecodeError,
    },

    /// An argument is not valid. Nothing was written, and the writer can still be used.
    #[error("{what}: {problem}")]
    Invalid {
        /// Which argument.
        what: &'static str,
        /// What was expected and what was given.
        problem: Box<str>,
    },

    /// The time limit of the call has passed. The writer keeps the pending data and writes it once it can.
    #[error("timed out with {pending_bytes} bytes still to be written")]
    TimedOut {
        /// Bytes that the operating system does not have yet.
        pending_bytes: u64,
    },

    /// The writer was closed, or this process is a fork of the one that opened it.
    #[error("the summary writer is closed, or this process is a fork of the one that opened it")]
    Closed,
}

const _: () = assert!(size_of::<Error>() <= 64); // every `Result` of the crate has room for it

/// ` "path"`, or nothing.
fn after_space(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!(" {}", quoted(path)))
}

/// Returns a path in quotes for a message. The debug form would double each `\` of a Windows path.
pub(crate) fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

/// The first record of a file of another kind has a damaged length.
fn foreign(offset: u64, part: Part) -> &'static str {
    if offset == 0 && part == Part::Length {
        "; the file may not be an event file"
    } else {
        ""
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

/// Every caller that asks gets a copy of the worker's failure. The copy of an [`io::Error`] has the same code, or else the same
/// kind and message.
impl Clone for Error {
    fn clone(&self) -> Self {
        match self {
            Self::Io {
                action,
                path,
                source,
            } => Self::Io {
                action,
                path: path.clone(),
                source: match source.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => io::Error::new(source.kind(), source.to_string()),
                },
            },
            &Self::Corrupt {
                offset,
                part,
                got,
                want,
            } => Self::Corrupt {
                offset,
                part,
                got,
                want,
            },
            &Self::TooLarge { offset, len, limit } => Self::TooLarge { offset, len, limit },
            Self::Decode { offset, source } => Self::Decode {
                offset: *offset,
                source: source.clone(),
            },
            Self::Invalid { what, problem } => Self::Invalid {
                what,
                problem: problem.clone(),
            },
            &Self::TimedOut { pending_bytes } => Self::TimedOut { pending_bytes },
            Self::Closed => Self::Closed,
        }
    }
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: Some(path.into()),
            source,
        }
    }

    pub(crate) fn stream(action: &'static str, source: io::Error) -> Self {
        Self::Io {
            action,
            path: None,
            source,
        }
    }

    pub(crate) fn invalid(what: &'static str, problem: impl Into<Box<str>>) -> Self {
        Self::Invalid {
            what,
            problem: problem.into(),
        }
    }

    /// Adds the path of the file to an error that has none.
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
    fn message_leaves_out_the_source_and_debug_shows_every_field() {
        let denied = io::Error::other("permission denied");
        let error = Error::io("create the directory", Path::new("runs/a"), denied);
        assert_eq!(
            error.to_string(),
            "could not create the directory \"runs/a\""
        );
        assert_eq!(
            Chain(&error).to_string(),
            "could not create the directory \"runs/a\": permission denied"
        );
        for error in [&error, &error.clone()] {
            let source = error::Error::source(error);
            let source = source.and_then(|source| source.downcast_ref::<io::Error>());
            assert_eq!(source.unwrap().to_string(), "permission denied");
        }
        let debug = format!("{error:?}");
        for part in ["Io {", "action:", "\"runs/a\"", "permission denied"] {
            assert!(debug.contains(part), "{part} is missing in {debug}");
        }
    }
}
