//! The values of hyperparameters, made of the types that programs have.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::shortest_f64;
use crate::proto::google::protobuf::Value as ProtoValue;
use crate::proto::google::protobuf::value::Kind;

/// The value of a hyperparameter. `From` makes one of these:
///
/// - a number of any primitive type, and with the feature `half` of `half::f16` and `half::bf16`
/// - a `bool`
/// - text: `&str`, `String`, `Cow<str>`, `char`, and a path
/// - a list: a slice, an array or a `Vec` of any of these, which is written as text: `[64, 64, 10]`, `["a", "b"]`
/// - an `Option` of any of these. `None` is no value, so [`HParams::set`](super::HParams::set) leaves it out
///
/// # Numbers
///
/// The dashboard stores numbers as `f64`. It takes a column for text if one run has text there, and then its filter hides all
/// runs that have numbers. So a number is never written as text:
///
/// - NaN is left out. The dashboard has no form for it.
/// - An infinity is written as the largest finite number, 1.7976931348623157e308, or the lowest one.
/// - Integers of 2^53 or more are rounded to 53 bits. To keep all digits of a random seed, give it as text in all runs:
///   `hparams.set("seed", seed.to_string())`.
#[derive(Clone, Debug, PartialEq)]
pub struct HParamValue(Form);

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Nothing,
    Bool(bool),
    /// A number, and its digits for a list.
    Number(f64, String),
    Text(String),
    /// The text of a list.
    List(String),
}

impl HParamValue {
    /// Returns the value as it is written, or `None` if there is none.
    pub(super) fn into_proto(self) -> Option<ProtoValue> {
        let kind = match self.0 {
            Form::Nothing => return None,
            Form::Number(number, _) if number.is_nan() => return None,
            Form::Number(number, _) => Kind::NumberValue(number.clamp(f64::MIN, f64::MAX)),
            Form::Bool(value) => Kind::BoolValue(value),
            Form::Text(text) | Form::List(text) => Kind::StringValue(text),
        };
        Some(ProtoValue { kind: Some(kind) })
    }

    /// Returns the value as an item of a list.
    fn to_item(&self) -> Cow<'_, str> {
        match &self.0 {
            Form::Nothing => "null".into(),
            Form::Bool(value) => value.to_string().into(),
            Form::Number(_, text) | Form::List(text) => text.into(),
            Form::Text(text) => format!("{text:?}").into(),
        }
    }

    fn list(values: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        let items = values
            .into_iter()
            .map(|value| value.into().to_item().into_owned());
        Self(Form::List(format!(
            "[{}]",
            items.collect::<Vec<_>>().join(", ")
        )))
    }
}

macro_rules! values {
    ($($value:ty: |$name:ident| $form:expr;)*) => {$(
        impl From<$value> for HParamValue {
            fn from($name: $value) -> Self {
                Self($form)
            }
        }
    )*};
}

values! {
    bool: |value| Form::Bool(value);
    f64: |number| Form::Number(number, format!("{number:?}"));
    f32: |number| Form::Number(shortest_f64(number), format!("{number:?}"));
    String: |text| Form::Text(text);
    &str: |text| Form::Text(text.into());
    Cow<'_, str>: |text| Form::Text(text.into());
    char: |text| Form::Text(text.into());
    PathBuf: |path| Form::Text(path.to_string_lossy().into());
    &Path: |path| Form::Text(path.to_string_lossy().into());
}

#[cfg(feature = "half")]
values! {
    half::f16: |number| Form::Number(shortest_f64(number.to_f32()), format!("{:?}", number.to_f32()));
    half::bf16: |number| Form::Number(shortest_f64(number.to_f32()), format!("{:?}", number.to_f32()));
}

