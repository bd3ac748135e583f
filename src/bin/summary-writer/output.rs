//! Output of the commands: text that is safe for a terminal, lines of JSON, and complaints.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use serde::Serialize;

/// Text from a file, with control characters escaped, so that it cannot change the terminal.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// A number in JSON or CSV. The words for numbers that are not finite are those of stock TensorBoard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Number {
    F32(f32),
    F64(f64),
    NotFinite(&'static str),
}

impl From<f32> for Number {
    fn from(number: f32) -> Self {
        match Self::from(f64::from(number)) {
            Self::F64(_) => Self::F32(number),
            other => other,
        }
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        if number.is_nan() {
            Self::NotFinite("NaN")
        } else if number == f64::INFINITY {
            Self::NotFinite("Infinity")
        } else if number == f64::NEG_INFINITY {
            Self::NotFinite("-Infinity")
        } else {
            Self::F64(number)
        }
    }
}

/// Writes `value` as JSON on one line.
pub(crate) fn write_json(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

/// `1 byte`, `2 bytes`
pub(crate) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Writes a problem to standard error. If that fails, the exit code still shows that there was one.
pub(crate) fn complain(problem: &str) {
    writeln!(io::stderr(), "summary-writer: {}", Escaped(problem)).ok();
}

/// An error and its sources.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_cannot_control_the_terminal() {
        let tag = "loss/é\u{1b}[2J\n\u{9b}1m";
        assert_eq!(Escaped(tag).to_string(), r"loss/é\u{1b}[2J\n\u{9b}1m");
    }

    #[test]
    fn numbers_have_the_digits_of_their_type() {
        let numbers = [
            Number::from(0.1f32),
            Number::from(0.1f64 + 0.2),
            Number::from(f32::NEG_INFINITY),
            Number::from(f64::NAN),
        ];
        let mut json = Vec::new();
        write_json(&numbers, &mut json).unwrap();
        let want = "[0.1,0.30000000000000004,\"-Infinity\",\"NaN\"]\n";
        assert_eq!(String::from_utf8(json).unwrap(), want);
    }
}
