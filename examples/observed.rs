//! Shows the `tracing` events and the `metrics` of a program in TensorBoard. The program simulates a day in a post office.
//!
//!     cargo run --example observed --features metrics,tracing [LOGDIR]
//!     tensorboard --logdir LOGDIR
//!
//! The default of `LOGDIR` is `logs/observed`. Each start writes a new run there.

#![allow(clippy::print_stdout, reason = "a program")]

use std::collections::VecDeque;
use std::error::Error;
use std::f64::consts::PI;
use std::path::PathBuf;

use clap::Parser;
use metrics::{Unit, counter, describe_gauge, describe_histogram, gauge, histogram};
use summary_writer::integrations::{MetricsRecorder, TracingLayer};
use summary_writer::{SummaryWriter, unique_logdir};
use tracing::level_filters::LevelFilter;
use tracing::{debug, info, info_span, warn};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let logdir = Options::parse().logdir;
    let summary = SummaryWriter::create_file_writer(unique_logdir(&logdir)?)?;
    // The global subscriber and recorder are never dropped, and each holds a handle of the writer. So close it explicitly.
    let layer = TracingLayer::new(summary.clone()).with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).init();
    let recorder = MetricsRecorder::new(summary.clone());
    metrics::set_global_recorder(recorder.clone())?;

    describe_gauge!("queue", "waiting customers");
    describe_histogram!("waiting_time", Unit::Seconds, "of *served* customers");
    let mut office = Office::new();
    for hour in 9..18 {
        for part in 0..6 {
            let step = (hour - 9) * 6 + part;
            // Logs the scalar `duration/ten_minutes`, and sets the step of all events inside.
            let _span = info_span!("ten_minutes", step).entered();
            office.ten_minutes();
            // Logs what was counted since the last step.
            recorder.set_step(step);
        }
    }
    summary.close()?;
    println!("Look at it: tensorboard --logdir {}", logdir.display());
    Ok(())
}

/// Simulate a day in a post office, and log it for TensorBoard.
#[derive(Parser)]
#[command(name = "observed")]
struct Options {
    /// Write a new run below this directory
    #[arg(default_value = "logs/observed")]
    logdir: PathBuf,
}

struct Office {
    minute: u32,
    desks: usize,
    /// The minute of arrival of each waiting customer.
    queue: VecDeque<u32>,
    random: fastrand::Rng,
}

impl Office {
    fn new() -> Self {
        Self {
            minute: 0,
            desks: 2,
            queue: VecDeque::new(),
            random: fastrand::Rng::with_seed(1),
        }
    }

    fn ten_minutes(&mut self) {
        let served: usize = (0..10).map(|_| self.minute()).sum();
        // The scalars `served` and `load` in one record.
        info!(served, load = served as f64 / (10 * self.desks) as f64);
        match self.queue.len() {
            // The scalar `desks` and a text.
            40.. if self.desks < 6 => {
                self.desks += 1;
                warn!(
                    desks = self.desks,
                    "a desk opens: {} wait",
                    self.queue.len()
                );
            }
            0..5 if self.desks > 1 => {
                self.desks -= 1;
                info!(desks = self.desks, "a desk closes");
            }
            _ => {}
        }
    }

    /// Returns the number of served customers.
    fn minute(&mut self) -> usize {
        // Most customers come in the middle of the day.
        let rush = (f64::from(self.minute) / 540.0 * PI).sin();
        for _ in 0..12 {
            if self.random.f64() < rush / 2.0 {
                counter!("customers", "who" => "came").increment(1);
                self.queue.push_back(self.minute);
            }
        }
        let served = self.desks.min(self.queue.len());
        for came in self.queue.drain(..served) {
            counter!("customers", "who" => "served").increment(1);
            histogram!("waiting_time").record(60 * (self.minute - came));
        }
        gauge!("queue").set(self.queue.len() as f64);
        // The filter drops this level.
        debug!(minute = self.minute, served, "a minute");
        self.minute += 1;
        served
    }
}
