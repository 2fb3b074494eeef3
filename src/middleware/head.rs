//! Lends the head of a request to the user's closures.

use std::mem::swap;

use http::{Request, request};

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
