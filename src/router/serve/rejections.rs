//! Answers to connections that get no slot.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::router::serve::connection_slots::SlotError;
use crate::router::serve::limits::ListenerLimits;

/// Why a connection is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rejection {
    /// Its address is in none of the networks.
    Network,
    Full(SlotError),
}

/// Answers a few refused connections at a time. Others are closed without an answer, so that
/// they hold nothing.
#[derive(Debug)]
pub(super) struct RejectionResponder {
    places: Arc<Semaphore>,
    time: Duration,
    has_warned_of_network: AtomicBool,
    has_warned_of_limit: AtomicBool,
}

impl RejectionResponder {
    pub(super) fn new(limits: ListenerLimits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.refused)),
            time: limits.refusal,
            has_warned_of_network: AtomicBool::new(false),
            has_warned_of_limit: AtomicBool::new(false),
        }
    }

    /// Refuses a connection in the background, and warns of the first one.
    pub(super) fn refuse(&self, stream: TcpStream, peer: IpAddr, why: Rejection) {
        let peer = peer.to_canonical();
        self.warn(peer, why);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return;
        };
        let time = self.time;
        tokio::spawn(async move {
            // An error is that the client has gone, and too long is too long.
            let _ = timeout(time, answer(stream, &text(peer, why))).await;
            drop(place);
        });
    }

    fn warn(&self, peer: IpAddr, why: Rejection) {
        match why {
            Rejection::Network => {
                if !self.has_warned_of_network.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        %peer,
                        "the listener of the metrics refuses a connection, since its address is \
                         in none of the networks of `MetricsRouter::allowed_networks`; further ones are \
                         not reported"
                    );
                }
            }
            Rejection::Full(full) => {
                if !self.has_warned_of_limit.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        %peer,
                        "the listener of the metrics refuses a connection, since {}; further ones \
                         are not reported",
                        full.reason()
                    );
                }
            }
        }
    }
}

impl SlotError {
    fn reason(self) -> &'static str {
        match self {
            Self::AddressLimit => {
                "its address is at the limit of `MetricsRouter::max_connections_per_address`, and \
                 every connection is answering a request"
            }
            Self::ListenerLimit => {
                "the listener is at the limit of `MetricsRouter::max_connections`, and every \
                 connection is answering a request"
            }
        }
    }
}

/// Returns the whole answer.
fn text(peer: IpAddr, why: Rejection) -> String {
    let (head, body) = match why {
        Rejection::Network => (
            "403 Forbidden",
            format!("{peer} is in none of the networks that may read these metrics\n"),
        ),
        Rejection::Full(full) => (
            "503 Service Unavailable\r\nretry-after: 1",
            format!("this connection is refused, since {}\n", full.reason()),
        ),
    };
    format!(
        "HTTP/1.1 {head}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n\
         {body}",
        body.len()
    )
}

/// Answers whatever is asked, and closes the connection.
async fn answer(mut stream: TcpStream, text: &str) -> std::io::Result<()> {
    // What was not read when a connection is closed resets it, and the answer with it.
    let mut ignored = [0; 1024];
    if stream.read(&mut ignored).await? > 0 {
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await?;
        while stream.read(&mut ignored).await? > 0 {}
    }
    Ok(())
}
