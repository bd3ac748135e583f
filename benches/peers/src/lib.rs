//! What the bench and the processes that it measures share.

pub mod child;
pub mod work;
