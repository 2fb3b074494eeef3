//! Queries, with the expected results.

use tachometer::Registry;

use crate::formats::parsers::awkward_values;
use crate::support::fixture::{Fixture, OBSERVED, SHARDS, for_each_histogram, for_each_series};
use crate::support::prometheus::histogram_quantile;
use crate::support::read::{numbers, sum, to_f64};

/// The jobs that have a result for a query.
#[derive(Clone, Copy)]
pub(super) enum Which {
    All,
    Classic,
    Native,
}

/// Queries with one number for each job.
pub(super) fn table(scene: &Fixture) -> Vec<(String, Which, f64)> {
    let mut rows = Vec::new();
    for (which, queries) in [
        (Which::All, plain(&scene.registry)),
        (Which::All, large(&scene.registry)),
        (Which::All, quantiles(&scene.registry)),
        (Which::Classic, kept_classic(scene)),
        (Which::Native, native(scene)),
    ] {
        let queries = queries.into_iter();
        rows.extend(queries.map(|(query, expected)| (query, which, expected)));
    }
    rows
}

type Queries = Vec<(String, f64)>;

fn queries(queries: &[(&str, f64)]) -> Queries {
    let queries = queries.iter();
    queries
        .map(|(query, expected)| ((*query).to_owned(), *expected))
        .collect()
}

fn plain(registry: &Registry) -> Queries {
    let most = ["to 2^53", "past 2^53", "past 2^54", "most"];
    let most = most.map(|kind| sum(registry, "orders_total", &[("kind", kind)]));
    let quoted = awkward_values();
    let quoted = quoted.iter().filter(|value| value.contains('"')).count();
    queries(&[
        ("orders_total{kind='fraction'}", 0.1 + 0.1 + 0.1),
        ("orders_total{kind='past 2^54'}", 18_014_398_509_481_988.0),
        (
            "sum by (job) (orders_total{kind=~'.*2.*|most'})",
            most.iter().sum(),
        ),
        ("count by (job) (orders_total)", 8.0),
        ("sent_bytes_total / 1024", 4.0),
        ("native_seconds_count{kind='classic'}", to_f64(OBSERVED)),
        ("native_seconds_count{kind='older'}", to_f64(OBSERVED)),
        ("min by (job) (temperature_celsius > -Inf)", -273.15),
        ("temperature_celsius{kind='huge'} / 2", f64::MAX / 2.0),
        ("temperature_celsius{kind='tiny'} * 2", 1e-323),
        (
            "count by (job) (temperature_celsius != temperature_celsius)",
            2.0,
        ),
        (
            r#"count by (job) (awkward{value=~`[\s\S]*"[\s\S]*`})"#,
            to_f64(quoted),
        ),
    ])
}

fn large(registry: &Registry) -> Queries {
    let mut loads: Vec<f64> = Vec::new();
    for_each_series(registry, |block, position, labels| {
        if block.desc.name() == "shard_load" && labels["shard"] == "7" {
            loads.push(numbers(block)[position]);
        }
    });
    loads.sort_by(f64::total_cmp);
    let total: f64 = loads.iter().sum();
    // The mean of the two middle values, if there are two.
    let last = loads.len() - 1;
    let middle = f64::midpoint(loads[last / 2], loads[last.div_ceil(2)]);
    let observed = sum(registry, "wide_seconds", &[]);
    queries(&[
        ("count by (job) (shard_load)", to_f64(SHARDS)),
        ("count by (job) (count by (job, shard) (shard_load))", 16.0),
        ("sum by (job) (shard_load{shard='7'})", total),
        (
            "avg by (job) (shard_load{shard='7'})",
            total / to_f64(loads.len()),
        ),
        ("quantile by (job) (0.5, shard_load{shard='7'})", middle),
        ("topk by (job) (1, shard_load{shard='7'})", loads[last]),
        (
            "count by (job) ({__name__=~'wide_seconds_.+'})",
            200.0 * 14.0,
        ),
        ("sum by (job) (wide_seconds_count)", observed),
    ])
}

fn quantiles(registry: &Registry) -> Queries {
    let wide = buckets(registry, "wide_seconds", None);
    let below = buckets(registry, "below_celsius", Some("below"));
    let mut queries = Queries::new();
    for quantile in [0.13, 0.47, 0.87, 0.98] {
        for (selected, buckets) in [
            ("sum by (job, le) (wide_seconds_bucket)", &wide),
            ("below_celsius_bucket{kind='below'}", &below),
        ] {
            let query = format!("histogram_quantile({quantile}, {selected})");
            queries.push((query, histogram_quantile(quantile, buckets)));
        }
    }
    queries
}

fn kept_classic(scene: &Fixture) -> Queries {
    queries(&[
        (
            "sum by (job) (native_seconds_count{kind=~'coarse|usual|fine'})",
            to_f64(3 * OBSERVED),
        ),
        (
            "native_seconds_sum{kind='usual'}",
            scene.native.with(["usual"]).stats().sum,
        ),
    ])
}

fn native(scene: &Fixture) -> Queries {
    let sum = |kind| scene.native.with([kind]).stats().sum;
    let all: usize = scene.observed.values().map(Vec::len).sum();
    // Two of them are classic.
    let all = to_f64(all - 2 * OBSERVED);
    let up_to_one = scene.observed["usual"]
        .iter()
        .filter(|value| **value <= 1.0);
    let up_to_one = to_f64(up_to_one.count());
    queries(&[
        (
            "histogram_count(native_seconds{kind='usual'})",
            to_f64(OBSERVED),
        ),
        ("histogram_count(native_seconds{kind='empty'})", 0.0),
        ("histogram_sum(native_seconds{kind='usual'})", sum("usual")),
        ("histogram_sum(native_seconds{kind='far'})", sum("far")),
        ("sum by (job) (histogram_count(native_seconds))", all),
        ("histogram_count(sum by (job) (native_seconds))", all),
        // A power of two is a bound of every schema, so there is nothing to estimate.
        (
            "histogram_fraction(0, 1, native_seconds{kind='usual'})",
            up_to_one / to_f64(OBSERVED),
        ),
    ])
}

/// Returns the cumulated buckets of all histograms of a name, or of one kind.
fn buckets(registry: &Registry, name: &str, kind: Option<&str>) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = Vec::new();
    for_each_histogram(registry, name, |labels, histogram| {
        if kind.is_some_and(|kind| labels["kind"] != kind) {
            return;
        }
        all.resize(histogram.bounds().len() + 1, (0.0, 0.0));
        for (all, (bound, count)) in all.iter_mut().zip(histogram.cumulative()) {
            *all = (bound, all.1 + to_f64(count));
        }
    });
    all
}
