//! Creates a new log directory for each start of a program.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::location::{Location, location};

/// Creates a directory in `parent` named after the time in UTC, like `logs/digits/20261122-211530`, and returns its path.
///
/// If the name exists, a number is added (`-2`, `-3`, ...), so no two callers get the same directory.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let parent = dir.path();
/// let first = summary_writer::unique_logdir(parent)?;
/// let second = summary_writer::unique_logdir(parent)?;
/// assert_ne!(first, second);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Io`] if the directory cannot be created. [`Error::Invalid`] for the same paths as
/// [`create_file_writer`](crate::SummaryWriter::create_file_writer).
pub fn unique_logdir(parent: impl AsRef<Path>) -> Result<PathBuf> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let stamp = Stamp(now).to_string();
    let parent = match location(parent.as_ref())? {
        Location::Local(parent) => parent,
        #[cfg(feature = "object-store")]
        Location::Store(parent) => {
            return first_new(&stamp, |name| {
                let dir = parent.child(name)?;
                Ok(dir.create_new()?.then(|| dir.url().into()))
            });
        }
    };
    fs::create_dir_all(parent).map_err(|error| Error::io("create the directory", parent, error))?;
    first_new(&stamp, |name| {
        let dir = parent.join(name);
        match fs::create_dir(&dir) {
            Ok(()) => Ok(Some(dir)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(Error::io("create the directory", &dir, error)),
        }
    })
}

/// Tries names until `create` returns a new directory, and not `None` for one that exists.
fn first_new(stamp: &str, create: impl Fn(&str) -> Result<Option<PathBuf>>) -> Result<PathBuf> {
    let mut name = stamp.to_owned();
    let mut number = 1u32;
    loop {
        if let Some(dir) = create(&name)? {
            return Ok(dir);
        }
        number = number.saturating_add(1);
        name = format!("{stamp}-{number}");
    }
}

/// Seconds since 1970, shown as date and time in UTC: `20261122-211530`.
struct Stamp(u64);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, secs) = (self.0 / 86_400, self.0 % 86_400);
        // The algorithm is `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms". Its years
        // start in March, so that the leap day is the last day. 400 years have 146,097 days.
        let days = days + 719_468; // from 1 March of the year 0
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153; // 0 is March
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        write!(
            f,
            "{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shown_as_a_calendar_date() {
        // From `date -u -d @SECS +%Y%m%d-%H%M%S`.
        for (secs, want) in [
            (0, "19700101-000000"),
            (951_782_400, "20000229-000000"),
            (951_868_800, "20000301-000000"),
            (1_735_689_599, "20241231-235959"),
            (1_709_210_096, "20240229-123456"),
            (4_107_542_400, "21000301-000000"),
            (1_795_382_130, "20261122-211530"),
        ] {
            assert_eq!(Stamp(secs).to_string(), want, "{secs}");
        }
    }

    #[test]
    fn callers_in_one_second_get_different_directories_in_order() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("logs/digits");
        let dirs: Vec<_> = (0..5).map(|_| unique_logdir(&parent).unwrap()).collect();
        assert!(dirs.is_sorted_by(|a, b| a < b), "{dirs:#?}");
        assert!(dirs.iter().all(|dir| dir.is_dir()));
    }

    #[test]
    fn error_names_a_parent_that_is_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = unique_logdir(file.path()).unwrap_err();
        assert!(
            error.to_string().contains(file.path().to_str().unwrap()),
            "{error}"
        );
    }
}
