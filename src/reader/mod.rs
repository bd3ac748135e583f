//! Reads, checks and repairs event files of this crate and of other writers.
//!
//! - [`EventReader`] reads the events of a file or a run. [`ValueDecoder`] turns them into numbers, images, text and so on.
//! - [`find_runs`] lists the runs of a logdir.
//! - [`verify`](verify()) reports damage in files, runs and logdirs. [`repair_to`] and [`repair_in_place`] keep the sound
//!   records. [`compact`](compact()) merges the files of a run.

mod compact;
mod decode;
pub(crate) mod events;
mod file;
mod repair;
mod runs;
mod tensor;
#[cfg(test)]
mod tests;
mod value;
mod verify;

pub use compact::compact;
pub use decode::ValueDecoder;
pub(crate) use events::EventReader;
pub use file::open;
pub(crate) use repair::{remove_leftovers, retain_events};
pub use repair::{repair_in_place, repair_to};
pub(crate) use runs::event_files;
pub use runs::{Run, find_runs};
pub use tensor::Number;
pub use value::{Bucket, Clip, Curve, Images, MeshPart, Text, Value};
pub use verify::{Damage, DamageKind, FileReport, Report, verify};
