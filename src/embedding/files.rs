//! Writes an embedding to a folder of its own, then adds an entry to the config of the run.
//!
//! ```text
//! <run>/projector_config.pbtxt
//! <run>/00003/hidden_layer/tensors.tsv, metadata.tsv, sprite.png
//! ```
//!
//! Each call creates a new folder, so a file that the config refers to never changes, and the config is replaced
//! atomically. After a crash the old or the new config is there, and perhaps a folder that the config does not refer to.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Embedding;
use super::config;
use crate::error::{Error, Result};
use crate::location::{Location, location};
use crate::replace_file::replace_file;

pub(super) const TENSORS: &str = "tensors.tsv";
pub(super) const METADATA: &str = "metadata.tsv";
pub(super) const SPRITE: &str = "sprite.png";
pub(crate) const CONFIG: &str = "projector_config.pbtxt";
/// The dashboard draws no point with fewer dimensions.
const MIN_DIMENSIONS: usize = 3;
/// The longest folder name. File systems allow 255 bytes.
const MAX_NAME_BYTES: usize = 80;

/// Threads of a process must not replace a config at the same time.
pub(super) static LOCK: Mutex<()> = Mutex::new(());

/// Writes the files of `embedding` into the directory `run` and adds it to the config there. With `synced`, all is on the
/// disk when the call returns. After an error the old config is in place and the new files are removed, unless only the
/// new config could not be synced.
pub(crate) fn write(
    run: &Path,
    prefix: &str,
    embedding: &Embedding,
    step: i64,
    synced: bool,
) -> Result<()> {
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);

    let tag = embedding.full_tag(prefix);
    let folder = create_folder(run, step, &tag)?;
    let path = run.join(&folder);
    let written = write_files(&path, embedding, synced)
        .and_then(|()| replace_config(run, &folder, &name(&tag, step), embedding, synced));
    let unused = written.inspect_err(|_| remove_folder(&path))?;
    let outcome = if synced {
        sync_directories(&path)
    } else {
        Ok(())
    };
    for folder in unused {
        remove_folder(&run.join(folder));
    }
    outcome
}

/// Returns the names of the embeddings in the directory `run`, in the order of its config.
pub(crate) fn names(run: &Path) -> Result<Vec<String>> {
    let run = match location(run)? {
        Location::Local(run) => run,
        #[cfg(feature = "object-store")]
        Location::Store(run) => return super::store::names(&run),
    };
    let path = run.join(CONFIG);
    let config = read_config(&path).and_then(|config| config::names(&config).map_err(not_text));
    config.map_err(|error| Error::io("read", &path, error))
}

/// A run without embeddings has no config, which is like an empty one.
fn read_config(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => result,
    }
}

pub(super) fn not_text(problem: &str) -> io::Error {
    let problem = format!("it is not in protobuf's text format: {problem}");
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// The name of an embedding in the dashboard, unique in its run.
///
/// The page puts names into addresses without encoding them, so characters with a meaning there are replaced by others
/// that look like them.
pub(super) fn name(tag: &str, step: i64) -> String {
    let replaced = tag.chars().map(|c| match c {
        '#' => '＃',
        '%' => '％',
        '&' => '＆',
        '+' => '＋',
        '\t' => '␉',
        '\n' => '␊',
        '\r' => '␍',
        c => c,
    });
    format!("{}:{step:05}", replaced.collect::<String>())
}

/// Creates a new folder `<step>/<name>` in `run`. Returns it as a path relative to `run`.
fn create_folder(run: &Path, step: i64, tag: &str) -> Result<String> {
    let create = |folder: &str, result: io::Result<()>| {
        result.map_err(|error| Error::io("create the directory", &run.join(folder), error))
    };
    let step = format!("{step:05}");
    create(&step, fs::create_dir_all(run.join(&step)))?;
    let base = format!("{step}/{}", file_name(tag));
    let mut folder = base.clone();
    let mut number = 1u32;
    // Some file systems ignore case, so this leaves the comparison of names to the file system.
    loop {
        match fs::create_dir(run.join(&folder)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number = number.saturating_add(1);
                folder = format!("{base}-{number}");
            }
            result => return create(&folder, result).map(|()| folder),
        }
    }
}

