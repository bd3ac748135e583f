use std::collections::BTreeMap;

use super::live::Live;
use super::merge::{Needed, Sample, Series, merge};
use super::offline::{Points, each_tag};
use super::*;
use crate::{EventReader, Histogram, SummaryWriter};

fn sample(step: i64, value: f64) -> Sample {
    Sample {
        step,
        wall_time: 100.0 + step as f64,
        value,
    }
}

/// The numbers are equal, or both are NaN.
fn is_same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

#[test]
fn statistics_are_those_of_a_sample() {
    const NAN: f64 = f64::NAN;
    const INF: f64 = f64::INFINITY;
    for (values, count, [mean, std, min, max, median]) in [
        // The squares of the differences from 3.75: 7.5625 + 3.0625 + 0.0625 + 18.0625 = 28.75.
        (
            &[8.0, 1.0, 4.0, 2.0][..],
            4,
            [3.75, (28.75_f64 / 3.0).sqrt(), 1.0, 8.0, 3.0],
        ),
        (&[3.0, 1.0, 2.0], 3, [2.0, 1.0, 1.0, 3.0, 2.0]),
        // The sum of the squares has no digits left for the differences.
        (
            &[1e9, 1e9 + 1.0, 1e9 + 2.0],
            3,
            [1e9 + 1.0, 1.0, 1e9, 1e9 + 2.0, 1e9 + 1.0],
        ),
        (&[5.0], 1, [5.0, NAN, 5.0, 5.0, 5.0]),
        (
            &[NAN, 1.0, 3.0, NAN],
            2,
            [2.0, 2.0_f64.sqrt(), 1.0, 3.0, 2.0],
        ),
        (&[NAN], 0, [NAN; 5]),
        (&[1.0, INF], 2, [INF, NAN, 1.0, INF, INF]),
        (&[-INF, 1.0, INF], 3, [NAN, NAN, -INF, INF, 1.0]),
    ] {
        let point = Point::new(7, 1.5, &mut values.to_vec());
        assert_eq!((point.step, point.wall_time, point.count), (7, 1.5, count));
        let got = [point.mean, point.std, point.min, point.max, point.median];
        let want = [mean, std, min, max, median];
        let are_same = got.iter().zip(want).all(|(got, want)| is_same(*got, want));
        assert!(are_same, "{values:?}: {got:?}, not {want:?}");
    }
}

/// Step, count, mean and wall time of each step.
fn merged(runs: &[&[(i64, f64)]], join: Join) -> (Vec<(i64, usize, f64, f64)>, u64) {
    let mut series: Vec<Series> = runs
        .iter()
        .map(|run| {
            let mut series = Series::default();
            run.iter()
                .for_each(|(step, value)| series.push(sample(*step, *value)));
            series
        })
        .collect();
    let mut points = Vec::new();
    let left_out = merge(&mut series, i64::MAX, join, Needed::All, |point| {
        points.push((point.step, point.count, point.mean, point.wall_time));
    });
    (points, left_out)
}

