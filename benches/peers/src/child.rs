//! Runs one writer in its own process, so that the process time is the time of its threads only.
//!
//! Each line of standard input requests work, and each line of standard output answers. Words are separated by tabs:
//!
//! ```text
//! whole    scalar-100  COUNT  DIR    ok  WALL_NS  CPU_NS        until closed
//! latency  scalar-1    COUNT  DIR    ok  P50_NS  P999_NS  MAX_NS  of single calls
//!                                    no  REASON
//! ```
//!
//! `peers.py` uses the same protocol.

use std::any::Any;
use std::error::Error;
use std::io::{self, BufRead, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use crate::work::{self, Picture, Work};

/// A writer, used as its documentation shows. Work that it does not support is an `Err` with the reason, or a panic.
pub trait Writer: Sized {
    fn open(dir: &Path) -> Self;
    fn scalar(&mut self, tag: &str, value: f32, step: u32);
    fn histogram(&mut self, tag: &str, values: &[f32], step: u32) -> Result<(), Box<dyn Error>>;
    fn image(&mut self, tag: &str, picture: &Picture, step: u32) -> Result<(), Box<dyn Error>>;
    /// Returns when the operating system has all data.
    fn close(self);
}

/// Does the work that standard input requests, until it ends. `data` is the directory with the data to log.
pub fn serve<W: Writer>(data: &Path) -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split('\t').collect();
        let &[how, work, count, dir] = &words[..] else {
            return Err(format!("not a request: {line:?}").into());
        };
        let job = Job {
            work: work.parse()?,
            data: data.join(work),
            count: count.parse()?,
            dir: dir.into(),
        };
        let answer = panic::catch_unwind(AssertUnwindSafe(|| match how {
            "whole" => whole::<W>(&job),
            _ => latency::<W>(&job),
        }));
        let answer = match answer {
            Ok(Ok(figures)) => ["ok".to_owned()]
                .into_iter()
                .chain(figures.iter().map(u128::to_string))
                .collect::<Vec<_>>()
                .join("\t"),
            Ok(Err(reason)) => format!("no\tno: {}", one_line(&reason.to_string())),
            Err(panic) => format!("no\tpanics: {}", one_line(message(&*panic))),
        };
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}

struct Job {
    work: Work,
    data: PathBuf,
    count: u32,
    dir: PathBuf,
}

type Figures = Result<Vec<u128>, Box<dyn Error>>;

fn whole<W: Writer>(job: &Job) -> Figures {
    let steps = 1..=job.count;
    match job.work {
        Work::Scalar { tags: count } => {
            let tags = work::tags(count);
            measure::<W>(job, |writer| {
                for step in steps {
                    writer.scalar(&tags[step as usize % count], work::scalar(step), step);
                }
                Ok(())
            })
        }
        Work::Histogram { .. } => {
            let values = work::read_values(&job.data)?;
            measure::<W>(job, |writer| {
                for step in steps {
                    writer.histogram("weights", &values, step)?;
                }
                Ok(())
            })
        }
        Work::Image(sides) => {
            let picture = work::read_picture(&job.data, sides)?;
            measure::<W>(job, |writer| {
                for step in steps {
                    writer.image("input", &picture, step)?;
                }
                Ok(())
            })
        }
    }
}

/// Measures wall time and CPU time from the first call until the writer is closed. Opening is not measured.
fn measure<W: Writer>(
    job: &Job,
    calls: impl FnOnce(&mut W) -> Result<(), Box<dyn Error>>,
) -> Figures {
    let mut writer = W::open(&job.dir);
    let (wall, cpu) = (Instant::now(), cpu_time());
    calls(&mut writer)?;
    writer.close();
    let (wall, cpu) = (wall.elapsed(), cpu_time().saturating_sub(cpu));
    Ok(vec![wall.as_nanos(), cpu.as_nanos()])
}

fn latency<W: Writer>(job: &Job) -> Figures {
    let mut writer = W::open(&job.dir);
    let figures = latencies(job.count, |step| {
        writer.scalar("loss", work::scalar(step), step)
    });
    writer.close();
    Ok(figures)
}

/// Returns the [`quantiles`] of `count` calls, including the clock.
pub fn latencies(count: u32, mut call: impl FnMut(u32)) -> Vec<u128> {
    // Filling it now avoids page faults during the measurement.
    let mut times = vec![Duration::MAX; count as usize];
    for (step, time) in (1..).zip(&mut times) {
        let start = Instant::now();
        call(step);
        *time = start.elapsed();
    }
    quantiles(times)
}

/// Returns the median, the 99.9th percentile and the maximum, in nanoseconds.
pub fn quantiles(mut times: Vec<Duration>) -> Vec<u128> {
    times.sort_unstable();
    let last = times.len() - 1;
    [last / 2, last - last / 1000, last]
        .map(|i| times[i].as_nanos())
        .to_vec()
}

/// User and system time of all threads of this process.
#[cfg(unix)]
pub fn cpu_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Not measured on other systems.
#[cfg(not(unix))]
pub fn cpu_time() -> Duration {
    Duration::ZERO
}

/// Ends this process like `kill -9`.
pub fn kill() -> ! {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        kill_process(getpid(), Signal::KILL).ok();
    }
    process::abort()
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\t'], " ")
}
