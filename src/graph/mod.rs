//! Graphs of models, for the Graphs dashboard.
//!
//! A [`Graph`] has nodes with inputs, shapes, devices and attributes. [`GraphBuilder`] makes one node by node, and
//! [`Graph::from_graph_def`] takes one that another program made. A [`Model`] is made of layers. A [`RunMetadata`] says how
//! much time and memory the nodes took in a step.

mod attr;
mod builder;
mod check;
mod function;
pub(crate) mod graph_def;
pub(crate) mod model;
mod name;
#[cfg(feature = "onnx")]
mod onnx;
mod run_metadata;
mod shape;
#[cfg(test)]
mod tests;

pub use attr::{Attr, Call};
pub use builder::{GraphBuilder, Input, Node, Op};
pub use function::Function;
pub(crate) use graph_def::Graph;
pub(crate) use model::Model;
pub use run_metadata::{NodeStats, RunMetadata};
pub use shape::Shape;
