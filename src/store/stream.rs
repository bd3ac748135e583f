//! Reads and writes an object like a file.

use std::io::{self, Read, Write};
use std::mem;
use std::sync::Arc;

use object_store::{MultipartUpload, ObjectStoreExt, PutMode};

use super::request::wait;
use super::{Failure, StoreDir, TIMEOUT};
use crate::error::Result;

/// How much is read or written by one request. A part of a multipart upload must have at least 5 MiB on S3.
const PART_BYTES: u64 = 8 << 20;

/// Reads an object that may grow: after the end, later calls return what was added.
#[derive(Debug)]
pub(crate) struct ObjectReader {
    object: StoreDir,
    /// The size when it was last asked for.
    object_bytes: u64,
    /// Where the next request starts.
    offset: u64,
    part: io::Cursor<Vec<u8>>,
}

impl ObjectReader {
    /// Opens the object at the path of `object`.
    pub(crate) fn open(object: StoreDir) -> Result<Self> {
        let Some(object_bytes) = object.object_bytes()? else {
            let failure = Failure::Other(io::ErrorKind::NotFound.into());
            return Err(object.error("open", failure));
        };
        Ok(Self {
            object,
            object_bytes,
            offset: 0,
            part: io::Cursor::default(),
        })
    }

    fn read_part(&mut self) -> io::Result<()> {
        if self.offset >= self.object_bytes {
            let object_bytes = self.object.object_bytes().map_err(io::Error::other)?;
            self.object_bytes = object_bytes.unwrap_or(0);
        }
        let end = self.object_bytes.min(self.offset + PART_BYTES);
        if self.offset >= end {
            return Ok(());
        }
        let (store, path) = (Arc::clone(&self.object.store), self.object.path.clone());
        let range = self.offset..end;
        let read = async move { store.get_range(&path, range).await };
        let bytes = wait(TIMEOUT, read).map_err(Failure::into_io)?;
        self.offset += bytes.len() as u64;
        self.part = io::Cursor::new(bytes.to_vec());
        Ok(())
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.part.position() == self.part.get_ref().len() as u64 {
            self.read_part()?;
        }
        self.part.read(buffer)
    }
}

/// Writes a new object, in parts if it is large. The object exists once [`finish`](Self::finish) has returned.
pub(crate) struct ObjectWriter {
    object: StoreDir,
    /// Once there is a whole part.
    upload: Option<Box<dyn MultipartUpload>>,
    part: Vec<u8>,
}

impl ObjectWriter {
    /// # Errors
    /// If an object is there already.
    pub(crate) fn create(object: StoreDir) -> Result<Self> {
        if object.object_bytes()?.is_some() {
            let failure = Failure::Other(io::ErrorKind::AlreadyExists.into());
            return Err(object.error("create", failure));
        }
        Ok(Self {
            object,
            upload: None,
            part: Vec::new(),
        })
    }

    /// Writes what is left, and creates the object.
    pub(crate) fn finish(mut self) -> Result<()> {
        let part = mem::take(&mut self.part);
        let finished = match self.upload.take() {
            None => self.object.put_bytes(part, PutMode::Create),
            Some(mut upload) => wait(TIMEOUT, async move {
                upload.put_part(part.into()).await?;
                upload.complete().await.map(drop)
            }),
        };
        finished.map_err(|failure| self.object.error("write", failure))
    }

    fn write_part(&mut self) -> Result<(), Failure> {
        let upload = match self.upload.take() {
            Some(upload) => upload,
            None => {
                let (store, path) = (Arc::clone(&self.object.store), self.object.path.clone());
                wait(TIMEOUT, async move { store.put_multipart(&path).await })?
            }
        };
        let upload = self.upload.insert(upload);
        let sent = upload.put_part(mem::take(&mut self.part).into());
        wait(TIMEOUT, sent)
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() as u64 >= PART_BYTES {
            self.write_part().map_err(Failure::into_io)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ObjectWriter {
    /// Removes the parts of an upload that was not finished, which cost money and are not listed.
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            wait(TIMEOUT, async move { upload.abort().await }).ok();
        }
    }
}
