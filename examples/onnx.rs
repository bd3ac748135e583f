//! Writes the graphs of ONNX models for the Graphs page of TensorBoard.

#![allow(clippy::print_stderr, reason = "a program")]

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use summary_writer::{Graph, SummaryWriter};

/// Write the graphs of ONNX models into a log directory, without their weights
#[derive(Parser)]
#[command(
    name = "onnx",
    after_help = "Then view the graphs with: tensorboard --logdir DIR"
)]
struct Options {
    /// The models. One model becomes the run DIR. Several models become runs in DIR, named after their files
    #[arg(required = true, value_name = "MODEL.onnx")]
    models: Vec<PathBuf>,
    /// The log directory
    #[arg(value_name = "DIR")]
    logdir: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runs = runs(&options).unwrap_or_else(|problem| {
        Options::command()
            .error(ErrorKind::ValueValidation, problem)
            .exit()
    });
    let mut code = ExitCode::SUCCESS;
    for (model, run) in options.models.iter().zip(runs) {
        if let Err(error) = write(model, &run) {
            eprintln!("onnx: {}: {}", model.display(), chain(&*error));
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Returns the run directory of each model.
fn runs(Options { models, logdir }: &Options) -> Result<Vec<PathBuf>, String> {
    if logdir.is_file() || logdir.extension().is_some_and(|it| it == "onnx") {
        let problem = "expected the log directory as last argument, got the file";
        return Err(format!("{problem} {}", logdir.display()));
    }
    if models.len() == 1 {
        return Ok(vec![logdir.clone()]);
    }
    let mut names = HashMap::new();
    let run = |model: &PathBuf| {
        let name = model.file_stem().unwrap_or_default().to_owned();
        let run = logdir.join(&name);
        match names.insert(name, model.clone()) {
            Some(other) => Err(format!(
                "expected models with different names, got {} and {}",
                other.display(),
                model.display()
            )),
            None => Ok(run),
        }
    };
    models.iter().map(run).collect()
}

fn write(model: &Path, logdir: &Path) -> Result<(), Box<dyn Error>> {
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
