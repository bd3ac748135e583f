//! Values of attributes.

use std::collections::BTreeMap;

use super::Shape;
use crate::proto::attr_value::{ListValue, Value};
use crate::proto::{AttrValue, DataType, NameAttrList};
use crate::summary::Tensor;

/// How deep calls may be nested. A call is four messages, and readers of protobuf accept 100 nested messages.
pub(super) const MAX_CALL_DEPTH: usize = 20;

/// The value of an attribute of a node. The info card lists it.
///
/// It is made from a number, a `bool`, a text, a [`DataType`], a [`Shape`], a [`Tensor`] or a [`Call`], or from an array
/// or a `Vec` of one of these. Integers are stored as `i64`, and larger ones become `i64::MAX`; floats are stored as `f32`.
/// Large values, as trained weights, make the page slow, because the browser receives them as text.
///
/// ```
/// use summary_writer::graph::{Attr, Op};
///
/// let convolution = Op::new("Conv2D")
///     .attr("strides", [1, 2, 2, 1])
///     .attr("padding", "SAME")
///     .attr("use_bias", true)
///     .attr("T", Attr::placeholder("T"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Attr {
    pub(super) value: AttrValue,
    /// How deep calls are nested in the value.
    pub(super) depth: usize,
}

impl Attr {
    /// Creates a value of bytes that need not be text. The page shows bytes beyond ASCII as octal escapes, also in texts.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Value::S(bytes.into()), 0)
    }

    /// Creates a placeholder, in a function, for the caller's value of the attribute `name`.
    pub fn placeholder(name: impl Into<String>) -> Self {
        Self::new(Value::Placeholder(name.into()), 0)
    }

    pub(super) fn new(value: Value, depth: usize) -> Self {
        let value = AttrValue { value: Some(value) };
        Self { value, depth }
    }
}

/// A function of the library with attributes, as the value of an attribute, for example the body of a loop. Attributes of
/// calls can be calls, nested at most 20 deep.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Call {
    function: NameAttrList,
    depth: usize,
}

impl Call {
    /// Creates a call without attributes.
    pub fn new(function: impl Into<String>) -> Self {
        Self {
            function: NameAttrList {
                name: function.into(),
                attr: BTreeMap::new(),
            },
            depth: 1,
        }
    }

    /// Adds an attribute, or replaces the one of the same name.
    pub fn attr(mut self, name: impl Into<String>, value: impl Into<Attr>) -> Self {
        let Attr { value, depth } = value.into();
        self.depth = self.depth.max(depth.saturating_add(1));
        // `GraphBuilder::build` refuses deeper values. They are not kept, because dropping them would overflow the stack.
        if depth < MAX_CALL_DEPTH {
            self.function.attr.insert(name.into(), value);
        }
        self
    }
}

/// A type that an [`Attr`] can hold, alone or as a list.
trait Item: Sized {
    fn into_value(self) -> Value;
    fn push_to(self, list: &mut ListValue);
    fn depth(&self) -> usize {
        0
    }
}

fn list<T: Item>(items: impl IntoIterator<Item = T>) -> Attr {
    let mut list = ListValue::default();
    let mut depth = 0;
    for item in items {
        depth = depth.max(item.depth());
        item.push_to(&mut list);
    }
    Attr::new(Value::List(list.into()), depth)
}

macro_rules! attr_from {
    ($($item:ty,)*) => {$(
        impl From<$item> for Attr {
            fn from(item: $item) -> Self {
                let depth = item.depth();
                Self::new(item.into_value(), depth)
            }
        }

        impl From<Vec<$item>> for Attr {
            fn from(items: Vec<$item>) -> Self {
                list(items)
            }
        }

        impl<const N: usize> From<[$item; N]> for Attr {
            fn from(items: [$item; N]) -> Self {
                list(items)
            }
        }
    )*};
}

macro_rules! items {
    ($($item:ty, $value:ident, $list:ident, $convert:expr;)*) => {$(
        impl Item for $item {
            fn into_value(self) -> Value {
                Value::$value($convert(self))
            }
            fn push_to(self, list: &mut ListValue) {
                list.$list.push($convert(self));
            }
        }
    )*
    attr_from! { $($item,)* }};
}

