//! Resuming a run: what it removes from older files, what the new file starts with, and that killing the program at any
//! moment loses nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use summary_writer::proto::Event;
use summary_writer::proto::event::What;
use summary_writer::reader::verify;
use summary_writer::record::append_frame;
use summary_writer::training::UpdateFreq;
use summary_writer::{
    Embedding, Error, EventReader, HParams, Layer, Model, SummaryWriter, TrainingLogger,
    WriterOptions,
};

fn resume(step: i64, logdir: &Path) -> SummaryWriter {
    WriterOptions::new()
        .resume(step)
        .create_file_writer(logdir)
        .unwrap()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn events(path: &Path) -> Vec<Event> {
    EventReader::open(path)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Tags and steps of all values, in the order of the files.
fn points(dir: &Path) -> Vec<(String, i64)> {
    let values = |event: Event| {
        let values = match event.what {
            Some(What::Summary(summary)) => summary.value,
            _ => Vec::new(),
        };
        values.into_iter().map(move |value| (value.tag, event.step))
    };
    events(dir).into_iter().flat_map(values).collect()
}

fn of(tag: &str, steps: impl Iterator<Item = i64>) -> Vec<(String, i64)> {
    steps.map(|step| (tag.to_owned(), step)).collect()
}

fn log(summary: &SummaryWriter, tag: &str, steps: impl Iterator<Item = i64>) {
    steps.for_each(|step| summary.scalar(tag, 0.5, step));
}

#[test]
fn resuming_removes_records_at_and_after_the_step() {
    let dir = tempfile::tempdir().unwrap();
    for steps in [0..10, 10..20] {
        let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
        log(&summary, "loss", steps);
        summary.close().unwrap();
    }
    let first = fs::read(&files(dir.path())[0]).unwrap();
    assert_eq!(SummaryWriter::last_step(dir.path()).unwrap(), Some(19));

    let summary = resume(12, dir.path());
    assert_eq!(points(dir.path()), of("loss", 0..12));
    log(&summary, "loss", 12..15);
    let path = summary.path().unwrap().to_owned();
    summary.close().unwrap();
    assert_eq!(points(dir.path()), of("loss", 0..15));
    let files = files(dir.path());
    assert_eq!((files.len(), files.last()), (3, Some(&path)));
    assert_eq!(
        fs::read(&files[0]).unwrap(),
        first,
        "its steps are before 12"
    );
    assert!(verify(dir.path()).unwrap().is_sound());

    // Again, at a step before those of the second file.
    log(&resume(5, dir.path()), "accuracy", 5..7);
    let want = [of("loss", 0..5), of("accuracy", 5..7)].concat();
    assert_eq!(points(dir.path()), want);
    assert_eq!(SummaryWriter::last_step(dir.path()).unwrap(), Some(6));
}

#[test]
fn new_file_starts_with_two_start_records_at_the_step() {
    let dir = tempfile::tempdir().unwrap();
    let summary = resume(7, &dir.path().join("new"));
    let events = events(&summary.path().unwrap());
    // `Event { step: 7, session_log: SessionLog { status: START } }`, and a wall time.
    let marks: Vec<_> = events[1..]
        .iter()
        .map(|event| match &event.what {
            Some(What::SessionLog(log)) => (event.step, log.status),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(marks, [(7, 1), (7, 1)]);
}

#[test]
fn resuming_removes_damaged_records_and_keeps_files_of_other_kinds() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    log(&summary, "loss", 0..10);
    summary.close().unwrap();
    let path = &files(dir.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let len = bytes.len();
    bytes[len - 60] ^= 1; // damages the second last record: each has 44 bytes
    bytes.truncate(len - 10);
    fs::write(path, bytes).unwrap();
    let foreign = dir.path().join("a.tfevents.txt");
    fs::write(&foreign, "notes about tfevents").unwrap();
    fs::write(
        dir.path().join(".summary-writer-repair-1-0"),
        "a copy that was not finished",
    )
    .unwrap();
    fs::write(dir.path().join("notes"), "mine").unwrap();
    assert_eq!(SummaryWriter::last_step(dir.path()).unwrap(), Some(7));

    let summary = resume(100, dir.path());
    assert!(verify(path).unwrap().is_sound());
    assert_eq!(points(path), of("loss", 0..8));
    let names = files(dir.path());
    assert!(foreign.exists() && dir.path().join("notes").exists());
    assert_eq!(names.len(), 4, "{names:?}");
    summary.close().unwrap();
}

#[test]
fn resumed_run_keeps_its_hyperparameters_and_continues_its_session() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    summary.hparams(HParams::new().set("rate", 0.1));
    assert_eq!(SummaryWriter::last_step(dir.path()).unwrap(), None);
    log(&summary, "loss", 0..3);
    summary.close().unwrap();
    let tags = |dir| {
        points(dir)
            .into_iter()
            .map(|(tag, _)| tag)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        tags(dir.path()).last().unwrap(),
        "_hparams_/session_end_info"
    );
    let summary = resume(0, dir.path());
    assert_eq!(tags(dir.path()), ["_hparams_/session_start_info"]);
    summary.close().unwrap();
    let whole = ["_hparams_/session_start_info", "_hparams_/session_end_info"];
    assert_eq!(tags(dir.path()), whole);
    // A program that logs its hyperparameters at each start causes no second row and no warning.
    let summary = resume(0, dir.path());
    summary.hparams(HParams::new().set("rate", 0.1));
    summary.close().unwrap();
    assert_eq!(tags(dir.path()), [whole[0], whole[0], whole[1]]);
    // A run without a session gets no end of a session.
    resume(0, &dir.path().join("none")).close().unwrap();
    assert_eq!(tags(&dir.path().join("none")), [""; 0]);
}

#[test]
fn run_that_logs_its_model_again_has_one_graph() {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::new("m", [Layer::new("x", "Dense")]).unwrap();
    let graphs = || {
        let is_graph = |event: &Event| matches!(event.what, Some(What::GraphDef(_)));
        events(dir.path())
            .iter()
            .filter(|event| is_graph(event))
            .count()
    };
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    summary.model(&model);
    summary.close().unwrap();
    assert_eq!(SummaryWriter::last_step(dir.path()).unwrap(), None);

    let summary = resume(1, dir.path());
    summary.model(&model);
    assert_eq!(
        summary.stats().rejected_graph_count,
        0,
        "programs log their model at each start"
    );
    summary.model(&model);
    assert_eq!(summary.stats().rejected_graph_count, 1);
    summary.close().unwrap();
    assert_eq!((graphs(), points(dir.path())), (1, of("keras", 0..1)));
    // At step 0, the run starts again, so it may have another model.
    let summary = resume(0, dir.path());
    assert_eq!(graphs(), 0);
    summary.model(&model);
    summary.close().unwrap();
    assert_eq!((graphs(), points(dir.path())), (1, of("keras", 0..1)));
}

#[test]
fn tag_that_goes_back_from_its_last_kept_step_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let log_all = |summary: SummaryWriter, steps: std::ops::Range<i64>| {
        summary.text("config", "the same at each start", 0);
        summary.hparams(HParams::new().set("rate", 0.1));
        log(&summary, "loss", steps.clone());
        // An epoch has four steps.
        log(&summary, "accuracy", steps.start / 4..steps.end / 4);
        summary.flush().unwrap();
        let stats = summary.stats();
        (
            stats.backward_tag_count,
            stats.repeated_tag_count,
            stats.mixed_tag_count,
        )
    };
    let first = SummaryWriter::create_file_writer(dir.path()).unwrap();
    assert_eq!(log_all(first, 0..40), (0, 0, 0));
    // All accuracies from 0 to 9 stay, because they are before step 20, which was meant for the loss.
    assert_eq!(log_all(resume(20, dir.path()), 20..30), (1, 0, 0));
    assert_eq!(log_all(resume(100, dir.path()), 100..110), (0, 0, 0));
    let summary = resume(200, dir.path());
    summary.histogram("loss", [1.0], 200);
    summary.flush().unwrap();
    assert_eq!(summary.stats().mixed_tag_count, 1);
}

#[test]
fn resuming_removes_embeddings_at_and_after_the_step() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for step in 0..4 {
        let words = Embedding::new("words", &[1.0, 2.0], 1).unwrap();
        summary.embedding(words, step).unwrap();
    }
    summary.close().unwrap();
    resume(2, dir.path()).close().unwrap();
    let config = fs::read_to_string(dir.path().join("projector_config.pbtxt")).unwrap();
    let listed = (0..4).filter(|step| config.contains(&format!("words:{step:05}")));
    assert!(listed.eq(0..2), "{config}");
    let has_files = (0..4).filter(|step| dir.path().join(format!("{step:05}/words")).exists());
    assert!(has_files.eq(0..2));
}

#[test]
fn run_that_is_open_in_this_process_cannot_be_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let root = SummaryWriter::create_file_writer(dir.path()).unwrap();
    let open = root.run("run").unwrap();
    log(&open, "loss", 0..10);
    let handle = open.clone();
    let options = || WriterOptions::new().resume(5);
    // The same directory by another path.
    for dir in [&run, &dir.path().join("run/../run")] {
        let error = options().create_file_writer(dir).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
        assert!(
            error.to_string().contains("is open in another writer"),
            "{error}"
        );
    }
    open.close().unwrap();
    assert_eq!(points(&run), of("loss", 0..10), "nothing was removed");
    options().create_file_writer(&run).unwrap().close().unwrap();
    assert_eq!(points(&run), of("loss", 0..5));
    drop(handle);
}

