//! Writers to object stores: what arrives in a store that works, fails, hangs, or answers late.
//!
//! The tests without faults run with a store in memory and one on the local disk. The latter cannot compare versions. With
//! `SUMMARY_WRITER_TEST_STORE_URL=s3://bucket/logs`, they also run with that store. tests/stock starts servers for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::Cursor;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use summary_writer::object_store::aws::AmazonS3Builder;
use summary_writer::object_store::azure::MicrosoftAzureBuilder;
use summary_writer::object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use summary_writer::object_store::local::LocalFileSystem;
use summary_writer::object_store::memory::InMemory;
use summary_writer::object_store::path::Path;
use summary_writer::object_store::{
    self, ClientOptions, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, StaticCredentialProvider,
};
use summary_writer::proto::event::What;
use summary_writer::proto::session_log::SessionStatus;
use summary_writer::{Embedding, Error, EventReader, SummaryWriter, WriterOptions};
use tokio::runtime::Runtime;

const RUN: &str = "logs/run";

/// A store without faults, and the directory of a run in it that has no objects.
struct Place {
    store: Arc<dyn ObjectStore>,
    run: String,
    /// The store compares versions.
    has_versions: bool,
    /// The objects of a store on the local disk.
    _dir: Option<tempfile::TempDir>,
}

impl Place {
    fn open(&self, options: WriterOptions) -> SummaryWriter {
        options.object_store(self.store.clone(), &self.run).unwrap()
    }

    fn segments(&self) -> Vec<(String, Vec<u8>)> {
        segments(&self.store, &self.run)
    }

    fn points(&self) -> Vec<(i64, f64)> {
        points(&self.store, &self.run)
    }
}

/// Calls `test` with each kind of store.
fn for_each_store(test: impl Fn(Place)) {
    test(Place {
        store: Arc::new(InMemory::new()),
        run: RUN.into(),
        has_versions: true,
        _dir: None,
    });
    let dir = tempfile::tempdir().unwrap();
    test(Place {
        store: Arc::new(LocalFileSystem::new_with_prefix(dir.path()).unwrap()),
        run: RUN.into(),
        has_versions: false,
        _dir: Some(dir),
    });
    if let Ok(url) = std::env::var("SUMMARY_WRITER_TEST_STORE_URL") {
        let path = url.splitn(4, '/').nth(3).unwrap_or("tests");
        test(Place {
            store: server(&url),
            run: format!("{path}/{:016x}/run", fastrand::u64(..)),
            has_versions: true,
            _dir: None,
        });
    }
}

/// Returns the store of a server, with credentials and endpoint from the environment.
fn server(url: &str) -> Arc<dyn ObjectStore> {
    // The builders need it even for plain HTTP.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let client = ClientOptions::new().with_allow_http(true);
    match url.split_once("://").unwrap().0 {
        "s3" => Arc::new(
            AmazonS3Builder::from_env()
                .with_url(url)
                .with_client_options(client)
                .build()
                .unwrap(),
        ),
        "gs" => Arc::new(
            GoogleCloudStorageBuilder::from_env()
                .with_url(url)
                .with_base_url(&std::env::var("STORAGE_EMULATOR_HOST").unwrap())
                .with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential {
                    bearer: "anonymous".into(),
                })))
                .with_client_options(client)
                .build()
                .unwrap(),
        ),
        "az" => Arc::new(
            MicrosoftAzureBuilder::from_env()
                .with_url(url)
                .with_client_options(client)
                .build()
                .unwrap(),
        ),
        scheme => panic!("SUMMARY_WRITER_TEST_STORE_URL must be of s3, gs or az, got {scheme}"),
    }
}

/// The fault of an upload of a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Refused,
    Hangs,
    /// The upload arrives, but not its answer.
    AnswerLost,
    /// The upload arrives after the next one.
    ArrivesLate,
}

/// A store in memory whose uploads of segments fail.
#[derive(Debug, Default)]
struct FaultyStore {
    store: InMemory,
    faults: Mutex<VecDeque<Fault>>,
    /// The fault of all later uploads.
    last_fault: Mutex<Option<Fault>>,
    late: Mutex<Vec<(Path, PutPayload, PutOptions)>>,
    has_no_versions: bool,
}

