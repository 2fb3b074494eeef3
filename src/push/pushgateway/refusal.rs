//! Why a Pushgateway refused a request, in errors.

use http::{StatusCode, Uri};

use crate::error::Error;
use crate::push::http_client::HttpResponse;
use crate::push::http_error::{HttpError, HttpErrorKind};
use crate::snapshot::is_classic_metric;

/// Returns the error of a request that got no response.
pub(super) fn no_response(url: &Uri, error: HttpError) -> Error {
    let remedy = match error.kind() {
        HttpErrorKind::Resolve => "check the host of the URL",
        HttpErrorKind::Redirect => "use the URL that it redirects to",
        HttpErrorKind::Panic => {
            "see the panic message; if I/O or timers of the tokio runtime are disabled, call \
             `enable_all` on its builder"
        }
        HttpErrorKind::Timeout => "is the Pushgateway overloaded, or the timeout too short?",
        _ => "check that the Pushgateway is running, and that the URL is its own",
    };
    failed(url, error, remedy)
}

/// Returns the error of a request that was refused.
///
/// The body of the response may contain label values, so the error names at most the metric.
pub(super) fn refused(url: &Uri, response: &HttpResponse) -> Error {
    let status = response.status;
    let body = response.body.as_deref().unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    let remedy = match status {
        StatusCode::BAD_REQUEST => return failed(url, status, &bad_request(&body)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "check the credentials of `Pushgateway::basic_auth` or `Pushgateway::header`"
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            "is this the URL of a Pushgateway, with its route prefix?"
        }
        StatusCode::PAYLOAD_TOO_LARGE => "raise the limit of the proxy for the size of requests",
        _ if status.is_redirection() => "use the URL that it redirects to",
        _ => "the log of the Pushgateway has the reason",
    };
    failed(url, status, remedy)
}

fn bad_request(body: &str) -> String {
    let metric = match metric_name(body) {
        Some(name) => format!("the metric {name:?}"),
        None => "a metric".to_owned(),
    };
    if body.contains("was collected before with the same name and label values") {
        return format!("{metric} has two series with the same labels; remove one of them");
    }
    if body.contains("is not a ") || body.contains("but should have") {
        return format!(
            "{metric} has another type in another group or in the Pushgateway itself; rename it, \
             or delete the other group"
        );
    }
    "the log of the Pushgateway has the reason".to_owned()
}

/// Returns the name of the metric that a response is about.
fn metric_name(body: &str) -> Option<&str> {
    let quoted = body.split_once("collected metric \"");
    let name = match quoted {
        Some((_, rest)) => rest.split('"').next(),
        None => body
            .split_once("gathered metric family ")
            .and_then(|(_, rest)| rest.split(' ').next()),
    };
    name.filter(|name| name.len() < 256 && is_classic_metric(name))
}

fn failed(url: &Uri, failure: impl std::fmt::Display, remedy: &str) -> Error {
    let scheme = url.scheme_str().unwrap_or("http");
    let authority = url.authority().map_or("", |authority| authority.as_str());
    Error::failed_push(format_args!(
        "the push to {scheme}://{authority} failed: {failure}: {remedy}"
    ))
}
