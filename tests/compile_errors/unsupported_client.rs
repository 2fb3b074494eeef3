//! A client with request and response types of its own.
//~ `LlmLayer` does not measure requests of the type `Prompt`
//~ calls of any other client can be recorded with `LlmLayer::start_call`

use std::convert::Infallible;

use tachometer::LlmLayer;
use tachometer::llm::Outcome;
use tower::{Service, service_fn};

pub struct Prompt(String);

async fn answer(prompt: Prompt) -> Result<String, Infallible> {
    Ok(prompt.0)
}

#[cfg(mistake)]
pub fn client() -> impl Service<Prompt> {
    LlmLayer::new().layer(service_fn(answer))
}

#[cfg(not(mistake))]
pub fn client() -> impl Service<Prompt> {
    let llm = LlmLayer::new();
    service_fn(move |prompt| {
        let call = llm.start_call("in-process", "model", "chat");
        async move {
            let text = answer(prompt).await;
            call.finish(Outcome::Success);
            text
        }
    })
}
