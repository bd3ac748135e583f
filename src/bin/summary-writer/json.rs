//! JSON, an object a line.

use std::fmt::{Display, Write};

/// An object that is being written, its fields in the order in which they are given.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.json(name, quoted(text))
    }

    /// An integer, or a list or an object that is JSON already.
    pub(crate) fn json(mut self, name: &str, json: impl Display) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        // A string takes everything.
        write!(self.0, "{comma}\"{name}\":{json}").ok();
        self
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

pub(crate) fn list(items: impl IntoIterator<Item: Display>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    format!("[{}]", items.join(","))
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number that JSON has, or one of the strings that stock TensorBoard has in its place.
pub(crate) fn number(number: f64) -> String {
    if number.is_finite() {
        digits(number)
    } else {
        quoted(&digits(number))
    }
}

/// The fewest digits that give the number back, or the words that JavaScript, Python and Rust have for the others.
pub(crate) fn digits(number: f64) -> String {
    non_finite(number).map_or_else(|| format!("{number:?}"), Into::into)
}

/// The same of an `f32`, which has fewer.
pub(crate) fn digits_f32(number: f32) -> String {
    non_finite(number.into()).map_or_else(|| format!("{number:?}"), Into::into)
}

fn non_finite(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        Some("NaN")
    } else if number.is_infinite() {
        Some(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_its_fields_in_order_and_what_it_quotes_comes_back() {
        let text = "a\"\\\n\u{1b}é\u{2028}";
        let object = Object::new()
            .text("z", text)
            .json("a", 1)
            .json("l", list([number(0.5), number(f64::NAN)]))
            .end();
        assert!(object.starts_with("{\"z\":\"a\\\"") && !object.contains('\n'));
        let parsed: serde_json::Value = serde_json::from_str(&object).unwrap();
        assert_eq!(parsed["z"], text);
        assert_eq!(parsed["a"], 1);
        assert_eq!(parsed["l"], serde_json::json!([0.5, "NaN"]));
    }

    #[test]
    fn numbers_come_back_exactly() {
        for want in [0.1f32, 1.0, -0.0, 1e-45, f32::MAX, 16_777_217.0] {
            let digits = digits_f32(want);
            let parsed: serde_json::Value = serde_json::from_str(&digits).unwrap();
            let got = parsed.as_f64().unwrap();
            assert_eq!(got.to_string().parse(), Ok(want), "{digits}");
        }
        for want in [1_700_000_000.123_456_7, f64::MIN_POSITIVE, 1e300] {
            assert_eq!(serde_json::from_str::<f64>(&number(want)).unwrap(), want);
        }
        assert_eq!(digits_f32(0.1), "0.1");
        assert_eq!(digits_f32(f32::NEG_INFINITY), "-Infinity");
        assert_eq!(number(f64::INFINITY), "\"Infinity\"");
    }
}
