//! A run that has logged hyperparameters is a session: when its writer is closed, it says how it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use super::run_name::RunName;
use crate::proto::hparams::Status;

/// What makes the last record of a session. A program that has none has nothing of it in its binary.
pub(super) type EndFrame = fn(Status) -> Vec<u8>;

#[derive(Debug, Default)]
pub(super) struct Session {
    /// Once it has started, by this writer or by one before it.
    end_frame: OnceLock<EndFrame>,
    started: AtomicBool,
    restarted: AtomicBool,
    ended: AtomicBool,
    failed: AtomicBool,
}

impl Session {
    pub(super) fn start(&self, run_name: &RunName, end_frame: EndFrame) {
        self.go_on(end_frame);
        let is_again = self.started.swap(true, Ordering::Relaxed);
        if is_again && !self.restarted.swap(true, Ordering::Relaxed) {
            log::warn!(
                "{run_name}hyperparameters are logged again in one run: stock TensorBoard keeps the first"
            );
        }
    }

    /// It was started by an earlier writer of the run.
    pub(super) fn go_on(&self, end_frame: EndFrame) {
        self.end_frame.get_or_init(|| end_frame);
    }

    /// The caller has said how it ended.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Who logged is done with it: by a panic, if this thread unwinds.
    pub(super) fn leave(&self) {
        if thread::panicking() {
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    /// The last record of a writer that is closed now; empty where there is nothing to end.
    pub(super) fn end_frame(&self) -> Vec<u8> {
        let Some(end_frame) = self.end_frame.get() else {
            return Vec::new();
        };
        if self.ended.load(Ordering::Relaxed) {
            return Vec::new();
        }
        end_frame(match self.failed.load(Ordering::Relaxed) {
            true => Status::Failure,
            false => Status::Success,
        })
    }
}

/// Shared by a handle and its clones: the last of them leaves the session.
///
/// The drop of the run itself would be too late to ask whether the thread unwinds, for the run above may keep it open.
#[derive(Debug)]
pub(super) struct Visit(pub(super) Arc<Session>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.leave();
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

    use crate::proto::event::What;
    use crate::proto::hparams::HParamsPluginData;
    use crate::proto::hparams::Status::{Failure, Success, Unknown};
    use crate::proto::hparams::h_params_plugin_data::Data;
    use crate::test_io::Tape;
    use crate::writer::tests::{events, patient};
    use crate::{HParams, SessionStatus, SummaryWriter, WhenFull};

    use super::*;

    fn hparams() -> HParams {
        HParams::new().set("lr", 0.5)
    }

    /// What a file says, by tag; of a session also how and when it starts and ends.
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

    /// The ends of the session in a file.
    fn ends(bytes: &[u8]) -> Vec<Status> {
        let records = records(bytes).into_iter();
        let ends = records.filter(|(tag, ..)| tag == "_hparams_/session_end_info");
        ends.map(|(_, status, _)| status).collect()
    }

    /// Unwinds what holds `held`, without the message of a panic.
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

    /// A logdir's own writer, and the file of a run below it.
    fn family() -> (tempfile::TempDir, SummaryWriter) {
        let dir = tempfile::tempdir().unwrap();
        let root = patient().create_file_writer(dir.path()).unwrap();
        root.hparams(hparams());
        (dir, root)
    }

    fn ends_of(summary: &Path) -> Vec<Status> {
        ends(&fs::read(summary).unwrap())
    }

    #[test]
    fn closing_is_the_last_record_and_a_success() {
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
    fn a_run_without_hyperparameters_has_no_end() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.scalar("loss", 0.5, 0);
        summary.close().unwrap();
        assert_eq!(ends(&tape.bytes()), []);
    }

    #[test]
    fn of_many_handles_the_last_ends_it() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.hparams(hparams());
        let others = [summary.clone(), summary.scope("scope"), summary.at(1.5)];
        unwind(summary.clone()); // a part of the program that failed, not the training
        drop(summary);
        others[0].flush().unwrap();
        assert_eq!(ends(&tape.bytes()), []);
        drop(others);
        assert_eq!(ends(&tape.bytes()), [Success]);
    }

    #[test]
    fn a_panic_that_unwinds_the_last_handle_is_a_failure() {
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
    fn a_run_that_another_closes_ends_as_its_own_user_left_it() {
        let (_dir, root) = family();
        let [dropped, unwound, held] = ["dropped", "unwound", "held"].map(|name| {
            let run = root.run(name).unwrap();
            run.hparams(hparams());
            run
        });
        let paths = [&root, &dropped, &unwound, &held].map(|run| run.path().unwrap().to_owned());
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
    fn a_panic_changes_nothing_about_runs_that_were_done_before() {
        let (_dir, root) = family();
        let [closed, dropped] = ["closed", "dropped"].map(|name| {
            let run = root.run(name).unwrap();
            run.hparams(hparams());
            run
        });
        let paths = [&root, &closed, &dropped].map(|run| run.path().unwrap().to_owned());
        closed.close().unwrap();
        drop(dropped);
        unwind(root);
        let want = [[Failure], [Success], [Success]];
        assert_eq!(paths.each_ref().map(|path| ends_of(path)), want);
    }

    #[test]
    fn what_the_caller_says_of_its_end_is_all_that_is_said() {
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
    fn what_comes_after_the_end_is_ignored() {
        let tape = Tape::new();
        let summary = patient().to_sink(tape.clone()).unwrap();
        summary.clone().close().unwrap();
        summary.hparams(hparams());
        assert_eq!(summary.stats().ignored_count, 1);
        summary.close().unwrap();
        assert_eq!(records(&tape.bytes()), []);
    }

    #[test]
    fn however_many_close_it_there_is_one_end() {
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
    fn an_end_needs_no_room() {
        let tape = Tape::new().gated();
        let options = patient().max_pending_bytes(100);
        let summary = options.when_full(WhenFull::DropNew).to_sink(tape.clone());
        let summary = summary.unwrap();
        tape.permit(1);
        summary.flush().unwrap();
        summary.hparams(hparams()); // more than 100 bytes
        summary.scalar("loss", 0.5, 0);
        assert_eq!(summary.stats().refused_count, 1, "it is full");
        tape.open();
        summary.close().unwrap();
        assert_eq!(records(&tape.bytes()).len(), 2);
        assert_eq!(ends(&tape.bytes()), [Success]);
    }

    #[test]
    fn a_sink_that_fails_delays_the_end_and_a_dead_one_loses_it() {
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
