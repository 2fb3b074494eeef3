//! The seed's way to record a call: all at once, after it.

use std::sync::Once;
use std::time::Duration;

use crate::llm::facts::{ErrorType, Outcome};
use crate::llm::metrics::LlmMetrics;
use crate::registry::Registry;

impl Registry {
    /// Records a call of an LLM that has ended, of which no more is known: provider,
    /// operation and the tokens' direction are `unknown`.
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
    /// Where the registry holds something else under the name of one of the metrics,
    /// nothing is recorded, and one warning of the process says why.
    pub fn record_llm_request(&self, duration: Duration, success: bool, tokens: u64, model: &str) {
        let metrics = match LlmMetrics::new(self) {
            Ok(metrics) => metrics,
            Err(error) => {
                // Not again and again: it is the same at each call.
                static WARNED: Once = Once::new();
                WARNED.call_once(|| tracing::warn!(%error, "a call of an LLM is not recorded"));
                return;
            }
        };
        let mut call = metrics.start("", "", model);
        call.set_tokens(tokens);
        call.took = Some(duration);
        call.finish(if success {
            Outcome::Success
        } else {
            Outcome::Error(ErrorType::Other)
        });
    }
}
