//! One connection of the listener, and when it is cut.

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

use crate::router::scrape_timeout::{FAR_FUTURE, scrape_timeout};
use crate::router::serve::connection_slots::ConnectionSlot;
use crate::router::serve::flush_tracker::FlushTracker;
use crate::router::serve::limits::ListenerLimits;

/// So much of a request's head, or of an answer, is held in memory, in bytes.
const BUFFER: usize = 64 * 1024;

/// A scrape ends by itself at its deadline, and is counted; its connection is closed a
/// little later.
const LATER: Duration = Duration::from_secs(1);

/// Serves one connection to its end; what ends it concerns nobody else.
///
/// An answer that was cut is given to `reset` with its stream, so that the system forgets
/// what it still has to send.
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
    let socket = FlushTracker {
        stream,
        slot: Arc::clone(&slot),
    };
    let mut stream = TimeoutWriter::new(socket);
    stream.set_timeout(Some(limits.write));
    let mut stream = pin!(stream);
    let answer = service_fn(|mut request: Request<Incoming>| {
        let time = scrape_timeout(request.headers(), limits.deadline).saturating_add(LATER);
        let answering = Answering::begin(&slot, time);
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move {
            let answer: Response<Body> = router.call(request.map(Body::new)).await?;
            Ok::<_, Infallible>(answer.map(|body| Answer {
                body,
                _answering: answering,
            }))
        }
    });
    let connection = http1::Builder::new()
        // The slot's times are shorter, and differ for the first request.
        .header_read_timeout(None)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream.as_mut()), answer);
    {
        let mut connection = pin!(connection);
        let is_stopping = tokio::select! {
            // An error is the client's, or an answer that was cut.
            _ = connection.as_mut() => false,
            () = slot.expired_or_evicted() => false,
            _ = stopped.changed() => true,
        };
        if is_stopping {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(limits.grace, connection).await;
        }
    }
    if slot.is_answering() {
        reset(&stream.get_ref().stream);
    }
}

/// An answer under way.
struct Answering(Arc<ConnectionSlot>);

impl Answering {
    fn begin(slot: &Arc<ConnectionSlot>, time: Duration) -> Self {
        slot.start_response(Instant::now() + time.min(FAR_FUTURE));
        Self(Arc::clone(slot))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.finish_response();
    }
}

/// The body of an answer; hyper drops it when it has taken all of it.
struct Answer {
    body: Body,
    _answering: Answering,
}

impl http_body::Body for Answer {
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
