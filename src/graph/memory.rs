//! What a `GraphDef` takes in memory, counted on the wire before any of it is there: two bytes can become a thousand.

use super::wire::{Budget, Message};
use crate::error::Result;
use crate::proto::attr_value::ListValue;
use crate::proto::function_def::ArgAttrs;
use crate::proto::op_def::{ArgDef, AttrDef};
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{AttrValue, FunctionDef, GradientDef, NameAttrList, NodeDef};
use crate::proto::{TensorProto, TensorShapeProto};

/// Of messages in each other. Other readers of protobuf stop there, too.
const MAX_DEPTH: usize = 100;
/// Of the longest list.
const MAX_FIELDS: usize = 12;
const _: () = assert!(TENSOR.fields.len() == MAX_FIELDS);

/// That the bytes can be decoded in the memory of the budget.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let budget = Budget::new("graph");
    budget.spend(bytes.len())?; // all texts
    walk(Message::new(bytes, GRAPH.name, &budget), &GRAPH, 0)
}

/// A kind of message, with the fields that take memory beyond their bytes and the message they are in.
struct Kind {
    name: &'static str,
    fields: &'static [(u64, Holds)],
}

/// What a field holds. Sizes are in bytes, of one.
enum Holds {
    /// A message that is a part of the one around it, or for itself.
    One(&'static Kind, usize),
    Many(&'static Kind, usize),
    /// Entries of a map.
    Entries(&'static Kind, usize),
    Texts,
    /// Integers that take more in memory than they may on the wire.
    Integers(usize),
    /// Numbers that take as much.
    Numbers,
}

use Holds::{Entries, Integers, Many, Numbers, One, Texts};

static GRAPH: Kind = Kind {
    name: "GraphDef",
    fields: &[
        (1, Many(&NODE, size_of::<NodeDef>())),
        (2, One(&LIBRARY, 0)),
        (4, One(&VERSIONS, 0)),
    ],
};
static NODE: Kind = Kind {
    name: "NodeDef",
    fields: &[(3, Texts), (5, Entries(&ATTR_ENTRY, ATTR_BYTES))],
};
const ATTR_BYTES: usize = size_of::<(String, AttrValue)>();
static ATTR_ENTRY: Kind = Kind {
    name: "NodeDef.AttrEntry",
    fields: &[(2, One(&ATTR, 0))],
};
static ATTR: Kind = Kind {
    name: "AttrValue",
    fields: &[
        (1, One(&LIST, size_of::<ListValue>())),
        (7, One(&SHAPE, 0)),
        (8, One(&TENSOR, size_of::<TensorProto>())),
        (10, One(&CALL, 0)),
    ],
};
static LIST: Kind = Kind {
    name: "AttrValue.ListValue",
    fields: &[
        (2, Texts),
        (3, Integers(8)),
        (4, Numbers),
        (5, Numbers),
        (6, Integers(4)),
        (7, Many(&SHAPE, size_of::<TensorShapeProto>())),
        (8, Many(&TENSOR, size_of::<TensorProto>())),
        (9, Many(&CALL, size_of::<NameAttrList>())),
    ],
};
static CALL: Kind = Kind {
    name: "NameAttrList",
    fields: &[(2, Entries(&ATTR_ENTRY, ATTR_BYTES))],
};
static SHAPE: Kind = Kind {
    name: "TensorShapeProto",
    fields: &[(2, Many(&DIM, size_of::<Dim>()))],
};
static DIM: Kind = Kind {
    name: "TensorShapeProto.Dim",
    fields: &[],
};
static TENSOR: Kind = Kind {
    name: "TensorProto",
    fields: &[
        (2, One(&SHAPE, 0)),
        (5, Numbers),
        (6, Numbers),
        (7, Integers(4)),
        (8, Texts),
        (9, Numbers),
        (10, Integers(8)),
        (11, Numbers),
        (12, Numbers),
        (13, Integers(4)),
        (16, Integers(4)),
        (17, Integers(8)),
    ],
};
static VERSIONS: Kind = Kind {
    name: "VersionDef",
    fields: &[(3, Integers(4))],
};
static LIBRARY: Kind = Kind {
    name: "FunctionDefLibrary",
    fields: &[
        (1, Many(&FUNCTION, size_of::<FunctionDef>())),
        (2, Many(&GRADIENT, size_of::<GradientDef>())),
    ],
};
static GRADIENT: Kind = Kind {
    name: "GradientDef",
    fields: &[],
};
static FUNCTION: Kind = Kind {
    name: "FunctionDef",
    fields: &[
        (1, One(&OP, 0)),
        (3, Many(&NODE, size_of::<NodeDef>())),
        (4, Entries(&TEXT_ENTRY, size_of::<(String, String)>())),
        (5, Entries(&ATTR_ENTRY, ATTR_BYTES)),
        (6, Entries(&TEXT_ENTRY, size_of::<(String, String)>())),
        (7, Entries(&ARG_ENTRY, size_of::<(u32, ArgAttrs)>())),
    ],
};
static TEXT_ENTRY: Kind = Kind {
    name: "FunctionDef.RetEntry",
    fields: &[],
};
static ARG_ENTRY: Kind = Kind {
    name: "FunctionDef.ArgAttrEntry",
    fields: &[(2, One(&ARG_ATTRS, 0))],
};
static ARG_ATTRS: Kind = Kind {
    name: "FunctionDef.ArgAttrs",
    fields: &[(1, Entries(&ATTR_ENTRY, ATTR_BYTES))],
};
static OP: Kind = Kind {
    name: "OpDef",
    fields: &[
        (2, Many(&ARG, size_of::<ArgDef>())),
        (3, Many(&ARG, size_of::<ArgDef>())),
        (4, Many(&ATTR_DEF, size_of::<AttrDef>())),
        (20, Texts),
    ],
};
static ARG: Kind = Kind {
    name: "OpDef.ArgDef",
    fields: &[],
};
static ATTR_DEF: Kind = Kind {
    name: "OpDef.AttrDef",
    fields: &[(5, One(&ATTR, 0)), (7, One(&ATTR, 0))],
};

fn walk(message: Message<'_>, kind: &Kind, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        let problem = format!("messages are more than {MAX_DEPTH} deep in each other");
        return Err(message.invalid(&problem));
    }
    let budget = message.budget;
    let mut counts = [0; MAX_FIELDS];
    message.each(|field| {
        let mut fields = kind.fields.iter().zip(&mut counts);
        let Some(((_, holds), count)) = fields.find(|((number, _), _)| *number == field.number)
        else {
            return Ok(());
        };
        let inner = |kind: &Kind| walk(field.message(kind.name)?, kind, depth + 1);
        let before = *count;
        *count += 1;
        match *holds {
            One(kind, bytes) => {
                budget.spend(bytes)?;
                inner(kind)
            }
            Many(kind, bytes) => {
                budget.spend(size_in_list(before, bytes))?;
                inner(kind)
            }
            Entries(kind, bytes) => {
                budget.spend(size_in_map(before, bytes))?;
                inner(kind)
            }
            Texts => budget.spend(size_in_list(before, size_of::<String>())),
            Integers(bytes) => {
                let mut count = 0;
                field.integers(|_| count += 1)?;
                budget.spend((2 * bytes).saturating_mul(count + 2))
            }
            Numbers => budget.spend(field.message(kind.name).map_or(16, |row| 2 * row.len())),
        }
    })
}

/// A list has room for four items, and then for up to twice as many as there are.
fn size_in_list(before: usize, bytes: usize) -> usize {
    match before {
        0 => 4 * bytes,
        _ => 2 * bytes,
    }
}

/// A map is of pieces that have room for eleven entries, and have five at least if there are several.
fn size_in_map(before: usize, bytes: usize) -> usize {
    match before % 4 {
        0 => 12 * bytes,
        _ => 0,
    }
}
