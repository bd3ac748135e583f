//! Event files as they lie on a disk: which there are, what is sound in them, and new files of what is.

mod find;
mod repair;
mod salvage;
mod verify;

pub(crate) use find::event_files;
pub use find::{Run, find_runs};
pub(crate) use repair::{keep_only, remove_leftovers};
pub use repair::{repair_in_place, repair_to};
pub use salvage::Salvage;
pub use verify::{Damage, DamageKind, FileReport, Report, verify};
