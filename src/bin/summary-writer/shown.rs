//! Text of files to text that a terminal takes for text only.

use std::fmt::{self, Write};

/// Control characters are shown as escapes.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
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

/// `1 byte`, `2 bytes`
pub(crate) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_cannot_steer_the_terminal() {
        let tag = "loss/é\u{1b}[2J\n\u{9b}1m";
        assert_eq!(Shown(tag).to_string(), r"loss/é\u{1b}[2J\n\u{9b}1m");
    }
}
