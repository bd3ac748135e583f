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

const JSON_NOTES: &str = "\
A line of JSON has run, tag, kind, step and wall_time. Further fields depend on the kind:
  scalars, text  value
  histograms     buckets: [left, right, count]
  pr_curves      true_positives, false_positives, true_negatives, false_negatives, precision, recall
  hparams        hparams at the start of a session, status at its end;
                 hparam_names and metric_tags of an experiment
  images         width, height, images (their number), bytes
  audio          clips (their number), bytes
  mesh           part, meshes (their number), rows (their number)
  all others     bytes; tensors also have dtype and shape";

/// Inspect, verify, repair and export TensorBoard event files.
#[derive(Debug, Parser)]
#[command(version, after_help = NOTES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the runs with their tags, kinds, points and steps, and damage.
    ///
    /// The steps are the lowest and the highest one of a tag.
    Inspect {
        /// An event file, a run, or a logdir
        path: PathBuf,
        /// Print one JSON object per run, each on a line of its own
        #[arg(long)]
        json: bool,
    },
    /// Check every record, and show what is damaged.
    ///
    /// Shows the offset and the kind of each damage, and how many sound records follow.
    /// An unfinished record at the end of a file is not damage, because it may still be written.
    #[command(verbatim_doc_comment)]
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
        /// Copy to NEW: a file, or a directory if PATH is one
        ///
        /// Existing files are never overwritten.
        #[arg(long, value_name = "NEW")]
        to: Option<PathBuf>,
        /// Remove damage from the files, for good
        ///
        /// Skips files without a sound record, and files that changed in the last minute,
        /// because a writer may still use them.
        #[arg(long, verbatim_doc_comment)]
        in_place: bool,
        /// Repair files that changed in the last minute, too
        #[arg(long, conflicts_with = "to")]
        force: bool,
    },
    /// Write points to standard output.
    ///
    /// Wall times are seconds since 1970.
    /// Numbers that are not finite are NaN, Infinity and -Infinity; in JSON they are strings.
    #[command(verbatim_doc_comment)]
    #[command(after_long_help = JSON_NOTES)]
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// An event file, a run, or a logdir
    pub(crate) path: PathBuf,
    /// The format of the output
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// Export only this run, named as in `inspect`; repeat it for more
    #[arg(long = "run", value_name = "RUN", allow_hyphen_values = true)]
    pub(crate) runs: Vec<String>,
    /// Export only this tag; repeat it for more
    #[arg(long = "tag", value_name = "TAG", allow_hyphen_values = true)]
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// Scalars, one per line: run, tag, step, wall_time, value
    Csv,
    /// All points, one JSON object per line
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
