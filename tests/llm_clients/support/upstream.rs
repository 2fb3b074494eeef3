//! A server that answers as the test tells it to.

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

/// What is answered to one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Frames,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum Frames {
    /// One piece, whose length the head tells.
    Whole(String),
    /// Pieces, each of which is sent before the next one is made.
    Pieces(Vec<String>),
    /// Not even a head comes.
    Never,
}

/// What happens after the last piece.
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
        Self::of(status, "application/json", Frames::Whole(body.into()))
    }

    /// A stream of events, each in a piece of its own.
    pub(crate) fn events<T: ToString>(events: impl IntoIterator<Item = T>) -> Self {
        let pieces = events.into_iter();
        let pieces = pieces.map(|event| format!("data: {}\n\n", event.to_string()));
        Self::of(200, "text/event-stream", Frames::Pieces(pieces.collect()))
    }

    pub(crate) fn never() -> Self {
        Self::of(200, "", Frames::Never)
    }

    pub(crate) fn of(status: u16, kind: &str, body: Frames) -> Self {
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

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) head: request::Parts,
    pub(crate) body: String,
}

/// The server, which is gone when this is.
pub(crate) struct Upstream {
    /// Without a path.
    pub(crate) url: String,
    asked: Mutex<mpsc::UnboundedReceiver<Arc<Asked>>>,
    served: JoinHandle<()>,
}

impl Upstream {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (told, asked) = mpsc::unbounded_channel();
        let answer = Arc::new(answer);
        let app = Router::new().fallback(move |request: Request| {
            let (answer, told) = (Arc::clone(&answer), told.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = String::from_utf8(body.to_vec()).unwrap();
                let asked = Arc::new(Asked { head, body });
                let _ = told.send(Arc::clone(&asked));
                answer(&asked).respond().await
            }
        });
        let served = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            asked: Mutex::new(asked),
            served,
        }
    }

    /// One that answers the same to each request.
    pub(crate) async fn with(answer: Answer) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    /// Returns the requests that have come since it was last asked.
    pub(crate) fn asked(&self) -> Vec<Arc<Asked>> {
        let mut asked = self.asked.lock().unwrap();
        std::iter::from_fn(|| asked.try_recv().ok()).collect()
    }

    /// Returns the URL of a path.
    pub(crate) fn at(&self, path: &str) -> String {
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
