//! Finds the tag, step and plugin of each value in a payload, and decodes nothing else. The events of `scalar` and `scalars` are
//! matched byte by byte, because they are frequent; prost decodes the others.

use prost::Message;

use crate::proto::summary::Value;
use crate::proto::summary::value::Value as Data;

/// One value of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point<'a> {
    pub(crate) tag: &'a [u8],
    pub(crate) step: i64,
    /// Seconds since 1970.
    pub(crate) wall_time: f64,
    /// `None` if neither the metadata nor an older field names the plugin. Only the first value of a tag has to.
    pub(crate) kind: Option<PluginKind>,
}

/// The plugin that shows a time series: named in the metadata, or implied by an older field of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PluginKind {
    Scalars,
    Histograms,
    Images,
    Audio,
    Text,
    PrCurves,
    Mesh,
    CustomScalars,
    HParams,
    /// The graph of a run, or of a Keras model.
    Graphs,
    RunMetadata,
    Other,
}

impl PluginKind {
    const NAMES: [(Self, &'static str); 11] = [
        (Self::Scalars, "scalars"),
        (Self::Histograms, "histograms"),
        (Self::Images, "images"),
        (Self::Audio, "audio"),
        (Self::Text, "text"),
        (Self::PrCurves, "pr_curves"),
        (Self::Mesh, "mesh"),
        (Self::CustomScalars, "custom_scalars"),
        (Self::HParams, "hparams"),
        (Self::Graphs, "graph_keras_model"),
        (Self::RunMetadata, "graph_run_metadata"),
    ];

    fn from_name(name: &[u8]) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(_, it)| it.as_bytes() == name);
        match known {
            Some((kind, _)) => Some(*kind),
            None if name.is_empty() => None,
            None => Some(Self::Other),
        }
    }

    /// Returns the plugin of a decoded value.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let metadata = value.metadata.as_ref();
        let plugin = metadata.and_then(|metadata| metadata.plugin_data.as_ref());
        let named = plugin.and_then(|plugin| Self::from_name(plugin.plugin_name.as_bytes()));
        named.or(match &value.value {
            Some(Data::SimpleValue(_)) => Some(Self::Scalars),
            Some(Data::Image(_)) => Some(Self::Images),
            Some(Data::Histo(_)) => Some(Self::Histograms),
            Some(Data::Audio(_)) => Some(Self::Audio),
            _ => None,
        })
    }

    /// Returns the plugin's name.
    pub(crate) fn name(self) -> &'static str {
        let known = Self::NAMES.iter().find(|(kind, _)| *kind == self);
        known.map_or("another plugin", |(_, name)| name)
    }
}

/// The tag under which both loaders keep the graph of a run.
const RUN_GRAPH: &[u8] = b"__run_graph__";

/// Calls `visit` for each value, the graph or the run metadata of an event. An event with the layout of `encode` takes the fast
/// way.
#[inline]
pub(crate) fn scan(payload: &[u8], mut visit: impl FnMut(Point<'_>)) {
    let Some((wall_time, step, mut values)) = event_with_values(payload) else {
        return scan_slowly(payload, visit);
    };
    let kind = Some(PluginKind::Scalars);
    while let Some((tag, rest)) = plain_scalar(values) {
        visit(Point {
            tag,
            step,
            wall_time,
            kind,
        });
        values = rest;
    }
    if !values.is_empty()
        && let Ok(others) = SummaryTags::decode(values)
    {
        others.visit(step, wall_time, visit);
    }
}

/// An event whose values are all plain scalars, as [`scan`] finds them the fast way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainScalars<'a> {
    pub(crate) wall_time: f64,
    pub(crate) step: i64,
    values: &'a [u8],
}

impl<'a> PlainScalars<'a> {
    /// Returns `None` for an event with other values or another layout.
    pub(crate) fn of(payload: &'a [u8]) -> Option<Self> {
        let (wall_time, step, values) = event_with_values(payload)?;
        let mut rest = values;
        while !rest.is_empty() {
            rest = plain_scalar(rest)?.1;
        }
        Some(Self {
            wall_time,
            step,
            values,
        })
    }

    /// Returns the tags and the numbers.
    pub(crate) fn values(self) -> impl Iterator<Item = (&'a [u8], f32)> {
        let mut values = self.values;
        std::iter::from_fn(move || {
            let (tag, rest) = plain_scalar(values)?;
            // The number is the last field.
            let number = values[..values.len() - rest.len()].last_chunk()?;
            values = rest;
            Some((tag, f32::from_le_bytes(*number)))
        })
    }
}

