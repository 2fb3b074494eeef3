//! The HTTP clients that requests are sent with.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tower::Service;

use crate::push::http_error::HttpError;

/// How long the client that is built in waits for a connection. The time limit of a request
/// includes this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest response body that is read.
const MAX_RESPONSE: usize = 16 * 1024;

/// A client of any type.
#[derive(Clone)]
pub(crate) struct HttpClient(Arc<dyn Exchange>);

/// A response whose body has been read.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "for `Retry-After`"))]
    pub(crate) headers: HeaderMap,
    /// `None` if the body is longer than 16 KiB, or if it could not be read in time.
    pub(crate) body: Option<Bytes>,
}

/// Sends one request and reads its response.
trait Exchange: Send + Sync {
    fn exchange(&self, request: Request<Bytes>, time_limit: Duration) -> ExchangeFuture;
}

type ExchangeFuture = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

impl HttpClient {
    /// Makes a client of a tower service.
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self(Arc::new(TowerClient(Mutex::new(service))))
    }

    /// Makes a client without TLS. It keeps its connections open.
    pub(crate) fn without_tls() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
        Self::new(client)
    }

    /// Makes a client of one of reqwest.
    #[cfg(feature = "reqwest")]
    pub(crate) fn reqwest(client: reqwest::Client) -> Self {
        Self(Arc::new(client))
    }

    /// Sends a request, and reads the response up to 16 KiB.
    ///
    /// The time limit is that of the whole exchange. If the head of the response arrives in time
    /// and its body does not, the result is the response without the body.
    ///
    /// If the future is dropped, the exchange is aborted. It must be polled on a tokio runtime that
    /// has a timer.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        time_limit: Duration,
    ) -> Result<HttpResponse, HttpError> {
        let client = Arc::clone(&self.0);
        // In a task, so that a panic of the client ends only this request.
        let mut task = JoinSet::new();
        task.spawn(async move { client.exchange(request, time_limit).await });
        match task.join_next().await {
            Some(Ok(result)) => result,
            _ => Err(HttpError::panic()),
        }
    }
}

/// A tower service. It is in a mutex, since it need not be `Sync`, and locked to clone it.
struct TowerClient<S>(Mutex<S>);

impl<S, B> Exchange for TowerClient<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn exchange(&self, request: Request<Bytes>, time_limit: Duration) -> ExchangeFuture {
        let service = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut service = service.clone();
        let response = async move {
            let ready = poll_fn(|context| service.poll_ready(context)).await;
            ready.map_err(|error| HttpError::new(&*error.into()))?;
            let response = service.call(request.map(Full::new)).await;
            response.map_err(|error| HttpError::new(&*error.into()))
        };
        Box::pin(read_response(response, time_limit))
    }
}

#[cfg(feature = "reqwest")]
impl Exchange for reqwest::Client {
    fn exchange(&self, request: Request<Bytes>, time_limit: Duration) -> ExchangeFuture {
        let client = self.clone();
        let response = async move {
            let request = reqwest::Request::try_from(request);
            let request = request.map_err(|error| HttpError::new(&error))?;
            let url = request.url().clone();
            let response = client.execute(request).await;
            let response = response.map_err(|error| HttpError::new(&error))?;
            // After most redirects, reqwest sends a GET without a body.
            if *response.url() != url {
                return Err(HttpError::redirect());
            }
            Ok(Response::from(response))
        };
        Box::pin(read_response(response, time_limit))
    }
}

/// Waits for a response, and reads its body.
async fn read_response<B>(
    response: impl Future<Output = Result<Response<B>, HttpError>> + Send,
    time_limit: Duration,
) -> Result<HttpResponse, HttpError>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let start = Instant::now();
    let response = timeout(time_limit, response).await;
    let (head, body) = response
        .unwrap_or_else(|_| Err(HttpError::timeout()))?
        .into_parts();
    let remaining = time_limit.saturating_sub(start.elapsed());
    let body = timeout(remaining, Limited::new(body, MAX_RESPONSE).collect()).await;
    Ok(HttpResponse {
        status: head.status,
        headers: head.headers,
        body: body.ok().and_then(Result::ok).map(Collected::to_bytes),
    })
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}
