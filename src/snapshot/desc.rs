//! The description of a family: what all its series have in common.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::snapshot::{Escaping, Role, SemanticNames, is_classic_metric};

/// The kind of a metric, which the exposition formats call its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A sum that only increases.
    Counter,
    /// A number that increases and decreases.
    Gauge,
    /// A distribution over buckets.
    Histogram,
}

impl Kind {
    /// Returns the kind's name in Prometheus's text format and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The units that the name of a metric can end in: Prometheus's base units
/// (<https://prometheus.io/docs/practices/naming/>, "Base units").
const UNITS: [&str; 9] = [
    "seconds", "celsius", "meters", "bytes", "ratio", "volts", "amperes", "joules", "grams",
];

/// The name, help text, kind and role of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desc {
    name: Arc<str>,
    help: Arc<str>,
    kind: Kind,
    exposed: Arc<str>,
    /// Whether all versions of Prometheus accept the names of the metric and of its labels.
    classic: bool,
    role: Option<Role>,
    semantic: Option<Box<SemanticNames>>,
}

impl Desc {
    /// Describes a family. The name is not checked.
    #[must_use]
    pub fn new(name: &str, help: &str, kind: Kind) -> Self {
        let name: Arc<str> = name.into();
        let exposed = match kind {
            Kind::Counter if !name.ends_with("_total") => {
                format!("{}_total", without_total(&name)).into()
            }
            _ => Arc::clone(&name),
        };
        Self {
            name,
            help: help.into(),
            kind,
            classic: is_classic_metric(&exposed),
            exposed,
            role: None,
            semantic: None,
        }
    }

    /// Returns the description with another help text.
    pub(crate) fn with_help(&self, help: &str) -> Self {
        Self {
            help: help.into(),
            ..self.clone()
        }
    }

    /// Sets the role.
    pub(crate) fn with_role(self, role: impl Into<Option<Role>>) -> Self {
        Self {
            role: role.into(),
            ..self
        }
    }

    /// Sets the names in OTLP.
    pub(crate) fn with_semantic_names(self, names: Option<SemanticNames>) -> Self {
        Self {
            semantic: names.map(Box::new),
            ..self
        }
    }

    /// Returns the names in OTLP, if they differ from the registered ones.
    #[cfg(feature = "otlp")]
    pub(crate) fn semantic_names(&self) -> Option<&SemanticNames> {
        self.semantic.as_deref()
    }

    /// Sets whether the names of all labels are classic.
    pub(crate) fn with_classic_labels(mut self, classic: bool) -> Self {
        self.classic &= classic;
        self
    }

    /// Returns true if the names of the metric and of its labels consist of letters, digits and
    /// `_` (and `:`, in the name of the metric), and begin with no digit.
    #[must_use]
    pub fn is_classic(&self) -> bool {
        self.classic
    }

    /// Returns the name under which the family was registered.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name that Prometheus's formats print. A counter's ends in `_total`, which is
    /// appended if the registered name lacks it, and replaces a `.total`.
    ///
    /// ```
    /// use tachometer::snapshot::{Desc, Kind};
    ///
    /// for name in ["jobs", "jobs_total", "jobs.total"] {
    ///     assert_eq!(Desc::new(name, "", Kind::Counter).exposed_name(), "jobs_total");
    /// }
    /// ```
    #[must_use]
    pub fn exposed_name(&self) -> &str {
        &self.exposed
    }

    /// Returns all names by which the family can be requested: the registered and the exposed one,
    /// that of a counter also without `_total`, and names that are not classic also with
    /// underscores. A name may be returned twice.
    pub(crate) fn lookup_names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let stem = match self.kind {
            Kind::Counter => without_total(&self.exposed),
            Kind::Gauge | Kind::Histogram => &self.name,
        };
        let plain = [&*self.exposed, stem, &self.name].into_iter();
        let escaped = plain.clone().filter(|_| !self.classic);
        plain
            .map(Cow::Borrowed)
            .chain(escaped.map(|name| Escaping::Underscores.metric_name(name)))
    }

    /// Returns the help text, which may be empty.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }

    /// Returns the unit that the name ends in, before a counter's `_total`, if it is
    /// one of Prometheus's base units: `seconds`, `bytes`, `ratio`, `celsius`,
    /// `meters`, `grams`, `volts`, `amperes` or `joules`.
    ///
    /// OpenMetrics requires the unit in the name, so it is read from there.
    ///
    /// ```
    /// use tachometer::snapshot::{Desc, Kind};
    ///
    /// let desc = Desc::new("http_response_body_bytes_total", "", Kind::Counter);
    /// assert_eq!(desc.unit(), Some("bytes"));
    /// assert_eq!(Desc::new("queue_length", "", Kind::Gauge).unit(), None);
    /// ```
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        let name = match self.kind {
            Kind::Counter => without_total(&self.exposed),
            Kind::Gauge | Kind::Histogram => &self.name,
        };
        let (_, last) = name.rsplit_once('_')?;
        UNITS.into_iter().find(|unit| *unit == last)
    }

    /// Returns the role, if this is a metric of the crate that the page, the dashboards or the
    /// alert rules use.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Returns the kind of the metric.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// Returns the name of a counter without `_total`, or without `.total` as in OpenTelemetry.
fn without_total(name: &str) -> &str {
    let is_separator = |char: char| !char.is_alphanumeric() && char != ':';
    name.strip_suffix("total")
        .and_then(|stem| stem.strip_suffix(is_separator))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(name)
}
