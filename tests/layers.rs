//! The house: which room may know what. Arrows point down only, and every room is there.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// A file or folder of `src/`, and the words that stand in none of its files.
const ROOMS: &[(&str, &[&str])] = &[
    ("error.rs", &["crate::", "std::fs", "std::thread"]),
    ("proto", &["crate::", "std::"]),
    (
        "record",
        &[
            "prost",
            "crate::proto",
            "crate::event",
            "crate::summary",
            "crate::writer",
            "crate::reader",
            "std::fs",
            "std::thread",
            "SystemTime",
            "Instant",
        ],
    ),
    (
        "event.rs",
        &[
            "crate::record",
            "crate::summary",
            "crate::writer",
            "crate::reader",
            "std::fs",
            "std::thread",
            "SystemTime::now",
            "Instant",
        ],
    ),
    (
        "event",
        &[
            "crate::record",
            "crate::summary",
            "crate::writer",
            "crate::reader",
            "std::fs",
            "std::thread",
            "SystemTime::now",
            "Instant",
        ],
    ),
    (
        "summary",
        &[
            "crate::record",
            "crate::event",
            "crate::graph",
            "crate::writer",
            "crate::reader",
            "std::fs",
            "std::thread",
            "std::time",
        ],
    ),
    (
        "projector",
        &[
            "prost",
            "crate::proto",
            "crate::record",
            "crate::event",
            "crate::graph",
            "crate::writer",
            "crate::reader",
            "std::thread",
            "std::time",
        ],
    ),
    ("projector/config.rs", &["std::fs", "std::io", "std::path"]),
    ("projector/mod.rs", &["std::fs", "std::io", "std::path"]),
    ("projector/ndarray.rs", &["std::fs", "std::io", "std::path"]),
    ("projector/table.rs", &["std::fs", "std::io", "std::path"]),
    (
        "graph",
        &[
            "crate::record",
            "crate::event",
            "crate::projector",
            "crate::writer",
            "crate::reader",
            "std::fs",
            "std::thread",
            "SystemTime",
            "Instant",
        ],
    ),
    (
        "files",
        &[
            "crate::reader",
            "crate::writer",
            "crate::summary",
            "crate::graph",
            "crate::projector",
            "std::thread",
            "SystemTime",
            "Instant",
        ],
    ),
    (
        "reader",
        &["crate::writer", "std::thread", "SystemTime", "Instant"],
    ),
    ("writer", &["crate::reader"]),
    ("bridge", ON_TOP),
    ("current.rs", ON_TOP),
    ("training", ON_TOP),
    ("bin", &["std::thread", "unwrap()", "println!"]),
    ("writer/chunks.rs", WORKSHOP),
    ("writer/tray.rs", WORKSHOP),
    ("writer/room.rs", WORKSHOP),
    ("writer/drain.rs", WORKSHOP),
    ("writer/worker.rs", WORKSHOP),
    ("writer/sink.rs", WORKSHOP),
    ("writer/process.rs", WORKSHOP),
    ("writer/run_name.rs", WORKSHOP),
    ("writer/neighbours.rs", WORKSHOP),
    (
        "writer/file_name.rs",
        &[
            "prost",
            "crate::proto",
            "crate::event",
            "crate::summary",
            "crate::record",
        ],
    ),
    ("writer/kinds.rs", FRONT),
    ("writer/frames.rs", FRONT),
    ("writer/graphs.rs", FRONT),
];

/// Threads and files know bytes, no kind of data and no clock.
const WORKSHOP: &[&str] = &[
    "prost",
    "crate::proto",
    "crate::event",
    "crate::summary",
    "SystemTime",
    "Instant",
];

/// What stands on the writer knows what its callers know.
const ON_TOP: &[&str] = &[
    "prost",
    "crate::proto",
    "crate::record",
    "crate::projector",
    "crate::files",
    "crate::reader",
    "std::fs",
    "std::io",
    "std::thread",
    "SystemTime",
];

/// What a call does is no affair of threads and files.
const FRONT: &[&str] = &["std::fs", "std::thread::", "Mutex"];

/// Files that are a page of the docs each, and have no code.
const PAGES: &[&str] = &[
    "coming_from.rs",
    "cookbook.rs",
    "not_shown.rs",
    "what_can_be_lost.rs",
];

/// The crates that may be in the manifest under `[dependencies]`.
const DEPENDENCIES: &[&str] = &[
    "candle-core",
    "crc32c",
    "csv",
    "flate2",
    "gif",
    "half",
    "image",
    "lexopt",
    "log",
    "metrics",
    "ndarray",
    "noto-sans-mono-bitmap",
    "png",
    "prost",
    "serde",
    "serde_json",
    "tracing-core",
    "tracing-subscriber",
];

/// The files of a room, without its tests.
fn files(room: &Path) -> Vec<PathBuf> {
    if room.is_file() {
        return vec![room.into()];
    }
    let entries = fs::read_dir(room).map(|entries| {
        entries
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    });
    entries
        .unwrap_or_default()
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "tests.rs"))
        .flat_map(|path| files(path))
        .collect()
}

/// The lines of a file that are no comments, not empty and not of its tests, which stand last.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("\nmod tests {").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//") && !line.trim().is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn no_room_knows_what_is_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, forbidden) in ROOMS {
        let files = files(&src.join(room));
        assert!(!files.is_empty(), "{room} is empty");
        for file in files {
            // A room may name its own parts.
            let code = code(&file).replace("crate::proto::bytes", "");
            assert!(!code.is_empty(), "{} has no code", file.display());
            for group in ["use std::{", "use crate::{"] {
                assert!(
                    !code.contains(group),
                    "{}: {group} hides words",
                    file.display()
                );
            }
            // The bridges are on top: nothing stands on them.
            for word in forbidden.iter().chain(&["crate::bridge"]) {
                assert!(!code.contains(word), "{} knows {word}", file.display());
            }
        }
    }
}

#[test]
fn every_file_has_its_place_and_size() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&src) {
        let name = file
            .strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let is_placed = ROOMS.iter().any(|(room, _)| name.starts_with(room));
        let is_page = PAGES.contains(&name.as_str());
        assert!(
            is_placed || is_page || ["lib.rs", "test_io.rs"].contains(&name.as_str()),
            "{name} is in no room"
        );
        if !name.starts_with("proto/") {
            let lines = code(&file).lines().count();
            assert!(
                lines <= 300,
                "{name} has {lines} lines of code: more than one thing?"
            );
        }
    }
}

#[test]
fn pages_of_the_docs_have_no_code() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for page in PAGES {
        assert_eq!(code(&src.join(page)), "", "{page} has code");
    }
}

#[test]
fn the_manifest_has_the_dependencies_that_were_agreed_on() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let section = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let names: Vec<_> = section
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim()))
        .collect();
    assert_eq!(names, DEPENDENCIES);
}
