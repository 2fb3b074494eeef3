//! A sample of the registry: what the page needs of all metrics at one moment.

use std::collections::HashMap;
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::dashboards::view::http_requests::HttpRequests;
use crate::dashboards::view::labels::LabelValues;
use crate::dashboards::view::llm_calls::LlmCalls;
use crate::dashboards::view::metric_list::MetricList;
use crate::dashboards::view::otlp_exports::OtlpExports;
use crate::registry::Registry;
use crate::snapshot::{HistogramView, Role, SeriesBlock, Values};

/// The registry's metrics at one moment, as far as the page shows them.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    /// The same moment, in milliseconds since 1970.
    pub(super) millis: u64,
    pub(super) uptime: Duration,
    pub(super) http: HttpRequests,
    pub(super) llm: LlmCalls,
    pub(super) process: ProcessUsage,
    pub(super) otlp: OtlpExports,
}

/// What the process, its container and the machine use. `None` is unknown.
#[derive(Debug, Default)]
pub(super) struct ProcessUsage {
    /// CPU time since the process started, in seconds.
    pub(super) cpu: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) files: Option<f64>,
    pub(super) max_files: Option<f64>,
    pub(super) threads: Option<f64>,
    pub(super) machine_cpu: Option<f64>,
    pub(super) machine_memory: Option<f64>,
    pub(super) container_memory: Option<f64>,
    pub(super) container_memory_limit: Option<f64>,
}

impl Sample {
    /// Reads the registry, and adds every metric to the list.
    pub(super) fn collect(registry: &Registry, at: Instant, metrics: &mut MetricList) -> Self {
        // The number of labels of each family, without the registry's constant labels.
        let label_counts: HashMap<_, _> = registry
            .metrics()
            .iter()
            .map(|metric| (metric.name().to_owned(), metric.label_names().len()))
            .collect();
        let reader = registry.reader();
        let since_1970 = reader.read_at().duration_since(UNIX_EPOCH);
        let millis = since_1970.unwrap_or_default().as_millis();
        let mut sample = Self {
            at,
            millis: u64::try_from(millis).unwrap_or(0),
            uptime: reader.uptime(),
            http: HttpRequests::default(),
            llm: LlmCalls::default(),
            process: ProcessUsage::default(),
            otlp: OtlpExports::default(),
        };
        for block in reader {
            if let Some(role) = block.desc.role() {
                let family_labels = label_counts.get(block.desc.name()).copied();
                sample.add_block(role, &block, family_labels.unwrap_or(0));
            }
            metrics.add(&block);
        }
        sample.llm.clear_unknown_costs();
        sample
    }

    fn add_block(&mut self, role: Role, block: &SeriesBlock, family_labels: usize) {
        let labels = LabelValues::from_block(block, family_labels);
        match &block.values {
            Values::Counter(counts) => {
                for (labels, count) in labels.zip(counts) {
                    self.add_number(role, &labels, count.value());
                }
            }
            Values::Gauge(numbers) => {
                for (labels, number) in labels.zip(numbers) {
                    self.add_number(role, &labels, *number);
                }
            }
            Values::Histogram(histograms) => {
                for (labels, histogram) in labels.zip(histograms.iter()) {
                    self.add_histogram(role, &labels, &histogram);
                }
            }
        }
    }

    fn add_number(&mut self, role: Role, labels: &LabelValues<'_>, number: f64) {
        match role {
            Role::HttpRequests => {
                if let Some(endpoint) = self.http.endpoint_mut(labels) {
                    endpoint.add_finished(labels, number);
                }
            }
            Role::HttpInFlight => {
                if let Some(endpoint) = self.http.endpoint_mut(labels) {
                    endpoint.in_flight += number;
                }
            }
            Role::LlmRouteCost => self.llm.add_route_cost(labels, number),
            Role::OtlpExports | Role::OtlpRejectedPoints | Role::OtlpLastSuccess => {
                self.otlp.add(role, labels, number);
            }
            role if is_llm_role(role) => self.add_llm_number(role, labels, number),
            _ => self.process.set(role, number),
        }
    }

    fn add_llm_number(&mut self, role: Role, labels: &LabelValues<'_>, number: f64) {
        let Some(model) = self.llm.model_mut(labels) else {
            return;
        };
        match role {
            Role::LlmRequests => model.add_finished(labels, number),
            Role::LlmTokens => model.add_tokens(labels, number),
            Role::LlmInFlight => model.in_flight += number,
            Role::LlmRateLimitRemaining => model.set_rate_limit_remaining(labels, number),
            Role::LlmRateLimit => model.set_rate_limit(labels, number),
            Role::LlmCost => model.add_cost(number),
            Role::LlmUnpriced => model.add_unpriced(labels, number),
            _ => {}
        }
    }

    fn add_histogram(
        &mut self,
        role: Role,
        labels: &LabelValues<'_>,
        histogram: &HistogramView<'_>,
    ) {
        match role {
            Role::HttpDuration => {
                if let Some(endpoint) = self.http.endpoint_mut(labels) {
                    endpoint.durations.add(histogram);
                }
            }
            Role::LlmTokens => {
                if let Some(model) = self.llm.model_mut(labels) {
                    model.add_tokens(labels, histogram.totals().sum);
                }
            }
            Role::LlmDuration => {
                if let Some(model) = self.llm.model_mut(labels) {
                    model.durations.add(histogram);
                }
            }
            Role::LlmTimeToFirstToken => {
                if let Some(model) = self.llm.model_mut(labels) {
                    model.first_tokens.add(histogram);
                }
            }
            _ => {}
        }
    }
}

impl ProcessUsage {
    fn set(&mut self, role: Role, number: f64) {
        let field = match role {
            Role::ProcessCpu => &mut self.cpu,
            Role::ProcessMemory => &mut self.memory,
            Role::ProcessOpenFiles => &mut self.files,
            Role::ProcessMaxFiles => &mut self.max_files,
            Role::ProcessThreads => &mut self.threads,
            Role::MachineCpu => &mut self.machine_cpu,
            Role::MachineMemory => &mut self.machine_memory,
            Role::ContainerMemory => &mut self.container_memory,
            Role::ContainerMemoryLimit => &mut self.container_memory_limit,
            _ => return,
        };
        *field = Some(number);
    }
}

fn is_llm_role(role: Role) -> bool {
    (Role::LlmRequests..=Role::LlmUnpriced).contains(&role)
}
