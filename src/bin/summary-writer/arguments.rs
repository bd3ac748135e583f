//! The command line to a command, or to a message that says what would have fitted.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Looks into event files of TensorBoard, and repairs them.

Usage: summary-writer inspect PATH [--json]
       summary-writer verify PATH [--json]
       summary-writer repair PATH --to NEW
       summary-writer repair PATH --in-place [--force]
       summary-writer export PATH [--format csv|jsonl] [--run RUN].. [--tag TAG]..

PATH is an event file, a run, or a logdir with runs at any depth. All commands read past damage: a record
is lost only if it is itself damaged.

Commands:
  inspect  shows the runs, and of each tag its kind, how many points it has, its lowest and highest step;
           and what is damaged
  verify   checks every record, and tells of each damage where it is, what it is, and how many sound records
           follow. An unfinished record at the end of a file is no damage: its writer may be at it
  repair   makes files of the sound records
  export   writes points to standard output

Options:
  --json         inspect: an object a run, each on a line of its own; verify: an object a file
  --to NEW       copies to the file NEW, or for a directory to the directory NEW; nothing is overwritten
  --in-place     takes what is not sound out of the files, for good. Only for files that nobody writes any
                 more. Files that changed in the last minute are left alone, and so are those that have no
                 sound record
  --force        also those that changed in the last minute
  --format csv   scalars, one a line: run, tag, step, wall_time, value [default]
  --format jsonl all values, an object a line, with its kind: the value of a scalar, the value of a text, the
                 buckets of a histogram [left, right, count], and of all other kinds the size
  --run RUN      only this run, named as by inspect; may be given several times
  --tag TAG      only this tag; may be given several times
  --help         print this
  --version      print the version

Numbers that are not finite are NaN, Infinity and -Infinity: words in CSV, strings in JSON. Wall times are
seconds since 1970.

Exit codes:
  0  nothing is damaged; repair: all is repaired
  1  something is damaged; repair: something was left as it was
  2  something could not be read or written, there are no event files, or the arguments are wrong
";

#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Help,
    Version,
    Inspect { path: PathBuf, json: bool },
    Verify { path: PathBuf, json: bool },
    Repair { path: PathBuf, to: To },
    Export(Export),
}

/// Where what is sound goes.
#[derive(Debug, PartialEq)]
pub(crate) enum To {
    New(PathBuf),
    InPlace { force: bool },
}

#[derive(Debug, PartialEq)]
pub(crate) struct Export {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    /// All if it is empty.
    pub(crate) runs: Vec<String>,
    /// All if it is empty.
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    Csv,
    JsonLines,
}

/// All that the arguments say, before it is known whether it fits together.
#[derive(Debug, Default)]
struct Given {
    words: Vec<OsString>,
    options: Vec<&'static str>,
    to: Option<PathBuf>,
    format: Option<Format>,
    runs: Vec<String>,
    tags: Vec<String>,
}

impl Command {
    pub(crate) fn parse(parser: lexopt::Parser) -> Result<Self, String> {
        let hint = |problem| format!("{problem}; --help lists what fits");
        Given::parse(parser)
            .map_err(|error| error.to_string())
            .and_then(Given::into_command)
            .map_err(hint)
    }
}

