//! A training that stops and is resumed from an epoch.

use std::path::Path;

use summary_writer::training::UpdateFreq;
use summary_writer::{TrainingLogger, WriterOptions};

use super::Result;

/// The number of batches in an epoch.
const BATCHES: u64 = 4;

/// Logs four epochs, starting at `first`, to the run `net` of `logdir`. The first program also starts a fifth epoch before it
/// stops. The values show which program logged them.
pub(super) fn write(logdir: &Path, first: u32) -> Result {
    let batches = u64::from(first) * BATCHES;
    let options = WriterOptions::new().resume_training(first, batches);
    let summary = options.create_file_writer(logdir.join("net"))?;
    let mut training = TrainingLogger::with_writer(&summary)
        .update_freq(UpdateFreq::Batch)
        .histogram_freq(2)
        .write_images(true);
    training.on_train_begin()?;
    let base = 1000.0 * f64::from(first);
    let mut batch = batches as f64;
    let mut on_batch_end = |training: &mut TrainingLogger| {
        batch += 1.0;
        training.on_batch_end([("loss", base + batch)]);
    };
    for epoch in first..first + 4 {
        (0..BATCHES).for_each(|_| on_batch_end(&mut training));
        let loss = base + f64::from(epoch);
        training.on_test_end([("loss", loss + 0.25)]);
        training.on_epoch_end(epoch, [("loss", loss), ("val_loss", loss + 0.5)]);
        training.weights(epoch, |weights| {
            weights.add(
                "dense/kernel:0",
                &[2, 3],
                &[-1.0, -0.5, 0.0, 0.25, 0.5, 1.0],
            );
        });
    }
    if first == 0 {
        (0..2).for_each(|_| on_batch_end(&mut training));
    }
    training.on_train_end()?;
    summary.close()?;
    Ok(())
}
