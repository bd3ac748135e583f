use super::*;

const DAY: u64 = 86_400;

/// The cost of a run.
#[derive(Debug, Default)]
struct Cost {
    logged: u64,
    uploaded: u64,
    objects: u64,
    largest: u64,
}

/// Simulates `seconds` of a run that logs `bytes_per_second`, without a store.
fn simulate(bytes_per_second: u64, seconds: u64) -> Cost {
    let (mut segment, mut cost) = (Segment::default(), Cost::default());
    let (mut pending, mut last_upload) = (0, 0);
    for second in 1..=seconds {
        pending += bytes_per_second;
        let age = Duration::from_secs(second);
        let has_waited = second - last_upload >= interval(age).as_secs();
        if !has_waited && pending <= SEGMENT_BYTES {
            continue;
        }
        if segment.is_finished(SEGMENT_BYTES, pending, age) {
            segment = Segment::default();
        }
        cost.objects += u64::from(segment.upload_count == 0);
        segment.add(pending, age);
        cost.logged += pending;
        cost.uploaded += segment.bytes;
        cost.largest = cost.largest.max(segment.bytes);
        (pending, last_upload) = (0, second);
    }
    cost
}

/// The objects that a run may make in a day.
fn allowed_objects(cost: &Cost) -> u64 {
    30 + cost.logged / SEGMENT_BYTES
}

#[test]
fn slow_run_uploads_little_and_makes_few_objects() {
    // A scalar each second has 40 bytes.
    let cost = simulate(40, DAY);
    assert!(cost.uploaded < 200_000_000, "{cost:?}");
    assert!(cost.objects <= allowed_objects(&cost), "{cost:?}");
}

#[test]
fn fast_run_uploads_each_byte_once() {
    // A million scalars a second: 40 MB, more than a segment.
    let cost = simulate(40_000_000, 600);
    assert_eq!((cost.uploaded, cost.objects), (cost.logged, 600));
    assert!(cost.objects <= allowed_objects(&cost), "{cost:?}");
}

#[test]
fn run_with_images_keeps_both_bounds() {
    // An image of 150 kB each second.
    for seconds in [600, 3600, DAY] {
        let cost = simulate(150_000, seconds);
        assert!(cost.uploaded <= 4 * cost.logged, "{seconds} s: {cost:?}");
        assert!(
            cost.objects <= allowed_objects(&cost),
            "{seconds} s: {cost:?}"
        );
    }
}

#[test]
fn docs_give_the_figures_of_the_simulation() {
    // The table of `object_stores`: MB uploaded in a day, and objects.
    for (bytes_per_second, uploaded, objects) in
        [(40, 170, 16), (1000, 431, 173), (150_000, 32_985, 371)]
    {
        let cost = simulate(bytes_per_second, DAY);
        assert_eq!(
            ((cost.uploaded + 500_000) / 1_000_000, cost.objects),
            (uploaded, objects)
        );
    }
}

#[test]
fn bytes_and_objects_are_bounded_at_any_rate() {
    for bytes_per_second in [1, 10, 100, 1000, 2000, 17_000, 50_000, 100_000, 1_000_000] {
        let cost = simulate(bytes_per_second, DAY);
        let allowed = (4 * cost.logged).max(500_000_000);
        assert!(cost.uploaded <= allowed, "{bytes_per_second}: {cost:?}");
        // Seven uploads of equal size have 4 times the bytes: 1 + 2 + ... + 7 = 28. With an upload each minute, these are 206
        // objects a day. The first hour has 167 uploads instead of 60.
        let objects = (1440 + 107) / 7 + 1 + cost.logged / SEGMENT_BYTES;
        assert!(cost.objects <= objects, "{bytes_per_second}: {cost:?}");
        assert!(cost.largest <= SEGMENT_BYTES + 60 * bytes_per_second);
    }
}

#[test]
fn interval_grows_from_ten_seconds_to_a_minute() {
    for (age_minutes, seconds) in [(0, 10), (10, 10), (30, 30), (60, 60), (100_000, 60)] {
        let interval = interval(Duration::from_secs(60 * age_minutes));
        assert_eq!(interval, Duration::from_secs(seconds));
    }
}
