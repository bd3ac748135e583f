//! Checks names of nodes, and completes names of devices.

use std::borrow::Cow;

/// Properties of every JavaScript object. The page uses plain objects as maps from names, and fails at these.
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
/// The page's name for the scope that contains all others.
const ROOT: &str = "__root__";

/// Says why the page cannot draw a node of this name.
pub(super) fn problem(name: &str) -> Option<String> {
    let first = name.split('/').next().unwrap_or_default();
    if first.is_empty() {
        return Some("expected a name that is not empty and does not begin with `/`".into());
    }
    let fails = first == ROOT || JAVASCRIPT.contains(&first);
    fails.then(|| {
        format!("expected another start of the name, because the page fails at it, got {first:?}")
    })
}

/// Says why the page cannot draw a node of this op.
pub(super) fn op_problem(op: &str) -> Option<String> {
    let fails = JAVASCRIPT.contains(&op);
    fails.then(|| format!("expected another op, because the page fails at it, got {op:?}"))
}

/// Says why TensorFlow's rule forbids the name.
pub(super) fn rule_problem(name: &str) -> Option<String> {
    let is_valid = |(index, character): (usize, char)| {
        character.is_ascii_alphanumeric()
            || character == '.'
            || index > 0 && "_\\/>-".contains(character)
    };
    let (index, character) = name.char_indices().find(|&each| !is_valid(each))?;
    Some(format!(
        "expected a name of ASCII letters, digits, `.`, and after the first character `_`, `-`, `>`, `\\`, `/`, got {character:?} at byte {index}"
    ))
}

/// The full name of a device: `GPU:0` and `cuda` become `/device:GPU:0` and `/device:cuda:0`. Names of another form are
/// not changed.
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
    fn names_follow_the_rule_of_tensorflow() {
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
    fn names_at_which_the_page_fails_are_refused() {
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
            "expected another op, because the page fails at it, got \"valueOf\""
        );
    }

    #[test]
    fn devices_get_their_full_name() {
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
