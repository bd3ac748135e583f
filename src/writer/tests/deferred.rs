//! Records that the worker encodes, among those that the caller encodes.

use super::*;
use crate::Image;

/// Logs three records, of which the second is deferred.
fn log(summary: &SummaryWriter) {
    let summary = summary.at(1.0);
    summary.scalar("loss", 0.5, 0);
    summary.image("input", Image::gray8(9, 7, [3; 63]).unwrap(), 1);
    summary.scalar("loss", 0.5, 2);
}

#[test]
fn image_keeps_its_place_and_the_wall_time_of_its_call() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let scope = summary.scope("encoder");
    for step in 0..50 {
        summary.at(f64::from(step)).scalar("loss", 0.5, step);
        let image = Image::rgb8(5, 3, [7; 45]).unwrap();
        scope.at(f64::from(step)).image("input", image, step);
    }
    assert_eq!(summary.stats().accepted_count, 100);
    summary.flush().unwrap();
    assert_eq!(summary.stats().flushed_count, 100);
    assert_eq!(summary.stats().pending_bytes, 0);
    let want = (0..50)
        .flat_map(|step| ["loss", "encoder/input"].map(|tag| (tag.to_owned(), step, step as f64)));
    assert!(points(&tape.bytes()).into_iter().eq(want));
}

#[test]
fn deferred_records_are_encoded_on_the_writers_thread() {
    let summary = patient().to_sink(Tape::new()).unwrap();
    let (sender, receiver) = mpsc::channel();
    summary.push_deferred(0, 1, move |_| {
        sender
            .send(thread::current().name().map(str::to_owned))
            .unwrap();
        Ok(())
    });
    summary.flush().unwrap();
    assert_eq!(receiver.recv().unwrap().as_deref(), Some("summary-writer"));
}

#[test]
fn sink_that_fails_at_any_byte_and_recovers_gets_an_image_once() {
    let whole = {
        let tape = Tape::new();
        let summary = skipping_version(&tape);
        log(&summary);
        summary.close().unwrap();
        tape.bytes()
    };
    for stop in 0..whole.len() {
        let tape = Tape::new().failing_after(stop);
        let summary = skipping_version(&tape);
        log(&summary);
        assert!(summary.flush().is_err(), "failed at byte {stop}");
        tape.recover();
        summary.flush().unwrap();
        assert_eq!(tape.bytes(), whole, "failed at byte {stop}");
    }
}

#[test]
fn with_no_interval_an_image_is_written_before_its_call_returns() {
    let tape = Tape::new();
    let options = WriterOptions::new().flush_interval(Duration::ZERO);
    let summary = options.to_sink(tape.clone()).unwrap();
    log(&summary);
    assert_eq!(steps(&tape.bytes()), [0, 1, 2]);
}

#[test]
fn pixels_of_a_waiting_image_count_as_pending() {
    let tape = Tape::new().gated();
    let summary = patient()
        .max_pending_bytes(2500)
        .when_full(WhenFull::DropNew)
        .to_sink(tape.clone())
        .unwrap();
    let image = || Image::gray8(100, 10, vec![0; 1000]).unwrap();
    for step in 0..3 {
        summary.image("input", image(), step);
    }
    let stats = summary.stats();
    assert_eq!((stats.accepted_count, stats.refused_count), (2, 1));
    assert!((2000..2500).contains(&stats.pending_bytes), "{stats:?}");
    tape.open();
    summary.flush().unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 1]);
}

#[test]
fn record_that_cannot_be_encoded_does_not_affect_others() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    summary.scalar("loss", 0.5, 0);
    summary.push_deferred(1, 10, |frame| {
        frame.extend([1, 2, 3]);
        Err(Error::invalid("image", "a bug"))
    });
    summary.push_deferred(2, 10, |_| panic!("an encoder's own bug"));
    log(&summary);
    let before = summary.stats().accepted_count;
    summary.flush().unwrap();
    let stats = summary.stats();
    assert_eq!([before, stats.accepted_count], [6, 6], "a counter stays");
    assert_eq!((stats.flushed_count, stats.refused_count), (4, 2));
    assert_eq!(stats.pending_bytes, 0);
    assert_eq!(steps(&tape.bytes()), [0, 0, 1, 2]);
    summary.close().unwrap();
}

#[test]
fn small_images_are_written_together_and_a_large_one_at_once() {
    let tape = Tape::new();
    let summary = skipping_version(&tape);
    let small = || Image::gray8(28, 28, [7; 784]).unwrap();
    for step in 0..80 {
        summary.image("digit", small(), step);
    }
    assert_eq!(tape.bytes().len(), 0, "80 * 784 bytes are less than 64 KiB");
    summary.flush().unwrap();
    let events = events(&tape.bytes());
    assert!(events.iter().map(|event| event.step).eq(0..80));
    let (sender, receiver) = mpsc::channel();
    summary.push_deferred(0, 64 << 10, move |_| {
        sender.send(()).unwrap();
        Ok(())
    });
    receiver.recv_timeout(Duration::from_secs(60)).unwrap();
}

/// A writer whose tape gets only the logged records.
fn skipping_version(tape: &Tape) -> SummaryWriter {
    let sink = SkipFirst {
        tape: tape.clone(),
        skip: version_bytes(),
    };
    patient().to_sink(sink).unwrap()
}
