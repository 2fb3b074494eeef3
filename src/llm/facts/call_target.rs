//! The provider, the model and the operation of a call.

use crate::context::RequestRoute;

/// The labels of a call, and the evidence that its model exists.
#[derive(Debug)]
pub(crate) struct CallTarget {
    pub(crate) provider: Box<str>,
    /// The requested model, or the response's if the request does not show it.
    pub(crate) model: Option<Box<str>>,
    pub(crate) operation: Box<str>,
    /// The evidence that the model exists.
    pub(crate) model_evidence: ModelEvidence,
    /// Whether the model had its own series when the call started.
    pub(crate) has_series: bool,
    /// The route of the request that makes the call, if calls are recorded by route.
    pub(crate) route: RequestRoute,
}

/// The evidence that the model of a call exists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ModelEvidence {
    /// There is no evidence yet: the name may be misspelled.
    None,
    /// The provider accepted a request with the name.
    AcceptedRequest,
    /// Only the response has the name.
    Response,
}

impl CallTarget {
    /// Returns true if calls of the operation have output tokens.
    pub(crate) fn has_output(&self) -> bool {
        !matches!(&*self.operation, "embeddings" | "rerank" | "moderation")
    }

    /// Returns the evidence that the model exists. A call without a model is counted under
    /// `unknown`, which needs no evidence.
    pub(crate) fn evidence(&self) -> ModelEvidence {
        match self.model {
            Some(_) => self.model_evidence,
            None => ModelEvidence::AcceptedRequest,
        }
    }
}
