//! Runs the crate `tboard`. It is a separate program, so that the bench works if the crate does not build.

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use peers::child::{Writer, serve};
use peers::work::Picture;
use tboard::EventWriter;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(name), Some(data)) = (arguments.next(), arguments.next()) else {
        return Err("the bench starts this program: tboard-peer NAME DATA".into());
    };
    match name.to_str() {
        Some("tboard") => serve::<Tboard<File>>(data.as_ref()),
        Some("tboard-buffered") => serve::<Tboard<BufWriter<File>>>(data.as_ref()),
        _ => Err(format!("no writer {name:?}").into()),
    }
}

struct Tboard<S: Write>(EventWriter<S>);

trait Sink: Write + Sized {
    fn writer(dir: &Path) -> tboard::Result<EventWriter<Self>>;
}

/// As its documentation shows: a system call for each part of a record.
impl Sink for File {
    fn writer(dir: &Path) -> tboard::Result<EventWriter<Self>> {
        EventWriter::create(dir)
    }
}

impl Sink for BufWriter<File> {
    fn writer(dir: &Path) -> tboard::Result<EventWriter<Self>> {
        let file = File::create(dir.join("events.out.tfevents.1"))?;
        EventWriter::from_writer(BufWriter::new(file), None)
    }
}

impl<S: Sink> Writer for Tboard<S> {
    fn open(dir: &Path) -> Self {
        Self(S::writer(dir).unwrap())
    }

    #[inline]
    fn scalar(&mut self, tag: &str, value: f32, step: u32) {
        self.0.write_scalar(step.into(), tag, value).unwrap();
    }

    fn histogram(&mut self, _: &str, _: &[f32], _: u32) -> Result<(), Box<dyn Error>> {
        Err("takes counts, not values".into())
    }

    fn image(&mut self, _: &str, _: &Picture, _: u32) -> Result<(), Box<dyn Error>> {
        Err("takes PNG files, not pixels".into())
    }

    fn close(mut self) {
        self.0.flush().unwrap();
    }
}
