//! Nodes, values and bodies of ONNX to nodes with names.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::super::builder::shortened;
use super::super::wire::{Budget, Message};
use super::super::{Input, Node as Named, Op, Shape};
use super::attrs;
use super::messages::{Attribute, Function, Graph, Node};
use super::names::Names;
use super::ops::{constant, documented, domain, op_name, placeholder, size_of_shape, text};
use super::values::{Type, Value};
use crate::error::{Error, Result};

/// Of bodies in bodies.
const MAX_DEPTH: usize = 64;
/// Some times what the page can still draw.
const MAX_NODE_COUNT: usize = 1 << 17;
/// What a node takes besides its texts, with room for some attributes.
const NODE_BYTES: usize = 2000;
pub(super) const ATTRIBUTE_BYTES: usize = 400;
/// Of functions in all their calls: hostile ones call each other in more ways than there is time for.
const MAX_CALLED_BYTES: usize = 256 << 20;

/// The functions of a model by domain, name and overload.
pub(super) type Functions<'a> = HashMap<(&'a str, &'a str, &'a str), Function<'a>>;

/// The nodes of the graph, or of a function, with those of all bodies.
#[derive(Debug)]
pub(super) struct Nodes<'a, 'f> {
    pub(super) names: Names<'f>,
    pub(super) nodes: Vec<(String, Op)>,
    functions: &'f Functions<'a>,
    called_bytes: usize,
    budget: &'f Budget,
}

/// Where each value of a graph comes from; a body sees those around it, too.
#[derive(Debug, Default)]
pub(super) struct Scope<'a, 'o> {
    /// Of the names: empty, or ends in `/`.
    prefix: String,
    /// Nothing is the source of an input that the caller of a function leaves out.
    values: HashMap<&'a str, Option<Input>>,
    types: HashMap<&'a str, Type>,
    outer: Option<&'o Self>,
    depth: usize,
}

