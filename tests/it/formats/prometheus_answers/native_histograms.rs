//! Native histograms as Prometheus has stored them: buckets, quantiles and merged histograms.

use std::collections::BTreeMap;

use serde_json::Value;
use tachometer::snapshot::{NativeBuckets, Resolution};

use super::are_close;
use crate::support::fixture::{Fixture, KINDS, OBSERVED, for_each_histogram};
use crate::support::prometheus::Prometheus;
use crate::support::read::to_f64;

/// A native histogram has the same buckets as that of the registry, and its quantiles agree
/// within the relative error.
pub(super) async fn check_native(prometheus: &Prometheus, scene: &Fixture, job: &str) {
    let query = format!("native_seconds{{job='{job}'}}");
    let mut stored: BTreeMap<String, Value> = BTreeMap::new();
    for series in prometheus.results(&query).await {
        let kind = series["metric"]["kind"].as_str().unwrap().to_owned();
        stored.insert(kind, series["histogram"][1].clone());
    }
    for_each_histogram(&scene.registry, "native_seconds", |labels, histogram| {
        let kind = &labels["kind"];
        let Some(native) = histogram.native() else {
            assert!(!stored.contains_key(kind), "{kind}");
            return;
        };
        let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
        let read = &stored[kind];
        assert_eq!(number(&read["count"]), to_f64(histogram.count()), "{kind}");
        assert_eq!(number(&read["sum"]), histogram.totals().sum, "{kind}");
        let buckets = read["buckets"].as_array().cloned().unwrap_or_default();
        let read: Vec<_> = buckets
            .iter()
            .map(|one| [1, 2, 3].map(|at| number(&one[at])))
            .collect();
        let expected = native_buckets(native);
        assert_eq!(read.len(), expected.len(), "{kind}: {read:?} {expected:?}");
        for (read, expected) in read.iter().zip(&expected) {
            let close = read
                .iter()
                .zip(expected)
                .all(|(one, other)| are_close(*one, *other));
            assert!(close, "{kind}: {read:?} {expected:?}");
        }
    });

    for kind in KINDS {
        let mut error = 0.0;
        for_each_histogram(&scene.registry, "native_seconds", |labels, histogram| {
            if labels["kind"] == kind {
                error = histogram.native().unwrap().resolution.relative_error();
            }
        });
        for percent in [1.0, 10.0, 47.0, 50.0, 87.0, 99.0] {
            let query = format!(
                "histogram_quantile({}, native_seconds{{job='{job}',kind='{kind}'}})",
                percent / 100.0
            );
            let answer = prometheus.number(&query).await.unwrap();
            // Both select the bucket of the nearest rank, since no rank here is an integer.
            // The crate returns its geometric middle, which differs from both bounds by the
            // relative error. Prometheus interpolates between the bounds: linearly in version
            // 2, exponentially in version 3.
            let percentile = scene.native.with([kind]).percentile(percent).unwrap();
            let bound = error * percentile.abs() + NativeBuckets::ZERO_THRESHOLD;
            assert!(
                (answer - percentile).abs() <= bound * (1.0 + 1e-9),
                "{query}: {answer}, and here {percentile}"
            );
            // The exact value may be at the other bound, so the error doubles.
            let values = &scene.observed[kind];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rank = (to_f64(OBSERVED) * percent / 100.0).ceil() as usize;
            let exact = values[rank - 1];
            let ends = (1.0 + error) * (1.0 + error) * (1.0 + 1e-9);
            let bound = exact.abs() * (ends - 1.0) + NativeBuckets::ZERO_THRESHOLD;
            assert!(
                (answer - exact).abs() <= bound,
                "{query}: {answer}, in truth {exact}"
            );
        }
    }
    check_merged(prometheus, scene, job).await;
}

/// Histograms of several schemas together have the coarsest one's buckets.
async fn check_merged(prometheus: &Prometheus, scene: &Fixture, job: &str) {
    let kinds = ["coarse", "usual", "fine"];
    let mut values: Vec<f64> = kinds
        .iter()
        .flat_map(|kind| scene.observed[kind].iter().copied())
        .collect();
    values.sort_by(f64::total_cmp);
    for quantile in [0.1, 0.47, 0.87, 0.99] {
        let query = format!(
            "histogram_quantile({quantile}, sum(native_seconds{{job='{job}',kind=~'{}'}}))",
            kinds.join("|")
        );
        let answer = prometheus.number(&query).await.unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = (to_f64(values.len()) * quantile).ceil() as usize;
        let exact = values[rank - 1];
        let coarsest = Resolution::from_schema(0).unwrap().relative_error();
        let width = (1.0 + coarsest).powi(2) * (1.0 + 1e-9);
        assert!(
            answer / exact <= width && exact / answer <= width,
            "{query}: {answer}, in truth {exact}"
        );
    }
}

/// Returns lower and upper bound and count of each exponential bucket, ascending.
fn native_buckets(native: &NativeBuckets) -> Vec<[f64; 3]> {
    let octave = f64::from(1_u16 << native.resolution.schema());
    // The last bound would be 2^1024, which is not representable.
    let bound = |index: i32| (f64::from(index) / octave).exp2().min(f64::MAX);
    let negative = native.negative.iter().rev();
    let negative = negative.map(|&(at, count)| [-bound(at), -bound(at - 1), to_f64(count)]);
    let threshold = NativeBuckets::ZERO_THRESHOLD;
    let zero = [-threshold, threshold, to_f64(native.zero_count)];
    let positive = native.positive.iter();
    let positive = positive.map(|&(at, count)| [bound(at - 1), bound(at), to_f64(count)]);
    let all = negative.chain([zero]).chain(positive);
    all.filter(|[_, _, count]| *count > 0.0).collect()
}
