//! Starts stock TensorBoard for a directory of runs. Installs it into a virtual environment first if it is missing.

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, SendError};
use std::thread;
use std::time::{Duration, Instant};

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/tensorboard.txt");
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
const SCRIPTS: &str = if cfg!(windows) { "Scripts" } else { "bin" };
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts TensorBoard on 127.0.0.1, prints its address, and waits until it ends, for example by Ctrl-C.
pub(crate) fn serve(logdir: &Path) -> Result<(), Box<dyn Error>> {
    let mut program = PathBuf::from("tensorboard");
    if !works(&program) {
        program = installed()?;
    }
    let mut tensorboard = Command::new(&program)
        .arg("--logdir")
        .arg(logdir)
        // Port 0 chooses a free port, because another TensorBoard may be running.
        .args(["--host", "127.0.0.1", "--port", "0"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;

    // The thread reads all output, because a full pipe would block TensorBoard. Lines after the address are printed.
    let (sender, lines) = mpsc::channel();
    if let Some(stderr) = tensorboard.stderr.take() {
        thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if let Err(SendError(line)) = sender.send(line) {
                    eprintln!("{line}");
                }
            }
        });
    }

    let deadline = Instant::now() + PATIENCE;
    let mut output = Vec::new();
    let address = loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let mut words = line.split_whitespace();
                if let Some(word) = words.find(|word| word.starts_with("http://127.0.0.1:")) {
                    break word.to_owned();
                }
                output.push(line);
            }
            Err(why) => {
                // It has ended or hangs. End it with this program.
                tensorboard.kill()?;
                let status = tensorboard.wait()?;
                let what = match why {
                    RecvTimeoutError::Disconnected => format!("ended ({status})"),
                    RecvTimeoutError::Timeout => format!("printed no address within {PATIENCE:?}"),
                };
                return Err(format!("TensorBoard {what}{}", last_lines(&output.join("\n"))).into());
            }
        }
    };
    drop(lines);
    println!("TensorBoard: {address} (Ctrl-C stops it)");

    let status = tensorboard.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("TensorBoard ended ({status})").into())
    }
}

/// Returns the TensorBoard of the virtual environment under `target/`. Creates the environment if it is missing.
fn installed() -> Result<PathBuf, Box<dyn Error>> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| TARGET.into(), PathBuf::from);
    let environment = target.join("tensorboard");
    let scripts = environment.join(SCRIPTS);
    let program = scripts.join("tensorboard");
    if works(&program) {
        return Ok(program);
    }
    println!(
        "No TensorBoard on PATH: installing it into {} (once, about a minute).",
        environment.display()
    );
    // An environment that does not work may be incomplete, so `--clear` starts again.
    let mut venv = Command::new(PYTHON);
    succeed(venv.args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(scripts.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "-r"]);
    succeed(pip.arg(REQUIREMENTS))?;
    Ok(program)
}

fn works(program: &Path) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// Runs a step of the installation. An error has the last lines of the output.
fn succeed(command: &mut Command) -> Result<(), String> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| {
        format!("--view needs TensorBoard or {PYTHON} on PATH: cannot run {program}: {error}")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let status = output.status;
    let text = [output.stdout, output.stderr].concat();
    let last = last_lines(&String::from_utf8_lossy(&text));
    Err(format!(
        "cannot install TensorBoard: {program} ended ({status}){last}"
    ))
}

/// Returns the last lines of a program's output, each indented on a new line.
fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(8)..];
    last.iter().map(|line| format!("\n  {line}")).collect()
}
