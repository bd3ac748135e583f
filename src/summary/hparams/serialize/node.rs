//! What a value says of itself when it is serialized, as a tree; or why it has none.

use std::error::Error;
use std::fmt;

use serde::ser;

use crate::summary::hparams::{HParamValue, Kind};

#[derive(Debug)]
pub(super) enum Node {
    Nothing,
    /// A number or a `bool`.
    Plain(HParamValue),
    Text(String),
    List(Vec<Node>),
    Fields(Vec<(String, Node)>),
    Variant(&'static str, Box<Node>),
}

impl Node {
    pub(super) fn of_variant(self, variant: Option<&'static str>) -> Self {
        match variant {
            Some(variant) => Self::Variant(variant, Box::new(self)),
            None => self,
        }
    }

    pub(super) fn into_key(self) -> Result<String, Refusal> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Plain(_) => Ok(self.to_string()),
            Self::Variant(name, content) if matches!(*content, Self::Nothing) => Ok(name.into()),
            other => Err(Refusal::new(format!(
                "a map has the key {other}; text, numbers and bool fit"
            ))),
        }
    }
}

/// As a part of a list.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("None"),
            Self::Plain(value) => match &value.0.kind {
                Some(Kind::NumberValue(number)) => {
                    // In the form that has an exponent where that is shorter.
                    let digits = format!("{number:?}");
                    f.write_str(digits.strip_suffix(".0").unwrap_or(&digits))
                }
                Some(Kind::BoolValue(value)) => write!(f, "{value}"),
                Some(Kind::StringValue(number)) => f.write_str(number),
                None => Ok(()),
            },
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(nodes) => {
                let nodes: Vec<_> = nodes.iter().map(Self::to_string).collect();
                write!(f, "[{}]", nodes.join(", "))
            }
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(name, node)| format!("{name}: {node}"));
                write!(f, "{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
            Self::Variant(name, content) => match &**content {
                Self::Nothing => f.write_str(name),
                Self::List(_) | Self::Fields(_) => write!(f, "{name} {content}"),
                _ => write!(f, "{name}({content})"),
            },
        }
    }
}

/// Why a value has no tree, and where in the whole it is.
#[derive(Debug)]
pub(super) struct Refusal {
    path: String,
    problem: String,
}

impl Refusal {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            problem: problem.into(),
        }
    }

    pub(super) fn in_field(mut self, name: &str) -> Self {
        self.path = match self.path.starts_with('[') {
            true => [name, &self.path].concat(),
            false if self.path.is_empty() => name.into(),
            false => joined(name, &self.path),
        };
        self
    }
}

pub(super) fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => [path, ".", name].concat(),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl Error for Refusal {}

impl ser::Error for Refusal {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::new(problem.to_string())
    }
}
