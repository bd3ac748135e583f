//! Converts the nodes, values and bodies of a model to nodes with unique names.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use prost::Message;

use super::super::check::shortened;
use super::super::graph_def::{MAX_GRAPH_DEF_BYTES, MAX_NODE_COUNT};
use super::super::{Attr, Op, Shape};
use super::names::Names;
use super::ops::{constant, described, domain, label, op_name, placeholder, typed};
use super::values::Type;
use super::{attrs, description};
use crate::error::{Error, Result};
use crate::proto::NodeDef;
use crate::proto::onnx::{
    FunctionProto, GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto,
};

/// How deep bodies and calls of functions may be nested.
const MAX_DEPTH: usize = 64;
/// The size of the functions in all their calls together, which bounds the time that hostile functions take.
const MAX_CALLED_BYTES: usize = 256 << 20;

/// All nodes of the graph of a model.
pub(super) fn nodes(model: &ModelProto) -> Result<Vec<NodeDef>> {
    let Some(graph) = &model.graph else {
        let problem = "expected a model with a graph, got one without";
        return Err(Error::invalid("onnx", problem));
    };
    let mut functions = HashMap::new();
    for function in &model.functions {
        let key = (
            domain(&function.domain),
            &*function.name,
            &*function.overload,
        );
        functions.entry(key).or_insert(function);
    }
    let in_functions = model.functions.iter().flat_map(|function| &function.node);
    let names = graph.node.iter().chain(in_functions).map(label);
    let names = names.chain(graph.input.iter().map(|input| &*input.name));
    let names = names.chain(graph.initializer.iter().map(|tensor| &*tensor.name));
    let mut converter = Converter {
        names: Names::new(names),
        functions,
        nodes: Vec::new(),
        graph_bytes: 0,
        called_bytes: 0,
    };
    let outputs = converter.add_graph(graph, Scope::default())?;
    let description = description(model);
    let lens = description.values().map(Message::encoded_len);
    converter.grow(outputs.len().saturating_mul(lens.sum()))?;
    // The nodes of the outputs are the last.
    for node in converter.nodes.iter_mut().rev().take(outputs.len()) {
        node.attr.extend(description.clone());
    }
    Ok(converter.nodes)
}

/// The output of a node: its name and the number of the output.
type Source = (Rc<str>, usize);

/// The values of a graph, a body or a function.
#[derive(Debug, Default)]
struct Scope<'a, 'o> {
    /// Comes before the names of nodes; empty, or ends in `/`.
    prefix: String,
    /// Where values come from; `None` if the caller of a function omits one.
    sources: HashMap<&'a str, Option<Source>>,
    types: HashMap<&'a str, &'a TypeProto>,
    /// A body also sees the values of the scope around it.
    outer: Option<&'o Self>,
    depth: usize,
}

impl<'a> Scope<'a, '_> {
    /// The first node to make a value is its source. A valid file has no second one.
    fn add_source(&mut self, value: &'a str, node: &Rc<str>, port: usize) {
        if !value.is_empty() {
            let source = (Rc::clone(node), port);
            self.sources.entry(value).or_insert(Some(source));
        }
    }

    fn source(&self, value: &str) -> Option<&Option<Source>> {
        let source = self.sources.get(value);
        source.or_else(|| self.outer.and_then(|outer| outer.source(value)))
    }

    fn add_types(&mut self, values: &'a [ValueInfoProto]) {
        for value in values {
            if let Some(r#type) = value.r#type.as_ref().filter(|it| it.value.is_some()) {
                self.types.insert(&value.name, r#type);
            }
        }
    }
}

struct Converter<'a> {
    names: Names,
    /// By domain, name and overload.
    functions: HashMap<(&'a str, &'a str, &'a str), &'a FunctionProto>,
    nodes: Vec<NodeDef>,
    /// About the size of `nodes`.
    graph_bytes: usize,
    called_bytes: usize,
}

