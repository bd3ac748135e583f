use summary_writer::{EventReader, Histogram, Image, SummaryWriter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let writer = SummaryWriter::create_file_writer("runs/digits")?;
    for step in 0..100 {
        writer.scalar("loss", 0.9_f32.powi(step), step);
        if step % 10 == 0 {
            let counted = Histogram::from_buckets(&[-1.0, 0.0, 1.0], &[3, 5])?;
            writer.histogram("weights", counted, step);
            let png = std::fs::read("pixels.png")?;
            writer.image("pixels", Image::encoded(png)?, step);
        }
    }
    writer.flush()?;

    let path = writer.path().ok_or("no file")?;
    for event in EventReader::open(path)? {
        println!("step {}", event?.step);
    }
    Ok(())
}
