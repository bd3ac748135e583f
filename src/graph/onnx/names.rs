//! Makes ONNX names, which may be any text or empty, unique and valid for TensorFlow.

use std::collections::HashMap;

use super::super::name::problem;

/// Longer names are cut, because each scope repeats the names of those around it and no page shows them.
const MAX_NAME_BYTES: usize = 500;

/// For a node without a name, an operator and an output.
const UNNAMED: &str = "unnamed";

/// The names of a graph, with those of its bodies and functions.
#[derive(Debug)]
pub(super) struct Names {
    /// With the number to append to the next node of the same name.
    taken: HashMap<String, usize>,
    has_dotted_scopes: bool,
}

impl Names {
    /// Dots separate scopes unless one of `all` has a `/`.
    pub(super) fn new<'n>(all: impl IntoIterator<Item = &'n str>) -> Self {
        Self {
            taken: HashMap::new(),
            has_dotted_scopes: !all.into_iter().any(|name| name.contains('/')),
        }
    }

    /// How many names were added.
    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    /// Adds a name to a scope, which is empty or ends in `/`. If the name is taken, `_` and `hint` are appended, and a
    /// number if that is taken, too.
    pub(super) fn add(&mut self, scope: &str, name: &str, hint: &str) -> String {
        let mut name = [scope, &self.path(name, hint)].concat();
        // TensorFlow allows `_`, `-`, `>` and `\` only after the first character.
        if !name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '.') {
            name.insert(0, '.');
        }
        if problem(&name).is_some() {
            let first = name.find('/').unwrap_or(name.len());
            name.insert(first, '_');
        }
        if self.taken.contains_key(&name) && !hint.is_empty() {
            name = format!("{name}_{}", part(hint));
        }
        while let Some(number) = self.taken.get_mut(&name) {
            *number += 1;
            let number = *number;
            let next = format!("{name}_{number}");
            if !self.taken.contains_key(&next) {
                name = next;
            }
        }
        self.taken.insert(name.clone(), 0);
        name
    }

    /// The parts of a name, separated by `/`.
    fn path(&self, name: &str, hint: &str) -> String {
        let separator = if self.has_dotted_scopes && is_dotted_path(name) {
            '.'
        } else {
            '/'
        };
        let parts = name.split(separator).filter(|part| !part.is_empty());
        let mut path = parts.map(part).collect::<Vec<_>>().join("/");
        if path.is_empty() {
            path = part(hint);
        }
        if path.is_empty() {
            path = UNNAMED.into();
        }
        cut(path)
    }
}

/// Whether a name is the path of a module, like `layer1.0.conv1.weight`; `x.1`, `resnet_v1.5` and `0.5` are not.
fn is_dotted_path(name: &str) -> bool {
    let is_word =
        |part: &str| part.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let is_whole = !name.contains('/') && name.split('.').all(|part| !part.is_empty());
    let mut ends = name.split('.').take(1).chain(name.rsplit('.').take(1));
    is_whole && ends.all(is_word)
}

/// A part of a name: each character that TensorFlow does not allow becomes `_`, and so does `/`.
pub(super) fn part(name: &str) -> String {
    let valid = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' | '>' | '\\' => character,
        _ => '_',
    };
    cut(name.chars().take(MAX_NAME_BYTES).map(valid).collect())
}

/// The end of an ASCII name, which says more than the start.
fn cut(name: String) -> String {
    let start = name.len().saturating_sub(MAX_NAME_BYTES);
    name.get(start..)
        .unwrap_or_default()
        .trim_start_matches('/')
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(all: &[&str], names: &[(&str, &str)]) -> Vec<String> {
        let mut it = Names::new(all.iter().copied());
        names
            .iter()
            .map(|(name, hint)| it.add("", name, hint))
            .collect()
    }

    #[test]
    fn names_become_valid_for_tensorflow() {
        for (name, want) in [
            ("conv1", "conv1"),
            ("/layer1/layer1.0/conv1/Conv", "layer1/layer1.0/conv1/Conv"),
            ("a//b/", "a/b"),
            ("onnx::Conv_193", "onnx__Conv_193"),
            ("x:0", "x_0"),
            ("^x", "._x"),
            ("_v_193", "._v_193"),
            ("größe/損失", "gr__e/__"),
            ("a b\n", "a_b_"),
            ("", "Relu"),
            ("///", "Relu"),
            ("constructor/x", "constructor_/x"),
            ("__root__", ".__root__"),
            ("toString", "toString_"),
            ("x/toString", "x/toString"),
        ] {
            assert_eq!(added(&["/"], &[(name, "Relu")]), [want], "{name:?}");
        }
    }

    #[test]
    fn dots_of_module_paths_become_scopes_if_no_name_has_a_slash() {
        let names = [
            ("layer1.0.conv1.weight", "layer1/0/conv1/weight"),
            ("_a.b", "._a/b"),
            ("x.1", "x.1"),
            ("resnet_v1.5", "resnet_v1.5"),
            ("1.a", "1.a"),
            ("a.b/c", "a.b/c"), // of a body
            ("a..b", "a..b"),
            (".a", ".a"),
            ("a.", "a."),
        ];
        for (name, want) in names {
            assert_eq!(added(&["a.b", "x"], &[(name, "")]), [want], "{name}");
            assert_eq!(added(&["a.b", "a/b"], &[("a.b", "")]), ["a.b"]);
        }
    }

    #[test]
    fn names_are_unique() {
        let names = [
            ("y", "input"),
            ("y", "Relu"),
            ("y", "Relu"),
            ("y", "Relu"),
            ("y_Relu_1", "Relu"),
            ("y:Relu", "Relu"),
            ("", "Relu"),
            ("", "Relu"),
        ];
        let want = [
            "y",
            "y_Relu",
            "y_Relu_1",
            "y_Relu_2",
            "y_Relu_1_Relu",
            "y_Relu_Relu",
            "Relu",
            "Relu_Relu",
        ];
        assert_eq!(added(&[], &names), want);
    }

    #[test]
    fn long_names_keep_their_end() {
        let [name] = &added(&[], &[(&"abc/".repeat(1000), "")])[..] else {
            panic!()
        };
        assert_eq!(name.len(), MAX_NAME_BYTES - 1);
        assert!(name.ends_with("/abc") && name.starts_with("abc/"));
    }
}
