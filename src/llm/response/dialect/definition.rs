//! The definition of a dialect.

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::{PathPattern, Vendor};
use crate::llm::response::json::Branch;

/// The API of a provider, which others may offer as well.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct Dialect {
    /// The paths of its requests, and their operations.
    pub(crate) paths: &'static [PathPattern],
    /// The provider, if the host does not show it.
    pub(crate) provider: &'static str,
    /// The values to read from a response, and from each event of a streamed one.
    pub(crate) branches: &'static [Branch<Answer>],
    /// Whether a response is streamed if the request does not say so.
    pub(crate) is_streamed_by_default: bool,
    /// Whether a stream has a usage object only if the request asks for it.
    pub(crate) is_usage_opt_in: bool,
    /// Whether a response may be something other than JSON, such as text or audio.
    pub(crate) is_free_form: bool,
    /// Interprets a whole event, after its values were read.
    pub(crate) on_event: fn(&mut Answer, &Event),
    /// Whether each usage object of a stream replaces all earlier ones.
    pub(crate) is_usage_complete: bool,
    /// Converts the counts to the definitions of [`Usage`](crate::llm::facts::Usage).
    pub(crate) normalize_usage: fn(&mut Answer, &CallContext<'_>),
}

impl Dialect {
    /// What most dialects have in common: a response is JSON, is streamed only if the request
    /// says so, and ends with its body.
    pub(crate) const DEFAULT: Self = Self {
        paths: &[],
        provider: "",
        branches: &[],
        is_streamed_by_default: false,
        is_usage_opt_in: false,
        is_free_form: false,
        on_event: |_, _| {},
        is_usage_complete: true,
        normalize_usage: |_, _| {},
    };
}

/// What is known about a call besides its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub(crate) vendor: Vendor,
    /// The model that was requested.
    pub(crate) model: Option<&'a str>,
    /// The maximum number of output tokens of all choices together, from the request.
    pub(crate) max_tokens: Option<u64>,
}