fn write_files(folder: &Path, embedding: &Embedding, synced: bool) -> Result<()> {
    write_file(&folder.join(TENSORS), synced, |file| {
        write_tensors(file, embedding)
    })?;
    if let Some(metadata) = &embedding.metadata {
        write_file(&folder.join(METADATA), synced, |file| {
            file.write_all(metadata.as_bytes())
        })?;
    }
    if let Some(sprite) = &embedding.sprite {
        write_file(&folder.join(SPRITE), synced, |file| file.write_all(sprite))?;
    }
    Ok(())
}

fn write_file(
    path: &Path,
    synced: bool,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<()> {
    let written = File::create_new(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        let file = file.into_inner()?;
        if synced { file.sync_all() } else { Ok(()) }
    });
    written.map_err(|error| Error::io("write", path, error))
}

/// Writes a line for each point. Numbers have the fewest digits that give them back.
pub(super) fn write_tensors(file: &mut impl Write, embedding: &Embedding) -> io::Result<()> {
    for vector in embedding.vectors.chunks_exact(embedding.dimensions) {
        for (i, number) in vector.iter().enumerate() {
            let separator = if i > 0 { "\t" } else { "" };
            write!(file, "{separator}{number}")?;
        }
        for _ in vector.len()..MIN_DIMENSIONS {
            file.write_all(b"\t0")?;
        }
        file.write_all(b"\n")?;
    }
    Ok(())
}

/// Adds an entry to the config and removes entries of the same name. Returns the folders that are no longer used.
fn replace_config(
    run: &Path,
    folder: &str,
    name: &str,
    embedding: &Embedding,
    synced: bool,
) -> Result<Vec<String>> {
    let (rest, tensor_paths) = remaining_config(run, |old| config::remove(old, name))?;
    let entry = config::entry(name, folder, embedding);
    put_config(run, &run.join(folder), &(rest.clone() + &entry), synced)?;
    Ok(unused_folders(&tensor_paths, &rest))
}

/// Removes the points at `step` and later from the run `run`, if they are in folders of the form that [`write`] creates.
pub(crate) fn remove_steps(run: &Path, step: i64) -> Result<()> {
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let is_removed = |name: &str, path: &str| {
        let of_entry = name
            .rsplit_once(':')
            .and_then(|(_, step)| step.parse::<i64>().ok());
        of_entry.is_some_and(|of_entry| of_entry >= step) && our_folder(path).is_some()
    };
    let (rest, tensor_paths) = remaining_config(run, |old| config::remove_if(old, is_removed))?;
    // The new config is first written into a folder that is removed then.
    let Some(folder) = tensor_paths.iter().find_map(|path| our_folder(path)) else {
        return Ok(());
    };
    let folder = run.join(folder);
    fs::create_dir_all(&folder)
        .map_err(|error| Error::io("create the directory", &folder, error))?;
    fs::remove_file(folder.join(CONFIG)).ok(); // of a program that was killed
    put_config(run, &folder, &rest, true)?;
    for folder in unused_folders(&tensor_paths, &rest) {
        remove_folder(&run.join(folder));
    }
    Ok(())
}

/// Reads the config of a run, and removes entries by `remove`. Returns the rest and the paths of the removed tensors.
fn remaining_config(
    run: &Path,
    remove: impl FnOnce(&str) -> Result<(String, Vec<String>), &'static str>,
) -> Result<(String, Vec<String>)> {
    let path = run.join(CONFIG);
    let removed = read_config(&path).and_then(|old| remove(&old).map_err(not_text));
    removed.map_err(|error| Error::io("read", &path, error))
}

/// Writes the config of a run to a file in `folder`, which then replaces the old one.
fn put_config(run: &Path, folder: &Path, content: &str, synced: bool) -> Result<()> {
    let (path, new_path) = (run.join(CONFIG), folder.join(CONFIG));
    write_file(&new_path, synced, |file| file.write_all(content.as_bytes()))?;
    if synced {
        sync_directories(folder)?;
    }
    replace_file(&new_path, &path)
}

/// Returns the folders of `tensor_paths` that the config `rest` does not use.
fn unused_folders(tensor_paths: &[String], rest: &str) -> Vec<String> {
    let folders = tensor_paths.iter().filter_map(|path| our_folder(path));
    let unused = folders.filter(|folder| !rest.contains(&format!("{folder}/")));
    unused.map(str::to_owned).collect()
}

