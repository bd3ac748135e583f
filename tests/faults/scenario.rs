//! What is tried, in a process each, and the figures.

use std::env;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::child::{self, wait_within};
use crate::world::World;
use crate::{ends, forks, full, kill, ranks, refused, stuck};

struct Scenario {
    name: &'static str,
    world: World,
    run: fn(Rng) -> Figure,
    /// What is tried all the same where this cannot be.
    stand_in: &'static str,
}

/// What a scenario found. It fails by a panic, or if `lost` is not 0.
#[derive(Debug, Default)]
pub(crate) struct Figure {
    /// How often the fault was brought about.
    pub(crate) tried: u64,
    /// Records that should be there and are not.
    pub(crate) lost: u64,
    pub(crate) note: String,
}

const fn scenario(name: &'static str, world: World, run: fn(Rng) -> Figure) -> Scenario {
    Scenario {
        name,
        world,
        run,
        stand_in: "",
    }
}

const SCENARIOS: &[Scenario] = &[
    scenario("kill -9", World::Plain, kill::run),
    scenario("panic, exit, abort", World::Plain, ends::run),
    scenario("fork", World::Plain, forks::run),
    Scenario {
        stand_in: "file size limit",
        ..scenario("full disk", World::Mounts, full::disk)
    },
    scenario("file size limit", World::BeyondLimits, full::limit),
    scenario("deleted directory", World::Plain, refused::deleted),
    Scenario {
        stand_in: "deleted directory",
        ..scenario("locked directory", World::Permissions, refused::locked)
    },
    Scenario {
        stand_in: "file size limit",
        ..scenario("immutable file", World::Disks, refused::immutable)
    },
    Scenario {
        stand_in: "file size limit",
        ..scenario("disk turned read-only", World::Disks, refused::read_only)
    },
    Scenario {
        stand_in: "stuck pipe",
        ..scenario("frozen disk", World::Disks, stuck::frozen_disk)
    },
    scenario("stuck pipe", World::Plain, stuck::pipe),
    scenario("slow pipe", World::Plain, stuck::slow),
    scenario("short writes", World::Plain, stuck::short_writes),
    scenario("interrupted writes", World::Plain, stuck::interrupted),
    scenario("one run for each process", World::Plain, ranks::apart),
    scenario("one run for all processes", World::Plain, ranks::together),
    Scenario {
        stand_in: "one run for all processes",
        ..scenario("names in containers", World::Containers, ranks::namesakes)
    },
    scenario("restarts", World::Plain, ranks::restarts),
];

/// For one scenario: many times what it needs on a machine that has other things to do.
const TIME_LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some((first, rest)) = arguments.split_first()
        && first == "as"
    {
        return run_as(rest);
    }
    // What the harness of the other tests understands is no name.
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let is_chosen = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(*f));
    let (chosen, others): (Vec<_>, Vec<_>) = SCENARIOS.iter().partition(|s| is_chosen(s.name));
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|s| println!("{}: test", s.name));
        return ExitCode::SUCCESS;
    }

    let seed = env::var("FAULTS_SEED").map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    println!("\nfault campaign, FAULTS_SEED={seed}");
    let start = Instant::now();
    let (mut passed, mut skipped) = (0, 0);
    for scenario in &chosen {
        match scenario.in_a_process(seed) {
            Outcome::Passed => passed += 1,
            Outcome::Skipped => skipped += 1,
            Outcome::Failed => {}
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

#[derive(Clone, Copy)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Scenario {
    fn in_a_process(&self, seed: u64) -> Outcome {
        let name = self.name;
        let Some(mut command) = self.world.enter() else {
            println!(
                "{name:26} SKIPPED: {}; {:?} stands for it",
                self.world.lacks(),
                self.stand_in
            );
            return Outcome::Skipped;
        };
        command.args(["as", "scenario", name, &seed.to_string()]);
        let start = Instant::now();
        command.stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().unwrap();
        let mut stdout = process.stdout.take().unwrap();
        let said = thread::spawn(move || {
            let mut said = String::new();
            stdout.read_to_string(&mut said).map(|_| said)
        });
        let status = wait_within(&mut process, TIME_LIMIT);
        // What it has started and not ended would be there for ever, if that hangs.
        kill_process_group(Pid::from_child(&process), Signal::KILL).ok();
        let Some(status) = status else {
            println!("{name:26} FAILED: 1 hung");
            return Outcome::Failed;
        };
        let said = said.join().unwrap().unwrap();
        let mut fields = said.trim_end().splitn(3, '\t');
        let (tried, lost) = (fields.next().unwrap_or(""), fields.next().unwrap_or("?"));
        let note = fields.next().unwrap_or_default();
        let holds = status.success() && lost == "0" && tried.parse::<u64>().is_ok_and(|n| n > 0);
        let verdict = if holds { "" } else { "FAILED: " };
        println!(
            "{name:26} {verdict}{tried:>5} tried, {lost} lost, 0 hung in {:.1?}: {note}",
            start.elapsed()
        );
        match holds {
            true => Outcome::Passed,
            false => Outcome::Failed,
        }
    }
}

/// This process is one of the campaign's own.
fn run_as(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["scenario", name, seed] => {
            let scenario = SCENARIOS.iter().find(|s| s.name == name).unwrap();
            let figure = (scenario.run)(Rng::with_seed(seed.parse().unwrap()));
            print!("{}\t{}\t{}", figure.tried, figure.lost, figure.note);
        }
        ["logger", logdir, habit] => child::logger(logdir.as_ref(), habit),
        ["end", logdir, how, habit, bursts] => {
            ends::end(logdir.as_ref(), how, habit, bursts.parse().unwrap());
        }
        ["rank", logdir, rank, count] => ranks::rank(logdir.as_ref(), rank, count.parse().unwrap()),
        ["opener", logdir, start] => {
            let start = Duration::from_nanos(start.parse().unwrap());
            ranks::opener(logdir.as_ref(), start);
        }
        _ => panic!("{arguments:?}"),
    }
    ExitCode::SUCCESS
}
