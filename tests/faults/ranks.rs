//! Many processes that log at once: to runs of their own, to one run by mistake, and one after the other.

use std::hint;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use summary_writer::SummaryWriter;

use crate::child::{me, now, wait_within};
use crate::read::{event_files, read, value_at};
use crate::scenario::Figure;
use crate::world::World;

const RANKS: usize = 8;
const THREADS: i64 = 8;
const RECORDS: i64 = 1500;

/// Processes that open files at one time, and how often.
const OPENERS: u64 = 3;
const OPENED: u64 = 60;

/// A process that has opened its writer and waits for the word to go on.
struct Rank {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Rank {
    fn spawn(logdir: &Path, rank: usize) -> Self {
        let name = rank.to_string();
        let arguments = [
            "rank",
            logdir.to_str().unwrap(),
            &name,
            &RECORDS.to_string(),
        ];
        let mut command = me(&arguments);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
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

    fn go(&mut self) {
        self.stdin.write_all(b"go\n").unwrap();
    }

    /// How many writers it has noticed beside it.
    fn end(mut self) -> u64 {
        let status = wait_within(&mut self.process, Duration::from_secs(90)).expect("a rank hangs");
        assert!(status.success());
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }
}

/// The role of one of them: threads that log a kind each, in turns.
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
                for step in 0..count {
                    match thread {
                        0 => summary.text("notes", "a text", step),
                        1 => summary.histogram("weights", [0.5f32, step as f32], step),
                        _ => summary.scalar(format!("loss{thread}"), value_at(step), step),
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
    let want = u64::try_from(THREADS * count + 1).unwrap();
    assert_eq!((stats.accepted_count, stats.flushed_count), (want, want));
    println!("{}", stats.other_writer_count);
}

/// The records that are missing from `logdir` of those that these ranks have logged; others there are none.
fn missing(logdir: &Path, ranks: &[usize]) -> u64 {
    let found = read(logdir);
    assert_eq!(found.torn_files, 0);
    let mut by_tag = found.by_tag();
    let mut missing = 0;
    for rank in ranks {
        let mut kinds = vec!["notes".to_owned(), "weights".to_owned()];
        kinds.extend((2..THREADS).map(|thread| format!("loss{thread}")));
        for kind in kinds {
            let steps = by_tag
                .remove(&*format!("rank{rank}/{kind}"))
                .unwrap_or_default();
            let there = steps.len() as i64;
            assert!(steps.into_iter().eq(0..there), "rank{rank}/{kind}");
            missing += u64::try_from(RECORDS - there).unwrap();
        }
        missing += u64::from(by_tag.remove(&*format!("rank{rank}/first")) != Some(vec![0]));
    }
    assert!(by_tag.is_empty(), "{by_tag:?}");
    missing
}

/// Each to a run of its own below one logdir.
pub(crate) fn apart(_: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let run = |rank| dir.path().join(format!("rank{rank}"));
    let mut ranks: Vec<_> = (0..RANKS)
        .map(|rank| Rank::spawn(&run(rank), rank))
        .collect();
    ranks.iter_mut().for_each(Rank::go);
    let noticed: Vec<u64> = ranks.into_iter().map(Rank::end).collect();
    assert_eq!(noticed, [0; RANKS], "nobody is there beside them");
    figure((0..RANKS).map(|rank| missing(&run(rank), &[rank])).sum())
}

fn figure(lost: u64) -> Figure {
    let records = RANKS as i64 * (THREADS * RECORDS + 1);
    Figure {
        tried: RANKS as u64,
        lost,
        note: format!("{records} records of {RANKS} processes with {THREADS} threads read"),
    }
}

/// All to one run, by mistake: nothing is lost, and each notices.
pub(crate) fn together(_: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let mut ranks: Vec<_> = (0..RANKS)
        .map(|rank| Rank::spawn(dir.path(), rank))
        .collect();
    ranks.iter_mut().for_each(Rank::go);
    let noticed: Vec<u64> = ranks.into_iter().map(Rank::end).collect();
    assert!(noticed.iter().all(|count| *count > 0), "{noticed:?}");
    assert_eq!(event_files(dir.path()).len(), RANKS);
    let all: Vec<usize> = (0..RANKS).collect();
    figure(missing(dir.path(), &all))
}

/// Files that are opened at one time in one run by processes in containers of one host name: all would have one name, for a
/// process has the same number in each.
pub(crate) fn namesakes(_: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let start = now() + Duration::from_millis(300);
    let openers: Vec<Child> = (0..OPENERS)
        .map(|_| {
            let mut opener = World::Containers.enter().unwrap();
            opener.args(["as", "opener", dir.path().to_str().unwrap()]);
            opener.arg(start.as_nanos().to_string()).spawn().unwrap()
        })
        .collect();
    for mut opener in openers {
        let status = wait_within(&mut opener, Duration::from_secs(60)).expect("one hangs");
        assert!(status.success());
    }
    let mut figure = Figure::default();
    for run in 0..OPENED {
        let logdir = dir.path().join(run.to_string());
        let found = read(&logdir);
        assert_eq!(found.begun_files, event_files(&logdir).len() as u64);
        figure.tried += OPENERS;
        figure.lost += OPENERS - found.points.len() as u64;
    }
    figure
}

/// The role of one of them.
pub(crate) fn opener(logdir: &Path, start: Duration) {
    for run in 0..OPENED {
        let start = start + u32::try_from(run).unwrap() * Duration::from_millis(5);
        while now() < start {
            hint::spin_loop();
        }
        let summary = SummaryWriter::create_file_writer(logdir.join(run.to_string())).unwrap();
        summary.scalar("loss", value_at(0), 0);
        summary.close().unwrap();
    }
}

/// One after the other in one run, some of them killed: a restart is no second writer.
pub(crate) fn restarts(mut random: Rng) -> Figure {
    let dir = tempfile::tempdir().unwrap();
    let mut ended = Vec::new();
    let killed_dir = tempfile::tempdir().unwrap();
    for rank in 0..10 {
        let logdir = dir.path();
        let mut process = Rank::spawn(logdir, rank);
        if random.bool() && rank < 9 {
            process.process.kill().unwrap();
            process.process.wait().unwrap();
            // Its one record was flushed.
            for file in event_files(logdir) {
                if file
                    .to_str()
                    .unwrap()
                    .contains(&format!(".{}.", process.process.id()))
                {
                    std::fs::copy(&file, killed_dir.path().join(file.file_name().unwrap()))
                        .unwrap();
                }
            }
        } else {
            process.go();
            assert_eq!(process.end(), 0, "rank {rank} has noticed somebody");
            ended.push(rank);
        }
    }
    let killed = 10 - ended.len();
    let files = event_files(dir.path());
    assert_eq!(files.len(), 10);
    let copies = event_files(killed_dir.path());
    let lost = (killed - read(killed_dir.path()).points.len()) as u64;
    for copy in copies {
        std::fs::remove_file(dir.path().join(copy.file_name().unwrap())).unwrap();
    }
    Figure {
        tried: 10,
        lost: lost + missing(dir.path(), &ended),
        note: format!("{killed} of them killed"),
    }
}
