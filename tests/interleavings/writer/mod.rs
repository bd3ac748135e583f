//! The files of `src/writer` by which threads meet, as they are, with a `sync` and a `sink` of the model.

#[path = "../../../src/writer/chunks.rs"]
mod chunks;
#[path = "../../../src/writer/drain.rs"]
mod drain;
#[path = "../../../src/writer/process.rs"]
mod process;
#[path = "../../../src/writer/room.rs"]
mod room;
#[path = "../../../src/writer/run_name.rs"]
mod run_name;
mod sink;
#[path = "../../../src/writer/stats.rs"]
mod stats;
mod sync;
#[path = "../../../src/writer/tray.rs"]
mod tray;
#[path = "../../../src/writer/worker.rs"]
mod worker;

use std::time::Duration;

use crate::error::Result;
pub(crate) use run_name::RunName;
pub(crate) use sink::Sink;
pub(crate) use stats::Stats;
pub(crate) use tray::{Limits, Tray, WhenFull};

/// What the thread of `tray` does.
pub(crate) fn work(tray: &Tray, sink: Sink) {
    worker::run(tray, sink, worker::SyncPolicy::Never, |_| {});
}

pub(crate) fn flush(tray: &Tray) -> Result<()> {
    tray.flush(Duration::MAX)
}
