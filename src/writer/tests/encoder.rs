//! Records that the encoder's thread encodes, among those that the caller encodes.

use super::*;
use crate::Image;
use crate::event;

/// Logs three records, of which the second is deferred.
fn log(summary: &SummaryWriter) {
    let summary = summary.at(1.0);
    summary.scalar("loss", 0.5, 0);
    summary.image("input", Image::gray8(9, 7, [3; 63]).unwrap(), 1);
    summary.scalar("loss", 0.5, 2);
}

/// Logs a deferred record whose encoder waits until the test sends to the channel or drops it.
fn log_gated(summary: &SummaryWriter, step: i64) -> mpsc::Sender<()> {
    log_gated_of(1000, summary, step)
}

fn log_gated_of(raw_bytes: usize, summary: &SummaryWriter, step: i64) -> mpsc::Sender<()> {
    let (sender, receiver) = mpsc::channel();
    summary
        .at(1.0)
        .push_deferred(step, raw_bytes, move |buffer| {
            receiver.recv().ok();
            event::put_simple_value(buffer, "", "gated", 1.0);
            Ok(())
        });
    sender
}

#[test]
fn scalar_reaches_the_sink_while_an_image_is_encoded() {
    let tape = Tape::new();
    let options = WriterOptions::new().flush_interval(Duration::from_millis(1));
    let summary = options.to_sink(tape.clone()).unwrap();
    let gates = [log_gated(&summary, 0), log_gated(&summary, 1)];
    for step in 10..13 {
        let before = tape.attempts();
        summary.scalar("loss", 0.5, step);
        tape.await_attempts(before + 1);
    }
    assert_eq!(steps(&tape.bytes()), [10, 11, 12]);
    let error = summary.flush_timeout(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    drop(gates);
    summary.flush().unwrap();
    assert_eq!(steps(&tape.bytes()), [10, 11, 12, 0, 1]);
}

#[test]
fn small_images_reach_the_sink_while_a_large_one_is_encoded() {
    let tape = Tape::new();
    let options = WriterOptions::new().flush_interval(Duration::from_millis(1));
    let summary = options.to_sink(tape.clone()).unwrap();
    // The encoder takes the later ones as one batch.
    let first = log_gated(&summary, 0);
    log(&summary);
    let large = log_gated_of(64 << 10, &summary, 3);
    drop(first);
    // Both scalars, the first deferred record and the image.
    while steps(&tape.bytes()).len() < 4 {
        thread::yield_now();
    }
    drop(large);
    summary.close().unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 2, 0, 1, 3]);
}

#[test]
fn records_of_one_tag_keep_their_order_and_the_wall_time_of_their_calls() {
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
    for tag in ["loss", "encoder/input"] {
        let points = points(&tape.bytes()).into_iter();
        let want = (0..50).map(|step| (tag.to_owned(), step, step as f64));
        assert!(points.filter(|point| point.0 == tag).eq(want), "{tag}");
    }
}

#[test]
fn images_are_encoded_on_a_thread_of_their_own() {
    let summary = patient().to_sink(Tape::new()).unwrap();
    let (sender, receiver) = mpsc::channel();
    summary.push_deferred(0, 1, move |_| {
        sender
            .send(thread::current().name().map(str::to_owned))
            .unwrap();
        Ok(())
    });
    summary.flush().unwrap();
    assert_eq!(receiver.recv().unwrap().as_deref(), Some("summary-encoder"));
}

