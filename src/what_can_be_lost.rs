//! How many records a crash, a full disk or another fault can cost.
//!
//! The words in the table:
//!
//! - A record is *accepted* if its call did not increase [`Stats::rejected_count`] or [`Stats::ignored_count`].
//! - A record is *flushed* when the operating system has it. It survives the end of the program, but not a power failure.
//! - `T` is [`WriterOptions::flush_interval`], 200 ms by default.
//!
//! - *Lost* means accepted, but not in the file. A record that its call rejects is not accepted, so it does not count as lost.
//!
//! The writer writes each record once, and the records of one tag in the order of their calls. After a crash, the last record
//! may be incomplete. Readers stop before it.
//!
//! | what happens | lost at most | what else to know | checked by |
//! |---|---|---|---|
//! | `close` is called, or the last handle is dropped, also by a panic | nothing | | `faults` "panic, exit, abort" |
//! | the program is killed, aborts or runs out of memory | records accepted in the last `T`, and images and audio clips that are not encoded yet | with a flush interval of [`Duration::ZERO`], each call writes its record before it returns | `faults` "kill -9" |
//! | the program calls [`std::process::exit`], or the handle is in a `static` | the same as if it was killed | nothing drops the handle: call [`flush`] or [`close`] first | `faults` "panic, exit, abort" |
//! | the system crashes or loses power | what the disk did not have yet, usually some seconds | with [`SyncPolicy::EachFlush`], only what was accepted in the last `T`; with [`SyncPolicy::OnClose`], closed files lose nothing | not tested, because a test cannot cut the power |
//! | the disk is full, the quota or the file size limit is reached, or writing fails, and this ends later | nothing | beyond [`WriterOptions::max_pending_bytes`], records are rejected and counted; no call waits | `faults` "full disk", "file size limit", "immutable file", "read-only disk" |
//! | the same, but it has not ended at `close` | what was not flushed | `close` returns the error; the number of lost records is logged, and is in the [`stats`] of other handles | `faults` "full disk" |
//! | the disk hangs, and recovers | nothing | beyond `max_pending_bytes`, calls wait; with [`WhenFull::DropNew`], records are rejected and counted instead. [`flush_timeout`] and [`close_timeout`] wait no longer than their limit | `faults` "frozen disk", "stuck pipe" |
//! | the disk is slow, writes only a part of the data, or is interrupted by signals | nothing | | `faults` "stuck pipe", "short writes" |
//! | an object store fails, throttles or does not answer, and recovers | nothing | as for a disk that is full; `close` tries for 60 s | `tests/object_store.rs` |
//! | the program is killed while it logs to an object store | what was accepted since the last upload, at most a minute ago | the objects in the store are whole | `tests/stock/test_object_store.py` |
//! | the directory or the file is deleted | the deleted file, and the batch that was being written when it was deleted; at `close`, also what was not flushed | later records go to a new file. `close` and drop do not create the directory again: `close` returns an error, and what was not flushed is lost | `faults` "deleted directory", `tests/files.rs` |
//! | the directory is moved | nothing | the open file moves with it. Runs that are opened later are created at the old path. A child run that had released its file gets a new file there. A warning is logged | `tests/reports.rs` |
//! | a child run without a handle releases its file and its threads, because there are more than 32 of them | nothing | it does so after its data is written, and not while the disk fails. The next [`run`] of its name appends to the file | `tests/runs.rs` |
//! | the process forks | nothing of the parent's records | what the child logs is ignored, and counted in [`Stats::ignored_count`]. The child reports this only in `flush` and `close`, because its logger may be locked forever | `faults` "fork", `tests/fork.rs` |
//! | several processes log, each to its own run | nothing | | `faults` "a run for each process" |
//! | several processes log to one run by mistake | nothing | each has its own file, but TensorBoard does not show all of them: the Python loader follows one file, and in the fast loader the steps of one file remove points of another. A warning is logged, and [`Stats::other_writer_count`] counts the other files | `faults` "one run for all processes" |
//! | the program is started again in the directory | nothing | it writes to a new file, which readers read last. A warning is logged, because TensorBoard drops points when steps go back | `faults` "restarts" |
//! | a run is opened with [`WriterOptions::resume`] | what has that step or a later one, as intended | earlier records stay, also if the program is killed during the call | `tests/resume.rs` |
//! | the same, while another process writes to the run | what that process writes afterwards | a warning is logged first. If another writer of the same process has the run open, the call is an error, and nothing is lost | `tests/resume.rs` |
//! | an image cannot be encoded | that record | it is counted, and an error is logged | `writer::tests::encoder` |
//! | a record is longer than 2 GiB | that record, because no reader accepts it | it is counted, and an error is logged | not tested, because a test cannot write so much |
//! | a step goes back or repeats, or a tag is used for two kinds of data | nothing in the file | TensorBoard drops points of the tag. One warning is logged for each tag, and the tag is counted | `writer::series::tests` |
//! | a file is damaged later | the damaged records | [`verify`] finds them, and [`repair_to`] keeps the others | `tests/stock/test_repair.py` |
//!
//! # The tests
//!
//! - `cargo test --test faults` runs the scenarios in quotes with real full, frozen and read-only disks. It prints how
//!   often each fault happened, and how many records were lost beyond this table. That number must be 0. With
//!   `FAULT_CAMPAIGN=long` it kills 240 programs.
//! - `tests/stock/test_faults.py` checks that stock TensorBoard reads what is left.
//! - `cargo test --package interleavings` uses a model checker. It runs callers, a flush, a close and a failing disk through
//!   the possible orders of their locks, waits and wakes, up to a bound.
//!
//! # Details
//!
//! - `close` and the drop of the last handle wait for a disk that hangs. A program that must end calls [`close_timeout`].
//! - Images, animations and audio clips are encoded on a second thread, after their calls have returned. A killed program
//!   loses those that still wait. Other records do not wait for them. The pixels and samples that wait count as pending:
//!   [`Stats::pending_bytes`] includes them, they may take three quarters of `max_pending_bytes`, and [`flush`] waits until
//!   they are written. With several [`encoder_threads`], an encoded image waits until the earlier ones are encoded, too.
//! - After a failed `fsync`, the operating system may discard data, although the next `fsync` succeeds. So with
//!   [`SyncPolicy::EachFlush`], `flush`, `close` and [`Stats::failure`] return the error until the file is closed. Logging
//!   continues in the same file. To be safe again, close the writer and open a new one.
//! - A writer that ends with an error logs how many records are lost. If a part of a batch was written, the whole batch
//!   counts as lost, so the number may be too high.
//!
//! [`encoder_threads`]: crate::WriterOptions::encoder_threads
//! [`run`]: crate::SummaryWriter::run
//! [`Stats::rejected_count`]: crate::Stats::rejected_count
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
//! [`verify`]: crate::reader::verify()
//! [`repair_to`]: crate::reader::repair_to
