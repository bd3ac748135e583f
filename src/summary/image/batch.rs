//! The images of a batch, as a model takes or returns it.

use super::format::Channels;
use super::{Image, Sample};
use crate::error::{Error, Result};

/// From a batch, as frameworks keep it.
impl Image {
    /// Creates the images of a batch from its samples and its shape `[count, channels, height, width]`, for
    /// [`SummaryWriter::images`](crate::SummaryWriter::images) or [`grid`](Self::grid). 1, 2, 3 or 4 channels are gray, gray
    /// with alpha, RGB, or RGBA. The type of the samples says what white is: see [`Sample`].
    ///
    /// ```
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let batch = vec![0.5f32; 16 * 3 * 28 * 28];
    /// let images = Image::batch_nchw([16, 3, 28, 28], &batch)?;
    /// summary.image("batch/grid", Image::grid(&images, 8)?, 0);
    /// summary.images("batch/slider", images, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the number of samples does not match the shape, if there are not 1 to 4 channels, or if a side
    /// is 0.
    #[doc(alias = "dataformats")]
    #[doc(alias = "add_images")]
    #[doc(alias = "make_grid")]
    pub fn batch_nchw<T: Sample>(shape: [usize; 4], samples: &[T]) -> Result<Vec<Self>> {
        let [_, channels, height, width] = shape;
        let batch = images(shape, samples, [height, width, channels])?;
        let plane_len = height * width;
        let interleaved = |image: &[T]| -> Vec<T> {
            let pixel = |i: usize| image.iter().skip(i).step_by(plane_len);
            (0..plane_len).flat_map(pixel).copied().collect()
        };
        let images =
            batch.map(|image| Self::from_samples(&interleaved(image), [height, width, channels]));
        images.collect()
    }

    /// Creates the images of a batch from its samples and its shape `[count, height, width, channels]`. Otherwise the same as
    /// [`batch_nchw`](Self::batch_nchw).
    ///
    /// # Errors
    /// The same as for [`batch_nchw`](Self::batch_nchw).
    pub fn batch_nhwc<T: Sample>(shape: [usize; 4], samples: &[T]) -> Result<Vec<Self>> {
        let [_, height, width, channels] = shape;
        let shape_of_one = [height, width, channels];
        let batch = images(shape, samples, shape_of_one)?;
        batch
            .map(|image| Self::from_samples(image, shape_of_one))
            .collect()
    }
}

/// Checks the shape, and returns the samples of each image.
fn images<T>(
    shape: [usize; 4],
    samples: &[T],
    [height, width, channels]: [usize; 3],
) -> Result<impl Iterator<Item = &[T]>> {
    let got = samples.len();
    let expected = shape
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size));
    if expected != Some(got) {
        let expected = expected.map_or("too many".into(), |expected| expected.to_string());
        let problem = format!("expected {expected} samples for shape {shape:?}, got {got}");
        return Err(Error::invalid("image batch", problem));
    }
    if Channels::from_count(channels).is_none() || height == 0 || width == 0 {
        let problem = format!(
            "expected 1 to 4 channels and sides of at least 1, got {channels} channels of {width} x {height} in shape \
             {shape:?}; `batch_nchw` takes channels first, `batch_nhwc` takes them last"
        );
        return Err(Error::invalid("image batch", problem));
    }
    Ok(samples.chunks_exact(height * width * channels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_becomes_an_image_for_each_entry() {
        // Two images of 2 x 1 pixels in RGB.
        let want = [
            Image::rgb8(2, 1, [1, 2, 3, 4, 5, 6]).unwrap(),
            Image::rgb8(2, 1, [7, 8, 9, 10, 11, 12]).unwrap(),
        ];
        let last: Vec<u8> = (1..=12).collect();
        assert_eq!(Image::batch_nhwc([2, 1, 2, 3], &last).unwrap(), want);
        let first = [1u8, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12];
        assert_eq!(Image::batch_nchw([2, 3, 1, 2], &first).unwrap(), want);
        let floats = first.map(|sample| f32::from(sample) / 255.0);
        assert_eq!(Image::batch_nchw([2, 3, 1, 2], &floats).unwrap(), want);
        let gray = Image::gray16(1, 2, [1, 2]).unwrap();
        assert_eq!(Image::batch_nchw([1, 1, 2, 1], &[1u16, 2]).unwrap(), [gray]);
        assert_eq!(Image::batch_nchw([0, 3, 8, 8], &[0u8; 0]).unwrap(), []);
    }

    #[test]
    fn an_invalid_batch_is_rejected_with_the_reason() {
        for (shape, len, want) in [
            (
                [2, 3, 4, 5],
                119,
                "expected 120 samples for shape [2, 3, 4, 5], got 119",
            ),
            (
                [1, usize::MAX, 2, 2],
                1,
                &format!(
                    "expected too many samples for shape [1, {}, 2, 2], got 1",
                    usize::MAX
                ),
            ),
            (
                [1, 5, 2, 3],
                30,
                "expected 1 to 4 channels and sides of at least 1, got 5 channels of 3 x 2 in shape [1, 5, 2, 3]; `batch_nchw` takes channels first, `batch_nhwc` takes them last",
            ),
            (
                [1, 3, 0, 3],
                0,
                "expected 1 to 4 channels and sides of at least 1, got 3 channels of 3 x 0 in shape [1, 3, 0, 3]; `batch_nchw` takes channels first, `batch_nhwc` takes them last",
            ),
        ] {
            let error = Image::batch_nchw(shape, &vec![0u8; len]).unwrap_err();
            assert_eq!(error.to_string(), format!("image batch: {want}"));
        }
    }
}
