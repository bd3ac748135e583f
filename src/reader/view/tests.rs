//! The view beside prost, on events that nobody would write.

use fastrand::Rng;
use prost::encoding::encode_varint;

use super::*;
use crate::proto::event::What;
use crate::proto::summary::value::Value as Data;
use crate::reader::wire::Type;

/// Compares all that the view says of `bytes` with what prost decodes; whether they are an event.
fn agrees_with_prost(bytes: &[u8]) -> bool {
    let want = Event::decode(bytes);
    let (event, is_event) = EventRef::new(bytes);
    assert_eq!(is_event, want.is_ok(), "{want:?}: {bytes:x?}");
    // Of other bytes it may say anything, but it ends.
    let values: Vec<_> = event.values().collect();
    let numbers: Vec<_> = values.iter().map(ValueRef::scalar).collect();
    let Ok(want) = want else { return false };

    assert_eq!(
        event.wall_time().to_bits(),
        want.wall_time.to_bits(),
        "{bytes:x?}"
    );
    assert_eq!(event.step(), want.step, "{bytes:x?}");
    // As bytes, for NaN is not equal to itself.
    assert_eq!(event.to_event().encode_to_vec(), want.encode_to_vec());
    let want_values = match &want.what {
        Some(What::Summary(summary)) => &summary.value[..],
        _ => &[],
    };
    assert_eq!(values.len(), want_values.len(), "{bytes:x?}");
    for ((value, number), want) in values.iter().zip(numbers).zip(want_values) {
        assert_eq!(value.tag(), want.tag, "{bytes:x?}");
        let plugin_data = want
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.plugin_data.as_ref());
        let plugin_name = plugin_data.map_or("", |data| &data.plugin_name);
        assert_eq!(value.plugin_name(), plugin_name, "{bytes:x?}");
        assert_eq!(
            number.map(f32::to_bits),
            want.scalar().map(f32::to_bits),
            "{bytes:x?}"
        );
        assert_eq!(value.to_value().encode_to_vec(), want.encode_to_vec());
    }
    true
}

/// A number in as many bytes as it needs, or one more.
fn append_varint(random: &mut Rng, number: u64, out: &mut Vec<u8>) {
    encode_varint(number, out);
    if random.u8(..20) == 0 && number < 1 << 56 {
        *out.last_mut().unwrap() |= 0x80;
        out.push(0);
    }
}

fn append_key(random: &mut Rng, number: u32, wire_type: u32, out: &mut Vec<u8>) {
    append_varint(random, (number << 3 | wire_type).into(), out);
}

