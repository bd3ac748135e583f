//! Sends requests to a store and waits for them, with a time limit.

use std::error;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::platform::process_id;

/// How often a wait looks whether it must stop.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The longest text of a store's error that a message has. Some stores answer with a page.
const MAX_MESSAGE_CHARS: usize = 600;

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The object exists, or is not the version that the request names.
    Conflict(io::Error),
    /// The store has no such requests.
    Unsupported(io::Error),
    Other(io::Error),
}

impl Failure {
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Conflict(error) | Self::Unsupported(error) | Self::Other(error) => error,
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Other(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;

        let kind = match &error {
            E::NotFound { .. } => io::ErrorKind::NotFound,
            E::AlreadyExists { .. } | E::Precondition { .. } => io::ErrorKind::AlreadyExists,
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
                io::ErrorKind::PermissionDenied
            }
            E::NotSupported { .. } | E::NotImplemented { .. } => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::Other,
        };
        let source = io::Error::new(kind, message(&error));
        match kind {
            io::ErrorKind::AlreadyExists => Self::Conflict(source),
            io::ErrorKind::Unsupported => Self::Unsupported(source),
            _ => Self::Other(source),
        }
    }
}

/// Returns the text of an error on one line, with those causes that it does not repeat.
fn message(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut source = error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    let words: Vec<_> = text.split_whitespace().collect();
    let text = without_xml(&words.join(" "));
    text.chars().take(MAX_MESSAGE_CHARS).collect()
}

/// Replaces the XML document with which a store answers by the code and the message in it.
fn without_xml(text: &str) -> String {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0)
    };
    let (Some((before, _)), Some(code)) = (text.split_once('<'), element("Code")) else {
        return text.into();
    };
    let message = element("Message").map(|message| format!(", {message}"));
    format!("{before}{code}{}", message.unwrap_or_default())
}

/// Waits for a request, for at most `timeout`.
pub(super) fn wait<T: Send + 'static>(
    timeout: Duration,
    request: impl Future<Output = object_store::Result<T>> + Send + 'static,
) -> Result<T, Failure> {
    wait_unless(timeout, &|| false, request)
}

/// Waits for a request, for at most `timeout`, unless `must_stop` returns `true`. A request that was not finished is cancelled,
/// but may still reach the store.
pub(super) fn wait_unless<T: Send + 'static>(
    timeout: Duration,
    must_stop: &dyn Fn() -> bool,
    request: impl Future<Output = object_store::Result<T>> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, receiver) = mpsc::channel();
    let runtime = runtime().map_err(Failure::Other)?;
    let task = runtime.spawn(async move {
        sender.send(request.await).ok();
    });
    let start = Instant::now();
    loop {
        match receiver.recv_timeout(POLL_INTERVAL) {
            Ok(result) => return result.map_err(Failure::from),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Other(io::Error::other("the store panicked")));
            }
            Err(RecvTimeoutError::Timeout) if start.elapsed() >= timeout || must_stop() => {
                task.abort();
                let problem = format!("no answer after {:.0?}", start.elapsed());
                let error = io::Error::new(io::ErrorKind::TimedOut, problem);
                return Err(Failure::Other(error));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Returns the runtime of this process, with one thread for all stores. It is never dropped, so a connection that is kept open
/// can be used by the next writer. A fork of the process starts its own.
fn runtime() -> io::Result<Handle> {
    static RUNTIME: Mutex<Option<(u32, &Runtime)>> = Mutex::new(None);

    let mut current = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match *current {
        Some((process, runtime)) if process == process_id() => Ok(runtime.handle().clone()),
        _ => {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("summary-store")
                .enable_all()
                .build()?;
            let runtime: &Runtime = Box::leak(Box::new(runtime));
            *current = Some((process_id(), runtime));
            Ok(runtime.handle().clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_has_no_xml() {
        let start = "Server returned non-2xx status code: 404 Not Found: ";
        for (answer, want) in [
            // An answer of S3, from its manual: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
            (
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?> <Error> <Code>NoSuchKey</Code> <Message>The resource you requested \
                 does not exist</Message> <Resource>/mybucket/myfoto.jpg</Resource> </Error>",
                "NoSuchKey, The resource you requested does not exist",
            ),
            ("<Error><Code>SlowDown</Code></Error>", "SlowDown"),
            ("<html>Not Found</html>", "<html>Not Found</html>"),
            ("", ""),
        ] {
            assert_eq!(
                without_xml(&format!("{start}{answer}")),
                format!("{start}{want}")
            );
        }
    }
}
