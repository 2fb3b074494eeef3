//! The crate's error type.
//!
//! Recording never fails. An [`Error`] comes from creating or registering a metric, from the
//! settings of a router, a layer or a push, from a push that failed, from requesting a percentile,
//! or from parsing an exposition.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

/// The reason why a metric could not be created, a setting was refused or a push failed.
///
/// Its text names the metric or the setting, the refused value, and what to do instead. Use the
/// `is_` methods to distinguish the reasons in code.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    // In an `Arc`, so that a `Result<Counter, Error>` stays small.
    message: Arc<str>,
    /// The length of the text without the remedy, if code that registers metrics for the user may
    /// name another remedy.
    fault_len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    InvalidName,
    InvalidLabel,
    InvalidBuckets,
    InvalidPercentile,
    EmptyHistogram,
    Conflict(Conflict),
    InvalidVariable,
    InvalidExposition,
    InvalidMethod,
    #[cfg(feature = "metrics")]
    RecorderInstalled,
    #[cfg(any(feature = "otlp", feature = "pushgateway"))]
    InvalidPush,
    #[cfg(any(feature = "otlp", feature = "pushgateway"))]
    FailedPush,
    #[cfg(feature = "axum")]
    InvalidNetwork,
    #[cfg(feature = "serve")]
    InvalidHost,
    #[cfg(feature = "llm")]
    InvalidPrice,
    #[cfg(feature = "dashboard")]
    InvalidRule,
}

/// What two metrics with the same name differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Their type, or the names that they print.
    Metric,
    Labels,
    Buckets,
    /// A conflict of another kind, whose remedy does not depend on who registers the metric.
    Other,
}

impl Error {
    /// Returns true if the name of a metric is not one that Prometheus accepts.
    #[must_use]
    pub fn is_invalid_name(&self) -> bool {
        self.kind == ErrorKind::InvalidName
    }

    /// Returns true if the name of a label is malformed, reserved or given twice.
    #[must_use]
    pub fn is_invalid_label(&self) -> bool {
        self.kind == ErrorKind::InvalidLabel
    }

    /// Returns true if the bounds of a histogram are empty, too many, unsorted, repeated or not
    /// finite, or if the schema of its exponential buckets does not exist.
    #[must_use]
    pub fn is_invalid_buckets(&self) -> bool {
        self.kind == ErrorKind::InvalidBuckets
    }

    /// Returns true if a percentile is not from 0 to 100.
    #[must_use]
    pub fn is_invalid_percentile(&self) -> bool {
        self.kind == ErrorKind::InvalidPercentile
    }

    /// Returns true if a percentile of a histogram without observations was requested.
    #[must_use]
    pub fn is_empty_histogram(&self) -> bool {
        self.kind == ErrorKind::EmptyHistogram
    }

