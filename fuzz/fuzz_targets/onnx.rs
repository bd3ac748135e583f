//! Checks that any bytes give an error, or a graph that decodes again to the same graph.

#![no_main]

use libfuzzer_sys::fuzz_target;
use summary_writer::Graph;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(graph) = Graph::from_onnx(bytes) {
        let bytes = graph.to_graph_def();
        let again = Graph::from_graph_def(&bytes).unwrap();
        assert_eq!(again.to_graph_def(), bytes);
    }
});
