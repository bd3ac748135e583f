//! `src/writer/sink.rs` of the model: memory that refuses writes and takes parts of them, as it is told.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub(crate) struct Sink {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// What becomes of the next writes: so many bytes are taken at the most, or the write is refused.
    script: VecDeque<Option<usize>>,
    /// What becomes of all that follow.
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

    /// Refuses every write.
    pub(crate) fn broken() -> Self {
        Self {
            last: None,
            ..Self::new()
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(most) = self.script.pop_front().unwrap_or(self.last) else {
            return Err(io::ErrorKind::StorageFull.into());
        };
        let taken = &bytes[..most.min(bytes.len())];
        self.bytes.lock().unwrap().extend_from_slice(taken);
        Ok(taken.len())
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    pub(super) fn is_gone(&self) -> bool {
        false
    }

    pub(super) fn renew(&mut self) -> Result<()> {
        Ok(())
    }

    pub(super) fn look_around(&mut self, _is_end: bool) {}

    pub(super) fn error(&self, action: &'static str, source: io::Error) -> Error {
        Error::stream(action, source)
    }
}
