//! Names of event files that sort as text in the order of time, because the loaders read files in the order of their names.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use portable_atomic::AtomicU64;

const PREFIX: &str = "events.out.tfevents.";
/// Ten digits sort as text until the year 2286.
const LAST_SECS: u64 = 9_999_999_999;

/// Counts the files of this process, so that no two get the same name.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// When this process created its first file, in seconds since 1970.
static FIRST_SECS: OnceLock<u64> = OnceLock::new();

/// `events.out.tfevents.{secs:010}.{host}.{pid}.{counter}{suffix}`
#[derive(Debug)]
pub(crate) struct FileName<'a> {
    secs: u64,
    host: &'a str,
    pid: u32,
    counter: u64,
    suffix: &'a str,
}

/// The event files in a directory before a writer creates its own.
#[derive(Clone, Debug, Default)]
pub(super) struct OlderFiles {
    /// The name that sorts last, or nothing.
    last: String,
    has_own: bool,
    has_others: bool,
}

impl OlderFiles {
    pub(super) fn from_names(names: &[OsString]) -> Self {
        let first_secs = *FIRST_SECS.get_or_init(now_secs);
        let own_part = format!(".{}.{}.", host(), process::id());
        let mut files = Self::default();
        for name in names {
            let text = name.to_string_lossy();
            if is_event_file(name) {
                let is_own = is_own(&text, first_secs, &own_part);
                files.has_own |= is_own;
                files.has_others |= !is_own;
            }
            if text.starts_with(PREFIX) && *text > *files.last {
                files.last = text.into_owned();
            }
        }
        files
    }

    /// Adds a file that this process has created after all others.
    pub(super) fn add_own(&mut self, name: &str) {
        self.has_own = true;
        self.last = name.into();
    }

    /// Returns whether there are files, and this process has created none of them.
    pub(super) fn are_of_others(&self) -> bool {
        self.has_others && !self.has_own
    }
}

/// Returns whether this process has created the file. In a container, the process of an earlier start may have the same name
/// and id, so the file must not be older than the first file of this process.
fn is_own(name: &str, first_secs: u64, own_part: &str) -> bool {
    let secs_and_rest = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_at_checked(10));
    secs_and_rest.is_some_and(|(secs, rest)| {
        secs.parse::<u64>().is_ok_and(|secs| secs >= first_secs) && rest.starts_with(own_part)
    })
}

impl<'a> FileName<'a> {
    /// Creates a name with the current time, or with the second after the last of the older files if that is later: process ids
    /// and counters do not sort as text, and clocks may go back.
    pub(crate) fn after(older_files: &OlderFiles, suffix: &'a str) -> Self {
        Self {
            secs: secs_after(&older_files.last, now_secs()),
            host: host(),
            pid: process::id(),
            counter: COUNTER.fetch_add(1, Ordering::Relaxed),
            suffix,
        }
    }
}

fn now_secs() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Returns `now`, or the second after the one in the name `last` if `now` would not sort after it.
fn secs_after(last: &str, now: u64) -> u64 {
    let last_secs = last
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.get(..10))
        .and_then(|digits| digits.parse::<u64>().ok());
    match last_secs {
        // No name of ten digits sorts after the last second.
        Some(secs) if secs >= now && secs < LAST_SECS => secs + 1,
        _ => now,
    }
}

/// Returns whether a file has a name that this writer and the stock writers use. A profiler's marker has no events.
pub(super) fn is_event_file(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && !name.ends_with(".profile-empty")
}

/// Returns the id of the process that created an event file, if its name is of this machine.
pub(super) fn process_on_this_host(name: &str) -> Option<u32> {
    let rest = name
        .strip_prefix(PREFIX)?
        .trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest
        .strip_prefix('.')?
        .strip_prefix(host())?
        .strip_prefix('.')?;
    rest.split('.').next()?.parse().ok()
}

impl fmt::Display for FileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secs,
            host,
            pid,
            counter,
            suffix,
        } = self;
        write!(f, "{PREFIX}{secs:010}.{host}.{pid}.{counter}{suffix}")
    }
}

/// Returns the name of this machine, which helps people who look at the directory. No loader needs it.
fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        #[cfg(not(target_family = "wasm"))]
        let name = hostname::get().unwrap_or_default();
        #[cfg(target_family = "wasm")]
        let name = std::ffi::OsString::new();
        match file_name_part(&name.to_string_lossy()) {
            name if name.is_empty() => "localhost".into(),
            name => name,
        }
    })
}

/// Replaces characters that may not be valid in a file name.
fn file_name_part(host: &str) -> String {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    host.chars()
        .take(64)
        .map(|c| if is_valid(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_has_the_fields_of_a_stock_name() {
        let name = FileName {
            secs: 1_700_000,
            host: "host",
            pid: 12,
            counter: 3,
            suffix: ".v2",
        };
        assert_eq!(
            name.to_string(),
            "events.out.tfevents.0001700000.host.12.3.v2"
        );
    }

    #[test]
    fn process_is_read_from_a_name_of_this_machine() {
        let host = host();
        for (name, want) in [
            (
                format!("events.out.tfevents.1700000000.{host}.12.3.v2"),
                Some(12),
            ),
            (
                format!("events.out.tfevents.1700000000.{host}.12"),
                Some(12),
            ),
            (format!("events.out.tfevents.1700000000.{host}x.12.3"), None),
            (format!("events.out.tfevents.1700000000.{host}"), None),
            ("events.out.tfevents".into(), None),
        ] {
            assert_eq!(process_on_this_host(&name), want, "{name}");
        }
    }

    #[test]
    fn new_name_sorts_after_existing_names() {
        for (last, now, want) in [
            ("", 100, 100),
            ("events.out.tfevents.0000000099.host.9.9", 100, 100),
            ("events.out.tfevents.0000000100.host.9.9", 100, 101),
            ("events.out.tfevents.0000000200.host.9.9", 100, 201), // the clock went back
            ("events.out.tfevents.9999999999.host.9.9", 100, 100),
            ("events.out.tfevents.123", 100, 100),
            ("events.out.tfevents.12345678é", 100, 100),
        ] {
            assert_eq!(secs_after(last, now), want, "{last:?}");
        }
    }

    #[test]
    fn file_of_this_process_has_its_host_and_id_and_is_not_older() {
        for (name, want) in [
            ("events.out.tfevents.0000000100.host.12.0", true),
            ("events.out.tfevents.0000000101.host.12.34.v2", true),
            ("events.out.tfevents.0000000099.host.12.0", false), // an earlier start of a container
            ("events.out.tfevents.0000000100.host.1.2", false),
            ("events.out.tfevents.0000000100.host.123.0", false),
            ("events.out.tfevents.0000000100.other.12.0", false),
            ("events.out.tfevents.100.host.12.0", false),
            ("events.out.tfevents.é", false),
            ("tfevents", false),
        ] {
            assert_eq!(is_own(name, 100, ".host.12."), want, "{name}");
        }
    }

    #[test]
    fn host_name_cannot_leave_the_directory() {
        assert_eq!(file_name_part("../../etc\0é"), ".._.._etc__");
    }
}
