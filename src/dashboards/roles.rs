//! The registry's metrics by what they are there for.

use std::collections::BTreeMap;

use crate::registry::Registry;
use crate::snapshot::{Desc, Escaping, Kind, Labels, Role};

/// Of each role the metric that queries are about: the first by name.
#[derive(Debug)]
pub(super) struct Roles(BTreeMap<Role, Found>);

/// A metric as Prometheus knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// The name that Prometheus's formats print.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Its own labels, in the order of the role's.
    pub(super) labels: Vec<String>,
    /// The labels that the registry gives to all its series.
    pub(super) constant: Vec<String>,
    /// Whether it is a histogram that a Prometheus may have without classic buckets.
    pub(super) native: bool,
    /// The labels of the targets that queries are restricted to, with their values.
    pub(super) targets: Vec<(String, String)>,
}

impl Roles {
    pub(super) fn of(registry: &Registry) -> Self {
        let mut roles = BTreeMap::new();
        for metric in registry.metrics() {
            let Some(role) = metric.role() else {
                continue;
            };
            // Of the system's metrics a platform has some and a container others.
            if is_computed(role) && metric.series() == 0 {
                continue;
            }
            let found = Found {
                native: metric.has_native(),
                ..Found::new(
                    metric.desc(),
                    &metric.label_names(),
                    metric.constant_labels(),
                )
            };
            roles.entry(role).or_insert(found);
        }
        for desc in Registry::self_metric_descs() {
            if let Some(role) = desc.role() {
                let labels: &[_] = match role {
                    Role::SeriesOverflow => &["metric"],
                    _ => &[],
                };
                let constant = registry.self_metric_labels();
                roles.insert(role, Found::new(&desc, labels, &constant));
            }
        }
        Self(roles)
    }

    /// Restricts all queries to the targets that have these labels.
    pub(super) fn of_targets(mut self, targets: &[(String, String)]) -> Self {
        for found in self.0.values_mut() {
            found.targets = targets.to_vec();
        }
        self
    }

    pub(super) fn get(&self, role: Role) -> Option<&Found> {
        self.0.get(&role)
    }
}

impl Found {
    fn new(desc: &Desc, labels: &[&str], constant: &Labels) -> Self {
        Self {
            name: desc.exposed_name().to_owned(),
            kind: desc.kind(),
            labels: labels.iter().map(|label| stored(label)).collect(),
            constant: constant.pairs().map(|(name, _)| stored(&name)).collect(),
            native: false,
            targets: Vec::new(),
        }
    }

    /// Returns the label at a position that the role tells; empty where there is none.
    pub(super) fn label(&self, position: usize) -> &str {
        self.labels.get(position).map_or("", String::as_str)
    }

    /// Returns what a record of the metric is called, which has a classic name in any case:
    /// the metric's own without `_total`.
    pub(super) fn stem(&self) -> String {
        let name = Escaping::Underscores.metric_name(&self.name);
        name.strip_suffix("_total").unwrap_or(&name).to_owned()
    }

    pub(super) fn last_label(&self) -> &str {
        self.labels.last().map_or("", String::as_str)
    }
}

/// Returns what Prometheus calls a label that it has scraped: those two are the target's own.
fn stored(label: &str) -> String {
    match label {
        "job" | "instance" => format!("exported_{label}"),
        _ => label.to_owned(),
    }
}

/// Returns true for what a collector computes: it may be described and have no series.
fn is_computed(role: Role) -> bool {
    (Role::ProcessCpu..=Role::ContainerMemoryLimit).contains(&role)
}
