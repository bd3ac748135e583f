//! Which names the page can draw, and which names devices go by.

use std::borrow::Cow;

/// What every JavaScript object has. The page looks names up in plain objects, and fails where it finds one of these.
const JAVASCRIPT: &[&str] = &[
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
];
/// What the page calls the scope around all.
const ROOT: &str = "__root__";

/// Why the page cannot draw a node of this name.
pub(super) fn problem(name: &str) -> Option<String> {
    let first = name.split('/').next().unwrap_or_default();
    match first {
        "" => Some("its name is empty before the first `/`, any other text fits".into()),
        ROOT => Some("its name begins with that of the page's outermost scope".into()),
        _ => javascript_problem(first).map(|problem| format!("its name begins with {problem}")),
    }
}

/// Why the page cannot draw a node of this op.
pub(super) fn op_problem(op: &str) -> Option<String> {
    javascript_problem(op).map(|problem| format!("its op is {problem}"))
}

fn javascript_problem(word: &str) -> Option<String> {
    let fails = JAVASCRIPT.contains(&word);
    fails.then(|| format!("{word:?}, a word of JavaScript, at which the page fails"))
}

/// Why TensorFlow's rule forbids the name.
pub(super) fn rule_problem(name: &str) -> Option<String> {
    let fits = |(index, character): (usize, char)| {
        character.is_ascii_alphanumeric()
            || character == '.'
            || index > 0 && "_\\/>-".contains(character)
    };
    let (index, character) = name.char_indices().find(|&each| !fits(each))?;
    Some(format!(
        "its name has {character:?} at byte {index}, ASCII letters, digits, `.`, and after the first also `_`, `-`, `>`, `\\`, `/` fit"
    ))
}

/// The whole name of a device: `GPU:0` and `cuda` become `/device:GPU:0` and `/device:cuda:0`. What is whole already, or
/// of another form, stays.
pub(super) fn device(name: &str) -> Cow<'_, str> {
    if name.is_empty() || name.starts_with('/') || name.contains("device:") {
        return name.into();
    }
    match name.split_once(':') {
        None => format!("/device:{name}:0").into(),
        Some((kind, number))
            if !kind.is_empty()
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            format!("/device:{name}").into()
        }
        Some(_) => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_the_rule() {
        for name in ["a", "A.b", "0", "encoder/layer_1/MatMul", r"a\b>c-d", ".a"] {
            assert_eq!(rule_problem(name), None, "{name}");
        }
        for (name, place) in [
            ("_a", "'_' at byte 0"),
            ("^a", "'^' at byte 0"),
            ("/a", "'/' at byte 0"),
            ("a b", "' ' at byte 1"),
            ("a:0", "':' at byte 1"),
            ("aé", "'é' at byte 1"),
            ("a/(a)", "'(' at byte 2"),
        ] {
            let problem = rule_problem(name).unwrap();
            assert!(problem.contains(place), "{name}: {problem}");
        }
    }

    #[test]
    fn what_the_page_fails_at_is_known() {
        for name in ["a", "a/constructor", "a//b", "a/", "a b:0", "__rooted__"] {
            assert_eq!(problem(name), None, "{name}");
        }
        for name in [
            "",
            "/a",
            "constructor",
            "toString/x",
            "__root__",
            "__proto__/a",
        ] {
            assert!(problem(name).is_some(), "{name}");
        }
        assert_eq!(op_problem("Relu"), None);
        assert_eq!(
            op_problem("valueOf").unwrap(),
            "its op is \"valueOf\", a word of JavaScript, at which the page fails"
        );
    }

    #[test]
    fn devices_get_the_name_that_the_page_ticks() {
        for (given, want) in [
            ("GPU:0", "/device:GPU:0"),
            ("cuda:11", "/device:cuda:11"),
            ("CPU", "/device:CPU:0"),
            ("", ""),
            ("/device:GPU:0", "/device:GPU:0"),
            ("device:TPU:3", "device:TPU:3"),
            (
                "/job:a/replica:0/task:0/device:CPU:0",
                "/job:a/replica:0/task:0/device:CPU:0",
            ),
            ("GPU:all", "GPU:all"),
            ("a:b:0", "a:b:0"),
            (":0", ":0"),
        ] {
            assert_eq!(device(given), want, "{given}");
        }
    }
}
