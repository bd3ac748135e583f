//! Whether somebody else writes to this run: another process by mistake, most often. Nothing is lost by that, but stock
//! TensorBoard follows one file of a run at a time, and drops points of tags that two files have.
//!
//! What a file tells of its writer, whether that lives and on which machine, is not to be had everywhere, nor to be relied
//! on. That a file grows is.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use super::file_name;

#[derive(Debug, Default)]
pub(super) struct Neighbours {
    batches: u64,
    /// Of the files that were there at the first look, how long they were; sorted by name.
    known: Option<Vec<(OsString, u64)>>,
}

impl Neighbours {
    /// Counts a batch, and says whether it is time to look: after the first, the second, the fourth and so on, so that a
    /// month of logging looks thirty times. What has grown since the first look is seen at any later one.
    pub(super) fn is_time(&mut self) -> bool {
        self.batches += 1;
        self.batches.is_power_of_two()
    }

    /// The event files in `dir`, other than those that are `own`, that have appeared or grown since the first look.
    pub(super) fn look(&mut self, dir: &Path, own: impl Fn(&OsStr) -> bool) -> Vec<OsString> {
        let is_first = self.known.is_none();
        let known = self.known.get_or_insert_default();
        let mut others = Vec::new();
        // A directory that cannot be listed has nobody in it, as far as can be told.
        let Ok(entries) = fs::read_dir(dir) else {
            return others;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !file_name::is_of_a_writer(&name) || own(&name) {
                continue;
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let bytes = metadata.len();
            match known.binary_search_by(|(before, _)| before.cmp(&name)) {
                Err(place) if is_first => known.insert(place, (name, bytes)),
                Ok(place) if bytes <= known[place].1 => {}
                _ => others.push(name),
            }
        }
        others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "events.out.tfevents.0000000003.host.3.0";
    const OTHER: &str = "events.out.tfevents.0000000002.host.2.0";

    fn look(neighbours: &mut Neighbours, dir: &Path) -> Vec<OsString> {
        neighbours.look(dir, |name| name == OWN)
    }

    #[test]
    fn files_that_appear_or_grow_are_of_somebody() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
        write(OTHER, b"four");
        write(OWN, b"");
        let mut neighbours = Neighbours::default();
        let none: [&str; 0] = [];
        assert_eq!(look(&mut neighbours, dir.path()), none, "of a run before");
        write(OWN, b"grows");
        write("notes.txt", b"no event file");
        write("events.out.tfevents.0000000004.host.profile-empty", b"");
        assert_eq!(look(&mut neighbours, dir.path()), none);
        write(OTHER, b"fo");
        assert_eq!(look(&mut neighbours, dir.path()), none, "it was repaired");
        write(OTHER, b"grows");
        assert_eq!(look(&mut neighbours, dir.path()), [OTHER]);
        let new = "events.out.tfevents.0000000004.host.4.0";
        write(new, b"");
        let mut both = look(&mut neighbours, dir.path());
        both.sort_unstable();
        assert_eq!(both, [OTHER, new]);
        fs::remove_file(dir.path().join(OTHER)).unwrap();
        assert_eq!(look(&mut neighbours, dir.path()), [new]);
        drop(dir);
        assert_eq!(look(&mut neighbours, Path::new("not there")), none);
    }

    #[test]
    fn a_month_of_batches_is_few_looks() {
        let mut neighbours = Neighbours::default();
        let looks: Vec<u64> = (1..=100).filter(|_| neighbours.is_time()).collect();
        assert_eq!(looks, [1, 2, 4, 8, 16, 32, 64]);
    }
}
