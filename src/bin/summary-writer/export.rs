//! `export`: writes points as lines of CSV or JSON.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use indicatif::ProgressBar;
use prost::Message;
use serde::Serialize;
use serde_json::json;
use summary_writer::proto::google::protobuf::value::Kind;
use summary_writer::proto::hparams::h_params_plugin_data::Data as HParams;
use summary_writer::proto::{TensorProto, google};
use summary_writer::reader::Run;
use summary_writer::reader::{Bucket, Number, Value, ValueDecoder};

use crate::Outcome;
use crate::Result;
use crate::arguments::{Export, Format, NamePattern};
use crate::output::{Escaped, OutputNumber, count, print_error, write_json};
use crate::source;

struct Point<'a> {
    run: &'a str,
    tag: &'a str,
    step: i64,
    wall_time: OutputNumber,
    value: Value,
}

pub(crate) fn run(options: &Export, out: &mut impl Write) -> Result<Outcome> {
    let runs = wanted_runs(options)?;
    match options.format {
        Format::Csv => write_csv(options, &runs, out),
        Format::Jsonl => for_each_point(options, &runs, |point| {
            Ok(write_json(&JsonLine::new(point), out)?)
        }),
    }
}

fn wanted_runs(options: &Export) -> Result<Vec<Run>> {
    let mut runs = source::runs(&options.path)?;
    let is_missing = |pattern: &&NamePattern| !runs.iter().any(|run| pattern.matches(&run.name));
    if let Some(pattern) = options.runs.iter().find(is_missing) {
        let path = options.path.display();
        return Err(format!("there is no run {pattern} in \"{path}\"").into());
    }
    runs.retain(|run| is_wanted(&options.runs, &run.name));
    Ok(runs)
}

