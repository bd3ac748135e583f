//! Generates the messages of `proto/*.proto` again, without `protoc`, and compares them with the files in `src/proto`.

#![cfg(test)]

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

#[test]
fn generated_code_matches_the_proto_files() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (sources, checked_in) = (root.join("proto"), root.join("src/proto"));
    let fresh = tempfile::tempdir()?;
    let descriptors = protox::compile(file_names(&sources)?, [sources])?;
    prost_build::Config::new()
        .out_dir(fresh.path())
        // prost decodes a `Vec<u8>` with two copies: reading tensors then takes 1.4 to 2.6 times as long in `benches/read`.
        // The weights of an ONNX model stay in the buffer that they are decoded from.
        .bytes([".tensorboard.TensorProto.tensor_content", ".onnx"])
        // Otherwise prost-build refers to the crate `prost-types`.
        .compile_well_known_types()
        // A `HashMap` would encode a message to different bytes in each run.
        .btree_map(["."])
        // Otherwise every attribute takes as much memory as a tensor or a graph.
        .boxed(".tensorboard.AttrValue.value.list")
        .boxed(".tensorboard.AttrValue.value.tensor")
        // Otherwise every scalar takes as much memory as a tensor, and reading takes a quarter longer in `benches/read`.
        .boxed(".tensorboard.Summary.Value.value.tensor")
        .boxed(".onnx.AttributeProto.t")
        .boxed(".onnx.AttributeProto.g")
        .boxed(".onnx.AttributeProto.sparse_tensor")
        .compile_fds(descriptors)?;

    let mut names = file_names(&checked_in)?;
    names.retain(|name| name != "mod.rs");
    let mut is_stale = names != file_names(fresh.path())?;
    for name in names {
        is_stale |=
            fs::read(fresh.path().join(&name)).ok() != fs::read(checked_in.join(&name)).ok();
    }
    if is_stale {
        let fresh = fresh.keep();
        return Err(format!(
            "src/proto is not what prost-build generates from proto/*.proto; to update it: cp {}/* src/proto/",
            fresh.display()
        )
        .into());
    }
    Ok(())
}

fn file_names(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}
