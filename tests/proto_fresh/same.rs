//! The messages of `src/proto` beside those of prost's derives: what one says of any bytes, the other says.

#[allow(
    unused_imports,
    reason = "of the tests, some name no message of the root"
)]
mod derived;
#[allow(dead_code, reason = "nobody asks an enumeration for its names")]
#[path = "../../src/proto/mod.rs"]
mod proto;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;

use fastrand::Rng;
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, encode_key, encode_varint, skip_field};
use protox::prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

type Compare = fn(&MessageDescriptor);

macro_rules! messages {
    ($($($part:ident)::+,)*) => {
        fn messages() -> BTreeMap<String, Compare> {
            let messages: &[(&str, Compare)] = &[$((
                stringify!($($part)::+),
                compare::<proto::$($part)::+, derived::$($part)::+>,
            ),)*];
            messages.iter().map(|(path, compare)| (letters(path), *compare)).collect()
        }
    };
}

messages! {
    AllocatorMemoryUsed,
    AttrValue,
    AudioPluginData,
    Category,
    Chart,
    DeviceStepStats,
    Event,
    FunctionDef,
    FunctionDefLibrary,
    GradientDef,
    GraphDef,
    HistogramProto,
    Layout,
    MarginChartContent,
    MultilineChartContent,
    NameAttrList,
    NodeDef,
    NodeExecStats,
    NodeOutput,
    OpDef,
    PrCurvePluginData,
    RunMetadata,
    SessionLog,
    SourceMetadata,
    StepStats,
    Summary,
    SummaryMetadata,
    TaggedRunMetadata,
    TensorDescription,
    TensorProto,
    TensorShapeProto,
    VersionDef,
    attr_value::ListValue,
    function_def::ArgAttrs,
    google::protobuf::ListValue,
    google::protobuf::Value,
    hparams::Experiment,
    hparams::HParamInfo,
    hparams::HParamsPluginData,
    hparams::Interval,
    hparams::MetricInfo,
    hparams::MetricName,
    hparams::SessionEndInfo,
    hparams::SessionStartInfo,
    margin_chart_content::Series,
    mesh::MeshPluginData,
    op_def::ArgDef,
    op_def::AttrDef,
    summary::Audio,
    summary::Image,
    summary::Value,
    summary_metadata::PluginData,
    tensor_shape_proto::Dim,
}

#[test]
fn every_message_is_what_is_derived() {
    let mut messages = messages();
    for message in pool()
        .all_messages()
        .filter(|message| !message.is_map_entry())
    {
        let compare = messages.remove(&letters(message.full_name()));
        compare.unwrap_or_else(|| panic!("{} is not listed", message.full_name()))(&message);
    }
    assert!(messages.is_empty(), "{:?}", messages.keys());
}

fn compare<O, D>(descriptor: &MessageDescriptor)
where
    O: Message + Default + Clone + PartialEq + Debug,
    D: Message + Default + Clone + PartialEq + Debug,
{
    same(&O::default(), &D::default());
    let mut written_tags = BTreeSet::new();
    for seed in 0..1000 {
        let mut rng = Rng::with_seed(seed);
        let bytes = message(&mut rng, descriptor, 4);
        let ours = O::decode(&bytes[..]).unwrap();
        let derived = D::decode(&bytes[..]).unwrap();
        let written = same(&ours, &derived);
        assert_eq!(O::decode(&written[..]), Ok(ours.clone()));
        assert_eq!(D::decode(&written[..]), Ok(derived.clone()));
        written_tags.extend(tags(&written));

        // Damaged, and on top of what is there: the error is the same, and so is what came before it.
        let mut bytes = message(&mut rng, descriptor, 4);
        bytes.truncate(rng.usize(..=bytes.len()));
        for _ in 0..rng.usize(..3) {
            if let Some(byte) = rng.choice(&mut bytes) {
                *byte ^= 1 << rng.u8(..8);
            }
        }
        let mut fields = descriptor.fields();
        if let Some(field) = fields.find(|field| field.kind() == Kind::Bytes)
            && rng.bool()
        {
            // A length that nothing holds, and whose lower half is 0.
            encode_key(field.number(), WireType::LengthDelimited, &mut bytes);
            encode_varint(1 << 32, &mut bytes);
        }
        let (mut our_rest, mut derived_rest) = (ours.clone(), derived.clone());
        assert_eq!(our_rest.merge(&bytes[..]), derived_rest.merge(&bytes[..]));
        same(&our_rest, &derived_rest);

        our_rest.clear();
        derived_rest.clear();
        assert_eq!(our_rest, O::default());
        same(&our_rest, &derived_rest);
    }
    let tags = descriptor.fields().map(|field| field.number()).collect();
    assert_eq!(written_tags, tags, "{}", descriptor.full_name());
}