/// Brings the names of the files in `folder`, of the folder, and of its parent to the disk.
fn sync_directories(folder: &Path) -> Result<()> {
    // Only Unix can open a directory as a file.
    if cfg!(unix) {
        for dir in folder.ancestors().take(3) {
            File::open(dir)
                .and_then(|dir| dir.sync_all())
                .map_err(|error| Error::io("sync", dir, error))?;
        }
    }
    Ok(())
}

/// Removes our files from a folder, then the folder and its parent if they are empty. A file that cannot be removed wastes
/// space and does no other harm.
fn remove_folder(folder: &Path) {
    for name in [TENSORS, METADATA, SPRITE, CONFIG] {
        fs::remove_file(folder.join(name)).ok();
    }
    for dir in folder.ancestors().take(2) {
        fs::remove_dir(dir).ok();
    }
}

/// Returns the folder of a `tensor_path`, if it can be a result of [`create_folder`], and so cannot lead out of the run.
fn our_folder(tensor_path: &str) -> Option<&str> {
    let folder = tensor_path.strip_suffix(TENSORS)?.strip_suffix('/')?;
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_portable);
    let is_ours = folder.split('/').count() == 2 && folder.split('/').all(is_name);
    is_ours.then_some(folder)
}

/// A name for a folder that every file system accepts. Different tags may have the same one.
pub(super) fn file_name(tag: &str) -> String {
    let replaced = tag.chars().map(|c| if is_portable(c) { c } else { '_' });
    let name: String = replaced.take(MAX_NAME_BYTES).collect();
    // Windows reserves these names, and COM and LPT with a digit.
    let is_reserved = match &*name.to_ascii_uppercase() {
        "" | "CON" | "PRN" | "AUX" | "NUL" => true,
        name => name.len() == 4 && (name.starts_with("COM") || name.starts_with("LPT")),
    };
    if is_reserved {
        format!("_{name}")
    } else {
        name
    }
}

