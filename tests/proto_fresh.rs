//! The checked-in messages are what `proto/*.proto` says: they are generated again here, in pure Rust, and compared.

use std::error::Error;
use std::fs;
use std::path::Path;

#[test]
fn checked_in_messages_are_those_of_the_proto_files() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources: Vec<_> = fs::read_dir(root.join("proto"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    sources.sort();
    let descriptors = protox::compile(&sources, [root.join("proto")])?;

    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proto");
    fs::create_dir_all(&fresh)?;
    prost_build::Config::new()
        .out_dir(&fresh)
        .compile_fds(descriptors)?;

    let names = |dir: &Path| -> Result<Vec<_>, std::io::Error> {
        let mut names: Vec<_> = fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<_, _>>()?;
        names.retain(|name| name != "mod.rs");
        names.sort();
        Ok(names)
    };
    let checked_in = root.join("src/proto");
    let mend = format!(
        "after a look at the difference: cp {}/* src/proto/",
        fresh.display()
    );
    assert_eq!(
        names(&checked_in)?,
        names(&fresh)?,
        "other files than in src/proto; {mend}"
    );
    for name in names(&fresh)? {
        let want = fs::read_to_string(fresh.join(&name))?;
        let got = fs::read_to_string(checked_in.join(&name))?;
        assert!(got == want, "src/proto/{} is stale; {mend}", name.display());
    }
    Ok(())
}
