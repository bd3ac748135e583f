//! `TrainingLogger` uses the runs, tags and steps of the `TensorBoard` callback of Keras.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use summary_writer::proto::event::What;
use summary_writer::training::UpdateFreq;
use summary_writer::{Error, EventReader, SummaryWriter, Tag, TrainingLogger, WriterOptions};
use summary_writer::{Layer, Model};

/// The steps of each tag of a run, with the values of scalars.
fn points(run: &Path) -> BTreeMap<String, Vec<(i64, f32)>> {
    let mut points = BTreeMap::<_, Vec<_>>::new();
    for event in EventReader::open(run).unwrap() {
        let event = event.unwrap();
        if let Some(What::Summary(summary)) = event.what {
            for value in summary.value {
                let scalar = value.scalar().unwrap_or(f32::NAN);
                let of_tag = points.entry(value.tag).or_default();
                of_tag.push((event.step, scalar));
            }
        }
    }
    points
}

fn tags(run: &Path) -> Vec<String> {
    points(run).into_keys().collect()
}

/// Two epochs of three batches.
fn train(mut training: TrainingLogger) -> Result<(), Error> {
    training.on_train_begin()?;
    for epoch in 0..2u8 {
        for batch in 0..3u8 {
            training.on_batch_end([("loss", 10 * epoch + batch)]);
        }
        training.on_test_end([("loss", 50 + epoch)]);
        training.on_epoch_end(epoch, [("loss", 20 + epoch), ("val_loss", 30 + epoch)]);
    }
    training.on_train_end()
}

#[test]
fn epochs_have_the_tags_of_keras() {
    let dir = tempfile::tempdir().unwrap();
    train(TrainingLogger::new(dir.path())).unwrap();
    let of_train = points(&dir.path().join("train"));
    assert_eq!(
        of_train,
        BTreeMap::from([("epoch_loss".into(), vec![(0, 20.0), (1, 21.0)])])
    );
    let of_validation = points(&dir.path().join("validation"));
    let evaluations = "evaluation_loss_vs_iterations";
    assert_eq!(
        of_validation,
        BTreeMap::from([
            ("epoch_loss".into(), vec![(0, 30.0), (1, 31.0)]),
            // After three batches and after six.
            (evaluations.into(), vec![(3, 50.0), (6, 51.0)]),
        ])
    );
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        2,
        "two runs, no more"
    );
}

