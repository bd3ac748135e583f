//! Reads the contents of a run. A file may end within a record. All other damage fails the test.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use prost::Message;
use summary_writer::proto::Event;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::value::Value;
use summary_writer::record::RecordReader;

#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The step of each record with a value, in the order of the files.
    pub(crate) steps: Vec<i64>,
    /// The same for each tag.
    pub(crate) by_tag: BTreeMap<String, Vec<i64>>,
    /// Files that begin with a whole version record.
    pub(crate) begun_files: u64,
    /// Files that end within a record.
    pub(crate) torn_files: u64,
}

impl Contents {
    /// Returns the number of records of a tag. Their steps must be 0, 1, 2 and so on.
    pub(crate) fn count(&self, tag: &str) -> i64 {
        let steps = self.by_tag.get(tag).map(Vec::as_slice).unwrap_or_default();
        let count = i64::try_from(steps.len()).unwrap();
        assert!(steps.iter().copied().eq(0..count), "{tag}: {steps:?}");
        count
    }

    fn add(&mut self, event: Event) {
        let Some(What::Summary(summary)) = event.what else {
            panic!("{event:?}");
        };
        let [value] = <[_; 1]>::try_from(summary.value).unwrap();
        if let Some(Value::SimpleValue(scalar)) = value.value {
            assert_eq!(f64::from(scalar), value_at(event.step), "{}", value.tag);
        }
        self.steps.push(event.step);
        self.by_tag.entry(value.tag).or_default().push(event.step);
    }
}

/// The scalar that every process logs at a step.
pub(crate) fn value_at(step: i64) -> f64 {
    f64::from(i32::try_from(step).unwrap()) * 0.5
}

pub(crate) fn event_files(logdir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(logdir) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.to_str().unwrap().contains("tfevents"))
        .collect();
    files.sort();
    files
}

/// Reads the event files of a directory in the order of their names.
pub(crate) fn read(logdir: &Path) -> Contents {
    let mut contents = Contents::default();
    for path in event_files(logdir) {
        let file = File::open(&path).unwrap();
        let bytes = file.metadata().unwrap().len();
        let mut records = RecordReader::new(file);
        let mut is_first = true;
        while let Some(payload) = records.next_record().unwrap() {
            let event = Event::decode(payload).unwrap();
            if is_first {
                assert_eq!(event.what, Some(What::FileVersion("brain.Event:2".into())));
                contents.begun_files += 1;
            } else {
                contents.add(event);
            }
            is_first = false;
        }
        contents.torn_files += u64::from(records.offset() < bytes);
    }
    contents
}
