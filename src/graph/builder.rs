//! Builds a graph node by node, and checks it as a whole at the end.

use std::collections::{BTreeMap, HashSet};

use super::attr::MAX_CALL_DEPTH;
use super::check::{at_node, check_calls, shortened};
use super::function::Function;
use super::{Attr, Graph, Shape, name};
use crate::error::Result;
use crate::proto::attr_value::{ListValue, Value};
use crate::proto::{FunctionDef, FunctionDefLibrary, GraphDef, NodeDef, VersionDef};

/// The value that PyTorch writes. The page does not show it, but merges only graphs that have the same.
const PRODUCER: i32 = 22;
/// The attribute from which the page takes the labels of edges.
const OUTPUT_SHAPES: &str = "_output_shapes";

/// Describes what a node does: its kind, its inputs, its device and the shapes of its outputs.
///
/// The page draws some ops in a special way: a `Const` is a small mark at each node that takes it, and does not appear
/// without such a node.
///
/// ```
/// use summary_writer::graph::Op;
///
/// let product = Op::new("MatMul")
///     .input("pixels")
///     .input("weights")
///     .device("GPU:0")
///     .output_shape([None, Some(128)])
///     .attr("transpose_b", true);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Op {
    op: String,
    inputs: Vec<Input>,
    controls: Vec<String>,
    device: String,
    attrs: BTreeMap<String, Attr>,
    output_shapes: Vec<Shape>,
}

impl Op {
    /// Creates an op of any kind: `MatMul`, `Relu`, or the name of a [`Function`]. Nodes of one kind have the same color.
    pub fn new(op: impl Into<String>) -> Self {
        Self {
            op: op.into(),
            inputs: Vec::new(),
            controls: Vec::new(),
            device: String::new(),
            attrs: BTreeMap::new(),
            output_shapes: Vec::new(),
        }
    }

    /// Adds an input: a [`Node`], one of its outputs ([`Node::output`]), or the full name of a node, which may be added
    /// later. `name:1` is the output 1 of the node `name`.
    pub fn input(mut self, input: impl Into<Input>) -> Self {
        self.inputs.push(input.into());
        self
    }

    /// Adds a node that must run before this one without giving it data. The page draws a dotted arrow.
    pub fn control(mut self, node: impl Into<Input>) -> Self {
        self.controls.push(node.into().node);
        self
    }

    /// Sets the device. `GPU:0` is written as `/device:GPU:0`. Full names as in TensorFlow, and all other texts, are
    /// written unchanged. Default: none.
    pub fn device(mut self, device: impl AsRef<str>) -> Self {
        self.device = name::device(device.as_ref()).into_owned();
        self
    }

    /// Adds an attribute, or replaces the one of the same name. The info card lists them.
    pub fn attr(mut self, name: impl Into<String>, value: impl Into<Attr>) -> Self {
        self.attrs.insert(name.into(), value.into());
        self
    }

    /// Adds the shape of the next output; the first call sets that of output 0. The page writes it at the edges from
    /// there, which are the thicker the larger the tensor is.
    pub fn output_shape(mut self, shape: impl Into<Shape>) -> Self {
        self.output_shapes.push(shape.into());
        self
    }

    /// Says what is wrong with a node of this op in a graph that has these names.
    fn problem(&self, names: &HashSet<&str>) -> Option<String> {
        let mut attrs = self.attrs.iter();
        if let Some((name, _)) = attrs.find(|(_, attr)| attr.depth > MAX_CALL_DEPTH) {
            let name = shortened(name);
            return Some(format!(
                "expected calls nested at most {MAX_CALL_DEPTH} deep in attribute {name:?}, got more"
            ));
        }
        let inputs = self.inputs.iter().map(|input| ("input", &input.node));
        let controls = self.controls.iter().map(|control| ("control", control));
        let mut used = inputs.chain(controls);
        let (role, name) = used.find(|(_, name)| !names.contains(name.as_str()))?;
        let name = shortened(name);
        Some(format!(
            "expected the name of a node as {role}, got {name:?}"
        ))
    }

    /// The node of this op, with these inputs.
    pub(super) fn into_node(mut self, name: String, input: Vec<String>) -> NodeDef {
        if !self.output_shapes.is_empty() {
            let shapes = self.output_shapes.into_iter().map(|shape| shape.0);
            let list = ListValue {
                shape: shapes.collect(),
                ..Default::default()
            };
            let shapes = Attr::new(Value::List(list.into()), 0);
            self.attrs.insert(OUTPUT_SHAPES.into(), shapes);
        }
        let attrs = self.attrs.into_iter();
        NodeDef {
            name,
            op: self.op,
            device: self.device,
            attr: attrs.map(|(name, attr)| (name, attr.value)).collect(),
            input,
        }
    }
}

/// A node that was added, which can be the input of others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node(pub(super) String);

impl Node {
    /// Returns the full name, with the scopes.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Returns an output of the node, as an input of another. Output 0 is the same input as the node itself.
    #[must_use]
    pub fn output(&self, index: usize) -> Input {
        Input {
            node: self.0.clone(),
            port: match index {
                0 => String::new(),
                _ => index.to_string(),
            },
        }
    }
}

/// An output of a node, as the input of another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Input {
    pub(super) node: String,
    /// The number of the output; empty for 0.
    pub(super) port: String,
}

impl Input {
    fn to_text(&self) -> String {
        match self.port.as_str() {
            "" => self.node.clone(),
            port => format!("{}:{port}", self.node),
        }
    }
}

