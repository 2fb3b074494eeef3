//! An HTTP client of the demo.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Body, Client, Method, RequestBuilder, Response};

/// The time until a client gives up. Some requests have a shorter one.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(super) struct DemoClient {
    client: Client,
    address: SocketAddr,
}

impl DemoClient {
    pub(super) fn new(address: SocketAddr) -> reqwest::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { client, address })
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str, body: impl Into<Body>) -> RequestBuilder {
        self.request(Method::POST, path).body(body)
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url)
    }
}

/// Sends a request, and returns the response head. Errors are part of the traffic: a client that
/// times out disconnects, which the demo counts, too.
pub(super) async fn open(request: RequestBuilder) -> Option<Response> {
    request.send().await.ok()
}

/// Sends a request, and reads the whole response.
pub(super) async fn send(request: RequestBuilder) {
    if let Some(response) = open(request).await {
        let _ = response.bytes().await;
    }
}
