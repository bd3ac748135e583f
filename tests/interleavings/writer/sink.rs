//! Replaces `src/writer/sink.rs`: a sink in memory that follows a script of short and failing writes.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::chunks::CHUNK_BYTES;
use super::worker::Batching;

use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub(crate) struct Sink {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// The next writes: the most bytes that a write accepts, or `None` if it fails.
    script: VecDeque<Option<usize>>,
    /// All writes after the script.
    last: Option<usize>,
}

impl Sink {
    pub(crate) fn new() -> Self {
        Self::scripted([])
    }

    pub(crate) fn scripted(script: impl IntoIterator<Item = Option<usize>>) -> Self {
        Self {
            bytes: Arc::default(),
            script: script.into_iter().collect(),
            last: Some(usize::MAX),
        }
    }

    /// Creates a sink whose writes all fail.
    pub(crate) fn broken() -> Self {
        Self {
            last: None,
            ..Self::new()
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    pub(super) fn batching(&self, flush_interval: Duration) -> Batching {
        Batching {
            interval: flush_interval,
            bytes: CHUNK_BYTES as u64,
        }
    }

    pub(super) fn takes_whole_batches(&self) -> bool {
        false
    }

    pub(super) fn keeps_trying(&self) -> bool {
        false
    }

    pub(super) fn spill(&self, _: impl FnOnce() -> Vec<u8>) -> Option<Result<PathBuf>> {
        None
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(most) = self.script.pop_front().unwrap_or(self.last) else {
            return Err(io::ErrorKind::StorageFull.into());
        };
        let written = &bytes[..most.min(bytes.len())];
        self.bytes.lock().unwrap().extend_from_slice(written);
        Ok(written.len())
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    pub(super) fn suspend(&mut self) {}

    pub(super) fn reopen(&mut self) -> Result<()> {
        Ok(())
    }

    pub(super) fn is_deleted(&self) -> bool {
        false
    }

    pub(super) fn recreate(&mut self, _create_dir: bool) -> Result<()> {
        Ok(())
    }

    pub(super) fn after_batch(&mut self) {}

    pub(super) fn before_close(&mut self) {}

    pub(super) fn error(&self, action: &'static str, source: io::Error) -> Error {
        Error::stream(action, source)
    }
}
