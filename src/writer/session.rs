//! The hyperparameter session of a run: a run that has logged hyperparameters also logs how it ended, when its writer is
//! closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use portable_atomic::AtomicU64;

use super::frame;
use super::options::Clock;
use super::queue::Queue;
use crate::proto::hparams::Status;
use crate::report::Reporter;

#[derive(Debug, Default)]
pub(super) struct Session {
    /// Calls of this writer that start the session.
    start_count: AtomicU64,
    /// The session was started by an earlier writer of the run.
    is_resumed: AtomicBool,
    /// The caller has logged the end.
    is_ended: AtomicBool,
    /// The last handle was dropped by a panic.
    has_panicked: AtomicBool,
}

impl Session {
    pub(super) fn start(&self, reporter: &Reporter) {
        if self.start_count.fetch_add(1, Ordering::Relaxed) == 1 {
            reporter.warn(
                "hyperparameters are logged again in one run: stock TensorBoard keeps the first",
            );
        }
    }

    /// Continues a session that an earlier writer of the run has started.
    pub(super) fn resume(&self) {
        self.is_resumed.store(true, Ordering::Relaxed);
    }

    /// The caller logs the end of the session itself.
    pub(super) fn end(&self) {
        self.is_ended.store(true, Ordering::Relaxed);
    }

    /// Returns the last record of a writer that is closed now, or nothing if there is no session to end.
    pub(super) fn end_frame(&self, clock: &Clock) -> Vec<u8> {
        let is_started =
            self.start_count.load(Ordering::Relaxed) > 0 || self.is_resumed.load(Ordering::Relaxed);
        if !is_started || self.is_ended.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let status = match self.has_panicked.load(Ordering::Relaxed) {
            true => Status::Failure,
            false => Status::Success,
        };
        frame::session_end_frame(status, clock.now())
    }
}

/// Notes a panic that drops the last of a handle and its clones. When the run itself is dropped it would be too late to ask,
/// because the parent run may keep it open.
///
/// Counts for the queue as a handle, so that the run is not suspended meanwhile.
#[derive(Debug)]
pub(super) struct HandleGuard {
    session: Arc<Session>,
    queue: Arc<Queue>,
}

impl HandleGuard {
    pub(super) fn new(session: &Arc<Session>, queue: &Arc<Queue>) -> Self {
        queue.add_handle();
        Self {
            session: Arc::clone(session),
            queue: Arc::clone(queue),
        }
    }

