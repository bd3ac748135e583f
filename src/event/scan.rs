//! Finds the tag, step and plugin of each value in a payload, and decodes nothing else, so that a plain scalar costs a few
//! nanoseconds.

use crate::proto::summary::Value;
use crate::proto::summary::value::Value as Data;

/// One value of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point<'a> {
    pub(crate) tag: &'a [u8],
    pub(crate) step: i64,
    /// Seconds since 1970.
    pub(crate) wall_time: f64,
    /// `None` if the value does not name its plugin. Only the first value of a tag has to.
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
    /// A graph, conceptual or not.
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

/// Calls `visit` for each value, the graph or the run metadata of an event that this crate encoded: wall time and step come
/// before them.
#[inline]
pub(crate) fn scan<'a>(payload: &'a [u8], mut visit: impl FnMut(Point<'a>)) {
    if let Some(point) = plain_scalar_event(payload) {
        return visit(point);
    }
    let (mut step, mut wall_time) = (0, 0.0);
    let point = |tag, kind, step, wall_time| Point {
        tag,
        step,
        wall_time,
        kind,
    };
    for field in WireFields(payload) {
        match field {
            (1, WireValue::Fixed64(bytes)) => wall_time = f64::from_le_bytes(bytes),
            (2, WireValue::Varint(number)) => step = number.cast_signed(),
            (4, WireValue::Bytes(_)) => {
                visit(point(RUN_GRAPH, Some(PluginKind::Graphs), step, wall_time));
            }
            (5, WireValue::Bytes(summary)) => {
                for field in WireFields(summary) {
                    if let (1, WireValue::Bytes(value)) = field {
                        let (tag, kind) = tag_and_kind(value);
                        visit(point(tag, kind, step, wall_time));
                    }
                }
            }
            (8, WireValue::Bytes(metadata)) => {
                let tag = first_field(metadata).unwrap_or_default();
                let kind = Some(PluginKind::RunMetadata);
                visit(point(tag, kind, step, wall_time));
            }
            _ => {}
        }
    }
}

/// Returns the point of an event that has one plain scalar with a short tag, as most events do. Matching the bytes in the
/// order in which they are encoded takes a seventh of the time of the general way.
#[inline]
fn plain_scalar_event(payload: &[u8]) -> Option<Point<'_>> {
    let (0x09, rest) = payload.split_first()? else {
        return None;
    };
    let (wall_time, rest) = rest.split_first_chunk()?;
    let (0x10, rest) = rest.split_first()? else {
        return None;
    };
    let mut fields = WireFields(rest);
    let step = fields.varint()?.cast_signed();
    let [0x2a, _, 0x0a, value_len, value @ ..] = fields.0 else {
        return None;
    };
    let is_only_value = *value_len < 0x80 && usize::from(*value_len) == value.len();
    let tag = plain_scalar_tag(value).filter(|_| is_only_value)?;
    Some(Point {
        tag,
        step,
        wall_time: f64::from_le_bytes(*wall_time),
        kind: Some(PluginKind::Scalars),
    })
}

/// Returns the tag of a value that has a short tag, a number and nothing else.
#[inline]
fn plain_scalar_tag(value: &[u8]) -> Option<&[u8]> {
    let [0x0a, tag_len, rest @ ..] = value else {
        return None;
    };
    let (tag, number) = rest.split_at_checked((*tag_len).into())?;
    let is_short = *tag_len < 0x80;
    matches!(number, [0x15, _, _, _, _] if is_short).then_some(tag)
}

fn tag_and_kind(value: &[u8]) -> (&[u8], Option<PluginKind>) {
    if let Some(tag) = plain_scalar_tag(value) {
        return (tag, Some(PluginKind::Scalars));
    }
    let (mut tag, mut implied, mut named) = (&value[..0], None, None);
    for field in WireFields(value) {
        match field {
            (1, WireValue::Bytes(bytes)) => tag = bytes,
            (2, _) => implied = Some(PluginKind::Scalars),
            (4, _) => implied = Some(PluginKind::Images),
            (5, _) => implied = Some(PluginKind::Histograms),
            (6, _) => implied = Some(PluginKind::Audio),
            (9, WireValue::Bytes(metadata)) => named = plugin(metadata),
            _ => {}
        }
    }
    (tag, named.or(implied))
}

/// Returns the plugin that a `SummaryMetadata` names.
fn plugin(metadata: &[u8]) -> Option<PluginKind> {
    let plugin_data = first_field(metadata)?;
    PluginKind::from_name(first_field(plugin_data).unwrap_or_default())
}

/// Returns the first field number 1 of a message that has text, bytes or a message there.
fn first_field(message: &[u8]) -> Option<&[u8]> {
    WireFields(message).find_map(|field| match field {
        (1, WireValue::Bytes(bytes)) => Some(bytes),
        _ => None,
    })
}

/// The fields of a message with their numbers. It ends at the first byte that is not a field.
struct WireFields<'a>(&'a [u8]);

enum WireValue<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32,
    Bytes(&'a [u8]),
}

impl<'a> Iterator for WireFields<'a> {
    type Item = (u64, WireValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => WireValue::Varint(self.varint()?),
            1 => WireValue::Fixed64(self.fixed()?),
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(len)?;
                self.0 = rest;
                WireValue::Bytes(bytes)
            }
            5 => {
                self.fixed::<4>()?;
                WireValue::Fixed32
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl WireFields<'_> {
    #[inline]
    fn varint(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        while shift < u64::BITS {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
        None
    }

    fn fixed<const BYTES: usize>(&mut self) -> Option<[u8; BYTES]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

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
    fn stops_at_the_first_byte_that_is_no_field() {
        let event = b"\x09\0\0\0\0\0\0\xf8\x3f\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\0\x3f";
        for len in 0..event.len() {
            scan(&event[..len], |point| panic!("{point:?} in {len} bytes"));
        }
        // Like a scalar except for its lengths: 11 bytes cannot hold a tag of 250.
        let odd = [&event[..16], b"\xfa", &[b'a'; 250], b"\x15\0\0\0\x3f"].concat();
        assert_eq!(plain_scalar_event(&odd), None);
        // A tag of 2^63 bytes, a group, and a varint without an end.
        for odd in [
            &b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"[..],
            b"\x0b\x0c",
            &[0xff; 20],
        ] {
            assert_eq!(WireFields(odd).count(), 0);
        }
    }
}
