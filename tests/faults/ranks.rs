//! Many processes log: at the same time, each to its own run or all to one run by mistake, and one after the other.

use std::hint;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use summary_writer::SummaryWriter;

use crate::campaign::{Tally, rounds};
use crate::child::{now, program_as, wait_within};
use crate::environment::Environment;
use crate::read::{Contents, event_files, read, value_at};

const RANKS: usize = 8;
const THREADS: i64 = 8;

/// Returns the number of records that each thread of each process logs.
fn records() -> i64 {
    rounds(200, 1500).cast_signed()
}

/// A process that has opened its writer, and waits for permission to continue.
struct Rank {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Rank {
    fn spawn(logdir: &Path, rank: usize) -> Self {
        let (rank, count) = (rank.to_string(), records().to_string());
        let mut command = program_as(&["rank", logdir.to_str().unwrap(), &rank, &count]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        Self {
            stdin: process.stdin.take().unwrap(),
            process,
            stdout,
        }
    }

    fn allow_to_continue(&mut self) {
        self.stdin.write_all(b"continue\n").unwrap();
    }

    /// Waits for the end. Returns how many other writers the process noticed.
    fn other_writers(mut self) -> u64 {
        let status = wait_within(&mut self.process, Duration::from_secs(120));
        assert!(status.expect("a process hangs").success());
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }
}

/// The role of a rank: its threads log texts, histograms and scalars.
pub(crate) fn rank(logdir: &Path, rank: &str, count: i64) {
    let summary = SummaryWriter::create_file_writer(logdir).unwrap();
    summary.scalar(format!("rank{rank}/first"), value_at(0), 0);
    summary.flush().unwrap();
    println!("open");
    io::stdin().read_line(&mut String::new()).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let summary = summary.scope(format!("rank{rank}"));
            scope.spawn(move || {
                let tag = thread.to_string();
                for step in 0..count {
                    match thread {
                        0 => summary.text(&tag, "a text", step),
                        1 => summary.histogram(&tag, [0.5f32, step as f32], step),
                        _ => summary.scalar(&tag, value_at(step), step),
                    }
                    if step % 100 == 0 {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
    });
    let other = summary.clone();
    summary.close().unwrap();
    let stats = other.stats();
    let wanted = u64::try_from(THREADS * count + 1).unwrap();
    assert_eq!(
        (stats.accepted_count, stats.flushed_count),
        (wanted, wanted)
    );
    println!("{}", stats.other_writer_count);
}

/// Returns how many records of a process are missing. It has flushed all of them.
fn missing(contents: &Contents, rank: usize) -> u64 {
    assert_eq!(contents.torn_files, 0);
    let count = |tag: i64| contents.count(&format!("rank{rank}/{tag}"));
    let written = (0..THREADS).map(count).sum::<i64>();
    (THREADS * records() - written).unsigned_abs() + missing_first(contents, rank)
}

/// Returns 1 if the first record of a process is missing.
fn missing_first(contents: &Contents, rank: usize) -> u64 {
    (1 - contents.count(&format!("rank{rank}/first"))).unsigned_abs()
}

/// Runs all processes at the same time, each in the directory that `logdir` returns, and reads these directories.
fn run_all<P: AsRef<Path>>(logdir: impl Fn(usize) -> P) -> (Vec<u64>, Tally) {
    let spawn = |rank| Rank::spawn(logdir(rank).as_ref(), rank);
    let mut ranks: Vec<_> = (0..RANKS).map(spawn).collect();
    ranks.iter_mut().for_each(Rank::allow_to_continue);
    let noticed = ranks.into_iter().map(Rank::other_writers).collect();
    let lost = (0..RANKS).map(|rank| missing(&read(logdir(rank).as_ref()), rank));
    let tally = Tally {
        tried: RANKS as u64,
        lost: lost.sum(),
        note: format!("{THREADS} threads in each"),
    };
    (noticed, tally)
}

pub(crate) fn apart(_: Rng) -> Tally {
    let dir = tempfile::tempdir().unwrap();
    let (noticed, tally) = run_all(|rank| dir.path().join(rank.to_string()));
    assert_eq!(noticed, [0; RANKS], "each run has one writer");
    tally
}

/// No record is lost, and each process notices the others.
pub(crate) fn together(_: Rng) -> Tally {
    let dir = tempfile::tempdir().unwrap();
    let (noticed, tally) = run_all(|_| dir.path());
    assert!(noticed.iter().all(|count| *count > 0), "{noticed:?}");
    assert_eq!(event_files(dir.path()).len(), RANKS);
    tally
}

/// Processes in containers may have the same host name and process ID. If they open files in one run at the same time, each
/// still gets its own file.
pub(crate) fn containers(_: Rng) -> Tally {
    const PROCESSES: u64 = 3;
    let runs = rounds(10, 60);
    let dir = tempfile::tempdir().unwrap();
    let start = now() + Duration::from_millis(300);
    let processes: Vec<Child> = (0..PROCESSES)
        .map(|_| {
            let mut command = Environment::OwnProcessIds.command().unwrap();
            command.args(["as", "opener", dir.path().to_str().unwrap()]);
            command.args([start.as_nanos().to_string(), runs.to_string()]);
            command.spawn().unwrap()
        })
        .collect();
    for mut process in processes {
        let status = wait_within(&mut process, Duration::from_secs(120));
        assert!(status.expect("a process hangs").success());
    }
    let mut tally = Tally::default();
    for run in 0..runs {
        let logdir = dir.path().join(run.to_string());
        let contents = read(&logdir);
        assert_eq!(contents.begun_files, event_files(&logdir).len() as u64);
        tally.tried += PROCESSES;
        tally.lost += PROCESSES - contents.steps.len() as u64;
    }
    tally
}

/// The role of a process in a container: it opens a file in one run after the other.
pub(crate) fn open_files(logdir: &Path, start: Duration, runs: u32) {
    for run in 0..runs {
        while now() < start + run * Duration::from_millis(5) {
            hint::spin_loop();
        }
        let summary = SummaryWriter::create_file_writer(logdir.join(run.to_string())).unwrap();
        summary.scalar("loss", value_at(0), 0);
        summary.close().unwrap();
    }
}

/// A program is started several times in one run, also after it was killed. It notices no other writer.
pub(crate) fn restarts(mut random: Rng) -> Tally {
    let dir = tempfile::tempdir().unwrap();
    let starts = usize::try_from(rounds(4, 10)).unwrap();
    let mut killed = vec![false; starts];
    for (rank, killed) in killed.iter_mut().enumerate() {
        let mut process = Rank::spawn(dir.path(), rank);
        *killed = random.bool();
        if *killed {
            process.process.kill().unwrap();
            process.process.wait().unwrap();
        } else {
            process.allow_to_continue();
            assert_eq!(process.other_writers(), 0, "rank {rank}");
        }
    }
    assert_eq!(event_files(dir.path()).len(), starts);
    let contents = read(dir.path());
    let lost = killed
        .iter()
        .enumerate()
        .map(|(rank, killed)| match killed {
            true => missing_first(&contents, rank), // it was flushed
            false => missing(&contents, rank),
        });
    Tally {
        tried: starts as u64,
        lost: lost.sum(),
        note: format!("{} of them killed", killed.iter().filter(|k| **k).count()),
    }
}
