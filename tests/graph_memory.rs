//! The memory that graphs take, by the allocations of the process: bounded, whatever the bytes are that they come from.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod counting;

use std::sync::atomic::Ordering::Relaxed;

use counting::{LIVE_BYTES, PEAK_BYTES};
use summary_writer::{Graph, Result};

/// The 512 MiB of the limit, and the half of it: a list that grows is there twice for a moment, of which once with half its
/// room.
const MAX_PEAK_BYTES: usize = 768 << 20;

/// One test, for the counters are the process's.
#[test]
fn memory_is_bounded() {
    graph_defs_take_a_bounded_multiple_of_their_bytes();
    #[cfg(feature = "onnx")]
    models_take_a_bounded_multiple_of_their_bytes();
}

/// A field of bytes, as the wire has it.
#[allow(clippy::cast_possible_truncation)]
fn field(number: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut message = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 0x80 {
        message.push(len as u8 | 0x80);
        len >>= 7;
    }
    message.push(len as u8);
    message.extend(bytes);
    message
}

/// Takes more and more copies of `unit`, until they are refused for their memory, their number, or the length of the
/// file: of all takes, the last two need the most. Another error is none of ours here.
fn peak_is_bounded(
    name: &str,
    unit: &[u8],
    mut count: usize,
    around: impl Fn(Vec<u8>) -> Vec<u8>,
    graph: fn(&[u8]) -> Result<Graph>,
) {
    loop {
        let bytes = around(unit.repeat(count));
        assert!(bytes.len() < 800 << 20, "{name}: {count} of them are taken");
        let before = LIVE_BYTES.load(Relaxed);
        PEAK_BYTES.store(before, Relaxed);
        let result = graph(&bytes).map(drop).map_err(|error| error.to_string());
        let peak = PEAK_BYTES.load(Relaxed) - before;
        assert!(
            peak <= MAX_PEAK_BYTES,
            "{name}: {peak} bytes for {count} of them, {result:?}"
        );
        match result {
            Err(error) if ENDS.iter().any(|end| error.ends_with(end)) => return,
            _ => count *= 2,
        }
    }
}

const ENDS: [&str; 3] = [
    "it takes more than 536870912 bytes of memory",
    "bytes are given, at most 67108864 fit",
    "it has more than 131072 nodes",
];

fn graph_defs_take_a_bounded_multiple_of_their_bytes() {
    let entry = |value: &[u8]| field(5, [&field(1, "a")[..], &field(2, value)].concat());
    let node = |rest: &[u8]| field(1, [&field(1, "n")[..], rest].concat());
    let value = |value: Vec<u8>| node(&entry(&value));
    let function = |rest: Vec<u8>| field(2, field(1, rest));
    let as_it_is = |bytes: Vec<u8>| bytes;
    let keys: Vec<u8> = (0u32..5)
        .flat_map(|key| field(5, field(1, key.to_le_bytes().map(|byte| byte & 0x7f))))
        .collect();
    let mut calls = Vec::new();
    for _ in 0..30 {
        calls = field(10, field(2, field(2, calls)));
    }
    for (name, unit, count) in [
        ("nodes", b"\x0a\0".to_vec(), 2 << 20),
        ("nodes with an attribute", field(1, b"\x2a\0"), 1 << 18),
        ("nodes with five attributes", field(1, keys), 200_000),
        ("attributes that are lists", value(field(1, b"")), 300_000),
        ("attributes that are tensors", value(field(8, b"")), 300_000),
        ("calls in calls", value(calls), 19_000),
    ] {
        peak_is_bounded(name, &unit, count, as_it_is, |it| Graph::from_graph_def(it));
    }
    let list = |bytes: Vec<u8>| value(field(1, bytes));
    let tensor = |number, bytes: Vec<u8>| value(field(8, field(number, bytes)));
    let cases: [Case<'_>; 6] = [
        ("integers", b"\x01", 16 << 20, &|bytes| tensor(10, bytes)),
        ("shapes", b"\x3a\0", 4 << 20, &list),
        ("tensors", b"\x42\0", 1 << 19, &list),
        ("functions", b"\x0a\0", 1 << 19, &|bytes| field(2, bytes)),
        ("arguments", b"\x12\0", 1 << 20, &|bytes| {
            function(field(1, bytes))
        }),
        ("attributes of a signature", b"\x22\0", 1 << 20, &|bytes| {
            function(field(1, bytes))
        }),
    ];
    for (name, unit, count, around) in cases {
        peak_is_bounded(name, unit, count, around, |it| Graph::from_graph_def(it));
    }
}

