//! The rank of this process among the processes of a distributed training, from the variables that launchers set.

use std::env;
use std::sync::Once;

use crate::error::{Error, Result};
use crate::report::Reporter;

/// The number of this process among the processes of one training, from 0, and the number of processes, if it is known.
///
/// [`WriterOptions::rank`](crate::WriterOptions::rank) takes it, and decides which process writes where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rank {
    index: u32,
    size: Option<u32>,
}

impl Rank {
    /// Creates a rank from what the program has found out itself, for example from its own arguments.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `index` is not below `size`.
    pub fn new(index: u32, size: impl Into<Option<u32>>) -> Result<Self> {
        let size = size.into();
        if let Some(size) = size.filter(|size| index >= *size) {
            let problem = format!("expected a rank below the size {size}, got {index}");
            return Err(Error::invalid("rank", problem));
        }
        Ok(Self { index, size })
    }

    /// Returns the rank that the launcher of this process has set in the environment, or `None` for a single process.
    ///
    /// The first of these that is set decides:
    ///
    /// | variable | size | set by |
    /// |---|---|---|
    /// | `RANK` | `WORLD_SIZE` | torchrun, and most launchers that imitate it |
    /// | `OMPI_COMM_WORLD_RANK` | `OMPI_COMM_WORLD_SIZE` | `mpirun` of Open MPI |
    /// | `PMIX_RANK` | unknown | `prterun`, `srun --mpi=pmix` |
    /// | `PMI_RANK` | `PMI_SIZE` | MPICH, Intel MPI, `srun --mpi=pmi2` |
    /// | `JSM_NAMESPACE_RANK` | `JSM_NAMESPACE_SIZE` | `jsrun` |
    /// | `SLURM_PROCID` | `SLURM_STEP_NUM_TASKS`, or else `SLURM_NTASKS` | `srun` |
    ///
    /// `SLURM_PROCID` counts only in a step (`SLURM_STEP_ID`) of more than one task. In a script of `sbatch`, it is 0 and names
    /// no rank. `LOCAL_RANK` alone is not a rank, because each machine has a process with `LOCAL_RANK` 0.
    ///
    /// A world of one process is a single process. A variable that is empty counts as not set. One that is not a number, or
    /// not below its size, is skipped with a warning.
    ///
    /// The first call logs which variable it used, at the level `info`. It logs a warning if another launcher states the same
    /// size and another rank, because then the two parts of the program may disagree who writes. Launchers that state
    /// different sizes do not contradict each other: torchrun under `srun` starts several ranks in each task.
    ///
    /// ```
    /// use summary_writer::{Rank, RankPolicy, WriterOptions};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    /// let summary = WriterOptions::new().rank(Rank::from_env(), RankPolicy::Main).create_file_writer(logdir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_env() -> Option<Self> {
        static REPORTED: Once = Once::new();
        // A variable that is not Unicode is shown in the warning.
        let variable = |name: &str| Some(env::var_os(name)?.to_string_lossy().into_owned());
        let Found {
            rank,
            source,
            warnings,
        } = Found::from_variables(variable);
        REPORTED.call_once(|| {
            let reporter = Reporter::default();
            if let Some(source) = source {
                reporter.info(source);
            }
            warnings.iter().for_each(|warning| reporter.warn(warning));
        });
        rank
    }

    /// Returns the number of this process, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Returns the number of processes. `PMIX_RANK` comes without it.
    pub fn size(self) -> Option<u32> {
        self.size
    }
}

/// Which processes write, for [`WriterOptions::rank`](crate::WriterOptions::rank).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RankPolicy {
    /// Rank 0 writes. The writers of the others are [disabled](crate::SummaryWriter::disabled). For data that is the same on
    /// all ranks, or that rank 0 has collected.
    Main,
    /// This rank writes instead of rank 0, for example the last stage of a pipeline, which has the loss.
    Only(u32),
    /// Each rank writes to a child run of its own: `rank-00003`. For data that differs.
    Each,
}

/// The variables of one launcher.
struct Launcher {
    rank: &'static str,
    /// The first that is set counts.
    sizes: &'static [&'static str],
    /// The variable that must be set, too.
    condition: Option<&'static str>,
}

