//! What all series of a family have in common.

use std::fmt;
use std::sync::Arc;

/// What a metric measures, as the exposition formats name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A sum that only grows.
    Counter,
    /// A number that goes up and down.
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

/// A family's name, help and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desc {
    name: Arc<str>,
    help: Arc<str>,
    kind: Kind,
    exposed: Arc<str>,
}

impl Desc {
    /// Describes a family; the name is taken as it is, unchecked.
    #[must_use]
    pub fn new(name: &str, help: &str, kind: Kind) -> Self {
        let name: Arc<str> = name.into();
        let exposed = match kind {
            Kind::Counter if !name.ends_with("_total") => format!("{name}_total").into(),
            _ => Arc::clone(&name),
        };
        Self {
            name,
            help: help.into(),
            kind,
            exposed,
        }
    }

    /// Returns the name under which the family was registered.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name that Prometheus's formats print: a counter's ends in
    /// `_total`, which is appended where the registered name lacks it.
    #[must_use]
    pub fn exposed_name(&self) -> &str {
        &self.exposed
    }

    /// Returns the help text, any UTF-8, possibly empty.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }

    /// Returns what the family measures.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}
