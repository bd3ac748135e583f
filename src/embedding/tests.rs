use std::fmt;

use super::*;

fn points(count: usize) -> Embedding {
    Embedding::new("points", &vec![0.5f32; count], 1).unwrap()
}

#[test]
fn slice_and_rows_give_the_same_points() {
    let want = Embedding::new("a", &[1.0f32, 2.0, 3.0, 4.0], 2).unwrap();
    assert_eq!(
        (&want.vectors[..], want.dimensions),
        (&[1.0, 2.0, 3.0, 4.0][..], 2)
    );
    for got in [
        Embedding::new("a", &[1.0f64, 2.0, 3.0, 4.0], 2),
        Embedding::new("a", &[1u8, 2, 3, 4], 2),
        Embedding::from_rows("a", vec![vec![1.0, 2.0], vec![3.0, 4.0]]),
        Embedding::from_rows("a", [[1.0f32, 2.0], [3.0, 4.0]]),
        Embedding::from_rows("a", [1.0, 2.0, 3.0, 4.0].chunks(2)),
    ] {
        assert_eq!(got.unwrap(), want);
    }
}

#[cfg(feature = "half")]
#[test]
fn numbers_may_have_16_bits() {
    use half::{bf16, f16};

    let numbers = [1.0f32, 0.5, -2.0, 0.0];
    let want = Embedding::new("a", &numbers, 2).unwrap();
    let small = numbers.map(f16::from_f32);
    assert_eq!(Embedding::new("a", &small, 2).unwrap(), want);
    let rows = [[1.0, 0.5], [-2.0, 0.0]].map(|row| row.map(bf16::from_f32));
    assert_eq!(Embedding::from_rows("a", rows).unwrap(), want);
}

#[test]
fn invalid_vectors_are_errors_that_say_where() {
    let no_rows: [[f32; 2]; 0] = [];
    for (got, want) in [
        (
            Embedding::new("", &[1.0f32; 7], 3),
            "dimensions: expected at least 1 and a divisor of the number of values, got 3 for 7 values",
        ),
        (
            Embedding::new("", &[1.0f32], 0),
            "dimensions: expected at least 1 and a divisor of the number of values, got 0 for 1 values",
        ),
        (
            Embedding::new("", &[0f64; 0], 3),
            "vectors: expected at least 2 points, because the projector does not list fewer, got 0",
        ),
        (
            Embedding::from_rows("", no_rows),
            "vectors: expected at least 2 points, because the projector does not list fewer, got 0",
        ),
        (
            Embedding::from_rows("", [[1.0]]),
            "vectors: expected at least 2 points, because the projector does not list fewer, got 1",
        ),
        (
            Embedding::from_rows("", [&[1.0f32][..], &[]]),
            "vectors: expected equal lengths of at least 1, got 1 in row 0 and 0 in row 1",
        ),
        (
            Embedding::from_rows("", [&[][..], &[1.0f32]]),
            "vectors: expected equal lengths of at least 1, got 0 in row 0 and 0 in row 0",
        ),
        (
            Embedding::new("", &[0.0, 0.0, 0.0, f32::NAN], 2),
            "vectors: expected finite numbers as f32, got NaN at index 1 of row 1",
        ),
        (
            Embedding::new("", &[1e300], 1),
            "vectors: expected finite numbers as f32, got inf at index 0 of row 0",
        ),
    ] {
        assert_eq!(got.unwrap_err().to_string(), want);
    }
}

#[test]
fn only_several_columns_have_a_header() {
    for (got, want) in [
        (points(2).labels([3, 4]), "3\n4\n"),
        (points(2).columns(["name"], [["a"], ["b"]]), "a\nb\n"),
        (
            points(2).columns(["k", "v"], [["a", ""], [" ", "b"]]),
            "k\tv\na\t\n \tb\n",
        ),
        // The last call counts.
        (
            points(2).labels(["x", "x"]).unwrap().labels(["y", "z"]),
            "y\nz\n",
        ),
    ] {
        assert_eq!(got.unwrap().metadata.as_deref(), Some(want));
    }
    assert_eq!(points(2).metadata, None);
}

struct Failing;

impl Display for Failing {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn invalid_labels_and_columns_are_errors() {
    let no_names: [&str; 0] = [];
    for (got, want) in [
        (
            points(3).labels(["a", "b"]),
            "labels: expected 3, one per point, got 2",
        ),
        (
            points(3).labels(std::iter::repeat("a")),
            "labels: expected 3, one per point, got 4 or more",
        ),
        (
            points(2).labels(["a", "b\tc"]),
            "labels: expected no tabs or line breaks, got \"b\\tc\"",
        ),
        (
            points(2).labels(["a\r"]),
            "labels: expected no tabs or line breaks, got \"a\\r\"",
        ),
        (
            points(2).labels(["a", "\u{feff}\u{a0} "]),
            "labels: expected no blank line, because the projector skips it, got [\"\\u{feff}\\u{a0} \"] in row 1",
        ),
        (
            points(2).labels([Failing]),
            "labels: expected text, got an error of its `Display`",
        ),
        (
            points(2).columns(no_names, [["a"]]),
            "column names: expected at least 1, got none",
        ),
        (
            points(2).columns(["a", ""], [["a", "b"]]),
            "column names: expected unique names that are not blank, got [\"a\", \"\"]",
        ),
        (
            points(2).columns(["a", "a"], [["a", "b"]]),
            "column names: expected unique names that are not blank, got [\"a\", \"a\"]",
        ),
        (
            points(2).columns(["a", "b\n"], [["a", "b"]]),
            "column names: expected no tabs or line breaks, got \"b\\n\"",
        ),
        (
            points(2).columns(["a", "b"], [vec!["a", "b"], vec!["c"]]),
            "columns: expected 2 cells in each row, got [\"c\"]",
        ),
        (
            points(2).columns(["a", "b"], [["a", "b", "c"]]),
            "columns: expected 2 cells in each row, got [\"a\", \"b\", \"c\"]",
        ),
        (
            points(2).columns(["a", "b"], [["a", "b"], ["", " "]]),
            "columns: expected no blank line, because the projector skips it, got [\"\", \" \"] in row 1",
        ),
        (
            points(2).columns(["a"], [["a"]]),
            "columns: expected 2, one per point, got 1",
        ),
    ] {
        assert_eq!(got.unwrap_err().to_string(), want);
    }
}

#[cfg(feature = "png")]
#[test]
fn there_must_be_one_thumbnail_for_each_point() {
    let image = Image::gray8(1, 1, [0]).unwrap();
    for (count, got) in [(0, "0"), (3, "3 or more")] {
        let error = points(2)
            .thumbnails(vec![image.clone(); count])
            .unwrap_err();
        let want = format!("thumbnails: expected 2, one per point, got {got}");
        assert_eq!(error.to_string(), want);
    }
    assert!(points(2).thumbnails([&image, &image]).is_ok());
}
