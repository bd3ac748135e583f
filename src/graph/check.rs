//! Whether the page can draw a graph.

use std::collections::HashSet;

use super::builder::{at_node, shortened};
use super::function::at_function;
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
    let functions = graph.library.iter().flat_map(|library| &library.function);
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
