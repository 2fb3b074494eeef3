//! Labels beside the layer's own four, and where their values come from.

use std::sync::Arc;

use crate::context::Hook;
use crate::metric::Label;
use crate::middleware::head::{RequestFn, ResponseFn};

/// The labels that were chosen beside method, route, status and outcome, in the order
/// in which they were.
#[derive(Debug, Clone, Default)]
pub(super) struct CustomLabels(Arc<[CustomLabel]>);

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct CustomLabel {
    pub(super) label: Label<'static>,
    pub(super) source: ValueSource,
}

/// Where its value comes from.
#[derive(Debug, Clone)]
pub(super) enum ValueSource {
    Request(Hook<RequestFn>),
    Response(Hook<ResponseFn>),
    Handler,
    GrpcStatus,
}

impl CustomLabels {
    pub(super) fn push(&mut self, label: Label<'static>, source: ValueSource) {
        let new = [CustomLabel { label, source }];
        self.0 = self.0.iter().cloned().chain(new).collect();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CustomLabel> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the position of the label with this name, if handlers fill it.
    pub(super) fn handler_label_position(&self, name: &str) -> Option<usize> {
        let is = |own: &CustomLabel| own.label.name() == name && own.source.is_handler();
        self.0.iter().position(is)
    }

    pub(super) fn has_source(&self, is: impl Fn(&ValueSource) -> bool) -> bool {
        self.0.iter().any(|own| is(&own.source))
    }
}

impl ValueSource {
    pub(super) fn is_handler(&self) -> bool {
        matches!(self, Self::Handler)
    }

    pub(super) fn is_grpc(&self) -> bool {
        matches!(self, Self::GrpcStatus)
    }
}
