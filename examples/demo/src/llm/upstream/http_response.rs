//! Builds responses: complete, streamed, or cut off.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::dialect::Dialect;
use super::fake_answer::FakeAnswer;
use super::fault::Fault;

const JSON: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/json")];

pub(super) fn error<D: Dialect>(status: StatusCode) -> Response {
    let mut response = (status, JSON, D::error_body(status).to_string()).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, 2.into());
    }
    response
}

pub(super) fn complete<D: Dialect>(answer: &FakeAnswer, fault: Option<Fault>) -> Response {
    let text = D::complete_body(answer).to_string();
    let body = match fault {
        Some(Fault::CutOff) => paced(vec![
            Ok(text[..text.len() / 2].to_owned()),
            Err(connection_error()),
        ]),
        _ => Body::from(text),
    };
    (JSON, body).into_response()
}

pub(super) fn stream<D: Dialect>(answer: &FakeAnswer, fault: Option<Fault>) -> Response {
    let mut pieces: Vec<_> = D::events(answer).into_iter().map(Ok).collect();
    if let Some(fault) = fault {
        pieces.truncate(pieces.len() / 2);
        pieces.push(match fault {
            Fault::CutOff => Err(connection_error()),
            _ => Ok(D::error_event()),
        });
    }
    ([(CONTENT_TYPE, D::STREAM_CONTENT_TYPE)], paced(pieces)).into_response()
}

fn paced(pieces: Vec<io::Result<String>>) -> Body {
    Body::from_stream(stream::iter(pieces).then(async |piece| {
        sleep(Duration::from_millis(fastrand::u64(5..30))).await;
        piece
    }))
}

/// An error in the body makes the server close the connection.
fn connection_error() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
