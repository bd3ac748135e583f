//! A payload to where its values belong: to which tag, at which step, as which kind. Nothing more is decoded, so a record
//! costs a few nanoseconds.

/// One value of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point<'a> {
    pub(crate) tag: &'a [u8],
    pub(crate) step: i64,
    /// `None` if the value does not say: only the first of a tag has to.
    pub(crate) kind: Option<Kind>,
}

/// What the loaders take the values of a tag for: by the plugin's name, or by the field of old that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalars = 1,
    Histograms,
    Images,
    Audio,
    Text,
    PrCurves,
    Mesh,
    CustomScalars,
    HParams,
    /// That of any other plugin.
    Other,
}

impl Kind {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Scalars, "scalars"),
        (Self::Histograms, "histograms"),
        (Self::Images, "images"),
        (Self::Audio, "audio"),
        (Self::Text, "text"),
        (Self::PrCurves, "pr_curves"),
        (Self::Mesh, "mesh"),
        (Self::CustomScalars, "custom_scalars"),
        (Self::HParams, "hparams"),
    ];

    fn of_plugin(name: &[u8]) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, it)| it.as_bytes() == name);
        match known {
            Some((kind, _)) => Some(*kind),
            None if name.is_empty() => None,
            None => Some(Self::Other),
        }
    }

    /// The kind of this number, `kind as u64`.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        let known = Self::ALL.iter().map(|(kind, _)| *kind);
        let mut all = known.chain([Self::Other]);
        all.find(|kind| *kind as u64 == number)
    }

    /// The plugin's name.
    pub(crate) fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known.map_or("another plugin", |(_, name)| name)
    }
}

/// Calls `each` for the values of an event as it was encoded here: the step stands before them.
#[inline]
pub(crate) fn scan<'a>(payload: &'a [u8], mut each: impl FnMut(Point<'a>)) {
    match plain_scalar(payload) {
        Some(point) => each(point),
        None => scan_fields(payload, &mut each),
    }
}