    /// Called when a handle is closed or dropped.
    pub(super) fn note_panic(&self) {
        if thread::panicking() {
            self.session.has_panicked.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for HandleGuard {
    fn drop(&mut self) {
        self.note_panic();
        self.queue.remove_handle();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::{self, AssertUnwindSafe};
    use std::path::Path;
    use std::sync::Barrier;
    use std::time::UNIX_EPOCH;

    use prost::Message;

    use crate::hparams::SessionStatus;
    use crate::proto::event::What;
    use crate::proto::hparams::HParamsPluginData;
    use crate::proto::hparams::Status::{Failure, Success, Unknown};
    use crate::proto::hparams::h_params_plugin_data::Data;
    use crate::test_io::Tape;
    use crate::writer::tests::{events, patient};
    use crate::{HParams, SummaryWriter, WhenFull};

    use super::*;

    fn hparams() -> HParams {
        HParams::new().set("lr", 0.5)
    }

    /// The tag of each record; for records of a session also its status, and when it starts or ends.
    fn records(bytes: &[u8]) -> Vec<(String, Status, f64)> {
        let records = events(bytes).into_iter().skip(1).map(|event| {
            let Some(What::Summary(summary)) = event.what else {
                panic!("{event:?}");
            };
            let value = &summary.value[0];
            let content = value
                .metadata
                .as_ref()
                .and_then(|metadata| metadata.plugin_data.as_ref())
                .map(|plugin_data| HParamsPluginData::decode(&plugin_data.content[..]).unwrap());
            let (status, time) = match content.and_then(|content| content.data) {
                Some(Data::SessionEndInfo(info)) => (info.status(), info.end_time_secs),
                Some(Data::SessionStartInfo(info)) => (Unknown, info.start_time_secs),
                _ => return (value.tag.clone(), Unknown, 0.0),
            };
            assert_eq!((time, event.step), (event.wall_time, 0));
            (value.tag.clone(), status, time)
        });
        records.collect()
    }

    /// The status of each session end in a file.
    fn ends(bytes: &[u8]) -> Vec<Status> {
        let records = records(bytes).into_iter();
        let ends = records.filter(|(tag, ..)| tag == "_hparams_/session_end_info");
        ends.map(|(_, status, _)| status).collect()
    }

    /// Drops `held` by a panic that prints no message.
    fn unwind<T>(held: T) {
        let caught = panic::catch_unwind(AssertUnwindSafe(move || {
            let _held = held;
            panic::resume_unwind(Box::new(()));
        }));
        assert!(caught.is_err());
    }

    struct ClosedWhenDropped(Option<SummaryWriter>);

    impl Drop for ClosedWhenDropped {
        fn drop(&mut self) {
            self.0.take().unwrap().close().unwrap();
        }
    }

    /// A writer that is the parent of other runs.
    fn parent() -> (tempfile::TempDir, SummaryWriter) {
        let dir = tempfile::tempdir().unwrap();
        let root = patient().create_file_writer(dir.path()).unwrap();
        root.hparams(hparams());
        (dir, root)
    }

    fn ends_of(summary: &Path) -> Vec<Status> {
        ends(&fs::read(summary).unwrap())
    }

    #[test]
    fn close_ends_the_session_with_success_in_the_last_record() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.at(1.5).scope("scope").hparams(hparams());
        summary.scalar("loss", 0.5, 0);
        let before = UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        summary.close().unwrap();
        let after = UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let [start, loss, end] = &records(&tape.bytes())[..] else {
            panic!("{:?}", records(&tape.bytes()));
        };
        assert_eq!(
            *start,
            ("_hparams_/session_start_info".into(), Unknown, 1.5)
        );
        assert_eq!(loss.0, "loss");
        assert_eq!((&end.0[..], end.1), ("_hparams_/session_end_info", Success));
        assert!((before..=after).contains(&end.2), "{}", end.2);
    }

    #[test]
    fn run_without_hyperparameters_has_no_session_end() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.scalar("loss", 0.5, 0);
        summary.close().unwrap();
        assert_eq!(ends(&tape.bytes()), []);
    }

    #[test]
    fn last_handle_ends_the_session() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.hparams(hparams());
        let others = [summary.clone(), summary.scope("scope"), summary.at(1.5)];
        unwind(summary.clone()); // a part of the program failed, not the training
        drop(summary);
        others[0].flush().unwrap();
        assert_eq!(ends(&tape.bytes()), []);
        drop(others);
        assert_eq!(ends(&tape.bytes()), [Success]);
    }

    #[test]
    fn panic_that_drops_the_last_handle_is_a_failure() {
        for how in ["dropped", "closed", "in a thread"] {
            let tape = Tape::new();
            let summary = patient().to_sink(tape.clone()).unwrap();
            summary.hparams(hparams());
            let clone = summary.clone();
            drop(summary);
            match how {
                "dropped" => unwind(clone),
                "closed" => unwind(ClosedWhenDropped(Some(clone))),
                _ => thread::spawn(|| unwind(clone)).join().unwrap(),
            }
            assert_eq!(ends(&tape.bytes()), [Failure], "{how}");
        }
    }

    #[test]
    fn child_run_closed_by_its_parent_ends_as_its_own_handles_did() {
        let (_dir, root) = parent();
        let [dropped, unwound, held] = ["dropped", "unwound", "held"].map(|name| {
            let run = root.run(name).unwrap();
            run.hparams(hparams());
            run
        });
        let paths = [&root, &dropped, &unwound, &held].map(|run| run.path().unwrap());
        drop(dropped);
        unwind(unwound);
        assert_eq!(paths.each_ref().map(|path| ends_of(path)), [[]; 4]);
        root.close().unwrap();
        let want = [vec![Success], vec![Success], vec![Failure], vec![]];
        assert_eq!(paths.each_ref().map(|path| ends_of(path)), want);
        held.close().unwrap();
        assert_eq!(ends_of(&paths[3]), [Success]);
    }

    #[test]
    fn panic_does_not_change_runs_that_were_done_before() {
        let (_dir, root) = parent();
        let [closed, dropped] = ["closed", "dropped"].map(|name| {
            let run = root.run(name).unwrap();
            run.hparams(hparams());
            run
        });
        let paths = [&root, &closed, &dropped].map(|run| run.path().unwrap());
        closed.close().unwrap();
        drop(dropped);
        unwind(root);
        let want = [[Failure], [Success], [Success]];
        assert_eq!(paths.each_ref().map(|path| ends_of(path)), want);
    }

    #[test]
    fn session_end_of_the_caller_is_the_only_one() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.hparams(hparams());
        summary.at(2.5).session_end(SessionStatus::Failure);
        summary.scalar("loss", 0.5, 0);
        summary.close().unwrap();
        let tags = [
            "_hparams_/session_start_info",
            "_hparams_/session_end_info",
            "loss",
        ];
        let records = records(&tape.bytes());
        assert!(records.iter().map(|(tag, ..)| tag).eq(tags), "{records:?}");
        assert_eq!((records[1].1, records[1].2), (Failure, 2.5));
    }