impl Launcher {
    const fn new(rank: &'static str, sizes: &'static [&'static str]) -> Self {
        Self {
            rank,
            sizes,
            condition: None,
        }
    }
}

/// The first one that has set its variable counts.
const LAUNCHERS: [Launcher; 6] = [
    Launcher::new("RANK", &["WORLD_SIZE"]),
    Launcher::new("OMPI_COMM_WORLD_RANK", &["OMPI_COMM_WORLD_SIZE"]),
    Launcher::new("PMIX_RANK", &[]),
    Launcher::new("PMI_RANK", &["PMI_SIZE"]),
    Launcher::new("JSM_NAMESPACE_RANK", &["JSM_NAMESPACE_SIZE"]),
    Launcher {
        condition: Some("SLURM_STEP_ID"),
        ..Launcher::new("SLURM_PROCID", &["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"])
    },
];

/// The result of a look at the environment.
#[derive(Debug, Default)]
struct Found {
    rank: Option<Rank>,
    /// Which variables were used.
    source: Option<String>,
    warnings: Vec<String>,
}

impl Found {
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let mut found = Self::default();
        let mut used: Option<(&str, Rank)> = None;
        for launcher in &LAUNCHERS {
            let Some(rank) = launcher.rank(variable, &mut found.warnings) else {
                continue;
            };
            let name = launcher.rank;
            match used {
                None => {
                    used = Some((name, rank));
                    let size = match rank.size {
                        Some(size) => format!("of {size}"),
                        None => "of an unknown number".into(),
                    };
                    found.source = Some(format!(
                        "this process is rank {} {size}: {name}",
                        rank.index
                    ));
                }
                Some((first_name, first)) => {
                    if first.size.is_some() && first.size == rank.size && first.index != rank.index
                    {
                        found.warnings.push(format!(
                            "{first_name} is {} and {name} is {}, in worlds of the same size: {first_name} is used; unset the \
                             variables of the launcher that did not start this process",
                            first.index, rank.index
                        ));
                    }
                }
            }
        }
        found.rank = used
            .map(|(_, rank)| rank)
            .filter(|rank| rank.size != Some(1));
        found
    }
}