    /// Returns true if the name belongs to a different metric, or if some format would print it
    /// like the name of another metric.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.kind, ErrorKind::Conflict(_))
    }

    /// Returns true if an environment variable has a value that is not valid, or does not exist
    /// ([`MetricsLayer::from_env`](crate::MetricsLayer::from_env)).
    #[must_use]
    pub fn is_invalid_variable(&self) -> bool {
        self.kind == ErrorKind::InvalidVariable
    }

    /// Returns true if a network passed to a router is neither a network nor an address.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn is_invalid_network(&self) -> bool {
        self.kind == ErrorKind::InvalidNetwork
    }

    /// Returns true if a host passed to `MetricsRouter::allowed_hosts` is not valid.
    #[cfg(feature = "serve")]
    #[must_use]
    pub fn is_invalid_host(&self) -> bool {
        self.kind == ErrorKind::InvalidHost
    }

    /// Returns true if the price of a model is negative or not a number.
    #[cfg(feature = "llm")]
    #[must_use]
    pub fn is_invalid_price(&self) -> bool {
        self.kind == ErrorKind::InvalidPrice
    }

    /// Returns true if a threshold of an alert rule is out of range.
    #[cfg(feature = "dashboard")]
    #[must_use]
    pub fn is_invalid_rule(&self) -> bool {
        self.kind == ErrorKind::InvalidRule
    }

    /// Returns true if a text is not a valid exposition
    /// ([`Exposition::parse`](crate::testing::Exposition::parse)).
    #[must_use]
    pub fn is_invalid_exposition(&self) -> bool {
        self.kind == ErrorKind::InvalidExposition
    }

    /// Returns true if a method passed to `MetricsLayer::methods` is not the name of an HTTP
    /// method, or if there are too many.
    #[must_use]
    pub fn is_invalid_method(&self) -> bool {
        self.kind == ErrorKind::InvalidMethod
    }

    /// Returns true if a recorder of the `metrics` facade is installed already
    /// ([`MetricsRecorder::install`](crate::bridge::MetricsRecorder::install)).
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn is_recorder_installed(&self) -> bool {
        self.kind == ErrorKind::RecorderInstalled
    }

    /// Returns true if a setting of a push is not valid, such as the URL of its endpoint, or if the
    /// push cannot be started.
    #[cfg(any(feature = "otlp", feature = "pushgateway"))]
    #[must_use]
    pub fn is_invalid_push(&self) -> bool {
        self.kind == ErrorKind::InvalidPush
    }

    /// Returns true if metrics were not delivered: there was no response, or the endpoint rejected
    /// them.
    #[cfg(any(feature = "otlp", feature = "pushgateway"))]
    #[must_use]
    pub fn is_failed_push(&self) -> bool {
        self.kind == ErrorKind::FailedPush
    }

    #[cold]
    fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        let message: Arc<str> = message.to_string().into();
        Self {
            kind,
            fault_len: message.len(),
            message,
        }
    }

    /// Returns the error with another remedy, if it is a conflict between two metrics: the names
    /// of the metrics of a layer are not those that its user can change.
    #[cold]
    pub(crate) fn map_remedy(self, remedy: impl FnOnce(Conflict) -> String) -> Self {
        match self.kind {
            ErrorKind::Conflict(Conflict::Other) => self,
            ErrorKind::Conflict(conflict) => {
                let fault = &self.message[..self.fault_len];
                Self::conflict(conflict, fault, remedy(conflict))
            }
            _ => self,
        }
    }

    #[cold]
    pub(crate) fn invalid_name(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidName, message)
    }

    #[cold]
    pub(crate) fn invalid_label(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidLabel, message)
    }

    #[cold]
    pub(crate) fn invalid_buckets(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidBuckets, message)
    }

    #[cold]
    pub(crate) fn invalid_percentile(percentile: f64) -> Self {
        Self::new(
            ErrorKind::InvalidPercentile,
            format_args!("there is no percentile {percentile}: request one from 0 to 100"),
        )
    }

    #[cold]
    pub(crate) fn empty_histogram() -> Self {
        Self::new(
            ErrorKind::EmptyHistogram,
            "the histogram is empty: observe a value first",
        )
    }

    #[cold]
    pub(crate) fn conflict(
        conflict: Conflict,
        fault: impl fmt::Display,
        remedy: impl fmt::Display,
    ) -> Self {
        let fault = fault.to_string();
        let kind = ErrorKind::Conflict(conflict);
        Self {
            fault_len: fault.len(),
            ..Self::new(kind, format_args!("{fault}: {remedy}"))
        }
    }

    #[cold]
    pub(crate) fn invalid_variable(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidVariable, message)
    }

    #[cold]
    pub(crate) fn invalid_exposition(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidExposition, message)
    }

    #[cold]
    pub(crate) fn invalid_method(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidMethod, message)
    }

    #[cfg(feature = "metrics")]
    #[cold]
    pub(crate) fn recorder_installed(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::RecorderInstalled, message)
    }

    #[cfg(any(feature = "otlp", feature = "pushgateway"))]
    #[cold]
    pub(crate) fn invalid_push(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidPush, message)
    }

    #[cfg(any(feature = "otlp", feature = "pushgateway"))]
    #[cold]
    pub(crate) fn failed_push(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::FailedPush, message)
    }

    #[cfg(feature = "axum")]
    #[cold]
    pub(crate) fn invalid_network(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidNetwork, message)
    }

    #[cfg(feature = "serve")]
    #[cold]
    pub(crate) fn invalid_host(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidHost, message)
    }

    #[cfg(feature = "llm")]
    #[cold]
    pub(crate) fn invalid_price(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidPrice, message)
    }

    #[cfg(feature = "dashboard")]
    #[cold]
    pub(crate) fn invalid_rule(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidRule, message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Allows conversions that cannot fail where a fallible one is expected.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
