//! State of a request that only some settings need, so that most records do without it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response, header, request};

use crate::middleware::body_sizes::BodySizes;
use crate::middleware::custom_labels::ValueSource;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::grpc_status::GrpcStatus;
use crate::middleware::head::{with_head, with_response_head};
use crate::middleware::http_labels::{NONE, scheme_label, version_label};
use crate::middleware::known_values::{KnownValues, RequestValues};
use crate::middleware::methods::MethodLabel;
use crate::middleware::outcome::Outcome;
use crate::middleware::request_labels::RequestLabels;
use crate::middleware::shared_metrics::SharedMetrics;
use crate::middleware::trace_id::TraceId;
use crate::middleware::unrouted::Unrouted;
use crate::middleware::upgrade::PendingUpgrade;

#[derive(Default)]
pub(super) struct OptionalState {
    /// The values of custom labels from the request or the response.
    values: RequestValues,
    /// The labels that the handler sets.
    request_labels: RequestLabels,
    pub(super) grpc_status: Option<GrpcStatus>,
    pub(super) trace_id: Option<TraceId>,
    pub(super) upgrade: Option<PendingUpgrade>,
    /// Set if the layer did not know the route when the request started.
    pub(super) unrouted: Option<Unrouted>,
    /// For streams, the time to the response's head. It shows the speed of the service; how
    /// long the stream lasts does not.
    pub(super) stream_time_to_head: Option<Duration>,
    /// The time to the response's head, if a closure needs it.
    pub(super) time_to_head: Option<Duration>,
    /// How the request ended and after which time, once that is recorded.
    pub(super) end: Option<(Outcome, Duration)>,
    /// Whether all bytes of the body were sent, so that only trailers may be missing.
    pub(super) is_body_sent: bool,
    /// Whether the first byte of the body is to be timed, and has not come yet.
    pub(super) is_first_byte_pending: bool,
    pub(super) body_sizes: BodySizes,
}

impl OptionalState {
    /// Returns the state of a request, or `None` if it needs none. Puts what the handler may
    /// take into the request's extensions.
    #[inline]
    pub(super) fn for_request<B>(
        endpoint: &Arc<Endpoint>,
        started: Instant,
        request: &mut Request<B>,
    ) -> Option<Box<Self>> {
        // Except by CONNECT, a request for an upgrade has the header `Upgrade`.
        let may_upgrade = endpoint.method == MethodLabel::CONNECT
            || request.headers().contains_key(header::UPGRADE);
        if !may_upgrade && !endpoint.metrics.needs_optional_state {
            return None;
        }
        let metrics = &endpoint.metrics;
        let mut state = if metrics.settings.needs_request_head() {
            with_head(request, |head| Box::new(Self::from_head(metrics, head)))
        } else {
            Box::default()
        };
        if may_upgrade {
            let outer = request.extensions_mut().remove().unwrap_or_default();
            let (upgrade, guard) = PendingUpgrade::new(endpoint, started, outer);
            state.upgrade = Some(upgrade);
            request.extensions_mut().insert(guard);
        }
        Some(state)
    }

    fn from_head(metrics: &SharedMetrics, request: &mut request::Parts) -> Self {
        let settings = &metrics.settings;
        let mut state = Self {
            is_first_byte_pending: settings.time_to_first_byte,
            ..Self::default()
        };
        let custom_labels = &settings.custom_labels;
        for (position, custom) in custom_labels.iter().enumerate() {
            let value = match &custom.source {
                ValueSource::Request(closure) => closure.call(|value| value(request)).flatten(),
                ValueSource::Version => Some(version_label(request.version).into()),
                ValueSource::Scheme => Some(scheme_label(&request.uri).into()),
                _ => None,
            };
            if let Some(value) = value {
                state.values.set(position, value, &metrics.known_values);
            }
        }
        if custom_labels.has_source(ValueSource::is_grpc_status) {
            state.grpc_status = GrpcStatus::for_request(&request.headers);
        }
        let source = settings.trace_id_source.as_ref();
        let trace_id = source.and_then(|source| source.trace_id(request));
        state.trace_id = trace_id.map(TraceId::new);
        if custom_labels.has_source(ValueSource::is_handler) {
            let outer = request.extensions.remove().unwrap_or_default();
            state.request_labels = RequestLabels::new(custom_labels, outer);
            request.extensions.insert(state.request_labels.clone());
        }
        state
    }

    /// Reads the response's head.
    pub(super) fn on_head<B>(&mut self, metrics: &SharedMetrics, response: &mut Response<B>) {
        for (position, custom) in metrics.settings.custom_labels.iter().enumerate() {
            if let ValueSource::Response(closure) = &custom.source {
                with_response_head(response, |head| {
                    let value = closure.call(|value| value(head)).flatten();
                    if let Some(value) = value {
                        self.values.set(position, value, &metrics.known_values);
                    }
                });
            }
        }
        self.on_headers(response.headers());
    }

    /// Reads the gRPC status from the trailers, or from the headers: a call that fails at once
    /// sends it there.
    pub(super) fn on_headers(&mut self, headers: &HeaderMap) {
        if let Some(grpc_status) = &mut self.grpc_status {
            grpc_status.read_headers(headers);
        }
    }

    /// Returns the value of the custom label at a position.
    pub(super) fn label_value<'a>(
        &'a self,
        position: usize,
        source: &ValueSource,
        outcome: Outcome,
        known: &'a KnownValues,
    ) -> &'a str {
        let value = match source {
            ValueSource::Handler => self.request_labels.get(position),
            ValueSource::GrpcStatus => self.grpc_status.map(|status| status.code_name(outcome)),
            ValueSource::Request(_)
            | ValueSource::Response(_)
            | ValueSource::Version
            | ValueSource::Scheme => self.values.get(position, known),
        };
        value.unwrap_or(NONE)
    }

    /// Adds the values of a series to the known ones. `admitted` are the values of its custom
    /// labels.
    pub(super) fn add_known_values(&self, admitted: &[&str], known: &KnownValues) {
        self.values.add_new(admitted, known);
    }
}
