//! The loop that accepts connections.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::task::{Context, Poll};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::context::WarnOnce;
use crate::router::access::networks::AllowedNetworks;
use crate::router::serve::connection::serve_connection;
use crate::router::serve::connection_slots::ConnectionSlots;
use crate::router::serve::limits::ListenerLimits;
use crate::router::serve::rejections::{Rejection, RejectionResponder};

/// Accepts connections and serves each on a new task.
pub(super) struct AcceptLoop {
    pub(super) listener: TcpListener,
    pub(super) router: Router,
    /// `None` allows all addresses.
    pub(super) networks: Option<AllowedNetworks>,
    pub(super) limits: ListenerLimits,
}

impl AcceptLoop {
    /// Runs until `stopped` changes, and then waits until all connections have ended.
    ///
    /// Accepting never waits for a connection: each is accepted, and then gets a slot or is
    /// rejected.
    pub(super) async fn run(self, mut stopped: watch::Receiver<()>) {
        let limits = self.limits;
        let slots = ConnectionSlots::new(limits);
        let rejections = RejectionResponder::new(limits);
        let (connection_guard, mut all_ended) = mpsc::channel::<()>(1);
        loop {
            let accepted = next_connection(|context| self.listener.poll_accept(context), limits);
            let (stream, peer) = tokio::select! {
                accepted = accepted => accepted,
                _ = stopped.changed() => break,
            };
            let address = peer.ip();
            let slot = if self.is_allowed(address) {
                slots.try_acquire(address).map_err(Rejection::NoSlot)
            } else {
                Err(Rejection::Network)
            };
            match slot {
                Ok(slot) => {
                    set_nodelay(&stream);
                    let (router, stopped) = (self.router.clone(), stopped.clone());
                    let guard = connection_guard.clone();
                    tokio::spawn(async move {
                        serve_connection(stream, reset, slot, peer, router, limits, stopped).await;
                        drop(guard);
                    });
                }
                Err(reason) => rejections.reject(stream, address, reason),
            }
            // The new task can read a request that has already arrived before the next
            // connection is accepted. Until then the new connection counts as idle, and could
            // be closed for the next one.
            yield_now().await;
        }
        drop((self.listener, connection_guard));
        // Each connection ends within the grace period. The channel closes with the last one.
        let _ = all_ended.recv().await;
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        let networks = self.networks.as_ref();
        networks.is_none_or(|networks| networks.contains(address.to_canonical()))
    }
}

/// Returns the next connection.
///
/// A process without free file descriptors or memory fails to accept again and again, without
/// waiting. The pause after each failure keeps that from using up a CPU.
pub(super) async fn next_connection<T>(
    mut poll_accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
    limits: ListenerLimits,
) -> T {
    let warning = WarnOnce::new();
    loop {
        let error = match poll_fn(&mut poll_accept).await {
            Ok(connection) => return connection,
            Err(error) => error,
        };
        if is_connection_error(&error) {
            continue;
        }
        warning.warn(|| {
            tracing::warn!(
                %error,
                "the metrics listener cannot accept a connection, and tries again every {:?}; \
                 are there too many open files?",
                limits.accept_pause
            );
        });
        sleep(limits.accept_pause).await;
    }
}

/// Returns true if the error concerns one connection: the client disconnected before it was
/// accepted.
fn is_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

/// Makes the operating system discard unsent data. For a client that does not read, it would
/// keep the data for minutes.
fn reset(stream: &TcpStream) {
    // If this fails, the connection is closed in the usual way.
    let _ = stream.set_zero_linger();
}

/// Sends small chunks without delay.
fn set_nodelay(stream: &TcpStream) {
    // If this fails, chunks are sent later.
    let _ = stream.set_nodelay(true);
}
