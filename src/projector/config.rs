//! The dashboard's config, a message in protobuf's text format: a block is added, one of the same name goes, and whatever
//! else is there stays as it is.

use std::fmt;
use std::ops::Range;

/// What the config says of one embedding, whose files are in `folder`.
pub(super) struct Block<'a> {
    pub(super) name: &'a str,
    /// Below the run's directory, with `/` between its parts.
    pub(super) folder: &'a str,
    pub(super) has_metadata: bool,
    /// Width and height of one, in pixels.
    pub(super) thumbnail: Option<(u32, u32)>,
}

pub(super) const TENSORS: &str = "tensors.tsv";
pub(super) const METADATA: &str = "metadata.tsv";
pub(super) const SPRITE: &str = "sprite.png";

impl fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, folder, .. } = self;
        let folder = Escaped(folder);
        writeln!(f, "embeddings {{")?;
        writeln!(f, "  tensor_name: \"{}\"", Escaped(name))?;
        writeln!(f, "  tensor_path: \"{folder}/{TENSORS}\"")?;
        if self.has_metadata {
            writeln!(f, "  metadata_path: \"{folder}/{METADATA}\"")?;
        }
        if let Some((width, height)) = self.thumbnail {
            writeln!(f, "  sprite {{")?;
            writeln!(f, "    image_path: \"{folder}/{SPRITE}\"")?;
            writeln!(f, "    single_image_dim: {width}")?;
            writeln!(f, "    single_image_dim: {height}")?;
            writeln!(f, "  }}")?;
        }
        writeln!(f, "}}")
    }
}

/// The bytes of a string in its quotes, as the stock writer has them: printable ASCII, all else as octal numbers.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "\\{byte:03o}")?,
            }
        }
        Ok(())
    }
}

/// A config without the blocks of one name.
#[derive(Debug, PartialEq)]
pub(super) struct Rest {
    pub(super) text: String,
    /// Where the tensors of the blocks that were taken out are.
    pub(super) tensor_paths: Vec<String>,
}

/// Takes the blocks called `name` out of `config`, or says why it is no message in text format.
pub(super) fn without(config: &str, name: &str) -> Result<Rest, &'static str> {
    let mut rest = Rest {
        text: String::new(),
        tensor_paths: Vec::new(),
    };
    let mut kept_to = 0;
    let mut closings = Vec::new();
    // The last word outside of all brackets, and the last one within those of a block.
    let (mut outer, mut inner) = ((0, ""), "");
    // Where the block begins that is being read, and its strings so far.
    let mut block: Option<usize> = None;
    let (mut tensor_name, mut tensor_path) = (Vec::new(), Vec::new());
    for token in Tokens::of(config) {
        let (place, token) = token?;
        match token {
            Token::Word(word) if closings.is_empty() => outer = (place.start, word),
            Token::Word(word) if closings.len() == 1 => inner = word,
            Token::Text(bytes) if closings.len() == 1 && block.is_some() => match inner {
                "tensor_name" => tensor_name.extend(bytes),
                "tensor_path" => tensor_path.extend(bytes),
                _ => {}
            },
            Token::Open(closing) => {
                // A list of blocks, which no writer makes of them, stays as it is.
                if closings.is_empty() && outer.1 == "embeddings" && closing != b']' {
                    block = Some(outer.0);
                    tensor_name.clear();
                    tensor_path.clear();
                }
                closings.push(closing);
            }
            Token::Close(closing) => {
                if closings.pop() != Some(closing) {
                    return Err("it has a closing bracket too many");
                }
                if let Some(start) = block.take_if(|_| closings.is_empty())
                    && tensor_name == name.as_bytes()
                {
                    rest.text += config.get(kept_to..start).unwrap_or_default();
                    kept_to = end_of_field(config, place.end);
                    let path = String::from_utf8(tensor_path.clone());
                    rest.tensor_paths.extend(path);
                }
            }
            _ => {}
        }
    }
    if !closings.is_empty() {
        return Err("it has an opening bracket too many");
    }
    rest.text += config.get(kept_to..).unwrap_or_default();
    if !rest.text.is_empty() && !rest.text.ends_with('\n') {
        rest.text.push('\n');
    }
    Ok(rest)
}

