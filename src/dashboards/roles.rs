//! The registry's metrics by role, as queries refer to them.

use std::collections::BTreeMap;

use crate::registry::Registry;
use crate::snapshot::{Desc, Escaping, Kind, Labels, Role};

/// The metric that queries use for each role: the first by name.
#[derive(Debug)]
pub(super) struct Roles(BTreeMap<Role, PromMetric>);

/// A metric as Prometheus stores it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PromMetric {
    /// The name in a scrape.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The labels of the metric without the constant ones, in the order of the role.
    pub(super) labels: Vec<String>,
    /// The constant labels of the registry.
    pub(super) constant_labels: Vec<String>,
    /// True for a histogram that Prometheus may store as a native histogram, without classic
    /// buckets.
    pub(super) has_native_buckets: bool,
    /// Queries are restricted to targets with these labels.
    pub(super) target_labels: Vec<(String, String)>,
}

impl Roles {
    pub(super) fn from_registry(registry: &Registry) -> Self {
        let mut roles = BTreeMap::new();
        for metric in registry.metrics() {
            let Some(role) = metric.role() else {
                continue;
            };
            // A collector may describe metrics that this platform or container does not have.
            if is_from_collector(role) && metric.series() == 0 {
                continue;
            }
            let prom_metric = PromMetric {
                has_native_buckets: metric.has_native(),
                ..PromMetric::new(
                    metric.desc(),
                    &metric.label_names(),
                    metric.constant_labels(),
                )
            };
            roles.entry(role).or_insert(prom_metric);
        }
        for desc in Registry::self_metric_descs() {
            if let Some(role) = desc.role() {
                let labels: &[_] = match role {
                    Role::SeriesOverflow => &["metric"],
                    Role::SeriesRefused => &["collector"],
                    _ => &[],
                };
                let constant = registry.self_metric_labels();
                roles.insert(role, PromMetric::new(&desc, labels, &constant));
            }
        }
        Self(roles)
    }

    /// Restricts all queries to the targets that have these labels.
    pub(super) fn restrict_to_targets(mut self, targets: &[(String, String)]) -> Self {
        for metric in self.0.values_mut() {
            metric.target_labels = targets.to_vec();
        }
        self
    }

    pub(super) fn get(&self, role: Role) -> Option<&PromMetric> {
        self.0.get(&role)
    }
}

impl PromMetric {
    pub(super) fn new(desc: &Desc, labels: &[&str], constant: &Labels) -> Self {
        Self {
            name: desc.exposed_name().to_owned(),
            kind: desc.kind(),
            labels: labels
                .iter()
                .map(|label| scraped_label_name(label))
                .collect(),
            constant_labels: constant
                .pairs()
                .map(|(name, _)| scraped_label_name(&name))
                .collect(),
            has_native_buckets: false,
            target_labels: Vec::new(),
        }
    }

    /// Returns the metric that Prometheus adds for each target.
    pub(super) fn up() -> Self {
        Self::new(&Desc::new("up", "", Kind::Gauge), &[], &Labels::default())
    }

    /// Returns the name of the label at a position of the role, or an empty string if there is
    /// none.
    pub(super) fn label(&self, position: usize) -> &str {
        self.labels.get(position).map_or("", String::as_str)
    }

    /// Returns the name that recording rules of the metric use: its classic name without
    /// `_total`.
    pub(super) fn base_name(&self) -> String {
        let name = Escaping::Underscores.metric_name(&self.name);
        name.strip_suffix("_total").unwrap_or(&name).to_owned()
    }

    pub(super) fn last_label(&self) -> &str {
        self.labels.last().map_or("", String::as_str)
    }
}

/// Returns the name that Prometheus stores for a label of a scrape. It renames `job` and
/// `instance`, since these are the target's labels.
fn scraped_label_name(label: &str) -> String {
    match label {
        "job" | "instance" => format!("exported_{label}"),
        _ => label.to_owned(),
    }
}

/// Returns true for metrics of a collector, which may be described and have no series.
fn is_from_collector(role: Role) -> bool {
    (Role::ProcessCpu..=Role::ContainerMemoryLimit).contains(&role)
}
