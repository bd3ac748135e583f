//! Log training data from any Rust program, and look at it in stock TensorBoard.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::cast_possible_truncation
    )
)]

mod error;
mod event;
pub mod proto;
mod reader;
pub mod record;
mod summary;
#[cfg(test)]
mod test_io;
mod writer;

pub use error::{Error, Part, Result};
pub use event::{Step, ToWallTime, WallTime};
pub use proto::DataClass;
pub use reader::EventReader;
pub use summary::{Element, Metadata, Scalar, Tag, Tensor};
pub use writer::{Stats, SummaryWriter, Sync, WhenFull, WriterOptions, unique_logdir};
