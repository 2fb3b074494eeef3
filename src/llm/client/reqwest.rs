//! reqwest's client.

use std::future::poll_fn;

use http::{HeaderMap, StatusCode};
use reqwest::{Body, Request, RequestBuilder, Response, ResponseBuilderExt};
use tower::Service;

use crate::llm::call::HttpCall;
use crate::llm::metrics::LlmMetrics;
use crate::llm::request::RequestParams;
use crate::llm::tower::{LlmBody, LlmRequest, LlmResponse, LlmService};

impl<S> LlmService<S>
where
    S: Service<Request, Response = Response> + Clone,
    S::Error: 'static,
{
    /// Sends a request, as [`reqwest::Client::execute`] does, and measures it if it is a
    /// call of an LLM.
    ///
    /// ```no_run
    /// use tachometer::LlmLayer;
    ///
    /// # async fn run() -> Result<(), reqwest::Error> {
    /// let client = reqwest::Client::new();
    /// let llm = LlmLayer::new().layer(client.clone());
    /// let request = client
    ///     .post("https://api.openai.com/v1/chat/completions")
    ///     .body(r#"{"model":"gpt-x","messages":[{"role":"user","content":"hi"}]}"#)
    ///     .build()?;
    /// let answer = llm.execute(request).await?.text().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the client.
    pub async fn execute(&self, request: Request) -> Result<Response, S::Error> {
        let mut service = self.clone();
        poll_fn(|context| service.poll_ready(context)).await?;
        service.call(request).await
    }
}

impl<S> LlmService<S>
where
    S: Service<Request, Response = Response> + Clone,
    S::Error: From<reqwest::Error> + 'static,
{
    /// Sends what a builder makes, as [`execute`](Self::execute) does.
    ///
    /// The builder's own `send` goes past the layer, and is not measured.
    ///
    /// ```no_run
    /// use tachometer::LlmLayer;
    ///
    /// # async fn run() -> Result<(), reqwest::Error> {
    /// let llm = LlmLayer::new().layer(reqwest::Client::new());
    /// let request = llm.get_ref().post("https://api.openai.com/v1/embeddings");
    /// let answer = llm.send(request.body(r#"{"model":"m","input":"a"}"#)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the client, and of a builder that makes no request.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, S::Error> {
        self.execute(request.build()?).await
    }
}

impl LlmRequest for Request {
    fn start_call(&self, metrics: &LlmMetrics) -> Option<Box<HttpCall>> {
        let url = self.url();
        let host = (url.host_str().unwrap_or(""), url.port_or_known_default());
        HttpCall::start(metrics, self.method(), host, url.path(), || {
            RequestParams::read(self.body().and_then(Body::as_bytes))
        })
    }
}

impl LlmResponse for Response {
    type Measured = Self;

    fn head(&self) -> (StatusCode, &HeaderMap) {
        (self.status(), self.headers())
    }

    fn into_measured(self, exchange: Option<Box<HttpCall>>) -> Self {
        if exchange.is_none() {
            return self;
        }
        // The URL is in no extension of reqwest's own making, and would be lost.
        let url = http::Response::builder().url(self.url().clone()).body(());
        let (mut parts, body) = http::Response::from(self).into_parts();
        if let Ok(url) = url {
            parts.extensions.extend(url.into_parts().0.extensions);
        }
        let body = Body::wrap(LlmBody::new(body, exchange));
        http::Response::from_parts(parts, body).into()
    }
}
