//! Logging processes are killed at random moments.

use std::env;
use std::fmt::Write;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::campaign::{Tally, rounds};
use crate::child::{Loss, Reporting, WORKLOADS, Workload, now, program_as};
use crate::read::{Contents, read};

pub(crate) fn run(mut random: Rng) -> Tally {
    let dir = tempfile::tempdir().unwrap();
    let logdir = env::var_os("FAULTS_KEEP").map_or(dir.path().to_path_buf(), Into::into);
    let mut tally = Tally::default();
    let mut oldest = [Duration::ZERO; WORKLOADS.len()];
    let (mut records, mut torn) = (0, 0);
    for round in 0..rounds(6, 60) {
        let deaths: Vec<(Loss, Contents)> = thread::scope(|scope| {
            let start = |(i, workload)| {
                let run = logdir.join(format!("killed{round:03}.{i}"));
                let random = random.fork();
                scope.spawn(move || kill(&run, workload, random))
            };
            let killers: Vec<_> = WORKLOADS.iter().enumerate().map(start).collect();
            let deaths = killers.into_iter().map(|killer| killer.join().unwrap());
            deaths.collect()
        });
        for (i, (loss, contents)) in deaths.into_iter().enumerate() {
            tally.tried += 1;
            tally.lost += loss.broken();
            if loss.broken() > 0 {
                writeln!(tally.note, "BROKEN {}: {loss:?}", WORKLOADS[i].name).unwrap();
            }
            records += contents.steps.len();
            torn += contents.torn_files;
            oldest[i] = oldest[i].max(loss.age);
        }
    }
    write!(tally.note, "{records} records read, {torn} torn files").unwrap();
    for (workload, oldest) in WORKLOADS.iter().zip(oldest) {
        let (name, interval) = (workload.name, workload.flush_interval);
        write!(
            tally.note,
            "\n{:26} {name}: lost at most the last {oldest:.1?}, with an interval of {interval:?}",
            ""
        )
        .unwrap();
    }
    tally
}

fn kill(run: &Path, workload: &Workload, mut random: Rng) -> (Loss, Contents) {
    let mut victim = Reporting::spawn(&mut program_as(&[
        "logger",
        run.to_str().unwrap(),
        workload.name,
    ]));
    // Some processes are killed before they have opened their file.
    if random.u8(..6) > 0 {
        victim.wait_until_open();
    }
    let lifetime = 3 * workload.flush_interval + Duration::from_millis(60);
    thread::sleep(lifetime.mul_f64(random.f64()));
    let end = now();
    victim.process.kill().unwrap();
    let status = victim.process.wait().unwrap();
    assert_eq!(status.signal(), Some(9), "it ended by itself: {status}");

    let reports = victim.reports();
    let contents = read(run);
    if contents.begun_files > 0 {
        let counts = contents.by_tag.iter();
        let counts: String = counts
            .map(|(tag, steps)| format!("{tag} {}\n", steps.len()))
            .collect();
        fs::write(run.join("expected.txt"), counts).unwrap();
    }
    let loss = Loss::measure(&reports, &contents, end, workload.flush_interval);
    (loss, contents)
}