#[test]
fn join_decides_which_steps_are_reduced() {
    let even: &[&[(i64, f64)]] = &[&[(0, 1.0), (5, 2.0)], &[(0, 3.0), (5, 6.0)]];
    let uneven: &[&[(i64, f64)]] = &[&[(0, 1.0), (10, 5.0)], &[(4, 2.0), (10, 7.0), (12, 9.0)]];
    // In run 0, the line from (0, 1) to (10, 5) has 2.6 at step 4.
    for (runs, join, want, want_left_out) in [
        (
            even,
            Join::Inner,
            vec![(0, 2, 2.0, 100.0), (5, 2, 4.0, 105.0)],
            0,
        ),
        (uneven, Join::Inner, vec![(10, 2, 6.0, 110.0)], 3),
        (
            uneven,
            Join::Outer,
            vec![
                (0, 1, 1.0, 100.0),
                (4, 1, 2.0, 104.0),
                (10, 2, 6.0, 110.0),
                (12, 1, 9.0, 112.0),
            ],
            0,
        ),
        (
            uneven,
            Join::Interpolate,
            vec![
                (0, 1, 1.0, 100.0),
                (4, 2, 2.3, 104.0),
                (10, 2, 6.0, 110.0),
                (12, 1, 9.0, 112.0),
            ],
            0,
        ),
        // Steps that go back: the last value counts, and takes away the later points.
        (
            &[&[(0, 1.0), (1, 2.0), (2, 3.0), (1, 4.0)]],
            Join::Inner,
            vec![(0, 1, 1.0, 100.0), (1, 1, 4.0, 101.0)],
            0,
        ),
        (
            &[&[(i64::MIN, 0.0), (i64::MAX, 1.0)], &[(0, 3.0)]],
            Join::Interpolate,
            vec![
                (i64::MIN, 1, 0.0, 100.0 + i64::MIN as f64),
                (0, 2, 1.75, 100.0),
                (i64::MAX, 1, 1.0, 100.0 + i64::MAX as f64),
            ],
            0,
        ),
    ] {
        assert_eq!(
            merged(runs, join),
            (want, want_left_out),
            "{join:?} {runs:?}"
        );
    }
}

/// Drives [`Live`] with lines such as `3 a loss 7`: at 3 s, run a logs the tag `loss` at step 7. `3` alone only asks for points.
/// The value of run a is 1, that of run b is 2, and so on. Returns `tag step count mean` with the time, and the messages.
fn live(join: Join, expected: Option<usize>, lines: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut live = Live::new(join, Duration::from_secs(10), expected);
    let mut runs = BTreeMap::new();
    let (mut points, mut messages) = (Vec::new(), Vec::new());
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let now = Duration::from_secs(words[0].parse().unwrap());
        if let [_, run, tag, step] = words[..] {
            let value = f64::from(run.as_bytes()[0] - b'a') + 1.0;
            let index = *runs
                .entry(run.to_owned())
                .or_insert_with(|| live.add_run(run.to_owned(), now));
            live.grew(index, now);
            live.add(index, tag, sample(step.parse().unwrap(), value), now);
        }
        let ready = live.take(now);
        messages.extend(
            ready
                .messages
                .into_iter()
                .map(|message| format!("{} {message}", words[0])),
        );
        for (tag, all) in ready.points {
            for it in all {
                points.push(format!(
                    "{}: {tag} {} {} {}",
                    words[0], it.step, it.count, it.mean
                ));
            }
        }
        if ready.is_over {
            points.push(format!("{}: over", words[0]));
        }
    }
    (points, messages)
}

#[test]
fn step_is_written_once_every_run_has_passed_it() {
    let lines = ["0 a x 0", "0 a x 1", "1 b x 0", "2 a x 2", "3 b x 2"];
    let (points, messages) = live(Join::Outer, Some(2), &lines);
    assert_eq!(points, ["1: x 0 2 1.5", "3: x 1 1 1", "3: x 2 2 1.5"]);
    assert!(messages.is_empty());
    let (points, _) = live(Join::Inner, Some(2), &lines);
    assert_eq!(points, ["1: x 0 2 1.5", "3: x 2 2 1.5"]);
    let (points, _) = live(Join::Interpolate, Some(2), &lines);
    assert_eq!(points, ["1: x 0 2 1.5", "3: x 1 2 1.5", "3: x 2 2 1.5"]);
}

#[test]
fn run_that_does_not_grow_is_left_out_from_its_last_step_on() {
    for join in [Join::Inner, Join::Outer, Join::Interpolate] {
        let lines = [
            "0 a x 0", "0 b x 0", "5 a x 1", "9 a x 2", "10", "11 a x 3", "21",
        ];
        let (points, messages) = live(join, Some(2), &lines);
        let want = [
            "0: x 0 2 1.5",
            "10: x 1 1 1",
            "10: x 2 1 1",
            "11: x 3 1 1",
            "21: over",
        ];
        assert_eq!(points, want);
        let message = "has not grown for 10 s: it is left out from its last step on";
        assert_eq!(
            messages,
            [
                format!("10 the run \"b\" {message}"),
                format!("21 the run \"a\" {message}")
            ]
        );
    }
}