/// Splits an event into wall time, step and values, if it has these and nothing else, as most events do. `encode`
/// writes them in this order.
#[inline]
fn event_with_values(payload: &[u8]) -> Option<(f64, i64, &[u8])> {
    let (0x09, rest) = payload.split_first()? else {
        return None;
    };
    let (wall_time, rest) = rest.split_first_chunk()?;
    let (0x10, rest) = rest.split_first()? else {
        return None;
    };
    let (step, rest) = split_varint(rest)?;
    let (0x2a, rest) = rest.split_first()? else {
        return None;
    };
    let (values_bytes, values) = split_varint(rest)?;
    let is_last = values_bytes == values.len() as u64;
    is_last.then_some((f64::from_le_bytes(*wall_time), step.cast_signed(), values))
}

/// Returns the tag of the first value and the values after it, if the first value is a plain scalar.
#[inline]
fn plain_scalar(values: &[u8]) -> Option<(&[u8], &[u8])> {
    let (value, rest) = split_bytes(values)?;
    let (tag, number) = split_bytes(value)?;
    matches!(number, [0x15, _, _, _, _]).then_some((tag, rest))
}

/// Returns the content of the first field and the fields after it, if the first field has number 1 and holds bytes.
#[inline]
fn split_bytes(fields: &[u8]) -> Option<(&[u8], &[u8])> {
    let (0x0a, rest) = fields.split_first()? else {
        return None;
    };
    let (len, rest) = split_varint(rest)?;
    rest.split_at_checked(usize::try_from(len).ok()?)
}

/// Splits a varint off. Most lengths have one byte, so only that case is inlined.
#[inline]
fn split_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes.split_first()? {
        (byte @ 0..0x80, rest) => Some(((*byte).into(), rest)),
        _ => split_long_varint(bytes),
    }
}

fn split_long_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (i, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * i);
        if *byte < 0x80 {
            let has_64_bits = i < 9 || *byte < 2;
            return has_64_bits.then_some((number, &bytes[i + 1..]));
        }
    }
    None
}

/// Does the same as [`scan`] for any event.
#[cold]
fn scan_slowly(payload: &[u8], mut visit: impl FnMut(Point<'_>)) {
    let Ok(event) = EventTags::decode(payload) else {
        return;
    };
    let point = |tag, kind| Point {
        tag,
        step: event.step,
        wall_time: event.wall_time,
        kind: Some(kind),
    };
    if event.graph_def.is_some() {
        visit(point(RUN_GRAPH, PluginKind::Graphs));
    }
    if let Some(metadata) = &event.tagged_run_metadata {
        visit(point(&metadata.tag, PluginKind::RunMetadata));
    }
    if let Some(summary) = event.summary {
        summary.visit(event.step, event.wall_time, visit);
    }
}

/// The fields of [`Event`](crate::proto::Event) that a [`Point`] has. The decoder skips the others.
#[derive(prost::Message)]
struct EventTags {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(bytes = "vec", optional, tag = "4")]
    graph_def: Option<Vec<u8>>,
    #[prost(message, optional, tag = "5")]
    summary: Option<SummaryTags>,
    #[prost(message, optional, tag = "8")]
    tagged_run_metadata: Option<RunMetadataTag>,
}

#[derive(prost::Message)]
struct RunMetadataTag {
    #[prost(bytes = "vec", tag = "1")]
    tag: Vec<u8>,
}

#[derive(prost::Message)]
struct SummaryTags {
    #[prost(message, repeated, tag = "1")]
    values: Vec<ValueTag>,
}

#[derive(prost::Message)]
struct ValueTag {
    #[prost(bytes = "vec", tag = "1")]
    tag: Vec<u8>,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "4")]
    image: Option<Skipped>,
    #[prost(message, optional, tag = "5")]
    histogram: Option<Skipped>,
    #[prost(message, optional, tag = "6")]
    audio: Option<Skipped>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

#[derive(prost::Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin_data: Option<PluginName>,
}

#[derive(prost::Message)]
struct PluginName {
    #[prost(bytes = "vec", tag = "1")]
    plugin_name: Vec<u8>,
}

/// A message that is there or not. The decoder skips its fields.
#[derive(prost::Message)]
struct Skipped {}

