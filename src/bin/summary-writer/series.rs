//! The time series of a run, and how many of their points stock TensorBoard shows.

use std::collections::BTreeMap;

use serde::Serialize;
use summary_writer::proto::DataType;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::proto::{Event, TensorProto};
use summary_writer::reader::{Value, ValueDecoder};

use crate::source;

/// How many points of a tag the fast loader keeps. A kind that is not listed has no points that replace each other.
const SAMPLE_SIZES: [(&str, u64); 7] = [
    ("scalars", 1000),
    ("histograms", 100),
    ("images", 10),
    ("audio", 10),
    ("text", 100),
    ("pr_curves", 100),
    ("mesh", 100),
];

/// Collects the points of a run, from all its files in order.
#[derive(Default)]
pub(crate) struct RunSeries {
    decoder: ValueDecoder,
    tags: BTreeMap<String, TagPoints>,
}

#[derive(Default)]
struct TagPoints {
    /// In the order of their first points: TensorBoard shows only the first kind of a tag.
    kinds: Vec<KindPoints>,
    /// The points that the fast loader keeps, in the order of their steps.
    kept: Vec<KeptPoint>,
    steps_go_back: bool,
    steps_repeat: bool,
}

struct KindPoints {
    kind: String,
    points: u64,
    first_step: i64,
    last_step: i64,
}

struct KeptPoint {
    step: i64,
    /// The fast loader drops the other points when it has sampled.
    is_shown: bool,
}

/// The points of a tag that have one kind.
#[derive(Serialize)]
pub(crate) struct Series<'a> {
    pub(crate) tag: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) points: u64,
    pub(crate) first_step: i64,
    pub(crate) last_step: i64,
    /// The points that the fast loader keeps before it takes a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<u64>,
    /// Why TensorBoard leaves out points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl RunSeries {
    pub(crate) fn add(&mut self, event: Event) {
        let step = event.step;
        if let Some(What::Summary(summary)) = event.what {
            for value in summary.value {
                let is_float = is_float(value.value.as_ref());
                let (tag, value) = self.decoder.decode_value(value);
                let is_served = is_float || !matches!(value, Value::Scalar(_));
                self.add_point(tag, source::kind(&value), step, is_served);
            }
        } else {
            for (tag, value) in self.decoder.decode(event) {
                self.add_point(tag, source::kind(&value), step, true);
            }
        }
    }

    /// Adds an embedding by its name in the projector, which is `TAG:STEP` for most writers.
    pub(crate) fn add_embedding(&mut self, name: String) {
        let parsed = name.rsplit_once(':').and_then(|(tag, step)| {
            let step = step.parse().ok()?;
            Some((tag.to_owned(), step))
        });
        let (tag, step) = parsed.unwrap_or((name, 0));
        self.add_point(tag, "projector", step, true);
    }

    /// `is_served`: the fast loader can serve the value as a point of its kind.
    fn add_point(&mut self, tag: String, kind: &str, step: i64, is_served: bool) {
        let tag = self.tags.entry(tag).or_default();
        let index = tag.kinds.iter().position(|points| points.kind == kind);
        let index = index.unwrap_or_else(|| {
            tag.kinds.push(KindPoints {
                kind: kind.to_owned(),
                points: 0,
                first_step: step,
                last_step: step,
            });
            tag.kinds.len() - 1
        });
        let points = &mut tag.kinds[index];
        points.points += 1;
        points.first_step = points.first_step.min(step);
        points.last_step = points.last_step.max(step);

        let last_step = tag.kept.last().map(|point| point.step);
        tag.steps_go_back |= last_step.is_some_and(|last| step < last);
        tag.steps_repeat |= last_step == Some(step);
        // A point takes away the earlier points of its tag from its step on.
        while tag.kept.pop_if(|point| point.step >= step).is_some() {}
        let is_shown = index == 0 && is_served;
        tag.kept.push(KeptPoint { step, is_shown });
    }

    /// Returns the series in the order of their tags.
    pub(crate) fn series(&self) -> impl Iterator<Item = Series<'_>> {
        self.tags.iter().flat_map(|(tag, points)| {
            let series = move |(index, _)| points.series(tag, index);
            points.kinds.iter().enumerate().map(series)
        })
    }
}

impl TagPoints {
    fn series<'a>(&'a self, tag: &'a str, index: usize) -> Series<'a> {
        let points = &self.kinds[index];
        let sample_size = SAMPLE_SIZES.iter().find(|(kind, _)| *kind == points.kind);
        let shown = sample_size.map(|_| match index {
            0 => self.kept.iter().filter(|point| point.is_shown).count() as u64,
            _ => 0,
        });
        let note = sample_size
            .zip(shown)
            .filter(|(_, shown)| *shown < points.points);
        let note = note.map(|((_, sample_size), shown)| {
            let points = points.points;
            if index == 0 && !self.steps_go_back && !self.steps_repeat {
                return format!(
                    "not float32 of rank 0: the fast loader shows {shown} of {points} points, --load_fast=false all"
                );
            }
            let cause = if index > 0 {
                format!("the tag is used for {}, too", self.kinds[0].kind)
            } else if self.steps_go_back {
                "steps go back".into()
            } else {
                "steps repeat".into()
            };
            let sample = if shown > *sample_size {
                "a sample of "
            } else {
                ""
            };
            format!("{cause}: TensorBoard shows {sample}{shown} of {points} points")
        });
        Series {
            tag,
            kind: &points.kind,
            points: points.points,
            first_step: points.first_step,
            last_step: points.last_step,
            shown,
            note,
        }
    }
}

/// False for a tensor that the fast loader does not show as a scalar.
fn is_float(data: Option<&Data>) -> bool {
    let Some(Data::Tensor(tensor)) = data else {
        return true;
    };
    tensor.dtype() == DataType::DtFloat && has_rank_0(tensor)
}

fn has_rank_0(tensor: &TensorProto) -> bool {
    let shape = tensor.tensor_shape.as_ref();
    shape.is_none_or(|shape| shape.dim.is_empty())
}
