//! Any bytes are a graph or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use summary_writer::Graph;

fuzz_target!(|bytes: &[u8]| drop(Graph::from_onnx(bytes)));
