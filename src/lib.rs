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
pub mod record;
mod summary;
#[cfg(test)]
mod test_io;

pub use error::{Error, Part, Result};
