//! Responses to connections that get no slot.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::context::WarnOnce;
use crate::router::serve::connection_slots::SlotError;
use crate::router::serve::limits::ListenerLimits;

/// The reason why a connection is rejected.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rejection {
    /// Its address is in none of the allowed networks.
    Network,
    NoSlot(SlotError),
}

/// Responds to a few rejected connections at a time. Others are closed without a response, so
/// that they use no resources.
#[derive(Debug)]
pub(super) struct RejectionResponder {
    permits: Arc<Semaphore>,
    timeout: Duration,
    network_warning: WarnOnce,
    limit_warning: WarnOnce,
}

impl RejectionResponder {
    pub(super) fn new(limits: ListenerLimits) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(limits.rejections)),
            timeout: limits.rejection,
            network_warning: WarnOnce::new(),
            limit_warning: WarnOnce::new(),
        }
    }

    /// Rejects a connection in the background, and warns about the first one.
    pub(super) fn reject(&self, stream: TcpStream, peer: IpAddr, reason: Rejection) {
        let peer = peer.to_canonical();
        self.warn(peer, reason);
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return;
        };
        let time = self.timeout;
        tokio::spawn(async move {
            // An error means that the client has disconnected or was too slow.
            let _ = timeout(time, send(stream, &response(peer, reason))).await;
            drop(permit);
        });
    }

    fn warn(&self, peer: IpAddr, reason: Rejection) {
        match reason {
            Rejection::Network => self.network_warning.warn(|| {
                tracing::warn!(
                    %peer,
                    "the metrics listener rejects a connection: its address is in none of the \
                     networks of `MetricsRouter::allowed_networks`; further ones are not logged"
                );
            }),
            Rejection::NoSlot(error) => self.limit_warning.warn(|| {
                tracing::warn!(
                    %peer,
                    "the metrics listener rejects a connection: {}; further ones are not logged",
                    error.message()
                );
            }),
        }
    }
}

impl SlotError {
    fn message(self) -> &'static str {
        match self {
            Self::AddressLimit => {
                "its address is at the limit of `MetricsRouter::max_connections_per_address`, \
                 and none of these connections is idle"
            }
            Self::ListenerLimit => {
                "the listener is at the limit of `MetricsRouter::max_connections`, and none of \
                 these connections is idle"
            }
        }
    }
}

/// Returns the whole response, with its head.
fn response(peer: IpAddr, reason: Rejection) -> String {
    let (head, body) = match reason {
        Rejection::Network => (
            "403 Forbidden",
            format!("{peer} is in none of the networks that may read these metrics\n"),
        ),
        Rejection::NoSlot(error) => (
            "503 Service Unavailable\r\nretry-after: 1",
            format!("this connection was rejected: {}\n", error.message()),
        ),
    };
    format!(
        "HTTP/1.1 {head}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n\
         {body}",
        body.len()
    )
}

/// Reads the start of a request, sends the response, and closes the connection.
async fn send(mut stream: TcpStream, response: &str) -> io::Result<()> {
    // Closing a socket with unread data resets the connection, which discards the response.
    let mut ignored = [0; 1024];
    if stream.read(&mut ignored).await? > 0 {
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await?;
        while stream.read(&mut ignored).await? > 0 {}
    }
    Ok(())
}
