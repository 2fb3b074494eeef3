//! Metrics of a registry of the `prometheus` crate in one of this crate.

use std::collections::BTreeMap;

use tachometer::Registry;
use tachometer::bridge::PrometheusCollector;
use tachometer::export::Format;

use crate::bridge::prometheus::random_registry::RandomRegistry;
use crate::bridge::prometheus::text_encoder::{Families, from_encoder, from_export};
use crate::support::compare_exports::read;
use crate::support::read::sum;

/// Returns a registry that collects one of the other crate.
pub(super) fn collecting(other: &prometheus::Registry) -> Registry {
    let registry = Registry::new();
    registry
        .collector(PrometheusCollector::new(other.clone()))
        .unwrap();
    registry
}

/// Returns the families of the export without those about the registry itself.
#[track_caller]
pub(super) fn exported(registry: &Registry) -> Families {
    let mut families = from_export(registry);
    families.retain(|name, _| !name.starts_with("tachometer_"));
    families
}

#[test]
fn each_sample_of_random_registries_equals_that_of_the_text_encoder() {
    let (mut compared, mut late, mut refused_in_all) = (0, 0, 0.0);
    for seed in 0..16 {
        let mut random = RandomRegistry::new(seed);
        let registry = collecting(&random.registry);
        // The first type of each name counts.
        let mut kinds: BTreeMap<String, String> = BTreeMap::new();
        for scrape in 0..20 {
            for _ in 0..6 {
                random.change();
            }
            let mut expected = from_encoder(&random.registry);
            let mut refused = 0;
            expected.retain(|name, family| {
                // `in_one_form` has appended `_total` to the names of counters.
                let name = name.strip_suffix("_total").unwrap_or(name);
                late += usize::from(scrape > 0 && !kinds.contains_key(name));
                let kind = kinds
                    .entry(name.to_owned())
                    .or_insert_with(|| family.kind.clone());
                let is_first = *kind == family.kind;
                refused += if is_first { 0 } else { family.series.len() };
                is_first
            });
            let refused_before = refused_series(&registry);
            let exported = exported(&registry);
            for (name, family) in &expected {
                assert_eq!(
                    exported.get(name),
                    Some(family),
                    "seed {seed}, scrape {scrape}"
                );
            }
            assert_eq!(
                exported.len(),
                expected.len(),
                "seed {seed}, scrape {scrape}"
            );
            compared += expected
                .values()
                .map(|family| family.series.len())
                .sum::<usize>();
            let refused_now = refused_series(&registry) - refused_before;
            // The export and this read have refused them since.
            assert_eq!(
                refused_now,
                2.0 * refused as f64,
                "seed {seed}, scrape {scrape}"
            );
            refused_in_all += refused_now;
            read(
                Format::OpenMetrics,
                &registry.export(Format::OpenMetrics).to_bytes(),
            );
            read(
                Format::Protobuf,
                &registry.export(Format::Protobuf).to_bytes(),
            );
        }
    }
    assert!(compared > 3_000, "{compared} series were compared");
    assert!(late > 50, "{late} families were late");
    assert!(
        refused_in_all > 50.0,
        "{refused_in_all} series were refused"
    );
}

/// Returns how many series of the collector were refused, including those of this read.
pub(super) fn refused_series(registry: &Registry) -> f64 {
    sum(
        registry,
        "tachometer_series_refused_total",
        &[("collector", "PrometheusCollector")],
    )
}
