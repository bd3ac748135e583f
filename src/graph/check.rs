//! Checks whether the page can draw a graph.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::graph_def::MAX_NODE_COUNT;
use super::name;
use crate::error::{Error, Result};
use crate::proto::{FunctionDef, GraphDef, NodeDef, OpDef};

/// Longer names are cut in errors, because a name can be as long as a file.
const MAX_SHOWN_CHARS: usize = 200;

/// Checks what every graph must have.
pub(super) fn check(graph: &GraphDef) -> Result<()> {
    let functions = functions(graph);
    let in_functions = functions.iter().map(|function| function.node_def.len());
    let node_count = graph.node.len() + in_functions.sum::<usize>();
    if graph.node.is_empty() || node_count > MAX_NODE_COUNT {
        let problem = format!("expected 1 to {MAX_NODE_COUNT} nodes, got {node_count}");
        return Err(Error::invalid("graph", problem));
    }
    check_nodes(&graph.node, &mut HashSet::new())?;
    check_outputs(&graph.node, functions)?;
    let mut names = HashSet::new();
    for function in functions {
        let name = function_name(function);
        if !names.insert(name) {
            let problem = "expected a unique name, got that of another function";
            return Err(at_function(name, problem));
        }
        let arguments = function.signature.iter().flat_map(|it| &it.input_arg);
        let mut names = unique(name, arguments.map(|argument| argument.name.as_str()))?;
        check_nodes(&function.node_def, &mut names).map_err(|error| in_function(name, error))?;
    }
    Ok(())
}

/// The names of a function's arguments, if no two are the same.
pub(super) fn unique<'a>(
    function: &str,
    arguments: impl Iterator<Item = &'a str>,
) -> Result<HashSet<&'a str>> {
    let mut names = HashSet::new();
    for argument in arguments {
        if !names.insert(argument) {
            let argument = shortened(argument);
            let problem = format!("expected arguments with unique names, got {argument:?} twice");
            return Err(at_function(function, &problem));
        }
    }
    Ok(names)
}

fn check_nodes<'a>(nodes: &'a [NodeDef], names: &mut HashSet<&'a str>) -> Result<()> {
    for node in nodes {
        if let Some(problem) = name::problem(&node.name).or_else(|| name::op_problem(&node.op)) {
            return Err(at_node(&node.name, &problem));
        }
        if !names.insert(&node.name) {
            let problem = "expected a unique name, got that of another node";
            return Err(at_node(&node.name, problem));
        }
    }
    Ok(())
}

/// The page draws nothing at all if a node takes an output that a function does not have.
fn check_outputs(nodes: &[NodeDef], functions: &[FunctionDef]) -> Result<()> {
    let signatures = signatures(functions);
    let calls = nodes.iter().filter_map(|node| {
        let signature = signatures.get(&*node.op)?;
        Some((&*node.name, signature.output_arg.len()))
    });
    let calls: HashMap<&str, usize> = calls.collect();
    for node in nodes {
        for input in &node.input {
            let (call, output) = match input.rsplit_once(':') {
                Some((call, output)) => (call, output.parse().unwrap_or(usize::MAX)),
                None => (&**input, 0),
            };
            if let Some(count) = calls.get(call).filter(|&&count| output >= count) {
                let [input, call] = [input, call].map(shortened);
                let problem = format!(
                    "expected one of the {count} outputs of the function that {call:?} calls as input, got {input:?}"
                );
                return Err(at_node(&node.name, &problem));
            }
        }
    }
    Ok(())
}

/// Checks whether the page can open the functions of a graph. It fails at a function that calls another, at a call with
/// more inputs than the function has, and at controls of calls.
pub(super) fn check_calls(graph: &GraphDef) -> Result<()> {
    let signatures = signatures(functions(graph));
    for function in functions(graph) {
        let mut nodes = function.node_def.iter();
        if let Some(node) = nodes.find(|node| signatures.contains_key(&*node.op)) {
            let callee = shortened(&node.op);
            let problem = format!(
                "expected no call, because the page fails at calls in functions, got one of {callee:?}"
            );
            return Err(in_function(
                function_name(function),
                at_node(&node.name, &problem),
            ));
        }
    }
    let calls = graph.node.iter();
    let calls = calls.filter(|node| signatures.contains_key(&*node.op));
    let calls: HashSet<&str> = calls.map(|node| &*node.name).collect();
    for node in &graph.node {
        let mut controls = node.input.iter().filter_map(|it| it.strip_prefix('^'));
        let count = node.input.len() - controls.clone().count();
        let problem = match signatures.get(&*node.op) {
            Some(function) if count > function.input_arg.len() => {
                let max = function.input_arg.len();
                format!("expected at most {max} inputs, as many as the function has, got {count}")
            }
            Some(_) if controls.next().is_some() => {
                "expected no control of a call of a function, because the page fails at it".into()
            }
            None => match controls.find(|&control| calls.contains(control)) {
                Some(control) => format!(
                    "expected a control that calls no function, because the page fails at it, got {:?}",
                    shortened(control)
                ),
                None => continue,
            },
            Some(_) => continue,
        };
        return Err(at_node(&node.name, &problem));
    }
    Ok(())
}

fn functions(graph: &GraphDef) -> &[FunctionDef] {
    let library = graph.library.as_ref();
    library.map_or(&[], |library| &library.function)
}

fn function_name(function: &FunctionDef) -> &str {
    let signature = function.signature.as_ref();
    signature.map_or("", |signature| &signature.name)
}

fn signatures(functions: &[FunctionDef]) -> HashMap<&str, &OpDef> {
    let signatures = functions.iter().filter_map(|it| it.signature.as_ref());
    signatures.map(|it| (&*it.name, it)).collect()
}

pub(super) fn at_node(name: &str, problem: &str) -> Error {
    Error::invalid("graph", format!("node {:?}: {problem}", shortened(name)))
}

pub(super) fn at_function(name: &str, problem: &str) -> Error {
    let name = shortened(name);
    Error::invalid("graph", format!("function {name:?}: {problem}"))
}

/// Adds the name of the function to an error at one of its nodes.
pub(super) fn in_function(name: &str, error: Error) -> Error {
    match error {
        Error::Invalid { problem, .. } => at_function(name, &problem),
        other => other,
    }
}

pub(super) fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}