fn is_portable(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn embedding(tag: &str, numbers: &[f32]) -> Embedding {
        Embedding::new(tag, numbers, 1).unwrap()
    }

    fn put(run: &Path, tag: &str, numbers: &[f32], step: i64) {
        write(run, "", &embedding(tag, numbers), step, false).unwrap();
    }

    fn config(run: &Path) -> String {
        fs::read_to_string(run.join(CONFIG)).unwrap()
    }

    /// The paths of all files in `run`, sorted.
    fn files(run: &Path) -> Vec<String> {
        let mut dirs = vec![run.to_path_buf()];
        let mut files = Vec::new();
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    let path = path.strip_prefix(run).unwrap().to_str().unwrap();
                    files.push(path.replace('\\', "/"));
                }
            }
        }
        files.sort();
        files
    }

    fn entry(name: &str, folder: &str) -> String {
        format!(
            "embeddings {{\n  tensor_name: \"{name}\"\n  tensor_path: \"{folder}/tensors.tsv\"\n}}\n"
        )
    }

    #[test]
    fn numbers_keep_all_bits() {
        let numbers = [
            0.0,
            -0.0,
            1.5,
            -3.0,
            0.1,
            16_777_217.0,
            9_999_999.0,
            1e-4,
            1.25e-30,
            f32::MIN_POSITIVE,
            f32::from_bits(1),
            f32::MAX,
        ];
        let mut file = Vec::new();
        write_tensors(&mut file, &Embedding::new("", &numbers, 4).unwrap()).unwrap();
        let text = String::from_utf8(file).unwrap();
        assert!(text.starts_with("0\t-0\t1.5\t-3\n0.1\t16777216\t9999999\t0.0001\n"));
        let read = text
            .split_whitespace()
            .map(|text| text.parse::<f32>().unwrap());
        assert!(
            read.map(f32::to_bits).eq(numbers.map(f32::to_bits)),
            "{text}"
        );
    }

    #[test]
    fn each_tag_and_step_has_a_folder_and_an_entry() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let labelled = embedding("a", &[1.0, 2.0]).labels(["x", "y"]).unwrap();
        write(run, "scope/", &labelled, 3, true).unwrap();
        put(run, "b", &[0.5, 1.0], -3);
        put(run, "b", &[0.5, 1.0], i64::MAX);
        let want = "embeddings {\n  tensor_name: \"scope/a:00003\"\n  tensor_path: \"00003/scope_a/tensors.tsv\"\n  \
                    metadata_path: \"00003/scope_a/metadata.tsv\"\n}\n"
            .to_owned()
            + &entry("b:-0003", "-0003/b")
            + &entry("b:9223372036854775807", "9223372036854775807/b");
        assert_eq!(config(run), want);
        let want = [
            "-0003/b/tensors.tsv",
            "00003/scope_a/metadata.tsv",
            "00003/scope_a/tensors.tsv",
            "9223372036854775807/b/tensors.tsv",
            CONFIG,
        ];
        assert_eq!(files(run), want);
        let tensors = fs::read_to_string(run.join("00003/scope_a/tensors.tsv")).unwrap();
        let metadata = fs::read_to_string(run.join("00003/scope_a/metadata.tsv")).unwrap();
        assert_eq!((&*tensors, &*metadata), ("1\t0\t0\n2\t0\t0\n", "x\ny\n"));
    }

    #[cfg(feature = "png")]
    #[test]
    fn thumbnails_have_a_sprite_and_their_size_in_the_entry() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let images = [1, 2, 3].map(|gray| crate::Image::gray8(2, 1, [gray; 2]).unwrap());
        let pictured = embedding("a", &[1.0, 2.0, 3.0])
            .thumbnails(&images)
            .unwrap();
        write(run, "", &pictured, 0, false).unwrap();
        let sprite = "  sprite {\n    image_path: \"00000/a/sprite.png\"\n    single_image_dim: 2\n    single_image_dim: 1\n  }\n}\n";
        assert!(config(run).ends_with(sprite), "{}", config(run));
        let png = fs::read(run.join("00000/a/sprite.png")).unwrap();
        // The signature, and width and height of the header: three images of 2 x 1, in two columns and rows.
        assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
        assert_eq!(png[16..24], [0, 0, 0, 4, 0, 0, 0, 2]);
    }

    #[test]
    fn last_call_for_a_tag_and_step_wins_and_old_files_are_removed() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        put(run, "a", &[1.0, 2.0], 0);
        put(run, "b", &[2.0, 1.0], 0);
        for number in [3.0, 4.0, 5.0] {
            put(run, "a", &[number, 1.0], 0);
        }
        assert_eq!(
            config(run),
            entry("b:00000", "00000/b") + &entry("a:00000", "00000/a-2")
        );
        assert_eq!(
            files(run),
            ["00000/a-2/tensors.tsv", "00000/b/tensors.tsv", CONFIG]
        );
        let tensors = fs::read_to_string(run.join("00000/a-2/tensors.tsv")).unwrap();
        assert_eq!(tensors, "5\t0\t0\n1\t0\t0\n");
    }

    #[test]
    fn points_from_a_step_on_are_removed_with_their_files() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        remove_steps(run, 0).unwrap();
        assert_eq!(files(run), [""; 0]);
        for step in [-1, 0, 1, 2] {
            put(run, "a", &[1.0, 2.0], step);
        }
        let outside =
            "embeddings {\n  tensor_name: \"a:00002\"\n  tensor_path: \"../a/tensors.tsv\"\n}\n";
        fs::write(run.join(CONFIG), config(run) + outside).unwrap();
        // A program was killed here.
        fs::write(run.join("00001/a").join(CONFIG), "").unwrap();
        remove_steps(run, 1).unwrap();
        let rest = entry("a:-0001", "-0001/a") + &entry("a:00000", "00000/a") + outside;
        assert_eq!(config(run), rest);
        let want = ["-0001/a/tensors.tsv", "00000/a/tensors.tsv", CONFIG];
        assert_eq!(files(run), want);
        assert!(!run.join("00002").exists());
        fs::write(run.join(CONFIG), "embeddings {").unwrap();
        assert!(remove_steps(run, 1).is_err());
    }

    #[test]
    fn entries_and_files_of_other_writers_stay() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let outside = run.join("outside");
        for dir in ["outside/a", "00000/shared"] {
            fs::create_dir_all(run.join(dir)).unwrap();
            fs::write(run.join(dir).join(TENSORS), "1\n").unwrap();
        }
        let shared = entry("other", "00000/shared");
        for path in [
            outside.join("a").to_str().unwrap(),
            "../outside/a",
            "00000/../outside/a",
            "outside/./a",
            "00000/shared",
            "",
        ] {
            fs::write(run.join(CONFIG), shared.clone() + &entry("a:00000", path)).unwrap();
            put(run, "a", &[1.0, 2.0], 0);
            assert!(config(run).starts_with(&shared), "{path}");
            assert!(run.join("outside/a").join(TENSORS).exists(), "{path}");
            assert!(run.join("00000/shared").join(TENSORS).exists(), "{path}");
        }
    }

    #[test]
    fn failure_keeps_the_old_config_and_leaves_no_new_files() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        put(run, "a", &[1.0, 2.0], 0);
        let (before, files_before) = (config(run), files(run));
        let fails = |step, want: &str| {
            let error = write(run, "", &embedding("a", &[2.0, 1.0]), step, false).unwrap_err();
            assert!(error.to_string().contains(want), "{error}");
        };

        fs::write(run.join("00001"), "").unwrap();
        fails(1, "could not create the directory");
        fs::remove_file(run.join("00001")).unwrap();
        assert_eq!(
            (config(run), files(run)),
            (before.clone(), files_before.clone())
        );

        for torn in [&b"embeddings {\n  tensor_name: \"a:0"[..], b"\xff"] {
            fs::write(run.join(CONFIG), torn).unwrap();
            fails(0, "could not read");
            fails(2, "could not read");
            assert_eq!(fs::read(run.join(CONFIG)).unwrap(), torn);
            assert_eq!(files(run), files_before);
            assert!(
                !run.join("00002").exists(),
                "the empty directory is removed"
            );
        }

        fs::remove_file(run.join(CONFIG)).unwrap();
        fs::create_dir(run.join(CONFIG)).unwrap();
        fails(0, "could not read");
        assert_eq!(files(run), ["00000/a/tensors.tsv"]);
    }

    /// A crash at any moment leaves what another thread sees at that moment.
    #[test]
    fn config_always_refers_to_complete_files() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let numbers = [0.5; 1000];
        put(run, "a", &numbers, 0);
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for step in 0..100 {
                    put(run, "a", &numbers, 0);
                    put(run, "b", &numbers, step);
                }
            });
            loop {
                let is_last = writer.is_finished();
                let before = config(run);
                let paths = config::remove(&before, "a:00000").unwrap().1;
                assert_eq!(paths.len(), 1, "{before}");
                let tensors = fs::read_to_string(run.join(&paths[0]));
                // A file that was replaced meanwhile may be gone.
                if config(run) == before {
                    assert_eq!(tensors.unwrap(), "0.5\t0\t0\n".repeat(1000));
                }
                if is_last {
                    break;
                }
            }
        });
    }

    #[test]
    fn no_entry_is_lost_if_threads_write_at_once() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for step in 0..25 {
                        put(run, &format!("tag {thread}"), &[1.0, 2.0], step);
                        put(run, "same", &[1.0, 2.0], step);
                    }
                });
            }
        });
        let config = config(run);
        let count = |text: &str| config.matches(text).count();
        assert_eq!((count("tag "), count("same:")), (100, 25));
        assert_eq!(files(run).len(), 126);
    }

    #[test]
    fn folder_names_are_valid_on_every_file_system() {
        for (tag, want) in [
            ("hidden layer/weights", "hidden_layer_weights"),
            ("損失", "__"),
            ("", "_"),
            ("..", "__"),
            ("../../etc", "______etc"),
            ("C:\\x\0", "C__x_"),
            ("nul", "_nul"),
            ("Com1", "_Com1"),
            ("COM10", "COM10"),
            ("LPT", "LPT"),
            ("console", "console"),
        ] {
            assert_eq!(file_name(tag), want, "{tag:?}");
        }
        assert_eq!(file_name(&"é".repeat(1 << 20)), "_".repeat(MAX_NAME_BYTES));
    }

    #[test]
    fn tags_with_the_same_folder_name_have_different_folders() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let long = "x".repeat(300);
        let tags = ["a b", "a_b", "a/b", "a?b", &long, &(long.clone() + "y")];
        for tag in tags {
            put(run, tag, &[1.0, 2.0], 0);
            put(run, tag, &[2.0, 1.0], 0);
        }
        assert_eq!(files(run).len(), tags.len() + 1, "{:#?}", files(run));
    }

    #[test]
    fn names_need_no_encoding_in_an_address() {
        assert_eq!(name("a/b c", 7), "a/b c:00007");
        assert_eq!(
            name("50% & #1+2\t\r\n", 123_456),
            "50％ ＆ ＃1＋2␉␍␊:123456"
        );
    }
}
