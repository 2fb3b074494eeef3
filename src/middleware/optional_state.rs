//! What is noted of one request beside what every record holds, where something
//! was chosen that asks for it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Request, Response, header};

use crate::middleware::custom_labels::Source;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::grpc::GrpcStatus;
use crate::middleware::head::{RequestHead, ResponseHead};
use crate::middleware::method_label::{NONE, Verb};
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::outcome::Outcome;
use crate::middleware::request_labels::RequestLabels;
use crate::middleware::upgrade::Upgrade;

#[derive(Default)]
pub(super) struct Notes {
    /// One for each of the layer's own labels, as far as it is known.
    values: Vec<Option<Cow<'static, str>>>,
    /// What the handler fills.
    slot: RequestLabels,
    pub(super) grpc: Option<GrpcStatus>,
    pub(super) trace: Option<Cow<'static, str>>,
    pub(super) upgrade: Option<Upgrade>,
    /// Whether all bytes of the body have passed, and its trailers are awaited.
    pub(super) passed: bool,
    /// Whether the first byte of the body is to be timed, and has not come yet.
    pub(super) awaits_first_byte: bool,
}

impl Notes {
    /// Begins with a request, and leaves in its extensions what the handler may take;
    /// returns nothing where there is nothing to note.
    pub(super) fn of<B>(
        metrics: &Arc<HttpMetrics>,
        endpoint: &Endpoint,
        started: Instant,
        request: &mut Request<B>,
    ) -> Option<Box<Self>> {
        // A request for an upgrade names what to, except by CONNECT.
        let upgrades =
            endpoint.verb == Verb::Connect || request.headers().contains_key(header::UPGRADE);
        let settings = &metrics.settings;
        if !upgrades && !metrics.take_notes {
            return None;
        }
        let mut notes = Box::new(Self {
            awaits_first_byte: settings.time_to_first_byte,
            ..Self::default()
        });
        let head = RequestHead::of(request);
        let own = &settings.own;
        notes.values = own
            .iter()
            .map(|own| match &own.source {
                Source::Request(hook) => hook.ask(|value| value(&head)).flatten(),
                _ => None,
            })
            .collect();
        if own.any(Source::is_grpc) {
            notes.grpc = GrpcStatus::of_request(request.headers());
        }
        notes.trace = settings.traces.as_ref().and_then(|traces| traces.id(&head));
        if own.any(Source::is_handler) {
            let outer = request.extensions_mut().remove().unwrap_or_default();
            notes.slot = RequestLabels::new(own, outer);
            request.extensions_mut().insert(notes.slot.clone());
        }
        if upgrades {
            let outer = request.extensions_mut().remove().unwrap_or_default();
            let (upgrade, guard) = Upgrade::new(metrics, started, outer);
            notes.upgrade = Some(upgrade);
            request.extensions_mut().insert(guard);
        }
        Some(notes)
    }

    /// Notes the response's head.
    pub(super) fn head<B>(&mut self, metrics: &HttpMetrics, response: &Response<B>) {
        let head = ResponseHead::of(response);
        for (value, own) in self.values.iter_mut().zip(metrics.settings.own.iter()) {
            if let Source::Response(hook) = &own.source {
                *value = hook.ask(|value| value(&head)).flatten();
            }
        }
        self.trailers(response.headers());
    }

    /// Notes the headers that follow the body, or those before it, in which a call
    /// that fails at once has its status.
    pub(super) fn trailers(&mut self, headers: &HeaderMap) {
        if let Some(grpc) = &mut self.grpc {
            grpc.note(headers);
        }
    }

    /// Returns the value of the own label at a position.
    pub(super) fn value(&self, position: usize, source: &Source, outcome: Outcome) -> &str {
        let value = match source {
            Source::Handler => self.slot.get(position),
            Source::GrpcStatus => self.grpc.map(|grpc| grpc.as_str(outcome)),
            Source::Request(_) | Source::Response(_) => {
                self.values.get(position).and_then(Option::as_deref)
            }
        };
        value.unwrap_or(NONE)
    }
}
