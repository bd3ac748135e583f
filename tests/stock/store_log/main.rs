//! Logs to an object store at a steady rate, and reads back what is there, for the tests with real servers.
//!
//! `store_log write URL` prints the counts of the writer as JSON at the end. `store_log read URL` prints the scalars of each
//! run as JSON, in the order of the files, and whether all files are sound.
//!
//! The scalar `loss` at a step is half of the step, plus `--offset`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;
use summary_writer::proto::event::What;
use summary_writer::reader::{find_runs, verify};
use summary_writer::{Embedding, EventReader, Image, SummaryWriter, WriterOptions};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

#[derive(Parser)]
enum Command {
    Write(Options),
    Read { url: PathBuf },
}

#[derive(clap::Args)]
struct Options {
    url: PathBuf,
    /// The step of the first scalar.
    #[arg(long, default_value_t = 0)]
    first: i64,
    #[arg(long, default_value_t = 0.0)]
    offset: f64,
    /// How many scalars to log.
    #[arg(long, default_value_t = i64::MAX)]
    points: i64,
    /// How long to log at most.
    #[arg(long, default_value_t = 3600.0)]
    seconds: f64,
    /// Scalars per second. Without it, the program logs as fast as it can.
    #[arg(long)]
    rate: Option<u32>,
    /// Logs an image of noise with 256 x 256 pixels with every `IMAGES`-th scalar.
    #[arg(long)]
    images: Option<i64>,
    /// Logs an image, a histogram, an embedding and a scalar of the child run `validation` at the first step.
    #[arg(long)]
    kinds: bool,
    /// Continues the run from this step.
    #[arg(long)]
    resume: Option<i64>,
    /// In seconds.
    #[arg(long)]
    flush_interval: Option<f64>,
    /// In seconds.
    #[arg(long)]
    close_timeout: Option<f64>,
    /// Where records go that the store has not taken when the writer gives up.
    #[arg(long)]
    spill_dir: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let result = match Command::parse() {
        Command::Write(options) => write(&options),
        Command::Read { url } => read(&url),
    };
    match result {
        Ok(result) => writeln!(io::stdout(), "{result}")?,
        Err(error) => {
            writeln!(io::stderr(), "{}", chain(&*error))?;
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(options: &Options) -> Result<serde_json::Value> {
    let mut settings = WriterOptions::new();
    if let Some(step) = options.resume {
        settings = settings.resume(step);
    }
    if let Some(seconds) = options.flush_interval {
        settings = settings.flush_interval(Duration::from_secs_f64(seconds));
    }
    if let Some(seconds) = options.close_timeout {
        settings = settings.close_timeout(Duration::from_secs_f64(seconds));
    }
    if let Some(dir) = &options.spill_dir {
        settings = settings.spill_dir(dir);
    }
    let summary = settings.create_file_writer(&options.url)?;
    if options.kinds {
        log_kinds(&summary, options.first)?;
    }
    let start = Instant::now();
    let slowest_call = log_points(&summary, options)?;
    let logging_time = start.elapsed();
    let handle = summary.clone();
    let error = summary.close().err().map(|error| chain(&error));
    let stats = handle.stats();
    Ok(json!({
        "accepted": stats.accepted_count,
        "flushed": stats.flushed_count,
        "rejected": stats.rejected_count,
        "pending_bytes": stats.pending_bytes,
        "uploads": stats.upload_count,
        "uploaded_bytes": stats.uploaded_bytes,
        "retries": stats.upload_retry_count,
        "other_writers": stats.other_writer_count,
        "logging_seconds": logging_time.as_secs_f64(),
        "slowest_call_seconds": slowest_call.as_secs_f64(),
        "error": error,
    }))
}

/// Returns how long the slowest call took.
fn log_points(summary: &SummaryWriter, options: &Options) -> Result<Duration> {
    let mut noise = fastrand::Rng::with_seed(0);
    let mut slowest_call = Duration::ZERO;
    let start = Instant::now();
    for number in 0..options.points {
        if let Some(rate) = options.rate {
            let due = Duration::from_secs_f64(number as f64 / f64::from(rate));
            thread::sleep(due.saturating_sub(start.elapsed()));
        }
        if start.elapsed().as_secs_f64() >= options.seconds {
            break;
        }
        let step = options.first + number;
        let call = Instant::now();
        summary.scalar("loss", step as f64 / 2.0 + options.offset, step);
        slowest_call = slowest_call.max(call.elapsed());
        if options.images.is_some_and(|every| number % every == 0) {
            let pixels: Vec<u8> = (0..3 * 256 * 256).map(|_| noise.u8(..)).collect();
            let image = Image::rgb8(256, 256, pixels)?;
            let call = Instant::now();
            summary.image("noise", image, step);
            slowest_call = slowest_call.max(call.elapsed());
        }
    }
    Ok(slowest_call)
}

fn log_kinds(summary: &SummaryWriter, step: i64) -> Result {
    // Four pixels: red, green, blue and white.
    let pixels = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    summary.image("pixels", Image::rgb8(2, 2, pixels)?, step);
    summary.histogram("weights", [0.0, 1.0, 2.0, 3.0], step);
    let rows = [
        [1.0, 2.0, 3.0],
        [4.0, 5.0, 6.0],
        [7.0, 8.0, 9.0],
        [0.0, 0.0, 0.0],
    ];
    let words = Embedding::from_rows("words", rows)?;
    summary.embedding(words.labels(["one", "two", "three", "four"])?, step)?;
    summary
        .run("validation")?
        .scalar("loss", step as f64 / 2.0, step);
    Ok(())
}

/// Returns whether there is nothing at the path yet.
fn is_missing(url: &PathBuf) -> bool {
    let Err(summary_writer::Error::Io { source, .. }) = find_runs(url) else {
        return false;
    };
    source.kind() == io::ErrorKind::NotFound
}

/// Returns the text of an error with its causes.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn read(url: &PathBuf) -> Result<serde_json::Value> {
    let mut runs: BTreeMap<String, Vec<(i64, f32)>> = BTreeMap::new();
    let mut files = Vec::new();
    let mut last_wall_time = 0.0_f64;
    if is_missing(url) {
        return Ok(json!({"runs": runs, "files": files, "bytes": 0, "is_sound": true}));
    }
    for run in find_runs(url)? {
        let points = runs.entry(run.name).or_default();
        for file in run.files {
            for event in EventReader::open(&file)? {
                let event = event?;
                let Some(What::Summary(summary)) = event.what else {
                    continue;
                };
                last_wall_time = last_wall_time.max(event.wall_time);
                let losses = summary.value.iter().filter(|value| value.tag == "loss");
                points.extend(losses.filter_map(|loss| Some((event.step, loss.scalar()?))));
            }
            files.push(file);
        }
    }
    let report = verify(url)?;
    let bytes: u64 = report.files.iter().map(|file| file.bytes).sum();
    Ok(json!({
        "runs": runs,
        "files": files,
        "bytes": bytes,
        "last_wall_time": last_wall_time,
        "is_sound": report.is_sound() && report.files.iter().all(|file| file.unfinished_bytes == 0),
    }))
}
