//! What is noted of one request beside what every record holds, where something
//! was chosen that asks for it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Request, Response, header};

use crate::middleware::custom_labels::ValueSource;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::grpc_status::GrpcStatus;
use crate::middleware::head::{RequestHead, ResponseHead};
use crate::middleware::http_labels::{MethodLabel, NONE};
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::outcome::Outcome;
use crate::middleware::request_labels::RequestLabels;
use crate::middleware::upgrade::PendingUpgrade;

#[derive(Default)]
pub(super) struct OptionalState {
    /// One for each of the layer's own labels, as far as it is known.
    values: Vec<Option<Cow<'static, str>>>,
    /// What the handler fills.
    request_labels: RequestLabels,
    pub(super) grpc_status: Option<GrpcStatus>,
    pub(super) trace_id: Option<Cow<'static, str>>,
    pub(super) upgrade: Option<PendingUpgrade>,
    /// Whether all bytes of the body have passed, and its trailers are awaited.
    pub(super) is_body_sent: bool,
    /// Whether the first byte of the body is to be timed, and has not come yet.
    pub(super) is_first_byte_pending: bool,
}

impl OptionalState {
    /// Begins with a request, and leaves in its extensions what the handler may take;
    /// returns nothing where there is nothing to note.
    pub(super) fn for_request<B>(
        metrics: &Arc<HttpMetrics>,
        endpoint: &Endpoint,
        started: Instant,
        request: &mut Request<B>,
    ) -> Option<Box<Self>> {
        // A request for an upgrade names what to, except by CONNECT.
        let upgrades = endpoint.method == MethodLabel::Connect
            || request.headers().contains_key(header::UPGRADE);
        let settings = &metrics.settings;
        if !upgrades && !metrics.needs_optional_state {
            return None;
        }
        let mut notes = Box::new(Self {
            is_first_byte_pending: settings.time_to_first_byte,
            ..Self::default()
        });
        let head = RequestHead::from_request(request);
        let own = &settings.custom_labels;
        notes.values = own
            .iter()
            .map(|own| match &own.source {
                ValueSource::Request(hook) => hook.call(|value| value(&head)).flatten(),
                _ => None,
            })
            .collect();
        if own.has_source(ValueSource::is_grpc) {
            notes.grpc_status = GrpcStatus::for_request(request.headers());
        }
        notes.trace_id = settings
            .trace_id_source
            .as_ref()
            .and_then(|traces| traces.trace_id(&head));
        if own.has_source(ValueSource::is_handler) {
            let outer = request.extensions_mut().remove().unwrap_or_default();
            notes.request_labels = RequestLabels::new(own, outer);
            request
                .extensions_mut()
                .insert(notes.request_labels.clone());
        }
        if upgrades {
            let outer = request.extensions_mut().remove().unwrap_or_default();
            let (upgrade, guard) = PendingUpgrade::new(metrics, started, outer);
            notes.upgrade = Some(upgrade);
            request.extensions_mut().insert(guard);
        }
        Some(notes)
    }

    /// Notes the response's head.
    pub(super) fn on_head<B>(&mut self, metrics: &HttpMetrics, response: &Response<B>) {
        let head = ResponseHead::from_response(response);
        for (value, own) in self
            .values
            .iter_mut()
            .zip(metrics.settings.custom_labels.iter())
        {
            if let ValueSource::Response(hook) = &own.source {
                *value = hook.call(|value| value(&head)).flatten();
            }
        }
        self.on_headers(response.headers());
    }

    /// Notes the headers that follow the body, or those before it, in which a call
    /// that fails at once has its status.
    pub(super) fn on_headers(&mut self, headers: &HeaderMap) {
        if let Some(grpc) = &mut self.grpc_status {
            grpc.read_headers(headers);
        }
    }

    /// Returns the value of the own label at a position.
    pub(super) fn label_value(
        &self,
        position: usize,
        source: &ValueSource,
        outcome: Outcome,
    ) -> &str {
        let value = match source {
            ValueSource::Handler => self.request_labels.get(position),
            ValueSource::GrpcStatus => self.grpc_status.map(|grpc| grpc.as_str(outcome)),
            ValueSource::Request(_) | ValueSource::Response(_) => {
                self.values.get(position).and_then(Option::as_deref)
            }
        };
        value.unwrap_or(NONE)
    }
}