impl Given {
    fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut given = Self::default();
        while let Some(argument) = parser.next()? {
            let option = match argument {
                Value(word) => {
                    given.words.push(word);
                    continue;
                }
                Short('h') | Long("help") => "--help",
                Short('V') | Long("version") => "--version",
                Long("json") => "--json",
                Long("in-place") => "--in-place",
                Long("force") => "--force",
                Long("to") => {
                    given.to = Some(parser.value()?.into());
                    "--to"
                }
                Long("format") => {
                    given.format = Some(parser.value()?.parse_with(format)?);
                    "--format"
                }
                Long("run") => {
                    given.runs.push(parser.value()?.string()?);
                    "--run"
                }
                Long("tag") => {
                    given.tags.push(parser.value()?.string()?);
                    "--tag"
                }
                other => return Err(other.unexpected()),
            };
            given.options.push(option);
        }
        Ok(given)
    }

    fn into_command(mut self) -> Result<Command, String> {
        let has = |option| self.options.contains(&option);
        let (help, version) = (has("--help"), has("--version"));
        let (json, in_place, force) = (has("--json"), has("--in-place"), has("--force"));
        if help {
            return Ok(Command::Help);
        }
        if version {
            return Ok(Command::Version);
        }
        let mut words = std::mem::take(&mut self.words).into_iter();
        let Some(name) = words.next() else {
            return Err("no command is given".into());
        };
        let (name, fitting): (_, &[&str]) = match name.to_str() {
            Some("inspect") => ("inspect", &["--json"]),
            Some("verify") => ("verify", &["--json"]),
            Some("repair") => ("repair", &["--to", "--in-place", "--force"]),
            Some("export") => ("export", &["--format", "--run", "--tag"]),
            _ => return Err(format!("{name:?} is no command")),
        };
        if let Some(option) = self
            .options
            .iter()
            .find(|&option| !fitting.contains(option))
        {
            return Err(format!("{name} does not take {option}"));
        }
        let path = match (words.next(), words.next()) {
            (Some(path), None) => PathBuf::from(path),
            (None, _) => return Err(format!("{name} takes a path")),
            (_, Some(more)) => return Err(format!("{name} takes one path, {more:?} is one more")),
        };
        Ok(match name {
            "inspect" => Command::Inspect { path, json },
            "verify" => Command::Verify { path, json },
            "export" => Command::Export(Export {
                path,
                format: self.format.unwrap_or(Format::Csv),
                runs: self.runs,
                tags: self.tags,
            }),
            _ => {
                let to = match (self.to, in_place) {
                    (Some(new), false) if !force => To::New(new),
                    (None, true) => To::InPlace { force },
                    (Some(_), false) => return Err("--force is for --in-place".into()),
                    _ => return Err("repair takes either --to NEW or --in-place".into()),
                };
                Command::Repair { path, to }
            }
        })
    }
}

fn format(name: &str) -> Result<Format, &'static str> {
    match name {
        "csv" => Ok(Format::Csv),
        "jsonl" => Ok(Format::JsonLines),
        _ => Err("csv and jsonl fit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn each_command_has_its_options() {
        let path = PathBuf::from("logs");
        let repair = |to| Command::Repair {
            path: "logs".into(),
            to,
        };
        for (line, want) in [
            ("--help", Command::Help),
            ("export logs -h", Command::Help),
            ("--version", Command::Version),
            (
                "inspect logs",
                Command::Inspect {
                    path: path.clone(),
                    json: false,
                },
            ),
            (
                "verify --json logs",
                Command::Verify {
                    path: path.clone(),
                    json: true,
                },
            ),
            ("repair logs --to=new", repair(To::New("new".into()))),
            (
                "repair --in-place logs",
                repair(To::InPlace { force: false }),
            ),
            (
                "repair logs --force --in-place",
                repair(To::InPlace { force: true }),
            ),
            (
                "export logs --format jsonl --tag loss --tag -x --run .",
                Command::Export(Export {
                    path,
                    format: Format::JsonLines,
                    runs: vec![".".into()],
                    tags: vec!["loss".into(), "-x".into()],
                }),
            ),
        ] {
            assert_eq!(parse(line).unwrap(), want, "{line}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (line, want) in [
            ("", "no command is given"),
            ("look logs", r#""look" is no command"#),
            ("inspect", "inspect takes a path"),
            ("verify a b", r#"verify takes one path, "b" is one more"#),
            ("verify a --tag x", "verify does not take --tag"),
            ("inspect a --frob", "invalid option '--frob'"),
            ("repair a", "repair takes either --to NEW or --in-place"),
            (
                "repair a --to b --in-place",
                "repair takes either --to NEW or --in-place",
            ),
            ("repair a --to b --force", "--force is for --in-place"),
            ("repair a --to", "missing argument for option '--to'"),
            (
                "export a --format xml",
                "cannot parse argument \"xml\": csv and jsonl fit",
            ),
        ] {
            let got = parse(line).unwrap_err();
            assert_eq!(got, format!("{want}; --help lists what fits"), "{line}");
        }
    }

    #[test]
    fn the_help_fits_a_terminal() {
        for line in HELP.lines() {
            assert!(line.len() <= 110, "{line}");
        }
    }
}