fn append_bytes(random: &mut Rng, bytes: &[u8], out: &mut Vec<u8>) {
    append_varint(random, bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Fields in any order, as often as it comes; some that the message does not have, few of a wrong type.
fn random_message(random: &mut Rng, kind: Kind, most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..random.usize(..=most) {
        let number = match (kind, random.u8(..10)) {
            // Where the interesting things are.
            (Kind::Event, 0..6) => 5, // a summary
            (Kind::Summary, 0..9) => 1,
            (Kind::Value, 0..3) => 8, // a tensor
            (Kind::Value, 3..6) => 9, // metadata
            (Kind::Value, 6) => 2,    // a plain number
            (Kind::Tensor, 0..9) => [1, 4, 5][random.usize(..3)],
            (Kind::Metadata, 0..6) => 1,
            (Kind::PluginData, 0..6) => 1,
            (_, 9) => random.u32(1..40),
            _ => random.u32(1..11),
        };
        match kind.field(number) {
            Some(fit) if random.u16(..400) > 0 => {
                append_field(random, number, fit, most, &mut out);
            }
            _ => append_any_field(random, number, 3, &mut out),
        }
    }
    out
}

fn append_field(random: &mut Rng, number: u32, fit: Type, most: usize, out: &mut Vec<u8>) {
    // A number or a row of numbers.
    let is_row = random.bool();
    let wire_type = match fit {
        Type::Varint => 0,
        Type::Fixed64 => 1,
        Type::Fixed32 => 5,
        Type::Bytes | Type::Text | Type::Message(_) => 2,
        Type::Varints | Type::Fixed64s | Type::Fixed32s if is_row => 2,
        Type::Varints => 0,
        Type::Fixed64s => 1,
        Type::Fixed32s => 5,
    };
    append_key(random, number, wire_type, out);
    match fit {
        Type::Varint | Type::Varints if wire_type == 0 => {
            let bits = random.u32(..64);
            let number = if random.bool() {
                1 // DT_FLOAT
            } else {
                random.u64(..) >> bits
            };
            append_varint(random, number, out);
        }
        Type::Fixed64 | Type::Fixed64s if wire_type == 1 => {
            out.extend(random.u64(..).to_le_bytes())
        }
        Type::Fixed32 | Type::Fixed32s if wire_type == 5 => {
            out.extend(random.u32(..).to_le_bytes())
        }
        Type::Message(inner) => {
            let message = random_message(random, inner, most);
            append_bytes(random, &message, out);
        }
        Type::Text => {
            let texts = ["", "loss", "größe/a b", "scalars", "scalars", "images"];
            let text = texts[random.usize(..texts.len())];
            append_bytes(random, text.as_bytes(), out);
        }
        Type::Bytes => {
            let count = [0, 4, 4, 5][random.usize(..4)];
            let bytes: Vec<u8> = (0..count).map(|_| random.u8(..)).collect();
            append_bytes(random, &bytes, out);
        }
        _ => {
            let mut row = Vec::new();
            for _ in 0..random.usize(..3) {
                match fit {
                    Type::Varints => append_varint(random, 300, &mut row),
                    Type::Fixed64s => row.extend(1.5f64.to_le_bytes()),
                    _ => row.extend(2.5f32.to_le_bytes()),
                }
            }
            append_bytes(random, &row, out);
        }
    }
}

/// A field of any wire type, also a group.
fn append_any_field(random: &mut Rng, number: u32, depth: u32, out: &mut Vec<u8>) {
    let wire_type = [0, 1, 2, 3, 5][random.usize(..5)];
    append_key(random, number, wire_type, out);
    match wire_type {
        0 => append_varint(random, 300, out),
        1 => out.extend([7; 8]),
        2 => append_bytes(random, b"\x08\x01", out),
        3 => {
            for _ in 0..random.u32(..=depth) {
                let number = random.u32(1..20);
                append_any_field(random, number, depth - 1, out);
            }
            append_key(random, number, 4, out);
        }
        _ => out.extend([7; 4]),
    }
}

#[test]
fn any_event_is_seen_as_prost_decodes_it() {
    let mut random = Rng::with_seed(5);
    let (mut events, mut scalars, mut tensors) = (0, 0, 0);
    for case in 0..20_000 {
        let bytes = random_message(&mut random, Kind::Event, [3, 5, 8][case % 3]);
        if agrees_with_prost(&bytes) {
            events += 1;
            for value in EventRef::new(&bytes).0.values() {
                scalars += usize::from(value.scalar().is_some());
                let is_tensor = matches!(value.to_value().value, Some(Data::Tensor(_)));
                tensors += usize::from(value.scalar().is_some() && is_tensor);
            }
        }
    }
    // The generator is not to drift away from what it is for.
    assert!(events > 10_000, "{events} events");
    assert!(scalars > 5_000, "{scalars} scalars");
    assert!(tensors > 500, "{tensors} scalars in tensors");
}

#[test]
fn any_damage_is_seen_as_prost_sees_it() {
    let mut random = Rng::with_seed(6);
    let (mut events, mut others) = (0, 0);
    for _ in 0..10_000 {
        let whole = random_message(&mut random, Kind::Event, 4);
        if whole.is_empty() {
            continue;
        }
        for _ in 0..8 {
            let mut bytes = whole.clone();
            let at = random.usize(..bytes.len());
            match random.u8(..6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, random.u8(..)),
                3 => bytes[at] = random.u8(..),
                // Two events in one.
                4 => bytes.extend_from_within(at..),
                _ => bytes[at] ^= 1 << random.u8(..8),
            }
            if agrees_with_prost(&bytes) {
                events += 1;
            } else {
                others += 1;
            }
        }
    }
    assert!(events > 10_000, "{events} events");
    assert!(others > 10_000, "{others} others");
}

#[test]
fn a_stock_event_is_the_same_at_every_cut_and_flipped_bit() {
    // From a record of the stock package: tag "loss", tensor { DT_FLOAT, float_val [0.25] }, plugin "scalars".
    let event = b"\x09\0\0\x20\x40\xfc\x54\xd9\x41\x10\x07\x2a\x21\x0a\x1f\x0a\x04loss\x42\x08\
        \x08\x01\x2a\x04\0\0\x80\x3e\x4a\x0d\x0a\x09\x0a\x07scalars\x20\x01";
    assert!(agrees_with_prost(event));
    let (view, _) = EventRef::new(event);
    assert_eq!((view.wall_time(), view.step()), (1_700_000_000.5, 7));
    let value = view.values().next().unwrap();
    assert_eq!(
        (value.tag(), value.plugin_name(), value.scalar()),
        ("loss", "scalars", Some(0.25))
    );
    for cut in 0..event.len() {
        agrees_with_prost(&event[..cut]);
    }
    for bit in 0..event.len() * 8 {
        let mut flipped = event.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        agrees_with_prost(&flipped);
    }
}

#[test]
fn a_summary_that_comes_again_is_continued_and_another_thing_ends_it() {
    // Value { tag } in a summary, field 5 of the event; 0x1a is the file version, field 3.
    let tags = |bytes: &[u8]| -> String {
        assert!(agrees_with_prost(bytes));
        EventRef::new(bytes).0.values().map(|v| v.tag()).collect()
    };
    let (a, b) = (b"\x2a\x05\x0a\x03\x0a\x01a", b"\x2a\x05\x0a\x03\x0a\x01b");
    let (step, version) = (b"\x10\x07", b"\x1a\x01v");
    assert_eq!(tags(&[&a[..], step, b].concat()), "ab");
    assert_eq!(tags(&[&a[..], version, b].concat()), "b");
    assert_eq!(tags(&[&a[..], b, version].concat()), "");
}

#[test]
fn groups_are_followed_as_deep_as_prost_does() {
    for depth in 95..=103 {
        // Field 20 is unknown to all messages: 0xa3 0x01 begins it, 0xa4 0x01 ends it.
        let group = [b"\xa3\x01".repeat(depth), b"\xa4\x01".repeat(depth)].concat();
        assert_eq!(agrees_with_prost(&group), depth <= 100, "{depth}");
        let number = [
            b"\xa3\x01".repeat(depth),
            b"\x08\x01".to_vec(),
            b"\xa4\x01".repeat(depth),
        ]
        .concat();
        assert_eq!(agrees_with_prost(&number), depth <= 99, "{depth}");
        // In a value, which is two messages deep.
        let mut bytes = vec![0x0a];
        encode_varint(group.len() as u64, &mut bytes);
        bytes.extend_from_slice(&group);
        let mut event = vec![0x2a];
        encode_varint(bytes.len() as u64, &mut event);
        event.extend(bytes);
        assert_eq!(agrees_with_prost(&event), depth <= 98, "{depth}");
    }
}

#[test]
fn a_view_shows_what_it_stands_for() {
    let event = b"\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\x80\x3e";
    assert_eq!(
        format!("{:?}", EventRef::new(event).0),
        r#"EventRef { wall_time: 0.0, step: 7, values: [ValueRef { tag: "loss", plugin_name: "", scalar: Some(0.25), .. }], .. }"#
    );
}
