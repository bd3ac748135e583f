//! A directory that is deleted underfoot, to the byte.

use std::fs;

use crate::record;
use crate::writer::sink::{EventFile, Sink};
use crate::writer::worker::{self, SyncPolicy};

#[test]
fn a_record_that_was_cut_by_a_deletion_is_whole_in_the_new_file() {
    let mut frames = Vec::new();
    record::append_frame(b"first", &mut frames);
    let second = frames.len();
    record::append_frame(b"second", &mut frames);

    for (written, want) in [(0, 0), (7, 0), (second, second), (second + 9, second)] {
        let dir = tempfile::tempdir().unwrap();
        let logdir = dir.path().join("run");
        let file = EventFile::create(&logdir, String::new(), b"version".to_vec(), b"", false);
        let mut sink = Sink::File(file.unwrap());
        fs::remove_dir_all(&logdir).unwrap();
        let mut at = written;
        worker::write(&mut sink, &frames, &mut at, SyncPolicy::Never).unwrap();
        assert_eq!(at, frames.len());
        let path = fs::read_dir(&logdir)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let got = fs::read(path).unwrap();
        assert_eq!(
            got,
            [b"version", &frames[want..]].concat(),
            "{written} bytes were written"
        );
    }
}
