//! async-openai's client.

use std::pin::Pin;
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::Response;
use tower::Service;

use crate::llm::tower::{LlmLayer, LlmService};

/// A measured [`reqwest::Client`] as the service that async-openai calls.
///
/// Its own retries are gone where a service is given; its `OpenAIRetryLayer` around this
/// one brings them back, and each attempt is measured.
///
/// ```no_run
/// use tachometer::LlmLayer;
///
/// let service = LlmLayer::new().async_openai(reqwest::Client::new());
/// let client = async_openai::Client::new().with_http_service(service);
/// ```
#[derive(Debug, Clone)]
pub struct AsyncOpenAi(LlmService<reqwest::Client>);

impl LlmLayer {
    /// Wraps a client for async-openai.
    ///
    /// # Panics
    ///
    /// The first time, when the metrics cannot be registered, of which
    /// [`try_register`](Self::try_register) says when.
    pub fn async_openai(&self, client: reqwest::Client) -> AsyncOpenAi {
        AsyncOpenAi(self.layer(client))
    }
}

impl Service<HttpRequestFactory> for AsyncOpenAi {
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        // reqwest's client always is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let request = request.build().await?;
            client.execute(request).await.map_err(OpenAIError::Reqwest)
        })
    }
}