    #[test]
    fn hyperparameters_after_close_are_ignored() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.clone().close().unwrap();
        summary.hparams(hparams());
        assert_eq!(summary.stats().ignored_count, 1);
        summary.close().unwrap();
        assert_eq!(records(&tape.bytes()), []);
    }

    #[test]
    fn concurrent_closes_write_one_session_end() {
        for _ in 0..100 {
            let tape = Tape::new();
            let summary = patient().to_sink(tape.clone()).unwrap();
            summary.hparams(hparams());
            let start = Barrier::new(4);
            thread::scope(|scope| {
                for _ in 0..4 {
                    let handle = summary.clone();
                    scope.spawn(|| {
                        start.wait();
                        handle.close().unwrap();
                    });
                }
            });
            drop(summary);
            assert_eq!(ends(&tape.bytes()), [Success]);
        }
    }

    #[test]
    fn session_end_is_accepted_by_a_full_queue() {
        let tape = Tape::new().gated();
        let options = patient().max_pending_bytes(100);
        let summary = options.when_full(WhenFull::DropNew).to_sink(tape.clone());
        let summary = summary.unwrap();
        tape.permit(1);
        summary.flush().unwrap();
        summary.hparams(hparams()); // more than 100 bytes
        summary.scalar("loss", 0.5, 0);
        assert_eq!(summary.stats().rejected_count, 1, "it is full");
        tape.open();
        summary.close().unwrap();
        assert_eq!(records(&tape.bytes()).len(), 2);
        assert_eq!(ends(&tape.bytes()), [Success]);
    }

    #[test]
    fn failing_sink_delays_the_session_end_and_a_dead_one_loses_it() {
        for recovers in [true, false] {
            let tape = Tape::new().failing_after(0);
            let summary = patient().to_sink(tape.clone()).unwrap();
            summary.hparams(hparams());
            assert!(summary.flush().is_err());
            if recovers {
                tape.recover();
            }
            let other = summary.clone();
            assert_eq!(summary.close().is_ok(), recovers);
            let stats = other.stats();
            let flushed_count = if recovers { 2 } else { 0 };
            assert_eq!(
                (stats.accepted_count, stats.flushed_count),
                (2, flushed_count)
            );
            assert_eq!(ends(&tape.bytes()).len(), usize::from(recovers));
        }
    }
}
