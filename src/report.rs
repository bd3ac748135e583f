//! Reports the problems of calls that return nothing: through the crate `log`, or on stderr if the program has no logger.
//!
//! A logger may lock something, and call the crate while it holds this lock. So no report is emitted while a lock of the crate
//! is held, and a thread that others wait for does not emit its reports itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use log::{Level, LevelFilter};

use crate::platform;

/// Set this variable to `off`, and the process reports nothing on stderr.
const VARIABLE: &str = "SUMMARY_WRITER_LOG";
/// How long a close waits for reports. The wait is limited because the caller may hold the lock of the logger.
const AWAIT_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    static ROUTE: RefCell<Route> = const { RefCell::new(Route::Direct) };
}

/// The thread that emits the reports of a thread.
enum Route {
    /// The thread itself, at once.
    Direct,
    /// The thread itself, after a lock is released.
    Held(Vec<Report>),
    /// Another thread.
    Background,
    /// This is the other thread. It must not wait for itself.
    Emitter,
}

struct Report {
    reporter: Reporter,
    level: Level,
    message: String,
}

/// Calls `work`, which may lock something, and emits its reports after it has returned.
pub(crate) fn after<T>(work: impl FnOnce() -> T) -> T {
    let before = ROUTE.try_with(|route| {
        let mut route = route.borrow_mut();
        matches!(*route, Route::Direct | Route::Emitter)
            .then(|| mem::replace(&mut *route, Route::Held(Vec::new())))
    });
    // If the thread ends, the variable may be gone.
    let Ok(Some(before)) = before else {
        return work();
    };
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    if let Ok(Route::Held(reports)) = ROUTE.try_with(|route| route.replace(before)) {
        for report in reports {
            report.reporter.emit_in_order(report.level, report.message);
        }
    }
    result.unwrap_or_else(|panic| panic::resume_unwind(panic))
}

/// Lets another thread emit the reports of this thread from now on.
pub(crate) fn report_in_background() {
    ROUTE
        .try_with(|route| route.replace(Route::Background))
        .ok();
}

/// Returns whether this thread emits the reports of other threads.
fn is_emitter() -> bool {
    let is_emitter = ROUTE.try_with(|route| matches!(*route.borrow(), Route::Emitter));
    is_emitter.unwrap_or(false)
}

/// Reports the problems of one run.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    /// Names the run at the start of each message.
    prefix: Arc<str>,
    uses_stderr: bool,
    process_id: u32,
    background: Arc<Background>,
}

/// The reports that another thread emits. The thread ends when there are none.
#[derive(Debug, Default)]
struct Background {
    state: Mutex<BackgroundState>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct BackgroundState {
    reports: VecDeque<(Level, String)>,
    is_running: bool,
}

impl Reporter {
    pub(crate) fn new(prefix: impl Into<Arc<str>>, uses_stderr: bool) -> Self {
        Self {
            prefix: prefix.into(),
            uses_stderr,
            process_id: platform::process_id(),
            background: Arc::default(),
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
        if platform::process_id() != self.process_id || !self.is_read(level) {
            return;
        }
        let message = message.to_string();
        let is_background = ROUTE.try_with(|route| match &mut *route.borrow_mut() {
            Route::Direct | Route::Emitter => Some(false),
            Route::Background => Some(true),
            Route::Held(reports) => {
                reports.push(Report {
                    reporter: self.clone(),
                    level,
                    message: message.clone(),
                });
                None
            }
        });
        match is_background.unwrap_or(Some(false)) {
            Some(true) => self.emit_in_background(level, message),
            Some(false) => self.emit_in_order(level, message),
            None => {}
        }
    }

    /// Returns whether a logger or stderr gets messages of this level.
    fn is_read(&self, level: Level) -> bool {
        match log::max_level() {
            LevelFilter::Off => level <= Level::Warn && self.uses_stderr && !is_off(),
            max_level => level <= max_level,
        }
    }

    /// Emits a report after those that the other thread still has.
    fn emit_in_order(&self, level: Level, message: String) {
        let mut state = self.background.lock();
        if state.is_running && !is_emitter() {
            return state.reports.push_back((level, message));
        }
        drop(state);
        self.emit(level, &message);
    }

    fn emit(&self, level: Level, message: &str) {
        let prefix = &self.prefix;
        if log::max_level() != LevelFilter::Off {
            log::log!(target: "summary_writer", level, "{prefix}{message}");
        } else {
            // One call, so that the lines of several threads do not mix. A program without stderr must not fail here, so the
            // error is ignored, and `eprintln` would panic.
            let line = format!("summary-writer: {prefix}{message}\n");
            io::stderr().write_all(line.as_bytes()).ok();
        }
    }

    /// Gives a report to the other thread, and starts it if it does not run.
    fn emit_in_background(&self, level: Level, message: String) {
        let mut state = self.background.lock();
        state.reports.push_back((level, message));
        let is_running = mem::replace(&mut state.is_running, true);
        drop(state);
        if !is_running {
            let reporter = self.clone();
            let thread = thread::Builder::new().name("summary-reports".into());
            let emit = move || {
                ROUTE.try_with(|route| route.replace(Route::Emitter)).ok();
                reporter.emit_all();
            };
            // The caller may hold a lock, so this thread emits nothing. The next report tries again.
            if thread.spawn(emit).is_err() {
                self.background.lock().is_running = false;
            }
        }
    }

    fn emit_all(&self) {
        loop {
            let mut state = self.background.lock();
            let Some((level, message)) = state.reports.pop_front() else {
                state.is_running = false;
                drop(state);
                return self.background.ended.notify_all();
            };
            drop(state);
            // A logger that panics must not stop the later reports.
            panic::catch_unwind(AssertUnwindSafe(|| self.emit(level, &message))).ok();
        }
    }

    /// Returns once the other thread has emitted all reports, or when the time is over.
    pub(crate) fn await_reports(&self, timeout: Duration) {
        if is_emitter() {
            return;
        }
        let timeout = timeout.min(AWAIT_TIMEOUT);
        let ended =
            self.background
                .ended
                .wait_timeout_while(self.background.lock(), timeout, |state| state.is_running);
        drop(ended);
    }
}

impl Background {
    fn lock(&self) -> MutexGuard<'_, BackgroundState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