/// The general way: much code, so it is there once, and none of it in the loop over plain scalars.
#[inline(never)]
fn scan_fields<'a>(payload: &'a [u8], each: &mut dyn FnMut(Point<'a>)) {
    let mut step = 0;
    for field in Fields(payload) {
        match field {
            (2, Field::Varint(number)) => step = number.cast_signed(),
            (5, Field::Bytes(summary)) => {
                for field in Fields(summary) {
                    if let (1, Field::Bytes(value)) = field {
                        each(point(value, step));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The one point of an event that is a plain scalar with a short tag, as most are: taken to pieces in the order in which
/// they are put together. That takes a seventh of the time of the general way.
#[inline]
fn plain_scalar(payload: &[u8]) -> Option<Point<'_>> {
    let [0x09, _, _, _, _, _, _, _, _, 0x10, rest @ ..] = payload else {
        return None;
    };
    let mut fields = Fields(rest);
    let step = fields.varint()?.cast_signed();
    let [0x2a, _, 0x0a, value_len, value @ ..] = fields.0 else {
        return None;
    };
    let is_alone = *value_len < 0x80 && usize::from(*value_len) == value.len();
    let tag = tag_of_plain_scalar(value).filter(|_| is_alone)?;
    Some(Point {
        tag,
        step,
        kind: Some(Kind::Scalars),
    })
}

/// The tag of a value that has a short one, a number, and nothing else.
#[inline]
fn tag_of_plain_scalar(value: &[u8]) -> Option<&[u8]> {
    let [0x0a, tag_len, rest @ ..] = value else {
        return None;
    };
    let (tag, number) = rest.split_at_checked((*tag_len).into())?;
    let is_short = *tag_len < 0x80;
    matches!(number, [0x15, _, _, _, _] if is_short).then_some(tag)
}

fn point(value: &[u8], step: i64) -> Point<'_> {
    if let Some(tag) = tag_of_plain_scalar(value) {
        return Point {
            tag,
            step,
            kind: Some(Kind::Scalars),
        };
    }
    let (mut tag, mut by_field, mut by_plugin) = (&value[..0], None, None);
    for field in Fields(value) {
        match field {
            (1, Field::Bytes(bytes)) => tag = bytes,
            (2, _) => by_field = Some(Kind::Scalars),
            (4, _) => by_field = Some(Kind::Images),
            (5, _) => by_field = Some(Kind::Histograms),
            (6, _) => by_field = Some(Kind::Audio),
            (9, Field::Bytes(metadata)) => by_plugin = plugin(metadata),
            _ => {}
        }
    }
    Point {
        tag,
        step,
        kind: by_plugin.or(by_field),
    }
}

fn plugin(metadata: &[u8]) -> Option<Kind> {
    let data = Fields(metadata).find_map(|field| match field {
        (1, Field::Bytes(data)) => Some(data),
        _ => None,
    })?;
    let name = Fields(data).find_map(|field| match field {
        (1, Field::Bytes(name)) => Some(name),
        _ => None,
    });
    Kind::of_plugin(name.unwrap_or_default())
}

/// The fields of a message, with their numbers; no more behind one that is none.
struct Fields<'a>(&'a [u8]);

enum Field<'a> {
    Varint(u64),
    Fixed,
    Bytes(&'a [u8]),
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    // Five loops go over fields: it is there once for all.
    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => self.fixed::<8>()?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(len)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            5 => self.fixed::<4>()?,
            _ => return None,
        };
        Some((key >> 3, field))
    }
}

impl Fields<'_> {
    #[inline]
    fn varint(&mut self) -> Option<u64> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        if first < 0x80 {
            return Some(first.into());
        }
        self.rest_of_varint(first)
    }

    // As `next`: six places read a number.
    #[inline(never)]
    fn rest_of_varint(&mut self, first: u8) -> Option<u64> {
        let mut number = u64::from(first & 0x7f);
        let mut shift = 7;
        while shift < 64 {
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

    #[inline]
    fn fixed<const BYTES: usize>(&mut self) -> Option<Field<'static>> {
        self.0 = self.0.get(BYTES..)?;
        Some(Field::Fixed)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::event::What;
    use crate::proto::summary::Value;
    use crate::proto::summary::value::Value as Data;
    use crate::proto::summary_metadata::PluginData;
    use crate::proto::{Event, HistogramProto, Summary, SummaryMetadata, TensorProto};

    fn points(event: &Event) -> Vec<(String, i64, Option<Kind>)> {
        let mut points = Vec::new();
        scan(&event.encode_to_vec(), |point| {
            let tag = String::from_utf8(point.tag.to_vec()).unwrap();
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
    fn tells_tag_step_and_kind_of_what_prost_encodes() {
        let tensor = || Data::Tensor(TensorProto::default());
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
                ("a".to_owned(), Some(Kind::Scalars)),
                ("b".repeat(300), Some(Kind::Scalars)),
                (String::new(), Some(Kind::Histograms)),
                ("d".into(), Some(Kind::PrCurves)),
                ("e".into(), Some(Kind::Other)),
                ("f".into(), None),
                ("g".into(), None),
            ]
            .map(|(tag, kind)| (tag, step, kind));
            assert_eq!(points(&event), want);
        }
    }

    #[test]
    fn other_events_have_no_values() {
        let version = Event {
            step: 3,
            what: Some(What::FileVersion("brain.Event:2".into())),
            ..Default::default()
        };
        assert_eq!(points(&version), []);
        assert_eq!(points(&Event::default()), []);
    }

    #[test]
    fn ends_where_a_message_does() {
        let event = b"\x09\0\0\0\0\0\0\xf8\x3f\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\0\x3f";
        for len in 0..event.len() {
            scan(&event[..len], |point| panic!("{point:?} in {len} bytes"));
        }
        // As a scalar, but for the lengths: 11 bytes cannot hold a tag of 250.
        let odd = [&event[..16], b"\xfa", &[b'a'; 250], b"\x15\0\0\0\x3f"].concat();
        assert_eq!(plain_scalar(&odd), None);
        // A tag of 2^63 bytes, a group, and a varint without an end.
        for odd in [
            &b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"[..],
            b"\x0b\x0c",
            &[0xff; 20],
        ] {
            assert_eq!(Fields(odd).count(), 0);
        }
    }
}
