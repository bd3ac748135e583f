//! The messages of an event file, generated from `proto/*.proto` and checked in.
//!
//! They are prost's, and the second floor of the crate: what `SummaryWriter::event` takes and `EventReader` gives.

#![allow(
    missing_docs,
    unused_imports,
    clippy::all,
    reason = "generated but for `bytes`; the comments are those of the proto files"
)]

mod bytes;

mod tensorboard {
    include!("tensorboard.rs");

    pub mod hparams {
        include!("tensorboard.hparams.rs");
    }

    pub mod mesh {
        include!("tensorboard.mesh.rs");
    }
}

pub mod google {
    pub mod protobuf {
        include!("google.protobuf.rs");
    }
}

pub use tensorboard::*;
