use std::collections::HashMap;
use tensorboard_rs::summary_writer::SummaryWriter;

fn main() {
    let mut writer = SummaryWriter::new("runs/digits");
    for step in 0..100 {
        let loss = 0.9_f32.powi(step as i32);
        writer.add_scalar("loss", loss, step);
        let losses = HashMap::from([
            ("train".to_string(), loss),
            ("validation".to_string(), 2.0 * loss),
        ]);
        writer.add_scalars("compared", &losses, step);
        if step % 10 == 0 {
            // 3 weights from -1 to 0, and 5 from 0 to 1. The numbers are min, max, count, sum and sum of squares.
            writer.add_histogram_raw(
                "weights",
                -1.0,
                1.0,
                8.0,
                0.5,
                2.5,
                &[0.0, 1.0],
                &[3.0, 5.0],
                step,
            );
            writer.add_image("pixels", &[128; 12], &[3, 2, 2], step);
        }
    }
    writer.flush();
}
