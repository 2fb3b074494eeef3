//! How an answer is sent: whole, piece by piece, or not to its end.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::dialect::Dialect;
use super::fault::Fault;
use super::said::Said;

const JSON: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/json")];

pub(super) fn refusal<D: Dialect>(status: StatusCode) -> Response {
    let mut response = (status, JSON, D::refusal(status).to_string()).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, 2.into());
    }
    response
}

pub(super) fn whole<D: Dialect>(said: &Said, fault: Option<Fault>) -> Response {
    let text = D::whole(said).to_string();
    let body = match fault {
        Some(Fault::Cut) => paced(vec![Ok(text[..text.len() / 2].to_owned()), Err(cut())]),
        _ => Body::from(text),
    };
    (JSON, body).into_response()
}

pub(super) fn stream<D: Dialect>(said: &Said, fault: Option<Fault>) -> Response {
    let mut pieces: Vec<_> = D::events(said).into_iter().map(Ok).collect();
    if let Some(fault) = fault {
        pieces.truncate(pieces.len() / 2);
        pieces.push(match fault {
            Fault::Cut => Err(cut()),
            _ => Ok(D::failure()),
        });
    }
    ([(CONTENT_TYPE, D::STREAM)], paced(pieces)).into_response()
}

fn paced(pieces: Vec<io::Result<String>>) -> Body {
    Body::from_stream(stream::iter(pieces).then(async |piece| {
        sleep(Duration::from_millis(fastrand::u64(5..30))).await;
        piece
    }))
}

/// An error of the body closes the connection.
fn cut() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
