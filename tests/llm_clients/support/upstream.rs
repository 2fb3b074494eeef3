//! A server with scripted responses.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Response, request};
use futures_util::stream::{self, StreamExt};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The response to one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Frames,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum Frames {
    /// One chunk, with a `content-length`.
    Whole(String),
    /// Chunks, each of which is sent before the next one is made.
    Pieces(Vec<String>),
    /// No response head is sent.
    Never,
}

/// What happens after the last chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Ends,
    /// The connection is closed as if more were to come.
    Breaks,
    /// Nothing more happens.
    Hangs,
}

impl Answer {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "application/json", Frames::Whole(body.into()))
    }

    /// A stream of events, each in a piece of its own.
    pub(crate) fn events<T: ToString>(events: impl IntoIterator<Item = T>) -> Self {
        let pieces = events.into_iter();
        let pieces = pieces.map(|event| format!("data: {}\n\n", event.to_string()));
        Self::new(200, "text/event-stream", Frames::Pieces(pieces.collect()))
    }

    pub(crate) fn never() -> Self {
        Self::new(200, "", Frames::Never)
    }

    pub(crate) fn new(status: u16, kind: &str, body: Frames) -> Self {
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body,
            end: End::Ends,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    async fn respond(self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let pieces = match self.body {
            Frames::Whole(body) => return response.body(Body::from(body)).unwrap(),
            Frames::Pieces(pieces) => pieces,
            Frames::Never => std::future::pending().await,
        };
        let pieces = stream::iter(pieces).then(|piece| async {
            // The server sends what it has when the body has nothing for it.
            tokio::task::yield_now().await;
            Ok::<_, &str>(Bytes::from(piece))
        });
        let body = match self.end {
            End::Ends => Body::from_stream(pieces),
            End::Breaks => Body::from_stream(pieces.chain(stream::once(async {
                tokio::task::yield_now().await;
                Err("it breaks off")
            }))),
            End::Hangs => Body::from_stream(pieces.chain(stream::pending())),
        };
        response.body(body).unwrap()
    }
}

/// A request as it was received.
#[derive(Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) head: request::Parts,
    pub(crate) body: String,
}

/// The server, which is gone when this is.
pub(crate) struct Upstream {
    /// Without a path.
    pub(crate) url: String,
    received: Mutex<mpsc::UnboundedReceiver<Arc<ReceivedRequest>>>,
    served: JoinHandle<()>,
}

impl Upstream {
    pub(crate) async fn start(
        answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests_sender, received) = mpsc::unbounded_channel();
        let answer = Arc::new(answer);
        let app = Router::new().fallback(move |request: Request| {
            let (answer, requests_sender) = (Arc::clone(&answer), requests_sender.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = String::from_utf8(body.to_vec()).unwrap();
                let received = Arc::new(ReceivedRequest { head, body });
                let _ = requests_sender.send(Arc::clone(&received));
                answer(&received).respond().await
            }
        });
        let served = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            received: Mutex::new(received),
            served,
        }
    }

    /// One that answers the same to each request.
    pub(crate) async fn with(answer: Answer) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    /// Returns the requests received since the last call.
    pub(crate) fn received(&self) -> Vec<Arc<ReceivedRequest>> {
        let mut received = self.received.lock().unwrap();
        std::iter::from_fn(|| received.try_recv().ok()).collect()
    }

    /// Returns the URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.served.abort();
    }
}

/// Returns the URL of a port where nobody listens.
pub(crate) async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
