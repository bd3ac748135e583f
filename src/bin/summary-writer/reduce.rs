//! `reduce`: makes one curve out of the curves of many runs.

use std::io::Write;
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use summary_writer::reduce::{self, Reduction};

use crate::Outcome;
use crate::Result;
use crate::arguments::{Join, NamePattern, Reduce};
use crate::output::count;

/// How often `--follow` looks for new data.
const INTERVAL: Duration = Duration::from_secs(1);

pub(crate) fn run(options: &Reduce, out: &mut impl Write) -> Result<Outcome> {
    let is_wanted = |patterns: &[NamePattern]| {
        let patterns = patterns.to_vec();
        move |name: &str| patterns.is_empty() || patterns.iter().any(|it| it.matches(name))
    };
    let mut reduction = Reduction::new(&options.logdirs)
        .runs(is_wanted(&options.runs))
        .tags(is_wanted(&options.tags))
        .join(match options.join {
            Join::Inner => reduce::Join::Inner,
            Join::Outer => reduce::Join::Outer,
            Join::Interpolate => reduce::Join::Interpolate,
        })
        .patience(options.patience);
    if let Some(runs) = options.expect {
        reduction = reduction.expect(runs);
    }
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(100));
    if options.follow {
        let mut follow = reduction.follow(&options.out)?;
        progress.set_message("follows the runs");
        while follow.poll()? {
            thread::sleep(INTERVAL.min(options.patience / 10));
        }
        progress.finish_and_clear();
        return Ok(Outcome::Fine);
    }
    progress.set_message("reads the runs");
    let written = reduction.write_to(&options.out)?;
    progress.finish_and_clear();
    writeln!(
        out,
        "{}, {}, {}: {}",
        count(written.run_count as u64, "run"),
        count(written.tag_count as u64, "tag"),
        count(written.point_count, "point"),
        options.out.join("reduced").display(),
    )?;
    Ok(match written.damaged_run_count {
        0 => Outcome::Fine,
        _ => Outcome::Damage,
    })
}
