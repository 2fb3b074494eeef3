//! Series of several registries, removed or added up.

use std::collections::HashMap;

use super::{SeenSeries, sum_series};
use crate::metric::Buckets;
use crate::registry::Registry;
use crate::snapshot::{SeriesBlock, Values};

fn blocks(registries: &[Registry]) -> Vec<SeriesBlock> {
    let all = registries.iter().flat_map(Registry::gather);
    all.filter(|block| block.desc.name() == "m").collect()
}

#[test]
fn sums_equal_those_of_one_registry_with_all_observations() {
    let (parts, whole) = (
        [Registry::new(), Registry::new(), Registry::new()],
        Registry::new(),
    );
    for number in 0..1_000_u32 {
        let (value, kind) = (f64::from(number) - 300.0, number % 70);
        for registry in [&parts[number as usize % 3], &whole] {
            let labels = [("kind", &*kind.to_string())];
            registry
                .histogram_with("m", "", labels)
                .unwrap()
                .observe(value);
        }
    }
    let sums = sum_series(blocks(&parts), |labels| panic!("{labels:?} is left out"));
    let by_labels = |blocks: Vec<SeriesBlock>| {
        let mut all = HashMap::new();
        for block in blocks {
            let Values::Histogram(histograms) = &block.values else {
                panic!("{block:?} is of another kind");
            };
            for (labels, histogram) in block.labels.iter().zip(histograms.iter()) {
                let native = histogram.native().cloned();
                all.insert(labels.to_labels(), (histogram.stats(), native));
            }
        }
        all
    };
    let expected = by_labels(blocks(&[whole]));
    assert_eq!(expected.len(), 70);
    assert_eq!(by_labels(sums), expected);
}

#[test]
fn histograms_with_other_buckets_are_left_out() {
    let registries = [Registry::new(), Registry::new()];
    for (registry, bound) in registries.iter().zip([1.0, 2.0]) {
        let seconds = registry
            .histogram_with_buckets("m", "", Buckets::new(&[bound]).unwrap())
            .unwrap();
        seconds.observe(0.5);
    }
    let mut skipped = 0;
    let sums = sum_series(blocks(&registries), |_| skipped += 1);
    assert_eq!((skipped, sums.len(), sums[0].values.total()), (1, 1, 1.0));
}

#[test]
fn duplicate_series_are_removed_with_their_exemplars() {
    let registries = [Registry::new(), Registry::new()];
    for (registry, kinds) in registries.iter().zip([&["b", "d"][..], &["a", "b", "c"]]) {
        for kind in kinds {
            let counter = registry.counter_with("m", "", [("kind", *kind)]).unwrap();
            counter.inc_with_exemplar(1, &[("trace_id", *kind)]);
        }
    }
    let mut seen = SeenSeries::default();
    let mut duplicates = Vec::new();
    let mut blocks = blocks(&registries);
    for block in &mut blocks {
        seen.remove_seen(block, |labels| duplicates.push(labels.as_str().to_owned()));
    }
    assert_eq!(duplicates, ["kind=\"b\""]);
    let last = &blocks[1];
    let labels: Vec<_> = last.labels.iter().map(|labels| labels.as_str()).collect();
    assert_eq!(labels, ["kind=\"a\"", "kind=\"c\""]);
    assert_eq!(last.created_millis.len(), 2);
    let exemplars = |series| last.exemplars_for(series)[0].labels.as_str();
    assert_eq!(
        [exemplars(0), exemplars(1)],
        ["trace_id=\"a\"", "trace_id=\"c\""]
    );
    assert!(matches!(&last.values, Values::Counter(counts) if counts.len() == 2));
}
