//! One connection of the listener's, and when it is cut.

use std::net::SocketAddr;
use std::pin::pin;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutWriter;
use tower::Layer;

use crate::router::serve::limits::Limits;

/// So much of a request's head, or of an answer, is held in memory, in bytes.
const BUFFER: usize = 64 * 1024;

/// Serves one connection to its end; what ends it concerns nobody else.
pub(super) async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Send,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.write));
    let stream = pin!(stream);
    let service = Extension(ConnectInfo(peer)).layer(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    tokio::select! {
        // An error is that of the client, or that it was cut.
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = timeout(limits.grace, connection).await;
}
