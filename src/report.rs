//! Reports the problems of calls that return nothing: through the crate `log`, or on stderr if the program has no logger.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;

use log::{Level, LevelFilter};

use crate::platform;

/// Set this variable to `off`, and the process reports nothing on stderr.
const VARIABLE: &str = "SUMMARY_WRITER_LOG";

/// Reports the problems of one run.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    /// Names the run at the start of each message.
    prefix: Arc<str>,
    uses_stderr: bool,
    process_id: u32,
}

impl Reporter {
    pub(crate) fn new(prefix: impl Into<Arc<str>>, uses_stderr: bool) -> Self {
        Self {
            prefix: prefix.into(),
            uses_stderr,
            process_id: platform::process_id(),
        }
    }

    /// Reports what is no problem, so only to a logger.
    pub(crate) fn info(&self, message: impl Display) {
        self.report(Level::Info, &message);
    }

    pub(crate) fn warn(&self, message: impl Display) {
        self.report(Level::Warn, &message);
    }

    pub(crate) fn error(&self, message: impl Display) {
        self.report(Level::Error, &message);
    }

    /// Reports a message, unless this process is a fork of the one that opened the run. There, another thread may have held the
    /// lock of the logger or of stderr at the fork, and it is never released.
    #[cold]
    fn report(&self, level: Level, message: &dyn Display) {
        if platform::process_id() != self.process_id {
            return;
        }
        let prefix = &self.prefix;
        if log::max_level() != LevelFilter::Off {
            log::log!(target: "summary_writer", level, "{prefix}{message}");
        } else if level <= Level::Warn && self.uses_stderr && !is_off() {
            // One call, so that the lines of several threads do not mix. A program without stderr must not fail here, so the
            // error is ignored, and `eprintln` would panic.
            let line = format!("summary-writer: {prefix}{message}\n");
            io::stderr().write_all(line.as_bytes()).ok();
        }
    }
}

/// Reports the problems that belong to no run.
impl Default for Reporter {
    fn default() -> Self {
        Self::new("", true)
    }
}

/// The tests of this crate cause problems on purpose, and their harness does not capture what is written to stderr itself.
fn is_off() -> bool {
    cfg!(test) || env::var_os(VARIABLE).is_some_and(|value| value.eq_ignore_ascii_case("off"))
}
