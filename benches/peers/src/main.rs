//! Compares this crate with other writers of event files, in one table. Run it with `cargo run --release`.
//!
//! Each writer runs in its own process. In each round, all writers do the same work one after the other. The table shows the
//! medians of wall time and CPU time, from the first call until the writer is closed. Every file is read back, and the
//! checksums, tags, steps and data are checked.
//!
//! The first start installs the writers in Python into a virtual environment under `target/`. `-- --python PATH` uses another
//! Python, for example one with PyTorch. A line below the table names the writers that are missing.
//!
//! `-- loggers` compares this crate with loggers of text.

mod check;
mod loggers;
mod peer;
mod python;
mod table;
mod writers;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use check::{Expected, by_tfrecord};
use clap::{Parser, Subcommand};
use peer::Peer;
use peers::child;
use peers::work::{self, Sides, Work};
use python::Python;
use table::{Cell, Row};

const WORKS: [Work; 6] = [
    Work::Scalar { tags: 1 },
    Work::Scalar { tags: 100 },
    Work::Histogram { values: 1_000 },
    Work::Histogram { values: 1_000_000 },
    Work::Image(Sides {
        width: 28,
        height: 28,
        channels: 1,
    }),
    Work::Image(Sides {
        width: 256,
        height: 256,
        channels: 3,
    }),
];
/// Shows whether a writer confuses width and height.
const WIDE: Work = Work::Image(Sides {
    width: 48,
    height: 32,
    channels: 3,
});
const ROUNDS: usize = 5;
/// The CPU time of a writer for one kind of work in one round. CPU time is more stable than wall time if other programs run.
const ROUND: Duration = Duration::from_millis(150);
/// The limit of the wall time, for writers that wait.
const LONGEST_ROUND: Duration = Duration::from_secs(1);
const MOST_CALLS: u32 = 1_000_000;
/// The CPU time for the calls whose memory is measured. The calls whose latency is measured get a third of it.
const ONCE: Duration = Duration::from_secs(3);
/// How long each round measures whether the cores are free.
const LOOK: Duration = Duration::from_millis(10);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Compares this crate with other writers of event files.
#[derive(Parser)]
struct Arguments {
    /// The Python whose writers are measured, instead of a virtual environment.
    #[arg(long)]
    python: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Compares scalars with lines of loggers instead.
    Loggers,
    /// Runs a writer in this process.
    #[command(hide = true)]
    Serve { name: String, data: PathBuf },
    /// Runs a logger in this process.
    #[command(hide = true)]
    Log {
        name: String,
        how: String,
        count: u32,
        dir: PathBuf,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        return Err("debug builds are slow: run with --release".into());
    }
    match arguments.action {
        None => bench(arguments.python),
        Some(Action::Loggers) => loggers::bench(),
        Some(Action::Serve { name, data }) => writers::serve_as(&name, &data),
        Some(Action::Log {
            name,
            how,
            count,
            dir,
        }) => loggers::log(&name, &how, count, &dir),
    }
}

/// Logs with `ticklog`, whose macros compile only in the root of a crate.
#[inline]
fn ticklog_info(tag: &str, value: f32, step: u32) {
    ticklog::info!("{} {} {}", tag, value, step);
}

