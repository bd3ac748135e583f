//! How to log to S3, Google Cloud Storage and Azure, what TensorBoard needs there, and what it costs. Needs the feature
//! `object-store`.
//!
//! A URL works wherever a path does: for the writer and its child runs, [`unique_logdir`](crate::unique_logdir),
//! [`TrainingLogger`](crate::TrainingLogger), [`EventReader`](crate::EventReader),
//! [`find_runs`](crate::reader::find_runs), [`verify`](crate::reader::verify()) and
//! [`compact`](crate::reader::compact()).
//!
//! ```no_run
//! use summary_writer::SummaryWriter;
//!
//! let summary = SummaryWriter::create_file_writer("s3://bucket/logs/run1")?;
//! summary.scalar("loss", 0.5, 0);
//! summary.close()?;
//! # Ok::<(), summary_writer::Error>(())
//! ```
//!
//! Opening writes the small object `.summary-writer`, which TensorBoard ignores. So a wrong bucket, missing credentials, a
//! missing permission and a dead network are errors of the opening, at most 10 s later. `WriterOptions::object_store` takes any
//! store of the crate [`object_store`](https://docs.rs/object_store), for example one in memory for tests.
//!
//! # Variables and commands
//!
//! Program and TensorBoard read the same variables, except where the table says more.
//!
//! | | S3 and compatible stores | Google Cloud Storage | Azure |
//! |---|---|---|---|
//! | URL | `s3://BUCKET/logs`; `s3a://` for the program only | `gs://BUCKET/logs` | `az://CONTAINER/logs`, `abfs://`, `abfss://` |
//! | credentials | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; or the role of the machine, the container or the web identity (`AWS_WEB_IDENTITY_TOKEN_FILE`). Profiles in `~/.aws` are for TensorBoard only | `GOOGLE_APPLICATION_CREDENTIALS`, the file of a service account; or the login of `gcloud auth application-default login`; or the account of the machine | `AZURE_STORAGE_CONNECTION_STRING`; or `AZURE_STORAGE_ACCOUNT_NAME` with `AZURE_STORAGE_ACCOUNT_KEY`, with `AZURE_STORAGE_SAS_TOKEN`, or with the identity of the machine |
//! | place | `AWS_DEFAULT_REGION`, which is `us-east-1` by default; `AWS_ENDPOINT_URL` or `S3_ENDPOINT` for compatible stores | | `BlobEndpoint` in the connection string |
//! | emulators | `AWS_ENDPOINT_URL=http://127.0.0.1:5000` | `STORAGE_EMULATOR_HOST=http://127.0.0.1:9023` | a connection string with `BlobEndpoint=http://..` |
//! | once | `pip install tensorboard boto3` | `pip install tensorboard fsspec gcsfs` | `pip install tensorboard fsspec adlfs` |
//! | watch | `tensorboard --load_fast=false --logdir s3://BUCKET/logs` | `tensorboard --load_fast=false --logdir gs://BUCKET/logs` | `FSSPEC_AZ='{"use_listings_cache": false}' tensorboard --load_fast=false --logdir az://CONTAINER/logs` |
//!
//! `--load_fast=false` chooses the loader that reads these URLs. Without `FSSPEC_AZ`, TensorBoard lists an Azure container
//! once, and shows no later run and no later point.
//!
//! TensorBoard 2.21 shows embeddings from a local directory only. For those at a URL, it prints a traceback. Copy the log
//! directory, for example with `aws s3 sync s3://BUCKET/logs logs`.
//!
//! # What is in the store
//!
//! A run is a row of objects, its *segments*. Their names are those of event files, and sort in the order of writing. A store
//! cannot append to an object. So the writer keeps the newest segment in memory, and uploads it whole each time. It begins the
//! next segment when this one
//!
//! - has 32 MiB ([`max_file_bytes`](crate::WriterOptions::max_file_bytes)),
//! - was uploaded 100 times, or
//! - has more than 64 KiB, and its uploads would have more than 4 times its bytes and more than 500 MB a day.
//!
//! The writer deletes, renames and shortens no object, because a TensorBoard may be reading it.
//! [`compact`](crate::reader::compact()), or the program `summary-writer compact URL --out URL`, merges the segments of a run
//! into one object in another log directory.
//!
//! # When points arrive, and what it costs
//!
//! Records wait for 10 s at first, so that the points of a new run are soon in TensorBoard. The time grows with the age of the
//! run, and is 60 s after an hour. [`flush`](crate::SummaryWriter::flush) and `close` upload at once, and return when the store
//! has everything. Each upload is one request. That makes 1,550 on the first day of a run, 1,440 on each later one, and none
//! while nothing is logged. A request costs about 0.000005 dollars on S3, so a run costs less than a cent a day. Add its
//! storage. A bucket with versions or soft delete also keeps what was replaced, so it stores all bytes that were uploaded. Soft
//! delete for 7 days is the default of Google Cloud Storage.
//!
//! A TensorBoard costs more than the program. On S3, each reload lists 4 times and reads twice for one run, and lists once and
//! reads twice for each further run. It reloads every 5 s, which costs up to 0.36 dollars a day for one run. With
//! `--reload_interval=60`, it costs 0.03 dollars.
//!
//! A day of a run, simulated by `cargo test --features object-store --lib segments`:
//!
//! | logged | uploaded | objects |
//! |---|---|---|
//! | 1 scalar a second: 3.5 MB | 170 MB | 16 |
//! | 25 scalars a second: 86 MB | 431 MB | 173 |
//! | 1 image of 150 kB a second: 13 GB | 33 GB | 371 |
//! | 1 million scalars a second: 3.5 TB | 3.5 TB | one for each 40 MB |
//!
//! Runs that log 0.3 kB to 65 kB a second make up to 230 objects a day: fewer objects would need more bytes or longer waits.
//!
//! # When the store fails
//!
//! If the store fails, throttles or does not answer, no call that logs waits for it while there is memory. The data stays in
//! memory, up to the 64 MiB of [`max_pending_bytes`](crate::WriterOptions::max_pending_bytes). When they are full, a call waits
//! for room, and once an upload has failed, records are rejected and counted ([`WhenFull`](crate::WhenFull)). The writer tries
//! again after 0.1 s, and then after longer pauses of up to 5 s. Each upload names the version that it replaces. So an upload
//! that arrives after its successor changes nothing, and each record is in the store once. Stores without conditional writes
//! get plain ones.
//!
//! A program that is killed loses what was accepted since the last upload. [`close`](crate::SummaryWriter::close) and the drop
//! of the last handle try for 60 s ([`close_timeout`](crate::WriterOptions::close_timeout)). Then they give up, and report how
//! many bytes were pending. `WriterOptions::spill_dir` names a local directory for these.
//! [`stats`](crate::SummaryWriter::stats) counts uploads, their bytes, and those that were tried again. The credentials of
//! machines and web identities are renewed when they expire.
//!
//! A TensorBoard that meets an outage of S3 prints a traceback, and shows no new points. Start it again.
//!
//! A machine that is preempted gets a signal some seconds before its end. Upload what is pending then:
//!
//! ```
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use std::time::Duration;
//!
//! /// Set by the handler of SIGTERM, for example with the crate `signal-hook`.
//! static IS_PREEMPTED: AtomicBool = AtomicBool::new(false);
//!
//! # let dir = tempfile::tempdir()?;
//! # let url = dir.path();
//! # IS_PREEMPTED.store(true, Ordering::Relaxed);
//! let summary = summary_writer::SummaryWriter::create_file_writer(url)?;
//! for step in 0.. {
//!     summary.scalar("loss", 1.0 / f64::from(step + 1), step);
//!     if IS_PREEMPTED.load(Ordering::Relaxed) {
//!         summary.flush_timeout(Duration::from_secs(20))?;
//!         break;
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Resuming
//!
//! [`resume`](crate::WriterOptions::resume) changes no object. It reads the run, and the next segment starts with records that
//! tell TensorBoard to forget all steps from the given one on. With `--load_fast=false`, a running TensorBoard and a new one
//! show one curve. The fast loader, which reads `gs://` and copies on a disk, drops the old points of a tag when its next point
//! arrives. In a run with records for each batch ([`UpdateFreq::Batch`](crate::training::UpdateFreq)), the records that count
//! epochs stay, because one step cannot say both. Embeddings stay until a new one of the same tag and step replaces them.
//!
//! # Mounted buckets
//!
//! A bucket that is mounted as a directory needs no feature, but mounts upload a file when it is closed.
//! [Mountpoint for S3](https://github.com/awslabs/mountpoint-s3/blob/main/doc/SEMANTICS.md) and
//! [gcsfuse](https://github.com/GoogleCloudPlatform/gcsfuse/blob/master/docs/semantics.md) show a new object after its close. So
//! TensorBoard sees no points while the program runs, and a killed program can lose the whole run. Mountpoint cannot append to
//! an object of a general purpose bucket either, so a child run that releases its file cannot continue. gcsfuse before version 3
//! uploads the whole file again at each `fsync`, and version 3 does not finish the object at an `fsync`. Use a URL instead.
//!
//! # Building
//!
//! The feature adds 115 crates on Linux: `object_store`, `tokio`, `reqwest`, `rustls` and their dependencies. Only `ring` has
//! code in C. The feature needs Rust 1.88, as the library does. A URL without the feature is an error that names it.
