//! Settings of custom labels.

use std::borrow::Cow;
use std::mem::discriminant;
use std::sync::Arc;

use http::{request, response};

use crate::context::UserClosure;
use crate::metric::Label;
use crate::middleware::MetricsLayer;
use crate::middleware::custom_labels::ValueSource;
use crate::middleware::grpc_status::GRPC_CODES;
use crate::middleware::http_labels::{NONE, OTHER, VERSIONS};

/// # Labels
///
/// Custom labels are on `http_requests_total` and `http_request_duration_seconds`. A plain name
/// is an [open](Label::open) label, whose values are [limited](Self::label_limit). A label
/// without a value is `none`, which does not count against the limit.
///
/// A layer with custom labels, exemplars, body sizes, the time to the first byte or
/// [`on_request_end`](Self::on_request_end) allocates once per request, and
/// [labels from the handler](Self::label_from_handler) need a few allocations more. Other layers
/// allocate for streams, requests for an upgrade and requests without a known route. A value is
/// copied only if no series has it.
impl MetricsLayer {
    /// Adds a label whose value comes from the request, and may be a part of it.
    ///
    /// ```
    /// use tachometer::{Label, MetricsLayer};
    ///
    /// let layer = MetricsLayer::new().label_from_request(
    ///     Label::closed("plan", ["free", "paid"]),
    ///     |request| Some(request.headers.get("x-plan")?.to_str().ok()?.into()),
    /// );
    /// ```
    ///
    /// A function is possible, too:
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use http::request::Parts;
    /// use tachometer::MetricsLayer;
    ///
    /// fn tenant(request: &Parts) -> Option<Cow<'_, str>> {
    ///     Some(request.headers.get("x-tenant")?.to_str().ok()?.into())
    /// }
    ///
    /// let layer = MetricsLayer::new().label_from_request("tenant", tenant);
    /// ```
    pub fn label_from_request(
        self,
        label: impl Into<Label<'static>>,
        value: impl Fn(&request::Parts) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    ) -> Self {
        self.add_label(
            label,
            ValueSource::Request(UserClosure::new("label_from_request", Arc::new(value))),
        )
    }

    /// Adds a label whose value comes from the response's head, and may be a part of it.
    pub fn label_from_response(
        self,
        label: impl Into<Label<'static>>,
        value: impl Fn(&response::Parts) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    ) -> Self {
        self.add_label(
            label,
            ValueSource::Response(UserClosure::new("label_from_response", Arc::new(value))),
        )
    }

    /// Adds a label whose value the handler sets, through
    /// [`RequestLabels`](crate::middleware::RequestLabels).
    pub fn label_from_handler(self, label: impl Into<Label<'static>>) -> Self {
        self.add_label(label, ValueSource::Handler)
    }

    /// Adds the label `version`, the HTTP version: `1.0`, `1.1`, `2` and so on.
    pub fn version_label(self) -> Self {
        let name = self.metrics.settings().preset.names().version;
        let label = Label::closed(name, VERSIONS).and_value(OTHER);
        self.add_label_once(label, ValueSource::Version)
    }

    /// Adds the label `scheme`: `http` or `https`, or `none` if the request does not have one,
    /// as over HTTP/1.1.
    pub fn scheme_label(self) -> Self {
        let name = self.metrics.settings().preset.names().scheme;
        let label = Label::closed(name, ["http", "https"]).and_value(OTHER);
        self.add_label_once(label, ValueSource::Scheme)
    }

    /// Reduces the label `status` to the class: `2xx`.
    pub fn status_class(self) -> Self {
        self.set(|settings| settings.status_class = true)
    }

    /// Adds the label `grpc_status`, the name of the code of a gRPC call, from headers or
    /// trailers. It is `none` for other requests.
    ///
    /// The outcome of a gRPC call with a complete response is that of its code: `server_error` for `UNKNOWN`,
    /// `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`
    /// (OpenTelemetry's semantic conventions for gRPC servers), and `client_error` for the
    /// other errors. A call that ended without a code is `UNKNOWN`, or `CANCELLED` if the
    /// client cancelled it.
    pub fn grpc_status_label(self) -> Self {
        let name = self.metrics.settings().preset.names().grpc_status;
        let label = Label::closed(name, GRPC_CODES);
        self.add_label_once(label, ValueSource::GrpcStatus)
    }

    /// Limits the open custom labels to this many distinct values together, and
    /// [`route_from`](Self::route_from) to this many routes, instead of 2,000. See
    /// [`Family::limit`](crate::Family::limit).
    #[doc(alias = "cardinality")]
    pub fn label_limit(self, values: usize) -> Self {
        self.set(|settings| settings.label_limit = Some(values))
    }
}

impl MetricsLayer {
    /// Adds a label, unless the layer has one of this kind.
    fn add_label_once(self, label: Label<'static>, source: ValueSource) -> Self {
        let kind = discriminant(&source);
        let custom_labels = &self.metrics.settings().custom_labels;
        if custom_labels.has_source(|existing| discriminant(existing) == kind) {
            return self;
        }
        self.add_label(label, source)
    }

    fn add_label(self, label: impl Into<Label<'static>>, source: ValueSource) -> Self {
        let label = label.into().and_value(NONE);
        self.set(|settings| settings.custom_labels.push(label, source))
    }
}
