//! The messages as prost-build makes them, in the modules of `src/proto`.

#![allow(dead_code, clippy::all, reason = "generated")]

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
