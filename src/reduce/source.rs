//! Reads the scalars and histograms of a run: all of them, or those that were written since the last call.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use prost::Message;

use super::merge::Sample;
use crate::error::{Error, Result};
use crate::event::PlainScalars;
use crate::proto::Event;
use crate::reader::{self, Bucket, Value, ValueDecoder};
use crate::record::{RecordReader, Segment};

/// A value that can be reduced.
#[derive(Debug)]
pub(super) enum Data {
    Scalar(Sample),
    Histogram {
        step: i64,
        wall_time: f64,
        buckets: Vec<Bucket>,
    },
}

/// How far each file of a run was read. No file stays open.
#[derive(Debug, Default)]
pub(super) struct RunSource {
    files: Vec<Position>,
    decoder: ValueDecoder,
    /// Whether a tag has scalars. The first kind of a tag counts, as in TensorBoard.
    tags: foldhash::HashMap<String, Kind>,
    pub(super) is_damaged: bool,
}

#[derive(Debug)]
struct Position {
    path: PathBuf,
    offset: u64,
    /// The size when the file was last read to its end.
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Scalar,
    Histogram,
    Other,
}

impl RunSource {
    /// Adds the files that are new. All are sorted by name.
    pub(super) fn add_files(&mut self, files: &[PathBuf]) {
        for path in files {
            let found = self.files.binary_search_by(|file| file.path.cmp(path));
            if let Err(index) = found {
                let file = Position {
                    path: path.clone(),
                    offset: 0,
                    size: 0,
                };
                self.files.insert(index, file);
            }
        }
    }

    /// Passes the values of all files of a finished run to `visit`. The files may be in an object store.
    pub(super) fn read_all(
        &mut self,
        files: &[PathBuf],
        mut visit: impl FnMut(&str, Data),
    ) -> Result<()> {
        for path in files {
            let (source, mut limit) = (reader::open(path)?, usize::MAX);
            self.read_records(path, source, &mut limit, &mut visit)?;
        }
        Ok(())
    }

    /// Passes the next values to `visit`, of at most `limit` records. Returns `true` if there was something to read.
    pub(super) fn read(
        &mut self,
        mut limit: usize,
        mut visit: impl FnMut(&str, Data),
    ) -> Result<bool> {
        let mut has_grown = false;
        for index in 0..self.files.len() {
            let Position { path, offset, size } = &self.files[index];
            let (path, mut offset, old_size) = (path.clone(), *offset, *size);
            let size = match fs::metadata(&path) {
                Ok(metadata) => metadata.len(),
                Err(error) => return Err(Error::io("open", &path, error)),
            };
            if size <= old_size || limit == 0 {
                continue;
            }
            has_grown = true;
            let is_at_end = self.read_file(&path, &mut offset, &mut limit, &mut visit)?;
            self.files[index].offset = offset;
            if is_at_end {
                self.files[index].size = size;
            }
        }
        Ok(has_grown)
    }

    /// Returns whether a file has grown since it was read to its end.
    pub(super) fn has_more(&self) -> bool {
        let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        self.files.iter().any(|file| size(&file.path) > file.size)
    }

    /// Returns `true` at the end of the file.
    fn read_file(
        &mut self,
        path: &Path,
        offset: &mut u64,
        limit: &mut usize,
        visit: &mut impl FnMut(&str, Data),
    ) -> Result<bool> {
        let mut file = File::open(path).map_err(|error| Error::io("open", path, error))?;
        file.seek(SeekFrom::Start(*offset))
            .map_err(|error| Error::io("read", path, error))?;
        let start = *offset;
        let (read_bytes, is_at_end) = self.read_records(path, file, limit, visit)?;
        *offset = start + read_bytes;
        Ok(is_at_end)
    }

    /// Returns the length of the records that were read, and whether the end was found.
    fn read_records(
        &mut self,
        path: &Path,
        source: impl Read,
        limit: &mut usize,
        visit: &mut impl FnMut(&str, Data),
    ) -> Result<(u64, bool)> {
        let mut records = RecordReader::new(source);
        while *limit > 0 {
            let segment = records.advance_or_skip();
            match segment.map_err(|error| error.in_file(path))? {
                Some(Segment::Record { .. }) => self.decode(records.payload(), visit),
                Some(Segment::Damage { .. }) => self.is_damaged = true,
                Some(Segment::Unfinished { .. }) | None => return Ok((records.offset(), true)),
            }
            *limit -= 1;
        }
        Ok((records.offset(), false))
    }

    fn decode(&mut self, payload: &[u8], visit: &mut impl FnMut(&str, Data)) {
        if let Some(event) = PlainScalars::of(payload)
            && event.wall_time.is_finite()
        {
            for (tag, value) in event.values() {
                if let Ok(tag) = str::from_utf8(tag)
                    && self.kind(tag, Kind::Scalar) == Kind::Scalar
                {
                    let sample = Sample {
                        step: event.step,
                        wall_time: event.wall_time,
                        value: value.into(),
                    };
                    visit(tag, Data::Scalar(sample));
                }
            }
            return;
        }
        let Ok(event) = Event::decode(payload) else {
            self.is_damaged = true;
            return;
        };
        let (step, wall_time) = (event.step, event.wall_time);
        if !wall_time.is_finite() {
            return; // The fast loader does not show it either.
        }
        for (tag, value) in self.decoder.decode(event) {
            let (kind, data) = match value {
                Value::Scalar(number) => (
                    Kind::Scalar,
                    Some(Data::Scalar(Sample {
                        step,
                        wall_time,
                        value: number.to_f64(),
                    })),
                ),
                Value::Histogram(buckets) => (
                    Kind::Histogram,
                    Some(Data::Histogram {
                        step,
                        wall_time,
                        buckets,
                    }),
                ),
                _ => (Kind::Other, None),
            };
            if self.kind(&tag, kind) == kind
                && let Some(data) = data
            {
                visit(&tag, data);
            }
        }
    }

    /// Returns the first kind of a tag.
    fn kind(&mut self, tag: &str, kind: Kind) -> Kind {
        match self.tags.get(tag) {
            Some(kind) => *kind,
            None => {
                self.tags.insert(tag.to_owned(), kind);
                kind
            }
        }
    }
}
