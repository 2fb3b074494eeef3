//! Recording and alerting rules for Prometheus.

mod error_budget;
mod http;
mod llm;
mod otlp;
mod process;
mod yaml;

use std::time::Duration;

use crate::dashboards::promql::Grouping;
use crate::dashboards::roles::{PromMetric, Roles};
use crate::dashboards::rules::yaml::{RuleGroup, rule_file};
use crate::error::Error;
use crate::registry::Registry;

/// A builder of Prometheus recording and alerting rules.
///
/// The rules are generated for the metrics that a registry has: HTTP requests, LLM calls, OTLP
/// exports, the process, and the registry itself. They evaluate each job that has these metrics separately,
/// so load them once, however many services there are. If services need different thresholds,
/// restrict the rules of each to its [job](Self::job), and load them all.
///
/// # First events, restarts and gaps in scraping
///
/// A counter often appears in a scrape with its first value, which `rate` and `increase` of
/// PromQL do not count. These rules do. A series that did not exist at the start of a range
/// counts with its value if the process started later, or if Prometheus scraped the target
/// at that time. So the first error and the first call that costs money are counted, even if
/// they happened before the first scrape of the process.
///
/// The rules read the start of the process from `process_start_time_seconds`, and whether
/// the target was scraped from `up`. If the registry has no `SystemMetrics`, what a new target
/// counts before its first scrape is lost.
///
/// After a restart the counters of a target begin at 0 again, and the rules continue from
/// there. What a process counts after its last scrape is lost.
///
/// A gap in scraping fires no alert. A series that is missing at the start of a range because
/// of a gap counts only what follows the gap, so the total of a long-lived process is never
/// taken for an increase. Events during a gap count in the ranges that begin before it.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use tachometer::dashboards::AlertRules;
/// use tachometer::{MetricsLayer, Registry};
///
/// let registry = Registry::new();
/// let layer = MetricsLayer::new().registry(&registry).try_register()?;
/// # drop(layer); // the application has it
/// let rules = AlertRules::new()
///     .availability(0.995)?
///     .latency(Duration::from_millis(500))
///     .to_yaml(&registry);
/// assert!(rules.starts_with("groups:\n"));
/// # Ok::<(), tachometer::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "call `to_yaml` for the rules"]
pub struct AlertRules {
    error_ratio: f64,
    availability: f64,
    latency: Duration,
    llm_error_ratio: f64,
    time_to_first_token: Duration,
    cost_per_hour: f64,
    rate_limit_remaining: f64,
    /// The rules are restricted to targets with these labels.
    targets: Vec<(String, String)>,
}

impl AlertRules {
    /// Creates rules with the default thresholds. Each setter documents its default.
    pub fn new() -> Self {
        Self {
            error_ratio: 0.05,
            availability: 0.999,
            latency: Duration::from_secs(1),
            llm_error_ratio: 0.1,
            time_to_first_token: Duration::from_secs(5),
            cost_per_hour: 10.0,
            rate_limit_remaining: 0.1,
            targets: Vec::new(),
        }
    }

    /// Restricts the rules to one job, so that the rules of several services, each with its own
    /// thresholds, can be loaded together.
    ///
    /// ```
    /// use tachometer::dashboards::AlertRules;
    ///
    /// let api = AlertRules::new().job("api").error_ratio(0.01)?;
    /// let batch = AlertRules::new().job("batch").error_ratio(0.2)?;
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn job(self, job: impl Into<String>) -> Self {
        self.with_target("job".to_owned(), job.into())
    }

    /// Restricts the rules to targets that have this label, such as `namespace`. If called
    /// several times, targets must have all of the labels. For one label, the last value counts.
    ///
    /// The label must be a target label, which Prometheus adds to all series of a scrape, or a
    /// constant label of the registry.
    ///
    /// # Errors
    ///
    /// Returns an error if the label or its value is empty ([`Error::is_invalid_rule`]).
    pub fn target(self, label: impl Into<String>, value: impl Into<String>) -> Result<Self, Error> {
        let (label, value) = (label.into(), value.into());
        if label.is_empty() || value.is_empty() {
            return Err(Error::invalid_rule(format_args!(
                "the target label {label:?} = {value:?} of the alert rules is incomplete: use a \
                 name and a value, such as \"namespace\" and \"shop\""
            )));
        }
        Ok(self.with_target(label, value))
    }

