//! The messages of an event file, generated from `proto/*.proto` and checked in.
//!
//! They are prost's, and the second floor of the crate: what `SummaryWriter::event` takes and `EventReader` gives.

#![allow(
    missing_docs,
    clippy::all,
    reason = "generated; the comments are those of the proto files"
)]

#[rustfmt::skip]
#[path = "tensorboard.mesh.rs"]
pub mod mesh;
#[rustfmt::skip]
mod tensorboard;

pub use tensorboard::*;
