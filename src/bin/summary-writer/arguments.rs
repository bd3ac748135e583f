//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use glob::Pattern;

const NOTES: &str = "\
PATH is an event file, a run, or a logdir with runs at any depth. With the feature
object-store, all commands but repair also take URLs: s3://bucket/logs, gs://, az://.
All commands read past damage: they lose only the damaged records.

Exit codes:
  0  there is no damage; repair: everything is repaired
  1  there is damage; repair: a file was left unchanged
  2  a file could not be read or written, there are no event files,
     or the arguments are wrong";

const INSPECT_NOTES: &str = "\
A note follows a tag whose points TensorBoard does not all show:
  steps go back, steps repeat    a point takes away the earlier points of its tag
                                 from its step on
  the tag is used for KIND, too  TensorBoard shows only the first kind of a tag
  not float32 of rank 0          the fast loader shows no other scalars
The counts are those of the fast loader, which is the default. It then shows a
sample: 1000 scalars, 10 images or audio clips, 100 points of the other kinds.

In JSON, `shown` is that count before the sample, and `note` is the note.
Embeddings have the kind projector.

Examples:
  summary-writer inspect runs
  summary-writer inspect runs --json | jq -r '.tags[] | select(.note) | .tag'";

const VERIFY_NOTES: &str = "\
Examples:
  summary-writer verify runs
  summary-writer verify runs --json | jq 'select(.damage_count > 0) | .file'";

const REPAIR_NOTES: &str = "\
Examples:
  summary-writer repair runs --to repaired
  summary-writer repair runs/baseline --in-place";

const COMPACT_NOTES: &str = "\
Nothing is deleted. Point TensorBoard to NEW, and delete the old logdir yourself.

Examples:
  summary-writer compact s3://bucket/logs --out s3://bucket/compacted
  summary-writer compact runs --out compacted";

const EXPORT_NOTES: &str = "\
Examples:
  summary-writer export runs > scalars.csv
  summary-writer export runs --run 'trial-*' --tag 'loss/*' --step 1000..2000
  summary-writer export runs --format jsonl --tag weights";

const REDUCE_NOTES: &str = "\
NaN is left out, as in pandas. If steps go back or repeat in a run, the last value
of a step counts, as TensorBoard shows it.

Examples:
  summary-writer reduce logs/job-7 --run 'rank-*' --out means/job-7
  summary-writer reduce seeds --out means/seeds --join outer --tag 'eval/*'
  summary-writer reduce logs/job-7 --out means/live --follow --expect 64";

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

/// Inspect, verify, repair, export and reduce TensorBoard event files.
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
    #[command(after_help = INSPECT_NOTES)]
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
    /// If steps go back or repeat, TensorBoard leaves out points. Names the runs that have such tags.
    #[command(verbatim_doc_comment, after_help = VERIFY_NOTES)]
    Verify {
        /// An event file, a run, or a logdir
        path: PathBuf,
        /// Print one JSON object per file, each on a line of its own
        #[arg(long)]
        json: bool,
    },
    /// Write files with only the sound records.
    #[command(group = ArgGroup::new("destination").args(["to", "in_place"]).required(true))]
    #[command(after_help = REPAIR_NOTES)]
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
    /// Merge the event files of each run into one, in another logdir.
    ///
    /// A run in an object store is a row of objects, and a run that was resumed has several files.
    /// Copies records byte by byte, leaves out damage, then reads the new file back and compares.
    #[command(verbatim_doc_comment, after_help = COMPACT_NOTES)]
    Compact {
        /// A run, or a logdir
        path: PathBuf,
        /// The new logdir. Existing files are never overwritten
        #[arg(long, value_name = "NEW")]
        out: PathBuf,
    },
    /// Write points to standard output.
    ///
    /// Wall times are seconds since 1970.
    /// Numbers that are not finite are NaN, Infinity and -Infinity; in JSON they are strings.
    #[command(verbatim_doc_comment)]
    #[command(after_help = EXPORT_NOTES, after_long_help = format!("{JSON_NOTES}\n\n{EXPORT_NOTES}"))]
    Export(Export),
    /// Make one curve out of the curves of many runs: ranks, seeds.
    ///
    /// Writes the run `reduced` below DIR. For the tag `loss` it has `loss` (the mean), `loss/std`, `loss/min`, `loss/max`,
    /// `loss/median`, `loss/count`, `loss/mean-std` and `loss/mean+std`. The page Custom Scalars draws the band.
    /// Histograms are added if all runs have the same buckets.
    #[command(verbatim_doc_comment, after_help = REDUCE_NOTES)]
    Reduce(Reduce),
}

