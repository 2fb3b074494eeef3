//! Recording of a finished call in one step.

use std::sync::Once;
use std::time::Duration;

use crate::llm::call::LlmCall;
use crate::llm::facts::{ErrorType, Outcome};
use crate::llm::metrics::LlmMetrics;
use crate::registry::Registry;

impl Registry {
    /// Records an LLM call that has ended. Its provider, its operation and the direction of its
    /// tokens are `unknown`. Use [`LlmLayer`](crate::LlmLayer) to record them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// registry.record_llm_request(Duration::from_millis(1_500), true, 750, "gpt-4");
    /// assert_eq!(registry.get("llm_tokens_total").unwrap().value(), 750.0);
    /// ```
    ///
    /// If the registry has a different metric with the name of one of the LLM metrics, nothing is
    /// recorded. The reason is logged as a warning, once per process.
    #[doc(alias = "token usage")]
    pub fn record_llm_request(&self, duration: Duration, success: bool, tokens: u64, model: &str) {
        let metrics = match LlmMetrics::new(self) {
            Ok(metrics) => metrics,
            Err(error) => {
                // The error is the same for every call.
                static WARNED: Once = Once::new();
                WARNED.call_once(|| {
                    let error = error.map_remedy(|_| {
                        "rename the other metric, or record in a handle with a prefix \
                         (`Registry::with_prefix`)"
                            .to_owned()
                    });
                    tracing::warn!(%error, "LLM calls are not recorded");
                });
                return;
            }
        };
        let model = (!model.is_empty()).then(|| model.into());
        let mut call = LlmCall::start(&metrics, "", model, "");
        call.set_undirected_tokens(tokens);
        call.measured_duration = Some(duration);
        call.finish(if success {
            Outcome::Success
        } else {
            Outcome::Error(ErrorType::Other)
        });
    }
}
