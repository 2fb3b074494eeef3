//! The path at which a service is nested in axum's router.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::Extensions;
use tower::{Service, service_fn};

/// Returns the path of the `nest_service` that matched a request, such as `/static`.
///
/// For such a request axum has no [`MatchedPath`], but it remembers the path where another
/// router would read it. So this asks a router: it gets the extensions with a request to its
/// only route, and its `MatchedPath` is then the path of the nest and its own. That is documented
/// behavior of nested routers. If axum changes it, there is no prefix.
///
/// It is text of the program and never of a client. It clones all extensions, so callers
/// should remember the answer.
pub(crate) fn nest_prefix(extensions: &Extensions) -> Option<String> {
    if extensions.is_empty() {
        return None;
    }
    let mut request = Request::new(Body::empty());
    *request.extensions_mut() = extensions.clone();
    let mut future = PROBE.clone().call(request);
    let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(response)) = polled else {
        return None;
    };
    let path = response.extensions().get::<MatchedPath>()?.as_str();
    let prefix = path.strip_suffix(OWN_PATH)?;
    (!prefix.is_empty()).then(|| prefix.to_owned())
}

/// The path of the request, and of the only route.
const OWN_PATH: &str = "/";

/// Responds with the `MatchedPath` of the request as an extension.
static PROBE: LazyLock<Router> = LazyLock::new(|| {
    let respond = |request: Request| {
        let mut response = Response::new(Body::empty());
        if let Some(path) = request.extensions().get::<MatchedPath>() {
            response.extensions_mut().insert(path.clone());
        }
        ready(Ok::<_, Infallible>(response))
    };
    Router::new().route_service(OWN_PATH, service_fn(respond))
});
