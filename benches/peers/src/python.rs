//! The Python whose writers are measured: the one of `--python`, or a virtual environment.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const HOME: &str = env!("CARGO_MANIFEST_DIR");
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
const SCRIPTS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// The default value means that there is no Python.
#[derive(Default)]
pub struct Python {
    program: PathBuf,
    /// The names and versions of Python and of its installed packages.
    versions: Vec<(String, String)>,
}

impl Python {
    pub fn find(given: Option<PathBuf>) -> Result<Self, String> {
        let program = match given {
            Some(program) => program,
            None => environment()?,
        };
        let mut ask = Command::new(&program);
        ask.arg(script()).args(["versions", ""]);
        let versions = succeed(&mut ask)?;
        let versions = versions
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, version)| (name.to_owned(), version.trim().to_owned()))
            .collect();
        Ok(Self { program, versions })
    }

    pub fn is_there(&self) -> bool {
        !self.versions.is_empty()
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn version(&self, name: &str) -> Option<&str> {
        let found = self.versions.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// Returns the command that runs a writer.
    pub fn serve(&self, name: &str, data: &Path) -> Vec<OsString> {
        vec![
            self.program.clone().into(),
            script().into(),
            name.into(),
            data.into(),
        ]
    }
}

fn script() -> PathBuf {
    Path::new(HOME).join("peers.py")
}

/// Returns the environment under `target/`, and creates it first if it is missing or has other requirements. Its copy of the
/// requirements is written last, so that an incomplete environment is not used.
fn environment() -> Result<PathBuf, String> {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(HOME).join("target"), PathBuf::from);
    let environment = target.join("venv");
    let program = environment.join(SCRIPTS).join("python");
    let requirements = Path::new(HOME).join("requirements.txt");
    let want = fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let installed = environment.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == want) {
        return Ok(program);
    }
    eprintln!(
        "installing the peers in Python into {} (once, about half a minute)",
        environment.display()
    );
    succeed(
        Command::new(PYTHON)
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )?;
    let mut pip = Command::new(&program);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "-r"]);
    succeed(pip.arg(&requirements))?;
    fs::write(&installed, want).map_err(|error| error.to_string())?;
    Ok(program)
}

/// Runs a program, and returns its output. The error has the last line that starts with `error`, or else the last line.
pub fn succeed(command: &mut Command) -> Result<String, String> {
    let program = Path::new(command.get_program()).display().to_string();
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_error = |line: &&str| line.to_ascii_lowercase().starts_with("error");
    let lines = || {
        stderr
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let last = lines().rfind(is_error).or(lines().next_back());
    Err(format!(
        "{program} ended ({}): {}",
        output.status,
        last.unwrap_or_default()
    ))
}
