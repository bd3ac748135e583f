//! Support for other crates, one file for each. Nothing else in this crate depends on it.

#[cfg(feature = "candle")]
pub mod candle;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(feature = "ndarray")]
pub(crate) mod ndarray;
#[cfg(feature = "tracing")]
pub(crate) mod tracing;
