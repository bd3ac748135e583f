//! What can be lost, and when: for each thing that happens to a program, what of its log is there afterwards, and the test
//! that holds it, where there is one.
//!
//! *Accepted* is a record whose call has returned without its being counted in [`Stats::refused_count`] or
//! [`Stats::ignored_count`]; *flushed* is one that is with the operating system, which keeps it whatever the program does.
//! A record is never torn, written twice or out of order. `T` is [`WriterOptions::flush_interval`], 200 ms by default.
//!
//! | what happens | lost at the most | held by |
//! |---|---|---|
//! | `close`, or the last handle is dropped, also while a panic unwinds | nothing | `faults` "panic, exit, abort" |
//! | the program is killed, aborts, or is ended for want of memory | what the last `T` accepted, and images and audio clips that were not encoded yet; nothing with [`Duration::ZERO`]; a record that was being written is torn, and readers stop before it | `faults` "kill -9" |
//! | [`std::process::exit`], or a handle in a `static` | as killed: nothing drops the handle; [`flush`] or [`close`] before | `faults` "panic, exit, abort" |
//! | the system crashes or loses power | what the disk had not got, which no program sees: seconds, as a rule. [`SyncPolicy::EachFlush`] makes it what the last `T` accepted, [`SyncPolicy::OnClose`] nothing of what was closed | no test: none cuts the power |
//! | the disk is full, or a quota, a limit of the file's size, a lock or an error stops it, and goes away | nothing that was accepted; beyond [`WriterOptions::max_pending_bytes`] records are refused and counted, and no caller waits | `faults` "full disk", "file size limit", "immutable file", "read-only disk" |
//! | the same, and it has not gone away at `close` | what was not flushed; `close` returns the error; a report and [`stats`] of another handle say how many | `faults` "full disk" |
//! | the disk hangs | nothing, once it comes back. Calls wait beyond `max_pending_bytes`, or are refused and counted with [`WhenFull::DropNew`]; [`flush_timeout`] and [`close_timeout`] have a limit | `faults` "frozen disk", "stuck pipe" |
//! | the disk is slow, takes a part of what it is given, or is interrupted by signals | nothing | `faults` "stuck pipe", "short writes" |
//! | the directory or the file is deleted | what was in it; the rest goes to a new file. What was written between the deletion and the next batch is lost with the old file. When the writer is closed or dropped, it does not create the directory again: `close` returns an error, and what was not flushed is lost | `faults` "deleted directory", `tests/files.rs` |
//! | the directory is moved | nothing: the open file moves with it. Runs that are opened later are created at the old path, which is reported | `tests/reports.rs` |
//! | the process forks | nothing of the parent's; what the child logs is ignored, and counted once it is noticed: [`Stats::ignored_count`] says when. The child reports this only by `flush` and `close`, because its logger may be locked forever | `faults` "fork", `tests/fork.rs` |
//! | several processes, a run each | nothing | `faults` "a run for each process" |
//! | several processes in one run, by mistake | nothing: each has a file. TensorBoard does not show all of them: its Python loader follows one, and in the fast loader steps of one take away points of another. It is reported, and counted in [`Stats::other_writer_count`] | `faults` "one run for all processes" |
//! | the program is started again in the directory | nothing: a new file, which sorts last. It is reported, because TensorBoard drops points if steps go back | `faults` "restarts" |
//! | [`WriterOptions::resume`] at a step | what lies at that step and beyond, as told; the rest stays, also where the program is killed meanwhile | `tests/resume.rs` |
//! | the same, while another process writes to the run | what that process writes afterwards; a warning says so first. A writer of the same process is an error, and nothing is lost | `tests/resume.rs` |
//! | an image cannot be encoded | that record; it is counted and reported | `writer::tests::encoder` |
//! | a record of more than 2 GiB | that record, for no reader takes it; it is counted and reported | no test: none makes so much |
//! | a step goes back or comes again, a tag is used for two kinds | nothing in the file; TensorBoard drops points of it. It is reported once for each tag, and counted | `writer::series::tests` |
//! | a file is damaged later | the records that are hit: [`verify`] finds them, [`repair_to`] keeps the others | `tests/stock/test_repair.py` |
//!
//! `faults` is `cargo test --test faults`, or `FAULT_CAMPAIGN=long cargo test --test faults` with 240 killed programs. It
//! uses real full, frozen and read-only disks, and prints how often each fault was tried and how many records were lost
//! against this table, which must be 0. That stock TensorBoard reads what is left is held by `tests/stock/test_faults.py`. In which order threads
//! meet is no matter of luck either: `cargo test --test interleavings` runs callers, a flush, a close and a failing disk
//! through every order of their locks, waits and wakes, within a bound, by a model checker.
//!
//! # What to know besides
//!
//! - `close` and the drop of the last handle wait as long as a disk hangs. A program that must end calls [`close_timeout`].
//! - A second thread of the writer encodes images, animations and audio clips after their calls. If a program logs them
//!   faster than they are encoded, they wait, and a killed program loses those that wait. Other records do not wait for
//!   them. The pixels and samples count as pending: [`Stats::pending_bytes`] includes them, they may take three quarters of
//!   `max_pending_bytes`, and [`flush`] waits until they are encoded and written.
//! - After an `fsync` that failed, an operating system may drop what it had, although the next `fsync` succeeds. So with
//!   [`SyncPolicy::EachFlush`], `flush`, `close` and [`Stats::failure`] return the error until the file is closed. Logging
//!   continues in the same file. To be sure again, close the writer and open another one.
//! - When a writer ends with an error, it reports how many records are lost. Those of a batch of which a
//!   part was written count as lost as a whole, so it may be fewer.
//!
//! [`Stats::refused_count`]: crate::Stats::refused_count
//! [`Stats::ignored_count`]: crate::Stats::ignored_count
//! [`Stats::other_writer_count`]: crate::Stats::other_writer_count
//! [`Stats::pending_bytes`]: crate::Stats::pending_bytes
//! [`Stats::failure`]: crate::Stats::failure
//! [`WriterOptions::flush_interval`]: crate::WriterOptions::flush_interval
//! [`WriterOptions::max_pending_bytes`]: crate::WriterOptions::max_pending_bytes
//! [`WriterOptions::resume`]: crate::WriterOptions::resume
//! [`WhenFull::DropNew`]: crate::WhenFull::DropNew
//! [`SyncPolicy::EachFlush`]: crate::SyncPolicy::EachFlush
//! [`SyncPolicy::OnClose`]: crate::SyncPolicy::OnClose
//! [`Duration::ZERO`]: std::time::Duration::ZERO
//! [`flush`]: crate::SummaryWriter::flush
//! [`flush_timeout`]: crate::SummaryWriter::flush_timeout
//! [`close`]: crate::SummaryWriter::close
//! [`close_timeout`]: crate::SummaryWriter::close_timeout
//! [`stats`]: crate::SummaryWriter::stats
//! [`verify`]: crate::verify()
//! [`repair_to`]: crate::repair_to