impl<'a> Converter<'a> {
    /// Adds a graph, and returns the names of the nodes of its outputs.
    fn add_graph(
        &mut self,
        graph: &'a GraphProto,
        mut scope: Scope<'a, '_>,
    ) -> Result<Vec<Rc<str>>> {
        let sparse = graph.sparse_initializer.iter();
        let sparse = sparse.filter_map(|tensor| Some((tensor, tensor.values.as_ref()?)));
        let constants = graph.initializer.iter();
        let constants = constants.chain(sparse.clone().map(|(_, values)| values));
        let constants: HashSet<&str> = constants.map(|tensor| &*tensor.name).collect();
        for input in &graph.input {
            // Files of the first versions list initializers as inputs, too.
            if !constants.contains(&*input.name) {
                let name = self.new_name(&scope, &input.name, "input")?;
                scope.add_source(&input.name, &name, 0);
                self.push(&name, placeholder(input), Vec::new());
            }
        }
        let mut outputs = Vec::new();
        for output in &graph.output {
            let name = self.new_name(&scope, &output.name, "output")?;
            outputs.push((&*output.name, name, &*output.doc_string));
        }
        for tensor in &graph.initializer {
            let name = self.new_name(&scope, &tensor.name, "Const")?;
            scope.add_source(&tensor.name, &name, 0);
            self.push(&name, constant(tensor), Vec::new());
        }
        for (tensor, values) in sparse {
            let name = self.new_name(&scope, &values.name, "Const")?;
            scope.add_source(&values.name, &name, 0);
            let r#type = Type::tensor(values.data_type, &tensor.dims);
            self.push(&name, typed(Op::new("Const"), &r#type), Vec::new());
        }
        for values in [&graph.value_info, &graph.output, &graph.input] {
            scope.add_types(values);
        }
        self.add_nodes(&graph.node, &mut scope)?;
        self.add_outputs(outputs, &scope)
    }

    /// Adds a node for each output, given as value, name and description, and returns the names.
    fn add_outputs(
        &mut self,
        outputs: Vec<(&'a str, Rc<str>, &str)>,
        scope: &Scope<'a, '_>,
    ) -> Result<Vec<Rc<str>>> {
        let mut names = Vec::new();
        for (value, name, description) in outputs {
            let op = described(Op::new("Identity"), description);
            let op = self.with_types(op, &[value], scope)?;
            let inputs = self.inputs(&name, &[value], scope)?;
            self.push(&name, op, inputs);
            names.push(name);
        }
        Ok(names)
    }

    /// Adds nodes that take values of the scope and of each other.
    fn add_nodes(&mut self, nodes: &'a [NodeProto], scope: &mut Scope<'a, '_>) -> Result<()> {
        let mut names = Vec::new();
        for node in nodes {
            let name = self.new_name(scope, label(node), &node.op_type)?;
            for (port, output) in node.output.iter().enumerate() {
                scope.add_source(output, &name, port);
            }
            names.push(name);
        }
        for (node, name) in nodes.iter().zip(names) {
            self.add_node(&name, node, scope)?;
        }
        Ok(())
    }

    fn add_node(&mut self, name: &str, node: &'a NodeProto, scope: &Scope<'a, '_>) -> Result<()> {
        let mut op = described(Op::new(op_name(node)), &node.doc_string);
        let domain = domain(&node.domain);
        if !domain.is_empty() {
            op = op.attr("domain", attrs::text(domain));
        }
        op = self.with_types(op, &node.output, scope)?;
        let mut inputs = self.inputs(name, &node.input, scope)?;
        // The node is before those of its bodies, but is complete only after them.
        let index = self.nodes.len();
        self.nodes.push(NodeDef::default());
        let mut controls = Vec::new();
        for attribute in &node.attribute {
            let value = match attrs::bodies(attribute) {
                None => attrs::attr(attribute),
                Some(bodies) => {
                    let (scopes, outputs) = self.add_bodies(name, bodies, scope)?;
                    controls.extend(outputs);
                    scopes
                }
            };
            self.grow(attribute.name.len() + value.value.encoded_len())?;
            op = op.attr(&attribute.name, value);
        }
        let key = (domain, &*node.op_type, &*node.overload);
        if let Some(&function) = self.functions.get(&key) {
            controls.extend(self.add_call(name, node, function, scope)?);
        }
        inputs.extend(controls.iter().map(|node| format!("^{node}")));
        self.nodes[index] = op.into_node(name.into(), inputs);
        Ok(())
    }

    /// Adds the bodies in an attribute of a node. Returns the names of their scopes, as the value of the attribute, and
    /// the names of the nodes of their outputs.
    fn add_bodies(
        &mut self,
        node: &str,
        bodies: Vec<(String, &'a GraphProto)>,
        scope: &Scope<'a, '_>,
    ) -> Result<(Attr, Vec<Rc<str>>)> {
        let mut scopes = Vec::new();
        let mut outputs = Vec::new();
        for (name, body) in bodies {
            let name = format!("{node}/{name}");
            let inner = inner(node, &name, scope.depth, Some(scope))?;
            outputs.extend(self.add_graph(body, inner)?);
            scopes.push(name);
        }
        let scopes = match &scopes[..] {
            [scope] => scope.into(),
            _ => scopes.into(),
        };
        Ok((scopes, outputs))
    }

    /// Adds the nodes of a function for one call of it, and returns the names of the nodes of its outputs. The page could
    /// open functions itself, but it fails at calls within functions and at arguments that are constants.
    fn add_call(
        &mut self,
        name: &str,
        call: &'a NodeProto,
        function: &'a FunctionProto,
        caller: &Scope<'a, '_>,
    ) -> Result<Vec<Rc<str>>> {
        let mut scope = inner(name, name, caller.depth, None)?;
        self.called_bytes = self.called_bytes.saturating_add(function.encoded_len());
        if self.called_bytes > MAX_CALLED_BYTES {
            let problem = format!(
                "expected functions of at most {MAX_CALLED_BYTES} bytes in all their calls, got more up to here"
            );
            return Err(at_node(name, &problem));
        }
        let mut inputs = call.input.iter();
        for argument in &function.input {
            let source = inputs.next().and_then(|input| caller.source(input));
            let source = source.cloned().unwrap_or_default();
            scope.sources.insert(argument, source);
        }
        let mut outputs = Vec::new();
        for output in &function.output {
            let name = self.new_name(&scope, output, "output")?;
            outputs.push((&**output, name, ""));
        }
        scope.add_types(&function.value_info);
        self.add_nodes(&function.node, &mut scope)?;
        self.add_outputs(outputs, &scope)
    }

    /// The inputs of a node that takes these values.
    fn inputs(
        &mut self,
        node: &str,
        values: &[impl AsRef<str>],
        scope: &Scope<'a, '_>,
    ) -> Result<Vec<String>> {
        let mut inputs = Vec::new();
        let values = values.iter().map(AsRef::as_ref);
        for value in values.filter(|value| !value.is_empty()) {
            let Some(source) = scope.source(value) else {
                let value = shortened(value);
                let problem = format!("expected an input that something makes, got {value:?}");
                return Err(at_node(node, &problem));
            };
            if let Some((source, port)) = source {
                self.grow(source.len())?;
                inputs.push(match port {
                    0 => source.to_string(),
                    port => format!("{source}:{port}"),
                });
            }
        }
        Ok(inputs)
    }

    /// Adds the types and shapes of the outputs of a node if any of them is known.
    fn with_types(
        &mut self,
        mut op: Op,
        outputs: &[impl AsRef<str>],
        scope: &Scope<'a, '_>,
    ) -> Result<Op> {
        let types = outputs.iter().map(|it| scope.types.get(it.as_ref()));
        let types: Vec<_> = types.collect();
        match &types[..] {
            [Some(r#type)] => op = op.attr("dtype", Type::new(r#type).attr()),
            types if types.iter().all(Option::is_none) => return Ok(op),
            _ => {}
        }
        for r#type in types {
            let shape = r#type.map_or_else(Shape::unknown, |it| Type::new(it).shape);
            self.grow(shape.0.encoded_len())?;
            op = op.output_shape(shape);
        }
        Ok(op)
    }

    /// A name for one more node.
    fn new_name(&mut self, scope: &Scope<'a, '_>, name: &str, hint: &str) -> Result<Rc<str>> {
        if self.names.len() == MAX_NODE_COUNT {
            let problem = format!(
                "expected at most {MAX_NODE_COUNT} nodes, with those of bodies and of functions in each call, got more"
            );
            return Err(Error::invalid("onnx", problem));
        }
        let name = self.names.add(&scope.prefix, name, hint);
        self.grow(name.len())?;
        Ok(name.into())
    }

    fn push(&mut self, name: &str, op: Op, inputs: Vec<String>) {
        self.nodes.push(op.into_node(name.into(), inputs));
    }

    /// Counts what the graph has, so that names and shapes that are used many times do not fill the memory before the
    /// size of the graph is checked.
    fn grow(&mut self, bytes: usize) -> Result<()> {
        self.graph_bytes = self.graph_bytes.saturating_add(bytes);
        if self.graph_bytes > MAX_GRAPH_DEF_BYTES {
            let problem = format!(
                "expected a graph of at most {MAX_GRAPH_DEF_BYTES} bytes without weights, got more"
            );
            return Err(Error::invalid("onnx", problem));
        }
        Ok(())
    }
}

/// A scope within that of a node.
fn inner<'a, 'o>(
    node: &str,
    prefix: &str,
    depth: usize,
    outer: Option<&'o Scope<'a, 'o>>,
) -> Result<Scope<'a, 'o>> {
    if depth == MAX_DEPTH {
        let problem = format!(
            "expected bodies and calls of functions nested at most {MAX_DEPTH} deep, got more"
        );
        return Err(at_node(node, &problem));
    }
    Ok(Scope {
        prefix: format!("{prefix}/"),
        depth: depth + 1,
        outer,
        ..Scope::default()
    })
}

fn at_node(node: &str, problem: &str) -> Error {
    Error::invalid("onnx", format!("node {:?}: {problem}", shortened(node)))
}
