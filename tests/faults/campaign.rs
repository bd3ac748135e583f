//! The list of scenarios. Each scenario runs in its own process.

use std::env;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::child::{self, wait_within};
use crate::environment::Environment;
use crate::{ends, forks, full, kill, ranks, refused, stuck};

type Scenario = (&'static str, Environment, fn(Rng) -> Tally);

const SCENARIOS: &[Scenario] = &[
    ("kill -9", Environment::Plain, kill::run),
    ("panic, exit, abort", Environment::Plain, ends::run),
    ("fork", Environment::Plain, forks::run),
    ("full disk", Environment::OwnMounts, full::disk),
    ("file size limit", Environment::FileSizeLimit, full::limit),
    ("deleted directory", Environment::Plain, refused::deleted),
    ("immutable file", Environment::Disks, refused::immutable),
    ("read-only disk", Environment::Disks, refused::read_only),
    ("frozen disk", Environment::Disks, stuck::frozen_disk),
    ("stuck pipe", Environment::Plain, stuck::pipe),
    ("short writes", Environment::Plain, stuck::short_writes),
    ("a run for each process", Environment::Plain, ranks::apart),
    (
        "one run for all processes",
        Environment::Plain,
        ranks::together,
    ),
    (
        "names in containers",
        Environment::OwnProcessIds,
        ranks::containers,
    ),
    ("restarts", Environment::Plain, ranks::restarts),
];

/// The time limit of a scenario. It is long, so that a busy machine does not exceed it.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// The result of a scenario. It fails if it panics, or if `lost` is not 0.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How often the fault happened.
    pub(crate) tried: u64,
    /// The number of records that should be in a file but are missing.
    pub(crate) lost: u64,
    pub(crate) note: String,
}

/// Returns the number of rounds: `short`, or `long` in the long form of the campaign.
pub(crate) fn rounds(short: u64, long: u64) -> u64 {
    if env::var("FAULT_CAMPAIGN").is_ok_and(|form| form == "long") {
        long
    } else {
        short
    }
}

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some((first, rest)) = arguments.split_first()
        && first == "as"
    {
        return run_as(rest);
    }
    // Options are ignored, except `--list`. They are those of the usual test harness.
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let is_chosen = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(*f));
    let (chosen, others): (Vec<&Scenario>, Vec<_>) = SCENARIOS.iter().partition(|s| is_chosen(s.0));
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|s| println!("{}: test", s.0));
        return ExitCode::SUCCESS;
    }

    let seed = env::var("FAULTS_SEED").map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    println!("\nfault campaign, FAULTS_SEED={seed}");
    let start = Instant::now();
    let (mut passed, mut skipped) = (0, 0);
    for (name, environment, _) in &chosen {
        match run_in_a_process(name, *environment, seed) {
            Some(true) => passed += 1,
            Some(false) => {}
            None => skipped += 1,
        }
    }
    let failed = chosen.len() - passed - skipped;
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; {} filtered out; finished in {:.2?}\n",
        if failed == 0 { "ok" } else { "FAILED" },
        others.len(),
        start.elapsed()
    );
    ExitCode::from(u8::from(failed > 0))
}

/// Runs a scenario and prints its line. Returns whether it passed, or `None` if it cannot run here.
fn run_in_a_process(name: &str, environment: Environment, seed: u64) -> Option<bool> {
    let Some(mut command) = environment.command() else {
        println!("{name:26} SKIPPED: {}", environment.missing());
        return None;
    };
    command.args(["as", "scenario", name, &seed.to_string()]);
    command.stdout(Stdio::piped()).process_group(0);
    let start = Instant::now();
    let mut process = command.spawn().unwrap();
    let mut stdout = process.stdout.take().unwrap();
    let output = thread::spawn(move || {
        let mut output = String::new();
        stdout.read_to_string(&mut output).map(|_| output)
    });
    let status = wait_within(&mut process, TIME_LIMIT);
    // A scenario that hangs may have started other processes.
    kill_process_group(Pid::from_child(&process), Signal::KILL).ok();
    let Some(status) = status else {
        println!("{name:26} FAILED: it hung");
        return Some(false);
    };
    let output = output.join().unwrap().unwrap();
    let mut fields = output.trim_end().splitn(3, '\t');
    let (tried, lost) = (fields.next().unwrap_or(""), fields.next().unwrap_or("?"));
    let note = fields.next().unwrap_or_default();
    let passed = status.success() && lost == "0" && tried.parse::<u64>().is_ok_and(|n| n > 0);
    let verdict = if passed { "" } else { "FAILED: " };
    println!(
        "{name:26} {verdict}{tried:>5} tried, {lost} lost, in {:.1?}: {note}",
        start.elapsed()
    );
    Some(passed)
}

/// Runs this program in one of the roles that scenarios need.
fn run_as(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["scenario", name, seed] => {
            let (.., run) = SCENARIOS.iter().find(|s| s.0 == name).unwrap();
            let tally = run(Rng::with_seed(seed.parse().unwrap()));
            print!("{}\t{}\t{}", tally.tried, tally.lost, tally.note);
        }
        ["logger", logdir, workload] => child::log_until_killed(logdir.as_ref(), workload),
        ["end", logdir, how, workload, bursts] => {
            ends::end(logdir.as_ref(), how, workload, bursts.parse().unwrap());
        }
        ["rank", logdir, rank, count] => ranks::rank(logdir.as_ref(), rank, count.parse().unwrap()),
        ["opener", logdir, start, count] => {
            let start = Duration::from_nanos(start.parse().unwrap());
            ranks::open_files(logdir.as_ref(), start, count.parse().unwrap());
        }
        _ => panic!("{arguments:?}"),
    }
    ExitCode::SUCCESS
}