/// An empty list means all.
fn is_wanted(patterns: &[NamePattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
}

fn write_csv(options: &Export, runs: &[Run], out: &mut impl Write) -> Result<Outcome> {
    let mut writer = csv::Writer::from_writer(out);
    let header = ["run", "tag", "step", "wall_time", "value"];
    writer.write_record(header).map_err(io_error)?;
    let mut left_out = BTreeMap::<String, u64>::new();
    let outcome = for_each_point(options, runs, |point| {
        let Value::Scalar(number) = point.value else {
            let kind = source::kind(&point.value).to_owned();
            *left_out.entry(kind).or_default() += 1;
            return Ok(());
        };
        let value = OutputNumber(number);
        let row = (point.run, point.tag, point.step, point.wall_time, value);
        Ok(writer.serialize(row).map_err(io_error)?)
    })?;
    writer.flush()?;
    if !left_out.is_empty() {
        let kinds: Vec<_> = left_out
            .iter()
            .map(|(kind, points)| format!("{points} of {}", Escaped(kind)))
            .collect();
        print_error(&format!(
            "CSV has only scalars; left out: {} (--format jsonl has them)",
            kinds.join(", ")
        ));
    }
    Ok(outcome)
}

/// Keeps the kind of the error, which the conversion of the crate `csv` does not.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// Passes the points of `runs` with the chosen tags and steps to `each`. Complains about damage, and about tags that do not
/// exist.
fn for_each_point(
    options: &Export,
    runs: &[Run],
    mut each: impl FnMut(Point<'_>) -> Result,
) -> Result<Outcome> {
    let progress = if io::stdout().is_terminal() {
        ProgressBar::hidden()
    } else {
        source::progress(runs)
    };
    let mut outcome = Outcome::Fine;
    let mut missing_tags: Vec<&NamePattern> = options.tags.iter().collect();
    for run in runs {
        let mut decoder = ValueDecoder::new();
        for path in &run.files {
            let report = source::read(path, &progress, |event| {
                let (step, wall_time) = (event.step, OutputNumber::from(event.wall_time));
                for (tag, value) in decoder.decode(event) {
                    if !is_wanted(&options.tags, &tag) {
                        continue;
                    }
                    missing_tags.retain(|pattern| !pattern.matches(&tag));
                    if !options.steps.contains(step) {
                        continue;
                    }
                    each(Point {
                        run: &run.name,
                        tag: &tag,
                        step,
                        wall_time,
                        value,
                    })?;
                }
                Ok(())
            })?;
            outcome = outcome.max(source::outcome(report.as_ref()));
            if let Some(report) = report.filter(|report| !report.is_sound()) {
                let path = path.display();
                let problem = match source::not_an_event_file(&report) {
                    Some(text) => format!("\"{path}\" is {text}"),
                    None => {
                        let damages = count(report.damage_count, "damage");
                        format!("\"{path}\" has {damages}; `verify` shows where")
                    }
                };
                progress.suspend(|| print_error(&problem));
            }
        }
    }
    for tag in missing_tags {
        let path = options.path.display();
        let problem = format!("there is no tag {tag} in the exported runs of \"{path}\"");
        progress.suspend(|| print_error(&problem));
        outcome = Outcome::Failure;
    }
    Ok(outcome)
}

#[derive(Serialize)]
struct JsonLine<'a> {
    run: &'a str,
    tag: &'a str,
    kind: String,
    step: i64,
    wall_time: OutputNumber,
    #[serde(flatten)]
    content: Content,
}

/// The fields of a line that depend on the kind.
#[derive(Serialize)]
#[serde(untagged)]
enum Content {
    /// Not an object, because numbers in a [`serde_json::Value`] are `f64`: 0.1 as `f32` would have more digits.
    Scalar {
        value: OutputNumber,
    },
    Object(serde_json::Value),
}

impl<'a> JsonLine<'a> {
    fn new(point: Point<'a>) -> Self {
        Self {
            run: point.run,
            tag: point.tag,
            kind: source::kind(&point.value).to_owned(),
            step: point.step,
            wall_time: point.wall_time,
            content: Content::new(point.value),
        }
    }
}

impl Content {
    /// Shows small data in full, and the size of large data.
    fn new(value: Value) -> Self {
        Self::Object(match value {
            Value::Scalar(number) => {
                return Self::Scalar {
                    value: OutputNumber(number),
                };
            }
            Value::Text(mut text) if text.shape.is_empty() && text.texts.len() == 1 => {
                json!({"value": text.texts.remove(0)})
            }
            Value::Text(text) => json!({"value": text.texts}),
            Value::Histogram(buckets) => {
                let row = |bucket: &Bucket| numbers(&[bucket.left, bucket.right, bucket.count]);
                json!({"buckets": buckets.iter().map(row).collect::<Vec<_>>()})
            }
            Value::PrCurve(curve) => json!({
                "true_positives": numbers(&curve.true_positives),
                "false_positives": numbers(&curve.false_positives),
                "true_negatives": numbers(&curve.true_negatives),
                "false_negatives": numbers(&curve.false_negatives),
                "precision": numbers(&curve.precision),
                "recall": numbers(&curve.recall),
            }),
            Value::HParams(data) => hparams_fields(data),
            Value::Images(images) => json!({
                "width": images.width,
                "height": images.height,
                "images": images.files.len(),
                "bytes": images.files.iter().map(Vec::len).sum::<usize>(),
            }),
            Value::Audio(clips) => json!({
                "clips": clips.len(),
                "bytes": clips.iter().map(|clip| clip.file.len()).sum::<usize>(),
            }),
            Value::Mesh(part) => json!({
                "part": part.content.as_str_name(),
                "meshes": part.mesh_count,
                "rows": part.rows.len(),
            }),
            Value::CustomScalars(layout) => json!({"bytes": layout.encoded_len()}),
            Value::Graph(graph) => json!({"bytes": graph.len()}),
            Value::RunMetadata(metadata) => json!({"bytes": metadata.len()}),
            Value::KerasModel(model) => json!({"bytes": model.len()}),
            Value::Tensor { tensor, .. } => json!({
                "dtype": tensor.dtype().as_str_name(),
                "shape": shape(&tensor),
                "bytes": tensor.encoded_len(),
            }),
            // A kind of a later version of the library.
            _ => json!({}),
        })
    }
}

fn hparams_fields(data: HParams) -> serde_json::Value {
    match data {
        HParams::SessionStartInfo(start) => {
            let hparams = start.hparams.into_iter();
            let hparams = hparams.map(|(name, value)| (name, hparam(value)));
            json!({"hparams": hparams.collect::<serde_json::Map<_, _>>()})
        }
        HParams::SessionEndInfo(end) => json!({"status": end.status().as_str_name()}),
        HParams::Experiment(experiment) => {
            let names = experiment.hparam_infos.into_iter().map(|info| info.name);
            let metrics = experiment.metric_infos.into_iter();
            let tags = metrics.map(|info| info.name.unwrap_or_default().tag);
            json!({
                "hparam_names": names.collect::<Vec<_>>(),
                "metric_tags": tags.collect::<Vec<_>>(),
            })
        }
    }
}

fn hparam(value: google::protobuf::Value) -> serde_json::Value {
    match value.kind {
        Some(Kind::NumberValue(number)) => json!(OutputNumber(Number::F64(number))),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::BoolValue(flag)) => flag.into(),
        None => serde_json::Value::Null,
    }
}

fn numbers(numbers: &[f64]) -> Vec<OutputNumber> {
    numbers.iter().copied().map(OutputNumber::from).collect()
}

fn shape(tensor: &TensorProto) -> Vec<i64> {
    let dims = tensor.tensor_shape.iter().flat_map(|shape| &shape.dim);
    dims.map(|dim| dim.size).collect()
}
