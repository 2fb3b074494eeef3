//! async-openai's client.

use std::pin::Pin;
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::Response;
use tower::Service;

use crate::llm::tower::{LlmLayer, LlmService};

impl LlmLayer {
    /// Wraps a [`reqwest::Client`] for async-openai's `Client::with_http_service`.
    ///
    /// A client with a custom service does not retry. Add async-openai's `OpenAIRetryLayer` around
    /// the service to retry; then each attempt is measured.
    ///
    /// ```no_run
    /// use tachometer::LlmLayer;
    ///
    /// let service = LlmLayer::new().async_openai(reqwest::Client::new());
    /// let client = async_openai::Client::new().with_http_service(service);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the metrics are not registered yet and cannot be registered; see
    /// [`try_register`](Self::try_register).
    #[doc(alias = "retry")]
    pub fn async_openai(
        &self,
        client: reqwest::Client,
    ) -> impl Service<
        HttpRequestFactory,
        Response = Response,
        Error = OpenAIError,
        Future = impl Future<Output = Result<Response, OpenAIError>> + Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static {
        AsyncOpenAi(self.layer(client))
    }
}

#[derive(Debug, Clone)]
struct AsyncOpenAi(LlmService<reqwest::Client>);

impl Service<HttpRequestFactory> for AsyncOpenAi {
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        // A reqwest client is always ready.
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
