//! An embedding to its files: a folder of its own, and then a block in the config of the run.
//!
//! ```text
//! <run>/projector_config.pbtxt
//! <run>/00003/hidden_layer/tensors.tsv, metadata.tsv, sprite.png
//! ```
//!
//! The folder is new for each write, so no file that a config refers to is ever written, and the config is replaced as a
//! whole. After a crash there is the old config or the new one, and perhaps a folder that nobody refers to.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Embedding;
use super::config::{self, Block, METADATA, Rest, SPRITE, TENSORS};
use crate::error::{Error, Result};

const CONFIG: &str = "projector_config.pbtxt";
/// Room for many numbers in one call of the system.
const BUFFER_BYTES: usize = 1 << 16;
/// The dashboard opens on a view of three, and draws no point that has fewer.
const MIN_DIMENSIONS: usize = 3;
/// Of a tag in the name of its folder; a file system takes 255 bytes.
const MAX_NAME_BYTES: usize = 80;

/// Held while a config is read and replaced, and while folders come and go.
static TURN: Mutex<()> = Mutex::new(());

/// Writes the files into the directory `run` and replaces its config. With `synced` all is on the disk itself. After an
/// error the config is as before, unless it is only that which could not be synced.
pub(crate) fn write(
    run: &Path,
    prefix: &str,
    embedding: &Embedding,
    step: i64,
    synced: bool,
) -> Result<()> {
    let tag = [prefix, &embedding.tag].concat();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Folder::create(run, step, &tag)?;
    let entered = folder
        .fill(embedding, synced)
        .and_then(|()| folder.enter(embedding, &name(&tag, step), synced));
    let outcome = match entered {
        Ok(replaced) => {
            let outcome = folder.sync(synced);
            for tensor_path in &replaced.tensor_paths {
                folder.remove_other(tensor_path, &replaced.text);
            }
            outcome
        }
        Err(error) => {
            folder.remove();
            Err(error)
        }
    };
    drop(turn);
    outcome
}

/// What the dashboard calls an embedding; no two of a run have one name.
///
/// Its page asks for an embedding by a name that it does not encode for an address. So what would end the name there or
/// mean something else is replaced by a character that looks like it.
fn name(tag: &str, step: i64) -> String {
    let legible = |c| match c {
        '#' => '＃',
        '%' => '％',
        '&' => '＆',
        '+' => '＋',
        '\t' => '␉',
        '\n' => '␊',
        '\r' => '␍',
        c => c,
    };
    let name: String = tag.chars().map(legible).collect();
    format!("{name}:{step:05}")
}

/// The folder of one embedding, which nobody else writes to.
struct Folder<'a> {
    run: &'a Path,
    /// Below the run, with `/` between its two parts.
    relative: String,
    path: PathBuf,
}

impl<'a> Folder<'a> {
    fn create(run: &'a Path, step: i64, tag: &str) -> Result<Self> {
        let (step, base) = (format!("{step:05}"), file_name(tag));
        let parent = run.join(&step);
        fs::create_dir_all(&parent)
            .map_err(|error| Error::io("create the directory", &parent, error))?;
        let mut number = 1u32;
        let mut name = base.clone();
        // Whether a name is taken the file system knows, which may not tell `A` from `a`.
        loop {
            let path = parent.join(&name);
            match fs::create_dir(&path) {
                Ok(()) => {
                    let relative = [&step, "/", &name].concat();
                    return Ok(Self {
                        run,
                        relative,
                        path,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    number = number.saturating_add(1);
                    name = format!("{base}-{number}");
                }
                Err(error) => return Err(Error::io("create the directory", &path, error)),
            }
        }
    }

    fn fill(&self, embedding: &Embedding, synced: bool) -> Result<()> {
        self.write(TENSORS, synced, |file| put_tensors(file, embedding))?;
        if let Some(lines) = &embedding.metadata {
            self.write(METADATA, synced, |file| file.write_all(lines.as_bytes()))?;
        }
        #[cfg(feature = "png")]
        if let Some(thumbnails) = &embedding.thumbnails {
            let sprite = thumbnails.sprite.encode()?;
            self.write(SPRITE, synced, |file| file.write_all(&sprite))?;
        }
        Ok(())
    }

    /// Makes the config refer to this folder, and no longer to another one of the name. Gives what else it says, and what
    /// it no longer says.
    fn enter(&self, embedding: &Embedding, name: &str, synced: bool) -> Result<Rest> {
        let path = self.run.join(CONFIG);
        let old = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read,
        };
        let rest = old.and_then(|old| {
            config::without(&old, name).map_err(|problem| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("it is not in protobuf's text format: {problem}"),
                )
            })
        });
        let rest = rest.map_err(|error| Error::io("read", &path, error))?;
        let block = Block {
            name,
            folder: &self.relative,
            has_metadata: embedding.metadata.is_some(),
            thumbnail: thumbnail(embedding),
        };
        self.write(CONFIG, synced, |file| write!(file, "{}{block}", rest.text))?;
        self.sync(synced)?;
        fs::rename(self.path.join(CONFIG), &path)
            .map_err(|error| Error::io("replace", &path, error))?;
        Ok(rest)
    }

    fn write(
        &self,
        name: &str,
        synced: bool,
        put: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<()> {
        let path = self.path.join(name);
        let written = File::create_new(&path).and_then(|file| {
            let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
            put(&mut file)?;
            let file = file.into_inner()?;
            if synced { file.sync_all() } else { Ok(()) }
        });
        written.map_err(|error| Error::io("write", &path, error))
    }

    /// Brings the names of the files, of the folder and of its parent to the disk, if `synced`.
    fn sync(&self, synced: bool) -> Result<()> {
        // A directory can be opened as a file, and synced, on Unix only.
        if !synced || !cfg!(unix) {
            return Ok(());
        }
        for dir in self.path.ancestors().take(3) {
            File::open(dir)
                .and_then(|dir| dir.sync_all())
                .map_err(|error| Error::io("sync", dir, error))?;
        }
        Ok(())
    }

    /// Removes the folder of an embedding that this one replaces, if it is one of ours and no other block refers to it.
    fn remove_other(&self, tensor_path: &str, config: &str) {
        let Some((relative, TENSORS)) = tensor_path.rsplit_once('/') else {
            return;
        };
        let is_name =
            |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(fits);
        let is_ours = relative.split('/').count() == 2 && relative.split('/').all(is_name);
        if is_ours && relative != self.relative && !config.contains(&format!("{relative}/")) {
            let path = self.run.join(relative);
            remove(&path);
        }
    }

    fn remove(&self) {
        remove(&self.path);
        // It goes only if nothing else is in it.
        fs::remove_dir(self.path.parent().unwrap_or(&self.path)).ok();
    }
}

