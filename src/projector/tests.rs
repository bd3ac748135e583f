use super::*;

fn points(count: usize) -> Embedding {
    Embedding::new("points", &vec![0.5f32; count], 1).unwrap()
}

#[test]
fn numbers_of_a_slice_and_of_rows_are_the_same_points() {
    let want = Embedding::new("a", &[1.0f32, 2.0, 3.0, 4.0], 2).unwrap();
    assert_eq!(
        (&want.vectors[..], want.dimensions),
        (&[1.0, 2.0, 3.0, 4.0][..], 2)
    );
    assert_eq!(
        Embedding::new("a", &[1.0f64, 2.0, 3.0, 4.0], 2).unwrap(),
        want
    );
    let rows = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    assert_eq!(Embedding::from_rows("a", &rows).unwrap(), want);
    assert_eq!(
        Embedding::from_rows("a", [[1.0f32, 2.0], [3.0, 4.0]]).unwrap(),
        want
    );
    assert_eq!(
        Embedding::from_rows("a", [1.0, 2.0, 3.0, 4.0].chunks(2)).unwrap(),
        want
    );
    // 0.1 is no f32: the nearest is taken.
    assert_eq!(
        Embedding::new("a", &[0.1f64, -0.1], 1).unwrap().vectors,
        [0.1f32, -0.1]
    );
}

#[test]
fn vectors_that_are_none_are_refused_by_place() {
    let none: [[f32; 2]; 0] = [];
    for (got, want) in [
        (
            Embedding::new("", &[1.0f32; 7], 3),
            "vectors: 7 numbers are given, a multiple of 3 fits",
        ),
        (
            Embedding::new("", &[1.0f32], 0),
            "dimensions: 0 are given, 1 or more fit",
        ),
        (
            Embedding::new("", &[1.0f32], usize::MAX),
            "vectors: 1 numbers are given, a multiple of 18446744073709551615 fits",
        ),
        (
            Embedding::new("", &[0f64; 0], 3),
            "vectors: 0 are given, 2 or more fit: the projector lists no fewer",
        ),
        (
            Embedding::from_rows("", none),
            "vectors: 0 are given, 2 or more fit: the projector lists no fewer",
        ),
        (
            Embedding::from_rows("", [&[1.0f32][..], &[]]),
            "vectors: row 1 is empty, 1 number or more fits",
        ),
        (
            Embedding::from_rows("", [&[1.0, 2.0][..], &[3.0]]),
            "vectors: row 1 has 1 numbers, 2 as in row 0 fit",
        ),
        (
            Embedding::new("", &[0.0, 0.0, 0.0, f32::NAN], 2),
            "vectors: number 1 of row 1 is NaN, one that is finite as an f32 fits",
        ),
        (
            Embedding::from_rows("", [[0.0, f32::NEG_INFINITY]]),
            "vectors: number 1 of row 0 is -inf, one that is finite as an f32 fits",
        ),
        (
            Embedding::new("", &[1e300], 1),
            "vectors: number 0 of row 0 is 1e300, one that is finite as an f32 fits",
        ),
    ] {
        assert_eq!(got.unwrap_err().to_string(), want);
    }
}

#[test]
fn one_column_has_no_header_and_several_have_one() {
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

struct Mute;

impl Display for Mute {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

#[test]
fn labels_that_would_part_or_shift_lines_are_refused_by_place() {
    let no_names: [&str; 0] = [];
    for (got, want) in [
        (
            points(3).labels(["a", "b"]),
            "labels: 2 are given, 3 fit: as many as there are vectors",
        ),
        (
            points(3).labels(std::iter::repeat("a")),
            "labels: more are given, 3 fit: as many as there are vectors",
        ),
        (
            points(2).labels(["a", "b\tc"]),
            "labels: number 1 is \"b\\tc\", text without tabs and line breaks fits",
        ),
        (
            points(2).labels(["a\n"]),
            "labels: number 0 is \"a\\n\", text without tabs and line breaks fits",
        ),
        (
            points(2).labels(["a\r"]),
            "labels: number 0 is \"a\\r\", text without tabs and line breaks fits",
        ),
        (
            points(2).labels(["a", "\u{feff}\u{a0} "]),
            "labels: number 1 is blank, which the projector leaves out: any other text fits",
        ),
        (
            points(2).labels([Mute]),
            "labels: number 0 cannot be displayed",
        ),
        (
            points(2).columns(no_names, [["a"]]),
            "column names: none are given, 1 or more fit",
        ),
        (
            points(2).columns(["a", ""], [["a", "b"]]),
            "column names: number 1 is blank, which the projector leaves out: any other text fits",
        ),
        (
            points(2).columns(["a", "a"], [["a", "b"]]),
            "column names: \"a\" is given twice, a name of its own fits",
        ),
        (
            points(2).columns(["a", "b\n"], [["a", "b"]]),
            "column names: number 1 is \"b\\n\", text without tabs and line breaks fits",
        ),
        (
            points(2).columns(["a", "b"], [["a", "b"], ["c", "d\te"]]),
            "columns: column \"b\" of row 1 is \"d\\te\", text without tabs and line breaks fits",
        ),
        (
            points(2).columns(["a", "b"], [vec!["a", "b"], vec!["c"]]),
            "columns: row 1 has 1 cells, 2 fit",
        ),
        (
            points(2).columns(["a", "b"], [["a", "b", "c"]]),
            "columns: row 0 has more cells, 2 fit",
        ),
        (
            points(2).columns(["a", "b"], [["a", "b"], ["", " "]]),
            "columns: row 1 is blank, which the projector leaves out: any other text fits",
        ),
        (
            points(2).columns(["a"], [["a"]]),
            "columns: 1 are given, 2 fit: as many as there are vectors",
        ),
    ] {
        assert_eq!(got.unwrap_err().to_string(), want);
    }
}

#[cfg(feature = "png")]
#[test]
fn thumbnails_are_as_many_as_points() {
    let image = Image::gray8(1, 1, [0]).unwrap();
    for (given, want) in [
        (
            0,
            "thumbnails: 0 are given, 2 fit: as many as there are vectors",
        ),
        (
            3,
            "thumbnails: more are given, 2 fit: as many as there are vectors",
        ),
    ] {
        let got = points(2).thumbnails(vec![image.clone(); given]);
        assert_eq!(got.unwrap_err().to_string(), want);
    }
    assert!(points(2).thumbnails([&image, &image]).is_ok());
}
