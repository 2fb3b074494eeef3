//! What can be refused: names, labels, buckets, conflicts, networks, hosts, prices and rules,
//! all at start-up.
//!
//! Recording never fails. An [`Error`] comes from creating or registering a
//! metric, from the settings of the router or of a layer, or from asking a histogram for a
//! percentile that it cannot return.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

/// The reason why a metric could not be created or registered, or a setting not be
/// taken.
///
/// Its text names the metric or the setting, the value that was refused and what to do
/// instead. Code that has to tell the reasons apart asks the predicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    // Behind a pointer, so that a `Result<Counter, Error>` stays small.
    message: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    InvalidName,
    InvalidLabel,
    InvalidBuckets,
    InvalidPercentile,
    EmptyHistogram,
    Conflict,
    #[cfg(feature = "axum")]
    InvalidNetwork,
    #[cfg(feature = "serve")]
    InvalidHost,
    #[cfg(feature = "llm")]
    InvalidPrice,
    #[cfg(feature = "dashboard")]
    InvalidRule,
}

impl Error {
    /// Returns true when a metric's name is not one that Prometheus reads.
    #[must_use]
    pub fn is_invalid_name(&self) -> bool {
        self.kind == Kind::InvalidName
    }

    /// Returns true when a label's name is malformed, reserved or given twice.
    #[must_use]
    pub fn is_invalid_label(&self) -> bool {
        self.kind == Kind::InvalidLabel
    }

    /// Returns true when a histogram's bounds are empty, unsorted, repeated or
    /// not finite.
    #[must_use]
    pub fn is_invalid_buckets(&self) -> bool {
        self.kind == Kind::InvalidBuckets
    }

    /// Returns true if a percentile is not from 0 to 100.
    #[must_use]
    pub fn is_invalid_percentile(&self) -> bool {
        self.kind == Kind::InvalidPercentile
    }

    /// Returns true if a histogram without observations was asked for a percentile.
    #[must_use]
    pub fn is_empty_histogram(&self) -> bool {
        self.kind == Kind::EmptyHistogram
    }

    /// Returns true when the registry holds something else under that name, or
    /// under a name that some format would print alike.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }

    /// Returns true when a router's network is neither a network nor an address.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn is_invalid_network(&self) -> bool {
        self.kind == Kind::InvalidNetwork
    }

    /// Returns true if a host passed to `MetricsRouter::allowed_hosts` is not valid.
    #[cfg(feature = "serve")]
    #[must_use]
    pub fn is_invalid_host(&self) -> bool {
        self.kind == Kind::InvalidHost
    }

    /// Returns true when a price of a model is negative or no number.
    #[cfg(feature = "llm")]
    #[must_use]
    pub fn is_invalid_price(&self) -> bool {
        self.kind == Kind::InvalidPrice
    }

    /// Returns true when a threshold of a rule is not within its range.
    #[cfg(feature = "dashboard")]
    #[must_use]
    pub fn is_invalid_rule(&self) -> bool {
        self.kind == Kind::InvalidRule
    }

    #[cold]
    fn new(kind: Kind, message: impl fmt::Display) -> Self {
        let message = message.to_string().into();
        Self { kind, message }
    }

    #[cold]
    pub(crate) fn invalid_name(message: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidName, message)
    }

    #[cold]
    pub(crate) fn invalid_label(message: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidLabel, message)
    }

    #[cold]
    pub(crate) fn invalid_buckets(message: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidBuckets, message)
    }

    #[cold]
    pub(crate) fn invalid_percentile(percentile: f64) -> Self {
        Self::new(
            Kind::InvalidPercentile,
            format_args!("there is no percentile {percentile}: ask for one from 0 to 100"),
        )
    }

    #[cold]
    pub(crate) fn empty_histogram() -> Self {
        Self::new(
            Kind::EmptyHistogram,
            "the histogram is empty: observe a value first",
        )
    }

    #[cold]
    pub(crate) fn conflict(message: impl fmt::Display) -> Self {
        Self::new(Kind::Conflict, message)
    }

    #[cfg(feature = "axum")]
    #[cold]
    pub(crate) fn invalid_network(message: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidNetwork, message)
    }

    #[cfg(feature = "serve")]
    #[cold]
    pub(crate) fn invalid_host(message: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidHost, message)
    }

    #[cfg(feature = "llm")]
    #[cold]
    pub(crate) fn invalid_price(message: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidPrice, message)
    }

    #[cfg(feature = "dashboard")]
    #[cold]
    pub(crate) fn invalid_rule(message: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidRule, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// So that what cannot fail stands where something that can is asked for.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
