//! Directories in object stores: S3, Google Cloud Storage, Azure, and any store of the caller.
//!
//! All functions wait for the store on the thread that calls them. The requests run on a thread of their own (`request`).

mod connect;
mod request;
mod stream;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion, path};

pub(crate) use request::Failure;
pub(crate) use stream::{ObjectReader, ObjectWriter};

use crate::error::{Error, Result};
use request::wait;

/// How long opening waits for the store.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long other requests wait for the store. The client retries meanwhile.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Shows that a log directory can be written to. TensorBoard ignores it, because its name has no `tfevents`.
const MARKER: &str = ".summary-writer";

/// A directory of an object store: the start of the names of its objects.
#[derive(Clone)]
pub(crate) struct StoreDir {
    store: Arc<dyn ObjectStore>,
    path: path::Path,
    /// The start of the URL, such as `s3://bucket`.
    root: Arc<str>,
}

/// An object in a directory or below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Object {
    /// The name in the directory, with `/` for an object below it.
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

impl fmt::Debug for StoreDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreDir({:?})", self.url())
    }
}

impl StoreDir {
    /// Returns the directory at a URL such as `s3://bucket/logs/run`. Sends no request.
    pub(crate) fn of_url(url: &str) -> Result<Self> {
        let (root, path) = connect::split(url)?;
        let path = parse(path)?;
        let store = connect::store(root)?;
        let root = root.into();
        Ok(Self { store, path, root })
    }

    /// Returns a directory of a store of the caller.
    pub(crate) fn in_store(store: Arc<dyn ObjectStore>, path: &str) -> Result<Self> {
        let root = format!("store://{store}").into();
        let path = parse(path)?;
        Ok(Self { store, path, root })
    }

    /// Returns what is named `name` in this directory. The name may have several parts.
    pub(crate) fn child(&self, name: &str) -> Result<Self> {
        let path = match self.path.as_ref() {
            "" => parse(name)?,
            path => parse(&format!("{path}/{name}"))?,
        };
        Ok(Self {
            path,
            ..self.clone()
        })
    }

    pub(crate) fn url(&self) -> String {
        match self.path.as_ref() {
            "" => self.root.to_string(),
            path => format!("{}/{path}", self.root),
        }
    }

    /// Returns the URL of the object `name` in this directory.
    pub(crate) fn url_of(&self, name: &str) -> String {
        format!("{}/{name}", self.url())
    }

    /// The path in the bucket.
    pub(crate) fn path(&self) -> &str {
        self.path.as_ref()
    }

    /// Writes a small object, and replaces it as the segments are replaced. So a wrong bucket, missing credentials, a missing
    /// permission and a dead network are errors of the opening.
    pub(crate) fn check_access(&self) -> Result<()> {
        let marker = self.child(MARKER)?;
        let payload = PutPayload::from_static(
            b"A directory of summary-writer. TensorBoard ignores this object.\n",
        );
        let (store, path) = (Arc::clone(&self.store), marker.path.clone());
        let put = async move {
            let version = store.put(&path, payload.clone()).await?.into();
            let replace = PutMode::Update(version);
            store.put_opts(&path, payload, replace.into()).await
        };
        match wait(OPEN_TIMEOUT, put) {
            // Another process may open the same directory, and some stores compare no versions.
            Ok(_) | Err(Failure::Conflict(_) | Failure::Unsupported(_)) => Ok(()),
            Err(failure) => Err(marker.error("create", self.advise(failure))),
        }
    }

    /// Creates the directory by its marker. Returns `false` if it exists.
    pub(crate) fn create_new(&self) -> Result<bool> {
        let marker = self.child(MARKER)?;
        match marker.put(
            PutPayload::from_static(
                b"A new directory of summary-writer. TensorBoard ignores this object.\n",
            ),
            PutMode::Create,
            OPEN_TIMEOUT,
            &|| false,
        ) {
            Ok(_) => Ok(true),
            Err(Failure::Conflict(_)) => Ok(false),
            Err(failure) => Err(marker.error("create", self.advise(failure))),
        }
    }

