//! A sweep of 100 trials, which are visited in turn. No handle is kept between two visits, so the writer suspends the runs that
//! were used least recently, and opens their files again.

use std::path::Path;

use summary_writer::{HParams, SummaryWriter};

use crate::{Result, START};

const TRIALS: u32 = 100;
const ROUNDS: u32 = 5;

pub(crate) fn write(logdir: &Path) -> Result {
    let root = SummaryWriter::create_file_writer(logdir)?;
    for round in 0..ROUNDS {
        for trial in 0..TRIALS {
            let run = root
                .run(format!("trial {trial}"))?
                .at(START + f64::from(round));
            if round == 0 {
                let optimizer = if trial % 2 == 0 { "adam" } else { "sgd" };
                run.hparams(
                    HParams::new()
                        .set("width", trial)
                        .set("optimizer", optimizer),
                );
            }
            run.scalar(
                "loss",
                f64::from(trial) + 1.0 / f64::from(1 << round),
                round,
            );
            run.scalar("accuracy", f64::from(round) / 8.0, round);
        }
    }
    root.close()?;
    Ok(())
}
