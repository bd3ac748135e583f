//! The fields of an event to a step, numbers and words.

use std::fmt::{Debug, Write};

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Metadata};

use crate::summary::Scalar;

/// What a field gives for a step.
#[derive(Debug, Default)]
pub(super) enum Given {
    /// The field is not there, or is empty.
    #[default]
    Nothing,
    /// Beyond `i128` it is the nearest that fits; the writer takes the nearest in `i64`, and says so.
    Step(i128),
    /// What it is instead, for a report.
    Unusable(String),
}

/// Looks for the step, and at nothing else.
pub(super) struct StepField<'a> {
    name: &'a str,
    pub(super) given: Given,
}

impl<'a> StepField<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self {
            name,
            given: Given::Nothing,
        }
    }

    fn found(&mut self, field: &Field, given: impl FnOnce() -> Given) {
        if field.name() == self.name {
            self.given = given();
        }
    }
}

impl Visit for StepField<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.found(field, || Given::Step(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.found(field, || Given::Step(value.into()));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.found(field, || Given::Step(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.found(field, || Given::Step(value.try_into().unwrap_or(i128::MAX)));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.found(field, || {
            if value.fract() == 0.0 {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "the nearest one is wanted, and there is no fraction"
                )]
                Given::Step(value as i128)
            } else {
                Given::Unusable(value.to_string())
            }
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.found(field, || Given::Unusable(format!("`{value:?}`")));
    }
}

/// What an event gives beside its step.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) numbers: Vec<(&'static str, f32)>,
    pub(super) text_tag: String,
    /// The message, then the other fields that are no numbers. Empty if there are none.
    pub(super) text: String,
}

pub(super) fn read(event: &Event<'_>, step_field: &str) -> Fields {
    let metadata = event.metadata();
    let mut reader = Reader {
        step_field,
        is_of_log: metadata.fields().field(LOG_TARGET).is_some(),
        ..Reader::default()
    };
    event.record(&mut reader);
    let mut text = reader.message;
    text += if text.is_empty() {
        reader.words.trim_start()
    } else {
        &reader.words
    };
    Fields {
        numbers: reader.numbers,
        text_tag: match reader.log_target {
            Some(target) => text_tag(&target, reader.log_line),
            None => own_text_tag(metadata),
        },
        text,
    }
}

/// Records of the crate `log` come with these fields, which say where they are from.
const LOG_FIELDS: &str = "log.";
const LOG_TARGET: &str = "log.target";
const LOG_LINE: &str = "log.line";

/// The name of an event that was not given one: its file and line.
const UNNAMED: &str = "event ";

fn own_text_tag(metadata: &Metadata<'_>) -> String {
    if metadata.name().starts_with(UNNAMED) {
        text_tag(metadata.target(), metadata.line().map(u64::from))
    } else {
        format!("log/{}", metadata.name())
    }
}

fn text_tag(target: &str, line: Option<u64>) -> String {
    match line {
        Some(line) => format!("log/{target}:{line}"),
        None => format!("log/{target}"),
    }
}

#[derive(Default)]
struct Reader<'a> {
    step_field: &'a str,
    is_of_log: bool,
    numbers: Vec<(&'static str, f32)>,
    message: String,
    /// With a space before each.
    words: String,
    log_target: Option<String>,
    log_line: Option<u64>,
}

impl Reader<'_> {
    fn is_about_log(&self, field: &Field) -> bool {
        self.is_of_log && field.name().starts_with(LOG_FIELDS)
    }

    fn number(&mut self, field: &Field, value: impl Scalar) {
        if field.name() != self.step_field && !self.is_about_log(field) {
            self.numbers.push((field.name(), value.to_f32()));
        }
    }

    fn word(&mut self, field: &Field, value: &dyn Debug) {
        if self.is_about_log(field) || field.name() == self.step_field {
            return;
        }
        // Writing to a `String` fails only if `Debug` does: what it has written until then stays.
        if field.name() == "message" {
            write!(self.message, "{value:?}").ok();
        } else {
            write!(self.words, " {}={value:?}", field.name()).ok();
        }
    }
}

impl Visit for Reader<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if self.is_of_log && field.name() == LOG_LINE {
            self.log_line = Some(value);
        }
        self.number(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.number(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_of_log && field.name() == LOG_TARGET {
            self.log_target = Some(value.to_owned());
        }
        // Without the quotes of `Debug`.
        self.word(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.word(field, value);
    }
}
