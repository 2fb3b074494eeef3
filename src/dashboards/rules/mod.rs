//! Rules for Prometheus: what it records, and when it alerts.

mod budget;
mod http;
mod llm;
mod process;
mod yaml;

use std::time::Duration;

use crate::dashboards::promql::Keep;
use crate::dashboards::roles::{Found, Roles};
use crate::dashboards::rules::yaml::{Group, write};
use crate::error::Error;
use crate::registry::Registry;

/// Rules for Prometheus, and from what on they alert.
///
/// They fit the metrics that a registry has: of requests, calls of LLMs, the process, and
/// the registry itself. They are about every job that has these metrics, each by itself; so
/// load them once, however many services there are. If services need other thresholds,
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
/// counts before its first scrape is not counted.
///
/// After a restart the counters of a target begin at 0 again, and the rules count on from
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
    error_share: f64,
    availability: f64,
    latency: Duration,
    llm_error_share: f64,
    first_token: Duration,
    spend_per_hour: f64,
    rate_limit_left: f64,
    /// The labels that targets must have, with their values.
    targets: Vec<(String, String)>,
}

impl AlertRules {
    /// Begins with what each method here says is there by default.
    pub fn new() -> Self {
        Self {
            error_share: 0.05,
            availability: 0.999,
            latency: Duration::from_secs(1),
            llm_error_share: 0.1,
            first_token: Duration::from_secs(5),
            spend_per_hour: 10.0,
            rate_limit_left: 0.1,
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
        self.on("job".to_owned(), job.into())
    }

    /// Restricts the rules to targets that have this label, such as `namespace`. If called
    /// several times, all of the labels are required; of one label the last value counts.
    ///
    /// The label must be one that Prometheus gives to everything it scrapes from a target, or a
    /// constant label of the registry.
    ///
    /// # Errors
    ///
    /// When the label is empty, or its value is ([`Error::is_invalid_rule`]).
    pub fn target(self, label: impl Into<String>, value: impl Into<String>) -> Result<Self, Error> {
        let (label, value) = (label.into(), value.into());
        if label.is_empty() || value.is_empty() {
            return Err(Error::invalid_rule(format_args!(
                "the target label {label:?} = {value:?} of the alert rules is incomplete: give a \
                 name and a value, such as \"namespace\" and \"shop\""
            )));
        }
        Ok(self.on(label, value))
    }

    /// Alerts when more than this part of the requests fails for ten minutes by the
    /// service's own fault; by default 0.05.
    ///
    /// # Errors
    ///
    /// When it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn error_ratio(self, share: f64) -> Result<Self, Error> {
        let error_share = within_1("error share", share, 0.05)?;
        Ok(Self {
            error_share,
            ..self
        })
    }

    /// Alerts when what may fail is used up too soon, where this part of the requests is to
    /// be answered without a fault of the service's own; by default 0.999.
    ///
    /// The budget is that of 30 days, and the alert one of several burn rates, each over a
    /// long window and a short one (Google, "The Site Reliability Workbook", chapter 5). Where
    /// nine of ten fail it alerts whatever the objective. The layer's service levels have the
    /// same one.
    ///
    /// # Errors
    ///
    /// When it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn availability(self, objective: f64) -> Result<Self, Error> {
        let availability = within_1("availability", objective, 0.999)?;
        Ok(Self {
            availability,
            ..self
        })
    }

    /// Alerts when the 99th percentile of the requests' time is above this for ten minutes;
    /// by default one second.
    ///
    /// Prometheus takes no percentile to be above the highest bound of the
    /// [buckets](crate::MetricsLayer::buckets), so this is to be below it: by default 10 s.
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Alerts when more than this part of a model's calls fails for ten minutes; by default
    /// 0.1.
    ///
    /// # Errors
    ///
    /// When it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn llm_error_ratio(self, share: f64) -> Result<Self, Error> {
        let llm_error_share = within_1("LLM error share", share, 0.1)?;
        Ok(Self {
            llm_error_share,
            ..self
        })
    }

    /// Alerts when the 95th percentile of a model's time to the first token is above this
    /// for ten minutes; by default five seconds.
    ///
    /// As with the [latency](Self::latency), this is to be below the highest bound of the
    /// buckets: by default 80 s, and 10 s by the names of OpenTelemetry.
    pub fn time_to_first_token(self, time: Duration) -> Self {
        Self {
            first_token: time,
            ..self
        }
    }

    /// Alerts when calls of LLMs cost more than so many US dollars within an hour; by
    /// default 10.
    ///
    /// # Errors
    ///
    /// When it is negative or not finite ([`Error::is_invalid_rule`]).
    pub fn cost_per_hour(self, dollars: f64) -> Result<Self, Error> {
        if !dollars.is_finite() || dollars < 0.0 {
            return Err(Error::invalid_rule(format_args!(
                "the spend an hour {dollars} of the alert rules is no sum of dollars: give one \
                 from 0 on, such as 10"
            )));
        }
        Ok(Self {
            spend_per_hour: dollars,
            ..self
        })
    }

    /// Alerts when less than this part of a provider's rate limit is left for five minutes;
    /// by default 0.1.
    ///
    /// # Errors
    ///
    /// When it is not between 0 and 1 ([`Error::is_invalid_rule`]).
    pub fn rate_limit_remaining(self, share: f64) -> Result<Self, Error> {
        let rate_limit_left = within_1("rate limit left", share, 0.1)?;
        Ok(Self {
            rate_limit_left,
            ..self
        })
    }

    /// Returns the rules that fit a registry, as a file of Prometheus's.
    #[must_use]
    pub fn to_yaml(&self, registry: &Registry) -> String {
        let roles = Roles::of(registry).of_targets(&self.targets);
        let groups: Vec<Group> = [
            http::group(&roles, self),
            http::levels(&roles, self),
            llm::group(&roles, self),
            process::group(&roles),
            process::itself(&roles),
        ]
        .into_iter()
        .flatten()
        .collect();
        write(&groups)
    }

    fn on(mut self, label: String, value: String) -> Self {
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

/// The series of a metric, merged over what tells replicas of a service apart and over the
/// metric's own labels, but for some. What else a target says stays, such as its cluster or
/// its namespace, so that the jobs of two of them are not taken for one.
struct Merged<'a>(Vec<&'a str>);

/// What tells replicas apart: Prometheus's own label, and what it has in Kubernetes.
const REPLICA: [&str; 2] = ["instance", "pod"];

impl<'a> Merged<'a> {
    fn of(metric: &'a Found, but: &[&str]) -> Self {
        let own = metric.labels.iter().map(String::as_str);
        let own = own.filter(|label| !but.contains(label) && !REPLICA.contains(label));
        // The records are selected by the labels of the targets, so they keep them.
        let is_selected = |label: &&str| metric.targets.iter().any(|(name, _)| name == label);
        let merged = REPLICA.into_iter().chain(own);
        Self(merged.filter(|label| !is_selected(label)).collect())
    }

    fn keep(&self) -> Keep<'_> {
        Keep::AllBut(&self.0)
    }
}

fn within_1(what: &str, share: f64, usual: f64) -> Result<f64, Error> {
    if share > 0.0 && share < 1.0 {
        return Ok(share);
    }
    Err(Error::invalid_rule(format_args!(
        "the {what} {share} of the alert rules is not between 0 and 1: give a part of one, such \
         as {usual}"
    )))
}

/// Returns a number of seconds as Prometheus reads it.
fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}
