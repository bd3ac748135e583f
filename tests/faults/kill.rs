//! A logging process is killed at a random moment, over and over.

use std::env;
use std::fmt::Write;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::child::{HABITS, Habit, Reporting, Toll, now};
use crate::read::{Found, read};
use crate::scenario::Figure;

/// At a time: they sleep most of it.
const VICTIMS: u64 = 4;

struct Death {
    habit: Habit,
    toll: Toll,
    found: Found,
}

pub(crate) fn run(mut random: Rng) -> Figure {
    let kills = env::var("FAULTS_KILLS").map_or(240, |kills| kills.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let logdir = env::var_os("FAULTS_KEEP").map_or(dir.path().to_path_buf(), Into::into);
    let seed = random.u64(..);
    let (next, deaths) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..VICTIMS {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= kills {
                        break;
                    }
                    let habit = HABITS[usize::try_from(i).unwrap() % HABITS.len()];
                    let run = logdir.join(format!("killed{i:03}"));
                    let death = kill(&run, habit, Rng::with_seed(seed ^ i));
                    deaths.lock().unwrap().push(death);
                }
            });
        }
    });
    let deaths = deaths.into_inner().unwrap();

    let mut figure = Figure {
        tried: kills,
        lost: deaths.iter().map(|death| death.toll.broken()).sum(),
        ..Figure::default()
    };
    let records: usize = deaths.iter().map(|death| death.found.points.len()).sum();
    let torn: u64 = deaths.iter().map(|death| death.found.torn_files).sum();
    write!(figure.note, "{records} records read, {torn} torn tails").unwrap();
    for habit in HABITS {
        let own = deaths.iter().filter(|death| death.habit.name == habit.name);
        let ages = own.map(|death| death.toll.age);
        let worst = ages.max().unwrap_or_default();
        let interval = habit.flush_interval;
        write!(
            figure.note,
            "\n{:26} {}: the last {worst:.1?} at the most, at an interval of {interval:?}",
            "", habit.name
        )
        .unwrap();
    }
    for death in deaths.iter().filter(|death| death.toll.broken() > 0) {
        let (habit, toll) = (death.habit.name, death.toll);
        write!(figure.note, "\n{:26} BROKEN {habit}: {toll:?}", "").unwrap();
    }
    figure
}

fn kill(run: &Path, habit: Habit, mut random: Rng) -> Death {
    let mut victim = Reporting::spawn(&["logger", run.to_str().unwrap(), habit.name]);
    // From before the file is there up to some batches.
    let lifetime = 3 * habit.flush_interval + Duration::from_millis(60);
    thread::sleep(lifetime.mul_f64(random.f64()));
    let end = now();
    victim.process.kill().unwrap();
    let status = victim.process.wait().unwrap();
    assert_eq!(status.signal(), Some(9), "it ended by itself: {status}");

    let reports = victim.reports();
    let found = read(run);
    if found.begun_files > 0 {
        let expected: String = found
            .by_tag()
            .iter()
            .map(|(tag, steps)| format!("{tag} {}\n", steps.len()))
            .collect();
        fs::write(run.join("expected.txt"), expected).unwrap();
    }
    Death {
        habit,
        toll: Toll::of(&reports, &found, end, habit.flush_interval),
        found,
    }
}
