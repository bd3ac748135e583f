use super::super::Format;
use super::*;

#[test]
fn labels_are_counted_by_truth_and_prediction() {
    let truth = [0, 0, 0, 2, 2, 1];
    let predicted = [0, 1, 1, 2, 0, 1];
    let matrix = ConfusionMatrix::from_labels(&["a", "b", "c"], &truth, &predicted).unwrap();
    let counts = [1, 2, 0, 0, 1, 0, 1, 0, 1];
    let want = ConfusionMatrix::new(&["a", "b", "c"], &counts).unwrap();
    assert_eq!(matrix, want);
    let none = ConfusionMatrix::from_labels(&["a"], &[], &[]).unwrap();
    assert_eq!(none, ConfusionMatrix::new(&["a"], &[0]).unwrap());
}

#[test]
fn a_table_has_a_row_for_each_truth() {
    let matrix = ConfusionMatrix::new(&["a|b", "*c*\n<d>"], &[1, 2, 3, u64::MAX]).unwrap();
    let want = "\
| true \\\\ predicted | a\\|b | \\*c\\* &#60;d&#62; |
|---|---|---|
| a\\|b | **1** | 2 |
| \\*c\\* &#60;d&#62; | 3 | **18446744073709551615** |
";
    assert_eq!(matrix.to_markdown(), want);
}

#[test]
fn any_matrix_makes_a_picture_of_bounded_size() {
    let long = "w".repeat(1000);
    for (names, count, counted) in [
        (["", "損失", "\n\0", &long], 4, u64::MAX),
        (["a"; 4], 1, 0),
        (["a"; 4], 2, 0),
        ([&long; 4], 17, 123_456),
        (["name"; 4], 80, 7),
        (["name"; 4], 81, 7),
        ([&long; 4], 1000, 1),
    ] {
        let names: Vec<&str> = names.into_iter().cycle().take(count).collect();
        let matrix = ConfusionMatrix::new(&names, &vec![counted; count * count]).unwrap();
        let image = matrix.to_image();
        let (format, pixels) = image.pixels("image", "it").unwrap();
        assert_eq!(format, Format::RGB8, "{count} classes");
        let sides = (image.width() as usize, image.height() as usize);
        assert_eq!(sides.0 * sides.1 * 3, pixels.len(), "{count} classes");
        assert!(sides.0.max(sides.1) <= 2400, "{count} classes: {sides:?}");
    }
}

#[test]
fn what_makes_no_matrix_is_refused_by_name() {
    let none: [&str; 0] = [];
    let two = ["a", "b"];
    for (got, want) in [
        (
            ConfusionMatrix::new(&none, &[]),
            "classes: 0 are given, 1 to 1000 fit",
        ),
        (
            ConfusionMatrix::from_labels(&["a"; 1001], &[], &[]),
            "classes: 1001 are given, 1 to 1000 fit",
        ),
        (
            ConfusionMatrix::new(&two, &[1, 2, 3]),
            "confusion counts: 3 are given, 2 classes need 4",
        ),
        (
            ConfusionMatrix::from_labels(&two, &[0, 1], &[0]),
            "predicted labels: 1 are given, 2 fit",
        ),
        (
            ConfusionMatrix::from_labels(&two, &[0, 2], &[0, 0]),
            "true labels: number 1 is 2, one below 2 fits",
        ),
        (
            ConfusionMatrix::from_labels(&two, &[0, 1], &[usize::MAX, 0]),
            "predicted labels: number 0 is 18446744073709551615, one below 2 fits",
        ),
    ] {
        assert_eq!(got.unwrap_err().to_string(), want);
    }
}