#[test]
fn resuming_keeps_files_and_directories_of_the_user() {
    let dir = tempfile::tempdir().unwrap();
    let user = |name: &str| dir.path().join(name);
    let names = [
        ".repair-1-0",
        ".summary-writer-repair-",
        ".summary-writer-repair-1",
        ".summary-writer-repair-1-0-notes",
        "summary-writer-repair-1-0",
    ];
    for name in names {
        fs::write(user(name), "mine").unwrap();
    }
    fs::create_dir(user(".summary-writer-repair-7-7")).unwrap();
    resume(5, dir.path()).close().unwrap();
    assert!(names.iter().all(|name| user(name).exists()));
    assert!(user(".summary-writer-repair-7-7").exists());
}

#[test]
fn training_logger_needs_the_number_of_batches_to_resume() {
    let dir = tempfile::tempdir().unwrap();
    let summary = resume(3, dir.path());
    let mut training = TrainingLogger::with_writer(&summary).update_freq(UpdateFreq::Batch);
    let error = training.on_train_begin().unwrap_err();
    assert_eq!(
        error.to_string(),
        "training: a `TrainingLogger` counts epochs and batches, so its run must be resumed by \
         `resume_training(epoch, batches)`, got `resume(3)`"
    );
    training.on_batch_end([("loss", 0.5)]);
    assert!(training.on_train_end().is_err());
    assert!(!dir.path().join("train").exists());
}

