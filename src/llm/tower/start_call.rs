//! Manual recording of calls.

use crate::llm::call::LlmCall;
use crate::llm::tower::LlmLayer;

impl LlmLayer {
    /// Starts a call that is recorded by hand, for example of a client that does not expose its
    /// HTTP requests, or of a model that runs in the same process.
    ///
    /// `provider` and `operation` are values of the OpenTelemetry GenAI conventions (`openai`,
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
    /// Panics if the metrics are not registered yet and cannot be registered; see
    /// [`try_register`](Self::try_register).
    #[doc(alias = "manual instrumentation")]
    pub fn start_call(&self, provider: &str, model: &str, operation: &str) -> LlmCall {
        let model = (!model.is_empty()).then(|| model.into());
        LlmCall::start(&self.metrics(), provider, model, operation)
    }
}