impl SummaryTags {
    fn visit(&self, step: i64, wall_time: f64, mut visit: impl FnMut(Point<'_>)) {
        for value in &self.values {
            visit(Point {
                tag: &value.tag,
                step,
                wall_time,
                kind: value.kind(),
            });
        }
    }
}

impl ValueTag {
    fn kind(&self) -> Option<PluginKind> {
        let plugin = self
            .metadata
            .as_ref()
            .and_then(|it| it.plugin_data.as_ref());
        let named = plugin.and_then(|plugin| PluginKind::from_name(&plugin.plugin_name));
        let implied = [
            (self.simple_value.is_some(), PluginKind::Scalars),
            (self.image.is_some(), PluginKind::Images),
            (self.histogram.is_some(), PluginKind::Histograms),
            (self.audio.is_some(), PluginKind::Audio),
        ];
        let implied = implied
            .iter()
            .find_map(|(is_there, kind)| is_there.then_some(*kind));
        named.or(implied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::event::What;
    use crate::proto::summary_metadata::PluginData;
    use crate::proto::{Event, HistogramProto, Summary, SummaryMetadata, TaggedRunMetadata};

    fn points(event: &Event) -> Vec<(String, i64, Option<PluginKind>)> {
        let mut points = Vec::new();
        scan(&event.encode_to_vec(), |point| {
            let tag = String::from_utf8(point.tag.to_vec()).unwrap();
            assert_eq!(point.wall_time, event.wall_time);
            points.push((tag, point.step, point.kind));
        });
        points
    }

    fn value(tag: &str, plugin: Option<&str>, data: Data) -> Value {
        Value {
            tag: tag.into(),
            metadata: plugin.map(|name| SummaryMetadata {
                plugin_data: Some(PluginData {
                    plugin_name: name.into(),
                    content: b"\x08\x01".to_vec(),
                }),
                summary_description: "a *description*".into(),
                ..Default::default()
            }),
            value: Some(data),
        }
    }

    #[test]
    fn finds_tag_step_and_plugin_of_events_that_prost_encodes() {
        let tensor = || Data::Tensor(Box::default());
        for step in [0, 7, -1, i64::MIN, i64::MAX] {
            let event = Event {
                wall_time: 1.5,
                step,
                what: Some(What::Summary(Summary {
                    value: vec![
                        value("a", None, Data::SimpleValue(0.5)),
                        value(&"b".repeat(300), Some("scalars"), tensor()),
                        value("", None, Data::Histo(HistogramProto::default())),
                        value("d", Some("pr_curves"), tensor()),
                        value("e", Some("mine"), tensor()),
                        value("f", Some(""), tensor()),
                        value("g", None, tensor()),
                    ],
                })),
                ..Default::default()
            };
            let want = [
                ("a".to_owned(), Some(PluginKind::Scalars)),
                ("b".repeat(300), Some(PluginKind::Scalars)),
                (String::new(), Some(PluginKind::Histograms)),
                ("d".into(), Some(PluginKind::PrCurves)),
                ("e".into(), Some(PluginKind::Other)),
                ("f".into(), None),
                ("g".into(), None),
            ]
            .map(|(tag, kind)| (tag, step, kind));
            assert_eq!(points(&event), want);
            let Some(What::Summary(summary)) = event.what else {
                unreachable!("it has values");
            };
            let kinds = summary.value.iter().map(PluginKind::of);
            assert!(kinds.eq(want.iter().map(|(_, _, kind)| *kind)));
        }
    }

    #[test]
    fn graphs_and_run_metadata_are_points() {
        let event = |what| Event {
            wall_time: 1.5,
            step: 7,
            what: Some(what),
            ..Default::default()
        };
        let graph = event(What::GraphDef(b"\x0a\x03\x0a\x01x".to_vec()));
        let want = ("__run_graph__".into(), 7, Some(PluginKind::Graphs));
        assert_eq!(points(&graph), [want]);
        let metadata = event(What::TaggedRunMetadata(TaggedRunMetadata {
            tag: "step 7".into(),
            run_metadata: vec![0; 3],
        }));
        let want = ("step 7".into(), 7, Some(PluginKind::RunMetadata));
        assert_eq!(points(&metadata), [want]);
    }

    #[test]
    fn events_without_a_summary_have_no_points() {
        let version = Event {
            step: 3,
            what: Some(What::FileVersion("brain.Event:2".into())),
            ..Default::default()
        };
        assert_eq!(points(&version), []);
        assert_eq!(points(&Event::default()), []);
    }

    #[test]
    fn events_that_are_cut_or_odd_have_no_points() {
        let event = b"\x09\0\0\0\0\0\0\xf8\x3f\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\0\x3f";
        for len in 0..event.len() {
            scan(&event[..len], |point| panic!("{point:?} in {len} bytes"));
        }
        // The number is missing, or the value has another length than its fields.
        assert_eq!(plain_scalar(b"\x0a\x06\x0a\x04loss"), None);
        assert_eq!(plain_scalar(b"\x0a\x0c\x0a\x04loss\x15\0\0\0\x3f"), None);
    }

    #[test]
    fn varint_is_read_as_prost_reads_it() {
        for bytes in [
            &[0x00][..],
            &[0x7f],
            &[0x80, 0x00],
            &[0x80, 0x80, 0x01],
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
            &[0xff; 20],
            &[0x80],
            &[],
        ] {
            // The message `google.protobuf.UInt64Value`: the key of field 1, and the varint.
            let want = u64::decode(&[&[0x08], bytes].concat()[..]).ok();
            let got = split_varint(bytes).map(|(number, rest)| {
                assert_eq!(rest, [0; 0]);
                number
            });
            assert_eq!(got, want, "{bytes:02x?}");
        }
        assert_eq!(split_varint(&[0x80, 0x01, 0x02]), Some((128, &[0x02][..])));
    }
}
