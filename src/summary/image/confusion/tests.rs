use super::*;

/// Writes the pictures that a person looks at.
#[test]
fn look() {
    use std::fs;
    let mut rng = 12345_u64;
    let mut random = move || {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        rng
    };
    for (n, scale) in [
        (1, 5_u64),
        (2, 1000),
        (3, 1u64 << 40),
        (10, 1000),
        (10, 1_000_000),
        (20, 100),
        (60, 1000),
        (40, 90),
        (150, 100),
        (1000, 100),
    ] {
        let cifar = [
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ];
        let names: Vec<String> = (0..n)
            .map(|i| match n {
                2 => ["negative", "positive"][i].into(),
                10 => cifar[i].into(),
                20 => format!("a rather long class name {i}"),
                _ => format!("class {i}"),
            })
            .collect();
        let counts: Vec<u64> = (0..n * n)
            .map(|i| {
                let (r, c) = (i / n, i % n);
                let noise = random() % scale;
                if r == c {
                    scale * 3 + noise
                } else if (r + 3 * c) % 4 == 0 {
                    0
                } else if c == r + 1 {
                    noise
                } else {
                    noise / (2 * n as u64 + 4)
                }
            })
            .collect();
        let m = ConfusionMatrix::new(&names, &counts).unwrap();
        let start = std::time::Instant::now();
        let image = m.to_image();
        eprintln!(
            "{n}: {} x {} {:?}",
            image.width(),
            image.height(),
            start.elapsed()
        );
        fs::write(
            format!("target/confusion_{n}_{scale}.png"),
            image.encode().unwrap(),
        )
        .unwrap();
    }
}
