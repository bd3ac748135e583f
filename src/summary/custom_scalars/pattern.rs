//! Checks regular expressions of Python's `re`, which the dashboard compiles.
//!
//! The crates for regular expressions have another syntax: they reject `[[]`, which Python accepts, and accept `a**` and
//! `(?<name>a)`, which Python rejects.

/// What a repetition such as `*` would repeat.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// A start, or a position such as `^`.
    Nothing,
    Item,
    Repetition,
}

/// Fails if Python rejects the pattern. `is_alone` says that the dashboard does not put it into a group.
///
/// This does not find: references to groups that do not exist, lookbehinds of varying length, reversed ranges, wrong digits
/// (`\xg`), and the same name for two groups.
pub(super) fn check(pattern: &str, is_alone: bool) -> Result<(), String> {
    let mut before = Before::Nothing;
    let mut depth = 0usize;
    let mut rest = pattern;
    while let Some(c) = next(&mut rest) {
        before = match c {
            '\\' => escape(&mut rest)?,
            '[' => class(&mut rest)?,
            '(' => {
                let may_have_flags = is_alone && rest.len() + 1 == pattern.len();
                let group = group(&mut rest, may_have_flags)?;
                match group {
                    Group::Open => {
                        depth += 1;
                        Before::Nothing
                    }
                    Group::Reference => Before::Item,
                    Group::Comment => before,
                }
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or("a `)` without a `(`")?;
                Before::Item
            }
            '|' | '^' | '$' => Before::Nothing,
            '*' | '+' | '?' => repetition(&mut rest, before, &c.to_string())?,
            '{' => match counts(&mut rest) {
                Some(counts) => repetition(&mut rest, before, &format!("{{{counts}}}"))?,
                None => Before::Item,
            },
            _ => Before::Item,
        };
    }
    if depth > 0 {
        return Err("a `(` without a `)`".into());
    }
    Ok(())
}

fn next(rest: &mut &str) -> Option<char> {
    let c = rest.chars().next()?;
    *rest = &rest[c.len_utf8()..];
    Some(c)
}

/// After a backslash.
fn escape(rest: &mut &str) -> Result<Before, String> {
    match next(rest) {
        None => Err("a `\\` at the end".into()),
        Some('A' | 'b' | 'B' | 'Z') => Ok(Before::Nothing),
        Some(c) if c.is_ascii_alphabetic() && !"dDsSwWafnrtvxuUN".contains(c) => {
            Err(format!("the unknown escape `\\{c}`"))
        }
        Some(_) => Ok(Before::Item),
    }
}

/// After a `[`.
fn class(rest: &mut &str) -> Result<Before, String> {
    *rest = rest.strip_prefix('^').unwrap_or(rest);
    // A `]` that comes first is a member.
    let mut is_first = true;
    while let Some(c) = next(rest) {
        match c {
            ']' if !is_first => return Ok(Before::Item),
            '\\' => {
                next(rest);
            }
            _ => {}
        }
        is_first = false;
    }
    Err("a `[` without a `]`".into())
}

enum Group {
    Open,
    Reference,
    Comment,
}

/// After a `(`.
fn group(rest: &mut &str, may_have_flags: bool) -> Result<Group, String> {
    let Some(extension) = rest.strip_prefix('?') else {
        return Ok(Group::Open);
    };
    for (start, end, group) in [
        ("#", ")", Group::Comment),
        ("P=", ")", Group::Reference),
        ("P<", ">", Group::Open),
        ("(", ")", Group::Open),
        (":", "", Group::Open),
        ("=", "", Group::Open),
        ("!", "", Group::Open),
        (">", "", Group::Open),
        ("<=", "", Group::Open),
        ("<!", "", Group::Open),
    ] {
        if let Some(inner) = extension.strip_prefix(start) {
            let missing = || format!("a `(?{start}` without a `{end}`");
            (_, *rest) = inner.split_once(end).ok_or_else(missing)?;
            return Ok(group);
        }
    }
    let after_flags = extension.trim_start_matches(['a', 'i', 'L', 'm', 's', 'u', 'x', '-']);
    let flags = &extension[..extension.len() - after_flags.len()];
    *rest = after_flags;
    match next(rest) {
        Some(':') if !flags.is_empty() => Ok(Group::Open),
        Some(')') if !flags.is_empty() && may_have_flags => Ok(Group::Comment),
        Some(')') if !flags.is_empty() => Err(format!(
            "`(?{flags})`, which only works at the start of a single pattern; `(?{flags}:...)` works"
        )),
        _ => {
            let start: String = extension.chars().take(2).collect();
            Err(format!("the unknown group `(?{start}`"))
        }
    }
}

/// Takes `2}`, `2,}`, `,3}` or `2,3}`. Anything else after a `{` makes it an ordinary character.
fn counts<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (text, after) = rest.split_once('}')?;
    let (low, high) = text.split_once(',').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    if text.is_empty() || !is_number(low) || !is_number(high) {
        return None;
    }
    *rest = after;
    Some(text)
}

/// After a repetition. A `?` may follow it, and since Python 3.11 a `+`.
fn repetition(rest: &mut &str, before: Before, sign: &str) -> Result<Before, String> {
    match before {
        Before::Nothing => Err(format!("a `{sign}` with nothing before it")),
        Before::Repetition => Err(format!("a `{sign}` after another repetition")),
        Before::Item => {
            *rest = rest.strip_prefix(['?', '+']).unwrap_or(rest);
            Ok(Before::Repetition)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python 3.11's `re.compile` accepts the first list and rejects the second one.
    #[test]
    fn patterns_are_accepted_as_python_does() {
        for pattern in [
            "loss/.*",
            "a|b|",
            "[]]",
            "[^]a]+",
            "[[(*]",
            r"[\]]",
            "(?P<x>a)(?P=x)*",
            "(?:a)(?=b)(?!c)(?<=d)(?<!e)(?>f)",
            "(a)?(?(1)b|c)",
            "a(?#comment)*",
            "(?i:a)(?-i:b)",
            "(?i)a",
            "()*",
            "a*?b+?c??d*+",
            "a{2}b{2,}c{,3}d{2,3}?",
            "{",
            "{}",
            "x{a}*",
            "^{",
            r"\(\[\.\\\$",
            r"\d\D\s\S\w\W\bx\Bx\AxZ\Z",
            "損失/.*",
        ] {
            assert_eq!(check(pattern, true), Ok(()), "{pattern}");
        }
        for (pattern, want) in [
            ("(", "a `(` without a `)`"),
            ("a)", "a `)` without a `(`"),
            ("[", "a `[` without a `]`"),
            ("[]", "a `[` without a `]`"),
            (r"[a\]", "a `[` without a `]`"),
            ("*a", "a `*` with nothing before it"),
            ("a|+", "a `+` with nothing before it"),
            ("(?:?)", "a `?` with nothing before it"),
            ("^*", "a `*` with nothing before it"),
            ("{2}", "a `{2}` with nothing before it"),
            ("a**", "a `*` after another repetition"),
            ("a*?{2}", "a `{2}` after another repetition"),
            ("a\\", "a `\\` at the end"),
            (r"\pL", r"the unknown escape `\p`"),
            ("(?<x>a)", "the unknown group `(?<x`"),
            ("(?", "the unknown group `(?`"),
            ("(?P<x", "a `(?P<` without a `>`"),
            (
                "a(?i)",
                "`(?i)`, which only works at the start of a single pattern; `(?i:...)` works",
            ),
        ] {
            assert_eq!(check(pattern, true), Err(want.into()), "{pattern}");
        }
        assert!(check("(?i)a", false).is_err());
    }
}