fn bench(given: Option<PathBuf>) -> Result<()> {
    let begin = Instant::now();
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    std::fs::create_dir(&data)?;
    for work in WORKS.into_iter().chain([WIDE]) {
        let path = data.join(work.to_string());
        match work {
            Work::Scalar { .. } => {}
            Work::Histogram { values } => work::write_values(&path, values)?,
            Work::Image(sides) => work::write_pixels(&path, sides)?,
        }
    }

    let mut absent = Vec::new();
    let mut peers = rust_peers(scratch.path(), &mut absent)?;
    let python = Python::find(given).unwrap_or_else(|reason| {
        absent.push(format!("Writers in Python: {reason}"));
        Python::default()
    });
    for (name, title) in [
        ("tensorboard", "`tensorboard.summary.Writer`"),
        ("tensorboardX", "`tensorboardX`"),
        ("torch", "`torch.utils.tensorboard`"),
    ] {
        match python.version(name) {
            Some(version) => peers.push(Peer::new(
                format!("{title} {version}"),
                python.serve(name, &data),
                scratch.path(),
            )),
            None if python.is_there() => absent.push(format!(
                "{title}: not installed for {}; `-- --python PATH` chooses another Python",
                python.program().display()
            )),
            None => {}
        }
    }

    let ours = peers[0].title.clone();
    let mut rows: Vec<Row> = peers.into_iter().map(Row::new).collect();
    let mut read_by_tfrecord = 0;
    let mut free = Vec::new();
    for work in WORKS {
        let expected = Expected::new(work, &data)?;
        eprintln!("{work}");
        for row in &mut rows {
            let cell = calibrate(&mut row.peer, work, &expected, scratch.path());
            row.cells.push(cell);
        }
        for round in 0..ROUNDS {
            free.push(free_share());
            for row in &mut rows {
                let Some(Cell::Measured { count, costs, .. }) = row.cells.last_mut() else {
                    continue;
                };
                let count = *count;
                match run(&mut row.peer, work, count, &expected, scratch.path()) {
                    Ok(once) => {
                        row.events += u64::from(count);
                        costs.push((once.wall, once.cpu));
                        if round == 0 && row.peer.title == ours {
                            read_by_tfrecord += by_tfrecord(once.dir.path())?;
                        }
                    }
                    Err(reason) => row.refuse(reason),
                }
            }
        }
    }
    let wide = Expected::new(WIDE, &data)?;
    let one_tag = Expected::new(WORKS[0], &data)?;
    for row in &mut rows {
        eprintln!("latency and memory: {}", row.peer.title);
        if let Some(Cell::Measured { sides, .. }) = row.cells.last_mut() {
            *sides = run(&mut row.peer, WIDE, 1, &wide, scratch.path()).err();
        }
        let Some(count) = row
            .cells
            .first()
            .and_then(Cell::cpu)
            .map(|cpu| calls_within(ONCE, cpu))
        else {
            continue;
        };
        let dir = tempfile::tempdir_in(scratch.path())?;
        row.latency = row
            .peer
            .ask("latency", WORKS[0], count.div_ceil(3), dir.path());
        let dir = tempfile::tempdir_in(scratch.path())?;
        row.memory = row.peer.memory(WORKS[0], count, dir.path());
        row.memory_calls = count;
        one_tag
            .check(dir.path(), count)
            .map_err(|reason| format!("{}: {reason}", row.peer.title))?;
    }
    // This crate must support all work.
    for cell in &rows[0].cells {
        if let Cell::Refused(reason) = cell {
            return Err(format!("{}: {reason}", rows[0].peer.title).into());
        }
    }
    let clock = child::latencies(MOST_CALLS, |_| {});

    let free = table::median(free.into_iter());
    println!("{}", table::machine(&python, free));
    println!();
    table::print(&rows);
    println!();
    table::print_notes(&clock, read_by_tfrecord);
    for line in absent {
        println!("- Missing: {line}.");
    }
    eprintln!("\n{:.0} s in all", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Returns the writers in Rust, this crate first.
fn rust_peers(scratch: &Path, absent: &mut Vec<String>) -> Result<Vec<Peer>> {
    let this = env::current_exe()?;
    let serve = |name: &str| {
        vec![
            this.clone().into_os_string(),
            "serve".into(),
            name.into(),
            scratch.join("data").into(),
        ]
    };
    let mut peers: Vec<Peer> = [
        ("summary-writer", "summary-writer", ""),
        ("tfrecord", "tfrecord", ""),
        (
            "tfrecord-tuned",
            "tfrecord",
            ", without flush, `FlatSamples`",
        ),
        ("tensorboard-rs", "tensorboard-rs", ""),
    ]
    .into_iter()
    .map(|(name, package, how)| {
        let mut title = format!("`{package}` {}{how}", table::version(package));
        if package == "summary-writer" {
            title = format!("**{title}**");
        }
        Peer::new(title, serve(name), scratch)
    })
    .collect();

    match build_tboard(&this) {
        Ok(program) => {
            for (name, how) in [("tboard", ""), ("tboard-buffered", ", with a `BufWriter`")] {
                let title = format!("`tboard` {}{how}", table::version("tboard"));
                let command = vec![
                    program.clone().into_os_string(),
                    name.into(),
                    scratch.join("data").into(),
                ];
                peers.push(Peer::new(title, command, scratch));
            }
        }
        Err(reason) => absent.push(format!("`tboard`: {reason}")),
    }
    Ok(peers)
}

/// Builds the program for `tboard`, next to this program. It needs `protoc`: that of the user, or else that of a crate.
fn build_tboard(this: &Path) -> std::result::Result<PathBuf, String> {
    eprintln!("building tboard");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--features", "tboard"]);
    build.args(["--bin", "tboard-peer", "--manifest-path"]);
    build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if env::var_os("PROTOC").is_none() {
        let protoc = protoc_bin_vendored::protoc_bin_path().map_err(|error| error.to_string())?;
        build.env("PROTOC", protoc);
    }
    python::succeed(&mut build).map_err(|reason| format!("does not build: {reason}"))?;
    let program = this.with_file_name(format!("tboard-peer{}", env::consts::EXE_SUFFIX));
    match program.is_file() {
        true => Ok(program),
        false => Err(format!("not built as {}", program.display())),
    }
}

/// Finds how many calls a round should have, with runs that grow. They also warm up the writer.
fn calibrate(peer: &mut Peer, work: Work, expected: &Expected, scratch: &Path) -> Cell {
    let mut count = 1;
    loop {
        let once = match run(peer, work, count, expected, scratch) {
            Ok(once) => once,
            Err(reason) => return Cell::Refused(reason),
        };
        let is_enough = once.cpu > ROUND.as_secs_f64() / 8.0
            || once.wall > LONGEST_ROUND.as_secs_f64() / 2.0
            || count >= MOST_CALLS;
        if is_enough {
            let calls = |time, once| calls_within(time, once / f64::from(count));
            return Cell::Measured {
                count: calls(ROUND, once.cpu).min(calls(LONGEST_ROUND, once.wall)),
                costs: Vec::new(),
                picture_bytes: once.picture_bytes,
                sides: None,
            };
        }
        count *= 4;
    }
}

/// Measures which share of all cores this process gets, from 0 to 1.
fn free_share() -> f64 {
    let cores = thread::available_parallelism().map_or(1, |count| count.get());
    let (begin, cpu) = (Instant::now(), child::cpu_time());
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| while begin.elapsed() < LOOK {});
        }
    });
    let cpu = child::cpu_time().saturating_sub(cpu);
    cpu.as_secs_f64() / (begin.elapsed().as_secs_f64() * cores as f64)
}

fn calls_within(time: Duration, per_call: f64) -> u32 {
    ((time.as_secs_f64() / per_call) as u32).clamp(1, MOST_CALLS)
}

/// The cost of one run, and its directory, which is deleted on drop.
struct Once {
    wall: f64,
    cpu: f64,
    picture_bytes: Option<usize>,
    dir: tempfile::TempDir,
}

fn run(
    peer: &mut Peer,
    work: Work,
    count: u32,
    expected: &Expected,
    scratch: &Path,
) -> std::result::Result<Once, String> {
    let dir = tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?;
    let figures = peer.ask("whole", work, count, dir.path())?;
    let &[wall, cpu] = &figures[..] else {
        return Err(format!("unexpected answer: {figures:?}"));
    };
    let picture_bytes = expected
        .check(dir.path(), count)
        .map_err(|reason| format!("wrong: {reason}"))?;
    Ok(Once {
        wall: wall as f64 / 1e9,
        cpu: cpu as f64 / 1e9,
        picture_bytes,
        dir,
    })
}
