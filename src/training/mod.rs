//! What a [`TrainingLogger`](crate::TrainingLogger) logs, with the runs, tags and steps of Keras' `TensorBoard` callback.

pub(crate) mod logger;
mod weights;

pub use weights::Weights;

/// Says which batches of a training are logged. Used by
/// [`TrainingLogger::update_freq`](crate::TrainingLogger::update_freq).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateFreq {
    /// No batches, only epochs.
    #[default]
    Epoch,
    /// Every batch.
    Batch,
    /// The batches whose number, counted from 1, is a multiple of this. 0 means no batches.
    Steps(u64),
}
