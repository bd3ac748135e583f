use summary_writer::{Histogram, Image, SummaryWriter};

fn main() -> summary_writer::Result<()> {
    let writer = SummaryWriter::create_file_writer("runs/digits")?;
    for step in 0..100 {
        let loss = 0.9_f32.powi(step);
        writer.scalar("loss", loss, step);
        let losses = [
            ("compared/train", loss),
            ("compared/validation", 2.0 * loss),
        ];
        writer.scalar_in_runs("compared", losses, step)?;
        if step % 10 == 0 {
            let counted = Histogram::from_buckets(&[-1.0, 0.0, 1.0], &[3, 5])?;
            writer.histogram("weights", counted, step);
            writer.image("pixels", Image::rgb8(2, 2, [128; 12])?, step);
        }
    }
    writer.close()
}
