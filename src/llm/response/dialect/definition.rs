//! What defines a dialect.

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::{PathPattern, Vendor};
use crate::llm::response::json::Branch;

/// One way to ask and to answer.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Dialect {
    /// The ends of the paths by which its requests are known, and what they ask for,
    /// as the OpenTelemetry GenAI conventions call it.
    pub(crate) paths: &'static [PathPattern],
    /// The provider, where the host does not tell it.
    pub(crate) provider: &'static str,
    /// What is read of an answer, and of each event of a streamed one.
    pub(crate) branches: &'static [Branch<Answer>],
    /// Whether an answer is streamed when the request does not say.
    pub(crate) is_streamed_by_default: bool,
    /// Whether a stream has its usage only where the request asks for it.
    pub(crate) is_usage_opt_in: bool,
    /// Whether an answer may be something else than JSON, such as a text or sound.
    pub(crate) is_free_form: bool,
    /// What a whole event says, once it has been read.
    pub(crate) on_event: fn(&mut Answer, &Event),
    /// Whether each usage object of a stream stands for all earlier ones.
    pub(crate) is_usage_complete: bool,
    /// Brings the counts to the terms of [`Usage`](crate::llm::usage::tokens::Usage).
    pub(crate) normalize_usage: fn(&mut Answer, &CallContext<'_>),
}

impl Dialect {
    /// What most dialects have in common: nothing is streamed unless it is asked for, and an
    /// answer is JSON, whose end is that of its bytes.
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

/// What is known of a call beside its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub(crate) vendor: Vendor,
    /// The model that was requested.
    pub(crate) model: Option<&'a str>,
    /// The most output tokens that the request allows, in all answers together.
    pub(crate) max_tokens: Option<u64>,
}