/// Removes what a folder of ours has, and the folder if it has nothing else. What cannot be removed is in nobody's way.
fn remove(folder: &Path) {
    for name in [TENSORS, METADATA, SPRITE, CONFIG] {
        fs::remove_file(folder.join(name)).ok();
    }
    fs::remove_dir(folder).ok();
}

#[cfg(feature = "png")]
fn thumbnail(embedding: &Embedding) -> Option<(u32, u32)> {
    let thumbnails = embedding.thumbnails.as_ref()?;
    Some((thumbnails.width, thumbnails.height))
}

#[cfg(not(feature = "png"))]
fn thumbnail(_: &Embedding) -> Option<(u32, u32)> {
    None
}

/// A point a line, its numbers in the fewest digits that give them back.
fn put_tensors(file: &mut impl Write, embedding: &Embedding) -> io::Result<()> {
    for row in embedding.vectors.chunks_exact(embedding.dimensions) {
        for (i, number) in row.iter().enumerate() {
            if i > 0 {
                file.write_all(b"\t")?;
            }
            // Plain digits are shorter in the middle of the range, and an exponent at its ends.
            match number.abs() {
                1e-4..1e7 | 0.0 => write!(file, "{number}")?,
                _ => write!(file, "{number:e}")?,
            }
        }
        for _ in row.len()..MIN_DIMENSIONS {
            file.write_all(b"\t0")?;
        }
        file.write_all(b"\n")?;
    }
    Ok(())
}

/// A name that every file system takes, for people who look at the directory: not each tag has one of its own.
fn file_name(tag: &str) -> String {
    let mut name: String = tag
        .chars()
        .take(MAX_NAME_BYTES)
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    // Windows cuts off a dot at the end, and other systems hide what begins with one.
    if name.ends_with('.') {
        name.push('_');
    }
    let stem = name.split('.').next().unwrap_or_default();
    if stem.is_empty() || is_device(stem) {
        name.insert(0, '_');
    }
    name
}

