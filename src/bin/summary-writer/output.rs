//! Output of the commands: text that is safe for a terminal, lines of JSON, and errors.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use summary_writer::reader::Number;

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputNumber(pub(crate) Number);

impl From<f64> for OutputNumber {
    fn from(number: f64) -> Self {
        Self(Number::F64(number))
    }
}

impl Serialize for OutputNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.0.to_f64()) {
            (_, number) if number.is_nan() => serializer.serialize_str("NaN"),
            (_, f64::INFINITY) => serializer.serialize_str("Infinity"),
            (_, f64::NEG_INFINITY) => serializer.serialize_str("-Infinity"),
            (Number::F32(number), _) => serializer.serialize_f32(number),
            (Number::I64(number), _) => serializer.serialize_i64(number),
            (Number::U64(number), _) => serializer.serialize_u64(number),
            (_, number) => serializer.serialize_f64(number),
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
pub(crate) fn print_error(problem: &str) {
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
        // The first two are beyond the whole numbers that `f64` has: 2^53 + 1 and 2^64 - 1.
        let numbers = [
            Number::I64(9_007_199_254_740_993),
            Number::U64(u64::MAX),
            Number::F32(0.1),
            Number::F64(0.1 + 0.2),
            Number::F32(f32::NEG_INFINITY),
            Number::F64(f64::NAN),
        ];
        let mut json = Vec::new();
        write_json(&numbers.map(OutputNumber), &mut json).unwrap();
        let want = "[9007199254740993,18446744073709551615,0.1,0.30000000000000004,\"-Infinity\",\"NaN\"]\n";
        assert_eq!(String::from_utf8(json).unwrap(), want);
    }
}
