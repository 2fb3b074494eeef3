//! Labels besides method, route, status and outcome, and the sources of their values.

use std::sync::Arc;

use crate::context::{OnPanic, UserClosure};
use crate::metric::Label;
use crate::middleware::closures::{RequestFn, ResponseFn};

/// The custom labels of a layer, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(super) struct CustomLabels(Arc<[CustomLabel]>);

#[derive(Debug, Clone)]
pub(super) struct CustomLabel {
    pub(super) label: Label<'static>,
    pub(super) source: ValueSource,
}

/// The source of a label's value.
#[derive(Debug, Clone)]
pub(super) enum ValueSource {
    Request(UserClosure<RequestFn>),
    Response(UserClosure<ResponseFn>),
    Handler,
    GrpcStatus,
    Version,
    Scheme,
}

impl CustomLabels {
    pub(super) fn push(&mut self, label: Label<'static>, source: ValueSource) {
        let added = [CustomLabel { label, source }];
        self.0 = self.0.iter().cloned().chain(added).collect();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CustomLabel> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the position of the label with this name, if handlers set its value.
    pub(super) fn handler_label_position(&self, name: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|custom| custom.label.name() == name && custom.source.is_handler())
    }

    /// Sets what is called after a panic of a closure.
    pub(super) fn set_on_panic(&mut self, on_panic: &OnPanic) {
        let mut labels = self.0.to_vec();
        for label in &mut labels {
            match &mut label.source {
                ValueSource::Request(closure) => closure.set_on_panic(on_panic),
                ValueSource::Response(closure) => closure.set_on_panic(on_panic),
                ValueSource::Handler
                | ValueSource::GrpcStatus
                | ValueSource::Version
                | ValueSource::Scheme => {}
            }
        }
        self.0 = labels.into();
    }

    /// Returns the position of the label with this name.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|custom| custom.label.name() == name)
    }

    /// Returns true if the predicate holds for the source of some label.
    pub(super) fn has_source(&self, predicate: impl Fn(&ValueSource) -> bool) -> bool {
        self.0.iter().any(|custom| predicate(&custom.source))
    }
}

impl ValueSource {
    pub(super) fn is_handler(&self) -> bool {
        matches!(self, Self::Handler)
    }

    pub(super) fn is_grpc_status(&self) -> bool {
        matches!(self, Self::GrpcStatus)
    }
}
