//! reqwest-middleware's client.

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next};

use crate::llm::metrics::LlmMetrics;
use crate::llm::tower::{LlmFuture, LlmLayer, LlmRequest};

impl LlmLayer {
    /// Creates a middleware for reqwest-middleware's `ClientBuilder::with`.
    ///
    /// Added before a retry middleware, it measures calls. Added after it, it measures attempts.
    ///
    /// ```no_run
    /// use tachometer::LlmLayer;
    ///
    /// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
    ///     .with(LlmLayer::new().middleware())
    ///     .build();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the metrics are not registered yet and cannot be registered; see
    /// [`try_register`](Self::try_register).
    #[doc(alias = "retry")]
    pub fn middleware(&self) -> impl Middleware + Clone + use<> {
        LlmMiddleware(self.metrics())
    }
}

#[derive(Debug, Clone)]
struct LlmMiddleware(LlmMetrics);

#[async_trait::async_trait]
impl Middleware for LlmMiddleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        let call = request.start_call(&self.0);
        LlmFuture::new(next.run(request, extensions), call).await
    }
}