impl Launcher {
    /// Returns the rank that the launcher states, if it has started this process.
    fn rank(
        &self,
        variable: impl Fn(&str) -> Option<String>,
        warnings: &mut Vec<String>,
    ) -> Option<Rank> {
        let text = variable(self.rank)?;
        if let Some(condition) = self.condition {
            variable(condition)?;
        }
        let Ok(index) = text.parse() else {
            warnings.push(format!(
                "{} must be a rank, a number from 0, got {text:?}: it is ignored",
                self.rank
            ));
            return None;
        };
        let mut size = None;
        if let Some((name, text)) = self
            .sizes
            .iter()
            .find_map(|name| Some((name, variable(name)?)))
        {
            match text.parse() {
                Ok(number) if index < number => size = Some(number),
                Ok(number) => {
                    let rank = self.rank;
                    warnings.push(format!(
                        "{rank} must be below {name}, which is {number}, got {index}: {rank} is ignored"
                    ));
                    return None;
                }
                Err(_) => warnings.push(format!(
                    "{name} must be a number of processes, got {text:?}: it is ignored"
                )),
            }
        }
        // The variables of Slurm are also set where no step of several tasks runs.
        if self.condition.is_some() && size.is_none_or(|size| size == 1) {
            return None;
        }
        Some(Rank { index, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rank and size for variables such as `RANK=1 WORLD_SIZE=2`, and the warnings.
    fn found(variables: &str) -> (Option<(u32, Option<u32>)>, Vec<String>) {
        let pairs: Vec<_> = variables
            .split_whitespace()
            .map(|pair| pair.split_once('=').unwrap())
            .collect();
        let variable = |name: &str| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| value.replace('_', " "))
        };
        let found = Found::from_variables(variable);
        let rank = found.rank.map(|rank| (rank.index(), rank.size()));
        (rank, found.warnings)
    }

    #[test]
    fn first_launcher_in_the_documented_order_decides() {
        let of = |rank, size| Some((rank, Some(size)));
        for (variables, want) in [
            ("", None),
            ("LOCAL_RANK=3", None),
            ("LOCAL_RANK=3 LOCAL_WORLD_SIZE=8", None),
            ("RANK=3 WORLD_SIZE=8 LOCAL_RANK=1", of(3, 8)),
            ("RANK=3", Some((3, None))),
            ("RANK=_3_ WORLD_SIZE=8", of(3, 8)),
            ("RANK=0 WORLD_SIZE=1", None),
            ("WORLD_SIZE=8", None),
            (
                "OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=4 PMIX_RANK=2",
                of(2, 4),
            ),
            ("PMIX_RANK=2", Some((2, None))),
            ("PMI_RANK=1 PMI_SIZE=2", of(1, 2)),
            ("JSM_NAMESPACE_RANK=5 JSM_NAMESPACE_SIZE=6", of(5, 6)),
            // `srun` of 4 tasks in a job of 64.
            (
                "SLURM_PROCID=3 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4 SLURM_NTASKS=64",
                of(3, 4),
            ),
            ("SLURM_PROCID=3 SLURM_STEP_ID=0 SLURM_NTASKS=4", of(3, 4)),
            // `sbatch`, `srun -n 1`, a shell of `salloc`.
            ("SLURM_PROCID=0 SLURM_NTASKS=64", None),
            (
                "SLURM_PROCID=0 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=64",
                None,
            ),
            (
                "SLURM_PROCID=0 SLURM_STEP_ID=4294967290 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=8",
                None,
            ),
            // torchrun of 8 processes in each of two tasks of `srun`.
            (
                "RANK=9 WORLD_SIZE=16 SLURM_PROCID=1 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2",
                of(9, 16),
            ),
            ("RANK= WORLD_SIZE= PMI_RANK=1 PMI_SIZE=2", of(1, 2)),
        ] {
            assert_eq!(found(variables), (want, vec![]), "{variables}");
        }
    }

    #[test]
    fn used_variable_is_named() {
        for (set, value, want) in [
            (
                "RANK",
                "3",
                "this process is rank 3 of an unknown number: RANK",
            ),
            ("LOCAL_RANK", "3", ""),
        ] {
            let found = Found::from_variables(|name| (name == set).then(|| value.into()));
            assert_eq!(found.source.unwrap_or_default(), want);
        }
    }

    #[test]
    fn wrong_value_is_skipped_with_a_warning() {
        for (variables, want, warning) in [
            (
                "RANK=x WORLD_SIZE=8",
                None,
                "RANK must be a rank, a number from 0, got \"x\"",
            ),
            ("RANK=-1 WORLD_SIZE=8", None, "got \"-1\""),
            (
                "RANK=8 WORLD_SIZE=8",
                None,
                "RANK must be below WORLD_SIZE, which is 8, got 8",
            ),
            ("RANK=0 WORLD_SIZE=0", None, "which is 0, got 0"),
            (
                "RANK=1 WORLD_SIZE=all",
                Some((1, None)),
                "WORLD_SIZE must be a number of processes, got \"all\"",
            ),
            (
                "RANK=4 WORLD_SIZE=4 PMI_RANK=1 PMI_SIZE=4",
                Some((1, Some(4))),
                "RANK is ignored",
            ),
        ] {
            let (rank, warnings) = found(variables);
            assert_eq!(rank, want, "{variables}");
            assert!(
                warnings.len() == 1 && warnings[0].contains(warning),
                "{warnings:?}"
            );
        }
    }

    #[test]
    fn ranks_contradict_each_other_only_in_worlds_of_one_size() {
        let step = "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4";
        for (variables, is_contradiction) in [
            (format!("RANK=3 WORLD_SIZE=4 SLURM_PROCID=0 {step}"), true),
            (format!("RANK=3 WORLD_SIZE=4 SLURM_PROCID=3 {step}"), false),
            (format!("RANK=3 WORLD_SIZE=8 SLURM_PROCID=0 {step}"), false),
            ("PMIX_RANK=3 PMI_RANK=1 PMI_SIZE=4".into(), false),
            (
                "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 PMI_RANK=0 PMI_SIZE=2".into(),
                true,
            ),
        ] {
            let (rank, warnings) = found(&variables);
            assert!(rank.is_some());
            assert_eq!(
                warnings.len(),
                usize::from(is_contradiction),
                "{variables}: {warnings:?}"
            );
        }
    }

    #[test]
    fn rank_is_below_its_size() {
        assert_eq!(Rank::new(3, 4).unwrap().size(), Some(4));
        assert_eq!(Rank::new(3, None).unwrap().index(), 3);
        let error = Rank::new(4, 4).unwrap_err().to_string();
        assert_eq!(error, "rank: expected a rank below the size 4, got 4");
    }
}
