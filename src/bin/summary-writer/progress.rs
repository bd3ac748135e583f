//! How far a command is with its files, on a terminal.

use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, Instant};

/// Work that is done before is not worth a line.
const PATIENCE: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_millis(100);

/// A line on standard error that is there while there is work.
#[derive(Debug)]
pub(crate) struct Progress {
    line: Option<Line<io::Stderr>>,
}

#[derive(Debug)]
struct Line<W> {
    terminal: W,
    done_bytes: u64,
    all_bytes: u64,
    next: Instant,
    is_shown: bool,
}

impl Progress {
    /// Of `all_bytes`; none unless `wanted` and standard error is a terminal.
    pub(crate) fn new(all_bytes: u64, wanted: bool) -> Self {
        let terminal = io::stderr();
        Self {
            line: (wanted && terminal.is_terminal())
                .then(|| Line::new(terminal, all_bytes, Instant::now())),
        }
    }

    /// Takes the line away, so that something else can be written.
    pub(crate) fn clear(&mut self) {
        if let Some(line) = &mut self.line {
            line.clear();
        }
    }
}

impl<W: Write> Line<W> {
    fn new(terminal: W, all_bytes: u64, now: Instant) -> Self {
        Self {
            terminal,
            done_bytes: 0,
            all_bytes,
            next: now + PATIENCE,
            is_shown: false,
        }
    }

    fn add(&mut self, bytes: u64, now: Instant) {
        self.done_bytes = self.done_bytes.saturating_add(bytes);
        if now < self.next {
            return;
        }
        self.next = now + INTERVAL;
        self.is_shown = true;
        // Files may grow meanwhile.
        let all = self.all_bytes.max(self.done_bytes);
        let percent = u128::from(self.done_bytes) * 100 / u128::from(all.max(1));
        let (done, all) = (self.done_bytes / 1_000_000, all / 1_000_000);
        // A terminal that takes nothing is no reason to stop.
        write!(self.terminal, "\r{done} of {all} MB, {percent} %").ok();
        self.terminal.flush().ok();
    }

    fn clear(&mut self) {
        if self.is_shown {
            self.is_shown = false;
            write!(self.terminal, "\r\x1b[K").ok();
            self.terminal.flush().ok();
        }
    }
}

/// A source whose bytes are counted.
#[derive(Debug)]
pub(crate) struct Watched<'p, R> {
    pub(crate) source: R,
    pub(crate) progress: &'p mut Progress,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let Some(line) = &mut self.progress.line {
            line.add(count as u64, Instant::now());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_after_a_while_and_leaves_nothing() {
        let start = Instant::now();
        let mut line = Line::new(Vec::new(), 20_000_000, start);
        line.add(5_000_000, start + PATIENCE / 2);
        line.clear();
        assert_eq!(line.terminal, b"");
        line.add(5_000_000, start + PATIENCE);
        line.add(1_000_000, start + PATIENCE + INTERVAL / 2);
        line.add(10_000_000, start + PATIENCE + INTERVAL);
        line.clear();
        line.clear();
        let want = "\r10 of 20 MB, 50 %\r21 of 21 MB, 100 %\r\x1b[K";
        assert_eq!(String::from_utf8(line.terminal).unwrap(), want);
    }
}
