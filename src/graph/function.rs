//! Functions of a graph's library.

use std::collections::{BTreeMap, HashSet};

use super::builder::{Input, Node, Nodes, Op};
use super::check::{at_function, in_function, shortened, unique};
use super::name;
use crate::error::Result;
use crate::proto::op_def::ArgDef;
use crate::proto::{DataType, FunctionDef, OpDef};

/// A part of a graph that several nodes share. A node whose op is the name of the function calls it, and the page opens
/// the node into the function.
///
/// [`GraphBuilder::build`](super::GraphBuilder::build) refuses calls at which the page fails: a call in a function, a call
/// with more inputs than the function has, a use of an output that the function does not have, and a control of a call.
///
/// ```
/// use summary_writer::proto::DataType;
/// use summary_writer::graph::{Function, GraphBuilder, Op};
///
/// let mut cell = Function::new("cell");
/// let x = cell.input("x", DataType::DtFloat);
/// let y = cell.node("Tanh", Op::new("Tanh").input(&x));
/// cell.output("y", DataType::DtFloat, &y);
///
/// let mut graph = GraphBuilder::new();
/// graph.function(cell);
/// let start = graph.node("start", Op::new("Placeholder"));
/// let first = graph.node("first", Op::new("cell").input(&start));
/// graph.node("second", Op::new("cell").input(&first));
/// let graph = graph.build()?;
/// # Ok::<(), summary_writer::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Function {
    signature: OpDef,
    nodes: Nodes,
    /// Where the outputs of the signature come from.
    outputs: Vec<Input>,
}

impl Function {
    /// Creates a function without inputs, nodes and outputs.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            signature: OpDef {
                name: name.into(),
                ..Default::default()
            },
            nodes: Nodes::default(),
            outputs: Vec::new(),
        }
    }

    /// Adds an input. The returned node is an input for nodes of the function.
    pub fn input(&mut self, name: impl Into<String>, data_type: DataType) -> Node {
        let argument = argument(name.into(), data_type);
        let node = Node(argument.name.clone());
        self.signature.input_arg.push(argument);
        node
    }

    /// Adds a node, as [`GraphBuilder::node`](super::GraphBuilder::node) does. Its inputs are nodes of the function.
    pub fn node(&mut self, name: impl AsRef<str>, op: Op) -> Node {
        self.nodes.add(name.as_ref(), op)
    }

    /// Opens the scope `name` for the nodes that `nodes` adds.
    pub fn scope<R>(&mut self, name: impl AsRef<str>, nodes: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.nodes.open(name.as_ref());
        let result = nodes(self);
        self.nodes.scope = outer;
        result
    }

    /// Adds an output that has the value `value`. Unless a node of that name is the value, an `Identity` node is added,
    /// because the page needs a node with the name of the output.
    pub fn output(
        &mut self,
        name: impl Into<String>,
        data_type: DataType,
        value: impl Into<Input>,
    ) {
        let argument = argument(name.into(), data_type);
        self.outputs.push(value.into());
        self.signature.output_arg.push(argument);
    }

    pub(super) fn build(mut self) -> Result<FunctionDef> {
        let OpDef {
            name,
            input_arg,
            output_arg,
            ..
        } = &self.signature;
        if name.is_empty() || name.contains('/') {
            let problem = "expected a name that is not empty and has no `/`";
            return Err(at_function(name, problem));
        }
        let arguments = input_arg.iter().chain(output_arg);
        unique(name, arguments.map(|argument| argument.name.as_str()))?;
        for input in input_arg {
            if let Some(problem) = name::rule_problem(&input.name) {
                let input = shortened(&input.name);
                return Err(at_function(name, &format!("input {input:?}: {problem}")));
            }
        }
        let mut ret = BTreeMap::new();
        for (output, value) in output_arg.iter().zip(self.outputs) {
            if value.node != output.name || !value.port.is_empty() {
                let identity = Op::new("Identity").attr("T", output.r#type());
                self.nodes.add(&output.name, identity.input(value));
            }
            ret.insert(output.name.clone(), format!("{}:output:0", output.name));
        }
        let inputs = input_arg.iter().map(|input| input.name.as_str());
        let inputs: HashSet<&str> = inputs.collect();
        let write = |Input { node, port }: &Input| match port.as_str() {
            "" if inputs.contains(node.as_str()) => node.clone(),
            "" => format!("{node}:output:0"),
            port => format!("{node}:output:{port}"),
        };
        let nodes = self.nodes.build(inputs.clone(), write);
        Ok(FunctionDef {
            node_def: nodes.map_err(|error| in_function(name, error))?,
            ret,
            signature: Some(self.signature),
            ..Default::default()
        })
    }
}

fn argument(name: String, data_type: DataType) -> ArgDef {
    ArgDef {
        name,
        r#type: data_type.into(),
        ..Default::default()
    }
}
