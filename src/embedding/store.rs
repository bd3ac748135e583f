//! Writes an embedding to a run in an object store, with the same names as on a disk.
//!
//! The objects of an embedding are written before the config that refers to them. The objects of a
//! replaced entry stay, because a TensorBoard may be reading them.

use std::sync::PoisonError;

use object_store::PutMode;

use super::Embedding;
use super::config;
use super::files::{self, CONFIG, LOCK, METADATA, SPRITE, TENSORS};
use crate::error::{Error, Result};
use crate::store::{Failure, StoreDir};

/// Writes the objects of `embedding` into the run `run`, and adds it to the config there.
pub(crate) fn write_to_store(
    run: &StoreDir,
    prefix: &str,
    embedding: &Embedding,
    step: i64,
) -> Result<()> {
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let tag = embedding.full_tag(prefix);
    let mut tensors = Vec::new();
    files::write_tensors(&mut tensors, embedding)
        .map_err(|error| Error::stream("write the tensors", error))?;
    let folder = create_folder(run, step, &tag, tensors)?;
    if let Some(metadata) = &embedding.metadata {
        put(
            &run.child(&folder)?.child(METADATA)?,
            metadata.clone().into_bytes(),
        )?;
    }
    if let Some(sprite) = &embedding.sprite {
        put(&run.child(&folder)?.child(SPRITE)?, sprite.clone())?;
    }
    let config_object = run.child(CONFIG)?;
    let old = match config_object.get()? {
        Some((bytes, _)) => String::from_utf8_lossy(&bytes).into_owned(),
        None => String::new(),
    };
    let name = files::name(&tag, step);
    let (rest, _) = config::remove(&old, &name).map_err(|problem| {
        let failure = Failure::Other(files::not_text(problem));
        config_object.error("read", failure)
    })?;
    let entry = config::entry(&name, &folder, embedding);
    put(&config_object, (rest + &entry).into_bytes())
}

/// Returns the names of the embeddings of the run `run`, in the order of its config.
pub(super) fn names(run: &StoreDir) -> Result<Vec<String>> {
    let object = run.child(CONFIG)?;
    let Some((config, _)) = object.get()? else {
        return Ok(Vec::new());
    };
    config::names(&String::from_utf8_lossy(&config))
        .map_err(|problem| object.error("read", Failure::Other(files::not_text(problem))))
}

/// Creates the object of the tensors in a new folder `<step>/<name>`. Returns the folder.
fn create_folder(run: &StoreDir, step: i64, tag: &str, tensors: Vec<u8>) -> Result<String> {
    let base = format!("{step:05}/{}", files::file_name(tag));
    let mut folder = base.clone();
    let mut number = 1u32;
    loop {
        let object = run.child(&folder)?.child(TENSORS)?;
        if object.object_bytes()?.is_none() {
            put(&object, tensors)?;
            return Ok(folder);
        }
        number = number.saturating_add(1);
        folder = format!("{base}-{number}");
    }
}

fn put(object: &StoreDir, bytes: Vec<u8>) -> Result<()> {
    object
        .put_bytes(bytes, PutMode::Overwrite)
        .map_err(|failure| object.error("write", failure))
}
