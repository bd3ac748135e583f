use tboard::{EventWriter, SummaryReader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut writer = EventWriter::create("runs/digits")?;
    for step in 0..100 {
        writer.write_scalar(step, "loss", 0.9_f32.powi(step as i32))?;
        if step % 10 == 0 {
            // min, max, count, sum, sum of squares, counts and right edges
            writer.write_histo(
                step,
                "weights",
                -1.0,
                1.0,
                8.0,
                0.5,
                2.5,
                vec![3.0, 5.0],
                vec![0.0, 1.0],
            )?;
            let png = std::fs::read("pixels.png")?;
            writer.write_image(step, "pixels", 2, 2, 3, png)?;
        }
    }
    writer.flush()?;

    let path = writer.filename().ok_or("no file")?;
    for event in SummaryReader::new(std::fs::File::open(path)?) {
        println!("step {}", event?.step);
    }
    Ok(())
}