#[test]
fn child_run_is_resumed_when_it_is_first_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (train, other) = (dir.path().join("train"), dir.path().join("other"));
    for run in [&train, &other] {
        let summary = SummaryWriter::create_file_writer(run).unwrap();
        log(&summary, "loss", 0..10);
    }
    let summary = resume(4, dir.path());
    assert_eq!(points(&train), of("loss", 0..10), "it is not open yet");
    for steps in [4..6, 6..8] {
        let run = summary.run("train").unwrap();
        log(&run, "loss", steps);
        run.close().unwrap();
    }
    assert_eq!(points(&train), of("loss", 0..8));
    assert_eq!(points(&other), of("loss", 0..10));
}

#[test]
fn resume_handles_missing_runs_streams_and_unordered_files() {
    assert_eq!(SummaryWriter::last_step("no/such/run").unwrap(), None);
    let error = WriterOptions::new()
        .resume(1)
        .to_sink(Vec::new())
        .unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");

    // Another writer may write steps in any order, and no version record.
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    for step in [9, 1, 5] {
        append_frame(&[0x10, step], &mut bytes); // an event with a step (field 2, a varint) and no values
    }
    let path = dir.path().join("tfevents");
    fs::write(&path, bytes).unwrap();
    assert_eq!(SummaryWriter::last_step(dir.path()).unwrap(), None);
    resume(5, dir.path()).close().unwrap();
    let steps: Vec<_> = events(&path).iter().map(|event| event.step).collect();
    assert_eq!(steps, [1]);
}

const KILLED: &str = "SUMMARY_WRITER_TEST_RESUMES";
const KEPT: i64 = 2_000;
const ALL: i64 = 6_000;

/// The program that the next test kills. Without a directory in its environment, it does nothing.
#[test]
fn program_that_resumes() {
    if let Some(logdir) = env::var_os(KILLED) {
        log(&resume(KEPT, Path::new(&logdir)), "loss", KEPT..ALL);
    }
}