#[test]
fn late_points_do_not_change_what_is_written() {
    let lines = [
        "0 a x 0", "0 b x 0", "9 a x 1", "10", "11 a x 2",
        // Run b grows again: it does not count until it has caught up, and no run waits for it.
        "12 b x 1", "13 a x 3", "13 b x 2", "14 b x 4", "15 a x 4", "16 b x 5", "17 a x 5",
    ];
    let (points, messages) = live(Join::Outer, Some(2), &lines);
    let want = [
        "0: x 0 2 1.5",
        "10: x 1 1 1",
        "11: x 2 1 1",
        "13: x 3 1 1",
        "15: x 4 2 1.5",
        "17: x 5 2 1.5",
    ];
    assert_eq!(points, want);
    assert!(
        messages[1].contains("the run \"b\" grows again"),
        "{messages:?}"
    );
}

#[test]
fn run_that_starts_late_counts_once_it_has_caught_up() {
    let lines = [
        "0 a x 0", "6 a x 1", "10", "14 b x 0", "15 b x 1", "15 a x 2", "16 b x 2", "17 b x 3",
        "18 a x 3",
    ];
    let (points, _) = live(Join::Outer, None, &lines);
    // Step 2 waits for run b, because it has reached step 1, which is the last one that is written.
    assert_eq!(
        points,
        [
            "10: x 0 1 1",
            "10: x 1 1 1",
            "16: x 2 2 1.5",
            "18: x 3 2 1.5"
        ]
    );
}

#[test]
fn writing_starts_with_the_expected_runs_or_after_the_patience() {
    let lines = ["0 a x 0", "1 a x 1", "4 b x 0", "13 a x 2", "14"];
    let (points, _) = live(Join::Outer, None, &lines);
    assert_eq!(points, ["14: x 0 2 1.5", "14: x 1 1 1", "14: x 2 1 1"]);
    let (points, _) = live(Join::Outer, Some(2), &lines);
    assert_eq!(points[0], "4: x 0 2 1.5");
    let (points, _) = live(Join::Outer, Some(3), &lines);
    assert_eq!(points[0], "14: x 0 2 1.5");
}

#[test]
fn tag_that_only_one_run_has_waits_no_longer_than_the_patience() {
    let lines = [
        "0 a lr 0",
        "0 b x 0",
        "5 a x 0",
        "6 b x 1",
        "8 a x 1",
        "9 a lr 1",
        "10 b x 2",
        "11 a lr 2",
    ];
    let (points, _) = live(Join::Outer, Some(2), &lines);
    let want = [
        "5: x 0 2 1.5",
        "8: x 1 2 1.5",
        "10: lr 0 1 1",
        "10: lr 1 1 1",
        "11: lr 2 1 1",
    ];
    assert_eq!(points, want);
}

/// Logs the value `run + step` of each tag in three runs.
fn logs(tags: &[&str], steps: i64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..3 {
        let summary =
            SummaryWriter::create_file_writer(dir.path().join(format!("run-{run}"))).unwrap();
        for step in 0..steps {
            for tag in tags {
                summary.at(1000.0 + f64::from(run)).scalar(
                    *tag,
                    f64::from(run) + step as f64,
                    step,
                );
            }
        }
        summary.close().unwrap();
    }
    dir
}

#[test]
fn passes_return_each_tag_once_within_the_bound_of_memory() {
    let tags = ["d", "b", "a", "c", "e"];
    let dir = logs(&tags, 10);
    let runs = find_runs(dir.path()).unwrap();
    // A tag has 30 points.
    for max_points in [1, 30, 31, 60, 100, 150, 1000] {
        let reduction = Reduction::new([dir.path()]);
        let mut seen = Vec::new();
        let damaged = each_tag(&reduction, &runs, max_points, |tag, points| {
            let Points::Scalar(series) = points else {
                panic!("{tag} is a scalar");
            };
            assert_eq!(
                series.iter().map(Series::len).sum::<usize>(),
                30,
                "{tag} {max_points}"
            );
            seen.push(tag.to_owned());
        });
        assert!(damaged.unwrap().is_empty());
        assert_eq!(seen, ["a", "b", "c", "d", "e"], "{max_points}");
    }
}

