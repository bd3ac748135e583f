//! Includes the files of `src/writer` that share data between threads. They use the locks of the model checker and a sink in
//! memory.

#[path = "../../../src/writer/admission.rs"]
mod admission;
#[path = "../../../src/writer/budget.rs"]
mod budget;
#[path = "../../../src/writer/chunks.rs"]
mod chunks;
#[path = "../../../src/writer/encoder.rs"]
mod encoder;
#[path = "../../../src/writer/inline.rs"]
mod inline;
#[path = "../../../src/writer/queue.rs"]
mod queue;
mod sink;
#[path = "../../../src/writer/stats.rs"]
mod stats;
#[path = "../../../src/writer/suspend.rs"]
mod suspend;
mod sync;
#[path = "../../../src/writer/worker.rs"]
mod worker;

pub(crate) use queue::{Limits, Queue, WhenFull};
pub(crate) use sink::Sink;
pub(crate) use stats::Stats;

pub(crate) use encoder::{run as encode, run_without_thread as encode_without_thread};

/// Runs the worker of `queue`. Returns the sink if the queue was suspended.
pub(crate) fn work(queue: &Queue, sink: Sink) -> Option<Sink> {
    worker::run(queue, sink, worker::SyncPolicy::Never, |_| {})
}
