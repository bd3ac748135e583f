//! Clips of every constructor with computed samples, several clips per step, a step with fewer clips, and a file of another
//! program.

use std::iter;

use summary_writer::{Audio, SummaryWriter, Tag};

use crate::{Result, START};

pub(crate) fn write(run: &SummaryWriter) -> Result {
    let sound = run.scope("sound");
    let first = sound.at(START);
    let tag = Tag::new("mono_f32")
        .description("a *sweep*")
        .display_name("Sweep");
    for (step, rate_hz) in (0_u8..).zip([8_000, 11_025, 12_345]) {
        let clip = Audio::mono_f32(rate_hz, floats(4_000 + 1_000 * usize::from(step)))?;
        sound
            .at(START + f64::from(step))
            .audio(tag.clone(), clip, step);
    }
    first.audio("stereo_f32", Audio::stereo_f32(44_100, floats(10_000))?, 0);
    first.audio(
        "three_f32",
        Audio::interleaved_f32(3, 96_000, floats(9_999))?,
        0,
    );
    first.audio("mono_i16", Audio::mono_i16(16_001, integers(3_333))?, 0);
    first.audio(
        "stereo_i16",
        Audio::stereo_i16(48_000, integers(20_002))?,
        0,
    );
    first.audio(
        "six_i16",
        Audio::interleaved_i16(6, 22_050, integers(6_006))?,
        0,
    );
    let edges = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        1.0,
        -1.0,
        1e30,
        -1e30,
        0.5 / 32_768.0,
        -0.5 / 32_768.0,
        f32::MIN_POSITIVE,
    ];
    first.audio("edges", Audio::mono_f32(3_000, edges)?, 0);
    first.audio("encoded", Audio::wav(foreign_file())?, 0);

    for step in 0..3_u8 {
        let clips = (1..=3_u8)
            .map(|n| Audio::mono_i16(8_000, vec![i16::from(n * 10 + step); usize::from(n) * 400]))
            .collect::<summary_writer::Result<Vec<_>>>()?;
        // The last step has one clip instead of three.
        let count = if step == 2 { 1 } else { 3 };
        sound
            .at(START + f64::from(step))
            .audios("several", clips.into_iter().take(count), step);
    }
    Ok(())
}

/// Returns samples from below -1 to above 1. Those outside of -1 to 1 are clipped.
fn floats(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (i * 37 % 1_000) as f32 / 400.0 - 1.25)
        .collect()
}

/// Returns samples that go through all values of an `i16` repeatedly.
fn integers(count: usize) -> Vec<i16> {
    iter::successors(Some(0_i16), |n| Some(n.wrapping_add(7_919)))
        .take(count)
        .collect()
}

/// Returns a file as a program streams it when it does not know the final length: 800 floats, after a note of odd length.
fn foreign_file() -> Vec<u8> {
    let mut file =
        b"RIFF\xff\xff\xff\xffWAVEnote\x03\0\0\0abc\0fmt \x10\0\0\0\x03\0\x01\0".to_vec();
    file.extend(8_000_u32.to_le_bytes());
    file.extend(32_000_u32.to_le_bytes());
    file.extend(b"\x04\0\x20\0data\xff\xff\xff\xff");
    file.extend(floats(800).into_iter().flat_map(f32::to_le_bytes));
    file
}
