//! What a program takes on with this crate: the crates that are built with it, by name, so that nobody comes unseen.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::process::Command;

/// Without default features, and no more than this.
const SCALARS_ONLY: [&str; 4] = ["bytes", "crc32c", "log", "prost"];
/// What the default features add. There are two versions of `miniz_oxide`: that of `flate2` and that of `png`.
const DEFAULT: [&str; 13] = [
    "adler2",
    "bitflags",
    "cfg-if",
    "crc32fast",
    "fdeflate",
    "flate2",
    "gif",
    "miniz_oxide",
    "miniz_oxide",
    "noto-sans-mono-bitmap",
    "png",
    "simd-adler32",
    "weezl",
];
/// What only the build scripts of others need: that of `crc32c` asks for the compiler's version.
const BUILD_SCRIPTS: [&str; 2] = ["rustc_version", "semver"];

/// The names of the crates that are built on one platform, whatever the one of the test is, one for each version.
fn crates(features: &[&str], edges: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--offline", "--prefix=none"])
        .args([
            "--package=summary-writer",
            "--target=x86_64-unknown-linux-gnu",
        ])
        .arg(format!("--edges={edges}"))
        .args(features)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    // `name version`, and what kind of crate it is or that it stood there before.
    let mut crates: Vec<(&str, &str)> = lines
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?))
        })
        .filter(|(name, _)| *name != "summary-writer")
        .collect();
    crates.sort_unstable();
    crates.dedup();
    crates.iter().map(|(name, _)| (*name).to_owned()).collect()
}

fn sorted(parts: &[&[&'static str]]) -> Vec<&'static str> {
    let mut names = parts.concat();
    names.sort_unstable();
    names
}

#[test]
fn scalars_only_are_built_with_four_crates() {
    let features = &["--no-default-features"];
    assert_eq!(crates(features, "normal"), SCALARS_ONLY);
    let all = sorted(&[&SCALARS_ONLY, &BUILD_SCRIPTS]);
    assert_eq!(crates(features, "normal,build"), all);
}

#[test]
fn the_default_features_are_built_with_fewer_than_twenty() {
    let normal = sorted(&[&SCALARS_ONLY, &DEFAULT]);
    assert_eq!(crates(&[], "normal"), normal);
    let all = sorted(&[&SCALARS_ONLY, &DEFAULT, &BUILD_SCRIPTS]);
    assert_eq!(crates(&[], "normal,build"), all);
    assert!(all.len() < 20, "{}", all.len());
}
