//! Functions of a graph's library.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::builder::{Input, Node, Nodes, Op, at_node, shortened};
use super::name;
use crate::error::{Error, Result};
use crate::proto::op_def::ArgDef;
use crate::proto::{DataType, FunctionDef, NodeDef, OpDef};

/// A part of a graph that several nodes share: each node whose op is the name of the function opens into it.
///
/// What the page fails at is refused: a call in a function, a call with more inputs than the function has, one of an output
/// that it does not have, and a control of or at a call.
///
/// ```
/// use summary_writer::DataType;
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
    outputs: Vec<Input>,
}

impl Function {
    /// A function without inputs, nodes and outputs.
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

    /// Adds an input, a node for those of the function to take.
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

    /// Adds what `nodes` adds, in the scope `name`.
    pub fn scope<R>(&mut self, name: impl AsRef<str>, nodes: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.nodes.open(name.as_ref());
        let result = nodes(self);
        self.nodes.scope = outer;
        result
    }

    /// Adds an output. The page wants a node of its name: an `Identity` of `value`.
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
        let name = &self.signature.name;
        if name.is_empty() || name.contains('/') {
            let problem = "its name is empty or has a `/`, any other text fits";
            return Err(at_function(name, problem));
        }
        let signature = &self.signature;
        let mut names = HashSet::new();
        for argument in signature.input_arg.iter().chain(&signature.output_arg) {
            if !names.insert(&argument.name) {
                let argument = shortened(&argument.name);
                let problem = format!("two inputs or outputs have the name {argument:?}");
                return Err(at_function(name, &problem));
            }
        }
        let mut ret = BTreeMap::new();
        for (argument, value) in self.signature.output_arg.iter().zip(self.outputs) {
            let is_there = value.port.is_empty() && value.node == argument.name;
            if !is_there {
                let identity = Op::new("Identity").attr("T", argument.r#type());
                self.nodes.add(&argument.name, identity.input(value));
            }
            ret.insert(argument.name.clone(), format!("{}:output:0", argument.name));
        }
        let arguments: HashSet<&str> = self
            .signature
            .input_arg
            .iter()
            .map(|argument| argument.name.as_str())
            .collect();
        for argument in &arguments {
            if let Some(problem) = name::rule_problem(argument) {
                let argument = shortened(argument);
                return Err(at_function(name, &format!("input {argument:?}: {problem}")));
            }
        }
        let write = |input: &Input| match input.port.as_str() {
            "" if arguments.contains(input.node.as_str()) => input.node.clone(),
            "" => format!("{}:output:0", input.node),
            port => format!("{}:output:{port}", input.node),
        };
        let node_def = self
            .nodes
            .build(&arguments, &write)
            .map_err(|error| match error {
                Error::Invalid { problem, .. } => at_function(name, &problem),
                other => other,
            })?;
        Ok(FunctionDef {
            node_def,
            ret,
            signature: Some(self.signature),
            ..Default::default()
        })
    }
}

/// That the page opens what calls a function: it fails if that calls one, too, if there are more inputs than the function
/// has, and at controls.
pub(super) fn check_calls(nodes: &[NodeDef], functions: &[FunctionDef]) -> Result<()> {
    let signatures = signatures(functions);
    for function in functions {
        let mut nodes = function.node_def.iter();
        if let Some(node) = nodes.find(|node| signatures.contains_key(&*node.op)) {
            let name = function.signature.as_ref().map_or("", |it| &it.name);
            let [node, callee] = [&node.name, &node.op].map(|name| shortened(name));
            let problem =
                format!("node {node:?}: it calls the function {callee:?}, at which the page fails");
            return Err(at_function(name, &problem));
        }
    }
    let calls = nodes
        .iter()
        .filter(|node| signatures.contains_key(&*node.op))
        .map(|node| &*node.name);
    let calls: HashSet<&str> = calls.collect();
    for node in nodes {
        let mut controls = node.input.iter().filter_map(|it| it.strip_prefix('^'));
        let count = node.input.len() - controls.clone().count();
        let problem = match signatures.get(&*node.op) {
            Some(function) if count > function.input_arg.len() => {
                let fit = function.input_arg.len();
                Some(format!(
                    "it has {count} inputs, at most {fit} fit the function that it calls"
                ))
            }
            Some(_) => controls
                .next()
                .map(|_| "it calls a function and has a control, at which the page fails".into()),
            None => controls.find(|&it| calls.contains(it)).map(|it| {
                let it = shortened(it);
                format!("its control {it:?} calls a function, at which the page fails")
            }),
        };
        if let Some(problem) = problem {
            return Err(at_node(&node.name, &problem));
        }
    }
    Ok(())
}

pub(super) fn signatures(functions: &[FunctionDef]) -> HashMap<&str, &OpDef> {
    let signatures = functions.iter().filter_map(|it| it.signature.as_ref());
    signatures.map(|it| (&*it.name, it)).collect()
}

pub(super) fn at_function(name: &str, problem: &str) -> Error {
    Error::invalid(
        "graph",
        format!("function {:?}: {problem}", shortened(name)),
    )
}

fn argument(name: String, data_type: DataType) -> ArgDef {
    ArgDef {
        name,
        r#type: data_type.into(),
        ..Default::default()
    }
}
