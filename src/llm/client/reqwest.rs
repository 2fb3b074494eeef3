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
    /// Sends a request like [`reqwest::Client::execute`], and measures it if it is an LLM call.
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
    /// let text = llm.execute(request).await?.text().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the client's error if the request fails.
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
    /// Builds a request and sends it like [`execute`](Self::execute).
    ///
    /// [`RequestBuilder::send`] sends the request through the inner client, so it is not
    /// measured.
    ///
    /// ```no_run
    /// use tachometer::LlmLayer;
    ///
    /// # async fn run() -> Result<(), reqwest::Error> {
    /// let llm = LlmLayer::new().layer(reqwest::Client::new());
    /// let request = llm.get_ref().post("https://api.openai.com/v1/embeddings");
    /// let response = llm.send(request.body(r#"{"model":"m","input":"a"}"#)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the builder's error if the request is invalid, and the client's error if it fails.
    #[doc(alias = "post")]
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

    fn into_measured(self, call: Option<Box<HttpCall>>) -> Self {
        if call.is_none() {
            return self;
        }
        // The conversion to `http::Response` drops the URL. An extension keeps it.
        let url = http::Response::builder().url(self.url().clone()).body(());
        let (mut parts, body) = http::Response::from(self).into_parts();
        if let Ok(url) = url {
            parts.extensions.extend(url.into_parts().0.extensions);
        }
        let body = Body::wrap(LlmBody::new(body, call));
        http::Response::from_parts(parts, body).into()
    }
}
