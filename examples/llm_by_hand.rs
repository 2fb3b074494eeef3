//! LLM calls that are recorded by hand, for clients that the layer cannot wrap.

use std::time::Duration;

use tachometer::llm::{Outcome, Usage};
use tachometer::{Error, LlmLayer, Registry};

fn main() -> Result<(), Error> {
    let registry = Registry::global();

    // Record a finished call.
    registry.record_llm_request(Duration::from_millis(1_500), true, 750, "gpt-4");

    // Record a call while it runs. The guard counts it even if it is cancelled.
    let llm = LlmLayer::new().registry(registry).try_register()?;
    let mut call = llm.start_call("openai", "gpt-4", "chat");
    call.set_usage(Usage::new().input(600).output(150));
    call.finish(Outcome::Success);

    for name in [
        "llm_requests_total",
        "llm_requests_success",
        "llm_requests_error",
        "llm_tokens_total",
        "llm_request_duration_seconds",
    ] {
        if let Some(metric) = registry.get(name) {
            println!("{name} {}", metric.value());
        }
    }
    Ok(())
}
