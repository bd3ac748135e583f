//! The command line.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

const NOTES: &str = "\
PATH is an event file, a run, or a logdir with runs at any depth.
All commands read past damage: they lose only the damaged records.

Exit codes:
  0  there is no damage; repair: everything is repaired
  1  there is damage; repair: a file was left unchanged
  2  a file could not be read or written, there are no event files,
     or the arguments are wrong";

/// Inspect, verify, repair and export TensorBoard event files.
#[derive(Debug, Parser)]
#[command(version, after_help = NOTES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show damage, and the runs with their tags: kind, number of points, lowest and highest step.
    Inspect {
        /// An event file, a run, or a logdir
        path: PathBuf,
        /// Print one JSON object per run, each on a line of its own
        #[arg(long)]
        json: bool,
    },
    /// Check every record, and show each damage: its offset, its kind, and how many sound records follow.
    ///
    /// An unfinished record at the end of a file is not damage, because its writer may still be writing it.
    Verify {
        /// An event file, a run, or a logdir
        path: PathBuf,
        /// Print one JSON object per file, each on a line of its own
        #[arg(long)]
        json: bool,
    },
    /// Write files with only the sound records.
    #[command(group = ArgGroup::new("destination").args(["to", "in_place"]).required(true))]
    Repair {
        /// An event file, a run, or a logdir
        path: PathBuf,
        /// Copy to the file NEW, or to the directory NEW if PATH is a directory. Files are never overwritten
        #[arg(long, value_name = "NEW")]
        to: Option<PathBuf>,
        /// Remove damage from the files, for good. Skip files that changed in the last minute, because they may have a
        /// writer, and files without a sound record
        #[arg(long)]
        in_place: bool,
        /// Repair files that changed in the last minute, too
        #[arg(long, conflicts_with = "to")]
        force: bool,
    },
    /// Write points to standard output.
    ///
    /// Wall times are seconds since 1970. Numbers that are not finite are NaN, Infinity and -Infinity: words in CSV, strings
    /// in JSON.
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// An event file, a run, or a logdir
    pub(crate) path: PathBuf,
    /// The format of the output
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// Export only this run, named as `inspect` shows it; may be given several times
    #[arg(long = "run", value_name = "RUN", allow_hyphen_values = true)]
    pub(crate) runs: Vec<String>,
    /// Export only this tag; may be given several times
    #[arg(long = "tag", value_name = "TAG", allow_hyphen_values = true)]
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// Scalars, one per line: run, tag, step, wall_time, value
    Csv,
    /// All points, one JSON object per line: values of scalars and texts, buckets [left, right, count] of histograms, sizes
    /// of all other kinds
    Jsonl,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        let words = ["summary-writer"].into_iter();
        let arguments = Arguments::try_parse_from(words.chain(line.split_whitespace()))?;
        Ok(arguments.command)
    }

    #[test]
    fn the_definition_of_the_arguments_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_tag_may_start_with_a_hyphen() {
        let line = "export logs --format jsonl --tag loss --tag -x --run .";
        let Command::Export(export) = parse(line).unwrap() else {
            panic!("{line} is an export");
        };
        assert_eq!(export.format, Format::Jsonl);
        assert_eq!(export.tags, ["loss", "-x"]);
        assert_eq!(export.runs, ["."]);
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        for line in [
            "",
            "look logs",
            "inspect",
            "verify a b",
            "verify a --tag x",
            "inspect a --frob",
            "repair a",
            "repair a --to",
            "repair a --to b --in-place",
            "repair a --to b --force",
            "repair a --force",
            "export a --format xml",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
