//! A measured reqwest client in place of async-openai's service.
//~ `LlmLayer` does not measure requests of the type `HttpRequestFactory`
//~ for async-openai there is `LlmLayer::async_openai`

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use tachometer::LlmLayer;

#[cfg(mistake)]
pub fn client() -> Client<OpenAIConfig> {
    let service = LlmLayer::new().layer(reqwest::Client::new());
    Client::new().with_http_service(service)
}

#[cfg(not(mistake))]
pub fn client() -> Client<OpenAIConfig> {
    let service = LlmLayer::new().async_openai(reqwest::Client::new());
    Client::new().with_http_service(service)
}
