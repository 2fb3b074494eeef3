//! Target `router`: a router with a token and a password; a method, a path and headers. Only
//! the exact credentials are accepted, and each response has a documented status.

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body::Body as _;
use tachometer::{MetricsRouter, Registry};
use tower::ServiceExt;

use super::{byte, choice, fields};

const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::OPTIONS,
    Method::CONNECT,
];
const HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "x-prometheus-scrape-timeout-seconds",
    "host",
    "range",
    "if-none-match",
    "origin",
    "x-forwarded-for",
    "content-type",
];
const STATUSES: [u16; 9] = [200, 307, 308, 400, 401, 404, 405, 414, 503];
const SECRETS: [&[u8]; 2] = [b"secret-token", b"secret-password"];

static BASIC: LazyLock<String> = LazyLock::new(|| BASE64_STANDARD.encode("user:secret-password"));
static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let registry = Registry::new();
    let family = registry.counter_family("jobs", "Jobs.", ["queue"]);
    family.expect("a good name").with(["mail"]).inc();
    MetricsRouter::new()
        .registry(&registry)
        .without_system_metrics()
        .bearer_token("secret-token")
        .basic_auth("user", "secret-password")
        .build()
});

/// Runs the target on choices, a request target, an `Authorization` header and two more header
/// values, separated by 0xff.
pub(crate) fn run(input: &[u8]) {
    let [mut choices, target, shown, one, other] = fields(input);
    let choices = &mut choices;
    let method = choice(choices, &METHODS);
    let Ok(uri) = Uri::try_from(target) else {
        return;
    };
    let mut request = Request::new(Body::empty());
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    let headers = request.headers_mut();
    if !byte(choices).is_multiple_of(8) {
        let Ok(shown) = HeaderValue::from_bytes(shown) else {
            return;
        };
        headers.append(AUTHORIZATION, shown);
    }
    for value in [one, other] {
        let name = HeaderName::from_static(choice(choices, &HEADERS));
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return;
        };
        headers.append(name, value);
    }
    let may_read = headers.contains_key(AUTHORIZATION) && is_right(shown);
    let answer = ROUTER.clone().oneshot(request);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(answer)) = pin!(answer).poll(&mut context) else {
        panic!("without a runtime there is nothing to wait for");
    };
    let status = answer.status();
    assert!(STATUSES.contains(&status.as_u16()), "{status}");
    assert!(
        status != StatusCode::OK || may_read,
        "let in with {shown:?}"
    );
    assert!(status != StatusCode::UNAUTHORIZED || !may_read, "kept out");
    let headers = format!("{:?}", answer.headers());
    let mut body = answer.into_body();
    let mut read = headers.into_bytes();
    for _ in 0..usize::from(byte(choices)) {
        match pin!(&mut body).poll_frame(&mut context) {
            Poll::Ready(Some(frame)) => {
                read.extend(frame.expect("enough time").into_data().expect("data"));
            }
            Poll::Ready(None) => break,
            Poll::Pending => panic!("without a runtime there is nothing to wait for"),
        }
    }
    for secret in SECRETS {
        let found = read.windows(secret.len()).any(|part| part == secret);
        assert!(!found, "a credential is told");
    }
}

/// Whether credentials are right: the scheme in any case, spaces or tabs, and the exact
/// token, or the exact Base64 of user and password.
fn is_right(shown: &[u8]) -> bool {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let shown = shown.trim_ascii();
    let Some(end) = shown.iter().position(is_space) else {
        return false;
    };
    let (scheme, rest) = shown.split_at(end);
    let rest = rest.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer") && rest == b"secret-token")
        || (scheme.eq_ignore_ascii_case(b"basic") && rest == BASIC.as_bytes())
}
