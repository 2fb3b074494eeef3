//! The layer that compresses, from tower-http.

use std::convert::Infallible;
use std::ops::RangeInclusive;

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_ENCODING;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use tower::util::AndThenLayer;
use tower_http::CompressionLevel;
use tower_http::compression::predicate::Predicate;
use tower_http::compression::{CompressionBody, CompressionLayer};

/// Adds the layer to a route. It compresses responses if the client asks for it.
pub(crate) fn compressed<S>(route: MethodRouter<S>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        // If another crate enables these features of tower-http, nothing changes here.
        .no_br()
        .no_deflate()
        .compress_when(IsShort);
    route.layer((AndThenLayer::new(compress_completely), compression))
}

/// The lengths of bodies that are compressed. A longer one would occupy the thread, which serves
/// requests.
const LENGTHS: RangeInclusive<u64> = 32..=256 << 10;

/// Selects responses whose body is worth its compression. A 304 has none, and errors are short.
#[derive(Debug, Clone, Copy)]
struct IsShort;

impl Predicate for IsShort {
    fn should_compress<B: http_body::Body>(&self, response: &Response<B>) -> bool {
        let length = response.body().size_hint().exact();
        response.status().is_success() && length.is_some_and(|length| LENGTHS.contains(&length))
    }
}

/// Compresses the whole body before any of it is sent.
///
/// So the length is known, also for HEAD, and no compressor waits for a client that does not
/// read.
async fn compress_completely(
    response: Response<CompressionBody<Body>>,
) -> Result<Response, Infallible> {
    let (head, body) = response.into_parts();
    if !head.headers.contains_key(CONTENT_ENCODING) {
        return Ok(Response::from_parts(head, Body::new(body)));
    }
    Ok(match to_bytes(Body::new(body), usize::MAX).await {
        Ok(bytes) => Response::from_parts(head, Body::from(bytes)),
        // The memory of the compressor could not be allocated.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
}