#[test]
fn killing_a_program_while_it_resumes_loses_no_record_before_the_step() {
    let dir = tempfile::tempdir().unwrap();
    // Both files have steps before and after `KEPT`.
    for odd in [0, 1] {
        let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
        log(&summary, "loss", (0..ALL).filter(|step| step % 2 == odd));
        summary.close().unwrap();
    }
    let kept = |dir: &Path| {
        let mut steps: Vec<_> = points(dir).into_iter().map(|(_, step)| step).collect();
        steps.retain(|step| *step < KEPT);
        steps.sort_unstable();
        assert!(steps.into_iter().eq(0..KEPT));
    };
    let originals: Vec<_> = files(dir.path())
        .into_iter()
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    let (mut finished, mut untouched) = (0, 0);
    let start = || {
        for (bytes, path) in &originals {
            fs::write(path, bytes).unwrap();
        }
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "program_that_resumes"])
            .env(KILLED, dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let begun = Instant::now();
    assert!(start().wait().unwrap().success());
    let whole = begun.elapsed();
    let mut kill = 0;
    // Each kill comes later than the one before. The first 20 come before the program would end. On a slow machine, this goes
    // on until a program has replaced both files.
    while kill < 40 || finished == 0 {
        let mut child = start();
        thread::sleep(whole * kill / 20);
        kill += 1;
        child.kill().unwrap();
        child.wait().unwrap();
        kept(dir.path());
        let is_original = |(bytes, path): &(Vec<u8>, PathBuf)| fs::read(path).unwrap() == *bytes;
        match originals.iter().filter(|file| is_original(file)).count() {
            0 => finished += 1,
            2 => untouched += 1,
            _ => {}
        }
        // Remove the new file, because the next start would resume it, too.
        for path in files(dir.path()) {
            let is_old = originals.iter().any(|(_, old)| *old == path);
            let is_copy = path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(".summary-writer-repair-");
            if !is_old && !is_copy {
                fs::remove_file(path).unwrap();
            }
        }
    }
    assert!(
        untouched > 0,
        "the first kill comes before the program starts to resume"
    );
    resume(KEPT, dir.path()).close().unwrap();
    kept(dir.path());
    assert_eq!(points(dir.path()).len(), usize::try_from(KEPT).unwrap());
    assert_eq!(files(dir.path()).len(), 3, "a temporary file is left");
}

#[test]
fn more_epochs_than_batches_are_swapped_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let open = |epoch, batches| {
        let options = WriterOptions::new().resume_training(epoch, batches);
        options.create_file_writer(dir.path()).map(drop)
    };
    let error = open(25, 2).unwrap_err().to_string();
    assert!(error.contains("got 25 epochs and 2 batches"), "{error}");
    for (epoch, batches) in [(2, 25), (2, 2), (2, 0), (0, 0)] {
        open(epoch, batches).unwrap();
    }
}

#[test]
fn training_resumes_at_its_epoch_and_its_batch() {
    let dir = tempfile::tempdir().unwrap();
    // An epoch has three batches. The first program dies in the middle of epoch 3. Its last checkpoint is after epoch 1.
    let train = |options: WriterOptions, epochs: std::ops::Range<i64>, is_killed: bool| {
        let summary = options.create_file_writer(dir.path()).unwrap();
        let mut training =
            TrainingLogger::with_writer(&summary.scope("net")).update_freq(UpdateFreq::Batch);
        training.on_train_begin().unwrap();
        let train = training.train().unwrap();
        for epoch in epochs {
            train.scalar("batch_size", 32, epoch);
            for _ in 0..3 {
                training.on_batch_end([("loss", 0.5)]);
            }
            training.on_test_end([("loss", 0.5)]);
            training.on_epoch_end(epoch, [("loss", 0.5), ("val_loss", 0.5)]);
        }
        if is_killed {
            training.on_batch_end([("loss", 0.5)]);
        }
        training.on_train_end().unwrap();
        drop(train);
        summary.close().unwrap();
    };
    train(WriterOptions::new(), 0..3, true);
    train(WriterOptions::new().resume_training(2, 6), 2..5, false);

    let of_run = |run: &str, tag: &str| {
        let points = points(&dir.path().join(run)).into_iter();
        let of_tag = points.filter(|(of, _)| of == tag);
        of_tag.map(|(_, step)| step).collect::<Vec<_>>()
    };
    assert!(of_run("train", "net/batch_loss").into_iter().eq(1..=15));
    assert!(of_run("train", "net/epoch_loss").into_iter().eq(0..5));
    assert!(of_run("train", "net/batch_size").into_iter().eq(0..5));
    assert!(of_run("validation", "net/epoch_loss").into_iter().eq(0..5));
    let evaluations = of_run("validation", "net/evaluation_loss_vs_iterations");
    assert_eq!(evaluations, [3, 6, 9, 12, 15]);
}
