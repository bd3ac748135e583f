//! Any bytes are a graph or an error; a graph is one that `from_graph_def` takes, too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use summary_writer::{EventReader, Graph, WriterOptions};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(graph) = Graph::from_onnx(bytes) {
        assert_eq!(format!("{graph:?}").is_empty(), false);
    }
});