/// Their bytes.
fn same(ours: &(impl Message + Debug), derived: &(impl Message + Debug)) -> Vec<u8> {
    assert_eq!(format!("{ours:?}"), format!("{derived:?}"));
    assert_eq!(ours.encoded_len(), derived.encoded_len());
    let bytes = ours.encode_to_vec();
    assert_eq!(bytes, derived.encode_to_vec());
    bytes
}

/// Fields in any order, some of them twice, of a oneof several; numbers of a list in one piece or apart; and unknown fields.
fn message(rng: &mut Rng, descriptor: &MessageDescriptor, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if depth == 0 {
        return bytes;
    }
    let fields: Vec<_> = descriptor.fields().collect();
    for _ in 0..rng.usize(..=fields.len() + 1) {
        let Some(field) = rng.choice(&fields).filter(|_| rng.u8(..10) > 0) else {
            encode_key(1000, WireType::Varint, &mut bytes);
            encode_varint(rng.u64(..), &mut bytes);
            continue;
        };
        let (tag, kind) = (field.number(), field.kind());
        let wire_type = match kind {
            Kind::Double => WireType::SixtyFourBit,
            Kind::Float => WireType::ThirtyTwoBit,
            Kind::String | Kind::Bytes | Kind::Message(_) => WireType::LengthDelimited,
            _ => WireType::Varint,
        };
        if field.is_list() && wire_type != WireType::LengthDelimited && rng.bool() {
            let values = (0..rng.usize(..4)).flat_map(|_| value(rng, &kind, depth));
            encode_key(tag, WireType::LengthDelimited, &mut bytes);
            bytes.extend(delimited(&values.collect::<Vec<_>>()));
        } else {
            encode_key(tag, wire_type, &mut bytes);
            bytes.extend(value(rng, &kind, depth));
        }
    }
    bytes
}

fn value(rng: &mut Rng, kind: &Kind, depth: usize) -> Vec<u8> {
    match kind {
        Kind::Double => {
            let values = [0.0, -0.0, 1.5, f64::MIN_POSITIVE, f64::INFINITY];
            rng.choice(values).unwrap().to_le_bytes().into()
        }
        Kind::Float => {
            let values = [0.0, -0.0, 1.5, f32::MIN_POSITIVE, f32::INFINITY];
            rng.choice(values).unwrap().to_le_bytes().into()
        }
        Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Enum(_) => {
            let values = [0, 1, 2, 3, 11, 300, 1 << 31, u64::MAX];
            let mut bytes = Vec::new();
            encode_varint(rng.choice(values).unwrap(), &mut bytes);
            bytes
        }
        Kind::String => delimited(rng.choice(["", "a", "\u{e9}t\u{e9}"]).unwrap().as_bytes()),
        Kind::Bytes => delimited(rng.choice([&b""[..], b"a", b"\xff\0"]).unwrap()),
        Kind::Message(descriptor) => delimited(&message(rng, descriptor, depth - 1)),
        kind => panic!("{kind:?} is in no message yet"),
    }
}

fn delimited(bytes: &[u8]) -> Vec<u8> {
    let mut delimited = Vec::new();
    encode_varint(bytes.len() as u64, &mut delimited);
    delimited.extend(bytes);
    delimited
}

fn tags(mut bytes: &[u8]) -> Vec<u32> {
    let mut tags = Vec::new();
    while !bytes.is_empty() {
        let (tag, wire_type) = decode_key(&mut bytes).unwrap();
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).unwrap();
        tags.push(tag);
    }
    tags
}

