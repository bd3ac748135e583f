//! The serializer that makes a tree of what it is told.

use std::fmt;

use serde::ser;
use serde::{Serialize, Serializer};

use super::node::{Node, Refusal};

#[derive(Debug)]
pub(super) struct Tree;

macro_rules! plain {
    ($($method:ident $value:ty;)*) => {$(
        fn $method(self, value: $value) -> Result<Node, Refusal> {
            Ok(Node::Plain(value.into()))
        }
    )*};
}

impl Serializer for Tree {
    type Ok = Node;
    type Error = Refusal;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    plain! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
        serialize_f32 f32;
        serialize_f64 f64;
    }

    fn serialize_char(self, value: char) -> Result<Node, Refusal> {
        Ok(Node::Text(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Node, Refusal> {
        Ok(Node::Text(value.into()))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<Node, Refusal> {
        Ok(Node::Text(value.to_string()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Node, Refusal> {
        Err(Refusal::new(
            "bytes are given; numbers, bool, text, lists, structs and maps fit",
        ))
    }

    fn serialize_none(self) -> Result<Node, Refusal> {
        Ok(Node::Nothing)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Node, Refusal> {
        Ok(Node::Nothing)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Node, Refusal> {
        Ok(Node::Nothing)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Node, Refusal> {
        Ok(Node::Nothing.of_variant(Some(variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Node, Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node, Refusal> {
        let content = value.serialize(self);
        let content = content.map_err(|refusal| refusal.in_field(variant))?;
        Ok(content.of_variant(Some(variant)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Refusal> {
        Ok(List::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Refusal> {
        Ok(List::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Refusal> {
        Ok(List::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List, Refusal> {
        Ok(List {
            variant: Some(variant),
            ..List::default()
        })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields, Refusal> {
        Ok(Fields::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields, Refusal> {
        Ok(Fields::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields, Refusal> {
        Ok(Fields {
            variant: Some(variant),
            ..Fields::default()
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct List {
    variant: Option<&'static str>,
    nodes: Vec<Node>,
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        let index = self.nodes.len();
        let node = value.serialize(Tree);
        self.nodes
            .push(node.map_err(|refusal| refusal.in_field(&format!("[{index}]")))?);
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(super) struct Fields {
    variant: Option<&'static str>,
    /// Of a map: the key whose value comes next.
    key: String,
    fields: Vec<(String, Node)>,
}

impl Fields {
    fn push<T: Serialize + ?Sized>(&mut self, name: String, value: &T) -> Result<(), Refusal> {
        let node = value.serialize(Tree);
        let node = node.map_err(|refusal| refusal.in_field(&name))?;
        self.fields.push((name, node));
        Ok(())
    }
}

macro_rules! lists {
    ($($kind:ident $method:ident;)*) => {$(
        impl ser::$kind for List {
            type Ok = Node;
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                self.push(value)
            }

            fn end(self) -> Result<Node, Refusal> {
                Ok(Node::List(self.nodes).of_variant(self.variant))
            }
        }
    )*};
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! structs {
    ($($kind:ident)*) => {$(
        impl ser::$kind for Fields {
            type Ok = Node;
            type Error = Refusal;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Refusal> {
                self.push(name.into(), value)
            }

            fn end(self) -> Result<Node, Refusal> {
                Ok(Node::Fields(self.fields).of_variant(self.variant))
            }
        }
    )*};
}

structs!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Fields {
    type Ok = Node;
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.key = key.serialize(Tree)?.into_key()?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        let key = std::mem::take(&mut self.key);
        self.push(key, value)
    }

    fn end(self) -> Result<Node, Refusal> {
        Ok(Node::Fields(self.fields))
    }
}
