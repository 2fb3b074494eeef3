//! Calls that are recorded by hand.

use crate::llm::call::LlmCall;
use crate::llm::tower::LlmLayer;

impl LlmLayer {
    /// Starts a call that is recorded by hand: of a client that hides its HTTP, or of a model
    /// in the process.
    ///
    /// `provider` and `operation` are those of the OpenTelemetry GenAI conventions (`openai`,
    /// `anthropic`, `aws.bedrock`; `chat`, `text_completion`, `embeddings`) or custom ones.
    /// Empty strings are recorded as `unknown`.
    ///
    /// ```
    /// use tachometer::llm::{Outcome, Usage};
    /// use tachometer::{LlmLayer, Registry};
    ///
    /// let registry = Registry::new();
    /// let llm = LlmLayer::new().registry(&registry);
    ///
    /// let mut call = llm.start_call("aws.bedrock", "claude-x", "chat");
    /// call.first_token();
    /// call.set_usage(Usage::new().input(21).output(4));
    /// call.finish(Outcome::Success);
    ///
    /// drop(llm.start_call("aws.bedrock", "claude-x", "chat")); // recorded as cancelled
    ///
    /// let requests = registry.get("llm_requests_total").unwrap();
    /// assert_eq!(requests.value(), 2.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If the metrics are not registered yet and cannot be; see
    /// [`try_register`](Self::try_register).
    pub fn start_call(&self, provider: &str, model: &str, operation: &str) -> LlmCall {
        let model = (!model.is_empty()).then(|| model.into());
        LlmCall::start(&self.metrics(), provider, model, operation)
    }
}
