//! Checks that the files contain what was logged. Writers choose the edges of buckets differently, so the check counts the
//! values between the edges of the file.

use std::error::Error;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use image::ImageFormat;
use peers::work::{self, Picture, Work};
use summary_writer::EventReader;
use summary_writer::proto::TensorProto;
use summary_writer::proto::event::What;
use summary_writer::proto::summary::Value;
use summary_writer::proto::summary::value::Value as Data;
use tfrecord::{EventIter, RecordReaderConfig};

pub enum Expected {
    Scalars {
        tags: Vec<String>,
    },
    /// Sorted.
    Values(Vec<f32>),
    Picture(Picture),
}

impl Expected {
    pub fn new(work: Work, data: &Path) -> Result<Self, Box<dyn Error>> {
        let path = data.join(work.to_string());
        Ok(match work {
            Work::Scalar { tags } => Self::Scalars {
                tags: work::tags(tags),
            },
            Work::Histogram { .. } => {
                let mut values = work::read_values(&path)?;
                values.sort_by(f32::total_cmp);
                Self::Values(values)
            }
            Work::Image(sides) => Self::Picture(work::read_picture(&path, sides)?),
        })
    }

    /// Checks that the run in `dir` has `count` events with the right data, besides the version record. Returns the size of an
    /// encoded picture, if the run has pictures.
    pub fn check(&self, dir: &Path, count: u32) -> Result<Option<usize>, String> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|error| error.to_string())?
            .as_secs_f64();
        let mut picture_bytes = None;
        // The last value that was checked. Equal values need not be checked again.
        let mut sound = None;
        let mut step = 0;
        for event in EventReader::open(dir).map_err(|error| error.to_string())? {
            let event = event.map_err(|error| error.to_string())?;
            let values = match event.what {
                Some(What::FileVersion(_)) => continue,
                Some(What::Summary(summary)) => summary.value,
                other => return Err(format!("unexpected event: {other:?}")),
            };
            step += 1;
            if event.step != i64::from(step) {
                return Err(format!("step {} instead of {step}", event.step));
            }
            if (event.wall_time - now).abs() > 3600.0 {
                return Err(format!("a wall time of {}", event.wall_time));
            }
            let [value] = &values[..] else {
                return Err(format!("{} values in one event", values.len()));
            };
            if let Self::Scalars { tags } = self {
                self.check_scalar(value, tags, step)?;
            } else if sound.as_ref() != Some(value) {
                match self {
                    Self::Values(sorted) => check_histogram(value, sorted)?,
                    Self::Picture(picture) => picture_bytes = Some(check_picture(value, picture)?),
                    Self::Scalars { .. } => {}
                }
                sound = Some(value.clone());
            }
        }
        match step == count {
            true => Ok(picture_bytes),
            false => Err(format!("{step} of {count} events")),
        }
    }

    fn check_scalar(&self, value: &Value, tags: &[String], step: u32) -> Result<(), String> {
        let tag = &tags[step as usize % tags.len()];
        match value.scalar() {
            Some(number) if number == work::scalar(step) && value.tag == *tag => Ok(()),
            other => Err(format!("{:?} is {other:?} at step {step}", value.tag)),
        }
    }
}

/// A bucket: its ends and its count.
type Bucket = (f64, f64, f64);

fn check_histogram(value: &Value, sorted: &[f32]) -> Result<(), String> {
    let buckets: Vec<Bucket> = match &value.value {
        Some(Data::Histo(histogram)) => {
            let ends = [histogram.min, histogram.max].map(|end| end as f32);
            if ends != [sorted[0], sorted[sorted.len() - 1]] {
                return Err(format!("a histogram from {} to {}", ends[0], ends[1]));
            }
            let mut left = f64::NEG_INFINITY;
            let limits = histogram.bucket_limit.iter().zip(&histogram.bucket);
            limits
                .map(|(&right, &count)| (std::mem::replace(&mut left, right), right, count))
                .collect()
        }
        Some(Data::Tensor(tensor)) => doubles(tensor)
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[left, right, count]| (left, right, count))
            .collect(),
        other => return Err(format!("not a histogram: {other:?}")),
    };
    let total: f64 = buckets.iter().map(|bucket| bucket.2).sum();
    if total != sorted.len() as f64 {
        return Err(format!("counts {total} of {} values", sorted.len()));
    }
    for (left, right, count) in buckets {
        // A value on an edge may be in either bucket.
        let below = |edge: f64| sorted.partition_point(|&value| f64::from(value) < edge);
        let up_to = |edge: f64| sorted.partition_point(|&value| f64::from(value) <= edge);
        let least = below(right).saturating_sub(up_to(left)) as f64;
        let most = (up_to(right) - below(left)) as f64;
        if !(least..=most).contains(&count) {
            return Err(format!(
                "counts {count} of {most} values from {left} to {right}"
            ));
        }
    }
    Ok(())
}

fn doubles(tensor: &TensorProto) -> Vec<f64> {
    match tensor.tensor_content.as_chunks::<8>().0 {
        [] => tensor.double_val.clone(),
        numbers => numbers.iter().copied().map(f64::from_le_bytes).collect(),
    }
}

fn check_picture(value: &Value, picture: &Picture) -> Result<usize, String> {
    let (sides, file) = match &value.value {
        Some(Data::Image(image)) => (
            format!("{} × {}", image.width, image.height),
            &image.encoded_image_string,
        ),
        Some(Data::Tensor(tensor)) => match &tensor.string_val[..] {
            [width, height, file] => {
                let side = |side: &Vec<u8>| String::from_utf8_lossy(side).into_owned();
                (format!("{} × {}", side(width), side(height)), file)
            }
            strings => return Err(format!("{} strings", strings.len())),
        },
        other => return Err(format!("not an image: {other:?}")),
    };
    let want = format!("{} × {}", picture.sides.width, picture.sides.height);
    let image = image::io::Reader::with_format(Cursor::new(file), ImageFormat::Png)
        .decode()
        .map_err(|error| error.to_string())?;
    let pixels = match picture.sides.channels {
        1 => image.to_luma8().into_raw(),
        _ => image.to_rgb8().into_raw(),
    };
    let got = format!("{} × {}", image.width(), image.height());
    if (&sides, &got) != (&want, &want) {
        return Err(format!(
            "{want} pixels are recorded as {sides}, and the PNG file has {got}"
        ));
    }
    if pixels != picture.pixels {
        return Err("scrambled pixels".into());
    }
    Ok(file.len())
}

/// Returns how many records the reader of `tfrecord` finds in the run. It checks the checksums.
pub fn by_tfrecord(dir: &Path) -> Result<usize, Box<dyn Error>> {
    let mut count = 0;
    for entry in fs::read_dir(dir)? {
        let config = RecordReaderConfig {
            check_integrity: true,
        };
        for event in EventIter::open(entry?.path(), config)? {
            event?;
            count += 1;
        }
    }
    Ok(count)
}