impl<'a> Scope<'a, '_> {
    fn value(&self, name: &str) -> Option<&Option<Input>> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            if let Some(input) = here.values.get(name) {
                return Some(input);
            }
            scope = here.outer;
        }
        None
    }

    fn add_types(&mut self, values: &[Value<'a>], budget: &Budget) -> Result<()> {
        for value in values.iter().filter(|value| value.r#type.is_known()) {
            budget.spend(value.r#type.size_bytes())?;
            self.types.insert(value.name, value.r#type.clone());
        }
        Ok(())
    }

    /// The first to make a value is the one, as in any file that keeps to the rules there is no second.
    fn add_value(
        &mut self,
        value: &'a str,
        node: &str,
        port: usize,
        budget: &Budget,
    ) -> Result<()> {
        budget.spend(node.len() + 2 * size_of::<(&str, Input)>())?;
        let input = Named(node.into()).output(port);
        self.values.entry(value).or_insert(Some(input));
        Ok(())
    }
}

impl<'a, 'f> Nodes<'a, 'f> {
    /// None yet; `names` are all that scopes are in.
    pub(super) fn new<'n>(
        names: impl IntoIterator<Item = &'n str>,
        functions: &'f Functions<'a>,
        budget: &'f Budget,
    ) -> Self {
        Self {
            names: Names::new(names, budget),
            nodes: Vec::new(),
            functions,
            called_bytes: 0,
            budget,
        }
    }

    /// Adds all of a graph, and returns the names of the nodes that stand for its outputs.
    pub(super) fn add_graph(
        &mut self,
        graph: Graph<'a>,
        mut scope: Scope<'a, '_>,
    ) -> Result<Vec<String>> {
        let budget = self.budget;
        let mut outputs = Vec::new();
        budget.spend(2 * size_of::<&str>() * graph.initializers.len())?;
        let given: HashSet<&str> = graph.initializers.iter().map(|it| it.name).collect();
        for input in &graph.inputs {
            if given.contains(input.name) {
                continue; // an initializer's, as files of the first versions list them
            }
            let name = self.names.add(&scope.prefix, input.name, "input")?;
            scope.add_value(input.name, &name, 0, budget)?;
            self.push(name, placeholder(input, budget)?)?;
        }
        for output in &graph.outputs {
            let name = self.names.add(&scope.prefix, output.name, "output")?;
            let doc = text(output.doc, budget)?;
            budget.push(&mut outputs, (output.name, name, doc))?;
        }
        for tensor in &graph.initializers {
            let name = self.names.add(&scope.prefix, tensor.name, "Const")?;
            scope.add_value(tensor.name, &name, 0, budget)?;
            self.push(name, constant(tensor, budget)?)?;
        }
        for values in [&graph.values, &graph.outputs, &graph.inputs] {
            scope.add_types(values, budget)?;
        }
        self.add_nodes(&graph.nodes, &mut scope)?;
        self.add_outputs(outputs, &scope)
    }

    /// Adds the nodes that stand for outputs, of these values, names and descriptions.
    fn add_outputs(
        &mut self,
        outputs: Vec<(&'a str, String, Cow<'a, str>)>,
        scope: &Scope<'a, '_>,
    ) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for (value, name, doc) in outputs {
            let op = documented(Op::new("Identity"), &doc);
            let op = self.typed(op, &[value], scope)?;
            let op = self.with_input(op, &name, value, scope)?;
            self.push(name.clone(), op)?;
            self.budget.spend(name.len())?;
            self.budget.push(&mut names, name)?;
        }
        Ok(names)
    }

    /// Adds nodes whose inputs are in the scope, or among their outputs.
    fn add_nodes(&mut self, nodes: &[Node<'a>], scope: &mut Scope<'a, '_>) -> Result<()> {
        let mut named = Vec::new();
        for node in nodes {
            let name = self.names.add(&scope.prefix, node.label(), node.op)?;
            for (port, output) in node.outputs.iter().enumerate() {
                if !output.is_empty() {
                    scope.add_value(output, &name, port, self.budget)?;
                }
            }
            self.budget.push(&mut named, (name, node))?;
        }
        for (name, node) in named {
            self.add_node(name, node, scope)?;
        }
        Ok(())
    }

    fn add_node(&mut self, name: String, node: &Node<'a>, scope: &Scope<'a, '_>) -> Result<()> {
        let mut op = documented(Op::new(op_name(node)), &text(node.doc, self.budget)?);
        if !domain(node.domain).is_empty() {
            op = op.attr("domain", &*text(node.domain, self.budget)?);
        }
        op = self.typed(op, &node.outputs, scope)?;
        for input in node.inputs.iter().filter(|input| !input.is_empty()) {
            op = self.with_input(op, &name, input, scope)?;
        }
        // It stands before the nodes of its bodies, and is told of them then.
        let index = self.nodes.len();
        self.push(name.clone(), Op::new(""))?;
        for attribute in &node.attributes {
            op = self.with_attribute(op, &name, *attribute, scope)?;
        }
        let functions = self.functions;
        if let Some(function) = functions.get(&(domain(node.domain), node.op, node.overload)) {
            for output in self.add_call(&name, node, function, scope)? {
                op = op.control(&output);
            }
        }
        if let Some((_, place)) = self.nodes.get_mut(index) {
            *place = op;
        }
        Ok(())
    }

    fn with_input(&self, op: Op, node: &str, value: &str, scope: &Scope<'a, '_>) -> Result<Op> {
        match scope.value(value) {
            Some(Some(input)) => {
                self.budget
                    .spend(2 * (input.node.len() + size_of::<Input>()))?;
                Ok(op.input(input.clone()))
            }
            Some(None) => Ok(op),
            None => {
                let value = shortened(value);
                let problem = format!("nothing makes the value {value:?} that it takes");
                Err(invalid(node, &problem))
            }
        }
    }

    /// Adds what a function does in a call of it, and returns the names of the nodes that stand for its outputs. The
    /// page has functions, too, but it fails at calls within functions, and at arguments that are constants.
    fn add_call(
        &mut self,
        name: &str,
        call: &Node<'a>,
        function: &Function<'a>,
        caller: &Scope<'a, '_>,
    ) -> Result<Vec<String>> {
        let mut scope = self.inner(name, format!("{name}/"), caller.depth, None)?;
        self.called_bytes = self.called_bytes.saturating_add(function.len);
        if self.called_bytes > MAX_CALLED_BYTES {
            let problem = format!(
                "up to here, functions have more than {MAX_CALLED_BYTES} bytes in their calls"
            );
            return Err(invalid(name, &problem));
        }
        let mut inputs = call.inputs.iter();
        for argument in &function.inputs {
            let given = inputs.next().filter(|input| !input.is_empty());
            let input = given.and_then(|input| caller.value(input)).cloned();
            let input = input.unwrap_or_default();
            let node_len = input.as_ref().map_or(0, |input| input.node.len());
            self.budget
                .spend(node_len + 2 * size_of::<(&str, Input)>())?;
            scope.values.insert(argument, input);
        }
        let mut outputs = Vec::new();
        for output in &function.outputs {
            let name = self.names.add(&scope.prefix, output, "output")?;
            self.budget.push(&mut outputs, (*output, name, "".into()))?;
        }
        scope.add_types(&function.values, self.budget)?;
        self.add_nodes(&function.nodes, &mut scope)?;
        self.add_outputs(outputs, &scope)
    }

    /// A scope in that of a node.
    fn inner<'s>(
        &self,
        node: &str,
        prefix: String,
        depth: usize,
        outer: Option<&'s Scope<'a, 's>>,
    ) -> Result<Scope<'a, 's>> {
        if depth == MAX_DEPTH {
            let problem = format!("it is in bodies and functions {MAX_DEPTH} deep, no more fit");
            return Err(invalid(node, &problem));
        }
        self.budget.spend(2 * prefix.len())?;
        Ok(Scope {
            prefix,
            depth: depth + 1,
            outer,
            ..Scope::default()
        })
    }

    fn with_attribute(
        &mut self,
        mut op: Op,
        node: &str,
        attribute: Message<'a>,
        scope: &Scope<'a, '_>,
    ) -> Result<Op> {
        let attribute = Attribute::read(attribute)?;
        let attribute_name = attribute.name;
        self.budget.spend(attribute_name.len() + ATTRIBUTE_BYTES)?;
        if !attrs::is_graph(&attribute) {
            return Ok(op.attr(attribute_name, attrs::attr(attribute, self.budget)?));
        }
        let mut prefixes = Vec::new();
        for (name, graph) in attrs::graphs(&attribute) {
            let prefix = format!("{node}/{name}/");
            let inner = self.inner(node, prefix, scope.depth, Some(scope))?;
            let prefix = inner.prefix.trim_end_matches('/');
            self.budget.push(&mut prefixes, prefix.to_owned())?;
            // What a body makes comes out of the node.
            for output in self.add_graph(Graph::read(graph)?, inner)? {
                op = op.control(&output);
            }
        }
        Ok(match &prefixes[..] {
            [prefix] => op.attr(attribute_name, prefix),
            _ => op.attr(attribute_name, prefixes),
        })
    }

    /// With the types and shapes of its outputs, as far as they are known.
    fn typed(&self, mut op: Op, outputs: &[&str], scope: &Scope<'a, '_>) -> Result<Op> {
        let types = outputs.iter().map(|output| scope.types.get(output));
        if types.clone().all(|r#type| r#type.is_none()) {
            return Ok(op);
        }
        if let (&[_], Some(Some(r#type))) = (outputs, types.clone().next()) {
            op = op.attr("dtype", r#type.attr());
        }
        for r#type in types {
            let shape = r#type.map_or_else(Shape::unknown, |r#type| r#type.shape.clone());
            self.budget.spend(size_of_shape(&shape))?;
            op = op.output_shape(shape);
        }
        Ok(op)
    }

    fn push(&mut self, name: String, op: Op) -> Result<()> {
        if self.nodes.len() == MAX_NODE_COUNT {
            let problem = format!("it has more than {MAX_NODE_COUNT} nodes");
            return Err(Error::invalid("onnx", problem));
        }
        self.budget.spend(NODE_BYTES)?;
        self.nodes.push((name, op));
        Ok(())
    }
}

fn invalid(node: &str, problem: &str) -> Error {
    Error::invalid("onnx", format!("node {:?}: {problem}", shortened(node)))
}
