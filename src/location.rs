//! Where a path of the caller leads: to the file system, or to an object store. The operating system takes a URL and a leading
//! `~` for the names of directories.

use std::path::Path;

use crate::error::{Error, Result, quoted};
#[cfg(feature = "object-store")]
use crate::store::StoreDir;

/// The meaning of a path.
#[derive(Debug)]
pub(crate) enum Location<'a> {
    Local(&'a Path),
    #[cfg(feature = "object-store")]
    Store(StoreDir),
}

/// Returns what `path` means: a local path, that of a `file://` URL, or a directory of an object store.
///
/// # Errors
/// [`Error::Invalid`] for another URL, and for what only a shell replaces: a leading `~`, `$NAME` or `${NAME}`.
pub(crate) fn location(path: &Path) -> Result<Location<'_>> {
    #[cfg(feature = "object-store")]
    if let Some((scheme, _)) = split_url(path)
        && is_store(scheme)
    {
        let url = path.to_string_lossy();
        // On Windows, `Path::join` puts a `\` into a URL.
        let url = if cfg!(windows) {
            url.replace('\\', "/")
        } else {
            url.into()
        };
        return StoreDir::of_url(&url).map(Location::Store);
    }
    local_path(path).map(Location::Local)
}

/// Returns the local path that `path` means: the path itself, or that of a `file://` URL.
///
/// # Errors
/// As for [`location`], and for a URL of an object store.
pub(crate) fn local_path(path: &Path) -> Result<&Path> {
    if let Some((scheme, rest)) = split_url(path) {
        return if scheme.eq_ignore_ascii_case("file") {
            path_of_file_url(path, rest)
        } else {
            let advice = if !is_store(scheme) {
                "is not supported; use a local directory and copy it, or mount the store as a directory"
            } else if cfg!(feature = "object-store") {
                "is not supported here; copy it to a local directory"
            } else {
                "needs the feature `object-store` of summary-writer"
            };
            let path = quoted(path);
            let problem =
                format!("it must be in the local file system, got {path}: `{scheme}://` {advice}");
            Err(Error::invalid("path", problem))
        };
    }
    let first = path.iter().next().unwrap_or_default().to_string_lossy();
    let replaced_by_shell = if first.starts_with('~') {
        Some("std::env::home_dir()")
    } else if first.strip_prefix('$').is_some_and(is_variable) {
        Some("std::env::var_os()")
    } else {
        None
    };
    if let Some(function) = replaced_by_shell {
        let path = quoted(path);
        let problem = format!(
            "only a shell replaces the `{first}` of {path}: use {function}, or start with `./` if a directory has that name"
        );
        return Err(Error::invalid("path", problem));
    }
    Ok(path)
}

/// Returns whether a URL with this scheme names an object store: S3, Google Cloud Storage or Azure.
pub(crate) fn is_store(scheme: &str) -> bool {
    let stores = ["s3", "s3a", "gs", "az", "abfs", "abfss"];
    stores
        .iter()
        .any(|store| scheme.eq_ignore_ascii_case(store))
}

/// Splits a URL at its `://`. A scheme has at least two letters, because `C:` is a drive.
fn split_url(path: &Path) -> Option<(&str, &str)> {
    let (scheme, rest) = path.to_str()?.split_once("://")?;
    let is_scheme = scheme.len() >= 2
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some((scheme, rest))
}

/// Returns the path of a `file://` URL that names no other host and escapes nothing.
fn path_of_file_url<'a>(url: &Path, rest: &'a str) -> Result<&'a Path> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') || path.contains(['%', '?', '#']) {
        let url = quoted(url);
        let problem = format!(
            "a file URL must be `file://` and an absolute path without `%`, `?` and `#`, got {url}: use the path itself"
        );
        return Err(Error::invalid("path", problem));
    }
    // In `file:///C:/runs`, the drive follows a slash.
    let path = if cfg!(windows) { &path[1..] } else { path };
    Ok(Path::new(path))
}

/// Returns whether this is what follows the `$` of a shell variable.
fn is_variable(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_paths_stay_as_they_are() {
        for path in [
            "",
            "runs/a",
            "/runs/a",
            "C:\\runs",
            "C://runs",
            "./s3://bucket",
            "://runs",
            "runs/~/a",
            "runs~",
            "./~/runs",
            "$",
            "$1",
            "./$HOME/runs",
            "runs/$HOME",
        ] {
            let path = Path::new(path);
            assert_eq!(local_path(path).unwrap(), path);
        }
    }

    #[cfg(unix)]
    #[test]
    fn file_url_is_its_path() {
        for url in [
            "file:///runs/a b",
            "FILE:///runs/a b",
            "file://localhost/runs/a b",
        ] {
            assert_eq!(local_path(Path::new(url)).unwrap(), Path::new("/runs/a b"));
        }
    }

    #[test]
    fn url_and_home_directory_are_refused_with_a_reason() {
        let store_reason = match cfg!(feature = "object-store") {
            true => "is not supported here",
            false => "needs the feature `object-store`",
        };
        for (path, reason) in [
            ("s3://bucket/run", store_reason),
            ("gs://bucket", store_reason),
            ("hdfs://host:9000/run", "`hdfs://` is not supported"),
            ("abfss+v2.x-y://run", "`abfss+v2.x-y://` is not supported"),
            ("file://runs/a", "an absolute path"),
            ("file://host/runs", "an absolute path"),
            ("file:///runs/a%20b", "without `%`"),
            ("~", "only a shell replaces the `~`"),
            ("~/runs", "use std::env::home_dir()"),
            ("~user/runs", "only a shell replaces the `~user`"),
            ("$HOME/runs", "use std::env::var_os()"),
            ("${HOME}/runs", "only a shell replaces the `${HOME}`"),
        ] {
            let error = local_path(Path::new(path)).unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
            let message = error.to_string();
            assert!(message.contains(reason), "{message}");
            assert!(message.contains(&quoted(Path::new(path))), "{message}");
        }
    }
}
