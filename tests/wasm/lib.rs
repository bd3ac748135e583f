//! Logs into memory where there are no threads, no files and no clock.

use std::io::{self, Cursor, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use summary_writer::{EventReader, HParams, Image, SummaryWriter, WriterOptions};

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the number of events that a reader finds in what was logged. A check that fails is a panic, which is a trap.
#[unsafe(no_mangle)]
pub extern "C" fn log() -> usize {
    let disabled = SummaryWriter::disabled();
    disabled.scalar("loss", 0.5, 0);
    disabled.flush().unwrap();
    disabled.close().unwrap();

    assert!(SummaryWriter::create_file_writer("runs/x").is_err());
    let error = WriterOptions::new().to_sink(Memory::default()).unwrap_err();
    assert!(
        error.to_string().contains("WriterOptions::clock"),
        "{error}"
    );

    static SECONDS: AtomicU32 = AtomicU32::new(1_700_000_000);
    let clock = || f64::from(SECONDS.fetch_add(1, Ordering::Relaxed));
    let memory = Memory::default();
    let summary = WriterOptions::new()
        .clock(clock)
        .to_sink(memory.clone())
        .unwrap();
    for step in 0..10 {
        summary.scalar("loss", 1.0 / f64::from(step + 1), step);
    }
    summary.histogram("weights", &[1.0, 2.0, 3.0], 1);
    let image = Image::gray8(3, 2, [0, 50, 100, 150, 200, 250]).unwrap();
    summary.image("input", image, 1);
    summary.text("note", "hello", 1);
    summary.hparams(HParams::new().set("lr", 0.1));
    summary.scalar("loss", 0.5, 3); // goes back, which is reported
    assert!(summary.run("child").is_err());
    assert_eq!(summary.stats().backward_tag_count, 1);
    assert_eq!(summary.stats().pending_bytes, 0);
    summary.flush().unwrap();
    summary.close().unwrap();

    let bytes = memory.0.lock().unwrap().clone();
    EventReader::from_source("memory", Cursor::new(bytes))
        .map(Result::unwrap)
        .inspect(|event| assert!(event.wall_time >= 1.7e9))
        .count()
}