impl From<&Node> for Input {
    fn from(node: &Node) -> Self {
        node.output(0)
    }
}

impl From<&str> for Input {
    fn from(name: &str) -> Self {
        let (node, port) = match name.split_once(':') {
            Some((node, "0")) => (node, ""),
            Some((node, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (node, port),
            _ => (name, ""),
        };
        Self {
            node: node.into(),
            port: port.into(),
        }
    }
}

impl From<&String> for Input {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

/// Builds a [`Graph`] node by node.
///
/// [`scope`](Self::scope) puts nodes into a named box, which a double click on the page opens. Only
/// [`build`](Self::build) can fail; it reports the first problem and its node.
///
/// Names follow TensorFlow's rule: ASCII letters, digits and `.`; after the first character also `_`, `-`, `>`, `\`, and `/`
/// between scopes. A node may have the name of a scope; the page draws it inside, in parentheses. The page stacks five or
/// more nodes of a scope whose names differ only in a number at the end.
///
/// Edges may form cycles, as those of a loop do.
///
/// ```
/// use summary_writer::proto::DataType;
/// use summary_writer::graph::{GraphBuilder, Op};
///
/// let mut graph = GraphBuilder::new();
/// let pixels = graph.node("pixels", Op::new("Placeholder").output_shape([None, Some(784)]));
/// let hidden = graph.scope("hidden", |graph| {
///     let weights = graph.node("weights", Op::new("Variable").output_shape([784, 128]));
///     let product = Op::new("MatMul").input(&pixels).input(&weights).device("GPU:0");
///     let product = graph.node("MatMul", product.output_shape([None, Some(128)]));
///     graph.node("Relu", Op::new("Relu").input(&product).attr("T", DataType::DtFloat))
/// });
/// assert_eq!(hidden.name(), "hidden/Relu");
/// let graph = graph.build()?;
///
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
/// summary.graph(&graph);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct GraphBuilder {
    nodes: Nodes,
    functions: Vec<Function>,
}

impl GraphBuilder {
    /// Starts a graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node to the open scope. Parts of `name` before a `/` are scopes within it.
    pub fn node(&mut self, name: impl AsRef<str>, op: Op) -> Node {
        self.nodes.add(name.as_ref(), op)
    }

    /// Opens the scope `name` for the nodes that `nodes` adds. Scopes can be nested, and opened again.
    pub fn scope<R>(&mut self, name: impl AsRef<str>, nodes: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.nodes.open(name.as_ref());
        let result = nodes(self);
        self.nodes.scope = outer;
        result
    }

    /// Adds a function to the library. Nodes whose op is its name call it.
    pub fn function(&mut self, function: Function) {
        self.functions.push(function);
    }

    /// Builds the graph.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), with the name of the node, if
    /// - there is no node, or there are more than 131,072, or the graph has more than 64 MiB;
    /// - two nodes or two functions have the same name, or two of the inputs, outputs and nodes of a function;
    /// - a name breaks the rule, or the page fails at its first part or at an op, as at `constructor`;
    /// - an input or a control is not the name of a node;
    /// - the page fails at a call of a function, as [`Function`] lists;
    /// - calls in attributes are nested more than 20 deep.
    pub fn build(self) -> Result<Graph> {
        let nodes = self.nodes.build(HashSet::new(), Input::to_text)?;
        let functions = self.functions.into_iter().map(Function::build);
        let graph = graph_def(nodes, functions.collect::<Result<_>>()?);
        check_calls(&graph)?;
        Graph::checked(graph)
    }
}

pub(super) fn graph_def(node: Vec<NodeDef>, function: Vec<FunctionDef>) -> GraphDef {
    GraphDef {
        node,
        library: (!function.is_empty()).then(|| FunctionDefLibrary {
            function,
            gradient: Vec::new(),
        }),
        versions: Some(VersionDef {
            producer: PRODUCER,
            ..Default::default()
        }),
    }
}

/// The nodes of a graph or of a function.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    nodes: Vec<(String, Op)>,
    /// Comes before the names of new nodes; empty, or ends in `/`.
    pub(super) scope: String,
}

impl Nodes {
    pub(super) fn add(&mut self, name: &str, op: Op) -> Node {
        let name = [&self.scope, name].concat();
        self.nodes.push((name.clone(), op));
        Node(name)
    }

    /// Opens a scope and returns the one around it.
    pub(super) fn open(&mut self, name: &str) -> String {
        let inner = [&self.scope, name, "/"].concat();
        std::mem::replace(&mut self.scope, inner)
    }

    /// Builds the nodes. `names` has other names that may be inputs, and `write` writes an input.
    pub(super) fn build(
        self,
        names: HashSet<&str>,
        write: impl Fn(&Input) -> String,
    ) -> Result<Vec<NodeDef>> {
        let mut names: HashSet<&str> = names;
        names.extend(self.nodes.iter().map(|(name, _)| name.as_str()));
        for (name, op) in &self.nodes {
            if let Some(problem) = name::rule_problem(name).or_else(|| op.problem(&names)) {
                return Err(at_node(name, &problem));
            }
        }
        let nodes = self.nodes.into_iter().map(|(name, op)| {
            let inputs = op.inputs.iter().map(&write);
            let controls = op.controls.iter().map(|control| format!("^{control}"));
            let inputs = inputs.chain(controls).collect();
            op.into_node(name, inputs)
        });
        Ok(nodes.collect())
    }
}
