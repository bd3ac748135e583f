//! The messages of an event file, generated from `proto/*.proto` and checked in.
//!
//! They are prost's, and the second floor of the crate: what `SummaryWriter::event` takes and `EventReader` gives.

mod bytes;

#[allow(
    missing_docs,
    unused_imports,
    clippy::all,
    reason = "generated; the comments are those of the proto files"
)]
mod tensorboard {
    include!("tensorboard.rs");

    pub mod hparams {
        include!("tensorboard.hparams.rs");
    }

    pub mod mesh {
        include!("tensorboard.mesh.rs");
    }
}

#[allow(missing_docs, unused_imports, clippy::all, reason = "as above")]
pub mod google {
    pub mod protobuf {
        include!("google.protobuf.rs");
    }
}

pub use tensorboard::*;
