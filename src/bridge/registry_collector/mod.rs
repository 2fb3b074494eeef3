//! The metrics of a registry in a registry of the `prometheus` crate.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use crate::bridge::nested_reads::{ReadMark, is_read_of_prometheus};
use crate::bridge::prometheus_families;
use crate::registry::Registry;
use crate::snapshot::{Escaping, Labels, SeriesBlock};

/// All metrics of a [`Registry`] as a collector of the `prometheus` crate, for services whose
/// scrape that crate writes.
///
/// ```
/// use prometheus::TextEncoder;
/// use tachometer::Registry;
/// use tachometer::bridge::RegistryCollector;
///
/// let registry = Registry::new();
/// let jobs = registry.counter_family("jobs", "Jobs done.", ["queue"])?;
/// jobs.with(["mail"]).inc();
///
/// let other = prometheus::Registry::new();
/// other.register(Box::new(RegistryCollector::new(&registry)))?;
/// let text = TextEncoder::new().encode_to_string(&other.gather())?;
/// assert!(text.contains("jobs_total{queue=\"mail\"} 1\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What is exported
///
/// All metrics of the registry, also those that are registered later and those about the registry
/// itself, which begin with `tachometer_`. They have the names that
/// [`Format::Text`](crate::export::Format::Text) prints: a counter ends in `_total`, and
/// underscores replace the characters that older versions of Prometheus do not accept.
///
/// Metrics of a [`PrometheusCollector`](crate::bridge::PrometheusCollector) are not exported, so both
/// directions can be used at once.
///
/// The `prometheus` crate stores a counter as `f64`, which is exact up to 2^53, and a histogram
/// as classic buckets. It has no exponential buckets, no creation times and no exemplars.
///
/// # Several registries
///
/// `prometheus::Registry::register` returns an error if a registry is registered twice. It also
/// returns an error unless the registries have the same names of constant labels with different
/// values, because the metrics about these registries would have the same series or different label
/// names. Merge such registries ([`Registry::merged`]), or give them the same constant label with
/// different values ([`Registry::with_labels`]).
///
/// If a [`PrometheusCollector`](crate::bridge::PrometheusCollector) adds the other registry to one
/// of this crate, this collector returns the registries that are not in that scrape already. It
/// leaves out metrics whose names begin with `tachometer_`: the registry that is scraped has metrics
/// of these names about itself. Other metrics with a name that the registry has are refused, so give
/// them other names, or merge the registries.
///
/// The `prometheus` crate merges families that have the same name and does not check their types
/// and labels. Give its own metrics other names than those of this registry.
///
/// # Expiry
///
/// The collector does not know whether a scrape was delivered, so no series expires by its reads
/// (see [`Family::expire_after`](crate::Family::expire_after)).
#[doc(alias = "Collector")]
pub struct RegistryCollector {
    registry: Registry,
    /// The other registry refuses collectors that have one of these in common.
    descs: Vec<Desc>,
}

impl RegistryCollector {
    /// Creates a collector of all metrics of a registry.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let about_itself = desc("tachometer_series", &registry.self_metric_labels());
        let addresses = registry.addresses().map(|address| {
            let address = format!("{address:x}");
            desc(
                "tachometer_registry",
                &Labels::new([("address", &*address)]),
            )
        });
        Self {
            registry: registry.clone(),
            descs: addresses.chain([about_itself]).flatten().collect(),
        }
    }
}

impl Collector for RegistryCollector {
    /// Returns descriptions that identify the registries and their constant labels. They do not
    /// describe the metrics, which may be registered later.
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        // The metrics of a registry that this thread reads are in the result of that read.
        let Some(registry) = self.registry.without_those_being_read() else {
            return Vec::new();
        };
        let is_foreign = is_read_of_prometheus();
        let _mark = ReadMark::for_prometheus();
        let blocks = registry.gather();
        // The registry that this thread reads has its own metrics of these names, or may get them: those
        // of routers and pushes are registered later.
        let is_self_metric = |block: &SeriesBlock| block.desc.name().starts_with("tachometer_");
        let blocks = blocks.filter(|block| !(is_foreign && is_self_metric(block)));
        prometheus_families::from_blocks(blocks)
    }
}

/// Does not print the constant labels.
impl fmt::Debug for RegistryCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryCollector")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// Describes a metric with constant labels. Escaped names and a help text are valid, so this
/// returns no `None`.
fn desc(name: &str, labels: &Labels) -> Option<Desc> {
    let label = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        let name = Escaping::Underscores.label_name(&name);
        (name.into_owned(), value.into_owned())
    };
    let labels: HashMap<_, _> = labels.pairs().map(label).collect();
    let help = "A registry of the crate tachometer.";
    Desc::new(name.to_owned(), help.to_owned(), Vec::new(), labels).ok()
}

#[cfg(test)]
#[cfg(not(tachometer_loom))]
mod tests;
