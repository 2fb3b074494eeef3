//! A request that is built by the measured client.
//~ no method named `post` found

use reqwest::{Client, Response, Result};
use tachometer::LlmLayer;
use tachometer::llm::LlmService;

const URL: &str = "https://api.openai.com/v1/embeddings";

#[cfg(mistake)]
pub async fn embed(llm: &LlmService<Client>, body: String) -> Result<Response> {
    llm.post(URL).body(body).send().await
}

#[cfg(not(mistake))]
pub async fn embed(llm: &LlmService<Client>, body: String) -> Result<Response> {
    llm.send(llm.get_ref().post(URL).body(body)).await
}
