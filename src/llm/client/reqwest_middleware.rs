//! reqwest-middleware's client.

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next};

use crate::llm::metrics::LlmMetrics;
use crate::llm::tower::{LlmFuture, LlmLayer, LlmRequest};

/// An [`LlmLayer`] as a middleware of reqwest-middleware.
///
/// Before a middleware that tries again it measures calls, after it attempts.
///
/// ```no_run
/// use tachometer::LlmLayer;
///
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     .with(LlmLayer::new().middleware())
///     .build();
/// ```
#[derive(Debug, Clone)]
pub struct LlmMiddleware(LlmMetrics);

impl LlmLayer {
    /// Makes a middleware for reqwest-middleware's client.
    ///
    /// # Panics
    ///
    /// The first time, when the metrics cannot be registered, of which
    /// [`try_register`](Self::try_register) says when.
    pub fn middleware(&self) -> LlmMiddleware {
        LlmMiddleware(self.metrics())
    }
}

#[async_trait::async_trait]
impl Middleware for LlmMiddleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        let exchange = request.start_call(&self.0);
        LlmFuture::new(next.run(request, extensions), exchange).await
    }
}