items! {
    i8, I, i, i64::from;
    i16, I, i, i64::from;
    i32, I, i, i64::from;
    i64, I, i, i64::from;
    u8, I, i, i64::from;
    u16, I, i, i64::from;
    u32, I, i, i64::from;
    u64, I, i, |number| i64::try_from(number).unwrap_or(i64::MAX);
    usize, I, i, |number| i64::try_from(number).unwrap_or(i64::MAX);
    f32, F, f, f32::from;
    f64, F, f, narrowed;
    bool, B, b, bool::from;
    &str, S, s, |text: &str| text.as_bytes().to_vec();
    String, S, s, String::into_bytes;
    &String, S, s, |text: &String| text.as_bytes().to_vec();
    DataType, Type, r#type, i32::from;
    Shape, Shape, shape, |shape: Shape| shape.0;
}

impl Item for Tensor {
    fn into_value(self) -> Value {
        Value::Tensor(self.0.into())
    }
    fn push_to(self, list: &mut ListValue) {
        list.tensor.push(self.0);
    }
}

impl Item for Call {
    fn into_value(self) -> Value {
        Value::Func(self.function)
    }
    fn push_to(self, list: &mut ListValue) {
        list.func.push(self.function);
    }
    fn depth(&self) -> usize {
        self.depth
    }
}

attr_from! { Tensor, Call, }

#[allow(
    clippy::cast_possible_truncation,
    reason = "attributes have no wider float"
)]
fn narrowed(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_value_has_its_field() {
        let call = || Call::new("cell").attr("T", DataType::DtFloat);
        let tensor = || Tensor::new([2], &[1i32, 2]).unwrap();
        let shape = || Shape::from([None, Some(3)]);
        let func = NameAttrList {
            name: "cell".into(),
            attr: [("T".into(), Attr::from(DataType::DtFloat).value)].into(),
        };
        for (attr, want) in [
            (Attr::from(-3), Value::I(-3)),
            (Attr::from(u64::MAX), Value::I(i64::MAX)),
            (Attr::from(3usize), Value::I(3)),
            (Attr::from(0.5), Value::F(0.5)),
            (Attr::from(0.5f32), Value::F(0.5)),
            (Attr::from(true), Value::B(true)),
            (Attr::from("SAME"), Value::S(b"SAME".to_vec())),
            (
                Attr::from(String::from("é")),
                Value::S(b"\xc3\xa9".to_vec()),
            ),
            (Attr::bytes([0, 255]), Value::S(vec![0, 255])),
            (Attr::from(DataType::DtHalf), Value::Type(19)),
            (Attr::from(shape()), Value::Shape(shape().0)),
            (Attr::from(tensor()), Value::Tensor(tensor().0.into())),
            (Attr::placeholder("T"), Value::Placeholder("T".into())),
            (Attr::from(call()), Value::Func(func.clone())),
        ] {
            assert_eq!(attr.value.value, Some(want));
        }
        let none = ListValue::default;
        for (attr, want) in [
            (
                Attr::from([1, -2]),
                ListValue {
                    i: vec![1, -2],
                    ..none()
                },
            ),
            (
                Attr::from(vec![1.5]),
                ListValue {
                    f: vec![1.5],
                    ..none()
                },
            ),
            (
                Attr::from([true, false]),
                ListValue {
                    b: vec![true, false],
                    ..none()
                },
            ),
            (
                Attr::from(["a", "b"]),
                ListValue {
                    s: vec![b"a".to_vec(), b"b".to_vec()],
                    ..none()
                },
            ),
            (
                Attr::from([DataType::DtFloat]),
                ListValue {
                    r#type: vec![1],
                    ..none()
                },
            ),
            (
                Attr::from([shape()]),
                ListValue {
                    shape: vec![shape().0],
                    ..none()
                },
            ),
            (
                Attr::from([tensor()]),
                ListValue {
                    tensor: vec![tensor().0],
                    ..none()
                },
            ),
            (
                Attr::from(vec![call()]),
                ListValue {
                    func: vec![func],
                    ..none()
                },
            ),
            (Attr::from(Vec::<i64>::new()), none()),
        ] {
            assert_eq!(attr.value.value, Some(Value::List(want.into())));
        }
    }

    #[test]
    fn nested_calls_are_kept_up_to_the_limit() {
        let mut call = Call::new("f");
        for depth in 1..=MAX_CALL_DEPTH {
            assert_eq!(call.depth, depth);
            let list = Attr::from([Call::new("g"), call.clone()]);
            assert_eq!(list.depth, depth);
            call = Call::new("f").attr("a", 1).attr("b", list);
        }
        assert_eq!(call.depth, MAX_CALL_DEPTH + 1);
        assert_eq!(call.function.attr.len(), 1, "the deepest call is not kept");
    }
}
