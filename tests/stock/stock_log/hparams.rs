//! Sessions with different hyperparameters and with every status. Another logdir has two sessions with an explicit experiment,
//! because an experiment belongs to a whole logdir.

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use serde::Serialize;
use summary_writer::hparams::{DatasetType, Experiment, HParamInfo, MetricInfo, SessionStatus};
use summary_writer::{HParams, SummaryWriter};

use crate::{Result, START};

#[derive(Serialize)]
struct Config {
    lr: f64,
    optimizer: Optimizer,
    layers: Vec<u32>,
    dropout: Option<f64>,
}

#[derive(Serialize)]
#[serde(tag = "name")]
enum Optimizer {
    Sgd { momentum: f64, nesterov: bool },
}

pub(crate) fn write(root: &SummaryWriter) -> Result {
    let a = root.run("hparams/a")?;
    let hparams = HParams::new()
        .set("lr", 0.1_f32)
        .set("depth", 4)
        .set("augment", true)
        .set("optimizer", "adam")
        .set("seed", u64::MAX);
    a.at(START).scope("scope").hparams(hparams);
    let others = HParams::new().set("lr", 7.0).set("never", true);
    a.at(START + 1.0).hparams(others);
    for step in 0..5 {
        a.scalar("loss", 1.0 / f64::from(step + 1), step);
        a.run("validation")?
            .scalar("accuracy", 0.125 * f64::from(step), step);
    }
    a.close()?;

    let b = root.run("hparams/b")?;
    let config = Config {
        lr: 0.01,
        optimizer: Optimizer::Sgd {
            momentum: 0.9,
            nesterov: false,
        },
        layers: vec![64, 64, 10],
        dropout: None,
    };
    let hparams = HParams::from_serialize(&config)?.set("clip", f64::NAN);
    b.at(START).hparams(hparams);
    b.scalar("loss", 0.75, 0);
    b.scalar("error rate", 0.5, 0);
    drop(b);

    let c = root.run("hparams/c")?;
    let failed = panic::catch_unwind(AssertUnwindSafe(move || {
        let c = c;
        let hparams = HParams::new().set("lr", 1e-3).set("augment", false);
        c.at(START).hparams(hparams.set("clip", f64::INFINITY));
        c.scalar("loss", f32::NAN, 0);
        panic::resume_unwind(Box::new("it diverged")); // prints no message
    }));
    assert!(failed.is_err());

    // This session never ends, as if the program was killed.
    let killed = root.run("hparams/killed")?;
    killed.at(START).hparams(
        HParams::new()
            .set("lr", 3)
            .set("optimizer", "Größe \"<b>\""),
    );
    killed.scalar("loss", 4, 0);
    killed.flush()?;
    mem::forget(killed);

    for (trial, loss) in [("1", 0.25), ("2", 0.5)] {
        let run = root.run(format!("hparams/trial {trial}"))?;
        run.at(START)
            .hparams(HParams::new().set("lr", 5).set("clip", 1).group("trials"));
        run.scalar("loss", loss, 0);
        run.at(START + 60.0).session_end(SessionStatus::Failure);
        run.close()?;
    }
    Ok(())
}

pub(crate) fn write_experiment(logdir: &Path) -> Result {
    let root = SummaryWriter::create_file_writer(logdir)?;
    let experiment = Experiment::new()
        .hparam(
            HParamInfo::new("lr")?
                .interval(1e-3, 1.0)?
                .display_name("learning rate")
                .description("of the *first* epoch"),
        )
        .hparam(HParamInfo::new("optimizer")?.discrete(["adam", "sgd"])?)
        .hparam(HParamInfo::new("augment")?.discrete([true, false])?)
        .hparam(HParamInfo::new("depth")?.discrete([2, 4])?)
        .hparam(HParamInfo::new("any")?)
        .metric(MetricInfo::new("loss")?.display_name("Loss"))
        .metric(
            MetricInfo::new("accuracy")?
                .group("validation")
                .description("of *all*")
                .dataset(DatasetType::DatasetValidation),
        );
    root.hparams_experiment(experiment);
    root.hparams(HParams::new().set("lr", 0.5));
    root.scalar("loss", 1.5, 0);
    for (name, lr, optimizer) in [("one", 0.1, "adam"), ("two", 0.01, "sgd")] {
        let run = root.run(name)?;
        let hparams = HParams::new().set("lr", lr).set("optimizer", optimizer);
        run.hparams(
            hparams
                .set("any", "text")
                .set("hidden", 1)
                .set("depth", 4)
                .set("augment", true),
        );
        run.scalar("loss", 2.0 * lr, 0);
        run.scalar("hidden loss", 1, 0);
        run.run("validation")?.scalar("accuracy", 3.0 * lr, 0);
        run.close()?;
    }
    root.close()?;
    Ok(())
}