#[test]
fn second_encoder_works_while_the_first_is_busy_and_keeps_the_order() {
    let tape = Tape::new();
    let options = patient().encoder_threads(2);
    let summary = options.to_sink(tape.clone()).unwrap();
    let first = log_gated_of(64 << 10, &summary, 0);
    // With one encoder, this record would wait for the first one.
    let (sender, receiver) = mpsc::channel();
    summary.push_deferred(1, 64 << 10, move |buffer| {
        sender.send(()).unwrap();
        event::put_simple_value(buffer, "", "second", 1.0);
        Ok(())
    });
    receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    let third = log_gated_of(64 << 10, &summary, 2);
    assert!(summary.stats().pending_bytes >= 3 * (64 << 10));
    drop(third);
    let error = summary.flush_timeout(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    drop(first);
    summary.flush().unwrap();
    assert_eq!(steps(&tape.bytes()), [0, 1, 2]);
    assert_eq!(summary.stats().pending_bytes, 0);
}

#[test]
fn several_encoders_lose_no_image_and_keep_the_order() {
    let tape = Tape::new();
    let options = WriterOptions::new().encoder_threads(3);
    let summary = options
        .max_pending_bytes(100_000)
        .to_sink(tape.clone())
        .unwrap();
    for step in 0..600 {
        // Small and large images are encoded in blocks of one and of many.
        let side = [9, 150][usize::from(step % 7 == 0)];
        let image = Image::gray8(side, side, vec![3; (side * side) as usize]).unwrap();
        summary.image("input", image, step);
    }
    summary.close().unwrap();
    assert!(steps(&tape.bytes()).into_iter().eq(0..600));
}

#[test]
fn writer_without_an_encoder_thread_is_rejected() {
    let options = WriterOptions::new().encoder_threads(0);
    let error = options.to_sink(Tape::new()).unwrap_err();
    let want = "encoder_threads: expected at least 1, got 0; `unthreaded` starts no thread";
    assert_eq!(error.to_string(), want);
}

#[test]
fn close_waits_for_the_images() {
    let tape = Tape::new();
    let summary = patient().to_sink(tape.clone()).unwrap();
    let gate = log_gated(&summary, 0);
    let closer = {
        let summary = summary.clone();
        thread::spawn(move || summary.close())
    };
    while !summary.run.queue.is_closed() {
        thread::yield_now();
    }
    gate.send(()).unwrap();
    closer.join().unwrap().unwrap();
    assert_eq!(steps(&tape.bytes()), [0]);
}

#[test]
fn broken_sink_does_not_keep_close_waiting_for_the_images() {
    let tape = Tape::new().failing_after(0);
    let summary = patient().to_sink(tape.clone()).unwrap();
    for step in 0..3 {
        summary.image("input", Image::gray8(9, 7, [3; 63]).unwrap(), step);
    }
    assert!(summary.flush().is_err());
    let other = summary.clone();
    assert!(summary.close().is_err());
    let stats = other.stats();
    assert_eq!((stats.accepted_count, stats.flushed_count), (3, 0));
}

#[test]
fn images_leave_a_quarter_of_the_room_to_other_records() {
    let tape = Tape::new();
    let options = patient().max_pending_bytes(4000);
    let summary = options.to_sink(tape.clone()).unwrap();
    let gates = [0, 1, 2].map(|step| log_gated(&summary, step));
    let fourth = {
        let summary = summary.clone();
        thread::spawn(move || drop(log_gated(&summary, 3)))
    };
    // 42 bytes each: more than a quarter of the room, so the writes make room for the later ones.
    for step in 10..110 {
        summary.scalar("loss", 0.5, step);
    }
    assert!(!fourth.is_finished());
    assert_eq!(summary.stats().accepted_count, 103);
    drop(gates);
    fourth.join().unwrap();
    summary.close().unwrap();
    let steps = steps(&tape.bytes());
    let (images, scalars): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| *step < 10);
    assert_eq!(images, [0, 1, 2, 3]);
    assert!(scalars.into_iter().eq(10..110));
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
        .max_pending_bytes(3000)
        .when_full(WhenFull::DropNew)
        .to_sink(tape.clone())
        .unwrap();
    let gates = [0, 1, 2].map(|step| log_gated(&summary, step));
    let stats = summary.stats();
    assert_eq!((stats.accepted_count, stats.rejected_count), (2, 1));
    assert!((2000..3000).contains(&stats.pending_bytes), "{stats:?}");
    drop(gates);
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
    assert_eq!((stats.flushed_count, stats.rejected_count), (4, 2));
    assert_eq!(stats.pending_bytes, 0);
    let mut steps = steps(&tape.bytes());
    steps.sort_unstable();
    assert_eq!(steps, [0, 0, 1, 2]);
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