#[test]
fn batches_count_from_one_over_all_epochs() {
    let every = vec![
        (1, 0.0),
        (2, 1.0),
        (3, 2.0),
        (4, 10.0),
        (5, 11.0),
        (6, 12.0),
    ];
    let second = vec![(2, 1.0), (4, 10.0), (6, 12.0)];
    for (update_freq, want) in [
        (UpdateFreq::Batch, Some(every)),
        (UpdateFreq::Steps(2), Some(second)),
        (UpdateFreq::Steps(7), None),
        (UpdateFreq::Steps(0), None),
        (UpdateFreq::Epoch, None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        train(TrainingLogger::new(dir.path()).update_freq(update_freq)).unwrap();
        let got = points(&dir.path().join("train")).remove("batch_loss");
        assert_eq!(got, want, "{update_freq:?}");
    }
}

#[test]
fn resumed_training_continues_to_count_batches() {
    let dir = tempfile::tempdir().unwrap();
    let options = WriterOptions::new().resume_training(0, 99);
    let summary = options.create_file_writer(dir.path()).unwrap();
    let mut training = TrainingLogger::with_writer(&summary).update_freq(UpdateFreq::Steps(10));
    assert!(training.is_batch_due(), "the hundredth");
    training.on_batch_end([("loss", 0.5)]);
    assert!(!training.is_batch_due());
    training.on_batch_end([("loss", 0.5)]);
    training.on_train_end().unwrap();
    let points = points(&dir.path().join("train"));
    assert_eq!(points["batch_loss"], [(100, 0.5)]);
}

#[test]
fn steps_per_second_count_batches() {
    let dir = tempfile::tempdir().unwrap();
    let training = TrainingLogger::new(dir.path())
        .update_freq(UpdateFreq::Batch)
        .write_steps_per_second(true);
    train(training).unwrap();
    let points = points(&dir.path().join("train"));
    let steps = |tag: &str| {
        points[tag]
            .iter()
            .map(|(step, _)| *step)
            .collect::<Vec<_>>()
    };
    assert_eq!(steps("epoch_steps_per_second"), [0, 1]);
    assert_eq!(steps("batch_steps_per_second"), [1, 2, 3, 4, 5, 6]);
    // The speed of an epoch of three batches is between the lowest and the highest speed of its batches.
    for (epoch, batches) in points["batch_steps_per_second"].chunks(3).enumerate() {
        let of_batches = batches.iter().map(|(_, speed)| *speed);
        let slowest = of_batches.clone().fold(f32::MAX, f32::min);
        let fastest = of_batches.fold(0.0, f32::max);
        let (_, speed) = points["epoch_steps_per_second"][epoch];
        let bounds = 0.999 * slowest..=1.001 * fastest;
        assert!(bounds.contains(&speed), "{speed} in {bounds:?}");
    }

    // An epoch without a batch has no speed.
    let dir = tempfile::tempdir().unwrap();
    let mut training = TrainingLogger::new(dir.path()).write_steps_per_second(true);
    training.on_epoch_end(0, [("loss", 1)]);
    training.on_train_end().unwrap();
    assert_eq!(tags(&dir.path().join("train")), ["epoch_loss"]);
}

#[test]
fn weights_are_logged_every_histogram_freq_epochs() {
    for (histogram_freq, want) in [(0, vec![]), (1, vec![0, 1, 2, 3, 4]), (2, vec![0, 2, 4])] {
        let dir = tempfile::tempdir().unwrap();
        let mut training = TrainingLogger::new(dir.path()).histogram_freq(histogram_freq);
        training.on_train_begin().unwrap();
        let mut asked = Vec::new();
        for epoch in 0..5 {
            let returned = training.weights(epoch, |weights| {
                asked.push(epoch);
                weights.add("dense/kernel:0", &[2, 2], &[0.5, 1.0, 1.5, 2.0]);
                "what it returns"
            });
            assert_eq!(returned.is_some(), asked.last() == Some(&epoch));
        }
        training.on_train_end().unwrap();
        assert_eq!(asked, want, "every {histogram_freq}");
        let points = points(&dir.path().join("train"));
        let steps = points.get("dense/kernel_0/histogram");
        let steps = steps.map(|points| points.iter().map(|(step, _)| *step).collect());
        assert_eq!(steps, (!want.is_empty()).then_some(want));
    }
}

/// Width and height of each picture, from the value's strings.
#[cfg(feature = "png")]
fn pictures(run: &Path) -> BTreeMap<String, (String, String)> {
    let mut pictures = BTreeMap::new();
    for event in EventReader::open(run).unwrap() {
        if let Some(What::Summary(summary)) = event.unwrap().what {
            for value in summary.value {
                if let Some(name) = value.tag.strip_suffix("/image") {
                    let Some(summary_writer::proto::summary::value::Value::Tensor(tensor)) =
                        &value.value
                    else {
                        panic!("{value:?}");
                    };
                    let [width, height, _] = &tensor.string_val[..] else {
                        panic!("one picture: {name}");
                    };
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    pictures.insert(name.to_owned(), (text(width), text(height)));
                }
            }
        }
    }
    pictures
}

#[cfg(feature = "png")]
#[test]
fn pictures_of_weights_follow_their_shape() {
    let dir = tempfile::tempdir().unwrap();
    let mut training = TrainingLogger::new(dir.path())
        .histogram_freq(1)
        .write_images(true);
    let shapes: [(&str, &[usize]); 9] = [
        ("bias", &[7]),
        ("high", &[5, 3]),
        ("wide", &[3, 5]),
        ("squeezed", &[1, 3, 1, 5, 1]),
        // Nine kernels of 4 rows and 2 columns: 3 by 3, with two pixels between and around them.
        ("kernels", &[9, 4, 2]),
        // The first 64 of 100: 8 by 8.
        ("many kernels", &[100, 2, 2]),
        ("four dimensions", &[2, 2, 2, 2]),
        ("one number", &[1]),
        ("none", &[0, 3]),
    ];
    training.weights(0, |weights| {
        for (name, shape) in shapes {
            let values = vec![0.5; shape.iter().product()];
            weights.add(name, shape, &values);
        }
        weights.add("of zeros", &[2, 2], &[0.0f32; 4]);
        weights.add("of nothing finite", &[2, 2], &[f32::NAN; 4]);
    });
    training.on_train_end().unwrap();
    let got = pictures(&dir.path().join("train"));
    let want = [
        ("bias", "7", "1"),
        ("high", "5", "3"),
        ("kernels", "14", "20"),
        ("many kernels", "34", "34"),
        ("of nothing finite", "2", "2"),
        ("of zeros", "2", "2"),
        ("squeezed", "5", "3"),
        ("wide", "5", "3"),
    ];
    let want = want.map(|(name, width, height)| (name.to_owned(), (width.into(), height.into())));
    assert_eq!(got, BTreeMap::from(want));
}

#[test]
fn wrong_shape_of_a_weight_is_an_error_of_on_train_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut training = TrainingLogger::new(dir.path()).histogram_freq(1);
    training.weights(0, |weights| {
        weights.add("kernel", &[2, 3], &[0.5; 5]);
        weights.add("huge", &[usize::MAX, 2], &[0.5; 5]);
        weights.add("sound", &[5], &[0.5; 5]);
    });
    let error = training.on_train_end().unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("\"kernel\"") && message.contains("[2, 3]") && message.contains('5'),
        "{message}"
    );
    let names = ["huge", "kernel", "sound"].map(|name| format!("{name}/histogram"));
    assert_eq!(tags(&dir.path().join("train")), names);
}

