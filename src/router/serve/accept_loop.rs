//! The loop that accepts connections, and outlives whatever becomes of one.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::task::{Context, Poll};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::router::allowed_networks::Networks;
use crate::router::serve::connection::serve_connection;
use crate::router::serve::connection_slots::ConnectionSlots;
use crate::router::serve::limits::ListenerLimits;
use crate::router::serve::rejections::{Rejection, RejectionResponder};

/// What a listener serves, and to whom.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) router: Router,
    /// All networks, where there are none.
    pub(super) networks: Option<Networks>,
    pub(super) limits: ListenerLimits,
}

/// Serves the listener's connections until it is told to stop, and then waits until all
/// have ended.
///
/// Accepting never waits for a connection: each is accepted, and then gets a slot or not.
pub(super) async fn accept(listening: Listening, mut stopped: watch::Receiver<()>) {
    let Listening {
        listener,
        router,
        networks,
        limits,
    } = listening;
    let (slots, refusals) = (
        ConnectionSlots::new(limits),
        RejectionResponder::new(limits),
    );
    let (under_way, mut all_ended) = mpsc::channel::<()>(1);
    loop {
        let (stream, peer) = tokio::select! {
            next = next_connection(|task| listener.poll_accept(task), limits) => next,
            _ = stopped.changed() => break,
        };
        let address = peer.ip();
        let is_inside = networks
            .as_ref()
            .is_none_or(|all| all.contains(address.to_canonical()));
        let slot = if is_inside {
            slots.try_acquire(address).map_err(Rejection::Full)
        } else {
            Err(Rejection::Network)
        };
        match slot {
            Ok(slot) => {
                let (stream, router) = (prepare(stream), router.clone());
                let (stopped, under_way) = (stopped.clone(), under_way.clone());
                tokio::spawn(async move {
                    serve_connection(stream, reset, slot, peer, router, limits, stopped).await;
                    drop(under_way);
                });
            }
            Err(why) => refusals.refuse(stream, address, why),
        }
        // A request that has come already is read before the next connection can close this
        // one, which would be idle until then.
        yield_now().await;
    }
    drop((listener, under_way));
    // Each of them ends by itself within the time that is given to all.
    let _ = all_ended.recv().await;
}

/// Returns the next connection.
///
/// A listener that lacks file descriptors or memory fails again and again, at once, until
/// some are free. It pauses after each failure, so that it does not keep a thread busy.
pub(super) async fn next_connection<T>(
    mut poll_accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
    limits: ListenerLimits,
) -> T {
    let mut has_told = false;
    loop {
        let error = match poll_fn(&mut poll_accept).await {
            Ok(connection) => return connection,
            Err(error) => error,
        };
        if is_of_one_connection(&error) {
            continue;
        }
        if !has_told {
            has_told = true;
            tracing::warn!(
                %error,
                "the listener of the metrics cannot accept a connection, and tries again every \
                 {:?}; are there too many open files?",
                limits.pause
            );
        }
        sleep(limits.pause).await;
    }
}

/// Returns true when the error is that a client went away before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

/// Makes the system forget what it still has to send, which a client that does not read
/// would let it keep for minutes.
fn reset(stream: &TcpStream) {
    // Without it the connection is closed in the usual way.
    let _ = stream.set_zero_linger();
}

fn prepare(stream: TcpStream) -> TcpStream {
    // Chunks go out as they are made. Without it they come a little later, that is all.
    let _ = stream.set_nodelay(true);
    stream
}