/// What the copies of what are, how many there are at first, and what is around them.
type Case<'a> = (&'a str, &'a [u8], usize, &'a dyn Fn(Vec<u8>) -> Vec<u8>);

#[cfg(feature = "onnx")]
fn models_take_a_bounded_multiple_of_their_bytes() {
    let model = |graph: Vec<u8>| field(7, graph);
    let node = |rest: Vec<u8>| field(1, rest);
    let attributes = |value: &[u8]| {
        let value = [&field(1, "a")[..], value].concat();
        node(field(5, value))
    };
    for (name, unit, count) in [
        ("nodes", b"\x0a\0".to_vec(), 1 << 20),
        ("inputs", b"\x5a\0".to_vec(), 4 << 20),
        ("outputs", b"\x62\0".to_vec(), 2 << 20),
        ("values", b"\x6a\0".to_vec(), 4 << 20),
        ("initializers", b"\x2a\0".to_vec(), 2 << 20),
        (
            "initializers of little data",
            field(5, field(7, [1; 16])),
            1 << 18,
        ),
        (
            "initializers of strings",
            field(5, b"\x32\0".repeat(16)),
            1 << 18,
        ),
        (
            "attributes of types",
            attributes(&b"\x72\0".repeat(256)),
            1 << 16,
        ),
        (
            "attributes of integers",
            attributes(&field(8, [1; 256])),
            1 << 17,
        ),
        (
            "attributes of tensors",
            attributes(&b"\x52\0".repeat(256)),
            1 << 12,
        ),
    ] {
        peak_is_bounded(name, &unit, count, model, |it| Graph::from_onnx(it));
    }
    let typed = field(
        13,
        [field(1, "x"), field(2, field(1, b"\x08\x01"))].concat(),
    );
    let outputs = |bytes: Vec<u8>| node([bytes, field(2, "x")].concat());
    let long_name = field(1, "n".repeat(1000));
    // Functions have a number of two bytes.
    let function = |bytes: Vec<u8>| [&[0xca, 0x01], &field(1, bytes)[1..], b"\x3a\0"].concat();
    let cases: [Case<'_>; 7] = [
        ("attributes of a node", b"\x2a\0", 1 << 20, &|bytes| {
            model(node(bytes))
        }),
        (
            "outputs of a node, one of a known type",
            b"\x12\0",
            1 << 22,
            &|bytes| model([outputs(bytes), typed.clone()].concat()),
        ),
        ("sizes of a tensor", b"\x01", 1 << 22, &|bytes| {
            model(field(5, field(1, bytes)))
        }),
        ("sizes of a sparse tensor", b"\x01", 1 << 22, &|bytes| {
            model(field(15, field(3, bytes)))
        }),
        (
            "bodies of an attribute with a long name",
            b"\x5a\0",
            1 << 18,
            &|bytes| model(node(field(5, [long_name.clone(), bytes].concat()))),
        ),
        ("functions", b"\xca\x01\0", 1 << 19, &|bytes| {
            [bytes, model(Vec::new())].concat()
        }),
        ("nodes of a function", b"\x3a\0", 1 << 21, &function),
    ];
    for (name, unit, count, around) in cases {
        peak_is_bounded(name, unit, count, around, |it| Graph::from_onnx(it));
    }
}
