//! For [`TrainingLogger`](crate::TrainingLogger): which batches it logs, and the weights of a model.

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
