//! The layers of `src/`. Each layer may use only the layers that are listed before it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

/// From the bottom to the top. A layer is a file or a folder. Modules that are not listed are pages of the docs.
#[rustfmt::skip]
const LAYERS: &[&str] = &[
    "error", "platform", "store", "location", "replace_file", "report", "rank", "proto", "record", "event", "summary", "embedding", "graph", "reader", "writer",
    "reduce", "training", "current", "integrations", "bin",
];

/// The code of a file or folder, without comments and tests.
fn code(path: &Path) -> String {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let sources = paths.filter(|path| !path.ends_with("tests") && !path.ends_with("tests.rs"));
        return sources.map(|path| code(&path)).collect();
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let code = text.split("\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn each_layer_uses_only_the_layers_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (i, layer) in LAYERS.iter().enumerate() {
        let code = code(&src.join(layer)) + &code(&src.join(format!("{layer}.rs")));
        assert!(!code.contains("crate::{"), "{layer}: one `use` per layer");
        for above in &LAYERS[i + 1..] {
            let path = format!("crate::{above}");
            let line = code.lines().find(|line| line.contains(&path));
            assert!(line.is_none(), "{layer} uses {above}: {line:?}");
        }
    }
}
