//! Whether the page can draw a graph.

use std::collections::{HashMap, HashSet};

use super::builder::{at_node, shortened};
use super::function::{at_function, signatures};
use super::name;
use crate::error::{Error, Result};
use crate::proto::{FunctionDef, GraphDef, NodeDef};

pub(super) fn check(graph: &GraphDef) -> Result<()> {
    if graph.node.is_empty() {
        return Err(Error::invalid("graph", "it has no node, one or more fit"));
    }
    let mut names = HashSet::new();
    for node in &graph.node {
        check_node(node, &mut names)?;
    }
    let library = graph.library.as_ref();
    let functions = library.map_or(&[][..], |library| &library.function);
    check_outputs(&graph.node, functions)?;
    let mut function_names = HashSet::new();
    for function in functions {
        let name = function_name(function);
        if !function_names.insert(name) {
            return Err(at_function(name, "another function has its name"));
        }
        let arguments = function.signature.iter().flat_map(|it| &it.input_arg);
        let mut names: HashSet<&str> = HashSet::new();
        for argument in arguments {
            if !names.insert(&argument.name) {
                let argument = shortened(&argument.name);
                let problem = format!("two inputs have the name {argument:?}");
                return Err(at_function(name, &problem));
            }
        }
        for node in &function.node_def {
            check_node(node, &mut names).map_err(|error| match error {
                Error::Invalid { problem, .. } => at_function(name, &problem),
                other => other,
            })?;
        }
    }
    Ok(())
}

/// The page draws nothing of a graph that takes an output of a function that is not there.
fn check_outputs(nodes: &[NodeDef], functions: &[FunctionDef]) -> Result<()> {
    let signatures = signatures(functions);
    let calls = nodes.iter().filter_map(|node| {
        let signature = signatures.get(&*node.op)?;
        Some((&*node.name, signature.output_arg.len()))
    });
    let calls: HashMap<&str, usize> = calls.collect();
    if calls.is_empty() {
        return Ok(());
    }
    for node in nodes {
        for input in &node.input {
            let (call, output) = match input.rsplit_once(':') {
                Some((call, output)) => (call, output.parse().unwrap_or(usize::MAX)),
                None => (&**input, 0),
            };
            if let Some(&count) = calls.get(call).filter(|&&count| output >= count) {
                let [input, call] = [input, call].map(shortened);
                let problem = format!(
                    "its input {input:?} is none of the {count} outputs of the function that {call:?} calls"
                );
                return Err(at_node(&node.name, &problem));
            }
        }
    }
    Ok(())
}

fn function_name(function: &FunctionDef) -> &str {
    let signature = function.signature.as_ref();
    signature.map_or("", |signature| &signature.name)
}

fn check_node<'a>(node: &'a NodeDef, names: &mut HashSet<&'a str>) -> Result<()> {
    if let Some(problem) = name::problem(&node.name).or_else(|| name::op_problem(&node.op)) {
        return Err(at_node(&node.name, &problem));
    }
    if !names.insert(&node.name) {
        return Err(at_node(&node.name, "another node has its name"));
    }
    Ok(())
}
