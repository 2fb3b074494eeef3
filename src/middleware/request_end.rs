//! What a layer knows about a request that has ended.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::middleware::endpoint::Endpoint;
use crate::middleware::http_labels::NONE;
use crate::middleware::optional_state::OptionalState;
use crate::middleware::outcome::Outcome;

/// A closure that is called for each request that has ended.
pub(super) type RequestEndFn = dyn Fn(&RequestEnd<'_>) + Send + Sync;

/// A request that has ended, for the closure of
/// [`MetricsLayer::on_request_end`](crate::MetricsLayer::on_request_end).
pub struct RequestEnd<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) optional: &'a OptionalState,
    pub(super) status: Option<StatusCode>,
    pub(super) outcome: Outcome,
    pub(super) elapsed: Duration,
    pub(super) has_unmeasured_body: bool,
}

impl<'a> RequestEnd<'a> {
    /// Returns the value of the label `method`: the HTTP method, or `_OTHER`.
    #[must_use]
    pub fn method(&self) -> &'a str {
        self.endpoint.method_name()
    }

    /// Returns the value of the label `route`, such as `/users/{id}`.
    #[must_use]
    pub fn route(&self) -> &'a str {
        &self.endpoint.route
    }

    /// Returns the status code, or `None` if there was no response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// Returns how the request ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the duration that `http_request_duration_seconds` contains: the time from the
    /// request to the end of the response, or to the head of a stream.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.optional.stream_time_to_head.unwrap_or(self.elapsed)
    }

    /// Returns the time from the request to the head of the response, or `None` if there was no
    /// response.
    #[must_use]
    pub fn time_to_head(&self) -> Option<Duration> {
        self.optional.time_to_head
    }

    /// Returns the time from the request to the end of a stream, or `None` if the response is not
    /// a stream.
    #[must_use]
    pub fn stream_duration(&self) -> Option<Duration> {
        self.optional.stream_time_to_head.map(|_| self.elapsed)
    }

    /// Returns the bytes of the request's body that the service has read until the end of the
    /// request. `None` if they are not counted, because of the type of the body.
    #[must_use]
    pub fn request_body_bytes(&self) -> Option<u64> {
        let is_counted = !self.has_unmeasured_body;
        is_counted.then(|| self.optional.body_sizes.request())
    }

    /// Returns the bytes of the response's body that the server has read.
    #[must_use]
    pub fn response_body_bytes(&self) -> u64 {
        self.optional.body_sizes.response
    }

    /// Returns the value of a custom label before the limit is applied. `None` if the layer has
    /// no such label, or if the request has no value for it.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&'a str> {
        let metrics = &self.endpoint.metrics;
        let custom_labels = &metrics.settings.custom_labels;
        let position = custom_labels.position(name)?;
        let source = &custom_labels.iter().nth(position)?.source;
        let known = &metrics.known_values;
        let value = self
            .optional
            .label_value(position, source, self.outcome, known);
        (value != NONE).then_some(value)
    }
}

/// Does not print the route and the labels, which may come from a client.
impl fmt::Debug for RequestEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestEnd")
            .field("status", &self.status)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
