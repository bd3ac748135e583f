//! Hyperparameters from any `serde::Serialize`: the value as JSON, flattened to names and values.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{HParamValue, HParams};
use crate::error::{Error, Result};

/// Does the work of [`HParams::from_serialize`].
pub(super) fn from_serialize<T: Serialize + ?Sized>(config: &T) -> Result<HParams> {
    // `to_value` would widen an `f32` of 0.1 to 0.10000000149011612. Its JSON text is 0.1.
    let value = serde_json::to_string(config)
        .and_then(|json| serde_json::from_str(&json))
        .map_err(|error| invalid(format!("must be convertible to JSON: {error}")))?;
    let kind = match value {
        Value::Object(fields) => {
            let mut hparams = HParams::new();
            hparams.insert_fields("", fields);
            return Ok(hparams);
        }
        Value::Null => "nothing",
        Value::Bool(_) | Value::Number(_) | Value::String(_) => "a single value",
        Value::Array(_) => "a list",
    };
    Err(invalid(format!("must be a struct or a map, got {kind}")))
}

impl HParams {
    /// Adds `fields`, with `prefix` before their names.
    fn insert_fields(&mut self, prefix: &str, fields: Map<String, Value>) {
        for (name, value) in fields {
            let name = [prefix, &name].concat();
            let value = match value {
                Value::Null => continue,
                Value::Object(fields) => {
                    self.insert_fields(&(name + "."), fields);
                    continue;
                }
                Value::Bool(value) => value.into(),
                Value::Number(number) => number_value(&number),
                Value::String(text) => text.into(),
                Value::Array(_) => spaced(&value).into(),
            };
            if let Some(value) = value.into_proto() {
                self.0.hparams.insert(name, value);
            }
        }
    }
}

fn invalid(problem: String) -> Error {
    Error::invalid("hyperparameters", problem)
}

fn number_value(number: &Number) -> HParamValue {
    if let Some(number) = number.as_u64() {
        number.into()
    } else if let Some(number) = number.as_i64() {
        number.into()
    } else {
        number.as_f64().unwrap_or(f64::NAN).into()
    }
}

/// JSON on one line, with a space after each comma and colon.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), spaced(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[derive(Serialize)]
    struct Config {
        lr: f32,
        seed: u64,
        offset: i64,
        decay: f64,
        name: String,
        initial: char,
        layers: Vec<Layer>,
        optimizer: Optimizer,
        tagged: Tagged,
        activation: Activation,
        clip: Option<f64>,
        unlimited: f64,
        warmup: Option<u8>,
        nothing: (),
        range: (i8, f64),
        names: Vec<Option<&'static str>>,
        weights: BTreeMap<u8, f64>,
        flags: HashMap<bool, Activation>,
    }

    #[derive(Serialize)]
    struct Layer {
        size: usize,
        activation: Activation,
    }

    #[derive(Serialize)]
    enum Activation {
        Relu,
        Leaky(f32),
    }

    #[derive(Serialize)]
    enum Optimizer {
        Adam { lr: f64, amsgrad: bool },
    }

    #[derive(Serialize)]
    #[serde(tag = "name")]
    enum Tagged {
        Adam { lr: f64 },
    }

    #[test]
    fn every_kind_of_field_becomes_names_and_values() {
        let layer = |size, activation| Layer { size, activation };
        let config = Config {
            lr: 0.1,
            seed: u64::MAX,
            offset: -3,
            // serde_json without its feature `float_roundtrip` reads 9.784579643603445e-4.
            decay: 9.784579643603443e-4,
            name: "größe".into(),
            initial: 'x',
            layers: vec![
                layer(64, Activation::Relu),
                layer(32, Activation::Leaky(0.1)),
            ],
            optimizer: Optimizer::Adam {
                lr: 1e-3,
                amsgrad: true,
            },
            tagged: Tagged::Adam { lr: 0.5 },
            activation: Activation::Relu,
            clip: None,
            unlimited: f64::INFINITY,
            warmup: Some(5),
            nothing: (),
            range: (-1, f64::NAN),
            names: vec![Some("a\"b"), None],
            weights: BTreeMap::from([(0, 0.5), (7, 2.0)]),
            flags: HashMap::from([(true, Activation::Relu)]),
        };
        let want = HParams::new()
            .set("lr", 0.1)
            .set("seed", 18_446_744_073_709_551_616.0) // 2^64
            .set("offset", -3)
            .set("decay", 9.784579643603443e-4)
            .set("name", "größe")
            .set("initial", "x")
            .set(
                "layers",
                "[{\"activation\": \"Relu\", \"size\": 64}, {\"activation\": {\"Leaky\": 0.1}, \"size\": 32}]",
            )
            .set("optimizer.Adam.lr", 1e-3)
            .set("optimizer.Adam.amsgrad", true)
            .set("tagged.name", "Adam")
            .set("tagged.lr", 0.5)
            .set("activation", "Relu")
            .set("warmup", 5)
            .set("range", "[-1, null]")
            .set("names", "[\"a\\\"b\", null]")
            .set("weights.0", 0.5)
            .set("weights.7", 2)
            .set("flags.true", "Relu");
        assert_eq!(HParams::from_serialize(&config).unwrap(), want);
    }

    #[test]
    fn values_that_are_not_a_struct_or_a_map_are_refused() {
        for (result, want) in [
            (
                HParams::from_serialize(&HashMap::from([((1, 2), 3)])),
                "hyperparameters: must be convertible to JSON: key must be a string",
            ),
            (
                HParams::from_serialize(&5),
                "hyperparameters: must be a struct or a map, got a single value",
            ),
            (
                HParams::from_serialize("lr"),
                "hyperparameters: must be a struct or a map, got a single value",
            ),
            (
                HParams::from_serialize(&[("lr", 0.1)]),
                "hyperparameters: must be a struct or a map, got a list",
            ),
            (
                HParams::from_serialize(&None::<Layer>),
                "hyperparameters: must be a struct or a map, got nothing",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
    }
}
