//! Nodes in the order of the calls, checked as a whole at the end.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::attr::MAX_CALL_DEPTH;
use super::function::{Function, check_calls};
use super::{Attr, Graph, Shape, name};
use crate::error::{Error, Result};
use crate::proto::attr_value::{ListValue, Value};
use crate::proto::{FunctionDef, FunctionDefLibrary, GraphDef, NodeDef, VersionDef};

/// The page does not show it, and merges only graphs that agree on it; this is what PyTorch writes, too.
const PRODUCER: i32 = 22;
/// Where the page looks for the labels of edges.
const OUTPUT_SHAPES: &str = "_output_shapes";

/// What a node does: its kind, its inputs, where it runs, and what its outputs look like.
///
/// The page folds some ops into their neighbours: a `Const` shows as a small mark at each node that it goes into, and not
/// at all if there is none.
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
    /// An op of this kind, any text: `MatMul`, `Relu`, or the name of a [`Function`]. Nodes of one kind have one colour.
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

    /// Adds an input: a [`Node`], one of its outputs ([`Node::output`]), or the whole name of a node, which may come
    /// later, with `:1` behind it for its output 1.
    pub fn input(mut self, input: impl Into<Input>) -> Self {
        self.inputs.push(input.into());
        self
    }

    /// Adds a node, by its handle or its whole name, that comes before this one without giving it data: a dotted arrow.
    pub fn control(mut self, node: impl Into<Input>) -> Self {
        self.controls.push(node.into().node);
        self
    }

    /// Where it runs: `GPU:0`, which is written as `/device:GPU:0`, or a whole name as TensorFlow has them. Other texts
    /// stay as they are. Default: nowhere in particular.
    pub fn device(mut self, device: impl AsRef<str>) -> Self {
        self.device = name::device(device.as_ref()).into_owned();
        self
    }

    /// Adds an attribute, or replaces that of the same name. The info card lists them.
    pub fn attr(mut self, name: impl Into<String>, value: impl Into<Attr>) -> Self {
        self.attrs.insert(name.into(), value.into());
        self
    }

    /// The shape of the next output: that of output 0 at the first call. It labels the edges from there, and makes them
    /// as thick as the tensor is large.
    pub fn output_shape(mut self, shape: impl Into<Shape>) -> Self {
        self.output_shapes.push(shape.into());
        self
    }

    /// The node, with these inputs in place of its own.
    fn into_node(mut self, name: String, input: Vec<String>) -> NodeDef {
        if !self.output_shapes.is_empty() {
            let shape = self.output_shapes.into_iter().map(|shape| shape.0);
            let list = ListValue {
                shape: shape.collect(),
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

/// A node that was added, for others to take as their input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node(pub(super) String);

impl Node {
    /// The whole name, with its scopes.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// One of its outputs, the first being 0. The node itself stands for that one.
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
    /// Empty for output 0.
    pub(super) port: String,
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

/// A graph in the making.
///
/// Nodes are added one after another; [`scope`](Self::scope) puts them into a box with a name, which the page opens by a
/// double click. Nothing can fail until [`build`](Self::build), which tells the first problem and its node.
///
/// Names are held to TensorFlow's rule: ASCII letters, digits and `.`, after the first also `_`, `-`, `>`, `\`, and `/`
/// between scopes. A node may have the name of a scope; it shows within, in parentheses. Five and more nodes of a scope
/// whose names differ in a number at the end only show as one pile.
///
/// Edges may run in circles, as those of a loop do.
///
/// ```
/// use summary_writer::DataType;
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
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node to the scope that is open. `name` may have scopes of its own before a `/`.
    pub fn node(&mut self, name: impl AsRef<str>, op: Op) -> Node {
        self.nodes.add(name.as_ref(), op)
    }

    /// Adds what `nodes` adds, in the scope `name`. Scopes nest, and can be opened again.
    pub fn scope<R>(&mut self, name: impl AsRef<str>, nodes: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.nodes.open(name.as_ref());
        let result = nodes(self);
        self.nodes.scope = outer;
        result
    }

    /// Adds a function to the library. The nodes whose op is its name call it, and open into it.
    pub fn function(&mut self, function: Function) {
        self.functions.push(function);
    }

    /// The graph, if it is one.
    ///
    /// # Errors
    /// [`Error::Invalid`], with the name of the node, if there is no node; if two nodes have one name, or two functions,
    /// or two of the inputs, nodes and outputs of a function; if a name breaks the rule; if its first part, or an op, is
    /// a word at which the page fails, as `constructor`; if an input or a control names no node; if the call of a function
    /// is one that the page fails at, as [`Function`] tells; if calls are more than 20 deep in the attributes of each
    /// other; or if the graph has more than 64 MiB of bytes.
    pub fn build(self) -> Result<Graph> {
        let node = self.nodes.build(&HashSet::new(), &Input::in_graph)?;
        let function = self
            .functions
            .into_iter()
            .map(Function::build)
            .collect::<Result<Vec<FunctionDef>>>()?;
        check_calls(&node, &function)?;
        Graph::checked(GraphDef {
            node,
            library: (!function.is_empty()).then(|| FunctionDefLibrary {
                function,
                gradient: Vec::new(),
            }),
            versions: Some(VersionDef {
                producer: PRODUCER,
                ..Default::default()
            }),
        })
    }
}

/// Nodes whose inputs are not looked up yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    nodes: Vec<(String, Op)>,
    /// Before each name; empty, or ends in `/`.
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

    /// The nodes with their inputs, which may be `arguments`, too, written by `write`.
    pub(super) fn build(
        self,
        arguments: &HashSet<&str>,
        write: &dyn Fn(&Input) -> String,
    ) -> Result<Vec<NodeDef>> {
        let names: HashSet<String> = self.nodes.iter().map(|(name, _)| name.clone()).collect();
        let known = |node: &str, role: &str, name: &str| {
            if names.contains(name) || arguments.contains(name) {
                return Ok(());
            }
            let name = shortened(name);
            let problem = format!("it has the {role} {name:?}, no node has that name");
            Err(at_node(node, &problem))
        };
        let build = |(name, op): (String, Op)| {
            if let Some(problem) = name::rule_problem(&name) {
                return Err(at_node(&name, &problem));
            }
            if let Some((attr, _)) = op.attrs.iter().find(|(_, it)| it.depth > MAX_CALL_DEPTH) {
                let attr = shortened(attr);
                let problem =
                    format!("its attribute {attr:?} has calls more than {MAX_CALL_DEPTH} deep");
                return Err(at_node(&name, &problem));
            }
            let mut inputs = Vec::with_capacity(op.inputs.len() + op.controls.len());
            for input in &op.inputs {
                known(&name, "input", &input.node)?;
                inputs.push(write(input));
            }
            for control in &op.controls {
                known(&name, "control", control)?;
                inputs.push(format!("^{control}"));
            }
            Ok(op.into_node(name, inputs))
        };
        self.nodes.into_iter().map(build).collect()
    }
}

impl Input {
    fn in_graph(&self) -> String {
        match self.port.as_str() {
            "" => self.node.clone(),
            port => format!("{}:{port}", self.node),
        }
    }
}

pub(super) fn at_node(name: &str, problem: &str) -> Error {
    Error::invalid("graph", format!("node {:?}: {problem}", shortened(name)))
}

/// A name from elsewhere can be as long as a file.
pub(super) fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}