macro_rules! integers {
    ($($integer:ty)*) => {
        values! {
            $($integer: |integer| Form::Number(integer as f64, integer.to_string());)*
        }
    };
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

/// References to values, which maps return.
macro_rules! references {
    ($($value:ty)*) => {$(
        impl From<&$value> for HParamValue {
            fn from(value: &$value) -> Self {
                value.clone().into()
            }
        }
    )*};
}

references!(bool f64 f32 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
references!(HParamValue &str String Cow<'_, str> char PathBuf);
#[cfg(feature = "half")]
references!(half::f16 half::bf16);

impl<T: Into<Self>> From<Option<T>> for HParamValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(Form::Nothing), Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for HParamValue {
    fn from(values: Vec<T>) -> Self {
        Self::list(values)
    }
}

impl<T: Into<Self>, const LEN: usize> From<[T; LEN]> for HParamValue {
    fn from(values: [T; LEN]) -> Self {
        Self::list(values)
    }
}

impl<T: Clone + Into<Self>> From<&[T]> for HParamValue {
    fn from(values: &[T]) -> Self {
        Self::list(values.iter().cloned())
    }
}

impl<T: Clone + Into<Self>> From<&Vec<T>> for HParamValue {
    fn from(values: &Vec<T>) -> Self {
        Self::from(&values[..])
    }
}

impl<T: Clone + Into<Self>, const LEN: usize> From<&[T; LEN]> for HParamValue {
    fn from(values: &[T; LEN]) -> Self {
        Self::from(&values[..])
    }
}

impl<T: Clone + Into<Self>> From<&Option<T>> for HParamValue {
    fn from(value: &Option<T>) -> Self {
        value.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: impl Into<HParamValue>) -> Option<Kind> {
        value.into().into_proto().and_then(|value| value.kind)
    }

    #[test]
    fn numbers_are_never_text() {
        let two_to_53 = 9_007_199_254_740_992.0;
        for (value, want) in [
            (HParamValue::from(-0.0), -0.0),
            (5e-324.into(), 5e-324),
            (f64::INFINITY.into(), 1.7976931348623157e308),
            (f64::NEG_INFINITY.into(), -1.7976931348623157e308),
            (0.1f32.into(), 0.1),
            (f32::MAX.into(), 3.4028235e38),
            (f32::INFINITY.into(), 1.7976931348623157e308),
            ((-128i8).into(), -128.0),
            (((1u64 << 53) - 1).into(), two_to_53 - 1.0),
            // 2^53 + 1 is between two numbers. The one with an even last bit is taken.
            (((1u64 << 53) + 1).into(), two_to_53),
            (i64::MIN.into(), -9_223_372_036_854_775_808.0),
            (u128::MAX.into(), 3.402823669209385e38),
            ((&7usize).into(), 7.0),
            ((&0.1f32).into(), 0.1),
            (Some(3).into(), 3.0),
        ] {
            assert_eq!(written(value), Some(Kind::NumberValue(want)));
        }
        assert_eq!(written(f64::NAN), None);
        assert_eq!(written(f32::NAN), None);
        assert_eq!(written(true), Some(Kind::BoolValue(true)));
        assert_eq!(written(Some(&false)), Some(Kind::BoolValue(false)));
    }

    #[cfg(feature = "half")]
    #[test]
    fn half_numbers_are_numbers() {
        use half::{bf16, f16};
        for (value, want) in [
            (HParamValue::from(f16::from_f32(0.25)), 0.25),
            (bf16::from_f32(-3.0).into(), -3.0),
            ((&f16::INFINITY).into(), f64::MAX),
        ] {
            assert_eq!(written(value), Some(Kind::NumberValue(want)));
        }
        let list = [bf16::ONE, bf16::from_f32(0.5)];
        assert_eq!(written(list), Some(Kind::StringValue("[1.0, 0.5]".into())));
    }

    #[test]
    fn text_paths_and_lists_are_text() {
        let owned = String::from("größe");
        for (value, want) in [
            (HParamValue::from(""), ""),
            ((&owned).into(), "größe"),
            ((&"a").into(), "a"),
            (Cow::Borrowed("a").into(), "a"),
            ('é'.into(), "é"),
            (PathBuf::from("data/train").into(), "data/train"),
            (Path::new("data").into(), "data"),
            (Some("adam").into(), "adam"),
            (vec![64, 64, 10].into(), "[64, 64, 10]"),
            ((&vec![64, 10]).into(), "[64, 10]"),
            ([0.1f32, 1.0, 1e-10].into(), "[0.1, 1.0, 1e-10]"),
            ([0.9, 0.999][..].into(), "[0.9, 0.999]"),
            ((&[true, false]).into(), "[true, false]"),
            (["a\"b", "c"].into(), r#"["a\"b", "c"]"#),
            (vec![Some(1), None].into(), "[1, null]"),
            (vec![vec![1, 2], vec![]].into(), "[[1, 2], []]"),
            // A list is text, so it keeps what a number would lose.
            ([f64::NAN, f64::INFINITY].into(), "[NaN, inf]"),
            ([u64::MAX].into(), "[18446744073709551615]"),
            (Vec::<f64>::new().into(), "[]"),
        ] {
            assert_eq!(written(value), Some(Kind::StringValue(want.into())));
        }
        assert_eq!(written(None::<f64>), None);
        assert_eq!(written(&None::<String>), None);
    }
}
