//! Whether a text is a JSON object, and its members. The page shows nothing of a mesh whose scene it cannot parse.

/// As deep as no scene is, and far from the end of the stack.
const MAX_DEPTH: usize = 64;

/// The name, with its quotes, and the value of each member of the object that `text` is; or the byte that is at fault.
pub(super) fn members(text: &str) -> Result<Vec<(&str, &str)>, usize> {
    let mut cursor = Cursor { text, at: 0 };
    let mut members = Vec::new();
    cursor.skip_space();
    let object = cursor.list(b'{', b'}', |cursor| {
        members.push(cursor.member(MAX_DEPTH)?);
        Some(())
    });
    if object.is_some() {
        cursor.skip_space();
        if cursor.at == text.len() {
            return Ok(members);
        }
    }
    Err(cursor.at)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: fn(u8) -> bool) -> Option<()> {
        self.peek().filter(|byte| wanted(*byte))?;
        self.at += 1;
        Some(())
    }

    fn take_byte(&mut self, wanted: u8) -> Option<()> {
        self.peek().filter(|byte| *byte == wanted)?;
        self.at += 1;
        Some(())
    }

    fn skip(&mut self, wanted: fn(u8) -> bool) {
        while self.take(wanted).is_some() {}
    }

    fn skip_space(&mut self) {
        self.skip(|byte| b" \t\n\r".contains(&byte));
    }

    /// What `parse` goes over.
    fn slice(&mut self, parse: impl FnOnce(&mut Self) -> Option<()>) -> Option<&'a str> {
        let start = self.at;
        parse(self)?;
        self.text.get(start..self.at)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.peek()? {
            b'{' => self.list(b'{', b'}', |cursor| cursor.member(depth).map(|_| ())),
            b'[' => self.list(b'[', b']', |cursor| cursor.value(depth)),
            b'"' => self.string(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn member(&mut self, depth: usize) -> Option<(&'a str, &'a str)> {
        let name = self.slice(Self::string)?;
        self.skip_space();
        self.take_byte(b':')?;
        self.skip_space();
        Some((name, self.slice(|cursor| cursor.value(depth))?))
    }

    fn list(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take_byte(open)?;
        self.skip_space();
        if self.take_byte(close).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            self.skip_space();
            if self.take_byte(close).is_some() {
                return Some(());
            }
            self.take_byte(b',')?;
            self.skip_space();
        }
    }

    fn string(&mut self) -> Option<()> {
        self.take_byte(b'"')?;
        loop {
            self.skip(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
            if self.take_byte(b'"').is_some() {
                return Some(());
            }
            self.take_byte(b'\\')?;
            if self.take_byte(b'u').is_some() {
                for _ in 0..4 {
                    self.take(|byte| byte.is_ascii_hexdigit())?;
                }
            } else {
                self.take(|byte| br#""\/bfnrt"#.contains(&byte))?;
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.bytes().try_for_each(|wanted| self.take_byte(wanted))
    }

    fn number(&mut self) -> Option<()> {
        self.take_byte(b'-');
        if self.take_byte(b'0').is_none() {
            self.digits()?;
        }
        if self.take_byte(b'.').is_some() {
            self.digits()?;
        }
        if self.take(|byte| b"eE".contains(&byte)).is_some() {
            self.take(|byte| b"+-".contains(&byte));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        self.take(|byte| byte.is_ascii_digit())?;
        self.skip(|byte| byte.is_ascii_digit());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_apart_into_its_members() {
        for (text, want) in [
            ("{}", vec![]),
            (" {\n} ", vec![]),
            (
                r#"{"a": [1, -0.5e+3, 0, {}], "b\"\u00e9" :null ,"ö":{"c":[[]]}}"#,
                vec![
                    (r#""a""#, "[1, -0.5e+3, 0, {}]"),
                    (r#""b\"\u00e9""#, "null"),
                    (r#""ö""#, r#"{"c":[[]]}"#),
                ],
            ),
            (
                r#"{"t":true,"f":false,"s":"\\"}"#,
                vec![
                    (r#""t""#, "true"),
                    (r#""f""#, "false"),
                    (r#""s""#, r#""\\""#),
                ],
            ),
        ] {
            assert_eq!(members(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused_at_the_byte_at_fault() {
        for (text, want) in [
            ("", 0),
            ("[]", 0),
            ("null", 0),
            ("{", 1),
            ("{} {}", 3),
            ("{'a': 1}", 1),
            (r#"{"a": 1,}"#, 8),
            (r#"{"a" 1}"#, 5),
            (r#"{"a": NaN}"#, 6),
            (r#"{"a": 01}"#, 7),
            (r#"{"a": 1.}"#, 8),
            (r#"{"a": -}"#, 7),
            (r#"{"a": 1e}"#, 8),
            (r#"{"a": nul}"#, 9),
            (r#"{"a": [1 2]}"#, 9),
            (r#"{"a": "\x"}"#, 8),
            (r#"{"a": "\u12"}"#, 11),
            ("{\"a\": \"\n\"}", 7),
            (r#"{"a": "b}"#, 9),
        ] {
            assert_eq!(members(text), Err(want), "{text}");
        }
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let nested = |depth| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(members(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(members(&nested(1_000_000)), Err(5 + MAX_DEPTH));
    }
}
