//! Reads the scalars and histograms of a run: all of them, or those that were written since the last call.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::mem::{self, Discriminant};
use std::path::{Path, PathBuf};

use prost::Message;

use super::Filter;
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

/// Decodes the files of one run.
pub(super) struct RunReader {
    is_wanted: Filter,
    decoder: ValueDecoder,
    /// The first kind of a tag counts, as in TensorBoard. `None` for a tag that is not reduced.
    kinds: foldhash::HashMap<String, Option<Discriminant<Data>>>,
    pub(super) is_damaged: bool,
}

impl RunReader {
    pub(super) fn new(is_wanted: &Filter) -> Self {
        Self {
            is_wanted: is_wanted.clone(),
            decoder: ValueDecoder::new(),
            kinds: foldhash::HashMap::default(),
            is_damaged: false,
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
            let (step, wall_time) = (event.step, event.wall_time);
            for (tag, value) in event.values() {
                if let Ok(tag) = str::from_utf8(tag) {
                    let value = value.into();
                    let sample = Sample {
                        step,
                        wall_time,
                        value,
                    };
                    self.visit(tag, Some(Data::Scalar(sample)), visit);
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
            let data = match value {
                Value::Scalar(number) => {
                    let value = number.to_f64();
                    Some(Data::Scalar(Sample {
                        step,
                        wall_time,
                        value,
                    }))
                }
                Value::Histogram(buckets) => Some(Data::Histogram {
                    step,
                    wall_time,
                    buckets,
                }),
                _ => None,
            };
            self.visit(&tag, data, visit);
        }
    }

    /// Passes the data to `visit` if the tag is wanted and the data has the first kind of the tag.
    fn visit(&mut self, tag: &str, data: Option<Data>, visit: &mut impl FnMut(&str, Data)) {
        let kind = data.as_ref().map(mem::discriminant);
        let first_kind = match self.kinds.get(tag) {
            Some(first_kind) => *first_kind,
            None => {
                let first_kind = kind.filter(|_| (self.is_wanted)(tag));
                self.kinds.insert(tag.to_owned(), first_kind);
                first_kind
            }
        };
        if kind == first_kind
            && let Some(data) = data
        {
            visit(tag, data);
        }
    }
}

/// A run that grows. It has no open file between two calls.
pub(super) struct GrowingRun {
    reader: RunReader,
    files: BTreeMap<PathBuf, Position>,
}

/// How far a file was read.
#[derive(Default)]
struct Position {
    offset: u64,
    /// The size when the file was last read to its end.
    size: u64,
}

impl GrowingRun {
    pub(super) fn new(is_wanted: &Filter) -> Self {
        Self {
            reader: RunReader::new(is_wanted),
            files: BTreeMap::new(),
        }
    }

    /// Adds the files that are new.
    pub(super) fn add_files(&mut self, files: Vec<PathBuf>) {
        for path in files {
            self.files.entry(path).or_default();
        }
    }

    /// Passes the next values to `visit`, of at most `limit` records. Returns `true` if there was something to read.
    pub(super) fn read(
        &mut self,
        mut limit: usize,
        mut visit: impl FnMut(&str, Data),
    ) -> Result<bool> {
        let mut has_grown = false;
        for (path, position) in &mut self.files {
            let metadata = fs::metadata(path).map_err(|error| Error::io("open", path, error))?;
            let size = metadata.len();
            if size <= position.size || limit == 0 {
                continue;
            }
            has_grown = true;
            let mut file = File::open(path).map_err(|error| Error::io("open", path, error))?;
            file.seek(SeekFrom::Start(position.offset))
                .map_err(|error| Error::io("read", path, error))?;
            let (read_bytes, is_at_end) = self
                .reader
                .read_records(path, file, &mut limit, &mut visit)?;
            position.offset += read_bytes;
            if is_at_end {
                position.size = size;
            }
        }
        Ok(has_grown)
    }

    /// Returns whether a file has grown since it was read to its end.
    pub(super) fn has_more(&self) -> bool {
        let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        self.files
            .iter()
            .any(|(path, position)| size(path) > position.size)
    }
}
