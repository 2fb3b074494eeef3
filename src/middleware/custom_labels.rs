//! Labels beside the layer's own four, and where their values come from.

use std::sync::Arc;

use crate::context::Hook;
use crate::metric::Label;
use crate::middleware::head::{OfRequest, OfResponse};

/// The labels that were chosen beside method, route, status and outcome, in the order
/// in which they were.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnLabels(Arc<[OwnLabel]>);

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct OwnLabel {
    pub(super) label: Label<'static>,
    pub(super) source: Source,
}

/// Where its value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Request(Hook<OfRequest>),
    Response(Hook<OfResponse>),
    Handler,
    GrpcStatus,
}

impl OwnLabels {
    pub(super) fn push(&mut self, label: Label<'static>, source: Source) {
        let new = [OwnLabel { label, source }];
        self.0 = self.0.iter().cloned().chain(new).collect();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &OwnLabel> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the position of the label with this name, if handlers fill it.
    pub(super) fn handlers(&self, name: &str) -> Option<usize> {
        let is = |own: &OwnLabel| own.label.name() == name && own.source.is_handler();
        self.0.iter().position(is)
    }

    pub(super) fn any(&self, is: impl Fn(&Source) -> bool) -> bool {
        self.0.iter().any(|own| is(&own.source))
    }
}

impl Source {
    pub(super) fn is_handler(&self) -> bool {
        matches!(self, Self::Handler)
    }

    pub(super) fn is_grpc(&self) -> bool {
        matches!(self, Self::GrpcStatus)
    }
}
