//! Precision-recall curves of a thousand computed examples, and of counts.

use summary_writer::{PrCurve, SummaryWriter, Tag};

use crate::{Result, START};

pub(crate) fn write(run: &SummaryWriter) -> Result {
    let draw = |i: u16| f32::from(i * 37 % 1000) / 1000.0;
    let predictions: Vec<f32> = (0..1000).map(draw).collect();
    let labels: Vec<bool> = (0..1000)
        .map(|i| draw(i) * 3.0 > f32::from(i % 4))
        .collect();
    let weights: Vec<f32> = (0..1000).map(|i| f32::from(i % 3_u16)).collect();
    let tag = Tag::new("curve").description("a *curve*");
    run.at(START)
        .pr_curve(&tag, PrCurve::new(&labels, &predictions)?, 0);
    let weighted = PrCurve::weighted(&labels, &predictions, &weights, 201)?;
    run.at(START + 1.0).pr_curve(&tag, weighted, 1);
    let few = PrCurve::with_thresholds(&labels, &predictions, 11)?;
    run.at(START).pr_curve("few", few, 0);

    let fractions: Vec<f32> = (0..1000).map(|i| f32::from(i % 7_u16) / 10.0).collect();
    let weighted = PrCurve::weighted(&labels, &predictions, &fractions, 201)?;
    run.at(START).pr_curve("fractions", weighted, 0);

    // 0, 0.001, 0.002 and so on, up to 1.
    let predictions: Vec<f64> = (0..1001)
        .map(|i: u32| f64::from(i * 37 % 1001) / 1000.0)
        .collect();
    let labels: Vec<bool> = (0..1001).map(|i| i % 3 == 0).collect();
    run.at(START)
        .pr_curve("f64", PrCurve::new(&labels, &predictions)?, 0);

    let labels: Vec<usize> = (0..1000).map(|i| i * i % 3).collect();
    let probabilities: Vec<f32> = (0..3000).map(|i: u16| f32::from(i % 257) / 256.0).collect();
    let curves = PrCurve::one_vs_rest(&labels, &probabilities, 3)?;
    for (class, curve) in curves.into_iter().enumerate() {
        run.at(START)
            .pr_curve(format!("one vs rest/{class}"), curve, 0);
    }

    let counts = PrCurve::from_counts(&[3.0, 1.0], &[1.0, 0.0], &[0.0, 1.0], &[0.0, 2.0])?;
    run.at(START).pr_curve("counts", counts, 0);
    Ok(())
}
