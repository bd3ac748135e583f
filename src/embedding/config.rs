//! `projector_config.pbtxt`, a message in protobuf's text format. Each embedding has an entry in it:
//!
//! ```text
//! embeddings {
//!   tensor_name: "hidden layer:00003"
//!   tensor_path: "00003/hidden_layer/tensors.tsv"
//! }
//! ```
//!
//! Other writers may add entries of any form. They stay as they are.

use std::ops::Range;

use super::Embedding;
use super::files::{METADATA, SPRITE, TENSORS};

/// The entry of an embedding whose files are in `folder`, which needs no escapes.
pub(super) fn entry(name: &str, folder: &str, embedding: &Embedding) -> String {
    let name = escape(name);
    let mut fields = format!("  tensor_name: \"{name}\"\n  tensor_path: \"{folder}/{TENSORS}\"\n");
    if embedding.metadata.is_some() {
        fields += &format!("  metadata_path: \"{folder}/{METADATA}\"\n");
    }
    if embedding.sprite.is_some() {
        let (width, height) = embedding.thumbnail_size;
        fields += &format!(
            "  sprite {{\n    image_path: \"{folder}/{SPRITE}\"\n    \
             single_image_dim: {width}\n    single_image_dim: {height}\n  }}\n"
        );
    }
    format!("embeddings {{\n{fields}}}\n")
}

fn escape(text: &str) -> String {
    text.as_bytes().escape_ascii().to_string()
}

/// Removes the entries called `name`. Returns the rest of the config, and the `tensor_path` of the removed entries. The
/// error says why the config is not in text format.
pub(super) fn remove(config: &str, name: &str) -> Result<(String, Vec<String>), &'static str> {
    let name = escape(name);
    remove_if(config, |entry, _| entry == name)
}

/// Removes the entries for which `is_removed` returns true. Its arguments are the `tensor_name`, with its escapes, and the
/// `tensor_path`.
pub(super) fn remove_if(
    config: &str,
    is_removed: impl Fn(&str, &str) -> bool,
) -> Result<(String, Vec<String>), &'static str> {
    let mut rest = String::new();
    let mut tensor_paths = Vec::new();
    let mut kept_until = 0;
    for range in entries(config)? {
        let entry = &config[range.clone()];
        let name = string_field(entry, "tensor_name").unwrap_or_default();
        let tensor_path = string_field(entry, "tensor_path");
        if is_removed(name, tensor_path.unwrap_or_default()) {
            rest += &config[kept_until..range.start];
            let after = config[range.end..].trim_start_matches([' ', ',', ';']);
            let after = after.strip_prefix('\n').unwrap_or(after);
            kept_until = config.len() - after.len();
            tensor_paths.extend(tensor_path.map(str::to_owned));
        }
    }
    rest += &config[kept_until..];
    if !rest.is_empty() && !rest.ends_with('\n') {
        rest.push('\n');
    }
    Ok((rest, tensor_paths))
}

/// Returns the `tensor_name` of each entry that has one. The error says why the config is not in text format.
pub(super) fn names(config: &str) -> Result<Vec<String>, &'static str> {
    let entries = entries(config)?.into_iter();
    let names = entries.filter_map(|range| string_field(&config[range], "tensor_name"));
    Ok(names.map(unescape).collect())
}

/// Finds `embeddings { ... }` outside of all brackets, strings and comments.
fn entries(config: &str) -> Result<Vec<Range<usize>>, &'static str> {
    let mut entries = Vec::new();
    let mut depth = 0usize;
    let mut start = None;
    let mut chars = config.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '#' => {
                chars.find(|(_, c)| *c == '\n');
            }
            '"' | '\'' => loop {
                match chars.next() {
                    Some((_, '\\')) => {
                        chars.next();
                    }
                    Some((_, end)) if end == c => break,
                    Some((_, '\n')) | None => return Err("a string has no end"),
                    Some(_) => {}
                }
            },
            '{' | '<' | '[' => {
                if depth == 0 && c != '[' {
                    let before = config[..i].trim_end_matches([' ', ':']);
                    start = before.strip_suffix("embeddings").map(str::len);
                }
                depth += 1;
            }
            '}' | '>' | ']' => {
                depth = depth.checked_sub(1).ok_or("a bracket is never opened")?;
                if depth == 0 {
                    entries.extend(start.take().map(|start| start..i + 1));
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err("a bracket is never closed");
    }
    Ok(entries)
}

/// The text between the quotes of a field, with its escapes.
fn string_field<'a>(entry: &'a str, field: &str) -> Option<&'a str> {
    let (_, value) = entry.split_once(field)?;
    let value = value.trim_start_matches([' ', ':']);
    let quote = value.chars().next()?;
    let text = value.strip_prefix(['"', '\''])?;
    let mut is_escaped = false;
    let end = text.find(|c| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some(&text[..end])
}

