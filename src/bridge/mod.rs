//! What programs say through other crates, to records: they are listened to here, and logged through a handle.
//!
//! A bridge knows the writer's methods, and neither files nor bytes. Nothing below knows a bridge.

#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "tracing")]
pub use self::tracing::TracingLayer;
