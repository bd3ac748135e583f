//! Where a run is: its directory, and the runs below it.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use super::{Run, SyncPolicy, enter};
use crate::error::{Error, Result};

/// A directory, and the open runs of its family: none is opened twice.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) dir: PathBuf,
    pub(super) family: Arc<Mutex<Family>>,
}

/// Sorted by directory.
type Family = Vec<(PathBuf, Weak<Run>)>;

impl Run {
    pub(super) fn child(&self, name: &str) -> Result<Arc<Self>> {
        if self.tray.is_closed() {
            return Err(Error::Closed);
        }
        let is_plain = |part| matches!(part, Component::Normal(_));
        if name.is_empty() || !Path::new(name).components().all(is_plain) || name.contains('\0') {
            return Err(Error::invalid(
                "run",
                format!("{name:?} is given, a relative path of plain names fits"),
            ));
        }
        let place = self.place("run")?;
        // By its components, `a//b/` is `a/b`.
        let dir: PathBuf = place.dir.join(name).components().collect();
        let mut family = enter(&place.family);
        let place_in_family = family.binary_search_by(|(other, _)| other.cmp(&dir));
        let open = place_in_family.ok().and_then(|i| family[i].1.upgrade());
        let run = match open.filter(|run| !run.tray.is_closed()) {
            Some(run) => run,
            None => {
                let place = Place {
                    dir: dir.clone(),
                    family: Arc::clone(&place.family),
                };
                let mut options = self.options.clone();
                if place_in_family.is_ok() {
                    options.resume = None; // what is there now is its own
                }
                let run = Arc::new(Self::to_file(options, place)?);
                let member = (dir, Arc::downgrade(&run));
                match place_in_family {
                    Ok(i) => family[i] = member,
                    Err(i) => family.insert(i, member),
                }
                run
            }
        };
        drop(family);
        let mut children = enter(&self.children);
        children.retain(|child| !child.tray.is_closed());
        if !children.iter().any(|child| Arc::ptr_eq(child, &run)) {
            children.push(Arc::clone(&run));
        }
        Ok(run)
    }

    /// The directory of a run that is open, for `what` stands beside its event file.
    pub(super) fn dir(&self, what: &'static str) -> Result<&Path> {
        if self.tray.is_closed() {
            return Err(Error::Closed);
        }
        Ok(&self.place(what)?.dir)
    }

    fn place(&self, what: &'static str) -> Result<&Place> {
        let problem = "the writer of a stream has no directory for it";
        let place = self.place.as_ref();
        place.ok_or_else(|| Error::invalid(what, problem))
    }

    pub(super) fn is_synced(&self) -> bool {
        self.options.sync != SyncPolicy::Never
    }
}