    /// Sets the error ratio above which an alert fires after ten minutes. The default is 0.05.
    ///
    /// Errors are requests that failed because of the service: 5xx responses, errors, panics and
    /// bodies that were cut off.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn error_ratio(self, ratio: f64) -> Result<Self, Error> {
        let error_ratio = check_ratio("error ratio", ratio, 0.05)?;
        Ok(Self {
            error_ratio,
            ..self
        })
    }

    /// Sets the availability objective: the fraction of requests that must not fail because of
    /// the service. The default is 0.999. Alerts fire if the error budget burns too fast.
    ///
    /// The budget is that of 30 days. The alerts use several burn rates, each over a long and a
    /// short window (Google, "The Site Reliability Workbook", chapter 5). If nine of ten requests
    /// fail, an alert fires whatever the objective. The layer's service levels have the same
    /// objective.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn availability(self, objective: f64) -> Result<Self, Error> {
        let availability = check_ratio("availability", objective, 0.999)?;
        Ok(Self {
            availability,
            ..self
        })
    }

    /// Sets the 99th percentile of the request duration above which an alert fires after ten
    /// minutes. The default is one second.
    ///
    /// It must be below the highest bound of the [buckets](crate::MetricsLayer::buckets), which
    /// is 10 s by default: Prometheus never reports a percentile above that bound.
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Sets the error ratio of a model's calls above which an alert fires after ten minutes. The
    /// default is 0.1.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn llm_error_ratio(self, ratio: f64) -> Result<Self, Error> {
        let llm_error_ratio = check_ratio("LLM error ratio", ratio, 0.1)?;
        Ok(Self {
            llm_error_ratio,
            ..self
        })
    }

    /// Sets the 95th percentile of a model's time to first token above which an alert fires after
    /// ten minutes. The default is five seconds.
    ///
    /// As with the [latency](Self::latency), it must be below the highest bound of the buckets:
    /// 80 s by default, and 10 s with the OpenTelemetry preset.
    pub fn time_to_first_token(self, time: Duration) -> Self {
        Self {
            time_to_first_token: time,
            ..self
        }
    }

    /// Sets the cost of LLM calls per hour, in US dollars, above which an alert fires. The default
    /// is 10.
    ///
    /// # Errors
    ///
    /// Returns an error if it is negative or not finite ([`Error::is_invalid_rule`]).
    pub fn cost_per_hour(self, dollars: f64) -> Result<Self, Error> {
        if !dollars.is_finite() || dollars < 0.0 {
            return Err(Error::invalid_rule(format_args!(
                "the cost per hour {dollars} of the alert rules is not an amount of dollars: use a \
                 number from 0, such as 10"
            )));
        }
        Ok(Self {
            cost_per_hour: dollars,
            ..self
        })
    }

    /// Sets the remaining fraction of a provider's rate limit below which an alert fires after
    /// five minutes. The default is 0.1.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn rate_limit_remaining(self, ratio: f64) -> Result<Self, Error> {
        let rate_limit_remaining = check_ratio("remaining rate limit", ratio, 0.1)?;
        Ok(Self {
            rate_limit_remaining,
            ..self
        })
    }

    /// Returns the rules for a registry, as a Prometheus rule file.
    #[must_use]
    pub fn to_yaml(&self, registry: &Registry) -> String {
        let roles = Roles::from_registry(registry).restrict_to_targets(&self.targets);
        let groups: Vec<RuleGroup> = [
            http::group(&roles, self),
            http::service_level_group(&roles, self),
            llm::group(&roles, self),
            otlp::group(&roles),
            process::group(&roles),
            process::self_metrics_group(&roles),
        ]
        .into_iter()
        .flatten()
        .collect();
        rule_file(&groups)
    }

    fn with_target(mut self, label: String, value: String) -> Self {
        self.targets.retain(|(other, _)| *other != label);
        self.targets.push((label, value));
        self
    }
}

impl Default for AlertRules {
    fn default() -> Self {
        Self::new()
    }
}

/// The labels that an aggregation drops: those that identify a replica of a service, and the
/// metric's labels except for some. Other target labels, such as `cluster` or `namespace`, are
/// kept, so that jobs of the same name in two clusters stay separate.
struct DroppedLabels<'a>(Vec<&'a str>);

/// The labels that identify a replica: Prometheus's `instance`, and `pod` in Kubernetes.
const REPLICA_LABELS: [&str; 2] = ["instance", "pod"];

impl<'a> DroppedLabels<'a> {
    /// Returns the labels to drop from a metric, except for those in `kept`.
    fn new(metric: &'a PromMetric, kept: &[&str]) -> Self {
        let labels = metric.labels.iter().map(String::as_str);
        let labels =
            labels.filter(|label| !kept.contains(label) && !REPLICA_LABELS.contains(label));
        // Records are selected by the target labels, so these must be kept.
        let is_target_label =
            |label: &&str| metric.target_labels.iter().any(|(name, _)| name == label);
        let dropped = REPLICA_LABELS.into_iter().chain(labels);
        Self(dropped.filter(|label| !is_target_label(label)).collect())
    }

    fn grouping(&self) -> Grouping<'_> {
        Grouping::Without(&self.0)
    }
}

fn check_ratio(name: &str, ratio: f64, example: f64) -> Result<f64, Error> {
    if ratio > 0.0 && ratio < 1.0 {
        return Ok(ratio);
    }
    Err(Error::invalid_rule(format_args!(
        "the {name} {ratio} of the alert rules is not between 0 and 1: use a fraction, such as \
         {example}"
    )))
}

/// Formats a duration as a PromQL number of seconds.
fn format_seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}
