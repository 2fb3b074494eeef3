//! Clients with the request and response types of the `http` crate.

use std::any::Any;

use http::uri::Authority;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::Body;

use crate::llm::call::HttpCall;
#[cfg(feature = "hyper-util")]
use crate::llm::client::hyper::in_memory_body;
use crate::llm::metrics::LlmMetrics;
use crate::llm::request::{RequestModel, RequestParams};
use crate::llm::tower::{LlmBody, LlmRequest, LlmResponse};

impl<B: 'static> LlmRequest for Request<B> {
    fn start_call(&self, metrics: &LlmMetrics) -> Option<Box<HttpCall>> {
        let uri = self.uri();
        // A request target in origin form has no host; the host is in the `Host` header.
        let host_header = || {
            let host = self.headers().get(header::HOST)?.to_str().ok()?;
            host.parse::<Authority>().ok()
        };
        let authority = uri.authority().cloned().or_else(host_header);
        let host = authority.as_ref().map_or("", Authority::host);
        let default_port = || match uri.scheme_str()? {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        };
        let port = authority.as_ref().and_then(Authority::port_u16);
        let port = port.or_else(default_port);
        HttpCall::start(metrics, self.method(), (host, port), uri.path(), || {
            let mut params = read_params(self.body());
            if let Some(model) = self.extensions().get::<RequestModel>() {
                params.model.get_or_insert_with(|| model.0.clone());
            }
            params
        })
    }
}

/// Reads the parameters of a body whose type is known to be in memory. Returns no parameters for
/// other types.
fn read_params(body: &dyn Any) -> RequestParams {
    if let Some(body) = body.downcast_ref::<String>() {
        return RequestParams::read(Some(body.as_bytes()));
    }
    #[cfg(feature = "hyper-util")]
    if let Some(body) = in_memory_body(body) {
        return RequestParams::read(Some(&body));
    }
    #[cfg(feature = "reqwest")]
    if let Some(body) = body.downcast_ref::<reqwest::Body>() {
        return RequestParams::read(body.as_bytes());
    }
    RequestParams::default()
}

impl<B> LlmResponse for Response<B>
where
    B: Body,
    B::Error: 'static,
{
    type Measured = Response<LlmBody<B>>;

    fn head(&self) -> (StatusCode, &HeaderMap) {
        (self.status(), self.headers())
    }

    fn into_measured(self, call: Option<Box<HttpCall>>) -> Self::Measured {
        self.map(|body| LlmBody::new(body, call))
    }
}