#[derive(Debug, Args)]
pub(crate) struct Reduce {
    /// Logdirs with runs at any depth
    #[arg(required = true, value_name = "LOGDIR")]
    pub(crate) logdirs: Vec<PathBuf>,
    /// Write the run `reduced` below DIR, where it must not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Reduce only the runs that match PATTERN, a name or a glob as for `export`; repeat it for more
    #[arg(
        long = "run",
        alias = "runs",
        value_name = "PATTERN",
        allow_hyphen_values = true
    )]
    pub(crate) runs: Vec<NamePattern>,
    /// Reduce only the tags that match PATTERN; repeat it for more
    #[arg(
        long = "tag",
        alias = "tags",
        value_name = "PATTERN",
        allow_hyphen_values = true
    )]
    pub(crate) tags: Vec<NamePattern>,
    /// Which steps to write if the runs have different steps
    #[arg(long, value_enum, default_value_t = Join::Inner)]
    pub(crate) join: Join,
    /// Continue while the runs grow, and write each step once every run has passed it
    #[arg(long)]
    pub(crate) follow: bool,
    /// Leave out a run that has not grown for so long; end if no run grows
    #[arg(long, value_name = "SECONDS", default_value = "60", requires = "follow", value_parser = parse_seconds)]
    pub(crate) patience: Duration,
    /// Start once there are so many runs; without it, once no new run has appeared for the patience
    #[arg(long, value_name = "COUNT", requires = "follow")]
    pub(crate) expect: Option<usize>,
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let expected = || format!("expected a number of seconds above 0, got {text:?}");
    let seconds = text.parse().map_err(|_| expected())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| expected())?;
    (!duration.is_zero())
        .then_some(duration)
        .ok_or_else(expected)
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Join {
    /// The steps that all runs with the tag have
    Inner,
    /// The steps that at least one run has
    Outer,
    /// Like outer; a run without the step counts with a value between its neighbouring points
    Interpolate,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// An event file, a run, or a logdir
    pub(crate) path: PathBuf,
    /// The format of the output
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// Export only the runs that match PATTERN, named as in `inspect`; repeat it for more
    ///
    /// PATTERN is a name or a glob: `*` matches any text, `/` too, `?` any character, `[ab]` one of these.
    /// A name that equals PATTERN always matches.
    #[arg(
        long = "run",
        value_name = "PATTERN",
        allow_hyphen_values = true,
        verbatim_doc_comment
    )]
    pub(crate) runs: Vec<NamePattern>,
    /// Export only the tags that match PATTERN, a name or a glob as for --run; repeat it for more
    #[arg(long = "tag", value_name = "PATTERN", allow_hyphen_values = true)]
    pub(crate) tags: Vec<NamePattern>,
    /// Export only these steps, both included; FROM or TO may be left out
    #[arg(
        long = "step",
        value_name = "FROM..TO",
        allow_hyphen_values = true,
        default_value = ".."
    )]
    #[arg(hide_default_value = true)]
    pub(crate) steps: Steps,
}

/// A name or a glob.
#[derive(Clone, Debug)]
pub(crate) struct NamePattern(Pattern);

impl NamePattern {
    /// A name that has characters of a pattern matches itself.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.as_str() == name || self.0.matches(name)
    }
}

impl FromStr for NamePattern {
    type Err = glob::PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A tag may be `[0`, which is not a glob.
        let pattern = Pattern::new(text).or_else(|_| Pattern::new(&Pattern::escape(text)));
        pattern.map(Self)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.as_str())
    }
}

/// A range of steps with both its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Steps {
    from: i64,
    to: i64,
}

impl Steps {
    pub(crate) fn contains(self, step: i64) -> bool {
        (self.from..=self.to).contains(&step)
    }
}

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected =
            || format!("expected FROM..TO such as 100..200, 100.. or ..200, got {text:?}");
        let (from, to) = text.split_once("..").ok_or_else(expected)?;
        let parse = |step: &str, default| match step {
            "" => Ok(default),
            step => step.parse().map_err(|_| expected()),
        };
        let (from, to) = (parse(from, i64::MIN)?, parse(to, i64::MAX)?);
        if from > to {
            return Err(format!("FROM is after TO in {text:?}"));
        }
        Ok(Self { from, to })
    }
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
        assert!(export.tags[1].matches("-x") && !export.tags[1].matches("loss"));
        assert!(export.runs[0].matches("."));
    }

    #[test]
    fn a_pattern_is_a_name_or_a_glob() {
        for (pattern, matching, other) in [
            ("loss", "loss", "loss/a"),
            ("loss*", "loss/a/b", "a/loss"),
            ("?at", "\u{e9}at", "at"),
            ("w[01]", "w1", "w2"),
            ("w[01]", "w[01]", "w"),
            ("w[0", "w[0", "w0"),
        ] {
            let pattern: NamePattern = pattern.parse().unwrap();
            assert!(pattern.matches(matching), "{pattern} {matching}");
            assert!(!pattern.matches(other), "{pattern} {other}");
        }
    }

    #[test]
    fn steps_are_a_range_with_both_ends() {
        for (text, inside, outside) in [
            ("10..20", vec![10, 20], vec![9, 21]),
            ("-5..-1", vec![-5, -1], vec![-6, 0]),
            ("7..", vec![7, i64::MAX], vec![6]),
            ("..7", vec![i64::MIN, 7], vec![8]),
            ("..", vec![i64::MIN, i64::MAX], vec![]),
        ] {
            let steps: Steps = text.parse().unwrap();
            assert!(inside.iter().all(|step| steps.contains(*step)), "{text}");
            assert!(!outside.iter().any(|step| steps.contains(*step)), "{text}");
        }
        for text in ["", "7", "a..b", "1..=2", "2..1", "1...2"] {
            assert!(text.parse::<Steps>().is_err(), "{text}");
        }
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
            "export a --step 2..1",
            "reduce --out b",
            "reduce a",
            "reduce a --out b --join left",
            "reduce a --out b --patience 5",
            "reduce a --out b --follow --patience 0",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