/// Whether every file system takes the character.
fn fits(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// Whether Windows takes the name for a device, with whatever extension.
fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_uppercase();
    let numbered = |device| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9']))
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
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

    /// All files below `run`, by their paths in order.
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

    fn block(name: &str, folder: &str) -> String {
        format!(
            "embeddings {{\n  tensor_name: \"{name}\"\n  tensor_path: \"{folder}/tensors.tsv\"\n}}\n"
        )
    }

    #[test]
    fn numbers_stand_in_the_digits_that_give_them_back() {
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
        put_tensors(&mut file, &Embedding::new("", &numbers, 4).unwrap()).unwrap();
        let want = "0\t-0\t1.5\t-3\n0.1\t1.6777216e7\t9999999\t0.0001\n\
                    1.25e-30\t1.1754944e-38\t1e-45\t3.4028235e38\n";
        assert_eq!(String::from_utf8(file).unwrap(), want);
    }

    #[test]
    fn a_step_and_a_tag_have_a_folder_and_a_block_each() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let labelled = embedding("a", &[1.0, 2.0]).labels(["x", "y"]).unwrap();
        write(run, "scope/", &labelled, 3, true).unwrap();
        put(run, "b", &[0.5, 1.0], -3);
        put(run, "b", &[0.5, 1.0], i64::MAX);
        let want = "embeddings {\n  tensor_name: \"scope/a:00003\"\n  tensor_path: \"00003/scope_a/tensors.tsv\"\n  \
                    metadata_path: \"00003/scope_a/metadata.tsv\"\n}\n"
            .to_owned()
            + &block("b:-0003", "-0003/b")
            + &block("b:9223372036854775807", "9223372036854775807/b");
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
    fn thumbnails_have_a_sprite_and_their_size_in_the_block() {
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
    fn the_last_of_one_tag_and_step_counts_and_leaves_no_files_behind() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        put(run, "a", &[1.0, 2.0], 0);
        put(run, "b", &[2.0, 1.0], 0);
        for number in [3.0, 4.0, 5.0] {
            put(run, "a", &[number, 1.0], 0);
        }
        assert_eq!(
            config(run),
            block("b:00000", "00000/b") + &block("a:00000", "00000/a-2")
        );
        assert_eq!(
            files(run),
            ["00000/a-2/tensors.tsv", "00000/b/tensors.tsv", CONFIG]
        );
        let tensors = fs::read_to_string(run.join("00000/a-2/tensors.tsv")).unwrap();
        assert_eq!(tensors, "5\t0\t0\n1\t0\t0\n");
    }

    #[test]
    fn the_blocks_of_others_stay_and_so_do_files_that_are_not_ours() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let outside = run.join("outside");
        for dir in ["outside/a", "00000/shared"] {
            fs::create_dir_all(run.join(dir)).unwrap();
            fs::write(run.join(dir).join(TENSORS), "1\n").unwrap();
        }
        let shared = block("other", "00000/shared");
        for path in [
            outside.join("a").to_str().unwrap(),
            "../outside/a",
            "00000/../outside/a",
            "outside/./a",
            "00000/shared",
            "",
        ] {
            fs::write(run.join(CONFIG), shared.clone() + &block("a:00000", path)).unwrap();
            put(run, "a", &[1.0, 2.0], 0);
            assert!(config(run).starts_with(&shared), "{path}");
            assert!(run.join("outside/a").join(TENSORS).exists(), "{path}");
            assert!(run.join("00000/shared").join(TENSORS).exists(), "{path}");
        }
    }

    #[test]
    fn a_failure_leaves_the_config_as_it_was_and_nothing_else() {
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
            assert!(!run.join("00002").exists(), "an empty directory is left");
        }

        fs::remove_file(run.join(CONFIG)).unwrap();
        fs::create_dir(run.join(CONFIG)).unwrap();
        fails(0, "could not read");
        assert_eq!(files(run), ["00000/a/tensors.tsv"]);
    }

    /// What is on the disk at a moment is what a crash at that moment leaves.
    #[test]
    fn at_every_moment_the_config_refers_to_whole_files() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let numbers = [0.5; 1000];
        put(run, "a", &numbers, 0);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                loop {
                    let is_last = done.load(Ordering::Relaxed);
                    let before = config(run);
                    let paths = config::without(&before, "a:00000").unwrap().tensor_paths;
                    assert_eq!(paths.len(), 1, "{before}");
                    let tensors = fs::read_to_string(run.join(&paths[0]));
                    // What was replaced meanwhile may be gone.
                    if config(run) == before {
                        assert_eq!(tensors.unwrap(), "0.5\t0\t0\n".repeat(1000));
                    }
                    if is_last {
                        break;
                    }
                }
            });
            for step in 0..100 {
                put(run, "a", &numbers, 0);
                put(run, "b", &numbers, step);
            }
            done.store(true, Ordering::Relaxed);
            reader.join().unwrap();
        });
    }

    #[test]
    fn threads_take_turns() {
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
    fn a_folder_has_a_name_that_every_file_system_takes() {
        for (tag, want) in [
            ("hidden layer/weights", "hidden_layer_weights"),
            ("損失", "__"),
            ("", "_"),
            (".", "_._"),
            ("..", "_.._"),
            ("../../etc", "_.._.._etc"),
            (".hidden", "_.hidden"),
            ("dot.", "dot._"),
            ("C:\\x\0", "C__x_"),
            ("nul", "_nul"),
            ("Com1.txt", "_Com1.txt"),
            ("COM10", "COM10"),
            ("LPT", "LPT"),
            ("console", "console"),
            ("tfevents", "tfevents"),
        ] {
            assert_eq!(file_name(tag), want, "{tag:?}");
        }
        assert_eq!(file_name(&"é".repeat(1 << 20)), "_".repeat(MAX_NAME_BYTES));
    }

    #[test]
    fn tags_that_look_alike_to_a_file_system_have_folders_of_their_own() {
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
    fn a_name_can_stand_in_an_address() {
        assert_eq!(name("a/b c", 7), "a/b c:00007");
        assert_eq!(
            name("50% & #1+2\t\r\n", 123_456),
            "50％ ＆ ＃1＋2␉␍␊:123456"
        );
    }
}
