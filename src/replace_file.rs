//! Replaces a file, also on Windows while another program has it open for a moment.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};

/// The number of attempts, and the pause between two of them.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// Renames the file `from` to `to`, which may exist.
///
/// Windows refuses this while a program reads `to` and has not allowed others to delete it. Python's `open` does not allow it,
/// so TensorBoard blocks a file while it reads it.
pub(crate) fn replace_file(from: &Path, to: &Path) -> Result<()> {
    let mut attempt = 1;
    loop {
        match fs::rename(from, to) {
            Err(error) if is_in_use(&error) && attempt < ATTEMPTS => {
                attempt += 1;
                thread::sleep(PAUSE);
            }
            Err(error) if is_in_use(&error) => {
                let problem = format!(
                    "it is read-only or open in another program, such as TensorBoard; stop that program and try again: {error}"
                );
                return Err(Error::io(
                    "replace",
                    to,
                    io::Error::new(error.kind(), problem),
                ));
            }
            result => return result.map_err(|error| Error::io("replace", to, error)),
        }
    }
}

/// Returns whether Windows refused an operation because of what other programs do with the file.
fn is_in_use(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    cfg!(windows)
        && matches!(
            error.raw_os_error(),
            Some(ACCESS_DENIED | SHARING_VIOLATION)
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_exists_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| dir.path().join(name));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        replace_file(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        let error = replace_file(&from, &to).unwrap_err();
        assert!(error.to_string().contains("could not replace"), "{error}");
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
    }

    #[cfg(windows)]
    #[test]
    fn file_is_replaced_once_its_reader_closes_it() {
        use std::os::windows::fs::OpenOptionsExt;

        let dir = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| dir.path().join(name));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        let share_read_and_write = 3; // FILE_SHARE_READ | FILE_SHARE_WRITE, as Python opens files
        let mut options = fs::File::options();
        let reader = options
            .read(true)
            .share_mode(share_read_and_write)
            .open(&to);
        let reader = reader.unwrap();
        let error = replace_file(&from, &to).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("open in another program"), "{source}");
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");

        let closes = thread::spawn(move || {
            thread::sleep(PAUSE);
            drop(reader);
        });
        replace_file(&from, &to).unwrap();
        closes.join().unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
    }
}
