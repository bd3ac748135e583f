//! Code that the bench shares with the processes that it measures.

pub mod child;
pub mod work;
