//! Creates a new log directory for each start of a program.

use std::env;
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

/// Creates the directory `id` in `parent`, such as `logs/digits/baseline-7`, and returns its path. All processes that pass the
/// same `id` get the same directory, however many create it at once. [`unique_logdir`] gives each process another directory,
/// because their clocks differ.
///
/// With `None`, the id is that of the launcher: `TORCHELASTIC_RUN_ID`, unless it is `none`, which is the default of torchrun,
/// or else `SLURM_JOB_ID` and `SLURM_STEP_ID` with a dot between them. `torchrun --rdzv-id ID` sets the former. torchrun
/// starts failed processes again with the same id, so [resume](crate::WriterOptions::resume) the run from its checkpoint.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let parent = dir.path();
/// let first = summary_writer::unique_logdir_for(parent, "baseline-7")?; // on rank 0
/// let second = summary_writer::unique_logdir_for(parent, "baseline-7")?; // on rank 1
/// assert_eq!(first, second);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] if no id is given and the launcher has none, or if the id is not a plain name, so empty, `.`, `..`, or
/// with a `/` or `\`. Otherwise the same as [`unique_logdir`].
pub fn unique_logdir_for<'a>(
    parent: impl AsRef<Path>,
    id: impl Into<Option<&'a str>>,
) -> Result<PathBuf> {
    let id = match id.into() {
        Some(id) => id.to_owned(),
        None => id_of_launcher(|name| env::var(name).ok())?,
    };
    if matches!(&*id, "" | "." | "..") || id.contains(['/', '\\', '\0', ':']) {
        let problem =
            format!("expected the name of a directory without `/`, `\\` and `:`, got {id:?}");
        return Err(Error::invalid("id", problem));
    }
    let dir = match location(parent.as_ref())? {
        Location::Local(parent) => parent.join(id),
        // An object store has no directories.
        #[cfg(feature = "object-store")]
        Location::Store(parent) => return Ok(parent.child(&id)?.url().into()),
    };
    fs::create_dir_all(&dir).map_err(|error| Error::io("create the directory", &dir, error))?;
    Ok(dir)
}

/// Returns the id that is the same for all processes of this start.
fn id_of_launcher(variable: impl Fn(&str) -> Option<String>) -> Result<String> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(id) = variable("TORCHELASTIC_RUN_ID").filter(|id| id != "none") {
        return Ok(id);
    }
    if let (Some(job), Some(step)) = (variable("SLURM_JOB_ID"), variable("SLURM_STEP_ID")) {
        return Ok(format!("{job}.{step}"));
    }
    let problem = "expected a name that is the same on all ranks, because neither TORCHELASTIC_RUN_ID nor SLURM_JOB_ID and \
                   SLURM_STEP_ID name this start: pass one as the argument `id`, or start torchrun with `--rdzv-id ID`";
    Err(Error::invalid("id", problem))
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
    fn id_is_that_of_the_launcher() {
        let slurm = [("SLURM_JOB_ID", "71"), ("SLURM_STEP_ID", "0")];
        for (torch, slurm, want) in [
            (Some("job7"), &slurm[..], Some("job7")),
            (Some("none"), &slurm, Some("71.0")),
            (Some(""), &slurm, Some("71.0")),
            (None, &slurm, Some("71.0")),
            (Some("none"), &slurm[..1], None),
            (None, &[], None),
        ] {
            let found = id_of_launcher(|name| {
                let torch = torch.map(|id| ("TORCHELASTIC_RUN_ID", id));
                let pair = slurm.iter().chain(&torch).find(|(key, _)| *key == name)?;
                Some(pair.1.to_owned())
            });
            match (found, want) {
                (Ok(id), Some(want)) => assert_eq!(id, want),
                (Err(error), None) => assert!(error.to_string().contains("pass one"), "{error}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn many_callers_at_once_get_the_directory_of_their_id() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("logs/digits");
        std::thread::scope(|scope| {
            for i in 0..64 {
                let parent = &parent;
                scope.spawn(move || {
                    for start in 0..20 {
                        let dir = unique_logdir_for(parent.join(format!("{start}")), "a").unwrap();
                        assert!(dir.is_dir(), "{i}");
                    }
                });
            }
        });
    }

    #[test]
    fn id_must_be_a_plain_name() {
        let parent = tempfile::tempdir().unwrap();
        for id in ["", ".", "..", "../up", "a/b", "a\\b", "C:"] {
            let error = unique_logdir_for(parent.path(), id).unwrap_err();
            assert!(
                error.to_string().contains(&format!("got {id:?}")),
                "{error}"
            );
        }
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
