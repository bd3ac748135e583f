//! What a run holds, read back record by record. Anything but a torn tail is damage, and fails the test.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use prost::Message;
use summary_writer::proto::Event;
use summary_writer::proto::event::What;
use summary_writer::record::RecordReader;

#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Tag and step of each record with a value, in the order of the files.
    pub(crate) points: Vec<(usize, i64)>,
    pub(crate) tags: Vec<String>,
    /// Files that begin with a whole version record.
    pub(crate) begun_files: u64,
    /// Files that end within a record.
    pub(crate) torn_files: u64,
}

impl Found {
    pub(crate) fn all_steps(&self) -> impl Iterator<Item = i64> {
        self.points.iter().map(|point| point.1)
    }

    pub(crate) fn by_tag(&self) -> BTreeMap<&str, Vec<i64>> {
        let mut by_tag = BTreeMap::new();
        for (tag, step) in &self.points {
            let steps: &mut Vec<i64> = by_tag.entry(self.tags[*tag].as_str()).or_default();
            steps.push(*step);
        }
        by_tag
    }

    fn add(&mut self, event: Event) {
        let Some(What::Summary(summary)) = event.what else {
            panic!("{event:?}");
        };
        let [value] = &summary.value[..] else {
            panic!("{summary:?}");
        };
        // Checks that what is read is what was logged: it is how `child` makes it.
        if let Some(scalar) = value.scalar() {
            assert_eq!(f64::from(scalar), value_at(event.step), "{}", value.tag);
        }
        let tag = match self.tags.iter().position(|tag| *tag == value.tag) {
            Some(tag) => tag,
            None => {
                self.tags.push(value.tag.clone());
                self.tags.len() - 1
            }
        };
        self.points.push((tag, event.step));
    }
}

/// The scalar that is logged at a step; up to 2^24 steps, each has its own.
pub(crate) fn value_at(step: i64) -> f64 {
    f64::from(i32::try_from(step).unwrap()) * 0.5
}

pub(crate) fn event_files(logdir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(logdir) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("tfevents"))
        .collect();
    files.sort();
    files
}

/// All that is in the event files of a directory, in the order of their names.
pub(crate) fn read(logdir: &Path) -> Found {
    let mut found = Found::default();
    for path in event_files(logdir) {
        let file = File::open(&path).unwrap();
        let bytes = file.metadata().unwrap().len();
        let mut records = RecordReader::new(file);
        let mut is_first = true;
        while let Some(payload) = records.next_record().unwrap() {
            let event = Event::decode(payload).unwrap();
            if is_first {
                assert_eq!(event.what, Some(What::FileVersion("brain.Event:2".into())));
                found.begun_files += 1;
            } else {
                found.add(event);
            }
            is_first = false;
        }
        found.torn_files += u64::from(records.offset() < bytes);
    }
    found
}
