//! The loop that accepts connections, and outlives whatever becomes of one.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use crate::router::serve::connection::serve_connection;
use crate::router::serve::limits::Limits;

/// Serves the listener's connections until it is told to stop, and then waits until all
/// have ended.
pub(super) async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    let room = Arc::new(Semaphore::new(limits.connections as usize));
    loop {
        // First room, then a connection: those that wait do so in the system's queue.
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, next(|task| listener.poll_accept(task), limits).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            next = next => next,
            _ = stopped.changed() => break,
        };
        let (router, stopped) = (router.clone(), stopped.clone());
        tokio::spawn(async move {
            serve_connection(prepare(stream), peer, router, limits, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    // Each of them ends by itself within the time that is given to all.
    let _ = room.acquire_many(limits.connections).await;
}

/// Returns the next connection.
///
/// A listener fails for want of file descriptors or memory, again and again and at once,
/// until something gives them back. That is waited for, so that a thread is not spent on
/// failing.
pub(super) async fn next<T>(
    mut poll_accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
    limits: Limits,
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

fn prepare(stream: TcpStream) -> TcpStream {
    // Chunks go out as they are made. Without it they come a little later, that is all.
    let _ = stream.set_nodelay(true);
    stream
}
