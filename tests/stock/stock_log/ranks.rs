//! Many runs with the same tags: the seeds of an experiment, or the processes of a training.

use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use summary_writer::reduce::{Join, Reduction};
use summary_writer::{Rank, RankPolicy, SummaryWriter, WriterOptions, unique_logdir_for};

use crate::{Result, START};

/// Logs `loss` in each run: `(17 * run + 5 * step) % 101 / 8`, which `f32` stores exactly.
pub(crate) fn write_seeds(logdir: &Path, runs: u32, steps: u32) -> Result {
    for run in 0..runs {
        let summary = SummaryWriter::create_file_writer(logdir.join(format!("seed-{run:04}")))?;
        for step in 0..steps {
            let time = START + f64::from(step) + f64::from(run) / 1024.0;
            summary.at(time).scalar("loss", loss(run, step), step);
        }
        summary.close()?;
    }
    Ok(())
}

fn loss(run: u32, step: u32) -> f64 {
    f64::from((17 * run + 5 * step) % 101) / 8.0
}

/// Logs tags whose steps differ between the runs, with numbers that are not simple.
pub(crate) fn write_uneven(logdir: &Path) -> Result {
    for run in 0..7 {
        let summary = SummaryWriter::create_file_writer(logdir.join(format!("seed-{run}")))?;
        for step in 0..500 {
            let x = f64::from(step) + 0.1 * f64::from(run);
            summary.scalar("even", x.sin() * 1e3, step);
            summary.scalar("offset", 1e6 + x.cos(), step);
            if step % (run + 1) == 0 {
                summary.scalar("uneven", x.sqrt(), step);
            }
            let is_missing = (step + run) % 5 == 0;
            summary.scalar("nan", if is_missing { f64::NAN } else { x.ln() }, step + 1);
            if run < 3 {
                summary.scalar("some", x, step);
            }
        }
        summary.close()?;
    }
    Ok(())
}

/// Prints step, count, mean, standard deviation, min, max and median of each step.
pub(crate) fn print_statistics(logdir: &Path, tag: &str, join: &str) -> Result {
    let join = match join {
        "inner" => Join::Inner,
        "outer" => Join::Outer,
        _ => return Err(format!("join must be inner or outer, got {join}").into()),
    };
    let mut out = io::stdout().lock();
    for it in Reduction::new([logdir]).join(join).scalars(tag)? {
        let (step, count) = (it.step, it.count);
        writeln!(
            out,
            "{step} {count} {} {} {} {} {}",
            it.mean, it.std, it.min, it.max, it.median
        )?;
    }
    Ok(())
}

/// Is one process of a training. Prints its rank, the number of processes and its logdir, with `-` for what is unknown.
pub(crate) fn run(base: &Path, steps: u32, pause_millis: u64) -> Result {
    let rank = Rank::from_env();
    let logdir = unique_logdir_for(base, None).or_else(|_| unique_logdir_for(base, "job"))?;
    let number = rank.map(|rank| rank.index().to_string());
    let size = rank.and_then(Rank::size).map(|size| size.to_string());
    let [number, size] = [number, size].map(|text| text.unwrap_or("-".into()));
    writeln!(io::stdout(), "{number} {size} {}", logdir.display())?;

    let main = WriterOptions::new()
        .rank(rank, RankPolicy::Main)
        .create_file_writer(logdir.join("main"))?;
    let own = WriterOptions::new()
        .rank(rank, RankPolicy::Each)
        .create_file_writer(&logdir)?;
    for step in 0..steps {
        own.scalar("loss", loss(rank.map_or(0, Rank::index), step), step);
        main.scalar("lr", 0.5, step);
        thread::sleep(Duration::from_millis(pause_millis));
    }
    main.close()?;
    own.close()?;
    Ok(())
}
