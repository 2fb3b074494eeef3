//! Lends the head of a request or response to the user's closures.

use std::mem::swap;

use http::{Request, Response, request, response};

/// Lends the head of a request as `Parts`, which the user's closures take.
///
/// `Request::into_parts` needs the request by value. Moving it costs more than most requests
/// spend here, since only some settings have closures.
pub(super) fn with_head<B, T>(
    request: &mut Request<B>,
    run: impl FnOnce(&mut request::Parts) -> T,
) -> T {
    let (mut head, ()) = Request::new(()).into_parts();
    swap_heads(request, &mut head);
    let returned = run(&mut head);
    swap_heads(request, &mut head);
    returned
}

fn swap_heads<B>(request: &mut Request<B>, head: &mut request::Parts) {
    swap(request.method_mut(), &mut head.method);
    swap(request.uri_mut(), &mut head.uri);
    swap(request.version_mut(), &mut head.version);
    swap(request.headers_mut(), &mut head.headers);
    swap(request.extensions_mut(), &mut head.extensions);
}

/// Lends the head of a response as `Parts`, as [`with_head`] does for a request.
pub(super) fn with_response_head<B, T>(
    response: &mut Response<B>,
    run: impl FnOnce(&response::Parts) -> T,
) -> T {
    let (mut head, ()) = Response::new(()).into_parts();
    swap_response_heads(response, &mut head);
    let returned = run(&head);
    swap_response_heads(response, &mut head);
    returned
}

fn swap_response_heads<B>(response: &mut Response<B>, head: &mut response::Parts) {
    swap(response.status_mut(), &mut head.status);
    swap(response.version_mut(), &mut head.version);
    swap(response.headers_mut(), &mut head.headers);
    swap(response.extensions_mut(), &mut head.extensions);
}