/// Behind the separator and the line break that may follow a field.
fn end_of_field(config: &str, end: usize) -> usize {
    let rest = config.get(end..).unwrap_or_default();
    let left = rest.trim_start();
    let left = left.strip_prefix([',', ';']).unwrap_or(rest);
    let left = left.strip_prefix('\n').unwrap_or(left);
    config.len() - left.len()
}

enum Token<'a> {
    Word(&'a str),
    /// A string, without quotes and escapes.
    Text(Vec<u8>),
    /// With the bracket that is to close it.
    Open(u8),
    Close(u8),
    Separator,
}

struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The string behind its opening quote.
    fn string(&mut self, quote: u8) -> Result<Vec<u8>, &'static str> {
        let mut decoded = Vec::new();
        loop {
            match self.byte() {
                None | Some(b'\n') => return Err("it has a string without an end"),
                Some(b'\\') => self.escape(&mut decoded)?,
                Some(byte) if byte == quote => return Ok(decoded),
                Some(byte) => decoded.push(byte),
            }
        }
    }

    fn escape(&mut self, decoded: &mut Vec<u8>) -> Result<(), &'static str> {
        const UNKNOWN: &str = "it has an unknown escape in a string";
        decoded.push(match self.byte().ok_or(UNKNOWN)? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            byte @ (b'\\' | b'\'' | b'"' | b'?') => byte,
            b'0'..=b'7' => {
                self.at -= 1;
                u8::try_from(self.number(8, 3).ok_or(UNKNOWN)?).map_err(|_| UNKNOWN)?
            }
            b'x' | b'X' => u8::try_from(self.number(16, 2).ok_or(UNKNOWN)?).map_err(|_| UNKNOWN)?,
            long @ (b'u' | b'U') => {
                let digits = if long == b'u' { 4 } else { 8 };
                let code = self.number(16, digits).ok_or(UNKNOWN)?;
                let char = char::from_u32(code).ok_or(UNKNOWN)?;
                decoded.extend(char.encode_utf8(&mut [0; 4]).bytes());
                return Ok(());
            }
            _ => return Err(UNKNOWN),
        });
        Ok(())
    }

    /// A number of one to `most` digits.
    fn number(&mut self, radix: u32, most: usize) -> Option<u32> {
        let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
        let digits = self.rest().bytes().take(most).take_while(is_digit).count();
        let number = u32::from_str_radix(self.rest().get(..digits)?, radix).ok();
        self.at += digits;
        number
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.text.as_bytes().get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<(Range<usize>, Token<'a>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if !self.rest().starts_with('#') {
                break;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
        let start = self.at;
        let rest = self.rest();
        let token = match self.byte()? {
            b'{' => Token::Open(b'}'),
            b'<' => Token::Open(b'>'),
            b'[' => Token::Open(b']'),
            byte @ (b'}' | b'>' | b']') => Token::Close(byte),
            b':' | b',' | b';' => Token::Separator,
            quote @ (b'"' | b'\'') => match self.string(quote) {
                Ok(decoded) => Token::Text(decoded),
                Err(problem) => return Some(Err(problem)),
            },
            _ => {
                let ends = |c: char| c.is_whitespace() || "{}<>[]:,;\"'#".contains(c);
                let word = rest.split(ends).next().unwrap_or_default();
                self.at = start + word.len();
                Token::Word(word)
            }
        };
        Some(Ok((start..self.at, token)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_the_paths_of_what_there_is() {
        let mut block = Block {
            name: "a \"b\\c\" ö\0:00003",
            folder: "00003/a",
            has_metadata: false,
            thumbnail: None,
        };
        // Octal: 0 is \000, the two bytes of ö, c3 b6, are \303 \266.
        let want = r#"embeddings {
  tensor_name: "a \"b\\c\" \303\266\000:00003"
  tensor_path: "00003/a/tensors.tsv"
}
"#;
        assert_eq!(block.to_string(), want);
        block.has_metadata = true;
        block.thumbnail = Some((28, 14));
        let more = r#"  metadata_path: "00003/a/metadata.tsv"
  sprite {
    image_path: "00003/a/sprite.png"
    single_image_dim: 28
    single_image_dim: 14
  }
}
"#;
        assert_eq!(
            block.to_string(),
            want.trim_end_matches("}\n").to_owned() + more
        );
    }

    #[test]
    fn only_the_blocks_of_the_name_go() {
        let other = "embeddings {\n  tensor_name: \"b:00000\"\n  tensor_path: \"x\"\n}\n";
        for (config, kept, paths) in [
            ("", "", &[][..]),
            (other, other, &[]),
            (
                "model_checkpoint_path: \"a:00000\"",
                "model_checkpoint_path: \"a:00000\"\n",
                &[],
            ),
            (
                "embeddings { tensor_name: 'a:00000' tensor_path: 'p/q' }",
                "",
                &["p/q"],
            ),
            (
                "embeddings: <tensor_name: 'a' \":00000\",tensor_path:'p';> ;\nx: 1",
                "x: 1\n",
                &["p"],
            ),
            // The name in octal, in hexadecimal and by code point.
            (
                r#"embeddings{tensor_name:"\141\x3a\u0030\U000000300\060\60"}"#,
                "",
                &[""],
            ),
            // Brackets, quotes and names in comments, in strings, in other fields and in deeper ones.
            (
                "# } \"\nembeddings { tensor_name: 'a:00000' sprite { image_path: '}' } } # b",
                "# } \"\n # b\n",
                &[""],
            ),
            (
                "other { tensor_name: 'a:00000' }\n",
                "other { tensor_name: 'a:00000' }\n",
                &[],
            ),
            (
                "embeddings { sprite { tensor_name: 'a:00000' } bookmarks_path: 'a:00000' }\n",
                "embeddings { sprite { tensor_name: 'a:00000' } bookmarks_path: 'a:00000' }\n",
                &[],
            ),
            (
                "embeddings: [{ tensor_name: 'b' }, {}]\n",
                "embeddings: [{ tensor_name: 'b' }, {}]\n",
                &[],
            ),
        ] {
            let rest = without(config, "a:00000").unwrap();
            assert_eq!(
                (&*rest.text, &rest.tensor_paths[..]),
                (
                    kept,
                    &paths
                        .iter()
                        .map(|path| String::from(*path))
                        .collect::<Vec<_>>()[..]
                ),
                "{config}"
            );
        }
        let both = format!("{other}embeddings {{ tensor_name: 'a:00000' }}\n{other}");
        assert_eq!(without(&both, "a:00000").unwrap().text, other.repeat(2));
    }

    #[test]
    fn what_is_no_message_is_told() {
        for (config, want) in [
            ("embeddings {", "it has an opening bracket too many"),
            ("embeddings { ]", "it has a closing bracket too many"),
            ("}", "it has a closing bracket too many"),
            ("a: \"b", "it has a string without an end"),
            ("a: \"b\nc\"", "it has a string without an end"),
            (r#"a: "\"#, "it has an unknown escape in a string"),
            (r#"a: "\400""#, "it has an unknown escape in a string"),
            (r#"a: "\xg""#, "it has an unknown escape in a string"),
            (r#"a: "\ud800""#, "it has an unknown escape in a string"),
            (r#"a: "\ö""#, "it has an unknown escape in a string"),
        ] {
            assert_eq!(without(config, "a"), Err(want), "{config}");
        }
    }

    #[test]
    fn a_config_cut_anywhere_is_read_without_a_panic() {
        let block = Block {
            name: "ö\"\\\n",
            folder: "1/2",
            has_metadata: true,
            thumbnail: Some((1, 1)),
        };
        let config =
            format!("# ö {block}\nembeddings: <tensor_name: '\\303\\266' 'ö\\u00f6'>; {block}");
        for end in 0..=config.len() {
            if let Some(start) = config.get(..end) {
                without(start, "ö\"\\\n").ok();
            }
        }
        let rest = without(&format!("{block}{block}"), "ö\"\\\n").unwrap();
        assert_eq!((&*rest.text, rest.tensor_paths.len()), ("", 2));
    }
}
