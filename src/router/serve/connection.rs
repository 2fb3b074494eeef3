//! One connection of the listener, and its timeouts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_io_timeout::TimeoutWriter;
use tower::Service;

use crate::router::scrape::timeout::{FAR_FUTURE, effective_timeout};
use crate::router::serve::connection_slots::ConnectionSlot;
use crate::router::serve::flush_tracker::FlushTracker;
use crate::router::serve::limits::ListenerLimits;

/// The size of hyper's buffers for a request's head and for a response, in bytes.
const BUFFER_SIZE: usize = 64 * 1024;

/// How long after the scrape timeout the connection is closed. Before that, the scrape ends by
/// itself, and is counted.
const CLOSE_DELAY: Duration = Duration::from_secs(1);

/// Serves one connection until it ends.
///
/// If a response was aborted, `reset` is called with the stream, so that the operating system
/// discards the unsent data.
pub(super) async fn serve_connection<S: AsyncRead + AsyncWrite + Send + Unpin>(
    stream: S,
    reset: impl FnOnce(&S),
    slot: ConnectionSlot,
    peer: SocketAddr,
    router: Router,
    limits: ListenerLimits,
    mut stopped: watch::Receiver<()>,
) {
    let slot = Arc::new(slot);
    let stream = FlushTracker {
        stream,
        slot: Arc::clone(&slot),
    };
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.write));
    let mut stream = pin!(stream);
    let service = service_fn(|mut request: Request<Incoming>| {
        let timeout = effective_timeout(request.headers(), limits.response_deadline);
        let guard = ResponseGuard::new(&slot, timeout.saturating_add(CLOSE_DELAY));
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move {
            let response: Response<Body> = router.call(request.map(Body::new)).await?;
            Ok::<_, Infallible>(response.map(|body| ResponseBody {
                body,
                _guard: guard,
            }))
        }
    });
    let connection = http1::Builder::new()
        // The slot's timeouts are shorter, and differ for the first request.
        .header_read_timeout(None)
        .max_buf_size(BUFFER_SIZE)
        .serve_connection(TokioIo::new(stream.as_mut()), service);
    {
        let mut connection = pin!(connection);
        let is_stopping = tokio::select! {
            // An error is the client's, or that of an aborted response.
            _ = connection.as_mut() => false,
            () = slot.expired_or_evicted() => false,
            _ = stopped.changed() => true,
        };
        if is_stopping {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(limits.shutdown_grace, connection).await;
        }
    }
    if slot.is_responding() {
        reset(&stream.get_ref().stream);
    }
}

/// Marks the slot as responding until it is dropped.
struct ResponseGuard(Arc<ConnectionSlot>);

impl ResponseGuard {
    fn new(slot: &Arc<ConnectionSlot>, timeout: Duration) -> Self {
        slot.start_response(Instant::now() + timeout.min(FAR_FUTURE));
        Self(Arc::clone(slot))
    }
}

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        self.0.finish_response();
    }
}

/// The body of a response. Hyper drops it when it has read all of it.
struct ResponseBody {
    body: Body,
    _guard: ResponseGuard,
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
