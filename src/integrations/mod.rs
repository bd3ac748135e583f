//! Data of other crates. Each needs the feature of its name.
//!
//! - `candle` logs tensors of `candle-core`.
//! - `MetricsRecorder` logs the counters, gauges and histograms of the crate `metrics`.
//! - `TracingLayer` logs the events and spans of the crate `tracing`.
//! - With the feature `ndarray`, arrays convert to [`Histogram`](crate::Histogram), [`Image`](crate::Image) and
//!   [`Embedding`](crate::Embedding).

#[cfg(feature = "candle")]
pub mod candle;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics")]
pub use metrics::MetricsRecorder;
#[cfg(feature = "tracing")]
pub use tracing::TracingLayer;