#[test]
fn model_is_the_graph_of_the_run_train() {
    let model = Model::new("net", [Layer::input_layer("pixels", [None, Some(4)])]).unwrap();
    for (write_graph, want) in [(true, vec!["keras".to_owned()]), (false, vec![])] {
        let dir = tempfile::tempdir().unwrap();
        let mut training = TrainingLogger::new(dir.path()).write_graph(write_graph);
        training.on_train_begin().unwrap();
        training.set_model(&model);
        training.on_train_end().unwrap();
        assert_eq!(tags(&dir.path().join("train")), want);
    }
}

#[test]
fn logger_of_a_writer_shares_its_options_and_runs() {
    let dir = tempfile::tempdir().unwrap();
    let options = WriterOptions::new().filename_suffix(".of-the-writer");
    let summary = options.create_file_writer(dir.path()).unwrap();
    let mut training = TrainingLogger::with_writer(&summary.at(7.0));
    training.on_train_begin().unwrap();
    let described = Tag::new("loss").description("in nats");
    training.on_epoch_end(0, [(described, 0.5)]);
    training.train().unwrap().scalar("extra", 1, 0);
    training.validation().unwrap().scalar("extra", 2, 0);
    training.on_train_end().unwrap();
    summary.run("train").unwrap().scalar("extra", 3, 1);
    summary.close().unwrap();

    let train = dir.path().join("train");
    assert_eq!(tags(&train), ["epoch_loss", "extra"]);
    assert_eq!(points(&train)["extra"], [(0, 1.0), (1, 3.0)]);
    assert_eq!(tags(&dir.path().join("validation")), ["extra"]);
    let files: Vec<_> = fs::read_dir(&train).unwrap().collect();
    assert_eq!(files.len(), 1);
    let name = files[0].as_ref().unwrap().file_name();
    assert!(name.to_str().unwrap().ends_with(".of-the-writer"));
    for event in EventReader::open(&train).unwrap().map(Result::unwrap) {
        if let Some(What::Summary(summary)) = event.what
            && summary.value[0].tag == "epoch_loss"
        {
            assert_eq!(event.wall_time, 7.0);
            let metadata = summary.value[0].metadata.as_ref().unwrap();
            assert_eq!(metadata.summary_description, "in nats");
        }
    }
}

#[test]
fn run_that_cannot_be_opened_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file, no directory");
    fs::write(&file, "").unwrap();
    let error = TrainingLogger::new(&file).on_train_begin().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");

    let mut training = TrainingLogger::new(&file)
        .histogram_freq(1)
        .update_freq(UpdateFreq::Batch);
    training.on_batch_end([("loss", 1)]);
    training.on_epoch_end(0, [("loss", 1), ("val_loss", 1)]);
    assert_eq!(training.weights(0, |_| ()), None);
    let error = training.on_train_end().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");

    // The writer is closed.
    let summary = SummaryWriter::create_file_writer(dir.path().join("run")).unwrap();
    let mut training = TrainingLogger::with_writer(&summary);
    summary.close().unwrap();
    assert!(matches!(training.on_train_begin(), Err(Error::Closed)));
}

#[test]
fn skipped_steps_of_the_writer_are_not_due() {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    for (writer, due) in [
        (SummaryWriter::disabled(), [false, false, false]),
        (summary.record_every(2), [false, true, false]),
    ] {
        let mut training = TrainingLogger::with_writer(&writer)
            .update_freq(UpdateFreq::Batch)
            .histogram_freq(1)
            .write_images(true);
        for due in due {
            assert_eq!(training.is_batch_due(), due);
            training.on_batch_end([("loss", 0.5)]);
        }
        assert_eq!(training.weights(1, |_| ()), None);
        training.on_train_end().unwrap();
    }
    summary.close().unwrap();
    assert_eq!(points(&dir.path().join("train"))["batch_loss"], [(2, 0.5)]);
}

#[test]
fn metrics_may_be_a_borrowed_map() {
    let dir = tempfile::tempdir().unwrap();
    let mut training = TrainingLogger::new(dir.path());
    let metrics = BTreeMap::from([("loss", 0.5f32), ("val_loss", 0.25)]);
    training.on_epoch_end(0, &metrics);
    let metrics = BTreeMap::from([("loss".to_owned(), 0.125f32)]);
    training.on_epoch_end(1, &metrics);
    training.on_train_end().unwrap();
    let points = points(&dir.path().join("train"));
    assert_eq!(points["epoch_loss"], [(0, 0.5), (1, 0.125)]);
}

#[test]
fn largest_batch_count_does_not_panic() {
    let dir = tempfile::tempdir().unwrap();
    let options = WriterOptions::new().resume_training(0, u64::MAX);
    let summary = options.create_file_writer(dir.path()).unwrap();
    let mut training = TrainingLogger::with_writer(&summary).update_freq(UpdateFreq::Batch);
    assert!(training.is_batch_due());
    training.on_batch_end([("loss", 0.5)]);
    training.on_train_end().unwrap();
    assert_eq!(
        points(&dir.path().join("train"))["batch_loss"],
        [(i64::MAX, 0.5)]
    );
}
