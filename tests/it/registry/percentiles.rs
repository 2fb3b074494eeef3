//! Percentiles compared with an exact sort.

use tachometer::snapshot::Resolution;
use tachometer::{Buckets, Registry};

const VALUES: usize = 10_000;

fn distributions() -> Vec<(&'static str, Vec<f64>)> {
    let mut random = fastrand::Rng::with_seed(11);
    // The sum of twelve uniform numbers is close to a normal one.
    let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    let log_normal = (0..VALUES).map(|_| (normal() * 1.5 - 4.0).exp()).collect();
    let bimodal = (0..VALUES)
        .map(|turn| if turn % 3 == 0 { 0.002 } else { 3.0 } * (1.0 + 0.02 * normal()))
        .collect();
    let signed = (0..VALUES).map(|_| normal() * 50.0).collect();
    let magnitudes = (0..VALUES).map(|_| (normal() * 20.0).exp2()).collect();
    let uniform = (0..VALUES).map(|_| random.f64() * 10.0).collect();
    vec![
        ("uniform", uniform),
        ("log-normal", log_normal),
        ("bimodal", bimodal),
        ("constant", vec![0.037; VALUES]),
        ("signed", signed),
        ("of all magnitudes", magnitudes),
    ]
}

#[test]
fn percentiles_are_within_the_stated_error_of_an_exact_sort_at_every_resolution() {
    for (name, values) in distributions() {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        for schema in 0..=8 {
            let resolution = Resolution::from_schema(schema).unwrap();
            let buckets = Buckets::default().resolution(resolution);
            let registry = Registry::new();
            let histogram = registry.histogram_with_buckets("h", "", buckets).unwrap();
            for value in &values {
                histogram.observe(*value);
            }
            for tenth in (0..=1_000_u32).step_by(25).chain([1, 990, 999]) {
                let percent = f64::from(tenth) / 10.0;
                // The nearest rank: the smallest value that this many values do not exceed.
                let rank = (tenth as usize * VALUES).div_ceil(1_000).max(1);
                let exact = sorted[rank - 1];
                let estimate = histogram.percentile(percent).unwrap();
                // The bounds themselves are rounded to the nearest number.
                let allowed = exact.abs() * (resolution.relative_error() + 1e-12);
                assert!(
                    (estimate - exact).abs() <= allowed,
                    "{name}, schema {schema}, p{percent}: {estimate} for {exact}"
                );
            }
        }
    }
}

#[test]
fn the_rank_of_a_percentile_is_not_rounded_up_past_a_whole_one() {
    let histogram = tachometer::Histogram::new();
    for number in 1..=1_000 {
        histogram.observe(if number <= 161 { 0.001 } else { 1_000.0 });
    }
    assert!(histogram.percentile(16.1).unwrap() < 0.01);
    assert!(histogram.percentile(16.2).unwrap() > 900.0);
}

#[test]
fn percentiles_of_classic_buckets_stay_inside_the_bucket() {
    let registry = Registry::new();
    let family = registry
        .histogram_family_with_buckets("h", "", ["a"], Buckets::new(&[1.0, 2.0, 4.0]).unwrap())
        .unwrap();
    let histogram = family.with(["x"]);
    for value in [1.5, 1.7, 1.9, 3.0] {
        histogram.observe(value);
    }
    let median = histogram.percentile(50.0).unwrap();
    assert!((1.5..=2.0).contains(&median), "{median}");
    assert_eq!(histogram.percentile(100.0), Ok(3.0));
}