macro_rules! enumerations {
    ($($($part:ident)::+,)*) => {
        #[test]
        fn every_enumeration_is_what_is_derived() {
            let listed = BTreeSet::from([$(letters(stringify!($($part)::+))),*]);
            let all = pool().all_enums().map(|all| letters(all.full_name())).collect();
            assert_eq!(listed, all);
            $({
                type Ours = proto::$($part)::+;
                type Derived = derived::$($part)::+;
                for number in -1..100 {
                    let (ours, derived) = (Ours::try_from(number), Derived::try_from(number));
                    assert_eq!(format!("{ours:?}"), format!("{derived:?}"));
                    assert_eq!(ours.map(i32::from), derived.map(i32::from));
                    assert_eq!(Ours::is_valid(number), Derived::is_valid(number));
                    #[allow(deprecated)]
                    let (ours, derived) = (Ours::from_i32(number), Derived::from_i32(number));
                    assert_eq!(format!("{ours:?}"), format!("{derived:?}"));
                }
                assert_eq!(i32::from(Ours::default()), i32::from(Derived::default()));
            })*
        }
    };
}

enumerations! {
    DataClass,
    DataType,
    audio_plugin_data::Encoding,
    hparams::DataType,
    hparams::DatasetType,
    hparams::Status,
    mesh::mesh_plugin_data::ContentType,
    session_log::SessionStatus,
}

macro_rules! fields {
    ($($($part:ident)::+ { $field:ident, $set:ident },)*) => {
        #[test]
        fn every_field_of_an_enumeration_is_got_and_set_as_derived() {
            let listed = BTreeSet::from([
                $(letters(concat!(stringify!($($part)::+), stringify!($field)))),*
            ]);
            let pool = pool();
            let all = pool.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>());
            let all = all.filter(|field| matches!(field.kind(), Kind::Enum(_)));
            let all = all.filter(|field| !field.is_list() && field.containing_oneof().is_none());
            assert_eq!(listed, all.map(|field| letters(field.full_name())).collect());
            $(for number in -1..100 {
                let mut ours = proto::$($part)::+ { $field: number, ..Default::default() };
                let mut derived = derived::$($part)::+ { $field: number, ..Default::default() };
                assert_eq!(ours.$field() as i32, derived.$field() as i32);
                ours.$set(ours.$field());
                derived.$set(derived.$field());
                same(&ours, &derived);
            })*
        }
    };
}

fields! {
    AudioPluginData { encoding, set_encoding },
    SessionLog { status, set_status },
    SummaryMetadata { data_class, set_data_class },
    TensorDescription { dtype, set_dtype },
    TensorProto { dtype, set_dtype },
    hparams::HParamInfo { r#type, set_type },
    hparams::MetricInfo { dataset_type, set_dataset_type },
    hparams::SessionEndInfo { status, set_status },
    mesh::MeshPluginData { content_type, set_content_type },
    op_def::ArgDef { r#type, set_type },
}

#[test]
fn the_list_of_an_enumeration_is_got_and_extended_as_derived() {
    let mut ours = proto::attr_value::ListValue::default();
    let mut derived = derived::attr_value::ListValue::default();
    for number in -1..100 {
        ours.r#type.push(number);
        derived.r#type.push(number);
        if let (Ok(of_ours), Ok(of_derived)) = (number.try_into(), number.try_into()) {
            ours.push_type(of_ours);
            derived.push_type(of_derived);
        }
    }
    same(&ours, &derived);
    let got = |number: proto::DataType| number as i32;
    assert!(
        ours.r#type()
            .map(got)
            .eq(derived.r#type().map(|number| number as i32))
    );
}

#[test]
fn a_oneof_skips_what_is_none_of_its_fields_where_the_derived_one_panics() {
    let mut bytes = &[7][..];
    let mut what = None;
    let (wire_type, context) = (WireType::Varint, DecodeContext::default());
    let merged = proto::event::What::merge(&mut what, 99, wire_type, &mut bytes, context);
    assert_eq!((merged, what, bytes), (Ok(()), None, &[][..]));
}

fn pool() -> DescriptorPool {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let names = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let descriptors = protox::compile(names.collect::<Vec<_>>(), [dir]).unwrap();
    DescriptorPool::from_file_descriptor_set(descriptors).unwrap()
}

/// What a path of Rust and a name of protobuf have in common.
fn letters(name: &str) -> String {
    let name = name
        .strip_prefix("tensorboard.")
        .unwrap_or(name)
        .replace("r#", "");
    let letters = name.chars().filter(|char| char.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
