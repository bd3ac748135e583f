//! The checked-in messages are what `proto/*.proto` says: they are generated again here, in pure Rust, and compared.
//!
//! Those of `derived` are as prost-build makes them. Those of `src/proto` are the same with the derives of prost written out,
//! and `same` proves it.

#![cfg(test)]

mod expand;

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

#[test]
fn checked_in_messages_are_those_of_the_proto_files() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.join("../..");
    let sources = names(&root.join("proto"))?;
    let descriptors = protox::compile(&sources, [root.join("proto")])?;
    let fresh = tempfile::tempdir()?;
    let (derived, proto) = (fresh.path().join("derived"), fresh.path().join("proto"));
    fs::create_dir(&derived)?;
    fs::create_dir(&proto)?;
    prost_build::Config::new()
        .out_dir(&derived)
        // Else these are taken from another crate.
        .compile_well_known_types()
        // Else the bytes of one message differ from run to run.
        .btree_map(["."])
        // Else each attribute takes as much memory as a tensor.
        .boxed(".tensorboard.AttrValue.value.list")
        .boxed(".tensorboard.AttrValue.value.tensor")
        .compile_fds(descriptors)?;
    for name in names(&derived)? {
        let source = fs::read_to_string(derived.join(&name))?;
        let expanded = expand::expand(&source).map_err(|error| format!("{name:?}: {error}"))?;
        fs::write(proto.join(&name), expanded)?;
    }

    let is_derived_stale = is_stale(&derived, &here.join("derived"))?;
    if is_stale(&proto, &root.join("src/proto"))? || is_derived_stale {
        let fresh = fresh.keep();
        let fresh = fresh.display();
        return Err(format!(
            "src/proto is stale; after a look at the difference: \
             cp {fresh}/proto/* src/proto/ && cp {fresh}/derived/* tests/proto_fresh/derived/"
        )
        .into());
    }
    Ok(())
}

#[test]
fn what_is_in_no_message_yet_is_refused() {
    let refused = [
        "sint32, tag = \"1\"",
        "int32, optional, tag = \"1\"",
        "int32, repeated, packed = \"false\", tag = \"1\"",
        "int32, tag = \"1\", default = \"1\"",
        "bytes = \"bytes\", tag = \"1\"",
        "message, required, tag = \"1\"",
        "hash_map = \"string, string\", tag = \"1\"",
        "group, optional, tag = \"1\"",
        "int32",
    ];
    for attributes in refused {
        let source =
            format!("#[derive(::prost::Message)] struct Any {{ #[prost({attributes})] field: X }}");
        let error = expand::expand(&source).unwrap_err().to_string();
        assert!(error.starts_with("field: not known here"), "{error}");
    }
}

/// Whether `checked_in` has other files than `fresh`, or with other contents, beside those that are
/// written by hand.
fn is_stale(fresh: &Path, checked_in: &Path) -> io::Result<bool> {
    let mut here = names(checked_in)?;
    here.retain(|name| name != "mod.rs" && name != "bytes.rs");
    if here != names(fresh)? {
        return Ok(true);
    }
    for name in here {
        if fs::read(fresh.join(&name))? != fs::read(checked_in.join(&name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn names(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}
