//! Writes the graphs of ONNX models into a log directory, for TensorBoard's Graphs dashboard.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::prelude::*;
use summary_writer::{Graph, SummaryWriter};

const HELP: &str = "\
Writes the graphs of ONNX models into a log directory, without their weights.

Usage: cargo run --release --features onnx --example onnx -- MODEL.onnx... DIR

One model is the run DIR, of several each is a run in it, named by its file.
Then: tensorboard --logdir DIR";

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let options = match options(lexopt::Parser::from_env()) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("onnx: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let Some(models) = options else {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    };
    let mut code = ExitCode::SUCCESS;
    for Model { model, run } in models {
        if let Err(error) = write(&model, &run) {
            eprintln!("onnx: {}: {}", model.display(), chain(&*error));
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// A file, and the directory of its run.
struct Model {
    model: PathBuf,
    run: PathBuf,
}

/// What to write; nothing if help is wanted.
fn options(mut arguments: lexopt::Parser) -> Result<Option<Vec<Model>>> {
    let mut paths = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Value(path) => paths.push(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let logdir = paths
        .pop()
        .ok_or("a model and a log directory are missing")?;
    if logdir.is_file() || logdir.extension().is_some_and(|it| it == "onnx") {
        return Err(format!("the log directory is missing behind {}", logdir.display()).into());
    }
    let [_, ..] = &paths[..] else {
        return Err("a model is missing before the log directory".into());
    };
    let is_alone = paths.len() == 1;
    let mut runs = HashMap::new();
    for path in &paths {
        let run = path.file_stem().unwrap_or_default();
        if let Some(other) = runs.insert(run, path) {
            let (one, other) = (path.display(), other.display());
            return Err(format!("{other} and {one} would be the same run: {run:?}").into());
        }
    }
    let model = |model: PathBuf| {
        let run = match (is_alone, model.file_stem()) {
            (false, Some(name)) => logdir.join(name),
            _ => logdir.clone(),
        };
        Model { model, run }
    };
    Ok(Some(paths.into_iter().map(model).collect()))
}

fn write(model: &Path, logdir: &Path) -> Result {
    let graph = Graph::from_onnx(fs::read(model)?)?;
    let summary = SummaryWriter::create_file_writer(logdir)?;
    summary.graph(&graph);
    summary.close()?;
    Ok(())
}

fn chain(error: &dyn Error) -> String {
    let sources = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<_> = sources.map(ToString::to_string).collect();
    texts.join(": ")
}