impl FaultyStore {
    fn new(faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        Arc::new(Self {
            faults: Mutex::new(faults.into_iter().collect()),
            ..Self::default()
        })
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

fn no_answer() -> object_store::Error {
    object_store::Error::Generic {
        store: "FaultyStore",
        source: "503 Slow Down".into(),
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        if self.has_no_versions && options.mode != PutMode::Overwrite {
            return Err(object_store::Error::NotImplemented {
                operation: "conditional put".into(),
                implementer: "FaultyStore".into(),
            });
        }
        if !location.as_ref().contains("tfevents") {
            return self.store.put_opts(location, payload, options).await;
        }
        let next = self.faults.lock().unwrap().pop_front();
        let fault = next.or(*self.last_fault.lock().unwrap());
        let late: Vec<_> = self.late.lock().unwrap().drain(..).collect();
        let result = match fault {
            None => self.store.put_opts(location, payload, options).await,
            Some(Fault::Refused) => Err(no_answer()),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::AnswerLost) => {
                self.store.put_opts(location, payload, options).await?;
                Err(no_answer())
            }
            Some(Fault::ArrivesLate) => {
                let upload = (location.clone(), payload, options);
                self.late.lock().unwrap().push(upload);
                Err(no_answer())
            }
        };
        for (location, payload, options) in late {
            self.store.put_opts(&location, payload, options).await.ok();
        }
        result
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

/// Runs a request of the test. All share a runtime, because it drives the connections that a store keeps open.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Runtime::new().unwrap())
        .block_on(future)
}

/// Returns all objects of a run and its children by name.
fn objects(store: &impl ObjectStore, run: &str) -> BTreeMap<String, Vec<u8>> {
    block_on(async {
        let run = Path::parse(run).unwrap();
        let listed: Vec<_> = store.list(Some(&run)).try_collect().await.unwrap();
        let mut objects = BTreeMap::new();
        for object in listed {
            let bytes = store
                .get(&object.location)
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap();
            objects.insert(object.location.to_string(), bytes.to_vec());
        }
        objects
    })
}

/// Returns the segments of a run in the order of their names.
fn segments(store: &impl ObjectStore, run: &str) -> Vec<(String, Vec<u8>)> {
    let prefix = format!("{run}/events.out.tfevents.");
    let objects = objects(store, run).into_iter();
    objects
        .filter(|(name, _)| name.starts_with(&prefix))
        .collect()
}

/// Returns the steps and values of the tag `loss` in the order of the segments. Each segment must start with a version record.
fn points(store: &impl ObjectStore, run: &str) -> Vec<(i64, f64)> {
    let mut points = Vec::new();
    for (name, bytes) in segments(store, run) {
        let mut events = EventReader::from_source(&name, Cursor::new(bytes));
        let first = events.next().unwrap().unwrap();
        assert!(matches!(first.what, Some(What::FileVersion(_))), "{name}");
        for event in events {
            let event = event.unwrap();
            if let Some(What::Summary(summary)) = event.what {
                let value = |value: &summary_writer::proto::summary::Value| value.scalar().unwrap();
                points.extend(summary.value.iter().map(|v| (event.step, value(v).into())));
            }
        }
    }
    points
}

fn expected(steps: Range<i64>) -> Vec<(i64, f64)> {
    steps.map(|step| (step, step as f64 / 2.0)).collect()
}

fn log(summary: &SummaryWriter, steps: Range<i64>) {
    for step in steps {
        summary.scalar("loss", step as f64 / 2.0, step);
    }
}

/// The options of the tests: records wait for a flush.
fn options() -> WriterOptions {
    WriterOptions::new()
        .flush_interval(Duration::from_secs(3600))
        .stderr(false)
}

#[test]
fn flushed_points_are_in_one_object_that_grows() {
    for_each_store(|place| {
        let summary = place.open(options());
        assert_eq!(
            objects(&place.store, &place.run).keys().collect::<Vec<_>>(),
            [&format!("{}/.summary-writer", place.run)]
        );
        log(&summary, 0..10);
        assert!(place.segments().is_empty(), "nothing is due");
        summary.flush().unwrap();
        let first = place.segments();
        assert_eq!(place.points(), expected(0..10));
        log(&summary, 10..20);
        summary.close().unwrap();
        let second = place.segments();
        assert_eq!(place.points(), expected(0..20));
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_eq!(first[0].0, second[0].0);
        assert!(second[0].1.starts_with(&first[0].1));
    });
}

#[test]
fn stats_count_uploads_and_their_bytes() {
    for_each_store(|place| {
        let summary = place.open(options());
        let mut want = 0;
        for step in 0..3 {
            log(&summary, step..step + 1);
            summary.flush().unwrap();
            want += place.segments()[0].1.len() as u64;
        }
        let stats = summary.stats();
        assert_eq!((stats.upload_count, stats.uploaded_bytes), (3, want));
        assert_eq!((stats.upload_retry_count, stats.pending_bytes), (0, 0));
    });
}

#[test]
fn segment_of_the_maximal_size_is_followed_by_the_next() {
    for_each_store(|place| {
        let summary = place.open(options().max_file_bytes(1000));
        for step in 0..100 {
            log(&summary, step..step + 1);
            summary.flush().unwrap();
        }
        summary.close().unwrap();
        let segments = place.segments();
        assert!(segments.len() > 3, "{}", segments.len());
        assert!(segments.iter().all(|(_, bytes)| bytes.len() < 1100));
        assert_eq!(place.points(), expected(0..100));
    });
}

#[test]
fn segment_that_was_uploaded_a_hundred_times_is_followed_by_the_next() {
    for_each_store(|place| {
        let summary = place.open(options());
        for step in 0..201 {
            log(&summary, step..step + 1);
            summary.flush().unwrap();
        }
        summary.close().unwrap();
        assert_eq!(place.segments().len(), 3);
        assert_eq!(place.points(), expected(0..201));
    });
}

#[test]
fn each_point_arrives_once_after_faults() {
    use Fault::*;

    let scripts: [&[Fault]; 6] = [
        &[Refused, Refused],
        &[AnswerLost],
        &[AnswerLost, AnswerLost, Refused],
        &[ArrivesLate],
        &[ArrivesLate, Refused, AnswerLost],
        &[Refused, ArrivesLate, AnswerLost, ArrivesLate],
    ];
    for has_no_versions in [false, true] {
        for script in scripts {
            if has_no_versions && script.contains(&ArrivesLate) {
                continue; // such a store cannot tell which upload is newer
            }
            let mut store = FaultyStore::new(script.iter().copied());
            Arc::get_mut(&mut store).unwrap().has_no_versions = has_no_versions;
            let summary = options().object_store(store.clone(), RUN).unwrap();
            let mut retries = 0;
            for round in 0..8 {
                log(&summary, 10 * round..10 * round + 10);
                while summary.flush().is_err() {
                    retries += 1;
                    assert!(retries < 100, "{script:?}");
                }
            }
            assert_eq!(points(&*store, RUN), expected(0..80), "{script:?}");
            // An upload that has arrived already may answer a fault.
            let retry_count = summary.stats().upload_retry_count;
            assert!(
                (1..=script.len() as u64).contains(&retry_count),
                "{script:?}"
            );
            summary.close().unwrap();
            assert_eq!(points(&*store, RUN), expected(0..80), "{script:?}");
            assert_eq!(segments(&*store, RUN).len(), 1, "{script:?}");
        }
    }
}

#[test]
fn close_tries_again_until_the_store_works() {
    let store = FaultyStore::new([Fault::Refused; 4]);
    let summary = options().object_store(store.clone(), RUN).unwrap();
    log(&summary, 0..10);
    summary.close().unwrap(); // after 100, 200, 400 and 800 ms
    assert_eq!(points(&*store, RUN), expected(0..10));
}

#[test]
fn close_gives_up_after_its_timeout_and_spills_the_rest() {
    for fault in [Fault::Hangs, Fault::Refused] {
        let store = FaultyStore::new([]);
        let dir = tempfile::tempdir().unwrap();
        let summary = options()
            .close_timeout(Duration::from_millis(300))
            .spill_dir(dir.path())
            .object_store(store.clone(), RUN)
            .unwrap();
        log(&summary, 0..10);
        summary.flush().unwrap();
        *store.last_fault.lock().unwrap() = Some(fault);
        log(&summary, 10..20);
        let other = summary.clone();
        let start = Instant::now();
        let error = summary.close().unwrap_err();
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        // A scalar of the tag `loss` has about 40 bytes.
        let pending_bytes = other.stats().pending_bytes;
        assert!((300..600).contains(&pending_bytes), "{pending_bytes}");
        let spilled = EventReader::open(dir.path().join(RUN)).unwrap();
        let steps: Vec<_> = spilled.map(|event| event.unwrap().step).skip(1).collect();
        assert_eq!(steps, (10..20).collect::<Vec<_>>(), "{fault:?}");
        assert_eq!(points(&*store, RUN), expected(0..10));
    }
}

#[test]
fn outage_keeps_no_call_waiting_and_loses_nothing() {
    let store = FaultyStore::new([]);
    let options = WriterOptions::new()
        .flush_interval(Duration::from_millis(10))
        .max_pending_bytes(1 << 20)
        .stderr(false);
    let summary = options.object_store(store.clone(), RUN).unwrap();
    *store.last_fault.lock().unwrap() = Some(Fault::Refused);
    log(&summary, 0..10_000); // about 400 kB
    while summary.stats().failure.is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    *store.last_fault.lock().unwrap() = None;
    summary.flush().or_else(|_| summary.flush()).unwrap();
    summary.close().unwrap();
    assert_eq!(points(&*store, RUN), expected(0..10_000));
}

#[test]
fn full_queue_rejects_records_during_an_outage() {
    let store = FaultyStore::new([]);
    let options = options().max_pending_bytes(10_000);
    let summary = options.object_store(store.clone(), RUN).unwrap();
    *store.last_fault.lock().unwrap() = Some(Fault::Refused);
    log(&summary, 0..10_000); // about 400 kB
    let stats = summary.stats();
    assert!(stats.rejected_count > 0);
    assert_eq!(stats.accepted_count + stats.rejected_count, 10_000);
    *store.last_fault.lock().unwrap() = None;
    summary.close().unwrap();
    assert_eq!(points(&*store, RUN).len() as u64, stats.accepted_count);
}

#[test]
fn child_runs_have_segments_of_their_own_also_after_a_suspension() {
    for_each_store(|place| {
        let summary = place.open(options());
        for step in 0..3 {
            for trial in 0..40 {
                log(
                    &summary.run(format!("trial {trial}")).unwrap(),
                    step..step + 1,
                );
            }
        }
        summary.close().unwrap();
        for trial in 0..40 {
            let run = format!("{}/trial {trial}", place.run);
            assert_eq!(segments(&place.store, &run).len(), 1);
            assert_eq!(points(&place.store, &run), expected(0..3));
        }
    });
}

#[test]
fn resume_begins_a_segment_that_makes_the_loaders_forget() {
    for_each_store(|place| {
        let first = place.open(options());
        log(&first, 0..20);
        let error = options()
            .resume(10)
            .object_store(place.store.clone(), &place.run)
            .unwrap_err();
        assert!(
            error.to_string().contains("is open in another writer"),
            "{error}"
        );
        first.close().unwrap();
        let before = place.segments();
        let second = place.open(options().resume(10));
        log(&second, 10..30);
        second.close().unwrap();
        let after = place.segments();
        assert_eq!(after.len(), 2);
        assert_eq!(after[..1], before, "older objects stay as they are");
        let events = EventReader::from_source("segment", Cursor::new(after[1].1.clone()));
        let start = |event: summary_writer::proto::Event| match event.what {
            Some(What::SessionLog(log)) => Some((event.step, log.status())),
            _ => None,
        };
        let starts: Vec<_> = events.filter_map(|event| start(event.unwrap())).collect();
        // Two, because the Python loader ignores the first one of a run.
        assert_eq!(starts, [(10, SessionStatus::Start); 2]);
    });
}

#[test]
fn embedding_is_written_next_to_the_segments() {
    for_each_store(|place| {
        let summary = place.open(options());
        let embedding =
            |number: f32| Embedding::from_rows("words", [[number; 3], [0.0; 3]]).unwrap();
        summary
            .embedding(embedding(1.0).labels(["a", "b"]).unwrap(), 7)
            .unwrap();
        summary.embedding(embedding(2.0), 7).unwrap();
        let objects = objects(&place.store, &place.run);
        let text = |name: &str| {
            String::from_utf8(objects[&format!("{}/{name}", place.run)].clone()).unwrap()
        };
        assert_eq!(text("00007/words/tensors.tsv"), "1\t1\t1\n0\t0\t0\n");
        assert_eq!(text("00007/words/metadata.tsv"), "a\nb\n");
        let config = text("projector_config.pbtxt");
        assert!(config.contains("\"00007/words-2/tensors.tsv\""), "{config}");
        assert_eq!(config.matches("embeddings {").count(), 1, "{config}");
    });
}

#[test]
fn images_wait_for_an_upload_as_long_as_scalars() {
    let store = Arc::new(InMemory::new());
    let summary = WriterOptions::new()
        .object_store(store.clone(), RUN)
        .unwrap();
    let audio = summary_writer::Audio::mono_f32(8000, [0.5; 800]).unwrap();
    summary.audio("tone", audio, 0);
    // It is encoded after 0.2 s, and uploaded after 10 s.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(summary.stats().upload_count, 0);
    summary.close().unwrap();
    let (_, segment) = segments(&*store, RUN).remove(0);
    assert_eq!(
        EventReader::from_source("segment", Cursor::new(segment)).count(),
        2
    );
}

#[test]
fn other_writers_in_a_run_are_counted() {
    for_each_store(|place| {
        let first = place.open(options());
        let second = place.open(options());
        log(&second, 0..1);
        second.close().unwrap();
        log(&first, 0..1);
        first.flush().unwrap();
        first.flush().unwrap();
        let handle = first.clone();
        first.close().unwrap();
        assert_eq!(handle.stats().other_writer_count, 1);
    });
}

#[test]
fn deleted_segment_is_written_again() {
    for_each_store(|place| {
        let summary = place.open(options());
        log(&summary, 0..10);
        summary.flush().unwrap();
        let name = place.segments().remove(0).0;
        block_on(place.store.delete(&Path::parse(name).unwrap())).unwrap();
        log(&summary, 10..20);
        summary.close().unwrap();
        assert_eq!(place.points(), expected(0..20));
    });
}

#[test]
fn segment_that_another_program_has_changed_stays_as_it_is() {
    for_each_store(|place| {
        if !place.has_versions {
            return;
        }
        let summary = place.open(options());
        log(&summary, 0..10);
        summary.flush().unwrap();
        let name = place.segments().remove(0).0;
        let foreign = PutPayload::from_static(b"foreign");
        block_on(place.store.put(&Path::parse(&*name).unwrap(), foreign)).unwrap();
        log(&summary, 10..20);
        summary.close().unwrap();
        let segments = place.segments();
        assert_eq!(segments.len(), 2);
        assert_eq!(segments[0], (name, b"foreign".to_vec()));
        let events = EventReader::from_source("segment", Cursor::new(segments[1].1.clone()));
        let steps: Vec<_> = events.skip(1).map(|event| event.unwrap().step).collect();
        assert_eq!(steps, (10..20).collect::<Vec<_>>());
    });
}

#[test]
fn a_path_that_is_not_plain_and_a_writer_without_a_thread_are_errors() {
    let open = |options: WriterOptions, path: &str| {
        let opened = options.object_store(Arc::new(InMemory::new()), path);
        opened.map(drop).unwrap_err().to_string()
    };
    assert!(open(options(), "logs//run").contains("single `/`"));
    assert!(open(options(), "logs/../run").contains(".."));
    assert!(open(options().unthreaded(), RUN).contains("needs a thread"));
}