#[test]
fn passes_find_tags_that_only_some_runs_have() {
    let dir = tempfile::tempdir().unwrap();
    for (run, tags) in [["b", "d"], ["a", "c"], ["e", "b"]].iter().enumerate() {
        let summary =
            SummaryWriter::create_file_writer(dir.path().join(format!("run-{run}"))).unwrap();
        for step in 0..10 {
            tags.iter().for_each(|tag| summary.scalar(*tag, 0.5, step));
        }
        summary.close().unwrap();
    }
    let runs = find_runs(dir.path()).unwrap();
    for max_points in [1, 10, 15, 25, 1000] {
        let mut seen = Vec::new();
        let reduction = Reduction::new([dir.path()]);
        each_tag(&reduction, &runs, max_points, |tag, points| {
            if let Points::Scalar(series) = points {
                seen.push((tag.to_owned(), series.iter().map(Series::len).collect()));
            }
        })
        .unwrap();
        let want = [
            ("a", vec![10]),
            ("b", vec![10, 10]),
            ("c", vec![10]),
            ("d", vec![10]),
            ("e", vec![10]),
        ];
        let want = want.map(|(tag, counts)| (tag.to_owned(), counts));
        assert_eq!(seen, want, "{max_points}");
    }
}

/// The points of the run `reduced` as (tag, step, value), by tag.
fn reduced(dir: &Path) -> BTreeMap<String, Vec<(i64, f32)>> {
    let mut points = BTreeMap::<_, Vec<_>>::new();
    for event in EventReader::open(dir.join("reduced")).unwrap() {
        let event = event.unwrap();
        if let Some(crate::proto::event::What::Summary(summary)) = &event.what {
            for value in &summary.value {
                if let Some(number) = value.scalar() {
                    points
                        .entry(value.tag.clone())
                        .or_default()
                        .push((event.step, number));
                }
            }
        }
    }
    points
}

#[test]
fn reduced_run_has_all_statistics_and_is_not_read_again() {
    let dir = logs(&["loss"], 2);
    let reduction = Reduction::new([dir.path()]);
    let written = reduction.write_to(dir.path()).unwrap();
    assert_eq!(
        (written.run_count, written.tag_count, written.point_count),
        (3, 1, 2)
    );
    // The values are 0, 1, 2 at step 0, and 1, 2, 3 at step 1.
    let want = [
        ("loss", 1.0),
        ("loss/count", 3.0),
        ("loss/max", 2.0),
        ("loss/mean+std", 2.0),
        ("loss/mean-std", 0.0),
        ("loss/median", 1.0),
        ("loss/min", 0.0),
        ("loss/std", 1.0),
    ];
    let want: BTreeMap<_, _> = want
        .iter()
        .map(|(tag, first)| {
            let is_constant = ["loss/count", "loss/std"].contains(tag);
            let second = if is_constant { *first } else { first + 1.0 };
            (tag.to_string(), vec![(0, *first), (1, second)])
        })
        .collect();
    assert_eq!(reduced(dir.path()), want);
    let points = reduction
        .clone()
        .runs(|name| name != "reduced")
        .scalars("loss")
        .unwrap();
    assert!(
        points
            .iter()
            .all(|point| point.wall_time == 1002.0 && point.std == 1.0)
    );

    let error = reduction.write_to(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("without the results of another reduction"),
        "{error}"
    );
    std::fs::remove_dir_all(dir.path().join("reduced")).unwrap();
    let error = reduction
        .runs(|_| false)
        .write_to(dir.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("runs: expected event files that match in \""),
        "{error}"
    );
    assert!(!dir.path().join("reduced").exists());
}

