//! Audio page: a rising chord, its tones as several clips of one step, and a tone that moves from left to right.

use std::f32::consts::TAU;

use summary_writer::{Audio, SummaryWriter};

use crate::Result;

const RATE_HZ: u32 = 8000;
const SAMPLES: u16 = 4000;

pub(crate) fn log(summary: &SummaryWriter, progress: f32, step: u16) -> Result {
    if !step.is_multiple_of(5) {
        return Ok(());
    }
    let tone = |hz: f32, i: u16| {
        let seconds = f32::from(i) / RATE_HZ as f32;
        (TAU * hz * seconds).sin() * (-4.0 * seconds).exp()
    };
    let root = 220.0 * (1.0 + progress);
    let chord = (0..SAMPLES).map(|i| {
        [1.0, 1.25, 1.5]
            .map(|ratio| tone(root * ratio, i))
            .iter()
            .sum::<f32>()
            / 3.0
    });
    summary.audio(
        "sounds/chord",
        Audio::mono_f32(RATE_HZ, chord.collect::<Vec<_>>())?,
        step,
    );

    let tones = [1.0, 1.25, 1.5].map(|ratio| {
        let samples = (0..SAMPLES / 2).map(|i| tone(root * ratio, i));
        Audio::mono_f32(RATE_HZ, samples.collect::<Vec<_>>())
    });
    let tones = tones.into_iter().collect::<Result<Vec<_>, _>>()?;
    summary.audios("sounds/tones", tones, step);

    let wandering = (0..SAMPLES).flat_map(|i| {
        let right = f32::from(i) / f32::from(SAMPLES);
        [1.0 - right, right].map(|loudness| loudness * tone(root, i))
    });
    summary.audio(
        "sounds/left to right",
        Audio::stereo_f32(RATE_HZ, wandering.collect::<Vec<_>>())?,
        step,
    );
    Ok(())
}
