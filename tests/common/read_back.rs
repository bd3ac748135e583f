//! Reads what a call wrote, as plain numbers.

use std::fs;
use std::io::Cursor;

use summary_writer::proto::TensorProto;
use summary_writer::proto::summary::value::Value as Data;
use summary_writer::{EventReader, SummaryWriter};

/// Left edge, right edge, count.
pub(crate) type Row = [f64; 3];

/// Width, height, channels, bits of a sample, and the samples. Samples of 16 bits are big-endian.
pub(crate) type Picture = (u32, u32, usize, u8, Vec<u8>);

/// Returns the tensors that `log` writes, with their tags.
pub(crate) fn tensors(log: impl FnOnce(&SummaryWriter)) -> Vec<(String, TensorProto)> {
    let dir = tempfile::tempdir().unwrap();
    let summary = SummaryWriter::create_file_writer(dir.path()).unwrap();
    log(&summary);
    summary.close().unwrap();
    let mut tensors = Vec::new();
    for file in fs::read_dir(dir.path()).unwrap() {
        for event in EventReader::open(file.unwrap().path()).unwrap() {
            let event = event.unwrap();
            let Some(summary_writer::proto::event::What::Summary(summary)) = event.what else {
                continue;
            };
            for value in summary.value {
                if let Some(Data::Tensor(tensor)) = value.value {
                    tensors.push((value.tag, *tensor));
                }
            }
        }
    }
    tensors
}

pub(crate) fn rows(tensor: &TensorProto) -> Vec<Row> {
    let numbers = tensor.tensor_content.as_chunks().0;
    let numbers: Vec<f64> = numbers.iter().copied().map(f64::from_le_bytes).collect();
    numbers.as_chunks().0.to_vec()
}

/// Decodes the only image of a tensor.
pub(crate) fn picture(tensor: &TensorProto) -> Picture {
    let [_, _, file] = &tensor.string_val[..] else {
        panic!("{tensor:?}");
    };
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    let (channels, bits) = (info.color_type.samples(), info.bit_depth as u8);
    (info.width, info.height, channels, bits, samples)
}