#[test]
fn histograms_with_equal_buckets_are_added() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..2 {
        let summary = SummaryWriter::create_file_writer(dir.path().join(run.to_string())).unwrap();
        let fixed = Histogram::from_buckets(&[0, 1, 2], &[run, 5]).unwrap();
        summary.histogram("fixed", fixed, 0);
        summary.histogram("free", [0.0, f64::from(run) + 1.0], 0);
        summary.scalar("fixed/min", 0.5, 0); // no clash, because `fixed` is no scalar
        summary.close().unwrap();
    }
    let written = Reduction::new([dir.path()]).write_to(dir.path()).unwrap();
    assert_eq!((written.tag_count, written.point_count), (3, 2));
    let mut decoder = crate::reader::ValueDecoder::new();
    let mut rows = Vec::new();
    for event in EventReader::open(dir.path().join("reduced")).unwrap() {
        for (tag, value) in decoder.decode(event.unwrap()) {
            if let crate::reader::Value::Histogram(buckets) = value {
                rows.extend(
                    buckets
                        .iter()
                        .map(|it| (tag.clone(), it.left, it.right, it.count)),
                );
            }
        }
    }
    let row = |left, right, count| ("fixed".to_owned(), left, right, count);
    assert_eq!(rows, [row(0.0, 1.0, 1.0), row(1.0, 2.0, 10.0)]);
    assert_eq!(reduced(dir.path())["fixed/min"], [(0, 0.5)]);
}

#[test]
fn tag_with_the_name_of_a_statistic_is_left_out() {
    let dir = logs(&["loss", "loss/min", "other/min"], 1);
    Reduction::new([dir.path()]).write_to(dir.path()).unwrap();
    let points = reduced(dir.path());
    assert_eq!(points["loss/min"], [(0, 0.0)]);
    assert_eq!(points["other/min"], [(0, 1.0)]);
    assert!(!points.contains_key("loss/min/min"));
}

#[test]
fn damaged_records_are_skipped_and_counted() {
    let dir = logs(&["loss"], 3);
    let file = find_runs(dir.path()).unwrap()[0].files[0].clone();
    let mut bytes = std::fs::read(&file).unwrap();
    let len = bytes.len();
    bytes[len - 5] ^= 1; // in the payload of the last record
    std::fs::write(&file, bytes).unwrap();
    let reduction = Reduction::new([dir.path()]).join(Join::Outer);
    assert_eq!(reduction.write_to(dir.path()).unwrap().damaged_run_count, 1);
    let counts: Vec<f32> = reduced(dir.path())["loss/count"]
        .iter()
        .map(|point| point.1)
        .collect();
    assert_eq!(counts, [3.0, 3.0, 2.0]);
}

#[test]
fn followed_runs_give_the_same_run_as_finished_ones() {
    let dir = tempfile::tempdir().unwrap();
    let writers: Vec<_> = (0..3)
        .map(|run| {
            SummaryWriter::create_file_writer(dir.path().join(format!("run-{run}"))).unwrap()
        })
        .collect();
    let mut follow = Reduction::new([dir.path()])
        .expect(3)
        .patience(Duration::from_millis(300))
        .follow(dir.path().join("live"))
        .unwrap();
    for step in 0..20_000 {
        for (run, writer) in writers.iter().enumerate() {
            writer.scalar("loss", (run * step % 7) as f64, step);
        }
        if step % 5000 == 4999 {
            writers.iter().for_each(|writer| writer.flush().unwrap());
            assert!(follow.poll().unwrap());
            let written = reduced(&dir.path().join("live"))["loss"].len();
            assert_eq!(written, step + 1, "all runs have passed these steps");
        }
    }
    drop(writers);
    while follow.poll().unwrap() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let reduction = Reduction::new([dir.path()]).runs(|name| name.starts_with("run-"));
    reduction.write_to(dir.path()).unwrap();
    assert_eq!(reduced(&dir.path().join("live")), reduced(dir.path()));
}
