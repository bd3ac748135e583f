//! The process of a writer. It starts with the first request, and ends when the [`Peer`] is dropped.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use peers::work::Work;

pub struct Peer {
    /// Markdown.
    pub title: String,
    command: Vec<OsString>,
    /// Standard error goes to this file.
    log: PathBuf,
    running: Option<Running>,
}

struct Running {
    process: Child,
    /// Closing it ends the process.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    pub fn new(title: String, command: Vec<OsString>, scratch: &Path) -> Self {
        Self {
            title,
            command,
            log: scratch.join("log"),
            running: None,
        }
    }

    /// Requests work. Returns the figures of the answer, or the reason why there are none.
    pub fn ask(
        &mut self,
        how: &str,
        work: Work,
        count: u32,
        dir: &Path,
    ) -> Result<Vec<u64>, String> {
        if self.running.is_none() {
            let running = Running::start(&self.command, &self.log);
            self.running = Some(running.map_err(|error| format!("cannot be started: {error}"))?);
        }
        let answer = self
            .exchange(&format!("{how}\t{work}\t{count}\t{}\n", dir.display()))
            .unwrap_or_default();
        let mut words = answer.trim_end().split('\t');
        match words.next() {
            Some("ok") => Ok(words.filter_map(|word| word.parse().ok()).collect()),
            Some("no") => Err(words.collect::<Vec<_>>().join(" ")),
            // The process has ended. The next request starts a new one.
            _ => Err(self.end()),
        }
    }

    fn exchange(&mut self, request: &str) -> Option<String> {
        let running = self.running.as_mut()?;
        running
            .requests
            .as_mut()?
            .write_all(request.as_bytes())
            .ok()?;
        let mut answer = String::new();
        running.answers.read_line(&mut answer).ok()?;
        Some(answer)
    }

    /// Returns by how many bytes a new process grows at its peak while it works, or `None` if the system cannot measure it.
    pub fn memory(&mut self, work: Work, count: u32, dir: &Path) -> Option<u64> {
        self.running = None;
        let warm = tempfile::tempdir_in(dir.parent()?).ok()?;
        self.ask("whole", work, 1, warm.path()).ok()?;
        let id = self.running.as_ref()?.process.id();
        // Resets the peak, so that the start of the process does not count.
        fs::write(format!("/proc/{id}/clear_refs"), "5").ok()?;
        let before = status(id, "VmRSS:")?;
        self.ask("whole", work, count, dir).ok()?;
        Some(status(id, "VmHWM:")?.saturating_sub(before))
    }

    /// Returns how the process ended.
    fn end(&mut self) -> String {
        let Some(mut running) = self.running.take() else {
            return "is not running".into();
        };
        drop(running.requests.take());
        let status = running.process.wait();
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last_line = log.lines().last().unwrap_or_default();
        match status {
            Ok(status) => format!("ended ({status}): {last_line}"),
            Err(error) => format!("ended ({error}): {last_line}"),
        }
    }
}

impl Running {
    fn start(command: &[OsString], log: &Path) -> std::io::Result<Self> {
        let mut process = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()?;
        let (requests, answers) = (process.stdin.take(), process.stdout.take());
        Ok(Self {
            process,
            requests,
            answers: BufReader::new(answers.ok_or(std::io::ErrorKind::BrokenPipe)?),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Err(error) = self.process.wait() {
            eprintln!("cannot wait for a writer: {error}");
        }
    }
}

/// A field of `/proc/ID/status`, in bytes.
fn status(id: u32, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
