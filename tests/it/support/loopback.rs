//! Servers and clients on loopback.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::header::{HeaderName, TE};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// An axum server on a free port.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn start(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Self {
            address,
            stop,
            served: tokio::spawn(server.into_future()),
        }
    }

    /// Returns once every connection is closed and every response dropped.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.served.await.unwrap().unwrap();
    }
}

/// A client that speaks one version of HTTP.
pub(crate) struct Caller(Client<HttpConnector, Body>);

impl Caller {
    pub(crate) fn new(version: Version) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.http2_only(version == Version::HTTP_2);
        Self(builder.build_http())
    }

    /// Returns a response whose body is still to be read.
    pub(crate) async fn open(&self, method: Method, url: &str) -> Result<Response<Body>, String> {
        self.send(method, url, &[]).await
    }

    /// Does what [`open`](Self::open) does, with headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(HeaderName, &str)],
    ) -> Result<Response<Body>, String> {
        // Over HTTP/1.1, trailers are sent only if requested.
        let request = Request::builder().method(method).uri(url);
        let mut request = request.header(TE, "trailers");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::empty()).map_err(|e| e.to_string())?;
        let response = self.0.request(request).await.map_err(|e| e.to_string())?;
        Ok(response.map(Body::new))
    }

    /// Returns a whole response.
    pub(crate) async fn call(&self, method: Method, url: &str) -> Result<Answer, String> {
        let (head, body) = self.open(method, url).await?.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        })
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Answer, String> {
        self.call(Method::GET, url).await
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}
