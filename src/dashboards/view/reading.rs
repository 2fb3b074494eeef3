//! A registry as it stood at a moment.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::dashboards::view::catalog::Catalog;
use crate::dashboards::view::llm::Calls;
use crate::dashboards::view::requests::Requests;
use crate::registry::Registry;
use crate::snapshot::{Role, SeriesBlock, Values};

/// What is shown of a registry, as it stood at a moment.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) at: Instant,
    /// The same moment, in milliseconds since 1970.
    pub(super) millis: u64,
    pub(super) uptime: Duration,
    pub(super) http: Requests,
    pub(super) llm: Calls,
    pub(super) process: Process,
}

/// What the process and the machine use, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Process {
    /// CPU time so far, in seconds.
    pub(super) cpu: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) files: Option<f64>,
    pub(super) most_files: Option<f64>,
    pub(super) threads: Option<f64>,
    pub(super) machine_cpu: Option<f64>,
    pub(super) machine_memory: Option<f64>,
    pub(super) container_memory: Option<f64>,
    pub(super) container_most: Option<f64>,
}

/// The values of a series' own labels, in the order of its role's.
#[derive(Debug)]
pub(super) struct Labels<'a> {
    values: Vec<Cow<'a, str>>,
    /// How many of them come first, which are the registry's.
    constant: usize,
}

impl Labels<'_> {
    pub(super) fn get(&self, position: usize) -> Option<&str> {
        self.values
            .get(self.constant + position)
            .map(|value| &**value)
    }

    pub(super) fn last(&self) -> Option<&str> {
        self.values.last().map(|value| &**value)
    }
}

impl Reading {
    /// Reads the registry, and notes in the catalog what there is.
    pub(super) fn take(registry: &Registry, at: Instant, catalog: &mut Catalog) -> Self {
        // How many labels a family has of its own; the registry's come before them.
        let own: HashMap<_, _> = registry
            .metrics()
            .iter()
            .map(|metric| (metric.name().to_owned(), metric.label_names().len()))
            .collect();
        let gather = registry.gather();
        let since_1970 = gather.read_at().duration_since(UNIX_EPOCH);
        let millis = since_1970.unwrap_or_default().as_millis();
        let mut reading = Self {
            at,
            millis: u64::try_from(millis).unwrap_or(0),
            uptime: gather.uptime(),
            http: Requests::default(),
            llm: Calls::default(),
            process: Process::default(),
        };
        for block in gather {
            if let Some(role) = block.desc.role() {
                let own = own.get(block.desc.name()).copied();
                reading.add(role, &block, own.unwrap_or(0));
            }
            catalog.add(&block);
        }
        reading.llm.forget_unknown_costs();
        reading
    }

    fn add(&mut self, role: Role, block: &SeriesBlock, own: usize) {
        match &block.values {
            Values::Counter(counts) => {
                for (labels, count) in labels(block, own).zip(counts) {
                    self.add_number(role, &labels, count.value());
                }
            }
            Values::Gauge(numbers) => {
                for (labels, number) in labels(block, own).zip(numbers) {
                    self.add_number(role, &labels, *number);
                }
            }
            Values::Histogram(histograms) => {
                for (labels, histogram) in labels(block, own).zip(histograms.iter()) {
                    match role {
                        Role::HttpDuration => {
                            if let Some(endpoint) = self.http.of(&labels) {
                                endpoint.times.add(&histogram);
                            }
                        }
                        Role::LlmTokens => {
                            if let Some(model) = self.llm.of(&labels) {
                                model.take(&labels, histogram.totals().sum);
                            }
                        }
                        Role::LlmDuration => {
                            if let Some(model) = self.llm.of(&labels) {
                                model.times.add(&histogram);
                            }
                        }
                        Role::LlmTimeToFirstToken => {
                            if let Some(model) = self.llm.of(&labels) {
                                model.first_tokens.add(&histogram);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn add_number(&mut self, role: Role, labels: &Labels<'_>, number: f64) {
        match role {
            Role::HttpRequests => {
                if let Some(endpoint) = self.http.of(labels) {
                    endpoint.end(labels, number);
                }
            }
            Role::HttpInFlight => {
                if let Some(endpoint) = self.http.of(labels) {
                    endpoint.in_flight += number;
                }
            }
            Role::LlmRouteCost => self.llm.spend(labels, number),
            role if is_of_calls(role) => self.add_call(role, labels, number),
            _ => self.process.note(role, number),
        }
    }

    fn add_call(&mut self, role: Role, labels: &Labels<'_>, number: f64) {
        let Some(model) = self.llm.of(labels) else {
            return;
        };
        match role {
            Role::LlmRequests => model.end(labels, number),
            Role::LlmTokens => model.take(labels, number),
            Role::LlmInFlight => model.in_flight += number,
            Role::LlmRateLimitRemaining => model.limit(labels, false, number),
            Role::LlmRateLimit => model.limit(labels, true, number),
            Role::LlmCost => model.pay(number),
            Role::LlmUnpriced => model.lack(labels, number),
            _ => {}
        }
    }
}

impl Process {
    fn note(&mut self, role: Role, number: f64) {
        let place = match role {
            Role::ProcessCpu => &mut self.cpu,
            Role::ProcessMemory => &mut self.memory,
            Role::ProcessOpenFiles => &mut self.files,
            Role::ProcessMaxFiles => &mut self.most_files,
            Role::ProcessThreads => &mut self.threads,
            Role::MachineCpu => &mut self.machine_cpu,
            Role::MachineMemory => &mut self.machine_memory,
            Role::ContainerMemory => &mut self.container_memory,
            Role::ContainerMemoryLimit => &mut self.container_most,
            _ => return,
        };
        *place = Some(number);
    }
}

fn is_of_calls(role: Role) -> bool {
    (Role::LlmRequests..=Role::LlmUnpriced).contains(&role)
}

/// Returns what counters have come by since. Where their sum fell, series were taken away,
/// and what these had come by is not known: nothing is told rather than what the others
/// have of all time.
pub(super) fn since(now: f64, before: f64) -> f64 {
    (now - before).max(0.0)
}

fn labels(block: &SeriesBlock, own: usize) -> impl Iterator<Item = Labels<'_>> {
    block.labels.iter().map(move |labels| {
        let values: Vec<_> = labels.pairs().map(|(_, value)| value).collect();
        Labels {
            constant: values.len().saturating_sub(own),
            values,
        }
    })
}
