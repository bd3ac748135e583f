//! The checked-in messages are what `proto/*.proto` says: they are generated again here, in pure Rust, and compared.

#![cfg(test)]

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

#[test]
fn checked_in_messages_are_those_of_the_proto_files() -> Result<(), Box<dyn Error>> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let sources = names(&root.join("proto"))?;
    let descriptors = protox::compile(&sources, [root.join("proto")])?;
    let fresh = tempfile::tempdir()?;
    prost_build::Config::new()
        .out_dir(fresh.path())
        // Else these are taken from another crate.
        .compile_well_known_types()
        // Else the bytes of one message differ from run to run.
        .btree_map(["."])
        // Else each attribute takes as much memory as a tensor.
        .boxed(".tensorboard.AttrValue.value.list")
        .boxed(".tensorboard.AttrValue.value.tensor")
        .compile_fds(descriptors)?;

    let checked_in = root.join("src/proto");
    let mut stale = Vec::new();
    for name in names(fresh.path())? {
        let want = fs::read(fresh.path().join(&name))?;
        if fs::read(checked_in.join(&name)).ok() != Some(want) {
            stale.push(name);
        }
    }
    let mut here = names(&checked_in)?;
    here.retain(|name| name != "mod.rs");
    if !stale.is_empty() || here != names(fresh.path())? {
        let fresh = fresh.keep();
        let fresh = fresh.display();
        return Err(format!(
            "src/proto is stale: {stale:?} of {here:?}; after a look at the difference: cp {fresh}/* src/proto/"
        )
        .into());
    }
    Ok(())
}

fn names(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}
