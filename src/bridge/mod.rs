//! What programs say through other crates, to records: they are listened to here, and logged through a handle.
//!
//! A bridge knows the writer's methods, and neither files nor bytes. Nothing below knows a bridge.

#[cfg(feature = "metrics")]
mod grid;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsRecorder;
#[cfg(feature = "tracing")]
pub use self::tracing::TracingLayer;