/// Replaces the escapes of a string in text format: `\n`, `\"`, `\xc3`, `\303`, ...
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [escape, after @ ..] = rest else { break };
        let (radix, digits, max_len) = match escape {
            b'x' | b'X' => (16, after, 2),
            _ => (8, rest, 3),
        };
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let len = digits.iter().take(max_len).take_while(is_digit).count();
        let code = str::from_utf8(&digits[..len]).unwrap_or_default();
        match u32::from_str_radix(code, radix) {
            // The format wraps codes beyond a byte around, as `\400`.
            Ok(code) => {
                bytes.push(code.to_le_bytes()[0]);
                rest = &digits[len..];
            }
            Err(_) => {
                bytes.push(match escape {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_all_writers() {
        let ours = entry(
            "a \"b\\c\"\t\r\n' ö\0:00003",
            "x",
            &Embedding::new("", &[1.0, 2.0], 1).unwrap(),
        );
        // `google.protobuf.text_format` writes octal escapes, and PyTorch writes one space before each brace.
        let python =
            "embeddings {\ntensor_name: \"\\303\\266\\n1\\0011:00000\"\ntensor_path: \"p\"\n}\n";
        let odd = r#"embeddings: <tensor_name:'\'"x\?'> embeddings { tensor_path: 'q' }"#;
        let config = [&ours, python, odd].concat();
        let want = ["a \"b\\c\"\t\r\n' ö\0:00003", "ö\n1\u{1}1:00000", "'\"x?"];
        assert_eq!(names(&config).unwrap(), want);
        assert_eq!(names("embeddings {"), Err("a bracket is never closed"));
    }

    #[test]
    fn entry_lists_the_files_and_escapes_the_name() {
        let mut embedding = Embedding::new("", &[1.0, 2.0], 1).unwrap();
        let name = "a \"b\\c\" ö\0:00003";
        // ö is c3 b6 in UTF-8.
        let want = r#"embeddings {
  tensor_name: "a \"b\\c\" \xc3\xb6\x00:00003"
  tensor_path: "00003/a/tensors.tsv"
}
"#;
        assert_eq!(entry(name, "00003/a", &embedding), want);
        embedding.metadata = Some("x\ny\n".into());
        embedding.sprite = Some(Vec::new());
        embedding.thumbnail_size = (28, 14);
        let want = r#"embeddings {
  tensor_name: "b"
  tensor_path: "1/b/tensors.tsv"
  metadata_path: "1/b/metadata.tsv"
  sprite {
    image_path: "1/b/sprite.png"
    single_image_dim: 28
    single_image_dim: 14
  }
}
"#;
        assert_eq!(entry("b", "1/b", &embedding), want);
    }

    #[test]
    fn only_entries_of_the_name_are_removed() {
        let other = "embeddings {\n  tensor_name: \"b:00000\"\n  tensor_path: \"x\"\n}\n";
        let list = "embeddings: [{ tensor_name: 'b' }, {}]\n";
        let comment = "# } \" embeddings { tensor_name: 'a:00000' }\n";
        for (config, kept, paths) in [
            ("", "", &[][..]),
            (other, other, &[]),
            (list, list, &[]),
            (comment, comment, &[]),
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
                "embeddings: <tensor_name:\"a:00000\",tensor_path:'p';> ;\nx: 1",
                "x: 1\n",
                &["p"],
            ),
            // Brackets and quotes inside a string.
            (
                "embeddings { tensor_name: 'a:00000' sprite { image_path: '\\'}' } } # b",
                "# b\n",
                &[],
            ),
        ] {
            let (rest, tensor_paths) = remove(config, "a:00000").unwrap();
            assert_eq!(
                (&*rest, tensor_paths),
                (kept, paths.iter().map(|path| path.to_string()).collect()),
                "{config}"
            );
        }
        let both = format!("{other}embeddings {{ tensor_name: 'a:00000' }}\n{other}");
        assert_eq!(remove(&both, "a:00000").unwrap().0, other.repeat(2));
    }

    #[test]
    fn a_damaged_config_is_an_error() {
        for (config, want) in [
            ("embeddings {", "a bracket is never closed"),
            ("}", "a bracket is never opened"),
            ("a: \"b", "a string has no end"),
            ("a: \"b\nc\"", "a string has no end"),
            (r#"a: "\"#, "a string has no end"),
        ] {
            assert_eq!(remove(config, "a"), Err(want), "{config}");
        }
    }

    #[test]
    fn a_config_cut_anywhere_does_not_panic() {
        let mut embedding = Embedding::new("", &[1.0, 2.0], 1).unwrap();
        embedding.sprite = Some(Vec::new());
        let name = "ö\"\\\n";
        let entry = entry(name, "1/2", &embedding);
        let config = format!("# ö {entry}\nembeddings: <tensor_name: '\\303\\266' 'ö'>; {entry}");
        for end in (0..=config.len()).filter(|end| config.is_char_boundary(*end)) {
            remove(&config[..end], name).ok();
            names(&config[..end]).ok();
        }
        let (rest, tensor_paths) = remove(&entry.repeat(2), name).unwrap();
        assert_eq!((&*rest, tensor_paths.len()), ("", 2));
    }
}
