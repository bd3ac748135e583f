//! Turns a directory of runs into an address to look at: starts stock TensorBoard on it, installed
//! into a virtual environment first if there is none.

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

/// Serves `logdir` on 127.0.0.1 until TensorBoard ends, as it does at Ctrl-C.
pub(crate) fn serve(logdir: &Path) -> Result<(), Box<dyn Error>> {
    let mut program = PathBuf::from("tensorboard");
    if !works(&program) {
        program = installed()?;
    }
    let mut tensorboard = Command::new(&program)
        .arg("--logdir")
        .arg(logdir)
        // Port 0: any free one, so that a TensorBoard already running is no obstacle.
        .args(["--host", "127.0.0.1", "--port", "0"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;

    // The thread reads to the end: a full pipe would stop TensorBoard. What it says after the address
    // has nobody waiting for it any more and goes to the user.
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
    let mut said = Vec::new();
    let address = loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let mut words = line.split_whitespace();
                if let Some(word) = words.find(|word| word.starts_with("http://127.0.0.1:")) {
                    break word.to_owned();
                }
                said.push(line);
            }
            Err(why) => {
                // It ended, or it hangs; it does not outlive this program either way.
                tensorboard.kill()?;
                let status = tensorboard.wait()?;
                let what = match why {
                    RecvTimeoutError::Disconnected => format!("ended ({status})"),
                    RecvTimeoutError::Timeout => format!("gave no address within {PATIENCE:?}"),
                };
                return Err(format!("TensorBoard {what}{}", last_lines(&said.join("\n"))).into());
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

/// The TensorBoard of the virtual environment under `target/`, made at the first call.
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
    // An environment that does not work may be the half of one: `--clear` begins anew.
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

/// Runs a step of the installation; what went wrong is in the error, with the end of the output.
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
    let said = [output.stdout, output.stderr].concat();
    let last = last_lines(&String::from_utf8_lossy(&said));
    Err(format!(
        "cannot install TensorBoard: {program} ended ({status}){last}"
    ))
}

/// The end of a program's output, indented below the message that it explains.
fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(8)..];
    last.iter().map(|line| format!("\n  {line}")).collect()
}
