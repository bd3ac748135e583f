//! For tests: reads the values of an event file.

use std::path::Path;

use summary_writer::EventReader;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::Value;

/// Returns the step and the value of each value in a run.
pub(crate) fn values(run: &Path) -> Vec<(i64, Value)> {
    let mut values = Vec::new();
    for event in EventReader::open(run).unwrap() {
        let event = event.unwrap();
        if let Some(What::Summary(summary)) = event.what {
            values.extend(summary.value.into_iter().map(|value| (event.step, value)));
        }
    }
    values
}