    /// Adds what to check to the error of an opening.
    fn advise(&self, failure: Failure) -> Failure {
        let error = failure.into_io();
        let advice = connect::advice(&self.root);
        Failure::Other(io::Error::new(error.kind(), format!("{error}; {advice}")))
    }

    /// Returns the objects in this directory, in the order of their names.
    pub(crate) fn list(&self) -> Result<Vec<Object>> {
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        let listed = wait(TIMEOUT, async move {
            store.list_with_delimiter(Some(&path)).await
        });
        let listed = listed.map_err(|failure| self.error("list", failure))?;
        Ok(self.objects(listed.objects))
    }

    /// Returns whether there is no object in this directory and below it.
    pub(crate) fn is_empty(&self) -> Result<bool> {
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        let first = wait(
            TIMEOUT,
            async move { store.list(Some(&path)).try_next().await },
        );
        let first = first.map_err(|failure| self.error("list", failure))?;
        Ok(first.is_none())
    }

    /// Returns all objects in this directory and below it, in the order of their names.
    pub(crate) fn walk(&self) -> Result<Vec<Object>> {
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        let listed = wait(TIMEOUT, async move {
            store.list(Some(&path)).try_collect::<Vec<_>>().await
        });
        let listed = listed.map_err(|failure| self.error("list", failure))?;
        Ok(self.objects(listed))
    }

    fn objects(&self, listed: Vec<object_store::ObjectMeta>) -> Vec<Object> {
        let prefix_bytes = match self.path.as_ref() {
            "" => 0,
            path => path.len() + 1,
        };
        let name = |object: &object_store::ObjectMeta| {
            object
                .location
                .as_ref()
                .get(prefix_bytes..)
                .map(str::to_owned)
        };
        let mut objects: Vec<_> = listed
            .iter()
            .filter_map(|object| {
                Some(Object {
                    name: name(object)?,
                    bytes: object.size,
                })
            })
            .collect();
        objects.sort();
        objects
    }

    /// Returns the size of the object at this path, or `None` if there is none.
    pub(crate) fn object_bytes(&self) -> Result<Option<u64>> {
        if self.path.as_ref().is_empty() {
            return Ok(None);
        }
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        match wait(TIMEOUT, async move { store.head(&path).await }) {
            Ok(object) => Ok(Some(object.size)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(self.error("open", failure)),
        }
    }

    /// Returns the object at this path and its version, or `None` if there is none.
    pub(crate) fn get(&self) -> Result<Option<(Vec<u8>, UpdateVersion)>> {
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        let got = wait(TIMEOUT, async move {
            let object = store.get(&path).await?;
            let version = UpdateVersion {
                e_tag: object.meta.e_tag.clone(),
                version: object.meta.version.clone(),
            };
            Ok((object.bytes().await?.to_vec(), version))
        });
        match got {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(self.error("read", failure)),
        }
    }

    /// Writes the object at this path. Gives up after `timeout`, or soon after `must_stop` returns `true`.
    pub(crate) fn put(
        &self,
        payload: PutPayload,
        mode: PutMode,
        timeout: Duration,
        must_stop: &dyn Fn() -> bool,
    ) -> Result<UpdateVersion, Failure> {
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        let put = async move { store.put_opts(&path, payload, mode.into()).await };
        request::wait_unless(timeout, must_stop, put).map(UpdateVersion::from)
    }

    /// Creates the object at this path, or replaces it.
    pub(crate) fn put_bytes(&self, bytes: Vec<u8>, mode: PutMode) -> Result<(), Failure> {
        self.put(bytes.into(), mode, TIMEOUT, &|| false).map(drop)
    }

    pub(crate) fn error(&self, action: &'static str, failure: Failure) -> Error {
        Error::io(action, Path::new(&self.url()), failure.into_io())
    }
}

fn parse(path: &str) -> Result<path::Path> {
    path::Path::parse(path).map_err(|error| {
        let problem = format!("expected parts separated by single `/`, got {path:?}: {error}");
        Error::invalid("path", problem)
    })
}
